import type { ModelPlan } from '@serin/core/config/config';
import type { Shown } from './past.ts';
import { logOfPairs, logOfStream, type Stream } from './weather.ts';

/**
 * The formulas of rollout-decisions.md once more, in the form of shares of bad requests (theta): what the core says is
 * held against these, so nothing of the judge is used here.
 */

/** Bad requests of the ticks of one weight; `Alone`: of ticks in which the other arm had no request. */
export interface Cell {
  readonly candidate: number;
  readonly champion: number;
  readonly candidateAlone: number;
  readonly championAlone: number;
  readonly candidateRequests: number;
  readonly championRequests: number;
}

/** Everything that was counted in a rollout: cells by stream and weight (percent). */
export interface Counted {
  readonly streams: Readonly<Record<string, Readonly<Record<string, Cell>>>>;
  readonly routed: Readonly<Record<string, readonly [number, number]>>;
  readonly pairs: Readonly<Record<string, readonly [number, number]>>;
  /** What losses have come to. */
  readonly losses: { readonly harm: Bets; readonly safety: Bets };
  /** What the streams of ticks have come to. */
  readonly heard: Readonly<Record<string, Stream>>;
}

/** Bets on losses, one after the other. */
export interface Bets {
  readonly values: number;
  readonly sum: number;
  readonly squares: number;
  readonly log: number;
}

export const noBets: Bets = { values: 0, sum: 0, squares: 0, log: 0 };

/**
 * One more value, whose mean is `most` at most under the null hypothesis. What is put on it follows from the values
 * before, and with the least value there can be half of the capital is left.
 */
export function bet({ values, sum, squares, log }: Bets, value: number, most: number, least: number): Bets {
  const count = values + 1;
  const mean = sum / count;
  const gain = mean - most;
  const variance = Math.max(0.001, (squares + 1) / count - mean ** 2);
  const part = most <= least ? 0 : Math.min(Math.max(0, gain / (variance + gain ** 2)), 0.5 / (most - least));
  return {
    ...{ values: count, sum: sum + value, squares: squares + value ** 2 },
    log: log + Math.log1p(part * (value - most)),
  };
}

type Plan = ModelPlan['rollout'];

/** A guardrail that is on, as the plan has it. */
export interface Watched {
  readonly name: 'errors' | 'latency' | 'labels';
  readonly toleratedRatio: number;
  readonly margin: number;
  readonly floor: number;
  readonly maxBurst: number;
  /** Its part of alpha; 0: a dry run. */
  readonly part: number;
  readonly harms: readonly string[];
  readonly promotes: readonly string[];
}

/** The guardrails of a plan; without frozen percentiles there is none of latency, and by first requests none promotes. */
export function watchedIn(
  { guardrails }: Plan,
  {
    hasLatency,
    sticky,
    segments,
  }: { readonly hasLatency: boolean; readonly sticky: boolean; readonly segments: readonly string[] },
): readonly Watched[] {
  const { errors, latency, labels } = guardrails;
  const isWorst = labels?.missing === 'worst';
  const withSegments = (ids: readonly string[]) => ids.flatMap((id) => [id, ...segments.map((one) => `${id}@${one}`)]);
  const rows = [
    { name: 'errors' as const, rule: errors, harms: withSegments(['errors']), promotes: ['errors'] },
    {
      name: 'latency' as const,
      rule: hasLatency ? latency : (false as const),
      harms: withSegments(['latency.p50', 'latency.p90', 'latency.p99']),
      promotes: sticky ? [] : ['latency.p90', 'latency.p99'],
    },
    {
      name: 'labels' as const,
      rule: labels ?? false,
      harms: ['labels'],
      promotes: [isWorst ? 'labels.worst' : 'labels'],
    },
  ];
  const on = rows.flatMap(({ rule, ...row }) => (typeof rule === 'object' ? [{ ...row, rule }] : []));
  const live = on.filter(({ rule }) => !rule.dryRun);
  const given = live.reduce((sum, { rule }) => sum + (rule.alphaShare ?? 0), 0);
  const open = live.filter(({ rule }) => rule.alphaShare === undefined).length;
  return on.map(({ rule, ...row }) => {
    const { toleratedRatio, margin, floor, maxBurst, dryRun, alphaShare = (1 - given) / open } = rule;
    return { ...row, toleratedRatio, margin, floor, maxBurst, part: dryRun ? 0 : alphaShare };
  });
}

const growths = [1.1, 1.25, 1.5, 2, 3, 5, 10] as const;

/** `log E` of all guardrails together. */
export function logHarm(counted: Counted, plan: Plan, watched: readonly Watched[]): number {
  const own = watched
    .filter(({ part }) => part > 0)
    .map((guardrail) => ({
      isLate: guardrail.name === 'labels',
      log: Math.log(guardrail.part) + logOfMean(guardrail.harms.flatMap((id) => harmOf(id, guardrail, counted, plan))),
    }));
  const together = own.filter(({ isLate }) => !isLate).map(({ log }) => log);
  return Math.max(logOfSum(together), ...own.filter(({ isLate }) => isLate).map(({ log }) => log));
}

