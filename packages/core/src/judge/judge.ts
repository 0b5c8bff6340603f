import { logMean, logSum } from '../base/log.ts';
import { grouped, percent } from '../base/numbers.ts';
import type { Stream } from '../guardrails/guardrail.ts';
import type { Tick } from '../ports/telemetry.ts';
import type { Arm } from './compared.ts';
import { type Cell, type Evidence, type Place, withTick } from './evidence.ts';
import { type Interval, ratioInterval } from './interval.ts';
import type { AtShare } from './origin.ts';
import { logShift, pairsOf } from './paired.ts';
import { isMisrouted, leftOutText, logSampleRatio } from './routing.ts';
import type { Guardrail, Rules } from './rules.ts';
import { logSafe } from './safe.ts';
import { risenText } from './together.ts';
import { independent, logOfHarm, tauOf, weatherOf } from './weather.ts';

/** What the evidence says now. */
export type Verdict =
  | { readonly kind: 'harm'; readonly logE: number }
  /** A hard limit: policy, outside every bound. */
  | { readonly kind: 'limit'; readonly text: string }
  /** The requests were not shared out as configured, so no certificate is possible any more. */
  | { readonly kind: 'misrouted'; readonly text: string }
  /** By the share that came, the candidate does harm as well. Policy, as `limit`. */
  | { readonly kind: 'harmAsCame'; readonly text: string }
  /** Both arms got worse together, which no comparison of the two shows. Policy, as `limit`. */
  | { readonly kind: 'together'; readonly text: string }
  | { readonly kind: 'none' };

/**
 * The only place where ticks come in and a verdict goes out.
 *
 * Ticks are counted one after the other, up to the first that brings harm: its end is then `readTo`. Ticks that start
 * at `to` or later are not counted. Throws on impossible counts (see `withTick`), and then nothing is counted.
 */
export function judge(
  evidence: Evidence,
  { ticks, to, tickMs }: { readonly ticks: readonly Tick[]; readonly to: number; readonly tickMs: number },
  place: Place,
  rules: Rules,
): { readonly evidence: Evidence; readonly verdict: Verdict } {
  let counted = evidence;
  let verdict: Verdict | undefined;
  for (const tick of ticks) {
    if (tick.start >= to) break;
    counted = withTick(counted, tick, tickMs, place, rules);
    verdict = verdictOf(counted, place, rules);
    if (takesBack(verdict)) return { evidence: counted, verdict };
  }
  const read = counted.readTo < to ? { ...counted, readTo: to } : counted;
  return { evidence: read, verdict: verdict ?? verdictOf(read, place, rules) };
}

/**
 * The fewest ticks of a mirror in which it may find harm: two only teach what is usual, and each of the others multiplies
 * the evidence of a stream by its cap at most.
 */
export function fewestMirrored({ guardrails, alpha }: Rules): number {
  const needed = guardrails
    .filter(({ clock, alphaShare }) => clock === 'ticks' && alphaShare > 0)
    .map(({ alphaShare, streams, climates }) => {
      const logs = streams.filter(({ harm }) => harm).length + streams.filter(isPaired).length;
      const cap = Math.min(...streams.map(({ id }) => (climates[id] ?? independent).cap));
      return Math.ceil(Math.log(logs / (alpha * alphaShare)) / Math.log(cap));
    });
  return 2 + Math.max(0, ...needed);
}

const isPaired = ({ harm, segment }: Stream): boolean => harm && segment === undefined;

const isText = (text: string | undefined): text is string => text !== undefined;
const takesBack = ({ kind }: Verdict): boolean => kind === 'harm' || kind === 'limit' || kind === 'harmAsCame';

/**
 * Rolls back at E >= 1/alpha. A candidate that is not worse than tolerated is rolled back in at most a share alpha of
 * all rollouts, however often one looks (Ville). If requests were not shared out as configured there is no certificate
 * for either side, and harm by the share that came takes the candidate back. The hard limits always act.
 */
export function verdictOf(evidence: Evidence, place: Place, rules: Rules): Verdict {
  const limit = beyondLimit(evidence, place, rules);
  if (limit !== undefined) return { kind: 'limit', text: limit };
  if (place.champion === undefined) return { kind: 'none' };
  const misrouted = misroutedIn(evidence, rules);
  if (misrouted !== undefined || place.astray === true) {
    const harm = harmAsCame(evidence, rules);
    if (harm !== undefined) return { kind: 'harmAsCame', text: [harm, misrouted].filter(isText).join('; ') };
    return misrouted === undefined ? ofBoth(evidence, rules) : { kind: 'misrouted', text: misrouted };
  }
  const logE = isToForgive(evidence) ? 0 : logHarm(evidence, rules);
  if (logE >= Math.log(1 / rules.alpha)) return { kind: 'harm', logE };
  return ofBoth(evidence, rules);
}

/** A person has ordered to go on, and the first tick after that has not come. */
const isToForgive = ({ routing, from }: Evidence): boolean =>
  routing !== undefined && routing.period !== from && isMisrouted(routing);

