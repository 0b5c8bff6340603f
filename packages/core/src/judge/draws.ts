/** Random counts for a rehearsal: the same seed gives the same ones on every machine. */
export interface Draws {
  poisson(mean: number): number;
}

/** Above it a normal distribution does, and `exp(-mean)` would come near the smallest number. */
const walkUpTo = 60;

export function drawsOf(seed: number): Draws {
  let state = seed | 0;
  /** mulberry32, in (0, 1). */
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4_294_967_296;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  const walk = (mean: number): number => {
    let value = 0;
    let probability = Math.exp(-mean);
    for (let left = next() - probability; left > 0 && probability > 0; left -= probability) {
      value += 1;
      probability *= mean / value;
    }
    return value;
  };
  return {
    poisson: (mean) => (mean < walkUpTo ? walk(mean) : Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()))),
  };
}
