const fastestMs = 0.1;
const slowestMs = 60_000;
const growth = 1.05;

/**
 * Upper bounds of the latency buckets in milliseconds, ascending; each is 5 % above the one before.
 *
 * Bucket `i` holds `bounds[i - 1] < ms <= bounds[i]`; one more bucket holds what is slower than the last bound.
 */
export const bounds: readonly number[] = Array.from(
  { length: Math.ceil(Math.log(slowestMs / fastestMs) / Math.log(growth)) + 1 },
  (_, index) => fastestMs * growth ** index,
);

export const bucketCount = bounds.length + 1;

/** The bucket of a latency; by search, not by logarithm, so that a bound always lies in its own bucket. */
export function bucketOf(ms: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bounds[middle] ?? 0) < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * How many requests took longer than a threshold, which is rounded up to the next bound (by less than 5 %).
 *
 * A threshold that `quantile` answered is a bound, and not rounded. The rounding is the same for every deployment.
 */
export function slowerThan(histogram: Uint32Array, thresholdMs: number): number {
  let slower = 0;
  for (let bucket = bucketOf(thresholdMs) + 1; bucket < bucketCount; bucket++) slower += histogram[bucket] ?? 0;
  return slower;
}

/** The bound that a share of the requests did not exceed, in milliseconds; of an empty histogram the lowest bound. */
export function quantile(histogram: Uint32Array, share: number): number {
  const rank = Math.ceil(share * total(histogram));
  let seen = 0;
  for (let bucket = 0; bucket < bounds.length; bucket++) {
    seen += histogram[bucket] ?? 0;
    if (seen >= rank) return bounds[bucket] ?? slowestMs;
  }
  return bounds[bounds.length - 1] ?? slowestMs;
}

export function total(histogram: Uint32Array): number {
  let sum = 0;
  for (const count of histogram) sum += count;
  return sum;
}

/** `bucket:count` of the buckets that hold something, joined by commas. */
export function textOf(histogram: Uint32Array): string {
  const parts: string[] = [];
  for (const [bucket, count] of histogram.entries()) if (count > 0) parts.push(`${bucket}:${count}`);
  return parts.join(',');
}

/** Adds what `textOf` wrote, or several such texts with commas between them. No piece of it is copied: a week has many. */
export function addText(histogram: Uint32Array, text: string): void {
  let bucket = 0;
  let number = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === colon) bucket = number;
    else if (code === comma) histogram[bucket] = (histogram[bucket] ?? 0) + number;
    number = code === colon || code === comma ? 0 : number * 10 + (code - zero);
  }
  histogram[bucket] = (histogram[bucket] ?? 0) + number;
}

const [zero, colon, comma] = [48, 58, 44];
