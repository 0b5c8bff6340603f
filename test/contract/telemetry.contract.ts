import type { Telemetry } from '@serin/core/ports';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

export interface OpenTelemetry {
  readonly telemetry: Telemetry;
  /** The time is a multiple of an hour when it opens. */
  now(): number;
  /** Passes time, in which the platform does what it does by the clock. */
  advance(ms: number): Promise<void>;
  /** A request that is routed now and answered at once. */
  request(what: { endpoint: string; deployment: string; latencyMs: number; isError?: boolean }): void;
  /** A request that is routed now and answered when the returned function is called. */
  begin(what: { endpoint: string; deployment: string }): (outcome: { latencyMs: number; isError: boolean }) => void;
  /** How late the platform's counts may be. */
  readonly lagMs: number;
  close(): Promise<void>;
}

const tickMs = 60_000;

/** What every `Telemetry` promises; `open` gives an empty one. */
export function telemetryContract(name: string, open: () => Promise<OpenTelemetry>): void {
  describe(`${name} keeps the promise of Telemetry`, () => {
    let opened: OpenTelemetry;
    let start: number;
    beforeEach(async () => {
      opened = await open();
      start = opened.now();
    });
    afterEach(() => opened.close());

    const read = (from: number, to: number, slowerThan: readonly number[] = []) =>
      opened.telemetry.ticks({ endpoint: 'e', from, to, tickMs, slowerThan });
    const pass = async (ticks: number) => opened.advance(ticks * tickMs + opened.lagMs);

    test('counts requests and errors by deployment', async () => {
      for (let index = 0; index < 10; index++) {
        opened.request({ endpoint: 'e', deployment: 'v1', latencyMs: 5, isError: index < 2 });
      }
      opened.request({ endpoint: 'e', deployment: 'v2', latencyMs: 5, isError: true });
      opened.request({ endpoint: 'other', deployment: 'v1', latencyMs: 5 });
      await pass(1);

      expect(await read(start, start + tickMs)).toEqual([
        { start, counts: { v1: { requests: 10, errors: 2, slow: [] }, v2: { requests: 1, errors: 1, slow: [] } } },
      ]);
    });

    test('counts what is slower than each threshold, in the order of the thresholds', async () => {
      for (const latencyMs of [1, 20, 300, 4000]) opened.request({ endpoint: 'e', deployment: 'v1', latencyMs });
      await pass(1);

      const [tick] = await read(start, start + tickMs, [1000, 100, 10]);

      const slow = tick?.counts.v1?.slow;
      if (slow !== 'unmeasured') expect(slow).toEqual([1, 2, 3]);
    });

    test('a tick without requests is there, with empty counts', async () => {
      opened.request({ endpoint: 'e', deployment: 'v1', latencyMs: 5 });
      await opened.advance(2 * tickMs);
      opened.request({ endpoint: 'e', deployment: 'v1', latencyMs: 5 });
      await pass(1);

      const ticks = await read(start, start + 3 * tickMs);

      expect(ticks.map((tick) => [tick.start, Object.keys(tick.counts).length])).toEqual([
        [start, 1],
        [start + tickMs, 0],
        [start + 2 * tickMs, 1],
      ]);
    });

    test('a tick that is not over ends the answer', async () => {
      opened.request({ endpoint: 'e', deployment: 'v1', latencyMs: 5 });
      await pass(1);
      await opened.advance(tickMs / 2 - opened.lagMs);

      expect((await read(start, start + 10 * tickMs)).map((tick) => tick.start)).toEqual([start]);
    });

    test('a request counts in the tick in which it was routed, however late it is answered', async () => {
      await opened.advance(tickMs - 1000);
      const answer = opened.begin({ endpoint: 'e', deployment: 'v1' });
      await opened.advance(2000);

      answer({ latencyMs: 2000, isError: true });
      await pass(1);

      const [first, second] = await read(start, start + 2 * tickMs);
      expect(first?.counts.v1).toMatchObject({ requests: 1, errors: 1 });
      expect(second?.counts).toEqual({});
    });

    test('a tick is not closed while an outcome of it is open', async () => {
      const answer = opened.begin({ endpoint: 'e', deployment: 'v1' });
      await opened.advance(tickMs + 2000);

      expect(await read(start, start + tickMs)).toEqual([]);
      answer({ latencyMs: tickMs, isError: false });
      await opened.advance(opened.lagMs);
      expect(await read(start, start + tickMs)).toHaveLength(1);
    });

    test('gives equal numbers when it is asked twice', async () => {
      for (let index = 0; index < 100; index++) {
        opened.request({ endpoint: 'e', deployment: `v${index % 2}`, latencyMs: index, isError: index % 7 === 0 });
        await opened.advance(1000);
      }
      await pass(1);

      const first = await read(start, start + 2 * tickMs, [50]);
      opened.request({ endpoint: 'e', deployment: 'v1', latencyMs: 1 });
      await pass(1);

      expect(first).toHaveLength(2);
      expect(await read(start, start + 2 * tickMs, [50])).toEqual(first);
    });

    test('only whole ticks inside the window are answered', async () => {
      await pass(3);

      const ticks = await read(start + 1, start + 3 * tickMs - 1);

      expect(ticks.map((tick) => tick.start)).toEqual([start + tickMs]);
    });

    test('answers the percentiles of a window, and nothing for one without requests', async () => {
      for (let latencyMs = 1; latencyMs <= 100; latencyMs++) {
        opened.request({ endpoint: 'e', deployment: 'v1', latencyMs });
      }
      await pass(1);

      const latency = await opened.telemetry.latency('e', start, start + tickMs);

      expect(latency?.requests).toBe(100);
      expect(latency?.p50).toBeGreaterThanOrEqual(47.5);
      expect(latency?.p50).toBeLessThanOrEqual(52.5);
      expect(latency?.p99).toBeGreaterThanOrEqual(94);
      expect(latency?.p99).toBeLessThanOrEqual(104);
      expect(await opened.telemetry.latency('never', start, start + tickMs)).toBeUndefined();
    });
  });
}
