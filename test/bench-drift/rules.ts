import { chiSquareTail, kolmogorovOfTwo } from '@serin/core/drift/laws';
import {
  chiSquare,
  jensenShannon,
  largestDifference,
  robustDistance,
  sagemakerFactor,
  total,
} from '@serin/core/drift/statistics';

/**
 * The rules of others as they are by default, written after their sources; `installed.ts` compares them with the packages.
 * All look at one window at a time, and forget it.
 */
export interface Rule {
  readonly name: string;
  /** What the rule was written after. */
  readonly source: string;
  readonly says: string;
  /** Whether a column alarms, of so many columns. */
  readonly numbers: (column: NumbersOf, columns: number) => boolean;
  readonly categories: (column: CategoriesOf, columns: number) => boolean;
}

/** A column of numbers: the reference, and the live values in ascending order. */
export interface NumbersOf {
  readonly reference: NumberReference;
  readonly live: Float64Array;
  /** Largest distance of the two distributions (Kolmogorov-Smirnov), and of earth mover, in standard deviations. */
  readonly distance: number;
  readonly moved: number;
}

/** Rows by category. */
export interface CategoriesOf {
  readonly reference: readonly number[];
  readonly live: readonly number[];
  readonly chunkLimit: number;
}

export interface NumberReference {
  readonly sorted: Float64Array;
  readonly deviation: number;
  /** Bins of equal width, by Doane's rule and ten of them. */
  readonly doane: Bins;
  readonly ten: Bins;
  /** What a Jensen-Shannon distance has to exceed by the distances of the reference's own chunks. */
  readonly chunkLimit: number;
}

interface Bins {
  readonly from: number;
  readonly width: number;
  readonly counts: readonly number[];
}

const rowsOf = ({ reference, live }: NumbersOf): readonly [number, number] => [reference.sorted.length, live.length];
const kolmogorovP = (column: NumbersOf): number => kolmogorovOfTwo(column.distance, ...rowsOf(column));
const jsNatural = ({ reference, live }: CategoriesOf): number =>
  jensenShannon(reference, live).distance * Math.sqrt(Math.LN2);

/** Chi-square of the live counts against the shares of the reference, as if these were known exactly. */
function oneSampleP({ reference, live }: CategoriesOf): number {
  const scale = total(live) / total(reference);
  let [statistic, cells] = [0, 0];
  reference.forEach((count, cell) => {
    if (count === 0) return;
    statistic += ((live[cell] ?? 0) - count * scale) ** 2 / (count * scale);
    cells += 1;
  });
  return chiSquareTail(statistic, Math.max(1, cells - 1));
}

export const rules: readonly Rule[] = [
  {
    name: 'Evidently',
    source: 'evidently 0.7.23, legacy/calculations/stattests/registry.py, `_get_default_stattest`; presets/drift.py',
    says: 'reference up to 1,000 rows: K-S, chi-square, p < 0.05; above: Wasserstein / std and Jensen-Shannon >= 0.1',
    numbers: (column) => (column.reference.sorted.length <= 1000 ? kolmogorovP(column) < 0.05 : column.moved >= 0.1),
    categories: (column) => (total(column.reference) <= 1000 ? oneSampleP(column) < 0.05 : jsNatural(column) >= 0.1),
  },
  {
    name: 'Azure ML',
    source: 'azure-ai-ml, entities/_monitoring/thresholds.py, `_get_default_thresholds`',
    says: 'Wasserstein / std >= 0.1; Jensen-Shannon distance >= 0.1',
    numbers: ({ moved }) => moved >= 0.1,
    categories: ({ reference, live }) => jensenShannon(reference, live).distance >= 0.1,
  },
  {
    name: 'NannyML',
    source: 'nannyml 0.13.1, drift/univariate/calculator.py, `DEFAULT_THRESHOLDS`; methods.py, `JensenShannonDistance`',
    says: 'Jensen-Shannon distance above the mean and three deviations of the reference in chunks of m rows',
    numbers: ({ reference, live }) => jensenShannon(...binned(reference.doane, live)).distance > reference.chunkLimit,
    categories: ({ reference, live, chunkLimit }) => jensenShannon(reference, live).distance > chunkLimit,
  },
  {
    name: 'Alibi Detect',
    source: 'alibi-detect 0.13.0, cd/tabular.py, `TabularDrift` with its default `correction`',
    says: 'K-S, chi-square of two samples, p < 0.05 / columns',
    numbers: (column, columns) => kolmogorovP(column) < 0.05 / columns,
    categories: ({ reference, live }, columns) => chiSquare(reference, live).p < 0.05 / columns,
  },
  {
    name: 'SageMaker, robust',
    source: 'awslabs/deequ, `Distance.scala`; the constraints that Model Monitor suggests',
    says: 'K-S and L-infinity, less 1.8 sqrt((n+m)/(nm)), > 0.1',
    numbers: (column) => robustDistance(column.distance, ...rowsOf(column), sagemakerFactor) > 0.1,
    categories: ({ reference, live }) =>
      robustDistance(largestDifference(reference, live), total(reference), total(live), sagemakerFactor) > 0.1,
  },
  {
    name: 'Vertex AI',
    source:
      '`gcloud ai model-monitoring-jobs create`, its default of `--feature-thresholds`; numbers in ten bins of equal width here',
    says: 'Jensen-Shannon divergence and L-infinity > 0.3',
    numbers: ({ reference, live }) => jensenShannon(...binned(reference.ten, live)).distance ** 2 > 0.3,
    categories: ({ reference, live }) => largestDifference(reference, live) > 0.3,
  },
  {
    name: 'a test a column',
    source: 'whylogs 1.6.4, viz/drift/configs.py: drift at p < 0.05 (there on sketches)',
    says: 'K-S, chi-square of two samples, p < 0.05',
    numbers: (column) => kolmogorovP(column) < 0.05,
    categories: ({ reference, live }) => chiSquare(reference, live).p < 0.05,
  },
];

