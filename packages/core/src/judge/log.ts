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
export const logMean = (logs: readonly number[]): number => logSum(logs) - Math.log(logs.length);

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

/** `log Gamma(x)` beyond `(x - 1/2) log x - x + log(2 pi) / 2`. */
function stirling(x: number): number {
  const inverse = 1 / (x * x);
  return (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)))) / x;
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
