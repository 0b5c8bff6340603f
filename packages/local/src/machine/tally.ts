/** Upper bounds of the buckets in which latencies are told, in milliseconds, ascending. */
export const tallyBoundsMs: readonly number[] = [2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000];

/** Requests of one deployment since the server started. They are only shown: no decision depends on them. */
export interface Tally {
  add(latencyMs: number, isError: boolean): void;
  errors(): number;
  /** In seconds. */
  sum(): number;
  /** How many took no longer than each of the bounds; the last number: all of them. */
  upTo(): readonly number[];
}

export function newTally(): Tally {
  const buckets = new Float64Array(tallyBoundsMs.length + 1);
  let errors = 0;
  let sumMs = 0;
  return {
    add(latencyMs, isError) {
      let bucket = 0;
      while (bucket < tallyBoundsMs.length && latencyMs > (tallyBoundsMs[bucket] ?? 0)) bucket += 1;
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
      sumMs += latencyMs;
      if (isError) errors += 1;
    },
    errors: () => errors,
    sum: () => sumMs / 1000,
    upTo() {
      let below = 0;
      return Array.from(buckets, (count) => {
        below += count;
        return below;
      });
    },
  };
}
