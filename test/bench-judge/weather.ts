import type { Random } from './random.ts';
import type { ArmCounts, Source } from './rollout.ts';

/**
 * What happens to requests that no version is to blame for, minute by minute. Each of these breaks a condition of the
 * judge: requests of one arm share a cause, an arm has noise of its own, or routing is not a fresh coin.
 */
export interface Weather {
  /** Requests a minute, Poisson. */
  readonly rpm: number;
  /** Exactly so many, each routed by its own coin. */
  readonly evenly?: true;
  /** The share of them that fails. */
  readonly errors: number;
  /** Noise of an arm's own in the odds of a slow request, and of a failed one. Independent between the arms. */
  readonly slowNoise?: Noise;
  readonly errorNoise?: Noise;
  /** In place of it, for the candidate. */
  readonly candidateNoise?: Noise;
  /** Once in 20 minutes, for each arm by itself, so many of its requests fail at once: from 10 to 100, or exactly 10. */
  readonly bursts?: readonly [number, number];
  /** So many times a minute ten bad requests come over one connection, and all go to one arm. */
  readonly connections?: number;
  /** A failed request is sent again so many times, to the same arm, and fails again. */
  readonly retries?: number;
  /** Slow requests of the candidate are so many times as frequent after a change of weight, less so for ten minutes. */
  readonly cold?: number;
  /** In the first two minutes of each weight this share of the candidate's requests fails, whatever else does. */
  readonly coldErrors?: number;
  /** So many times as slow is the candidate at 50 %; in proportion below, and as quick as its champion at 5 %. */
  readonly load?: number;
  /** Six requests a minute call the champion directly, and this share of them is slower than its p99. */
  readonly slowProbes?: number;
  /** All requests of a connection go to one arm: so many at least, and at most. */
  readonly perConnection?: readonly [number, number];
  /** So many times a day each arm has an incident of its own, for itself: ten times the errors for ten minutes. */
  readonly incidents?: number;
  /** Users stay with their model, and the judge is not told of it. */
  readonly sticky?: true;
  /** Both arms: up and down by half in an hour, and six times the errors for 8 minutes. */
  readonly shared?: true;
}

/** Stationary, normal, with mean odds of 1. */
export interface Noise {
  /** Of the logarithm of the odds, in each minute. */
  readonly sd: number;
  /** The correlation with the minute before. */
  readonly ar: number;
}

/** How many times as often the candidate's requests fail, whatever the cause, or are slower than the champion's p90. */
export interface Worse {
  readonly errors?: number;
  readonly p90?: number;
}

/** A stream of minutes, the champion's day before first. */
export interface Weathered extends Source {
  /** The next minute of the champion alone; before the first `next`. */
  alone(): ArmCounts;
}

const slowShares = [0.5, 0.1, 0.01] as const;
const burstEvery = 20;
const connectionSize = 10;
const coldMinutes = 10;
const coldErrorMinutes = 2;
const probesPerMinute = 6;
const [incidentMinutes, incidentFactor] = [10, 10];
const day = 24 * 60;

interface Arm {
  readonly counts: ArmCounts;
  readonly slow: () => number;
  readonly failing: () => number;
}

const arm = (random: Random, slow: Noise | undefined, errors: Noise | undefined): Arm => ({
  counts: { requests: 0, errors: 0, slow: [0, 0, 0] },
  slow: noiseOf(random, slow),
  failing: noiseOf(random, errors),
});

/** Factors of an arm's errors, minute after minute. */
function incidentsOf(random: Random, perDay: number | undefined): () => number {
  if (perDay === undefined) return () => 1;
  let left = random.next() * day < perDay * incidentMinutes ? Math.ceil(random.next() * incidentMinutes) : 0;
  return () => {
    if (random.next() * day < perDay) left = incidentMinutes;
    left -= 1;
    return left >= 0 ? incidentFactor : 1;
  };
}

/** Factors of the odds, minute after minute. */
export function noiseOf(random: Random, given: Noise | undefined): () => number {
  if (given === undefined) return () => 1;
  const { sd, ar } = given;
  const fresh = Math.sqrt(1 - ar * ar);
  let at = random.normal();
  return () => {
    at = ar * at + fresh * random.normal();
    return Math.exp(sd * at - (sd * sd) / 2);
  };
}

export function weathered(random: Random, weather: Weather, worse: Worse = {}): Weathered {
  const { rpm, slowNoise, errorNoise, candidateNoise } = weather;
  const ours = arm(random, candidateNoise ?? slowNoise, errorNoise);
  const theirs = arm(random, slowNoise, errorNoise);
  const [ourIncidents, theirIncidents] = [
    incidentsOf(random, weather.incidents),
    incidentsOf(random, weather.incidents),
  ];
  const users = weather.sticky ? usersOf(random, rpm, weather.errors, worse.errors ?? 1) : undefined;
  const shared = weather.shared ? sharedBy(random) : () => 1;
  let [known, since] = [0, 0];
  const answer = { candidate: ours.counts, champion: theirs.counts };
  const alone = (weight: number): number => {
    const factor = shared();
    if (users !== undefined) users(answer, weight);
    else {
      if (weather.evenly) {
        ours.counts.requests = random.binomial(rpm, weight / 100);
        theirs.counts.requests = rpm - ours.counts.requests;
      } else if (weather.perConnection === undefined) {
        ours.counts.requests = random.poisson((rpm * weight) / 100);
        theirs.counts.requests = random.poisson((rpm * (100 - weight)) / 100);
      } else route(random, answer, { rpm, weight, sizes: weather.perConnection });
      fail(random, ours, weather.errors * factor * ourIncidents(), weather, worse.errors ?? 1);
      fail(random, theirs, weather.errors * factor * theirIncidents(), weather, 1);
      if (weather.connections !== undefined) connect(random, answer, weight, weather.connections, worse.errors ?? 1);
    }
    return factor;
  };
  return {
    alone() {
      slowDown(random, theirs, alone(0), 1);
      probe(random, theirs.counts, weather.slowProbes);
      return theirs.counts;
    },
    next(weight) {
      since = weight === known ? since + 1 : 0;
      known = weight;
      const factor = alone(weight);
      const cold = weather.cold === undefined ? 1 : 1 + (weather.cold - 1) * Math.max(0, 1 - since / coldMinutes);
      const loaded = weather.load === undefined ? 1 : 1 + ((weather.load - 1) * Math.max(0, weight - 5)) / 45;
      slowDown(random, theirs, factor, 1);
      slowDown(random, ours, factor * cold * loaded, worse.p90 ?? 1);
      if (weather.coldErrors !== undefined && since < coldErrorMinutes)
        ours.counts.errors += random.binomial(ours.counts.requests - ours.counts.errors, weather.coldErrors);
      probe(random, theirs.counts, weather.slowProbes);
      return answer;
    },
  };
}

