import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowHash, saltOf, ValueHash } from './hash.ts';
import { isUtf8 } from './utf8.ts';

const encoder = new TextEncoder();

function hashOf(give: (hash: ValueHash) => void): string {
  const hash = new ValueHash();
  give(hash);
  return `${hash.high}:${hash.low}`;
}
const ofText = (bytes: Uint8Array) => hashOf((hash) => hash.text(bytes, 0, bytes.length));

test('equal values have one hash, wherever they stand in a buffer, and -0 is 0', () => {
  expect(hashOf((hash) => hash.number(-0))).toBe(hashOf((hash) => hash.number(0)));
  const bytes = encoder.encode('xxhalloyy');
  expect(hashOf((hash) => hash.text(bytes, 2, 7))).toBe(ofText(encoder.encode('hallo')));
});

test('100,000 values of each kind have 100,000 hashes, and each half of them is even', () => {
  const count = 100_000;
  const kinds = [
    (hash: ValueHash, i: number) => hash.number(i),
    (hash: ValueHash, i: number) => hash.number(-i / 7),
    (hash: ValueHash, i: number) => hash.time(i * 1000),
    (hash: ValueHash, i: number) => {
      const bytes = encoder.encode(`id-${i}`);
      hash.text(bytes, 0, bytes.length);
    },
  ];

  const seen = new Set<string>();
  for (const give of kinds) {
    const [highs, lows] = [new Set<number>(), new Set<number>()];
    for (let i = 1; i <= count; i += 1) {
      const hash = new ValueHash();
      give(hash, i);
      seen.add(`${hash.high}:${hash.low}`);
      highs.add(hash.high >>> 16);
      lows.add(hash.low & 0xffff);
    }
    // 65,536 (1 - exp(-100,000 / 65,536)) = 51,289 with a deviation of 98
    for (const halves of [highs, lows]) expect(Math.abs(halves.size - 51_289)).toBeLessThan(600);
  }
  expect(seen.size).toBe(kinds.length * count);
});

test('bytes that are no UTF-8 have the hash of what they are shown as', () => {
  expect(ofText(Uint8Array.of(0x47, 0xfc))).toBe(ofText(encoder.encode('G\ufffd')));
});

test('what is UTF-8 is what a strict decoder takes', () => {
  const strict = new TextDecoder('utf-8', { fatal: true });
  const decodes = (bytes: Uint8Array) => {
    try {
      strict.decode(bytes);
      return true;
    } catch {
      return false;
    }
  };
  const odd = fc.constantFrom(0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5);

  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 6 }), fc.array(odd, { maxLength: 5 })), (given) => {
      const bytes = Uint8Array.from(given);
      expect(isUtf8(bytes, 0, bytes.length)).toBe(decodes(bytes));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['an overlong form of three bytes', [0xe0, 0x9f, 0x80]],
  ['an overlong form of four bytes', [0xf0, 0x8f, 0x80, 0x80]],
  ['a character above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
])('%s is not UTF-8', (_, bytes) => {
  expect(isUtf8(Uint8Array.from(bytes), 0, bytes.length)).toBe(false);
});

test('the hash of a row knows which value stands in which column, and not in which order', () => {
  const row = (...fields: readonly (readonly [column: string, value: number])[]) => {
    const [sum, hash] = [new RowHash(), new ValueHash()];
    sum.begin();
    for (const [column, value] of fields) {
      hash.number(value);
      sum.add(saltOf(column), hash);
    }
    const halves = [sum.high, sum.low];
    sum.end();
    return [...halves, sum.high, sum.low];
  };
  const same = (one: readonly number[], other: readonly number[]) => one.map((half, at) => half === other[at]);

  expect(same(row(['a', 1], ['b', 2]), row(['b', 2], ['a', 1]))).toEqual([true, true, true, true]);
  expect(same(row(['a', 1], ['b', 2]), row(['a', 2], ['b', 1]))).toEqual([false, false, false, false]);
  expect(same(row(['a', 1]), row(['a', 1], ['b', 1]))).toEqual([false, false, false, false]);
});