/** Mean and three deviations of the distances of chunks. */
export function limitOf(distances: readonly number[]): number {
  const mean = total(distances) / distances.length;
  return mean + 3 * Math.sqrt(total(distances.map((distance) => (distance - mean) ** 2)) / distances.length);
}

/** Where chunks of so many rows begin; the last may have fewer. */
export const chunkStarts = (rows: number, chunk: number): readonly number[] =>
  Array.from({ length: Math.ceil(rows / chunk) }, (_, index) => index * chunk);

/** `chunk`: rows of a live window. */
export function numberReference(values: Float64Array, chunk: number): NumberReference {
  const sorted = values.toSorted();
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const moment = (power: number) => sorted.reduce((sum, value) => sum + (value - mean) ** power, 0) / sorted.length;
  const deviation = Math.sqrt(moment(2));
  const n = sorted.length;
  const skew = Math.abs(moment(3) / deviation ** 3) / Math.sqrt((6 * (n - 2)) / ((n + 1) * (n + 3)));
  const binsOf = (count: number): Bins => {
    const from = sorted[0] ?? 0;
    const width = ((sorted[n - 1] ?? 0) - from) / count;
    return { from, width, counts: countsIn({ from, width, counts: new Array<number>(count + 1).fill(0) }, sorted) };
  };
  const doane = binsOf(Math.ceil(1 + Math.log2(n) + Math.log2(1 + skew)));
  const distances = chunkStarts(n, chunk).map(
    (from) => jensenShannon(...binned(doane, values.subarray(from, from + chunk))).distance,
  );
  return { sorted, deviation, doane, ten: binsOf(10), chunkLimit: limitOf(distances) };
}

/** The last of the counts is for what lies outside. */
function countsIn({ from, width, counts: { length } }: Bins, values: Float64Array): readonly number[] {
  const counts = new Array<number>(length).fill(0);
  const last = length - 2;
  for (const value of values) {
    const at = (value - from) / width;
    // The greatest value of the reference is in the last bin.
    const bin = at < 0 || at > last + 1 + 1e-9 ? last + 1 : Math.min(last, Math.floor(at));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

const binned = (bins: Bins, live: Float64Array): [readonly number[], readonly number[]] => [
  bins.counts,
  countsIn(bins, live),
];

/** Both distances in one walk over the two in ascending order. */
export function numbersOf(reference: NumberReference, values: Float64Array): NumbersOf {
  const live = values.toSorted();
  const { sorted, deviation } = reference;
  const [n, m] = [sorted.length, live.length];
  let [ours, theirs, before, distance, moved] = [0, 0, Math.min(sorted[0] ?? 0, live[0] ?? 0), 0, 0];
  while (ours < n || theirs < m) {
    const at = Math.min(sorted[ours] ?? Number.POSITIVE_INFINITY, live[theirs] ?? Number.POSITIVE_INFINITY);
    const gap = Math.abs(ours / n - theirs / m);
    moved += gap * (at - before);
    if (gap > distance) distance = gap;
    before = at;
    while (sorted[ours] === at) ours += 1;
    while (live[theirs] === at) theirs += 1;
  }
  return { reference, live, distance, moved: moved / deviation };
}
