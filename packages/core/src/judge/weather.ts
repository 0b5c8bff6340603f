import { logMean, logSum } from '../base/log.ts';
import { originGains, originGrid } from './origin.ts';
import { ratioFactors, ratiosTried } from './promotion.ts';

/**
 * The evidence of one stream, tick by tick and in order, where an arm may have noise of its own: replicas, caches and
 * connections that have nothing to do with the version.
 *
 * In one tick of a share rho the candidate has e and both arms together have m bad requests. With the noise tau and the
 * most that a tick counts for (M), both known before the tick, and for each g of the grid of origin.ts:
 *
 *     r      = toleratedRatio exp(0.7 tau)                     a lasting difference of 0.7 sd of the noise is tolerated
 *     q      = rho r / (rho r + 1 - rho)
 *     d      = max(1 + (m - 1) q (1 - q) tau^2, dispersion)    how much less m requests say than m independent ones
 *     raw(g) = [e log g - m log((rho r g + 1 - rho) / (rho r + 1 - rho))] / max(d, m / M)
 *     top(g) = min(log cap, or log 1.25 where m > M;  log g (1 + 2.5 sqrt(min(m, M) q (1 - q) / d)))
 *     log factor(g) = min(raw(g), top(g)) - tax
 *
 *     E = 0.9 of the mean over g of the products since the start, and 0.1 for products that begin when the weight changes
 *
 * Proved, for every tau, M, cap, dispersion and tax >= 0. If given the past and m each bad request is the candidate's
 * with probability q at most (origin.ts says when; not at the realised share with a toleratedRatio above 1),
 * E[exp(raw d)] <= 1. The divisor is at least 1 and depends on the past
 * and m alone, so E[exp raw] <= 1 (Jensen), and a cut from above and a tax make it smaller. Products that begin later are
 * 1 before, and a convex sum of supermartingales is one. So P(E ever reaches 1/alpha) <= alpha (Ville).
 *
 * Also proved: if a tick may besides be anything with probability eps (a burst in one arm), the tax log(1 + eps (cap - 1))
 * keeps the expectation at 1. And no few ticks decide: each adds log(cap) at most, and one with m > M log 1.25.
 *
 * Also proved: what a tick of the candidate alone says against it may wait until the champion has had requests, and is
 * forgotten if it never has, or only after a gap. Of such a tick only what makes E smaller counts at once, so E is never
 * larger than if every tick counted when it came.
 *
 * Measured, not proved: noise that lasts from tick to tick, and how quick it is (docs/judge.md). Noise that is
 * independent between ticks was summed for m up to 3,000 and an sd up to tau: E[factor] < 1.
 */

/** What is expected of a stream before its first tick. It is fixed before the rollout, and part of its rules. */
export interface Climate {
  /** Standard deviation of the log-odds between the arms that is noise. */
  readonly tau: number;
  /** Nothing is learned from the rollout; absent: `tau` is, upwards only, and what is typical. */
  readonly fixed?: true;
  /** By how much a tick may multiply the evidence. */
  readonly cap: number;
  /** What each tick with bad requests costs, as a logarithm. */
  readonly tax: number;
  /** Bad requests that come together, on average: 1 where each comes by itself. */
  readonly dispersion: number;
  /** Bad requests of a tick; absent: the first two ticks teach it, and say nothing else. */
  readonly typical?: number;
  /** The part of the evidence that is kept for changes of weight. */
  readonly later: number;
}

/** For counts that are not of the ticks' clock: each request counts by itself, and nothing is cut. */
export const independent: Climate = {
  tau: 0,
  fixed: true,
  cap: Number.POSITIVE_INFINITY,
  tax: 0,
  dispersion: 1,
  typical: Number.POSITIVE_INFINITY,
  later: 0,
};

/**
 * What a stream has seen. Logarithms are natural ones, in the order of the grids; where they are absent each is 0. The
 * record of a rollout has it for each stream, so what nobody reads is left out.
 */
export interface Weather {
  /** Of the products since the start. */
  readonly harm: readonly number[];
  /** Of the capital that began at changes of weight; absent before the first. */
  readonly since?: readonly number[];
  /** Like `harm`, with the share that came in place of the one that was set. Not of segments, nor of labels. */
  readonly came?: readonly number[];
  /** Of the products for a promotion, in the ticks of the last step. Only of streams that it needs. */
  readonly safe?: readonly number[];
  /** What ticks in which only the candidate had requests say against it; absent: nothing waits. */
  readonly waiting?: readonly number[];
  /** The weight that was counted last, and how often it has changed. */
  readonly weight: number;
  readonly changes: number;
  /** Bad requests of a tick, as learned; `first`: of the first tick, where nothing was known. */
  readonly typical?: number;
  readonly first?: number;
  /** Bad requests of the tick before. */
  readonly before: number;
  /** Sums whose quotient is the square of `tau`. */
  readonly noise: readonly [number, number];
  /** The last five ticks: the arms' bad requests and the share by which they count; none: no evidence. */
  readonly past: readonly (readonly [] | readonly [candidate: number, champion: number, share: number])[];
}

