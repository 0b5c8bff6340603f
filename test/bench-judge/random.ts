/**
 * A seeded source of numbers and exact draws from the distributions of the streams.
 *
 * xoshiro128** (Blackman & Vigna) for the bits; the same seeds give the same numbers on every machine, up to the last
 * bits of `Math.log` and `Math.exp`. No draw is by a normal approximation.
 */
export interface Random {
  /** In (0, 1), from 53 bits. */
  next(): number;
  normal(): number;
  poisson(mean: number): number;
  binomial(trials: number, share: number): number;
}

/** Above this mean a transformed rejection is quicker than a walk along the distribution. */
const walkUpTo = 10;

/** Each of the seeds is mixed in, so (bench seed, case, run) gives streams that have nothing in common. */
export function random(...seeds: readonly number[]): Random {
  const state = seeded(seeds);
  const bits = (): number => xoshiro(state);
  const next = (): number => ((bits() >>> 6) * 134_217_728 + (bits() >>> 5) + 0.5) / 9_007_199_254_740_992;
  let spare: number | undefined;
  const normal = (): number => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(next()));
    const angle = 2 * Math.PI * next();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return {
    next,
    normal,
    poisson: (mean) => (mean <= 0 ? 0 : mean < walkUpTo ? walkPoisson(next, mean) : rejectPoisson(next, mean)),
    binomial: (trials, share) => binomial(next, trials, share),
  };
}

/** splitmix32 over all seeds fills the state: neighbouring seeds share nothing. */
function seeded(seeds: readonly number[]): Int32Array {
  let mixed = 0x9e3779b9 | 0;
  const step = (): number => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let value = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
    return value ^ (value >>> 15);
  };
  for (const seed of seeds) {
    mixed ^= seed | 0;
    mixed = step() ^ Math.floor(seed / 2 ** 32);
    mixed = step();
  }
  return Int32Array.from([step(), step(), step(), step() | 1]);
}

function xoshiro(state: Int32Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = [state[0], state[1], state[2], state[3]];
  const scrambled = Math.imul(b, 5);
  const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
  const third = c ^ a;
  const fourth = d ^ b;
  state[0] = a ^ fourth;
  state[1] = b ^ third;
  state[2] = third ^ (b << 9);
  state[3] = (fourth << 11) | (fourth >>> 21);
  return result >>> 0;
}

function walkPoisson(next: () => number, mean: number): number {
  let value = 0;
  let probability = Math.exp(-mean);
  let left = next();
  while (left > probability) {
    left -= probability;
    value += 1;
    probability *= mean / value;
    // Only rounding leaves something at the far end of the distribution.
    if (probability === 0) break;
  }
  return value;
}

/** PTRS of Hörmann, The transformed rejection method for generating Poisson random variables (1993). */
function rejectPoisson(next: () => number, mean: number): number {
  const logMean = Math.log(mean);
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const quick = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = next() - 0.5;
    const v = next();
    const distance = 0.5 - Math.abs(u);
    const value = Math.floor(((2 * a) / distance + b) * u + mean + 0.43);
    if (distance >= 0.07 && v <= quick) return value;
    if (value < 0 || (distance < 0.013 && v > distance)) continue;
    const log = Math.log((v * inverseAlpha) / (a / (distance * distance) + b));
    if (log <= value * logMean - mean - logFactorial(value)) return value;
  }
}

function binomial(next: () => number, trials: number, share: number): number {
  if (trials <= 0 || share <= 0) return 0;
  if (share >= 1) return trials;
  if (share > 0.5) return trials - binomial(next, trials, 1 - share);
  return trials * share < walkUpTo ? walkBinomial(next, trials, share) : rejectBinomial(next, trials, share);
}

function walkBinomial(next: () => number, trials: number, share: number): number {
  const odds = share / (1 - share);
  let value = 0;
  let probability = Math.exp(trials * Math.log1p(-share));
  let left = next();
  while (left > probability) {
    left -= probability;
    value += 1;
    if (value > trials) return trials;
    probability *= (odds * (trials - value + 1)) / value;
    if (probability === 0) break;
  }
  return value;
}

/** BTRS of Hörmann, The generation of binomial random variates (1993). */
function rejectBinomial(next: () => number, trials: number, share: number): number {
  const spread = Math.sqrt(trials * share * (1 - share));
  const b = 1.15 + 2.53 * spread;
  const a = -0.0873 + 0.0248 * b + 0.01 * share;
  const centre = trials * share + 0.5;
  const quick = 0.92 - 4.2 / b;
  const alpha = (2.83 + 5.1 / b) * spread;
  const logOdds = Math.log(share / (1 - share));
  const mode = Math.floor((trials + 1) * share);
  const atMode = logFactorial(mode) + logFactorial(trials - mode);
  for (;;) {
    const u = next() - 0.5;
    const v = next();
    const distance = 0.5 - Math.abs(u);
    const value = Math.floor(((2 * a) / distance + b) * u + centre);
    if (value < 0 || value > trials) continue;
    if (distance >= 0.07 && v <= quick) return value;
    const log = Math.log((v * alpha) / (a / (distance * distance) + b));
    if (log <= atMode - logFactorial(value) - logFactorial(trials - value) + (value - mode) * logOdds) return value;
  }
}

const smallFactorials = Float64Array.from({ length: 32 }, (_, n) => {
  let sum = 0;
  for (let factor = 2; factor <= n; factor += 1) sum += Math.log(factor);
  return sum;
});

/** `log n!`; Stirling's series from 32 on is right to 1e-15 relative. */
export function logFactorial(n: number): number {
  if (n < smallFactorials.length) return smallFactorials[n] ?? 0;
  const inverse = 1 / (n * n);
  return (
    (n + 0.5) * Math.log(n) -
    n +
    0.5 * Math.log(2 * Math.PI) +
    (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / n
  );
}
