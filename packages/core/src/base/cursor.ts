import { Fault } from './fault.ts';
import { decodeText, encodeText, type Json } from './json.ts';

// On every platform that Serin runs on, but in no ECMAScript library.
declare const btoa: (bytes: string) => string;
declare const atob: (base64: string) => string;

/** Where a list goes on, as text for a URL (base64url of JSON). Callers pass it back unread. */
export function cursorOf(place: Json): string {
  const bytes = encodeText(JSON.stringify(place));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** What `cursorOf` was given; `undefined` for any other text. The caller checks that it is a place of this list. */
export function placeIn(cursor: string): unknown {
  try {
    const bytes = Uint8Array.from(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')), (byte) => byte.charCodeAt(0));
    return JSON.parse(decodeText(bytes));
  } catch {
    return undefined;
  }
}

/** The cursor of a list that goes on after a key. */
export const cursorAfter = (key: string): string => cursorOf([key]);

/** The key that a list goes on after; `invalid` for what `cursorAfter` did not make. */
export function keyIn(cursor: string): string {
  const place = placeIn(cursor);
  if (Array.isArray(place) && typeof place[0] === 'string' && place[0] !== '') return place[0];
  throw badCursor(cursor);
}

export const badCursor = (cursor: string): Fault =>
  new Fault(
    'invalid',
    `the cursor ${JSON.stringify(cursor.slice(0, 100))} does not belong to this list; begin without a cursor`,
  );