/** What one stream says. The evidence of a rollout that began under older rules has no weather at all. */
export const weatherOf = (
  { weather }: { readonly weather?: Readonly<Record<string, Weather>> },
  id: string,
): Weather | undefined => weather?.[id];

/** Bad requests of both arms in a tick, and the candidate's share. */
export interface Origins {
  readonly candidate: number;
  readonly champion: number;
  readonly share: number;
}

const partOfNoise = 0.7;
const outlierCap = Math.log(1.25);
const spread = 2.5;
/** How much is known of the noise before the start, in ticks that say much. */
const known = 10;
const mostNoise = 1;
const pace = 0.2;
const lag = 5;

/** From the noise that is known before a tick to the ratio that is tolerated in it. */
export const toleratedIn = (toleratedRatio: number, tau: number): number =>
  toleratedRatio * Math.exp(partOfNoise * tau);

export const newWeather = ({ tau }: Climate, weight: number): Weather => ({
  harm: noFactors,
  weight,
  changes: 0,
  before: 0,
  noise: [known * tau * tau, known],
  past: [],
});

/** The noise that is known after the ticks so far. */
export const tauOf = ({ noise: [sum, weight] }: Weather, { tau, fixed }: Climate): number =>
  fixed ? tau : Math.min(Math.max(Math.sqrt(sum / weight), tau), mostNoise);

/**
 * The most bad requests that the next tick counts for. Two ticks with many in a row are no outlier but an outage, whose
 * evidence waits one tick.
 */
export const mostOf = (typical: number, before: number): number =>
  Math.max(1.5 * typical + 2 * Math.sqrt(typical) + 2, before);

export interface FactorRule {
  /** The ratio that is tolerated in this tick, noise included. */
  readonly ratio: number;
  readonly tau: number;
  readonly most: number;
  readonly climate: Pick<Climate, 'cap' | 'tax' | 'dispersion'>;
}

const noFactors: readonly number[] = originGrid.map(() => 0);

/** The log factor of a tick for each alternative of the grid. */
export function harmFactors({ candidate, champion, share }: Origins, rule: FactorRule): readonly number[] {
  const { ratio, tau, most, climate } = rule;
  const bad = candidate + champion;
  if (bad === 0) return noFactors;
  const whole = share * ratio + 1 - share;
  const origin = (share * ratio) / whole;
  const scatter = origin * (1 - origin);
  const design = Math.max(1 + Math.max(bad - 1, 0) * scatter * tau * tau, climate.dispersion);
  const divisor = Math.max(design, bad / most);
  const isCut = climate.cap < Number.POSITIVE_INFINITY;
  const cut = bad > most ? outlierCap : Math.log(climate.cap);
  const reach = 1 + spread * Math.sqrt((Math.min(bad, most) * scatter) / design);
  const logs: number[] = [];
  for (let index = 0; index < originGrid.length; index += 1) {
    const gain = originGains[index] ?? 0;
    const cost = Math.log((share * ratio * (originGrid[index] ?? 1) + 1 - share) / whole);
    const raw = (candidate * gain - bad * cost) / divisor;
    logs.push((isCut ? Math.min(raw, cut, gain * reach) : raw) - climate.tax);
  }
  return logs;
}

/** One tick of a stream. */
export interface Heard {
  /** The candidate's, in percent. */
  readonly weight: number;
  /** Bad requests (sticky: users) and requests (users at risk) of both arms. */
  readonly events: {
    readonly candidate: number;
    readonly champion: number;
    readonly candidateRequests: number;
    readonly championRequests: number;
  };
  /** The tick teaches what is typical, and is no evidence: caches are cold. */
  readonly isCold: boolean;
  /** It belongs to the last step, and may speak for a promotion. */
  readonly isLast: boolean;
  /** The share by which it counts against the candidate, where that is not the weight. */
  readonly against?: number;
  /** The share by which it counts for a promotion, where that is not the weight. */
  readonly inFavour?: number;
  /** Its numbers of requests make it no evidence, and it teaches nothing. */
  readonly isLeftOut?: boolean;
  /** One arm had no requests, which happens by chance with so few. */
  readonly isAlone?: boolean;
}

