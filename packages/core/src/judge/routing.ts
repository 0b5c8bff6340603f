import { countText } from '../base/numbers.ts';
import { minute } from '../base/time.ts';

/**
 * How requests were shared out, from their numbers alone, and what a tick is evidence for.
 *
 * A tick in which the numbers do not fit the weight says little about the candidate: the telemetry of one arm was missing,
 * or the weight landed late. It is left out for both arms and counted. Only if such ticks are many, or if all ticks
 * together do not fit, the requests were not shared out as configured.
 *
 * Why both bounds keep, for H0: each request goes to the candidate by a fresh coin of the weight.
 *
 * - Numbers are impossible if some as odd as them have a probability of 1e-6 at most. Whatever such a tick would have
 *   said, to leave it out raises the expectation of its factor from 1 to 1 + 1e-6 at most. One with too many requests of
 *   the candidate counts by the share of its own numbers: its factor is at most the cap of weather.ts, so the expectation
 *   is 1 + 5e-5 at most.
 * - A tick that is late has too few requests of the candidate, and is left out for the candidate only. Given the bad
 *   requests, the factor that speaks for it falls with the number of its requests, so the ticks that stay expect no more
 *   than all of them.
 * - Against the candidate the share is never smaller than the weight, and known before the tick. A bad request of H0 is
 *   then the candidate's with no larger probability than weather.ts asks for at that share, so its proof holds as it is.
 * - For a promotion the share is never larger than the weight, and known before the tick. A bad request of H0' is then the
 *   candidate's with at least the probability that promotion.ts asks for at that share, and its factors fall with it.
 *
 * Without H0, direct calls that the candidate gets beside its share move the share that came before, by which it is judged
 * where that is the larger one. That is as good as exact, once some minutes have come, if the outcomes do not depend on the
 * numbers and the share stays as it was. So it is for a promotion with direct calls of the champion, as long as they are bad
 * no more often than other requests; direct.ts has what is done where they are too many to rely on that.
 *
 * Where that fails: with retries the outcomes make the numbers. A candidate whose failed requests are sent again to it has
 * too many requests. So a tick with too many is never left out, against a promotion it counts as it is, and against the
 * candidate by the share that came. A champion that does the same has its worst ticks left out: the candidate is judged by
 * the others. Of a candidate that hangs, and of which nothing is counted, nobody sees anything for as long as a gap may
 * last. A rollout takes no step in that time.
 */
export interface Routing {
  /** For each deviation: how much better it explains the numbers than the weights do. */
  readonly off: readonly number[];
  /** Ticks that came into it. */
  readonly looked: number;
  /** The candidate's share that holds, the one before, and what names the time for which it holds. */
  readonly share: number;
  readonly before: number;
  readonly period?: number;
  readonly since: number;
  /** Since then: what came in ticks that are not left out. */
  readonly came: Split;
  /** How much is missing, see `strayAfter`. */
  readonly strayMs: number;
  /** How often a person has ordered to go on after requests were not shared out as configured. */
  readonly forgiven?: number;
  /** Requests of a tick in which nothing was missing. */
  readonly usual?: number;
  /**
   * What came in a row of ticks in which one arm had none, each of them possible; how many they are, and how many of them
   * are known to be a gap. Absent: both arms had requests in the last tick.
   */
  readonly alone?: Split & { readonly ticks: number; readonly told: number };
  /** Ticks that are left out, since the rollout began. */
  readonly leftOut: LeftOut;
}

export interface LeftOut {
  /** Right after a change of weight: they fit the weight before. */
  readonly late: number;
  /** One arm had no requests. */
  readonly gaps: number;
  /** Both had some, and the candidate far too few. */
  readonly few: number;
}

/** Requests of a tick; if users stay with their model, users whom it has assigned. */
export interface Split {
  readonly candidate: number;
  readonly champion: number;
}

export interface Weighing {
  readonly start: number;
  readonly tickMs: number;
  /** The candidate's, from 0 to 1. */
  readonly share: number;
  /** Names the time for which this weight holds. Absent: nobody has confirmed one, and no weight can be late. */
  readonly period?: number | undefined;
  /** Direct calls are of requests: who counts users tells them apart. */
  readonly unit: 'request' | 'user';
}

type Odds = Pick<Weighing, 'share' | 'tickMs' | 'unit'>;