/** What both arms did together, which only the past can be compared with. */
function ofBoth({ together }: Evidence, { together: rule }: Rules): Verdict {
  if (together?.risen === undefined || rule === undefined || 'off' in rule) return { kind: 'none' };
  return { kind: 'together', text: risenText(together.risen, rule) };
}

/**
 * The candidate is not to blame for failures that the champion has as well, so a sender of bad requests to both cannot
 * reach the limit. These failures are subtracted tick by tick, so that an incident is not compared with the champion's
 * better days. Both arms need `minRequests` in ticks in which both had some. Sticky users are counted in place of their
 * requests, so that each user weighs the same.
 *
 * A candidate without a champion is measured by its requests as they are.
 */
function beyondLimit(evidence: Evidence, { champion }: Place, rules: Rules): string | undefined {
  const { share, minRequests } = rules.limits.errors;
  const isAlone = champion === undefined;
  const compared = isAlone ? { ...evidence, championRequests: minRequests, excused: 0 } : evidence.compared;
  if (compared === undefined || Math.min(compared.candidate.requests, compared.championRequests) < minRequests)
    return undefined;
  const { candidate, excused } = compared;
  if ((candidate.errors - excused) / candidate.requests <= share) return undefined;
  const counted = `${grouped(candidate.errors)} of ${grouped(candidate.requests)}`;
  const failed =
    isAlone || rules.unit === 'request'
      ? `${counted} requests to the candidate failed`
      : `${counted} users of the candidate had failed requests for the first time`;
  const others = isAlone ? '' : `, where ${grouped(Math.round(excused))} would have at the champion's rate`;
  const most = grouped(Math.floor(candidate.requests * share + excused));
  return `${failed}${others}; the limit is ${isAlone ? percent(share) : `${percent(share)} of them beyond that`}, which is ${most}`;
}

/** The share of each arm's requests that fails, for a person. */
export function failing({ candidate, stable }: Pick<Evidence, 'candidate' | 'stable'>): string {
  const share = ({ requests, errors }: Arm) => (requests === 0 ? 'none' : percent(errors / requests));
  return `${share(candidate)} of the candidate's ${grouped(candidate.requests)} requests failed, and ${share(stable)} of the champion's ${grouped(stable.requests)}`;
}

/** `log S` of the sample ratio; 0 where the share is not configured. */
export const logRouted = ({ routing }: Evidence): number => logSampleRatio(routing);

function misroutedIn({ routing, from, routed }: Evidence, { unit }: Rules): string | undefined {
  if (routing === undefined || routing.period !== from || !isMisrouted(routing)) return undefined;
  const parts = Object.entries(routed).map(([weight, [candidate, champion]]) => {
    const all = candidate + champion;
    const share = grouped(Math.round((all * Number(weight)) / 100));
    return `at ${weight} % the candidate should have got about ${share} of ${grouped(all)}, and got ${grouped(candidate)}`;
  });
  const leftOut = leftOutText(routing);
  return `the ${unit}s were not shared out as configured: ${parts.join('; ')}${leftOut === undefined ? '' : `; ${leftOut}`}`;
}

/** The mirror's predictions are systematically higher or lower; certified at alpha, both directions together. */
export function shiftedIn({ mirrored }: Evidence, rules: Rules): string | undefined {
  if (mirrored === undefined || logShift(mirrored.higher, mirrored.lower) < Math.log(1 / rules.alpha)) return undefined;
  const { higher, lower } = mirrored;
  return `of ${higher + lower} pairs with different predictions the candidate's is higher in ${higher} and lower in ${lower}`;
}

/**
 * `log E` of the family: the evidence against the candidate in all guardrails together.
 *
 * Guardrails on the ticks' clock are averaged with their parts of alpha; they may depend on each other. Evidence on
 * another clock must reach 1/alpha with its own part (Choe & Ramdas 2402.09698 say why it must not be added).
 */
export function logHarm(evidence: Evidence, rules: Rules): number {
  const together: number[] = [];
  let top = Number.NEGATIVE_INFINITY;
  for (const guardrail of rules.guardrails) {
    if (guardrail.alphaShare === 0) continue;
    const own = Math.log(guardrail.alphaShare) + logGuardrail(evidence, guardrail, rules);
    if (guardrail.clock === 'ticks') together.push(own);
    else top = Math.max(top, own);
  }
  return Math.max(top, logSum(together));
}

/** What is most to blame if the guardrails on the ticks' clock reach 1/alpha by the share that came, segments left out. */
function harmAsCame(evidence: Evidence, { guardrails, alpha }: Rules): string | undefined {
  const own = guardrails
    .filter(({ alphaShare, clock }) => alphaShare > 0 && clock === 'ticks')
    .map(({ name, alphaShare, streams }) => {
      const whole = streams.filter(({ harm, segment }) => harm && segment === undefined);
      const logs = whole.map(({ id }) => logMean(weatherOf(evidence, id)?.came ?? [0]));
      return { name, log: Math.log(alphaShare) + logMean(logs) };
    });
  if (logSum(own.map(({ log }) => log)) < Math.log(1 / alpha)) return undefined;
  const { name } = own.reduce((a, b) => (b.log > a.log ? b : a));
  return `among the requests that came the candidate does worse (${name}): ${failing(evidence)}`;
}