export interface Limits {
  readonly toleratedRatio: number;
  readonly margin: number;
  readonly maxBurst: number;
  readonly climate: Climate;
  readonly routing: 'configured' | 'realised';
  readonly unit: 'request' | 'user';
  /** A promotion needs the stream. */
  readonly promotes: boolean;
  /** What came is kept of it. */
  readonly cameToo: boolean;
  /** Requests are not shared out by the weight: nothing counts but the share that came. */
  readonly isAstray?: boolean;
}

/** The weather after one more tick, in which at least one arm had requests. */
export function withHeard(known: Weather | undefined, heard: Heard, limits: Limits): Weather {
  const { climate, maxBurst, routing, isAstray } = limits;
  const weather = withoutWaiting(known ?? newWeather(climate, heard.weight));
  const { candidate, champion, candidateRequests, championRequests } = heard.events;
  const shareThatCame = candidateRequests / (candidateRequests + championRequests);
  const origins = {
    candidate: candidate / maxBurst,
    champion: champion / maxBurst,
    share: routing === 'realised' || isAstray ? shareThatCame : heard.weight / 100,
  };
  const against = routing === 'realised' ? shareThatCame : (heard.against ?? origins.share);
  const typical = weather.typical ?? climate.typical;
  const isEvidence = !heard.isCold && typical !== undefined;
  const waiting = known?.waiting;
  return {
    ...weather,
    ...(isEvidence ? judged(weather, { heard, origins, against, shareThatCame, typical, waiting }, limits) : {}),
    // What is left out teaches nothing.
    ...(heard.isLeftOut === true
      ? {}
      : learned(
          weather,
          { ...origins, share: against },
          climate,
          isEvidence && candidateRequests > 0 && championRequests > 0,
        )),
  };
}

function withoutWaiting(weather: Weather): Weather {
  if (weather.waiting === undefined) return weather;
  const { waiting: _, ...rest } = weather;
  return rest;
}

interface Weighed {
  readonly heard: Heard;
  readonly origins: Origins;
  /** The share that counts against the candidate. */
  readonly against: number;
  readonly shareThatCame: number;
  readonly typical: number;
  /** From ticks before. */
  readonly waiting: readonly number[] | undefined;
}

function judged(
  weather: Weather,
  { heard, origins, against, shareThatCame, typical, waiting: before }: Weighed,
  { toleratedRatio, margin, climate, unit, promotes, cameToo, isAstray }: Limits,
): Partial<Weather> {
  const tau = tauOf(weather, climate);
  const most = mostOf(typical, weather.before);
  const rule = { ratio: toleratedIn(toleratedRatio, tau), tau, most, climate };
  const asCame = { ...origins, share: shareThatCame };
  const { candidateRequests, championRequests } = heard.events;
  // A test leaves out the ticks in which only the arm that it would blame had requests.
  const counts = championRequests > 0;
  const came = counts && cameToo ? { came: plus(weather.came ?? noFactors, harmFactors(asCame, rule)) } : {};
  if (isAstray) return came;
  const isSame = heard.weight === weather.weight;
  const changed = isSame ? weather : withChange(weather, heard.weight, climate);
  const { harm, since, safe } = changed;
  const isBlamed = (counts || heard.isAlone === true) && heard.isLeftOut !== true;
  const own = isBlamed ? harmFactors({ ...origins, share: against }, rule) : noFactors;
  const waited = before !== undefined && isSame && isBlamed ? plus(own, before) : own;
  const factors = counts ? waited : own.map((log) => Math.min(log, 0));
  return {
    ...changed,
    ...came,
    harm: plus(harm, factors),
    ...(counts || !isBlamed ? {} : { waiting: waited.map((log, index) => log - (factors[index] ?? 0)) }),
    ...(since === undefined ? {} : { since: plus(since, factors) }),
    // Of users who are at risk the share that came, because the other would say how many had a bad request.
    ...(promotes && heard.isLast && candidateRequests > 0
      ? {
          safe: safeAfter(safe, unit === 'user' ? asCame : { ...origins, share: heard.inFavour ?? origins.share }, {
            margin,
            tau: noiseBehind(tau, typical),
            most,
            climate,
          }),
        }
      : {}),
  };
}

const plus = (logs: readonly number[], more: readonly number[]): readonly number[] =>
  logs.map((log, index) => log + (more[index] ?? 0));

/** Where so few requests of a tick are bad, noise is hidden behind chance: more of it changes nothing that is decided. */
const fewBad = 2;
const hiddenNoise = 0.1;
const noiseBehind = (tau: number, typical: number): number => (typical < fewBad ? Math.min(tau, hiddenNoise) : tau);

