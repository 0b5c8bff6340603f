import type { DatabaseSync } from 'node:sqlite';
import { asFault, type Fault } from '@serin/core/base/fault';
import { errors } from '@serin/core/base/measures';
import { type CounterStore, counted, openCounterStore, type SecondRow, type SegmentRow } from './counter-store.ts';
import { bucketCount, bucketOf, textOf } from './latency.ts';
import { newTally, type Tally } from './tally.ts';

const flushMs = 1000;
const idleFlushes = 10;
const pruneFlushes = 3600;
const never = Number.MAX_SAFE_INTEGER;
const keepSeconds = 35 * 24 * 3600;

/** One request that was routed and has no outcome yet. */
export interface Routed {
  /** The second in which it was routed. */
  readonly second: number;
  /** Its outcome: exactly once, at the latest when the request timeout is over. `bad`: the measures by which it was. */
  ended(latencyMs: number, bad: readonly string[]): void;
}

/** The counts of one deployment of one endpoint, or of one segment of its requests. */
export interface Arm {
  /** Counts a request in the second that runs now, or in the one in which it was just routed. */
  routed(second?: number): Routed;
  /** A request that no coin chose it for: it is in the tally, and no evidence. */
  unchosen(): Routed;
  /** Of a segment nothing. */
  readonly tally: Tally;
}

/** What is kept beside the counts and is final with them: written in the same transaction as its seconds. */
export interface Part {
  /** The earliest second of which something has no outcome yet. */
  firstOpen(): number | undefined;
  /** Writes what belongs to the seconds before `until`, inside a transaction; it may be undone and run again. */
  write(until: number): void;
  /** What `write` wrote is durable. */
  written(until: number): void;
  /** Forgets what is too old, inside a transaction; once an hour. */
  prune(second: number): void;
}

/** What the gateway counted, by endpoint, deployment and second, for 35 days. */
export interface Counters {
  /** Requests of a segment are counted there in addition to the whole, by the caller. */
  arm(endpoint: string, deployment: string, segment?: string): Arm;
  /** From now on its rows are written with the counts. */
  add(part: Part): void;
  /** Milliseconds since the epoch; never goes back. */
  time(): number;
  /** Makes durable what is final; afterwards `finalUntil` is as late as it can be. Concurrently: one after the other. */
  flush(): Promise<void>;
  /** The second (exclusive) up to which counts are durable and can not change any more, whatever comes. */
  finalUntil(): number;
  /**
   * What is counted in `from <= second < to` says something of the deployments: the gateway was up and kept its counts in
   * all of these seconds, and in none of them a deployment was on its way back.
   */
  covered(endpoint: string, from: number, to: number): boolean;
  /** A deployment that was ready before this server started is on its way back, until the answer is called. */
  returning(endpoint: string): () => void;
  isReturning(endpoint: string): boolean;
  /** Durable rows with `from <= second < to`, ascending by second; of so many seconds each, from multiples of them. */
  rows(endpoint: string, from: number, to: number, perTick?: number): Iterable<SecondRow>;
  segmentRows(endpoint: string, from: number, to: number, perTick?: number): Iterable<SegmentRow>;
  /** Flushes a last time. Counts of requests that are still without an outcome are lost, and their seconds not covered. */
  close(): Promise<void>;
}

interface Second extends Routed {
  readonly second: number;
  open: number;
  requests: number;
  /** Inside a transaction. */
  write(store: CounterStore): void;
}

interface Options {
  readonly database: DatabaseSync;
  /** Milliseconds since the epoch, of a clock that nobody sets. */
  readonly now: () => number;
  /** A flush by the clock failed; its counts are kept and written with the next one. */
  readonly onFault?: (fault: Fault) => void;
}

/**
 * Counts in memory, written once a second in one transaction.
 *
 * A second is final when it is over and all requests that were routed in it have an outcome; a second is written once,
 * when it is final, and with it all before it and all parts of it. So a kill loses whole seconds, never a part of one,
 * and `covered` says which.
 *
 * While a deployment that was ready before comes back after a start, what the gateway answers in its place is the
 * server's own doing: the counts are kept, and are no evidence for or against any deployment of that endpoint.
 */