/** `log E` of one guardrail. Its streams share it evenly, and so do pairs and split traffic if there are both. */
export function logGuardrail(evidence: Evidence, guardrail: Guardrail, rules: Rules): number {
  if (guardrail.loss !== undefined) return evidence.labels?.harm.logK ?? 0;
  const logs: number[] = [];
  for (const stream of guardrail.streams) {
    if (!stream.harm) continue;
    logs.push(logStream(evidence, stream.id, guardrail));
    if (rules.mirrored && isPaired(stream)) logs.push(logPairs(evidence, stream.id));
  }
  return logMean(logs);
}

/** `log E` of the pairs of a mirror against the candidate; before the first of them 0. */
export const logPairs = (evidence: Evidence, id: string): number =>
  logMean(weatherOf(evidence, pairsOf(id))?.harm ?? [0]);

/** `log E` of one stream against the candidate; before its first tick 0. */
export function logStream(evidence: Evidence, id: string, { climates }: Guardrail): number {
  const known = weatherOf(evidence, id);
  return known === undefined ? 0 : logOfHarm(known, climates[id] ?? independent);
}

/** Without ticks in which the champion had no requests: only the candidate could have been blamed for them. */
const againstCandidate = (cell: Cell, weight: number, maxBurst: number): AtShare => ({
  share: weight / 100,
  candidate: cell.candidate / maxBurst,
  champion: (cell.champion + cell.championAlone) / maxBurst,
});

/** Without ticks in which the candidate had no requests: only the champion could have been blamed for them. */
const forCandidate = (cell: Cell, weight: number, maxBurst: number): AtShare => ({
  share: weight / 100,
  candidate: (cell.candidate + cell.candidateAlone) / maxBurst,
  champion: cell.champion / maxBurst,
});

/**
 * Whether there is nothing to judge: both arms had requests, and the platform did not count this guardrail's measures.
 */
export const unmeasured = ({ streams, routed }: Evidence, { clock, streams: own }: Guardrail): boolean =>
  clock === 'ticks' &&
  Object.values(routed).some(([candidate, champion]) => candidate > 0 && champion > 0) &&
  own.every(({ id }) => Object.keys(streams[id] ?? {}).length === 0);

export interface Safety {
  readonly stream: string;
  readonly logE: number;
}

/**
 * What speaks for the candidate at the last step's weight, by each stream that a promotion certificate needs.
 * `undefined`: no guardrail decides, so there is nothing to certify.
 */
export function safetyOf(evidence: Evidence, weight: number, rules: Rules): readonly Safety[] | undefined {
  const deciding = rules.guardrails.filter((each) => each.alphaShare > 0 && !unmeasured(evidence, each));
  if (deciding.length === 0) return undefined;
  return deciding.flatMap((guardrail) =>
    guardrail.loss === undefined
      ? guardrail.streams
          .filter(({ promotes }) => promotes)
          .map((stream) => ({ stream: stream.id, logE: logSafe(evidence, stream, { weight, guardrail, rules }) }))
      : [{ stream: guardrail.name, logE: evidence.labels?.safety.logK ?? 0 }],
  );
}

/** The streams that still keep the candidate from a promotion certificate: each is below 1/beta. */
export const shortfalls = (evidence: Evidence, weight: number, rules: Rules): readonly Safety[] | undefined =>
  safetyOf(evidence, weight, rules)?.filter(({ logE }) => logE < Math.log(1 / rules.beta));

/**
 * The interval of the ratio of bad shares, at level 1 - alpha; where shares moved inside a cell, by the wider bound, and
 * wider by the noise that is known (interval.ts).
 */
export function intervalOf(evidence: Evidence, id: string, guardrail: Guardrail, { alpha, routing }: Rules): Interval {
  const cells = Object.entries(evidence.streams[id] ?? {});
  const sides = (count: typeof againstCandidate, bound: 'low' | 'high') =>
    cells.map(([weight, cell]) => ({
      ...count(cell, Number(weight), guardrail.maxBurst),
      ...(cell.shares === undefined || routing === 'configured' ? {} : { share: cell.shares[bound] }),
    }));
  const climate = guardrail.climates[id] ?? independent;
  const weather = weatherOf(evidence, id);
  const noise = {
    tau: weather === undefined ? climate.tau : tauOf(weather, climate),
    dispersion: climate.dispersion,
    // What is usual now, or was on average, whichever is more.
    bad: Math.max(weather?.typical ?? 0, badInATick(evidence, id, guardrail)),
  };
  return ratioInterval(sides(againstCandidate, 'high'), sides(forCandidate, 'low'), alpha, noise);
}

/** On average since the rollout began, as the evidence counts them. */
function badInATick({ streams, ticks }: Evidence, id: string, { maxBurst }: Guardrail): number {
  let bad = 0;
  for (const cell of Object.values(streams[id] ?? {}))
    bad += cell.candidate + cell.champion + cell.candidateAlone + cell.championAlone;
  return bad / maxBurst / Math.max(ticks, 1);
}
