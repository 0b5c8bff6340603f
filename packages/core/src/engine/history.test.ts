import { describe, expect, test } from 'vitest';
import { Fault } from '../base/fault.ts';
import { day, hour, minute } from '../base/time.ts';
import type { Telemetry, Tick, TickQuery } from '../ports/telemetry.ts';
import { readHistory } from './history.ts';

const now = 30 * day;
const order = {
  kind: 'readHistory',
  endpoint: 'fraud',
  deployment: 'v1',
  from: now - 7 * day,
  to: now,
  tickMs: minute,
  measures: ['errors'],
} as const;

interface Given {
  /** Milliseconds that each call takes. */
  readonly takesMs?: number;
  /** Before it nothing is kept. */
  readonly keptSince?: number;
  /** What is not closed yet. */
  readonly closedUntil?: number;
  readonly fault?: (query: TickQuery) => Fault | undefined;
}

/** An endpoint that answers ten requests a minute and fails one of them, and a clock that calls move on. */
function served({ takesMs = 0, keptSince = 0, closedUntil = now, fault }: Given = {}) {
  const calls: TickQuery[] = [];
  let time = now;
  const ticks = async (query: TickQuery): Promise<readonly Tick[]> => {
    calls.push(query);
    time += takesMs;
    const refusal = fault?.(query);
    if (refusal !== undefined) throw refusal;
    if (query.from < keptSince) throw new Fault('invalid', 'ask for less, no more is kept');
    const { from, to, tickMs } = query;
    const first = Math.ceil(from / tickMs);
    const end = Math.floor(Math.min(to, closedUntil) / tickMs);
    const requests = (10 * tickMs) / minute;
    return Array.from({ length: Math.max(0, end - first) }, (_, index) => ({
      start: (first + index) * tickMs,
      counts: { v1: { requests, bad: { errors: requests / 10 } } },
    }));
  };
  const telemetry: Telemetry = { ticks, latency: async () => undefined, captured: async () => ({ items: [] }) };
  return { calls, read: (more: object = {}) => readHistory({ ...order, ...more }, telemetry, () => time) };
}

describe('a history', () => {
  test('has the last day by the tick of the plan and the last seven by five minutes, in parts of at most 240 ticks', async () => {
    const { calls, read } = served();

    const history = await read();

    expect(history).toMatchObject({ from: now - 7 * day, to: now, ticks: 1440 });
    expect(history?.measures.errors).toMatchObject({ bad: 7 * 1440, requests: 70 * 1440, typical: 1 });
    expect(calls.every(({ from, to, tickMs }) => (to - from) / tickMs <= 240)).toBe(true);
    expect(calls.length).toBe(6 + 9);
  });

  test('of a champion that is young begins with it', async () => {
    const { read } = served();

    expect(await read({ from: now - 12.5 * minute })).toMatchObject({ from: now - 10 * minute, to: now, ticks: 12 });
    expect(await read({ from: now - minute })).toBeUndefined();
  });

  test('ends where the ticks that have closed end', async () => {
    const { read } = served({ closedUntil: now - 3 * minute });

    expect(await read()).toMatchObject({ to: now - 5 * minute, ticks: 1437 });
  });

  test('goes as far back as the platform keeps its counts', async () => {
    const { read } = served({ keptSince: now - 2 * day });

    expect(await read()).toMatchObject({ from: now - 40 * hour, ticks: 1440 });
  });

  test('has no hole where one part is refused', async () => {
    const isThird = ({ from, tickMs }: TickQuery) => tickMs > minute && from === now - 60 * hour;
    const { read } = served({ fault: (query) => (isThird(query) ? new Fault('invalid', 'x') : undefined) });

    expect(await read()).toMatchObject({ from: now - 40 * hour, to: now, ticks: 1440 });
  });

  test('goes as far back as there is time for, from now on', async () => {
    const { calls, read } = served({ takesMs: 2000 });

    expect(await read()).toMatchObject({ from: now - 40 * hour, to: now, ticks: 960 });
    expect(calls.length).toBe(4 + 2);
  });

  test('is nothing where the platform has no such ticks, or what it counts is impossible', async () => {
    const unsupported = served({ fault: () => new Fault('invalid', 'ticks are whole minutes') });
    const gone = served({ fault: () => new Fault('notFound', 'there is no such endpoint') });
    const impossible: Telemetry = {
      ticks: async () => [{ start: 0, counts: { v1: { requests: 1, bad: { errors: 2 } } } }],
      latency: async () => undefined,
      captured: async () => ({ items: [] }),
    };

    expect(await unsupported.read()).toBeUndefined();
    expect(await gone.read()).toBeUndefined();
    expect(await readHistory(order, impossible, () => now)).toBeUndefined();
  });

  test.each(['throttled', 'unavailable', 'defect'] as const)('is read again after a fault that is %s', async (code) => {
    const { read } = served({
      fault: ({ tickMs, from }) => (tickMs > minute && from < now - 3 * day ? new Fault(code, 'x') : undefined),
    });

    await expect(read()).rejects.toMatchObject({ code });
  });
});
