import { cursorOf, placeIn } from '@serin/core/base/cursor';
import { asFault } from '@serin/core/base/fault';
import { byBytes } from '@serin/core/base/order';
import type { Page } from '@serin/core/ports/page';
import * as z from 'zod';
import { Problem } from './problem.ts';

export const maxLimit = 200;

/** Bounds of a page; `limit` is at most 200. */
export const pageQuery = {
  cursor: z.string().max(4000).optional(),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, { error: `use a number from 1 to ${maxLimit}` })
    .transform(Number)
    .refine((limit) => limit <= maxLimit, { error: `use at most ${maxLimit}` })
    .optional(),
};

/** Where a list goes on: the store's own page, and the last key of it that was shown. */
interface Place {
  readonly page?: string;
  readonly after?: string;
}

const placeSchema = z.strictObject({ list: z.string(), page: z.string().optional(), after: z.string().optional() });

/** The place that a cursor names; anything but a cursor of this list is a 400. */
export function placeOf(list: string, cursor: string | undefined): Place {
  if (cursor === undefined) return {};
  const { success, data } = placeSchema.safeParse(placeIn(cursor));
  if (!success || data.list !== list) throw badCursor();
  const { list: _, ...place } = data;
  return place as Place; // `exactOptionalPropertyTypes`: a field of JSON is never `undefined`
}

export const badCursor = (): Problem =>
  new Problem('malformed', 'the cursor does not belong to this list; begin without it', {
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
      if (after !== undefined && byBytes(keyOf(item), after) <= 0) continue;
      if (keep(item)) items.push(item);
      if (items.length < limit) continue;
      const more = index < found.items.length - 1 || found.next !== undefined;
      return more
        ? { items, next: cursorOf({ list, ...(page === undefined ? {} : { page }), after: keyOf(item) }) }
        : { items };
    }
    if (found.next === undefined) return { items };
    page = found.next;
  }
  return { items, ...(page === undefined ? {} : { next: cursorOf({ list, page }) }) };
}
