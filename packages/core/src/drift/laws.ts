import { logGamma, turningPoint } from '../base/log.ts';

/**
 * The laws that p-values are read from. A p-value is in [0, 1] and never `NaN`; nothing counted on one side is p = 1.
 */

/**
 * P(chi-square with `degrees` of freedom >= x), to about 1e-12 relative. 1 for x <= 0 or no degrees of freedom.
 *
 * Source: the incomplete gamma function Q(degrees / 2, x / 2), by its series below the mean and by its continued fraction
 * above (Abramowitz & Stegun 6.5.29 and 6.5.31, Lentz's method).
 */
export function chiSquareTail(x: number, degrees: number): number {
  const [a, half] = [degrees / 2, x / 2];
  if (!(a > 0 && half > 0)) return 1;
  if (half === Number.POSITIVE_INFINITY) return 0;
  const front = Math.exp(a * Math.log(half) - half - logGamma(a));
  return Math.min(1, half < a + 1 ? 1 - front * gammaSeries(a, half) : front * gammaFraction(a, half));
}

function gammaSeries(a: number, x: number): number {
  let [term, sum] = [1 / a, 1 / a];
  for (let k = 1; k < 100_000 && term > sum * 1e-17; k += 1) {
    term *= x / (a + k);
    sum += term;
  }
  return sum;
}