function harmOf(
  id: string,
  { name, toleratedRatio: r0, maxBurst }: Watched,
  counted: Counted,
  plan: Plan,
): readonly number[] {
  if (name === 'labels' && plan.guardrails.labels?.kind === 'loss') return [counted.losses.harm.log];
  const heard = counted.heard[id];
  const cells = Object.entries(counted.streams[id] ?? {});
  const split =
    name !== 'labels'
      ? heard === undefined
        ? 0
        : logOfStream(heard)
      : logOfMean(
          growths.map((growth) =>
            total(cells, (weight, cell) =>
              against(
                weight,
                r0,
                r0 * growth,
                cell.candidate / maxBurst,
                (cell.champion + cell.championAlone) / maxBurst,
              ),
            ),
          ),
        );
  if (plan.strategy !== 'shadow' || id.includes('@')) return [split];
  if (name !== 'labels') return [split, logOfPairs(counted.heard[`${id}.mirror`])];
  // Each pair of labels counts by itself: as many as those that a coin of one half had sent to either model.
  const [ours, theirs] = counted.pairs[id] ?? [0, 0];
  const paired = growths.map((growth) => against(50, r0, r0 * growth, ours / maxBurst, theirs / maxBurst));
  return [split, logOfMean(paired)];
}

/** `log E` of the guardrails on the clock of the ticks, by the requests that came; no segment takes part. */
export const logAsCame = ({ heard }: Counted, watched: readonly Watched[]): number =>
  logOfSum(
    watched
      .filter(({ part, name }) => part > 0 && name !== 'labels')
      .map(({ part, harms }) => {
        const whole = harms.filter((id) => !id.includes('@'));
        return Math.log(part) + logOfMean(whole.map((id) => logOfMean(heard[id]?.came ?? [0])));
      }),
  );

/**
 * `log E'` of one stream, from the ticks of the last step. `together`: bad requests that are known to come together;
 * `past`: what the champion did before, if it counts; `start`: what a mirror has shown.
 */
export function logSafe(
  {
    cell,
    early,
    heard,
    together,
    past,
    start,
    beside,
  }: {
    readonly cell: Cell | undefined;
    /** What of it was counted before a person let a rollout go on after a hold for its routing. */
    readonly early: Cell | undefined;
    readonly heard: Stream | undefined;
    readonly together: number;
    readonly past: ((shown: Shown) => number) | undefined;
    readonly start: number;
    /** The part of the champion's requests that may not have come through the endpoint. */
    readonly beside: number;
  },
  weight: number,
  { margin, floor, maxBurst }: Watched,
): number {
  if (cell === undefined) return start;
  const bad = cell.candidate + cell.candidateAlone;
  // As many as its share explains: what calls it directly would make its bad requests look rare.
  const explainedOf = (own: number, theirs: number, failed: number) =>
    Math.min(own, Math.max((theirs * (1 - beside) * weight) / (100 - weight), failed));
  // Before a pardon and after it; the first may only count against it.
  const halves = (test: (failed: number, of: number) => number): number => {
    const [own, theirs] = [cell.candidateRequests, cell.championRequests];
    if (early === undefined) return test(bad, explainedOf(own, theirs, bad));
    const first = early.candidate + early.candidateAlone;
    const rest = bad - first;
    const before = test(first, explainedOf(early.candidateRequests, early.championRequests, first));
    const since = explainedOf(own - early.candidateRequests, theirs - early.championRequests, rest);
    return Math.min(before, 0) + test(rest, since);
  };
  const countedOnce = (champion: number, own: number, times: number) =>
    [0.5, 0.7, 0.85, 1, 1.1].map((r) => against(weight, margin, r, own / times, champion / times));
  const whole = logOfMean(heard?.safe ?? countedOnce(cell.champion, bad, maxBurst));
  const others = Math.max(0, cell.champion - beside * cell.championRequests);
  const ratio =
    beside > 0 ? Math.min(whole, logOfMean(countedOnce(others, cell.candidate, maxBurst * together))) : whole;
  const absolute = (failed: number, of: number) =>
    logOfMean(
      [0, floor / 4, floor / 2].map(
        (x) =>
          ((failed === 0 ? 0 : failed * Math.log(x / floor)) + (of - failed) * Math.log((1 - x) / (1 - floor))) /
          (maxBurst * together),
      ),
    );
  const present = logOfMean([ratio, halves(absolute)]);
  if (past === undefined) return start + present;
  const known = halves((failed, of) => past({ bad: failed / together, requests: of / together, margin, floor }));
  return start + Math.log(0.9) + logOfMean([present, known]);
}

/** `log` of the likelihood of which arm each bad request came from: ratio `r` against ratio `null0`. */
function against(weight: number, null0: number, r: number, candidate: number, champion: number): number {
  const share = weight / 100;
  const theta = (ratio: number): number => (share * ratio) / (share * ratio + 1 - share);
  return candidate * Math.log(theta(r) / theta(null0)) + champion * Math.log((1 - theta(r)) / (1 - theta(null0)));
}

const total = <Item>(items: readonly (readonly [string, Item])[], value: (weight: number, item: Item) => number) =>
  items.reduce((sum, [weight, item]) => sum + value(Number(weight), item), 0);

function logOfSum(logs: readonly number[]): number {
  const top = Math.max(...logs);
  return Number.isFinite(top) ? top + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - top), 0)) : top;
}
const logOfMean = (logs: readonly number[]): number => logOfSum(logs) - Math.log(logs.length);
