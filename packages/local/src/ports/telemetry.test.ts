import { DatabaseSync } from 'node:sqlite';
import { slowerThan } from '@serin/core/base/measures';
import { readHistory } from '@serin/core/engine/history';
import type { Tick } from '@serin/core/ports/telemetry';
import { expect, test } from 'vitest';
import { openCounterStore } from '../machine/counter-store.ts';
import { gatewayCounters } from '../machine/counters.ts';
import { bucketCount, bucketOf, textOf } from '../machine/latency.ts';
import { gatewayPairs } from '../machine/pairs.ts';
import { gatewayTelemetry } from './telemetry.ts';

const hour = 3600;
const end = 480_000 * hour;
const slow = slowerThan(100);

/** Three hours of two deployments, the second of which comes in the last one. Every second is another one. */
async function threeHours() {
  const database = new DatabaseSync(':memory:');
  const store = openCounterStore(database);
  await store.commit(() => {
    for (let second = end - 3 * hour; second < end; second += 1)
      for (const deployment of second < end - hour ? ['v1'] : ['v1', 'v2']) {
        const requests = second % 7;
        const latencies = new Uint32Array(bucketCount);
        latencies[bucketOf(20)] = requests - Number(requests > 3);
        latencies[bucketOf(5000)] = Number(requests > 3);
        const bad = { errors: Number(requests === 6) };
        if (requests > 0)
          store.insert({
            ...{ endpoint: 'e', second, deployment, segment: undefined, requests, bad },
            latencies: textOf(latencies),
          });
      }
    store.up(end - 3 * hour, end);
  });
  const counters = gatewayCounters({ database, now: () => end * 1000 });
  const sources = { counters, pairs: gatewayPairs({ database, counters }) };
  return gatewayTelemetry({ ...sources, users: {}, labels: {} } as never);
}

const total = (ticks: readonly Tick[], deployment: string) =>
  ticks.reduce(
    ({ requests, errors, slower }, { counts }) => ({
      requests: requests + (counts[deployment]?.requests ?? 0),
      errors: errors + (counts[deployment]?.bad.errors ?? 0),
      slower: slower + (counts[deployment]?.bad[slow] ?? 0),
    }),
    { requests: 0, errors: 0, slower: 0 },
  );

test('ticks of any length add up to the same, however many hours are read', async () => {
  const telemetry = await threeHours();
  const read = (tickMs: number) =>
    telemetry.ticks({
      endpoint: 'e',
      from: (end - 3 * hour) * 1000,
      to: end * 1000,
      tickMs,
      measures: ['errors', slow],
    });

  const seconds = await read(1000);
  expect(seconds.length).toBe(3 * hour);
  expect(total(seconds, 'v1')).toMatchObject({ requests: 32_397, errors: 1542, slower: 4628 });

  for (const tickMs of [60_000, 300_000, hour * 1000]) {
    const ticks = await read(tickMs);

    expect(ticks.map(({ start }) => start)).toEqual(
      Array.from({ length: (3 * hour * 1000) / tickMs }, (_, index) => (end - 3 * hour) * 1000 + index * tickMs),
    );
    for (const deployment of ['v1', 'v2']) expect(total(ticks, deployment)).toEqual(total(seconds, deployment));
    expect(ticks.findIndex(({ counts }) => counts.v2 !== undefined)).toBe((2 * hour * 1000) / tickMs);
  }
});

test('percentiles of hours are those of all their requests', async () => {
  const telemetry = await threeHours();

  const found = await telemetry.latency('e', (end - 3 * hour) * 1000, end * 1000);

  expect(found?.requests).toBe(32_397 + 10_803);
  expect([found?.p50 ?? 0, found?.p90 ?? 0].map((ms) => Math.abs(ms - 20) < 1)).toEqual([true, false]);
});

test('the history of a champion is read from the counts of the hours in which it answered alone', async () => {
  const telemetry = await threeHours();
  const order = { kind: 'readHistory', endpoint: 'e', deployment: 'v1', tickMs: 60_000 } as const;
  const read = (measures: readonly string[]) =>
    readHistory(
      { ...order, measures, from: (end - 7 * 24 * hour) * 1000, to: end * 1000 },
      telemetry,
      () => end * 1000,
    );

  const alone = await telemetry.ticks({
    endpoint: 'e',
    from: (end - 3 * hour) * 1000,
    to: (end - hour) * 1000,
    tickMs: hour * 1000,
    measures: ['errors', slow],
  });
  const { requests, errors, slower } = total(alone, 'v1');

  const history = await read(['errors', slow, 'wrong']);
  expect(history).toMatchObject({
    ticks: 120,
    measures: { errors: { requests, bad: errors }, [slow]: { requests, bad: slower, typical: 26 } },
  });
  expect(Object.keys(history?.measures ?? {})).toEqual(['errors', slow]);
});

test('a week of counts is read while others have their turn', async () => {
  const telemetry = await threeHours();
  let turns = 0;
  const turn = setInterval(() => (turns += 1), 0);

  await telemetry.ticks({
    endpoint: 'e',
    from: (end - 7 * 24 * hour) * 1000,
    to: end * 1000,
    tickMs: 300_000,
    measures: ['errors'],
  });

  clearInterval(turn);
  expect(turns).toBeGreaterThan(1);
});
