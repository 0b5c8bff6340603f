import type { Random } from './random.ts';

/** One column of counts for each arm, a number a tick. */
export interface Arms<Column = Int32Array> {
  readonly candidate: Column;
  readonly champion: Column;
}

/**
 * What one rollout sees, tick by tick. Filled again for each run, and read by every rule that is compared: they all
 * judge the same numbers.
 */
export interface Stream {
  /** The candidate's weight in percent, fixed before the tick. */
  readonly weights: readonly number[];
  readonly requests: Arms;
  readonly errors: Arms;
  /** Of the champion's: as many as the candidate gets, for rules that compare two equal halves of an experiment. */
  readonly control: {
    readonly requests: Int32Array;
    readonly errors: Int32Array;
  };
  /** Slower than the champion's p50, p90, p99. */
  readonly slow: readonly [Arms, Arms, Arms];
  /** Six more 0/1 signals of each request. */
  readonly others: readonly Arms[];
  /** Sum of the latencies in ms; only drawn where latency is the subject. */
  readonly latency: Arms<Float64Array>;
}

/**
 * The weights of the default config, minute by minute: a quarter of an hour each, and the minute in which a weight is
 * confirmed. The last one is longer, as a rollout that is not certified yet stays there.
 */
export const ramp: readonly number[] = [...steps([5, 25], 16), ...steps([50], 28)];
export const fallingRamp: readonly number[] = [...steps([50, 25], 16), ...steps([5], 28)];

export function steps(weights: readonly number[], ticks: number): readonly number[] {
  return weights.flatMap((weight) => Array.from({ length: ticks }, () => weight));
}

const arms = (ticks: number): Arms => ({
  candidate: new Int32Array(ticks),
  champion: new Int32Array(ticks),
});

export function newStream(weights: readonly number[]): Stream {
  const ticks = weights.length;
  return {
    weights,
    requests: arms(ticks),
    errors: arms(ticks),
    control: { requests: new Int32Array(ticks), errors: new Int32Array(ticks) },
    slow: [arms(ticks), arms(ticks), arms(ticks)],
    others: ownShares.map(() => arms(ticks)),
    latency: {
      candidate: new Float64Array(ticks),
      champion: new Float64Array(ticks),
    },
  };
}

export interface Traffic {
  readonly rpm: number;
  /** The champion's share of errors. */
  readonly share: number;
  /** What happens to both arms alike, drawn once a run: how many times as bad everything is in a tick. */
  readonly weather?: (random: Random) => (tick: number) => number;
  /** How many times as many of the candidate's requests fail. */
  readonly ratio?: (tick: number) => number;
  /** The candidate's latency, drawn request by request; without it, exceedances come from their shares. */
  readonly latency?: Slowness;
}

export interface Slowness {
  readonly factor: number;
  /** A share of its requests takes a second more. */
  readonly tail: number;
}

/** How often each of the six signals happens by its own cause. */
export const ownShares = [0.0005, 0.001, 0.005, 0.01, 0.02, 0.05] as const;
/** A request that fails shows in each of the six with this probability: they are correlated with the errors. */
const withAnError = 0.5;
/** In one tick of twenty a common cause makes all six four times as frequent, in both arms. */
const causeEvery = 20;
const causeFactor = 4;

/** Draws one run. Each request is routed by its own coin, so both arms' numbers are Poisson and independent. */
export function fill(stream: Stream, random: Random, traffic: Traffic): void {
  const weather = traffic.weather?.(random);
  for (let tick = 0; tick < stream.weights.length; tick += 1)
    fillTick(stream, random, traffic, {
      tick,
      minute: tick,
      weight: stream.weights[tick] ?? 0,
      weather,
    });
}

interface Minute {
  /** Where it is written. */
  readonly tick: number;
  /** Since the rollout began. */
  readonly minute: number;
  readonly weight: number;
  readonly weather: ((minute: number) => number) | undefined;
}