/** Deep probes of an arm: they look at everything behind it, so they are slow, and they do not fail. */
function probe(random: Random, counts: ArmCounts, slow: number | undefined): void {
  if (slow === undefined) return;
  const late = random.binomial(probesPerMinute, slow);
  counts.requests += probesPerMinute;
  for (let index = 0; index < slowShares.length; index += 1) counts.slow[index] = (counts.slow[index] ?? 0) + late;
}

interface Routed {
  readonly rpm: number;
  readonly weight: number;
  readonly sizes: readonly [number, number];
}

/** A coin for each connection in place of one for each request. */
function route(
  random: Random,
  { candidate, champion }: ReturnType<Source['next']>,
  { rpm, weight, sizes }: Routed,
): void {
  const [from, to] = sizes;
  candidate.requests = 0;
  champion.requests = 0;
  for (let left = random.poisson((2 * rpm) / (from + to)); left > 0; left -= 1) {
    const counts = random.next() * 100 < weight ? candidate : champion;
    counts.requests += from + Math.floor(random.next() * (to - from + 1));
  }
}

export const atOdds = (share: number, factor: number): number => (share * factor) / (1 - share + share * factor);

function fail(
  random: Random,
  { counts, failing }: Arm,
  share: number,
  { bursts, retries = 0 }: Weather,
  worse: number,
): void {
  counts.errors = random.binomial(counts.requests, atOdds(Math.min(1, share * worse), failing()));
  const again = counts.errors * retries;
  counts.requests += again;
  counts.errors += again;
  if (bursts === undefined || random.next() * burstEvery >= worse) return;
  const [from, to] = bursts;
  const size = from + Math.floor(random.next() * (to - from + 1));
  counts.errors += Math.min(size, counts.requests - counts.errors);
}

function connect(
  random: Random,
  arms: ReturnType<Source['next']>,
  weight: number,
  perMinute: number,
  worse: number,
): void {
  for (let left = random.poisson(perMinute); left > 0; left -= 1) {
    const isOurs = random.next() * 100 < weight;
    const counts = isOurs ? arms.candidate : arms.champion;
    counts.errors += Math.min(connectionSize * (isOurs ? worse : 1), counts.requests - counts.errors);
  }
}

/** Nested: a request that is slower than the p99 is slower than the p90. Noise moves all three alike. */
function slowDown(random: Random, { counts, slow }: Arm, factor: number, p90: number): void {
  const odds = slow();
  let left = counts.requests;
  let of = 1;
  for (let index = 0; index < slowShares.length; index += 1) {
    const usual = (slowShares[index] ?? 0) * (index === 1 ? p90 : 1);
    // Twice the exceedances of the p50 would be all requests: a factor is one of the logarithm of those that are quick.
    const share = atOdds(1 - (1 - usual) ** factor, odds);
    left = random.binomial(left, Math.min(1, share / of));
    of = share;
    counts.slow[index] = left;
  }
}

/** The baseline of both arms: a wave of an hour, and an incident in each two hours. */
function sharedBy(random: Random): () => number {
  const phase = random.next() * 60;
  const incident = Math.floor(random.next() * 120);
  let minute = -1;
  return () => {
    minute += 1;
    const bad = (minute + incident) % 120 < 8 ? 6 : 1;
    return bad * (1 + 0.5 * Math.sin((2 * Math.PI * (minute + phase)) / 60));
  };
}

const perUser = 10;
const carrierShare = 0.02;

/** Ten requests of a user in the mean, lognormal; 2 % of the users have all the errors, as many as the others' share. */
function usersOf(random: Random, rpm: number, share: number, worse: number) {
  const users = Array.from({ length: Math.max(20, Math.round(rpm / perUser)) }, () => ({
    bucket: 100 * random.next(),
    mean: 0,
    bad: random.next() < carrierShare ? Math.min(1, share / carrierShare) : 0,
  }));
  let sum = 0;
  for (const user of users) {
    user.mean = Math.exp(random.normal());
    sum += user.mean;
  }
  for (const user of users) user.mean *= rpm / sum;
  return ({ candidate, champion }: ReturnType<Source['next']>, weight: number): void => {
    for (const counts of [candidate, champion]) {
      counts.requests = 0;
      counts.errors = 0;
    }
    for (const { bucket, mean, bad } of users) {
      const counts = bucket < weight ? candidate : champion;
      const requests = random.poisson(mean);
      counts.requests += requests;
      const own = bucket < weight ? Math.min(1, bad * worse) : bad;
      if (bad > 0) counts.errors += random.binomial(requests, own);
    }
  };
}