function safeAfter(
  known: readonly number[] = ratiosTried.map(() => 0),
  origins: Origins,
  { margin, tau, most, climate }: Omit<FactorRule, 'ratio'> & { readonly margin: number; readonly climate: Climate },
): readonly number[] {
  const logs = [...known];
  const isCut = climate.cap < Number.POSITIVE_INFINITY;
  ratioFactors(logs, origins, { margin, tau, most, dispersion: climate.dispersion, isCut });
  return logs;
}

/**
 * What was gathered before a person ordered to go on, after requests that were not shared out as configured: it counts
 * only against what it would decide.
 *
 * So both bounds keep. If all was as configured, each product is the supermartingale that it was, and smaller. If not, what
 * it came to by then may be anything, and what comes after multiplies a number that is 1 at most.
 */
export function forgiven(weather: Weather, { later }: Climate): Weather {
  const begun = Math.log(later * (1 - 2 ** -weather.changes));
  return {
    ...withoutWaiting(weather),
    harm: noMoreThan(0, weather.harm),
    ...(weather.safe === undefined ? {} : { safe: noMoreThan(0, weather.safe) }),
    ...(weather.since === undefined ? {} : { since: noMoreThan(begun, weather.since) }),
  };
}

const noMoreThan = (most: number, logs: readonly number[]): readonly number[] => logs.map((log) => Math.min(log, most));

/** What is kept for changes of weight: each begins with half of what is left, beside what those before have become. */
function withChange(weather: Weather, weight: number, { later }: Climate): Weather {
  if (later === 0) return { ...weather, weight };
  const changes = weather.changes + 1;
  const begun = Math.log(later) - changes * Math.LN2;
  const capital = weather.since === undefined ? begun : logSum([logMean(weather.since), begun]);
  return { ...weather, weight, changes, since: originGrid.map(() => capital) };
}

function learned(
  weather: Weather,
  { candidate, champion, share }: Origins,
  climate: Climate,
  isPair: boolean,
): Partial<Weather> {
  if (climate.fixed) return {};
  const now = isPair ? ([candidate, champion, share] as const) : ([] as const);
  const [then = []] = weather.past.length === lag ? weather.past : [];
  return {
    ...typicalAfter(weather, candidate + champion, climate),
    before: candidate + champion,
    noise: noiseAfter(weather.noise, now, then),
    past: [...weather.past.slice(1 - lag), now],
  };
}

function typicalAfter(weather: Weather, bad: number, climate: Climate): Pick<Weather, 'typical' | 'first'> {
  const typical = weather.typical ?? climate.typical;
  if (typical !== undefined) {
    const counted = Math.min(bad, mostOf(typical, weather.before));
    return { typical: typical + pace * (counted - typical) };
  }
  return weather.first === undefined ? { first: bad } : { typical: Math.min(weather.first, bad) };
}

type Row = Weather['past'][number];

/** How much two ticks that are `lag` apart scatter beyond chance. A ratio that stays does not, as it is in both. */
function noiseAfter(known: Weather['noise'], now: Row, then: Row): Weather['noise'] {
  if (now.length === 0 || then.length === 0) return known;
  const [sum, weight] = known;
  const chance = (varianceOf(now) + varianceOf(then)) / 2;
  const excess = Math.min(Math.max((oddsOf(now) - oddsOf(then)) ** 2 / 2 - chance, -0.5), 0.5);
  const says = (0.09 / (0.09 + chance)) ** 2;
  return [Math.max(sum + says * excess, 0), weight + says];
}

type Pair = Exclude<Row, readonly []>;

/** The log-odds between the arms beyond those of the share, and the variance that chance gives them. */
const oddsOf = ([candidate, champion, share]: Pair): number =>
  Math.log((candidate + 0.5) / (champion + 0.5)) - Math.log(share / (1 - share));
const varianceOf = ([candidate, champion]: Pair): number => 1 / (candidate + 0.5) + 1 / (champion + 0.5);

/** Above it `Math.exp` is near its end. */
const mostLog = 700;

/** `log E` against the candidate. */
export function logOfHarm({ harm, since, changes }: Weather, { later }: Climate): number {
  if (later === 0) return logMean(harm);
  const kept = later * 2 ** -changes;
  let [begun, whole, top] = [0, 0, 0];
  for (let index = 0; index < harm.length; index += 1) {
    top = Math.max(top, harm[index] ?? 0, since?.[index] ?? 0);
    whole += Math.exp(harm[index] ?? 0);
    begun += since === undefined ? 0 : Math.exp(since[index] ?? 0);
  }
  if (top <= mostLog) return Math.log(kept + ((1 - later) * whole + begun) / harm.length);
  const logs = [Math.log(1 - later) + logMean(harm), ...(since === undefined ? [] : [logMean(since)])];
  return logSum(logs);
}