export function fillTick(stream: Stream, random: Random, traffic: Traffic, { tick, minute, weight, weather }: Minute) {
  const part = weight / 100;
  const control = random.poisson(traffic.rpm * Math.min(part, 1 - part));
  stream.control.requests[tick] = control;
  stream.requests.candidate[tick] = random.poisson(traffic.rpm * part);
  stream.requests.champion[tick] = control + random.poisson(traffic.rpm * Math.max(0, 1 - 2 * part));
  const factor = weather?.(minute) ?? 1;
  const cause = random.next() * causeEvery < 1 ? causeFactor * factor : factor;
  fillArm(stream, random, {
    tick,
    arm: 'champion',
    share: traffic.share * factor,
    factor,
    cause,
  });
  stream.control.errors[tick] = among(random, stream.errors.champion[tick] ?? 0, {
    part: control,
    of: stream.requests.champion[tick] ?? 0,
  });
  const share = traffic.share * factor * (traffic.ratio?.(minute) ?? 1);
  fillArm(stream, random, {
    tick,
    arm: 'candidate',
    share,
    factor,
    cause,
    slowness: traffic.latency,
  });
  if (traffic.latency !== undefined) {
    fillLatency(stream, random, tick, 'champion', { factor: 1, tail: 0 });
    fillLatency(stream, random, tick, 'candidate', traffic.latency);
  }
}

/** A minute of the champion alone. */
export function fillAlone(stream: Stream, random: Random, { rpm, share }: Traffic, factor: number): void {
  const requests = random.poisson(rpm);
  stream.requests.champion[0] = requests;
  stream.errors.champion[0] = random.binomial(requests, Math.min(1, share * factor));
  fillSlow(stream, random, 0, 'champion', factor);
}

/** How many of so many lie among `part` of `of`: one after the other, without putting any back. */
function among(random: Random, bad: number, { part, of }: { readonly part: number; readonly of: number }): number {
  let [hits, left, among] = [0, of, part];
  for (let index = 0; index < bad; index += 1) {
    if (random.next() * left < among) {
      hits += 1;
      among -= 1;
    }
    left -= 1;
  }
  return hits;
}

interface ArmTick {
  readonly tick: number;
  readonly arm: keyof Arms;
  readonly share: number;
  readonly factor: number;
  readonly cause: number;
  readonly slowness?: Slowness | undefined;
}

function fillArm(stream: Stream, random: Random, { tick, arm, share, factor, cause, slowness }: ArmTick): void {
  const requests = stream.requests[arm][tick] ?? 0;
  const errors = random.binomial(requests, Math.min(1, share));
  stream.errors[arm][tick] = errors;
  for (let index = 0; index < ownShares.length; index += 1) {
    const own = Math.min(1, (ownShares[index] ?? 0) * cause);
    const signal = stream.others[index];
    if (signal !== undefined)
      signal[arm][tick] = random.binomial(errors, withAnError) + random.binomial(requests - errors, own);
  }
  if (slowness === undefined) fillSlow(stream, random, tick, arm, factor);
}

const slower = [0.5, 0.1, 0.01] as const;

/** Nested: a request that is slower than the p99 is slower than the p90. Bad weather moves all three alike. */
function fillSlow({ requests, slow }: Stream, random: Random, tick: number, arm: keyof Arms, factor: number): void {
  let left = requests[arm][tick] ?? 0;
  let of = 1;
  for (let index = 0; index < slower.length; index += 1) {
    const share = 1 - (1 - (slower[index] ?? 0)) ** factor;
    left = random.binomial(left, of === 0 ? 0 : share / of);
    of = share;
    const column = slow[index];
    if (column !== undefined) column[arm][tick] = left;
  }
}

/** Lognormal with a median of 100 ms and sigma 0.9. */
const median = 100;
const sigma = 0.9;
const zs = [0, 1.2815515655446004, 2.3263478740408408] as const;
/** What the champion's p50, p90 and p99 are, in ms. */
export const thresholds = zs.map((z) => median * Math.exp(sigma * z));

function fillLatency(stream: Stream, random: Random, tick: number, arm: keyof Arms, { factor, tail }: Slowness): void {
  const [p50 = 0, p90 = 0, p99 = 0] = thresholds;
  let [sum, above50, above90, above99] = [0, 0, 0, 0];
  for (let request = stream.requests[arm][tick] ?? 0; request > 0; request -= 1) {
    let ms = median * factor * Math.exp(sigma * random.normal());
    if (tail > 0 && random.next() < tail) ms += 1000;
    sum += ms;
    if (ms > p50) above50 += 1;
    if (ms > p90) above90 += 1;
    if (ms > p99) above99 += 1;
  }
  stream.latency[arm][tick] = sum;
  stream.slow[0][arm][tick] = above50;
  stream.slow[1][arm][tick] = above90;
  stream.slow[2][arm][tick] = above99;
}

/** Requests to the candidate up to and with a tick; without one, of the whole rollout. */
export function exposedUntil({ requests }: Stream, tick: number | undefined): number {
  const until = tick === undefined ? requests.candidate.length - 1 : tick;
  let sum = 0;
  for (let index = 0; index <= until; index += 1) sum += requests.candidate[index] ?? 0;
  return sum;
}
