import { sha256Hex } from './json.ts';

/**
 * An id that sorts by time. It is derived from what it names, so the same decision made twice gives the same id.
 * The layout is that of a UUIDv7 (48 bits of milliseconds first), without hyphens.
 */
export function derivedId(prefix: 'run' | 'ro' | 'evt', at: number, ...of: readonly (string | number)[]): string {
  return `${prefix}_${at.toString(16).padStart(12, '0')}7${sha256Hex(of.join('\n')).slice(0, 19)}`;
}

/** A key under which ids of one kind list newest first. */
export const newestFirst = (id: string): string => {
  const time = Number.parseInt(id.slice(id.indexOf('_') + 1, id.indexOf('_') + 13), 16);
  return `${(2 ** 48 - 1 - time).toString(16).padStart(12, '0')}/${id}`;
};
