/** `log(sum of exp)`, without overflow. Of no numbers, or of logs of zero: `-Infinity`. */
export function logSum(logs: readonly number[]): number {
  let top = Number.NEGATIVE_INFINITY;
  for (const log of logs) if (log > top) top = log;
  if (top === Number.NEGATIVE_INFINITY || top === Number.POSITIVE_INFINITY) return top;
  let sum = 0;
  for (const log of logs) sum += Math.exp(log - top);
  return top + Math.log(sum);
}

/** The log of an even mixture. A mean of e-values is an e-value, also if they depend on each other. */
export const logMean = (logs: readonly number[]): number =>
  logs.length === 1 ? (logs[0] ?? Number.NaN) : logSum(logs) - Math.log(logs.length);

/**
 * `log B(a, b)` to about 1e-13 relative, up to arguments of 1e9: Stirling's series after shifting both above 10, put
 * together from ratios, as a difference of three log gammas of that size keeps only six digits.
 */
export function logBeta(a: number, b: number): number {
  let [x, y, shift] = [a, b, 0];
  for (; x < 10; x += 1) shift += Math.log1p(y / x);
  for (; y < 10; y += 1) shift += Math.log1p(x / y);
  const powers = -(x - 0.5) * Math.log1p(y / x) - y * Math.log1p(x / y) - 0.5 * Math.log(y);
  return shift + powers + 0.5 * Math.log(2 * Math.PI) + stirling(x) + stirling(y) - stirling(x + y);
}

/** `log Gamma(x)` for x > 0, to about 1e-13 (relative above 1): Stirling's series after shifting x above 10. */
export function logGamma(x: number): number {
  let [shifted, product] = [x, 1];
  for (; shifted < 10; shifted += 1) product *= shifted;
  return (
    (shifted - 0.5) * Math.log(shifted) - shifted + 0.5 * Math.log(2 * Math.PI) + stirling(shifted) - Math.log(product)
  );
}

/**
 * `log Gamma(b + y) - log Gamma(b)` for b > 0 and y >= 0, to about 1e-12: as one difference, which loses no digits where
 * both are large. It takes two logarithms, three where b is below 10.
 */
export function logRising(b: number, y: number): number {
  if (y === 0) return 0;
  let [from, product] = [b, 1];
  for (; from < 10; from += 1) product *= from / (from + y);
  const to = from + y;
  const shift = product === 1 ? 0 : Math.log(product);
  return shift + (from - 0.5) * Math.log1p(y / from) + y * Math.log(to) - y + stirling(to) - stirling(from);
}

/** `log Gamma(x)` beyond `(x - 1/2) log x - x + log(2 pi) / 2`. */
function stirling(x: number): number {
  const inverse = 1 / (x * x);
  return (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)))) / x;
}

/**
 * The regularised incomplete beta function, for shares below the mode: P(Beta(a, b) <= share), to about 1e-11 relative.
 *
 * Source: its continued fraction (Abramowitz & Stegun 26.5.8), evaluated by Lentz's method; it converges quickly for
 * shares below (a + 1) / (a + b + 2).
 */
export function incompleteBeta(share: number, a: number, b: number): number {
  if (share <= 0) return 0;
  const front = Math.exp(a * Math.log(share) + b * Math.log1p(-share) - logBeta(a, b)) / a;
  let [c, d] = [1, 1 / (1 - ((a + b) * share) / (a + 1))];
  let fraction = d;
  for (let m = 1; m < 100_000; m += 1) {
    const even = (m * (b - m) * share) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * share) / ((a + 2 * m) * (a + 2 * m + 1));
    for (const coefficient of [even, odd]) {
      d = 1 / (1 + coefficient * d);
      c = 1 + coefficient / c;
      fraction *= c * d;
    }
    if (!(Math.abs(c * d - 1) >= 1e-15)) break;
  }
  return front * fraction;
}

/**
 * Where a monotone function that is at least 0 at `low` and below 0 at `high` turns: 100 halvings, the last in
 * rounding.
 */
export function turningPoint(low: number, high: number, value: (x: number) => number): number {
  let [from, to] = [low, high];
  for (let round = 0; round < 100 && from !== to; round += 1) {
    const middle = (from + to) / 2;
    if (middle === from || middle === to) break;
    if (value(middle) >= 0) from = middle;
    else to = middle;
  }
  return (from + to) / 2;
}
