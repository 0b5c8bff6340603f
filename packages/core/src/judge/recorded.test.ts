import { expect, test } from 'vitest';
import { slowerThan } from '../base/measures.ts';
import { checkTick } from './checks.ts';
import { tickOf } from './recorded.ts';

const start = 60_000;
const counts = (requests: number, errors: number, slow: readonly number[]) => ({ requests, errors, slow });
const first = (atRisk: number, bad: number) => ({ atRisk, bad });
const apart = (mirror: number, served: number) => ({ mirror, served });

/** A tick as it was recorded before counts had names, of a champion whose p50 and p90 are equal. */
const thresholds = [20, 20, 50];
const old = {
  start,
  counts: { v1: counts(100, 2, [50, 50, 1]), v2: counts(10, 1, [5, 5, 0]) },
  segments: { de: { v1: counts(7, 0, [3, 3, 1]) } },
  users: { v2: { assigned: 4, errors: first(5, 1), slow: [first(6, 2), first(6, 2), first(9, 0)] } },
  pairs: {
    v2: {
      ...{ pairs: 20, dropped: 1, errors: apart(1, 2), slow: [apart(3, 4), apart(3, 4), apart(0, 1)] },
      predictions: { higher: 1, lower: 2, equal: 3 },
    },
  },
};

test('a tick that was recorded before counts had names is read, with everything that was in it', () => {
  expect(tickOf(old, thresholds)).toEqual({
    start,
    counts: {
      v1: { requests: 100, bad: { errors: 2, 'slower than 20 ms': 50, 'slower than 50 ms': 1 } },
      v2: { requests: 10, bad: { errors: 1, 'slower than 20 ms': 5, 'slower than 50 ms': 0 } },
    },
    segments: { de: { v1: { requests: 7, bad: { errors: 0, 'slower than 20 ms': 3, 'slower than 50 ms': 1 } } } },
    users: {
      v2: {
        assigned: 4,
        bad: { errors: first(5, 1), 'slower than 20 ms': first(6, 2), 'slower than 50 ms': first(9, 0) },
      },
    },
    pairs: {
      v2: {
        ...{ pairs: 20, dropped: 1 },
        bad: { errors: apart(1, 2), 'slower than 20 ms': apart(3, 4), 'slower than 50 ms': apart(0, 1) },
        predictions: { higher: 1, lower: 2, equal: 3 },
      },
    },
  });
});

test('has the mark that the evidence of then has of it, also where it was not measured', () => {
  const measures = ['errors', ...thresholds.map(slowerThan)];
  const unmeasured = { start, counts: { v1: { requests: 100, errors: 2, slow: 'unmeasured' as const } } };

  expect(checkTick(tickOf(old, thresholds), measures)).toBe(-1_705_466_271);
  expect(checkTick(tickOf(unmeasured, thresholds), measures)).toBe(-1_222_812_189);
});

test('a tick of today stays as it is', () => {
  const tick = { start, counts: { v1: { requests: 1, bad: { errors: 0 } } } };

  expect(tickOf(tick, thresholds)).toEqual(tick);
});