export interface Admitted {
  readonly routing: Routing;
  /** The candidate's share by which the tick counts against it; absent: not at all. */
  readonly against?: number;
  /** Whether it counts for the candidate, and by which share. */
  readonly isFor: boolean;
  readonly inFavour: number;
}

/** The candidate's share in odds, as a multiple of the configured one. */
export const deviations = [0.5, 0.8, 0.9, 1 / 0.9, 1.25, 2] as const;

const noneOff: readonly number[] = deviations.map(() => 0);
const noneCame: Split = { candidate: 0, champion: 0 };

const atFirst: Routing = {
  ...{ off: noneOff, looked: 0, share: 0, before: 0, since: 0, came: noneCame, strayMs: 0 },
  leftOut: { late: 0, gaps: 0, few: 0 },
};

/** Each side of 1e-6: see `surprise`. */
const impossible = Math.log(2e6);

/**
 * Requests a minute that an arm may have beyond its share: health checks and tests that call one deployment directly,
 * where the platform cannot tell them apart. One check each ten seconds is what load balancers and orchestrators do
 * unless they are told otherwise.
 */
export const directPerMinute = 6;

/** A weight that was confirmed may come into force so much later. */
const lateMs = minute;

/** What came is not by chance so much more than the weight: it happens to 1 tick of 50 at most. */
const moved = 4;

/** So long an arm may be missing. Metrics that come later than this are not waited for either. */
const mostStrayMs = 15 * minute;
/** Three ticks of any length may be missing: each counts for a third at most. */
const mostOfStray = mostStrayMs / 3;
/** So many ticks in which both arms had requests make up for one that is missing. */
const makesUp = 10;

/** No tick alone says that the requests are not shared out as configured. */
const mostOfATick = 30;
/** Far above what holds a rollout; what was seen stays a number in whatever lasts after that. */
const mostOff = 1e12;

/** The newest tick counts so much for what is usual. */
const newest = 0.2;

const misrouted = 1000;

/** What a tick says about the routing, and what it is evidence for. A tick without requests says nothing. */
export function admit(known: Routing | undefined, split: Split, at: Weighing): Admitted {
  const routing = weighed(known ?? atFirst, at);
  const { candidate, champion } = split;
  if (candidate + champion === 0) return { routing, against: at.share, isFor: true, inFavour: at.share };
  const isEarly = at.period !== undefined && at.start < routing.since + lateMs;
  const isImpossible = surprise(split, at) > impossible;
  const why = whyOut(routing, split, { isEarly, isImpossible });
  const isWhole = candidate > 0 && champion > 0;
  const looks = !isEarly && why !== 'gaps' && (isWhole || isImpossible);
  const seen = looks ? looked(routing, split, at) : routing;
  const next = why === undefined ? withAlone(withCame(seen, split, at), split, at) : without(seen, why, at);
  const isLeftOut = isImpossible && why !== undefined;
  return {
    routing: next,
    ...(isLeftOut ? {} : { against: isImpossible ? shareOf(split, at) : shareAgainst(routing, at) }),
    isFor: why === undefined,
    inFavour: shareInFavour(routing, at),
  };
}

/**
 * The share by which the next tick counts for a promotion: the weight, or what came since it holds if that is less. Direct
 * calls of the champion make its bad requests more, and by the weight the candidate would look better for it.
 */
function shareInFavour({ came: { candidate, champion } }: Routing, { share, unit }: Weighing): number {
  return unit === 'request' && candidate > 0 ? Math.min(share, candidate / (candidate + champion)) : share;
}

/** The share by which the next tick counts against the candidate: the weight, or what came since it holds if that is far more. */
export const shareAgainst = ({ came }: Routing, at: Pick<Weighing, 'share' | 'unit'>): number =>
  divergence(came.candidate, came.champion, at.share) > moved ? shareOf(came, at) : at.share;

/**
 * What came, if it is more than the weight. Users who are at risk are not those who were assigned: of them it is always the
 * weight.
 */
function shareOf({ candidate, champion }: Split, { share, unit }: Pick<Weighing, 'share' | 'unit'>): number {
  const came = candidate / (candidate + champion);
  return unit === 'request' && champion > 0 && came > share ? came : share;
}

/**
 * A weight that was confirmed begins a new time. If the requests were not shared out as configured before, a person has
 * ordered to go on, and what came before that is forgotten.
 */
