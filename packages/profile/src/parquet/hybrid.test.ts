import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Hybrid } from './hybrid.ts';

type Run = { readonly packed: readonly number[] } | { readonly value: number; readonly times: number };

/** Runs as the format has them, written number by number. */
function written(runs: readonly Run[], width: number): Uint8Array {
  const bytes = runs.flatMap((run) => {
    if ('packed' in run) return [(run.packed.length / 8) * 2 + 1, ...packed(run.packed, width)];
    const value = Array.from(
      { length: Math.ceil(width / 8) },
      (_, index) => Math.floor(run.value / 256 ** index) % 256,
    );
    return [run.times * 2, ...value];
  });
  return Uint8Array.from(bytes);
}

function packed(numbers: readonly number[], width: number): readonly number[] {
  const bits = numbers.flatMap((number) =>
    Array.from({ length: width }, (_, bit) => Math.floor(number / 2 ** bit) % 2),
  );
  return Array.from({ length: bits.length / 8 }, (_, byte) =>
    bits.slice(byte * 8, byte * 8 + 8).reduce((sum, bit, at) => sum + bit * 2 ** at, 0),
  );
}

const anyRuns = fc.integer({ min: 1, max: 32 }).chain((width) => {
  const number = fc.integer({ min: 0, max: 2 ** width - 1 });
  const groups = fc
    .integer({ min: 1, max: 3 })
    .chain((count) =>
      fc.array(number, { minLength: count * 8, maxLength: count * 8 }).map((numbers): Run => ({ packed: numbers })),
    );
  const run = fc.record({ value: number, times: fc.integer({ min: 1, max: 60 }) });
  return fc.record({
    width: fc.constant(width),
    runs: fc.array(fc.oneof(groups, run), { minLength: 1, maxLength: 6 }),
    piece: fc.integer({ min: 1, max: 20 }),
  });
});

test('numbers of any width come as they were written, in pieces of any size', () => {
  fc.assert(
    fc.property(anyRuns, ({ width, runs, piece }) => {
      const numbers = runs.flatMap((run) => ('packed' in run ? run.packed : Array<number>(run.times).fill(run.value)));
      const hybrid = new Hybrid(written(runs, width), 0, width);
      const out = new Uint32Array(piece);

      const read: number[] = [];
      while (read.length < numbers.length) {
        const count = Math.min(piece, numbers.length - read.length);
        hybrid.fill(out, count);
        read.push(...out.subarray(0, count));
      }

      expect(read).toEqual(numbers);
      expect(() => hybrid.fill(out, 1)).toThrow(/end too early/);
    }),
    { numRuns: 300 },
  );
});

test('numbers of no width are zeros, and take no bytes', () => {
  const out = Uint32Array.of(1, 2, 3);

  new Hybrid(new Uint8Array(0), 0, 0).fill(out, 2);

  expect([...out]).toEqual([0, 0, 3]);
});

test('a last group whose end was left out gives what is there', () => {
  const out = new Uint32Array(4);
  const hybrid = new Hybrid(Uint8Array.of(3, 0x21, 0x43), 0, 4);

  hybrid.fill(out, 4);

  expect([...out]).toEqual([1, 2, 3, 4]);
  expect(() => hybrid.fill(out, 1)).toThrow(/end too early/);
});
