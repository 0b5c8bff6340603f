import { describe, expect, test } from 'vitest';
import { type Counted, type Counter, closedTicks, percentilesOf, ticksOf, wholeSteps } from './ticks.ts';

const minute = 60_000;
const start = Date.UTC(2026, 10, 20, 12);

const counter: Counter = {
  name: 'The meter',
  stepMs: minute,
  counts: 'it counts whole minutes',
  settleMs: 3 * minute,
  patienceMs: 15 * minute,
  keptMs: 15 * 24 * 60 * minute,
  errorsOf: ([failed = 0, refused = 0]) => failed - refused,
  sure: 1,
};

/** Values of the first minutes. */
const by = (...values: readonly number[]) => new Map(values.map((value, index) => [start + index * minute, value]));

const row = (deployment: string, change: Partial<Counted> = {}): Counted => ({
  ...{ deployment, weight: 50, requests: by(10), outcomes: [by(1), by(0)], slow: [] },
  ...change,
});

const query = { endpoint: 'fraud', from: start, to: start + minute, tickMs: minute, measures: ['errors'] };
const soon = start + 4 * minute;
const late = start + 16 * minute;

describe('the ticks that may be closed', () => {
  test('are whole ones, and have settled', () => {
    const asked = { ...query, from: start + 1, to: start + 9.5 * minute };

    expect(closedTicks(asked, counter, start + 60 * minute)).toEqual({ from: start + minute, to: start + 9 * minute });
    expect(closedTicks(asked, counter, start + 6.5 * minute)).toEqual({ from: start + minute, to: start + 3 * minute });
    expect(closedTicks(asked, counter, start + 4 * minute)).toBeUndefined();
  });

  test('are refused once they are forgotten', () => {
    const now = start + counter.keptMs + 1;

    expect(() => closedTicks(query, counter, now)).toThrow(
      'cannot read the requests since 2026-11-20T12:00:00.000Z; ask for the last 15 days, The meter keeps no more',
    );
    expect(() => wholeSteps(query, counter, now)).toThrow('ask for the last 15 days, The meter keeps no more');
  });

  test('are whole steps for a latency', () => {
    expect(wholeSteps({ from: start - 1, to: start + 90_000 }, counter, soon)).toEqual({
      from: start,
      to: start + minute,
    });
    expect(wholeSteps({ from: start + 1, to: start + minute }, counter, soon)).toBeUndefined();
  });
});

describe('a tick', () => {
  test('has the requests, errors and slow requests of each deployment, over all of its steps', () => {
    const rows = [
      row('v1', { requests: by(10, 5), outcomes: [by(1, 2), by(0, 1)], slow: [by(3, 1)] }),
      row('v2', { requests: by(4, 4), outcomes: [by(0, 0), by(0, 0)], slow: [by(0, 2)] }),
    ];
    const asked = { ...query, to: start + 2 * minute, tickMs: 2 * minute, measures: ['errors', 'slower than 100 ms'] };

    expect(ticksOf(rows, asked, counter, start + 5 * minute)).toEqual([
      {
        start,
        counts: {
          v1: { requests: 15, bad: { errors: 2, 'slower than 100 ms': 4 } },
          v2: { requests: 8, bad: { errors: 0, 'slower than 100 ms': 2 } },
        },
      },
    ]);
  });

  test.each([
    ['lacks a sure outcome', { outcomes: [by(), by(0)] }, {}],
    ['lacks another outcome', { outcomes: [by(1), by()] }, { v1: { requests: 10, bad: { errors: 1 } } }],
    ['has more errors than requests', { outcomes: [by(11), by(0)] }, {}],
    ['has more slow requests than requests', { slow: [by(11)] }, {}],
  ])('that %s ends the answer, and is told by what there is when it is late', (_, change, told) => {
    const rows = [row('v1', change)];

    expect(ticksOf(rows, query, counter, soon)).toEqual([]);
    expect(ticksOf(rows, query, counter, late)).toEqual([{ start, counts: told }]);
  });

  test('in which a deployment should have had requests, and has none, is waited for', () => {
    const rows = (requests: number) => [row('v1', { requests: by(requests) }), row('v2', { requests: by() })];
    const silent = rows(20).map((each) => (each.deployment === 'v2' ? { ...each, outcomes: [by(), by()] } : each));

    expect(ticksOf(silent, query, counter, soon)).toEqual([]);
    expect(ticksOf(silent, query, counter, late)).toHaveLength(1);
    expect(
      ticksOf([row('v1', { requests: by(19) }), row('v2', { requests: by(), outcomes: [] })], query, counter, soon),
    ).toHaveLength(1);
    expect(
      ticksOf(
        [row('v1', { requests: by(99) }), { ...row('v2'), weight: 0, requests: by(), outcomes: [] }],
        query,
        counter,
        soon,
      ),
    ).toHaveLength(1);
  });

  test('has no slow requests when they are no whole numbers, and is refused when its requests are none', () => {
    const asked = { ...query, measures: ['errors', 'slower than 100 ms'] };

    expect(ticksOf([row('v1', { slow: [by(0.5)] })], asked, counter, soon)).toEqual([
      { start, counts: { v1: { requests: 10, bad: { errors: 1 } } } },
    ]);
    expect(() => ticksOf([row('v1', { requests: by(9.5) })], asked, counter, soon)).toThrow(
      'The meter has 1 errors of 9.5 requests of v1, which are not whole numbers; report it as a defect of Serin',
    );
  });

  test('without requests is there, and empty', () => {
    expect(ticksOf([], query, counter, soon)).toEqual([{ start, counts: {} }]);
  });
});

describe('percentiles', () => {
  const measured = (requests: readonly number[], ms: readonly number[]) => ({
    requests: by(...requests),
    p50: by(...ms),
    p90: by(...ms.map((each) => each * 2)),
    p99: by(...ms.map((each) => each * 3)),
  });

  test('are those of the deployment with the most requests, by requests, and count those of all', () => {
    expect(percentilesOf([measured([1], [9000]), measured([1, 3], [100, 200])], 10)).toEqual({
      ...{ p50: 17.5, p90: 35, p99: 52.5, requests: 5 },
    });
  });

  test('are none without requests, or without a latency', () => {
    expect(percentilesOf([], 1)).toBeUndefined();
    expect(percentilesOf([measured([0], [1])], 1)).toBeUndefined();
    expect(percentilesOf([measured([4], [])], 1)).toBeUndefined();
  });
});