function weighed(known: Routing, { share, period, start }: Weighing): Routing {
  if (known.period === period && known.share === share) return known;
  const { alone: _, ...rest } = known;
  return {
    ...rest,
    ...(isMisrouted(known) ? { off: noneOff, forgiven: timesForgiven(known) + 1 } : {}),
    ...{ share, before: known.share, since: start, came: noneCame, strayMs: 0 },
    ...(period === undefined ? {} : { period }),
  };
}

/** What came since this share holds; `undefined`: another one holds. */
export const routedAt = ({ share, came }: Routing, at: number): Split | undefined => (share === at ? came : undefined);

export const timesForgiven = (routing: Routing | undefined): number => routing?.forgiven ?? 0;

/**
 * `n KL(observed || configured)` of n requests. Chernoff: numbers of one side have this or more with a probability of
 * `exp(-surprise)` at most, the direct calls aside that either arm may have.
 */
export function surprise({ candidate, champion }: Split, at: Odds): number {
  const { share } = at;
  const direct = directIn(at);
  const isLow = candidate < (candidate + champion) * share;
  const ours = isLow ? candidate : Math.max(0, candidate - direct);
  const theirs = isLow ? Math.max(0, champion - direct) : champion;
  const all = ours + theirs;
  if (all === 0 || isLow !== ours < all * share) return 0;
  return divergence(ours, theirs, share);
}

/** Such numbers do not happen by chance. */
export const isNoChance = (split: Split, at: Odds): boolean => surprise(split, at) > impossible;

function divergence(candidate: number, champion: number, share: number): number {
  const all = candidate + champion;
  return part(candidate, all * share) + part(champion, all * (1 - share));
}

const part = (came: number, meant: number): number => (came === 0 ? 0 : came * Math.log(came / meant));

const directIn = ({ tickMs, unit }: Odds): number => (unit === 'user' ? 0 : (directPerMinute * tickMs) / minute);

interface Seen {
  readonly isEarly: boolean;
  readonly isImpossible: boolean;
}

/** Why a tick is left out; `undefined`: it is not, for the candidate has about its share, or more. */
function whyOut(routing: Routing, split: Split, { isEarly, isImpossible }: Seen): keyof LeftOut | undefined {
  const { candidate, champion } = split;
  const isFew = candidate < (candidate + champion) * routing.share;
  if (isEarly && ((isImpossible && isFew) || fitsBefore(routing, split))) return 'late';
  if (!isImpossible) return undefined;
  if (candidate === 0 && routing.usual === undefined) return undefined;
  if (candidate === 0 || (champion === 0 && !hasAll(routing, split))) return 'gaps';
  return isFew ? 'few' : undefined;
}

const fitsBefore = ({ share, before }: Routing, { candidate, champion }: Split): boolean =>
  (candidate === 0 ? 0 : candidate * Math.log(before / share)) + champion * Math.log((1 - before) / (1 - share)) > 0;

/** The champion has no requests because the candidate gets them: it has far more than its share of what is usual. */
const hasAll = ({ share, usual }: Routing, { candidate }: Split): boolean =>
  usual !== undefined && share <= 0.5 && candidate > (usual * (1 + share)) / 2;

function withCame(routing: Routing, { candidate, champion }: Split, at: Odds): Routing {
  const { came, usual = candidate + champion } = routing;
  const next = { ...routing, came: { candidate: came.candidate + candidate, champion: came.champion + champion } };
  if (candidate === 0 || champion === 0) return next;
  return {
    ...next,
    usual: usual + newest * (candidate + champion - usual),
    strayMs: strayAfter(routing, -1 / makesUp, at),
  };
}

/**
 * How much is missing, after so many more ticks without an arm; a part of one less after a tick in which both had
 * requests. So gaps that are rare never add up, however long a weight holds, and one tick of an hour is no long gap.
 */
const strayAfter = ({ strayMs }: Routing, ticks: number, { tickMs }: Odds): number =>
  Math.max(0, strayMs + ticks * Math.min(tickMs, mostOfStray));

/**
 * With few requests a tick without those of one arm is possible, and a row of them is not: it is a gap as well, from its
 * first tick on. What was counted of it stays, because nothing of it is known to be missing before.
 */
