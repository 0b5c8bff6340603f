import { Fault } from '@serin/core/base/fault';

/** The cursor of a list that goes on after a key. */
export const cursorAfter = (key: string): string => Buffer.from(JSON.stringify([key])).toString('base64url');

/** The key that a list goes on after; `invalid` for what is no cursor of ours. */
export function keyInCursor(cursor: string): string {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(place) && typeof place[0] === 'string' && place[0] !== '') return place[0];
  } catch {
    // Said below.
  }
  throw new Fault(
    'invalid',
    `the cursor ${JSON.stringify(cursor.slice(0, 100))} is not one of this list; begin without it`,
  );
}
