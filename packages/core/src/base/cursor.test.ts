import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cursorAfter, cursorOf, keyIn, placeIn } from './cursor.ts';
import { Fault } from './fault.ts';
import type { Json } from './json.ts';
import { byBytes } from './order.ts';

describe('a cursor', () => {
  test('comes back as the place that it was made of, and stands in a URL as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: 'small' }), (place) => {
        const cursor = cursorOf(place as Json);

        expect(cursor).toMatch(/^[\w-]*$/);
        expect(placeIn(cursor)).toEqual(JSON.parse(JSON.stringify(place)));
      }),
    );
  });

  // Listings go on after an update of the functions: their cursors are kept in states.
  test('is written as it always was', () => {
    expect(cursorAfter('drops/ä?>.csv')).toBe(Buffer.from('["drops/ä?>.csv"]').toString('base64url'));
    expect(keyIn('WyJtb2RlbC9hXHUwMDAwMTIiXQ')).toBe('model/a\u000012');
  });

  test.each([
    ['of nobody', 'x y'],
    ['empty', ''],
    ['of another list', cursorOf({ list: 'run/' })],
    ['after nothing', cursorOf([''])],
    ['after a number', cursorOf([7])],
    ['cut off', cursorAfter('a key').slice(0, -3)],
  ])('%s is refused with what to do', (_, cursor) => {
    const read = () => keyIn(cursor);

    expect(read).toThrow(Fault);
    expect(read).toThrow(/does not belong to this list; begin without a cursor/);
  });
});

test('keys stand in the order of their UTF-8 bytes', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', '\u0000', 'ä', '\ud7ff', '\ue000', '\uffff', '😀', '\u{10ffff}'),
  });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(byBytes(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});
