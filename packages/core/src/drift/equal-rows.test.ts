import { describe, expect, test } from 'vitest';
import { duplicateShare, leakOf, leaksOver } from './equal-rows.ts';
import { drawsOf, profileOf, repeat } from './profile.fixture.ts';
import type { DatasetProfile } from './profile.ts';

const none = profileOf({});
const hash = (share: number): string =>
  Math.floor(share * 2 ** 52)
    .toString(16)
    .padStart(13, '0')
    .padEnd(16, '0');
/** A dataset of which a sample was taken: how often each distinct row came, by where its hash lies between 0 and 1. */
function sampled(rows: readonly (readonly [place: number, count: number])[], below: number): DatasetProfile {
  const kept = rows.filter(([place]) => place <= below).map(([place, count]) => [hash(place), count] as const);
  const all = rows.reduce((sum, [, count]) => sum + count, 0);
  return { ...none, rows: all, rowSample: { below: hash(below), rows: kept.sort() } };
}

describe('the share of copies', () => {
  test('is exact where the sample has every row', () => {
    const { value, low, high } = duplicateShare(profileOf({ a: [1, 1, 1, 2, 3, 3] }));

    expect([value, low, high]).toEqual([0.5, 0.5, 0.5]);
    expect(duplicateShare(none)).toEqual({ value: 0, low: 0, high: 0 });
  });

  test('of a file that came twice is a half, by any sample', () => {
    const draw = drawsOf(2);
    const { value, high, low } = duplicateShare(
      sampled(
        repeat(20_000, () => [draw(), 2] as const),
        0.1,
      ),
    );

    expect(value).toBe(0.5);
    expect(high - low).toBeLessThan(0.1);
  });

  test('is between its limits in almost all samples, however copies are spread', () => {
    const draw = drawsOf(5);
    const spreads = [
      () => 1,
      () => (draw() < 0.02 ? 2 : 1),
      () => Math.ceil(1 / draw()),
      () => (draw() < 0.001 ? 500 : 1),
    ];
    for (const spread of spreads) {
      const outside = repeat(100, () => {
        const rows = repeat(4000, () => [draw(), spread()] as const);
        const truth = 1 - rows.length / rows.reduce((sum, [, count]) => sum + count, 0);
        const { low, high } = duplicateShare(sampled(rows, 0.2));
        return truth < low - 1e-12 || truth > high + 1e-12;
      }).filter(Boolean);
      expect(outside.length).toBeLessThanOrEqual(2);
    }
  });

  test('is told by the number of rows where the one row that came often is not in the sample', () => {
    const draw = drawsOf(9);
    const rows = repeat(20_000, () => [draw() * 0.99, 1] as const);
    const { low } = duplicateShare(sampled([...rows, [0.995, 30_000]], 0.1));

    expect(low).toBeGreaterThan(0.5);
    expect(low).toBeLessThan(0.6);
  });
});

describe('rows of the hold-out that training has', () => {
  const part = (places: readonly number[], below: number) =>
    sampled(
      places.map((place) => [place, 1] as const),
      below,
    );

  test('are looked for among the rows that both samples would have', () => {
    const leak = leakOf(part([0.1, 0.2, 0.3], 0.35), part([0.1, 0.25, 0.5, 0.6], 0.9));

    expect(leak).toEqual({ count: 1, of: 2, isWhole: false });
    expect(leakOf(none, none)).toEqual({ count: 0, of: 0, isWhole: true });
  });

  test('are over a share by what was counted, or by more than the choice of a sample explains', () => {
    expect(leaksOver({ count: 2, of: 1000, isWhole: true }, 0.001)).toBe(true);
    expect(leaksOver({ count: 1, of: 1000, isWhole: true }, 0.001)).toBe(false);
    expect(leaksOver({ count: 2, of: 1000, isWhole: false }, 0.001)).toBe(false);
    expect(leaksOver({ count: 20, of: 1000, isWhole: false }, 0.001)).toBe(true);
    expect(leaksOver({ count: 0, of: 0, isWhole: true }, 0.001)).toBe(false);
  });
});