function gammaFraction(a: number, x: number): number {
  let [b, c, d] = [x + 1 - a, Number.POSITIVE_INFINITY, 1 / (x + 1 - a)];
  let fraction = d;
  for (let k = 1; k < 100_000; k += 1) {
    const numerator = k * (a - k);
    b += 2;
    d = 1 / (b + numerator * d);
    c = b + numerator / c;
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return fraction;
}

/** The x that chi-square exceeds with probability `alpha`; 0 without a degree of freedom. */
export function chiSquareLimit(alpha: number, degrees: number): number {
  if (degrees <= 0) return 0;
  const most = degrees + 10 * Math.sqrt(degrees) + 200 - 4 * Math.log(alpha);
  return turningPoint(0, most, (x) => chiSquareTail(x, degrees) - alpha);
}

/** P(|normal| >= |z|): a chi-square with one degree of freedom is the square of a normal. */
export const normalTails = (z: number): number => chiSquareTail(z * z, 1);

/** So few pairs that the law of two samples is counted out: 10,000 steps of one multiplication. */
const fewPairs = 10_000;

/**
 * P(D >= d) of two samples of n and m rows of one continuous distribution; where rows are equal, or only seen on cells, it
 * is too great (conservative). Exact up to 10,000 pairs; beyond, by the two-sided law of one sample at
 * round(nm / (n + m)), and never below what two samples can reach at all.
 */
export function kolmogorovOfTwo(d: number, n: number, m: number): number {
  if (n === 0 || m === 0 || d <= 0) return 1;
  if (n * m <= fewPairs) return exactKolmogorov(d, n, m);
  return Math.max(kolmogorovTail(d, Math.max(1, Math.round((n * m) / (n + m)))), leastOfTwo(n, m));
}

/** The probability that all rows of one sample are above, or all below, those of the other. */
const leastOfTwo = (n: number, m: number): number =>
  Math.min(1, 2 * Math.exp(logGamma(n + 1) + logGamma(m + 1) - logGamma(n + m + 1)));

/**
 * P(D >= d) of two samples, counted out in n m steps. Memory for m numbers.
 *
 * Source: paths in a lattice that stay inside |i/n - j/m| < d (Hodges 1958, "The significance probability of the Smirnov
 * two-sample test"), as shares, so that nothing overflows.
 */
export function exactKolmogorov(d: number, n: number, m: number): number {
  if (n === 0 || m === 0) return 1;
  // D is a multiple of 1 / (n m): half a step below it separates "less than d" from the rest, whatever the rounding.
  const limit = (Math.round(d * n * m) - 0.5) / (n * m);
  const inside = new Float64Array(m + 1);
  for (let j = 0; j <= m; j += 1) inside[j] = j / m > limit ? 0 : 1;
  for (let i = 1; i <= n; i += 1) {
    for (let j = 0; j <= m; j += 1) {
      const before = (inside[j] ?? 0) * (i / (i + j));
      const left = j === 0 ? 0 : (inside[j - 1] ?? 0) * (j / (i + j));
      inside[j] = Math.abs(i / n - j / m) > limit ? 0 : before + left;
    }
  }
  return Math.min(1, Math.max(0, 1 - (inside[m] ?? 0)));
}

/**
 * P(D >= d) of one sample of n rows against its continuous distribution, two-sided.
 *
 * Exact (to 1e-9) up to 140 rows. With more it is right to about 1e-5, and its tail (n d^2 >= 2.2) is twice the one-sided
 * law: exact up to 10,000 rows, beyond to three digits above 1e-8.
 * Sources: Marsaglia, Tsang & Wang (2003) for few rows; Pelz & Good (1976) for many; Birnbaum & Tingey (1951) for the
 * tail; where each is used: Simard & L'Ecuyer (2011).
 */
export function kolmogorovTail(d: number, n: number): number {
  if (d <= 0) return 1;
  if (d >= 1) return 0;
  const square = n * d * d;
  if (d >= 0.5 || square >= (n <= 140 ? 4 : 2.2)) return Math.min(1, 2 * oneSidedTail(d, n));
  const inside = n <= 140 ? durbinMatrix(d, n) : pelzGood(d, n);
  return Math.min(1, Math.max(0, 1 - inside));
}

/** More terms than this are not summed up. */
const manyTerms = 10_000;

function oneSidedTail(d: number, n: number): number {
  if (n > manyTerms) return Math.exp(-((6 * n * d + 1) ** 2) / (18 * n));
  let [sum, logChoose] = [0, 0];
  for (let j = 0; j <= n * (1 - d) && j < n; j += 1) {
    const rest = 1 - d - j / n;
    if (rest > 0) sum += Math.exp(logChoose + Math.log(d) + (j - 1) * Math.log(d + j / n) + (n - j) * Math.log(rest));
    logChoose += Math.log((n - j) / (j + 1));
  }
  return sum;
}

/** P(D < d) as an entry of a power of Durbin's matrix, of about 2 n d rows. */
function durbinMatrix(d: number, n: number): number {
  const k = Math.floor(n * d) + 1;
  const size = 2 * k - 1;
  const h = k - n * d;
  const indexes = Array.from({ length: size }, (_, i) => i);
  let square: Matrix = indexes.map((i) => indexes.map((j) => durbinEntry(i, j, size, h)));
  let power: Matrix | undefined;
  for (let left = n; left > 0; left >>= 1) {
    if (left % 2 === 1) power = power === undefined ? square : product(power, square);
    if (left > 1) square = product(square, square);
  }
  let probability = power?.[k - 1]?.[k - 1] ?? 0;
  for (let i = 1; i <= n; i += 1) probability *= i / n;
  return probability;
}

type Matrix = readonly (readonly number[])[];

function durbinEntry(i: number, j: number, size: number, h: number): number {
  if (i - j + 1 < 0) return 0;
  let entry = 1;
  if (j === 0) entry -= h ** (i + 1);
  if (i === size - 1) entry -= h ** (size - j);
  if (j === 0 && i === size - 1 && 2 * h > 1) entry += (2 * h - 1) ** size;
  return entry / Math.exp(logGamma(i - j + 2));
}

function product(a: Matrix, b: Matrix): Matrix {
  return a.map((row) =>
    row.map((_, j) => {
      let sum = 0;
      for (let k = 0; k < row.length; k += 1) sum += (row[k] ?? 0) * (b[k]?.[j] ?? 0);
      return sum;
    }),
  );
}

/** P(D < d) as Kolmogorov's limit and three corrections in 1 / sqrt(n). */
function pelzGood(d: number, n: number): number {
  const z = Math.sqrt(n) * d;
  const [z2, z4, z6, z8] = [z ** 2, z ** 4, z ** 6, z ** 8];
  const p2 = Math.PI ** 2;
  const sums: [number, number, number, number] = [0, 0, 0, 0];
  for (let m = 1; m < 8 * z + 20; m += 2) {
    const [s, weight] = [p2 * m * m, Math.exp((-p2 * m * m) / (8 * z2))];
    sums[0] += weight;
    sums[1] += weight * (s / 4 - z2);
    sums[2] += weight * (6 * z6 + 2 * z4 + ((2 * z4 - 5 * z2) * s) / 4 + ((1 - 2 * z2) * s * s) / 16);
    const third = (s * s * s * (5 - 30 * z2)) / 64 + (s * s * (212 * z4 - 60 * z2)) / 16;
    sums[3] += weight * (third + (s * (135 * z4 - 96 * z6)) / 4 - 30 * z6 - 90 * z8);
  }
  let [extra2, extra3] = [0, 0];
  for (let k = 1; k < 4 * z + 10; k += 1) {
    const [s, weight] = [p2 * k * k, Math.exp((-p2 * k * k) / (2 * z2))];
    extra2 += weight * s;
    extra3 += weight * s * (3 * z2 - s);
  }
  const second = sums[2] / (72 * z ** 7) - extra2 / (36 * z ** 3);
  const third = sums[3] / (6480 * z ** 10) + extra3 / (216 * z6);
  return Math.sqrt(2 * Math.PI) * (sums[0] / z + sums[1] / (6 * z4 * n ** 0.5) + second / n + third / n ** 1.5);
}

/** `hits` of `rows`. */
export interface Part {
  readonly hits: number;
  readonly rows: number;
}

/**
 * Whether two shares differ: z = (p - q) / sqrt(r (1 - r) (1/n + 1/m)) with the pooled share r, positive where the first
 * is greater; p two-sided, by the normal law, and by Fisher's exact test where one of the four expectations is below 5.
 * No rows, or the same share of 0 or 1 on both sides: z = 0 and p = 1.
 */
export function twoProportions(first: Part, second: Part): { readonly z: number; readonly p: number } {
  const rows = first.rows + second.rows;
  const pooled = (first.hits + second.hits) / rows;
  if (first.rows === 0 || second.rows === 0 || pooled === 0 || pooled === 1) return { z: 0, p: 1 };
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / first.rows + 1 / second.rows));
  const z = (first.hits / first.rows - second.hits / second.rows) / error;
  const least = Math.min(first.rows, second.rows) * Math.min(pooled, 1 - pooled);
  return { z, p: least < 5 ? fisher(first, second) : normalTails(z) };
}

