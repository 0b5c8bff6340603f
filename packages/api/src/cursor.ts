import { asFault } from '@serin/core/base/fault';
import { decodeText, encodeText } from '@serin/core/base/json';
import type { Page } from '@serin/core/ports/page';
import * as z from 'zod';
import { Problem } from './problem.ts';

export const maxLimit = 200;

/** Bounds of a page; `limit` is at most 200. */
export const pageQuery = {
  cursor: z.string().max(4000).optional(),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, { error: `a number from 1 to ${maxLimit}` })
    .transform(Number)
    .refine((limit) => limit <= maxLimit, { error: `at most ${maxLimit}` })
    .optional(),
};

/** Where a list goes on: the store's own page, and the last key of it that was shown. */
interface Place {
  readonly page?: string;
  readonly after?: string;
}

const placeSchema = z.strictObject({ list: z.string(), page: z.string().optional(), after: z.string().optional() });

/** Opaque to callers; of another list it is refused. */
function cursorOf(list: string, place: Place): string {
  const bytes = encodeText(JSON.stringify({ list, ...place }));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** The place that a cursor names; anything but a cursor of this list is a 400. */
export function placeOf(list: string, cursor: string | undefined): Place {
  if (cursor === undefined) return {};
  try {
    const bytes = Uint8Array.from(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')), (byte) => byte.charCodeAt(0));
    const { list: own, ...place } = placeSchema.parse(JSON.parse(decodeText(bytes)));
    if (own === list) return place as Place; // `exactOptionalPropertyTypes`: a field of JSON is never `undefined`
  } catch {
    // Said below, in one way for all that is not a cursor.
  }
  throw badCursor();
}

export const badCursor = (): Problem =>
  new Problem('malformed', 'the cursor is not one of this list; begin without it', {
    errors: [{ pointer: 'query/cursor', detail: 'not a cursor of this list' }],
  });

/** Store pages that one request looks through: a filter that matches little answers an empty page with a `next`. */
const pagesPerRequest = 25;

/**
 * Up to `limit` items of a store's list that pass a filter.
 *
 * The store's own pages are cut: the cursor remembers the page and the last key of it, so that items which appear or
 * go meanwhile are neither shown twice nor skipped.
 */
export async function listPage<Item>(given: {
  readonly list: string;
  readonly cursor: string | undefined;
  readonly limit: number;
  readonly fetch: (page: string | undefined) => Promise<Page<Item>>;
  readonly keyOf: (item: Item) => string;
  readonly keep: (item: Item) => boolean;
}): Promise<{ readonly items: readonly Item[]; readonly next?: string }> {
  const { list, limit, fetch, keyOf, keep } = given;
  const { page: first, after } = placeOf(list, given.cursor);
  let page = first;
  const items: Item[] = [];
  for (let pages = 0; pages < pagesPerRequest; pages += 1) {
    const found = await fetch(page).catch((error: unknown) => {
      throw page !== undefined && asFault(error).code === 'invalid' ? badCursor() : error;
    });
    for (const [index, item] of found.items.entries()) {
      if (after !== undefined && !isAfter(keyOf(item), after)) continue;
      if (keep(item)) items.push(item);
      if (items.length < limit) continue;
      const more = index < found.items.length - 1 || found.next !== undefined;
      return more
        ? { items, next: cursorOf(list, { ...(page === undefined ? {} : { page }), after: keyOf(item) }) }
        : { items };
    }
    if (found.next === undefined) return { items };
    page = found.next;
  }
  return { items, ...(page === undefined ? {} : { next: cursorOf(list, { page }) }) };
}

/** Stores sort keys by their UTF-8 bytes, which is the order of code points. */
function isAfter(key: string, other: string): boolean {
  const [a, b] = [encodeText(key), encodeText(other)];
  for (let index = 0; index < a.length && index < b.length; index += 1)
    if (a[index] !== b[index]) return (a[index] ?? 0) > (b[index] ?? 0);
  return a.length > b.length;
}
