/** A histogram of Cloud Monitoring; numbers that need 64 bits are texts. */
export interface Distribution {
  readonly count?: string;
  readonly bucketOptions?: BucketOptions;
  /** Empty buckets at the end may be left out. */
  readonly bucketCounts?: readonly string[];
}

interface BucketOptions {
  readonly explicitBuckets?: { readonly bounds?: readonly number[] };
  readonly exponentialBuckets?: Finite & { readonly growthFactor?: number; readonly scale?: number };
  readonly linearBuckets?: Finite & { readonly offset?: number; readonly width?: number };
}

interface Finite {
  readonly numFiniteBuckets?: number;
}

/** Counts of values below a bound, and not below the bound before. */
interface Bucket {
  readonly below: number;
  readonly count: number;
}

export const countOf = ({ count = '0' }: Distribution): number => Number(count);

/**
 * How many values may be over a threshold. `NaN`: its buckets do not say.
 *
 * "A bucket has an inclusive lower bound and exclusive upper bound" (Distribution.BucketOptions). All of a bucket counts
 * when part of it is over the threshold, so no slow request is hidden; a threshold that is a bound is counted exactly.
 */
export function countOver(distribution: Distribution, threshold: number): number {
  const buckets = bucketsOf(distribution);
  if (buckets === undefined) return Number.NaN;
  return buckets.reduce((total, { below, count }) => (below > threshold ? total + count : total), 0);
}

/** For each share the lowest bound that at least so many values are below; above all bounds, the last one. */
export function boundsOf(distributions: readonly Distribution[], shares: readonly number[]): readonly number[] {
  const counts = new Map<number, number>();
  for (const { below, count } of distributions.flatMap((each) => bucketsOf(each) ?? []))
    counts.set(below, (counts.get(below) ?? 0) + count);
  const buckets = [...counts].sort(([a], [b]) => a - b);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  const last = buckets.findLast(([below]) => below < Number.POSITIVE_INFINITY)?.[0] ?? Number.NaN;
  return shares.map((share) => {
    let seen = 0;
    const found = buckets.find(([, count]) => {
      seen += count;
      return seen >= Math.ceil(share * total);
    });
    return Math.min(found?.[0] ?? Number.NaN, last);
  });
}

/** `undefined` when they do not hold all values: without buckets, or with too few. */
function bucketsOf({
  count = '0',
  bucketOptions = {},
  bucketCounts = [],
}: Distribution): readonly Bucket[] | undefined {
  if (Number(count) === 0) return [];
  const bounds = finiteBounds(bucketOptions);
  const counts = bucketCounts.map(Number);
  const held = counts.reduce((sum, each) => sum + each, 0);
  if (bounds.length === 0 || counts.length > bounds.length + 1 || held !== Number(count)) return undefined;
  return [...bounds, Number.POSITIVE_INFINITY].map((below, index) => ({ below, count: counts[index] ?? 0 }));
}

/** Upper bounds, by the formulas of Distribution.BucketOptions. */
function finiteBounds({ explicitBuckets, exponentialBuckets, linearBuckets }: BucketOptions): readonly number[] {
  const each = (finite: Finite, bound: (index: number) => number) =>
    Array.from({ length: (finite.numFiniteBuckets ?? 0) + 1 }, (_, index) => bound(index));
  if (exponentialBuckets !== undefined) {
    const { scale = 0, growthFactor = 0 } = exponentialBuckets;
    return each(exponentialBuckets, (index) => scale * growthFactor ** index);
  }
  if (linearBuckets !== undefined) {
    const { offset = 0, width = 0 } = linearBuckets;
    return each(linearBuckets, (index) => offset + width * index);
  }
  return explicitBuckets?.bounds ?? [];
}
