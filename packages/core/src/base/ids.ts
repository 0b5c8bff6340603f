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

/**
 * What the keys of `newestFirst` begin with for ids that begin so, with or without the kind's own prefix; `undefined`:
 * no id begins so. A digit of the time that is left is 15 less that of the time, so a prefix of ids is one of keys.
 */
export function listedUnder(prefix: 'run' | 'ro', begin: string): string | undefined {
  const digits = begin.startsWith(`${prefix}_`) ? begin.slice(prefix.length + 1) : begin;
  if (!/^[0-9a-f]{0,32}$/.test(digits)) return undefined;
  const left = [...digits.slice(0, 12)].map((digit) => (15 - Number.parseInt(digit, 16)).toString(16)).join('');
  return digits.length <= 12 ? left : `${left}/${prefix}_${digits}`;
}

/** Whether nothing can be added to an id of this kind. */
export const isWholeId = (prefix: 'run' | 'ro', id: string): boolean =>
  id.startsWith(`${prefix}_`) && /^[0-9a-f]{32}$/.test(id.slice(prefix.length + 1));

/** `run_` and 32 digits, of which the first 12 are its time. */
export const isLongId = (id: string): boolean => /^[a-z]+_[0-9a-f]{32}$/.test(id);

export const shortenedId = (id: string, digits: number): string => id.slice(0, id.indexOf('_') + 1 + digits);

/** An id that a person reads by itself: to the millisecond of its time. */
export const shortId = (id: string): string => (isLongId(id) ? shortenedId(id, 12) : id);