export function gatewayCounters({ database, now, onFault }: Options): Counters {
  const store = openCounterStore(database);
  const arms = new Map<string, Arm>();
  /** Ascending by second. */
  let pending: readonly Second[] = [];
  const upSince = Math.max(Math.ceil(now() / 1000), store.lastUntil());
  store.closeReturns(upSince);
  const returns = new Set<string>();
  let final = store.lastUntil();
  let newest = final * 1000;
  const parts: Part[] = [];
  let flushing: Promise<void> = Promise.resolve();
  let idle = 0;
  let flushes = 0;

  function time(): number {
    newest = Math.max(newest, now());
    return newest;
  }
  const secondNow = () => Math.floor(time() / 1000);

  async function flushOnce(): Promise<void> {
    const firstOpen = [pending.find(({ open }) => open > 0)?.second, ...parts.map((part) => part.firstOpen())];
    const until = Math.min(secondNow(), ...firstOpen.filter((second) => second !== undefined));
    const done = pending.filter(({ second }) => second < until);
    if (until === final && done.length === 0) return;
    await store.commit(() => {
      for (const second of done) second.write(store);
      for (const part of parts) part.write(until);
      store.up(upSince, until);
    });
    for (const part of parts) part.written(until);
    pending = pending.filter(({ second }) => second >= until);
    final = until;
  }

  async function prune(): Promise<void> {
    const second = secondNow();
    await store.commit(() => {
      store.prune(second - keepSeconds);
      for (const part of parts) part.prune(second);
    });
  }

  function flush(): Promise<void> {
    const next = flushing.then(flushOnce);
    flushing = next.catch(() => undefined);
    return next;
  }

  async function onTimer(): Promise<void> {
    // Seconds without a request need no row, and who reads flushes first: an idle gateway leaves the disk alone.
    idle = pending.length > 0 ? 0 : idle + 1;
    flushes += 1;
    try {
      if (idle % idleFlushes === 0) await flush();
      if (flushes % pruneFlushes === 1) await prune();
    } catch (error) {
      onFault?.(asFault(error));
    }
  }

  const timer = setInterval(onTimer, flushMs).unref();

  function newArm(endpoint: string, deployment: string, segment: string | undefined): Arm {
    let current: Second | undefined;
    const tally = newTally();
    return {
      tally,
      unchosen: () => ({ second: secondNow(), ended: (ms, bad) => tally.add(ms, bad.includes(errors)) }),
      routed(second = secondNow()) {
        if (current?.second !== second) {
          current = newSecond({ endpoint, deployment, segment, tally }, second);
          pending = [...pending, current];
        }
        current.requests += 1;
        current.open += 1;
        return current;
      },
    };
  }

  return {
    arm(endpoint, deployment, segment) {
      const key = JSON.stringify([endpoint, deployment, segment]);
      const arm = arms.get(key) ?? newArm(endpoint, deployment, segment);
      arms.set(key, arm);
      return arm;
    },
    add: (part) => void parts.push(part),
    time,
    flush,
    finalUntil: () => final,
    covered: (endpoint, from, to) => store.covered(from, to) && !store.wasReturning(endpoint, from, to),
    returning(endpoint) {
      const since = secondNow();
      store.returns(endpoint, since, never);
      returns.add(endpoint);
      return () => {
        store.returns(endpoint, since, secondNow() + 1);
        returns.delete(endpoint);
      };
    },
    isReturning: (endpoint) => returns.has(endpoint),
    rows: store.rows,
    segmentRows: store.segmentRows,
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}

interface Counted {
  readonly endpoint: string;
  readonly deployment: string;
  readonly segment: string | undefined;
  readonly tally: Tally;
}

function newSecond({ endpoint, deployment, segment, tally }: Counted, second: number): Second {
  const histogram = new Uint32Array(bucketCount);
  const bad: Record<string, number> = Object.fromEntries(counted.map((measure) => [measure, 0]));
  return {
    second,
    open: 0,
    requests: 0,
    ended(latencyMs, measures) {
      const bucket = bucketOf(latencyMs);
      histogram[bucket] = (histogram[bucket] ?? 0) + 1;
      for (const measure of measures) bad[measure] = (bad[measure] ?? 0) + 1;
      if (segment === undefined) tally.add(latencyMs, measures.includes(errors));
      this.open -= 1;
    },
    write(store) {
      const { requests } = this;
      store.insert({ endpoint, second, deployment, segment, requests, bad, latencies: textOf(histogram) });
    },
  };
}
