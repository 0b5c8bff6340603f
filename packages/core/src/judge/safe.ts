import { logMean } from '../base/log.ts';
import { minute } from '../base/time.ts';
import type { Stream } from '../guardrails/guardrail.ts';
import { directCalls } from './direct.ts';
import type { Cell, Cells, Evidence } from './evidence.ts';
import type { MeasureHistory } from './history.ts';
import { pairsOf } from './paired.ts';
import { logAgainstPast, logBelowPast, lowerLimit, refutes } from './past.ts';
import { logFloor, logPromotion, logRatio } from './promotion.ts';
import type { Guardrail, Rules } from './rules.ts';
import { independent, weatherOf } from './weather.ts';

/**
 * What speaks for a promotion of one stream: the ratio and the floor (promotion.ts), where requests are few the champion's
 * past (past.ts), and the pairs of a mirror.
 *
 *     without a past  E' = P (E'ratio + E'floor) / 2
 *     with a past     E' = 0.9 P ((E'ratio + E'floor) / 4 + E'past / 2)
 *     of a mirror     P  = min(E'pairs, sqrt(1 / beta)), and 1 without one
 *
 * E' reaches 1/beta with probability beta at most under H0'. P is fixed before the last step, an e-value of H0' of its
 * own, and the rest is a supermartingale from the last step on, so their product is one. At least half of the logarithm
 * that is needed comes from requests that the candidate served itself. Without a past that is all. With one, E' >= 1/beta
 * means P (...) >= 1 / (0.9 beta), which has probability 0.9 beta at most if the limit of the past is right, and it is
 * wrong with probability 0.1 beta at most: the promise stays beta.
 */

/** The part of beta that pays for the limit of the past. */
const partOfPast = 0.1;
/** Where so many requests a minute are bad, the ratio is quick by itself, and noise is greater than chance. */
const fewBad = 2;

/** The least share that the champion may have now, from its past; 0: the past counts nothing. */
export function limitOf(stream: Stream, guardrail: Guardrail, { beta, unit, history }: Rules): number {
  const known = history?.measures[stream.measure];
  if (history === undefined || known === undefined || unit === 'user') return 0;
  if (guardrail.clock !== 'ticks' || !stream.promotes || stream.segment !== undefined || guardrail.maxBurst > 1)
    return 0;
  return (known.bad * minute) / (history.to - history.from) < fewBad ? leastShare(known, beta * partOfPast) : 0;
}

/** The streams whose past counts for a promotion. */
export const pastsOf = (rules: Rules): readonly { readonly stream: Stream; readonly limit: number }[] =>
  rules.guardrails.flatMap((guardrail) =>
    guardrail.alphaShare === 0
      ? []
      : guardrail.streams.flatMap((stream) => {
          const limit = limitOf(stream, guardrail, rules);
          return limit === 0 ? [] : [{ stream, limit }];
        }),
  );

const limits = new WeakMap<MeasureHistory, Map<number, number>>();

/** Remembered, because it is asked for in every tick. */
function leastShare(known: MeasureHistory, error: number): number {
  const byError = limits.get(known) ?? new Map<number, number>();
  limits.set(known, byError);
  const before = byError.get(error);
  if (before !== undefined) return before;
  const { parts = [], dispersion } = known;
  const found = parts.map(({ bad, requests }) => lowerLimit(bad / dispersion, requests / dispersion, error));
  const limit = found.length === 0 ? 0 : Math.min(...found);
  byError.set(error, limit);
  return limit;
}

/** `log E'` of one stream from the ticks of the last step, whose weight is given. */
export function logSafe(
  evidence: Evidence,
  stream: Stream,
  { weight, guardrail, rules }: { readonly weight: number; readonly guardrail: Guardrail; readonly rules: Rules },
): number {
  const start = rules.mirrored && guardrail.clock === 'ticks' ? startOf(evidence, stream, rules.beta) : 0;
  const cell = evidence.streams[stream.id]?.[weight];
  const known = weatherOf(evidence, stream.id);
  const limit = limitOf(stream, guardrail, rules);
  const price = limit === 0 ? 0 : Math.log(1 - partOfPast);
  if (cell === undefined || known === undefined) return start + price;
  const { margin, floor } = guardrail;
  const together = togetherIn(stream.id, guardrail);
  const direct = guardrail.clock === 'ticks' ? directCalls(cell, evidence.routing, weight) : 0;
  const old = guardrail.clock === 'ticks' ? evidence.forgiven?.[stream.id]?.[weight] : undefined;
  const shown = (test: Test): number => {
    if (old === undefined) return test(shownIn(cell, { weight, direct }));
    const after = test(shownIn(without(cell, old), { weight, direct }));
    return Math.min(0, test(shownIn(old, { weight, direct }))) + after;
  };
  const whole = logMean(known.safe ?? [0]);
  const ratio = direct === 0 ? whole : Math.min(whole, logWithout(direct, cell, { weight, margin, together }));
  const present = logPromotion(
    ratio,
    shown(({ bad, requests }) => logFloor(bad, requests, floor, together)),
  );
  if (limit === 0) return start + present;
  const past = isUnlike(evidence, stream.id)
    ? Number.NEGATIVE_INFINITY
    : shown(({ bad, requests }) => logAgainstPast(bad / together, requests / together, { limit, margin, floor }));
  return start + price + logMean([present, past]);
}