/**
 * Fisher's exact test of a 2 x 2 table, two-sided: the probability of all tables of the same sums that are as rare or
 * rarer. Steps: the smallest of the four sums.
 */
export function fisher(first: Part, second: Part): number {
  const [n, m, hits] = [first.rows, second.rows, first.hits + second.hits];
  // A table of these sums to the next, from k hits in the first part to k + 1.
  const ratio = (k: number) => ((hits - k) * (n - k)) / ((k + 1) * (m - hits + k + 1));
  const [lowest, highest] = [Math.max(0, hits - m), Math.min(hits, n)];
  const mode = Math.min(highest, Math.max(lowest, Math.floor(((hits + 1) * (n + 1)) / (n + m + 2))));
  const weights = [{ k: mode, weight: 1 }];
  for (let [k, weight] = [mode, 1]; k < highest && weight > 0; k += 1) {
    weight *= ratio(k);
    weights.push({ k: k + 1, weight });
  }
  for (let [k, weight] = [mode, 1]; k > lowest && weight > 0; k -= 1) {
    weight /= ratio(k - 1);
    weights.push({ k: k - 1, weight });
  }
  const seen = weights.find(({ k }) => k === first.hits)?.weight ?? 0;
  let [all, rare] = [0, 0];
  for (const { weight } of weights) {
    all += weight;
    if (weight <= seen * (1 + 1e-7)) rare += weight;
  }
  return Math.min(1, rare / all);
}

/**
 * p-values as they are after a choice among all of them (Benjamini & Hochberg 1995): those at most q are false in a share
 * of q of the findings at most, also if the checks are independent or positively dependent. In the order given.
 */
export function adjusted(ps: readonly number[]): readonly number[] {
  const order = ps.map((p, at) => ({ p, at })).sort((left, right) => right.p - left.p);
  const result = new Array<number>(ps.length).fill(1);
  let least = 1;
  order.forEach(({ p, at }, above) => {
    least = Math.min(least, (p * ps.length) / (ps.length - above));
    result[at] = least;
  });
  return result;
}
