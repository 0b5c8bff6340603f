import { slowerThan } from '@serin/core/base/measures';
import type { Telemetry } from '@serin/core/ports/telemetry';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AdapterOf } from './adapters.ts';
import { partsOf } from './parts.ts';

export interface RoutedRequest {
  readonly endpoint: string;
  readonly deployment: string;
  /** Where the platform counts users and segments. */
  readonly user?: number;
  readonly segment?: string;
}

export interface MirroredSide {
  readonly outcome: 'answered' | 'failed';
  readonly latencyMs: number;
  readonly prediction?: string | number | boolean;
}

export interface OpenTelemetry {
  readonly telemetry: Telemetry;
  /** The time is a multiple of an hour when it opens. */
  now(): number;
  /** Passes time, in which the platform does what it does by the clock. */
  advance(ms: number): Promise<void>;
  /** A request that is routed now and answered at once. */
  request(what: RoutedRequest & { latencyMs: number; isError?: boolean }): void;
  /** A request that is routed now and answered when the returned function is called. */
  begin(what: RoutedRequest): (outcome: { latencyMs: number; isError: boolean }) => void;
  /** How late the platform's counts may be. */
  readonly lagMs: number;
  close(): Promise<void>;
}

const tickMs = 60_000;

/** What every `Telemetry` promises; `open` gives an empty one. */
export function telemetryContract(name: AdapterOf<'telemetry'>, open: () => Promise<OpenTelemetry>): void {
  describe(`${name} keeps the promise of Telemetry`, () => {
    const { routed } = partsOf('telemetry', name);
    let opened: OpenTelemetry;
    let start: number;
    beforeEach(async () => {
      opened = await open();
      start = opened.now();
    });
    afterEach(() => opened.close());

    const read = (from: number, to: number, slower: readonly number[] = []) =>
      opened.telemetry.ticks({ endpoint: 'e', from, to, tickMs, measures: measuring(slower) });
    const pass = async (ticks: number) => opened.advance(ticks * tickMs + opened.lagMs);

    test('counts requests and errors by deployment', async () => {
      for (let index = 0; index < 10; index++) {
        opened.request({ endpoint: 'e', deployment: 'v1', latencyMs: 5, isError: index < 2 });
      }
      opened.request({ endpoint: 'e', deployment: 'v2', latencyMs: 5, isError: true });
      opened.request({ endpoint: 'other', deployment: 'v1', latencyMs: 5 });
      await pass(1);

      expect(await read(start, start + tickMs)).toEqual([
        { start, counts: { v1: { requests: 10, bad: { errors: 2 } }, v2: { requests: 1, bad: { errors: 1 } } } },
      ]);
    });

    test('counts what is slower than each threshold, or nothing of it', async () => {
      for (const latencyMs of [1, 20, 300, 4000]) opened.request({ endpoint: 'e', deployment: 'v1', latencyMs });
      await pass(1);

      const [tick] = await read(start, start + tickMs, [1000, 100, 10]);

      const { errors, ...slow } = tick?.counts.v1?.bad ?? {};
      expect(errors).toBe(0);
      if (Object.keys(slow).length > 0)
        expect(slow).toEqual({ 'slower than 1000 ms': 1, 'slower than 100 ms': 2, 'slower than 10 ms': 3 });
    });

    test('a tick without requests is there, with empty counts, and was served', async () => {
      opened.request({ endpoint: 'e', deployment: 'v1', latencyMs: 5 });
      await opened.advance(2 * tickMs);
      opened.request({ endpoint: 'e', deployment: 'v1', latencyMs: 5 });
      await pass(1);

      const ticks = await read(start, start + 3 * tickMs);

      expect(ticks.map((tick) => [tick.start, Object.keys(tick.counts).length, tick.unserved])).toEqual([
        [start, 1, undefined],
        [start + tickMs, 0, undefined],
        [start + 2 * tickMs, 1, undefined],
      ]);
    });

    test('a tick that is not over ends the answer', async () => {
      opened.request({ endpoint: 'e', deployment: 'v1', latencyMs: 5 });
      await pass(1);
      await opened.advance(tickMs / 2);

      expect((await read(start, start + 10 * tickMs)).map((tick) => tick.start)).toEqual([start]);
    });

    routed('a request counts in the tick in which it was routed, however late it is answered', async () => {
      await opened.advance(tickMs - 1000);
      const answer = opened.begin({ endpoint: 'e', deployment: 'v1' });
      await opened.advance(2000);

      answer({ latencyMs: 2000, isError: true });
      await pass(1);

      const [first, second] = await read(start, start + 2 * tickMs);
      expect(first?.counts.v1).toMatchObject({ requests: 1, bad: { errors: 1 } });
      expect(second?.counts).toEqual({});
    });

    routed('a tick is not closed while an outcome of it is open', async () => {
      const answer = opened.begin({ endpoint: 'e', deployment: 'v1' });
      await opened.advance(tickMs + 2000);

      expect(await read(start, start + tickMs)).toEqual([]);
      answer({ latencyMs: tickMs, isError: false });
      await opened.advance(opened.lagMs);
      expect(await read(start, start + tickMs)).toHaveLength(1);
    });

    test('tells days that are past by ticks of five minutes as well, all of them', async () => {
      const [five, days] = [5 * tickMs, 2 * 288];
      for (const wait of [tickMs, 26 * 12 * five, 3 * tickMs]) {
        opened.request({ endpoint: 'e', deployment: 'v1', latencyMs: 5, isError: true });
        opened.request({ endpoint: 'e', deployment: 'v1', latencyMs: 50 });
        await opened.advance(wait);
      }
      await opened.advance(days * five);

      const long = { endpoint: 'e', from: start, to: start + days * five, tickMs: five, measures: measuring([]) };
      const ticks = await opened.telemetry.ticks(long);

      expect(ticks.map((tick) => tick.start)).toEqual(Array.from({ length: days }, (_, index) => start + index * five));
      expect(ticks.some(({ unserved }) => unserved)).toBe(false);
      const counts = (requests: number) => ({ v1: { requests, bad: { errors: requests / 2 } } });
      expect(
        Object.fromEntries(ticks.flatMap((tick, index) => (tick.counts.v1 ? [[index, tick.counts]] : []))),
      ).toEqual({
        0: counts(4),
        312: counts(2),
      });
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

/** What a `Telemetry` promises that knows segments; `open` gives an empty one. */
export function segmentsContract(name: AdapterOf<'segments'>, open: () => Promise<OpenTelemetry>): void {
  describe(`${name} counts segments`, () => {
    let opened: OpenTelemetry;
    let start: number;
    beforeEach(async () => {
      opened = await open();
      start = opened.now();
    });
    afterEach(() => opened.close());

    test('in addition to the whole, by segment and deployment', async () => {
      const request = { endpoint: 'e', deployment: 'v1', latencyMs: 5 };
      opened.request({ ...request, segment: 'eu' });
      opened.request({ ...request, segment: 'eu', isError: true, latencyMs: 50 });
      opened.request({ ...request, segment: 'us', deployment: 'v2' });
      opened.request(request);
      await opened.advance(tickMs + opened.lagMs);

      const [tick] = await opened.telemetry.ticks(queryFrom(start, [10]));

      expect(tick?.counts).toEqual({
        v1: { requests: 3, bad: { errors: 1, 'slower than 10 ms': 1 } },
        v2: { requests: 1, bad: { errors: 0, 'slower than 10 ms': 0 } },
      });
      expect(tick?.segments).toEqual({
        eu: { v1: { requests: 2, bad: { errors: 1, 'slower than 10 ms': 1 } } },
        us: { v2: { requests: 1, bad: { errors: 0, 'slower than 10 ms': 0 } } },
      });
    });

    test('and says nothing of them where there are none', async () => {
      opened.request({ endpoint: 'e', deployment: 'v1', latencyMs: 5 });
      await opened.advance(tickMs + opened.lagMs);

      const [tick] = await opened.telemetry.ticks(queryFrom(start));

      expect(tick?.counts.v1?.requests).toBe(1);
      expect(tick).not.toHaveProperty('segments');
    });
  });
}

const measuring = (slower: readonly number[]): readonly string[] => ['errors', ...slower.map(slowerThan)];

const queryFrom = (from: number, slower: readonly number[] = []) => ({
  endpoint: 'e',
  from,
  to: from + 1000 * tickMs,
  tickMs,
  measures: measuring(slower),
});

/** What a `Telemetry` promises that knows users; `open` gives an empty one. */
export function usersContract(name: AdapterOf<'users'>, open: () => Promise<OpenTelemetry>): void {
  describe(`${name} counts users`, () => {
    let opened: OpenTelemetry;
    let start: number;
    beforeEach(async () => {
      opened = await open();
      start = opened.now();
    });
    afterEach(() => opened.close());

    const users = async (usersSince = start, slower: readonly number[] = []) =>
      (await opened.telemetry.ticks({ ...queryFrom(usersSince, slower), usersSince })).map((tick) => tick.users);
    const ask = (user: number, isError = false, deployment = 'v1', latencyMs = 5) =>
      opened.request({ endpoint: 'e', deployment, user, latencyMs, isError });
    const pass = () => opened.advance(tickMs);
    const counted = (assigned: number, atRisk: number, bad: number) => ({
      assigned,
      bad: { errors: { atRisk, bad } },
    });

    test('each once, with the first error of each', async () => {
      for (const isError of [false, true, true]) {
        ask(1, isError);
        await opened.advance(1000);
      }
      ask(2);
      await opened.advance(tickMs - 3000);
      ask(1, true);
      ask(2, true);
      ask(3);
      await pass();
      ask(2, true);
      await opened.advance(tickMs + opened.lagMs);

      expect(await users()).toEqual([{ v1: counted(2, 2, 1) }, { v1: counted(1, 2, 1) }, { v1: counted(0, 0, 0) }]);
    });

    test('as at risk only when they sent a request in the tick', async () => {
      ask(1);
      await pass();
      await pass();
      ask(1);
      await opened.advance(tickMs + opened.lagMs);

      expect(await users()).toEqual([{ v1: counted(1, 1, 0) }, {}, { v1: counted(0, 1, 0) }]);
    });

    test('by each threshold on its own', async () => {
      ask(1, false, 'v1', 50);
      await pass();
      ask(1, false, 'v1', 500);
      ask(2, true, 'v1', 5);
      await opened.advance(tickMs + opened.lagMs);

      const bad = (await users(start, [10, 100])).map((tick) => tick?.v1?.bad);

      expect(bad).toMatchObject([
        { 'slower than 10 ms': { atRisk: 1, bad: 1 }, 'slower than 100 ms': { atRisk: 1, bad: 0 } },
        { 'slower than 10 ms': { atRisk: 1, bad: 0 }, 'slower than 100 ms': { atRisk: 2, bad: 1 } },
      ]);
    });

    test('of the endpoint: who met an error at one deployment is not at risk at another', async () => {
      ask(1, true, 'v1');
      ask(2, false, 'v1');
      await pass();
      ask(1, true, 'v2');
      ask(2, true, 'v2');
      await opened.advance(tickMs + opened.lagMs);

      expect(await users()).toEqual([{ v1: counted(2, 2, 1) }, { v2: counted(0, 1, 1) }]);
    });

    test('as new after the time from which on users are counted', async () => {
      ask(1, true);
      await pass();
      ask(1, true);
      await opened.advance(tickMs + opened.lagMs);

      expect(await users(start + tickMs)).toEqual([{ v1: counted(1, 1, 1) }]);
      expect(await users()).toEqual([{ v1: counted(1, 1, 1) }, { v1: counted(0, 0, 0) }]);
    });

    test('with equal numbers, whether the ticks are asked for together, one by one, or again', async () => {
      for (let request = 0; request < 300; request++) {
        ask(request % 17, request % 11 === 0, request % 3 === 0 ? 'v1' : 'v2', (request % 7) * 10);
        if (request % 50 === 49) await pass();
      }
      await opened.advance(tickMs + opened.lagMs);
      const since = { usersSince: start, measures: ['errors', 'slower than 15 ms', 'slower than 40 ms'] };
      const together = await opened.telemetry.ticks({ ...queryFrom(start), ...since });

      const single = (from: number) =>
        opened.telemetry.ticks({ ...queryFrom(from), ...since, from, to: from + tickMs });
      const oneByOne = await Promise.all(together.map((tick) => single(tick.start)));
      const backwards = await Promise.all([...together].reverse().map((tick) => single(tick.start)));

      expect(together.length).toBeGreaterThan(5);
      expect(oneByOne.flat()).toEqual(together);
      expect(backwards.flat().reverse()).toEqual(together);
    });

    test('only when it is asked to, and only those who say who they are', async () => {
      ask(1);
      opened.request({ endpoint: 'e', deployment: 'v1', latencyMs: 5, isError: true });
      await opened.advance(tickMs + opened.lagMs);

      const [asked] = await opened.telemetry.ticks({ ...queryFrom(start), usersSince: start });
      const [unasked] = await opened.telemetry.ticks(queryFrom(start));

      expect(asked).toMatchObject({ counts: { v1: { requests: 2 } }, users: { v1: counted(1, 1, 0) } });
      expect(unasked).not.toHaveProperty('users');
    });
  });
}

export interface OpenMirrors extends OpenTelemetry {
  /** A request that is routed and copied now; the answer says how both sides ended. */
  mirrored(what: { endpoint: string; mirror: string }): {
    ended(served: MirroredSide, mirror: MirroredSide | 'dropped'): void;
    abandoned(): void;
  };
}

/** What a `Telemetry` promises that knows mirrors; `open` gives an empty one. */
export function pairsContract(name: AdapterOf<'pairs'>, open: () => Promise<OpenMirrors>): void {
  describe(`${name} counts pairs`, () => {
    let opened: OpenMirrors;
    let start: number;
    beforeEach(async () => {
      opened = await open();
      start = opened.now();
    });
    afterEach(() => opened.close());

    const ok = (latencyMs = 5, prediction?: string | number | boolean): MirroredSide => ({
      outcome: 'answered',
      latencyMs,
      ...(prediction === undefined ? {} : { prediction }),
    });
    const failed: MirroredSide = { outcome: 'failed', latencyMs: 5 };
    const begin = () => opened.mirrored({ endpoint: 'e', mirror: 'v2' });
    const pair = (served: MirroredSide, mirror: MirroredSide | 'dropped') => begin().ended(served, mirror);
    const read = async (slower: readonly number[] = []) =>
      (await opened.telemetry.ticks(queryFrom(start, slower))).map((tick) => tick.pairs);
    const closed = () => opened.advance(tickMs + opened.lagMs);

    test('with the errors of one side alone; a copy that was never sent is no pair', async () => {
      for (const [served, mirror] of [
        [ok(), ok()],
        [ok(), failed],
        [ok(), failed],
        [failed, ok()],
        [failed, failed],
        [ok(), 'dropped'],
        [failed, 'dropped'],
      ] as const)
        pair(served, mirror);
      await closed();

      expect(await read()).toEqual([
        {
          v2: {
            pairs: 5,
            dropped: 2,
            bad: { errors: { mirror: 2, served: 1 } },
            predictions: { higher: 0, lower: 0, equal: 0 },
          },
        },
      ]);
    });

    test('with what is slow on one side alone, for any threshold, and not where there is an error', async () => {
      pair(ok(5), ok(50));
      pair(ok(50), ok(500));
      pair(ok(500), ok(5));
      pair(ok(5), { outcome: 'failed', latencyMs: 500 });
      await closed();

      const [pairs] = await read([10, 100]);

      expect(pairs?.v2?.bad).toMatchObject({
        'slower than 10 ms': { mirror: 1, served: 1 },
        'slower than 100 ms': { mirror: 1, served: 1 },
      });
    });

    test('with the order of the predictions, when both are of one kind', async () => {
      for (const [served, mirror] of [
        [1, 2],
        [9, 10],
        [0.5, 0.25],
        [3, 3],
        ['a', 'b'],
        ['10', '9'],
        ['same', 'same'],
        ['1', 1],
        [true, false],
        [undefined, 1],
      ] as const)
        pair(ok(5, served), ok(5, mirror));
      pair({ ...failed, prediction: 1 }, ok(5, 2));
      await closed();

      const [pairs] = await read();

      expect(pairs?.v2).toMatchObject({ pairs: 11, predictions: { higher: 4, lower: 1, equal: 2 } });
    });

    test('in the tick in which the request was routed, which is not closed before both sides have ended', async () => {
      const open = begin();
      await closed();

      expect(await read()).toEqual([]);
      open.ended(ok(), failed);
      await closed();
      expect((await read()).map((pairs) => pairs?.v2?.pairs)).toEqual([1, undefined]);
    });

    test('without one whose caller went away', async () => {
      begin().abandoned();
      pair(ok(), ok());
      await opened.advance(tickMs);
      begin().abandoned();
      await closed();

      const [first, second] = await opened.telemetry.ticks(queryFrom(start));

      expect(first?.pairs?.v2?.pairs).toBe(1);
      expect(second?.counts).not.toEqual({});
      expect(second).not.toHaveProperty('pairs');
    });

    test('and the copies are requests of no deployment', async () => {
      pair(ok(), ok());
      await closed();

      const [tick] = await opened.telemetry.ticks(queryFrom(start));

      expect(tick?.counts).toMatchObject({ v1: { requests: 1 } });
      expect(tick?.counts).not.toHaveProperty('v2');
    });
  });
}
