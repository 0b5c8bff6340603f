import type { Rule } from './others.ts';
import type { Stream } from './stream.ts';

/**
 * Threshold rules whose limit is tuned to a false rollback of 1 %: the best that fixed limits can do when somebody
 * knows the traffic exactly. A shape is judged every tick from tick `after` on; it rolls back when its statistic is
 * above the limit in `inRow` ticks one after the other.
 */
export interface Shape {
  readonly name: string;
  /** `absolute`: the candidate's share of errors. `relative`: how many times the champion's it is. */
  readonly kind: 'absolute' | 'relative';
  /** Over the last so many ticks, or all. */
  readonly window: number | 'all';
  readonly inRow: number;
  readonly after: number;
}

const kinds = ['absolute', 'relative'] as const;
const windows = [1, 3, 5, 10, 15, 'all'] as const;
const rows = [1, 2, 3] as const;
const starts = [0, 5, 10] as const;

export const shapes: readonly Shape[] = kinds.flatMap((kind) =>
  windows.flatMap((window) =>
    rows.flatMap((inRow) =>
      starts.map((after) => ({
        name: `${kind}, ${window === 'all' ? 'all ticks' : `${window} min`}, ${inRow} in a row, from minute ${after + 1}`,
        kind,
        window,
        inRow,
        after,
      })),
    ),
  ),
);

/** The statistics of all shapes of a stream, each window computed once. */
export function statisticsOf(stream: Stream): (shape: Shape) => Float64Array {
  const known = new Map<string, Float64Array>();
  return ({ kind, window }) => {
    const key = `${kind} ${window}`;
    const found = known.get(key) ?? statistic(stream, kind, window);
    known.set(key, found);
    return found;
  };
}

/** Half an error more for the champion, so that a quiet minute of its does not make every ratio infinite. */
function statistic({ errors, requests, weights }: Stream, kind: Shape['kind'], window: Shape['window']): Float64Array {
  const values = new Float64Array(weights.length);
  let [ours, ourRequests, theirs, theirRequests] = [0, 0, 0, 0];
  for (let tick = 0; tick < values.length; tick += 1) {
    ours += errors.candidate[tick] ?? 0;
    ourRequests += requests.candidate[tick] ?? 0;
    theirs += errors.champion[tick] ?? 0;
    theirRequests += requests.champion[tick] ?? 0;
    const left = window === 'all' ? -1 : tick - window;
    if (left >= 0) {
      ours -= errors.candidate[left] ?? 0;
      ourRequests -= requests.candidate[left] ?? 0;
      theirs -= errors.champion[left] ?? 0;
      theirRequests -= requests.champion[left] ?? 0;
    }
    if (ourRequests === 0) continue;
    const share = ours / ourRequests;
    values[tick] = kind === 'absolute' ? share : theirRequests === 0 ? 0 : share / ((theirs + 0.5) / theirRequests);
  }
  return values;
}

/** The largest limit that this run would have crossed: below it the shape rolls back, from it on it does not. */
export function crossed(values: Float64Array, { inRow, after }: Shape): number {
  let highest = 0;
  for (let tick = after + inRow - 1; tick < values.length; tick += 1) {
    let lowest = Number.POSITIVE_INFINITY;
    for (let back = 0; back < inRow; back += 1) lowest = Math.min(lowest, values[tick - back] ?? 0);
    highest = Math.max(highest, lowest);
  }
  return highest;
}

export const rolledBackAt = (values: Float64Array, { inRow, after }: Shape, limit: number): number | undefined => {
  let above = 0;
  for (let tick = after; tick < values.length; tick += 1) {
    above = (values[tick] ?? 0) > limit ? above + 1 : 0;
    if (above >= inRow) return tick;
  }
  return undefined;
};

export const tunedRule =
  (shape: Shape, limit: number): Rule =>
  (stream) =>
    rolledBackAt(statisticsOf(stream)(shape), shape, limit);

/** The lowest limit that at most this share of the runs crosses. */
export function limitFor(highest: readonly number[], falseRollback: number): number {
  const sorted = highest.toSorted((a, b) => b - a);
  return sorted[Math.floor(sorted.length * falseRollback)] ?? Number.POSITIVE_INFINITY;
}
