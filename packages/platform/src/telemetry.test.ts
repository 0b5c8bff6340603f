import { describe, expect, test } from 'vitest';
import { checkTicks } from './telemetry.ts';

const minutes = { stepMs: 60_000, counts: 'it counts whole minutes', mostTicks: 10 };

describe('ticks', () => {
  test.each([
    [{ from: 0, to: 600_000, tickMs: 60_000 }],
    [{ from: 5, to: 1_200_000, tickMs: 120_000 }],
    [{ from: 600_000, to: 0, tickMs: 60_000 }],
  ])('can be read: %j', (query) => {
    expect(() => checkTicks(query, minutes)).not.toThrow();
  });

  test.each([
    [
      { from: 0, to: 1, tickMs: 90_000 },
      'cannot read ticks of 90000 ms: it counts whole minutes; use a multiple of 60000',
    ],
    [{ from: 0, to: 1, tickMs: 0 }, 'use a multiple'],
    [{ from: 0, to: 1, tickMs: Number.NaN }, 'use a multiple'],
    [{ from: 0, to: 660_000, tickMs: 60_000 }, 'more than 10; ask for less at once'],
    [{ from: Number.NaN, to: 1, tickMs: 60_000 }, 'more than 10'],
    [{ from: 0, to: Number.POSITIVE_INFINITY, tickMs: 60_000 }, 'more than 10'],
  ])('cannot be read: %j', (query, why) => {
    expect(() => checkTicks(query, minutes)).toThrow(why);
  });
});
