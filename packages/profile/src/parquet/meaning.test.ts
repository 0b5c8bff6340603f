import fc from 'fast-check';
import { expect, test } from 'vitest';
import { meaningOf } from './meaning.ts';
import type { Logical, Physical } from './schema.ts';

const node = (physical: Physical, logical: Logical, scale = 0, length = 0) =>
  meaningOf({ name: 'x', physical, logical, scale, length, isOptional: false, isRepeated: false, children: [] });

/** The double that is made of one whole number of 64 bits. */
function doubleOf(value: bigint, logical: Logical, scale = 0): number | undefined {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigInt64(0, value, true);
  const out = new Float64Array(1);
  node('int64', logical, scale).convert?.(view, 0, out, 1);
  return out[0];
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const floored = (value: bigint, divisor: bigint): bigint =>
  (value - (((value % divisor) + divisor) % divisor)) / divisor;

test('a decimal is the double that its digits are read as', () => {
  fc.assert(
    fc.property(int64, fc.integer({ min: 0, max: 30 }), (value, scale) => {
      expect(doubleOf(value, { type: 'decimal' }, scale)).toBe(Number(`${value}e-${scale}`));
    }),
    { numRuns: 2000 },
  );
});

test.each([1, 1000, 1_000_000])('a time of %i units a millisecond is cut to the millisecond before it', (perMs) => {
  const near = fc.tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.integer({ min: -2, max: 2 }));
  const borders = near.map(([ms, off]) => ms * BigInt(perMs) + BigInt(off));
  // Of any year that has a date; milliseconds are whole numbers up to 2^53.
  const any = int64.filter((value) => Math.abs(Number(value)) < 8e15 * perMs);
  fc.assert(
    fc.property(fc.oneof(borders, any), (value) => {
      expect(doubleOf(value, { type: 'timestamp', perMs })).toBe(Number(floored(value, BigInt(perMs))));
    }),
    { numRuns: 2000 },
  );
});

test('a number of 64 bits is the nearest double, with a sign and without', () => {
  fc.assert(
    fc.property(int64, (value) => {
      expect(doubleOf(value, { type: 'integer', isUnsigned: false })).toBe(Number(value));
      expect(doubleOf(value, { type: 'integer', isUnsigned: true })).toBe(Number(BigInt.asUintN(64, value)));
    }),
    { numRuns: 2000 },
  );
});

test('a decimal of more bytes than any writer makes is refused', () => {
  const { numberOf } = node('bytes', { type: 'decimal' });

  expect(numberOf?.(Uint8Array.of(255, 156))).toBe(-100);
  expect(() => numberOf?.(new Uint8Array(65))).toThrow(/length of a decimal of 65/);
});

test('a half is a double, be it smaller than the normal ones, infinite or not a number', () => {
  const { numberOf } = node('fixedBytes', { type: 'half' }, 0, 2);
  const half = (bits: number) => numberOf?.(Uint8Array.of(bits & 255, bits >>> 8));

  expect([0x3c00, 0xc000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x7bff].map(half)).toEqual([
    1,
    -2,
    2 ** -24,
    -(2 ** -24),
    1023 * 2 ** -24,
    2 ** -14,
    65_504,
  ]);
  expect([0x7c00, 0xfc00, 0x7e00].map(half)).toEqual([Infinity, -Infinity, NaN]);
});