function withAlone(routing: Routing, { candidate, champion }: Split, at: Odds): Routing {
  const { alone, ...rest } = routing;
  if (candidate > 0 && champion > 0) return rest;
  const known = alone ?? { candidate: 0, champion: 0, ticks: 0, told: 0 };
  const ticks = known.ticks + 1;
  const sum = { candidate: known.candidate + candidate, champion: known.champion + champion };
  const isGap = surprise(sum, { ...at, tickMs: at.tickMs * ticks }) > impossible;
  const told = isGap ? ticks : known.told;
  const more = told - known.told;
  return {
    ...rest,
    alone: { ...sum, ticks, told },
    leftOut: { ...rest.leftOut, gaps: rest.leftOut.gaps + more },
    strayMs: strayAfter(rest, more, at),
  };
}

const without = (routing: Routing, why: keyof LeftOut, at: Odds): Routing => ({
  ...routing,
  leftOut: { ...routing.leftOut, [why]: routing.leftOut[why] + 1 },
  strayMs: strayAfter(routing, why === 'late' ? 0 : 1, at),
});

/**
 * The sample ratio with one more tick: for each deviation d a mixture over the ticks t at which it may have begun,
 * `R <- (R + 1 / ((t + 1) (t + 2))) min(L, 30)`.
 *
 * L is the likelihood ratio of the numbers of a tick in which both arms had requests, under that condition:
 *
 *     (theta / rho)^c ((1 - theta) / (1 - rho))^p (1 - rho^n - (1 - rho)^n) / (1 - theta^n - (1 - theta)^n)
 *
 * with theta / (1 - theta) = d rho / (1 - rho). A tick in which an arm has none does not come into it, so a gap of any
 * traffic is nothing against the routing. If d > 1, c is without the candidate's direct calls; else p is without the
 * champion's. Both make L smaller.
 *
 * The parts of the mixture add up to 1, so the mean over d reaches 1000 in 1 rollout of 1,000 at most (Ville), and what a
 * person has forgiven makes it smaller still. Impossible ticks in which an arm had no requests come into it with L = 30,
 * and have a probability of 1e-6.
 */
function looked(routing: Routing, split: Split, at: Odds): Routing {
  const t = routing.looked;
  const begun = 1 / ((t + 1) * (t + 2));
  const off = routing.off.map((known, index) => {
    const factor = Math.exp(Math.min(Math.log(mostOfATick), logShared(split, at, deviations[index] ?? 1)));
    return Math.min(mostOff, (known + begun) * factor);
  });
  return { ...routing, off, looked: t + 1 };
}

/** `log L` of one tick. */
export function logShared({ candidate, champion }: Split, at: Odds, deviation: number): number {
  const { share } = at;
  const meant = (share * deviation) / (share * deviation + 1 - share);
  const direct = directIn(at);
  const ours = deviation > 1 ? Math.max(0, candidate - direct) : candidate;
  const theirs = deviation > 1 ? champion : Math.max(0, champion - direct);
  const both = candidate > 0 && champion > 0 ? bothCame(share, candidate + champion) : 1;
  const bothMeant = candidate > 0 && champion > 0 ? bothCame(meant, candidate + champion) : 1;
  return ours * Math.log(meant / share) + theirs * Math.log((1 - meant) / (1 - share)) + Math.log(both / bothMeant);
}

const bothCame = (share: number, requests: number): number => 1 - share ** requests - (1 - share) ** requests;

/** `log S`; 0 before the first tick. */
export function logSampleRatio(routing: Routing | undefined): number {
  if (routing === undefined || routing.looked === 0) return 0;
  return Math.log(Math.max(Number.MIN_VALUE, routing.off.reduce((sum, value) => sum + value, 0) / routing.off.length));
}

/** Its requests are not shared out as configured, or too much is missing. */
export const isMisrouted = (routing: Routing): boolean =>
  logSampleRatio(routing) >= Math.log(misrouted) || routing.strayMs > mostStrayMs;

export const ticksLeftOut = ({ leftOut: { late, gaps, few } }: Routing): number => late + gaps + few;

/** What a person is told of it; `undefined`: there is nothing to tell. */
export function leftOutText(routing: Routing): string | undefined {
  const { late, gaps, few } = routing.leftOut;
  const parts = [
    [gaps, 'without requests of one model'],
    [few, "with far too few of the candidate's"],
    [late, 'right after a change of weight, where only what speaks against the candidate may count'],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return told.length === 0 ? undefined : `${countText(ticksLeftOut(routing), 'tick')} left out: ${told.join(', ')}`;
}