/** Of a candidate's requests those that were bad, and so many as are taken to be all. */
interface Shown {
  readonly bad: number;
  readonly requests: number;
}
type Test = (shown: Shown) => number;

interface Whole {
  readonly weight: number;
  readonly direct: number;
}

const shownIn = (cell: Cell, { weight, direct }: Whole): Shown => ({
  bad: cell.candidate + cell.candidateAlone,
  requests: explained(cell, weight, direct),
});

/**
 * What came after a person ordered to go on. What came before, when requests were not shared out as configured, counts
 * only against a promotion: the product of a number that is 1 at most, and of a test that begins anew.
 */
const without = (cell: Cell, old: Cell): Cell => ({
  ...cell,
  candidate: cell.candidate - old.candidate,
  champion: cell.champion - old.champion,
  candidateAlone: cell.candidateAlone - old.candidateAlone,
  championAlone: cell.championAlone - old.championAlone,
  candidateRequests: cell.candidateRequests - old.candidateRequests,
  championRequests: cell.championRequests - old.championRequests,
});

/** `log E'ratio` of all bad requests of the last step, but for as many of the champion's as direct calls may have been. */
function logWithout(
  direct: number,
  { candidate, champion }: Cell,
  { weight, margin, together }: { readonly weight: number; readonly margin: number; readonly together: number },
): number {
  const counted = { candidate: candidate / together, champion: Math.max(0, champion - direct) / together };
  return logRatio([{ ...counted, share: weight / 100 }], margin);
}

/**
 * The candidate's requests, or as many as its share explains if these are fewer: health checks that call it directly
 * would make its bad requests look rare, and those of the champion explain none. Fewer of them make less of the evidence,
 * so the bound keeps. Direct calls that both get in the same proportion cannot be seen.
 */
function explained(cell: Cell, weight: number, direct: number): number {
  if (cell.shares !== undefined) return cell.candidateRequests;
  const meant = (Math.max(0, cell.championRequests - direct) * weight) / (100 - weight);
  return Math.min(cell.candidateRequests, Math.max(meant, cell.candidate + cell.candidateAlone));
}

/** How many bad requests count as one. */
const togetherIn = (id: string, { maxBurst, climates }: Guardrail): number =>
  maxBurst * (climates[id] ?? independent).dispersion;

/** A mirror that saw no pair with one bad answer says nothing. */
const startOf = (evidence: Evidence, { id }: Stream, beta: number): number =>
  Math.min(logMean(weatherOf(evidence, pairsOf(id))?.safe ?? [0]), Math.log(1 / beta) / 2);

/** The champion has been better in this rollout than its past: what the past says of this stream does not count. */
export const isUnlike = ({ unlike = [] }: Pick<Evidence, 'unlike'>, id: string): boolean => unlike.includes(id);

/** Asks after each tick whether the champion is still as its past was. Once it was not, its past stays out. */
export function withUnlike(evidence: Evidence, rules: Rules): Evidence {
  if (rules.history === undefined) return evidence;
  let { unlike = [] } = evidence;
  for (const guardrail of rules.guardrails)
    for (const stream of guardrail.streams) {
      const limit = limitOf(stream, guardrail, rules);
      const cells = evidence.streams[stream.id];
      if (limit === 0 || cells === undefined || unlike.includes(stream.id)) continue;
      const { bad, requests } = ofChampion(cells);
      const together = togetherIn(stream.id, guardrail);
      if (logBelowPast(bad / together, requests / together, limit) >= Math.log(refutes))
        unlike = [...unlike, stream.id];
    }
  return unlike === evidence.unlike || unlike.length === 0 ? evidence : { ...evidence, unlike };
}

function ofChampion(cells: Cells): { readonly bad: number; readonly requests: number } {
  let [bad, requests] = [0, 0];
  for (const weight in cells) {
    const cell = cells[weight];
    if (cell === undefined) continue;
    bad += cell.champion + cell.championAlone;
    requests += cell.championRequests;
  }
  return { bad, requests };
}
