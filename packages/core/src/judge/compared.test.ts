import { describe, expect, test } from 'vitest';
import { comparedAfter, noneCompared } from './compared.ts';

const arm = (requests: number, errors = 0) => ({ requests, errors });
const tick = (candidate: ReturnType<typeof arm>, champion: ReturnType<typeof arm>) => ({ candidate, champion });
const at = (weight: number) => ({ weight, tickMs: 60_000, unit: 'request' as const });

describe('what the hard limit compares', () => {
  test('is a row of ticks in which one model had no request, with the tick that ends it', () => {
    const row = comparedAfter(noneCompared, tick(arm(2, 2), arm(0)), at(50));

    expect(row).toMatchObject({ candidate: { requests: 0 }, championRequests: 0 });
    expect(comparedAfter(row, tick(arm(0), arm(4, 1)), at(50))).toEqual({
      candidate: { requests: 2, errors: 2 },
      championRequests: 4,
      excused: 0.5,
    });
  });

  test('is no row of two weights', () => {
    const row = comparedAfter(noneCompared, tick(arm(2, 2), arm(0)), at(10));

    expect(comparedAfter(row, tick(arm(1), arm(4)), at(50))).toMatchObject({ candidate: { requests: 1, errors: 0 } });
  });

  test('is a row of direct calls as well, as many as each minute may have', () => {
    const rows = Array.from({ length: 20 }, () => tick(arm(6, 6), arm(0)));

    const row = rows.reduce((known, one) => comparedAfter(known, one, at(5)), noneCompared);

    expect(comparedAfter(row, tick(arm(0), arm(9)), at(5))).toMatchObject({ candidate: { requests: 120 } });
  });
});
