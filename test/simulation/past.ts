import type { Rollout } from '@serin/core/model/rollout/state';
import type { Stream } from './weather.ts';

/**
 * What the champion's past and the pairs of a mirror add to a promotion, once more and from the rule's text: nothing of
 * the judge is used here.
 */
export interface Shown {
  readonly bad: number;
  readonly requests: number;
  readonly margin: number;
  readonly floor: number;
}

/** `log E'` of the candidate's counts against the champion's past; `undefined`: its past does not count. */
export function againstPast(
  { history, plan, evidence }: Rollout,
  { id, measure, maxBurst }: { readonly id: string; readonly measure: string; readonly maxBurst: number },
): ((shown: Shown) => number) | undefined {
  const known = history === undefined || history === 'none' ? undefined : history.measures[measure];
  if (known === undefined || history === undefined || history === 'none' || maxBurst > 1) return undefined;
  const minutes = (history.to - history.from) / 60_000;
  const least = known.bad / minutes < 2 ? leastOf(known.parts ?? [], plan.beta / 10, known.dispersion) : 0;
  if (least === 0) return undefined;
  if (evidence.unlike?.includes(id)) return () => Number.NEGATIVE_INFINITY;
  return ({ bad, requests, margin, floor }) => {
    const worst = Math.max(floor, margin * least);
    if (worst >= 1) return 0;
    return logOfMean(
      [0.5, 0.7, 0.85, 1, 1.1].map(
        (part) =>
          bad * Math.log((part * least) / worst) + (requests - bad) * Math.log((1 - part * least) / (1 - worst)),
      ),
    );
  };
}

/** What a mirror has shown before the last step: half of what is needed at most. */
export function fromPairs({ plan }: Rollout, pairs: Stream | undefined): number {
  if (plan.strategy !== 'shadow' || pairs === undefined) return 0;
  return Math.min(logOfMean(pairs.safe), Math.log(1 / plan.beta) / 2);
}

const limits = new Map<string, number>();

function leastOf(parts: readonly { bad: number; requests: number }[], error: number, together: number): number {
  const key = JSON.stringify([parts, error, together]);
  const known = limits.get(key);
  if (known !== undefined) return known;
  const least =
    parts.length === 0
      ? 0
      : Math.min(...parts.map(({ bad, requests }) => quantile(bad / together, requests / together, error)));
  limits.set(key, least);
  return least;
}

/** Where the integral of the density of Beta(a, n - a + 1), over the logarithm of the share, reaches `error`. */
function quantile(a: number, n: number, error: number): number {
  if (a === 0) return 0;
  if (a >= n) return error ** (1 / a);
  const b = n - a + 1;
  const peak = Math.log(a / (a + b - 1));
  const width = 14 / Math.sqrt(a);
  const cells = 20_000;
  const from = peak - width - 14 / a;
  const step = (Math.min(0, peak + width) - from) / cells;
  const density = (u: number) =>
    Math.exp(a * (u - peak) + (b - 1) * (Math.log1p(-Math.exp(Math.min(u, -1e-12))) - Math.log1p(-Math.exp(peak))));
  const sums = [0];
  for (let cell = 0; cell < cells; cell += 1) sums.push((sums[cell] ?? 0) + density(from + (cell + 0.5) * step) * step);
  const wanted = error * (sums[cells] ?? 1);
  const cell = sums.findIndex((sum) => sum >= wanted);
  const [low = 0, high = 1] = [sums[cell - 1], sums[cell]];
  return Math.exp(from + (cell - 1 + (wanted - low) / (high - low)) * step);
}

function logOfMean(logs: readonly number[]): number {
  const top = Math.max(...logs);
  return top + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - top), 0) / logs.length);
}
