import { Fault } from '@serin/core/base/fault';

/** A JSON object of somebody else. Nothing is known of its fields yet. */
export type Fields = Readonly<Record<string, unknown>>;

export const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined; // just checked

export const listOf = (value: unknown): readonly Fields[] =>
  Array.isArray(value) ? value.map(fieldsOf).filter((item) => item !== undefined) : [];

/** A text that is there and not empty; anything else throws `invalid`, with the name of the field. */
export function textOf(value: unknown, field: string): string {
  if (typeof value !== 'string' || value === '') throw unreadable(field, 'a text');
  return value;
}

/** What a field says, for a line that people read. It is never converted: `toString` may be a field of its own. */
export const wordOf = (value: unknown): string =>
  typeof value === 'object' && value !== null ? 'an object' : String(value);

/**
 * A time as ISO 8601 in UTC. It may come as RFC 3339, as RFC 3339 with `+0000`, or as milliseconds since the epoch, as
 * a number or as text. Equal times have equal text.
 */
export function instantOf(value: unknown, field: string): string {
  const text = typeof value === 'number' ? String(value) : textOf(value, field);
  // RFC 3339 does not know `+0000`; V8 reads it, and a test holds that.
  const at = /^\d{11,}$/.test(text) ? Number(text) : Date.parse(text);
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) throw unreadable(field, 'a time');
  return date.toISOString();
}

export const unreadable = (what: string, wanted: string): Fault =>
  new Fault('invalid', `${what} cannot be read; send ${wanted}`);
