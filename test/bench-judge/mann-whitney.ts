import { normalQuantile } from './distribution.ts';

/**
 * The shift interval of Mann and Whitney as Kayenta computes it: the asymptotic two-sample interval of R's
 * `wilcox.test(x, y, conf.int = TRUE, exact = FALSE, correct = TRUE)`, whose ends are roots of a step function.
 *
 * Follows spinnaker/kayenta `kayenta-mannwhitney/.../MannWhitney.scala` (`calculateConfidenceInterval`, `wilcoxonDiff`)
 * and `KayentaBrentSolver.java` (`brentDirect`), which is R's `zeroin`.
 */
export interface Shift {
  readonly low: number;
  readonly high: number;
  readonly estimate: number;
}

/** `undefined` when all observations are tied, where Kayenta throws. Both samples must be sorted. */
export function shiftInterval(x: readonly number[], y: readonly number[], confidence: number): Shift | undefined {
  const [least = 0, most = 0] = [x[0], x[x.length - 1]];
  const from = least - (y[y.length - 1] ?? 0);
  const to = most - (y[0] ?? 0);
  const z = quantile((1 - confidence) / 2);
  const [atFrom, atTo] = [standardised(x, y, from), standardised(x, y, to)];
  if (Number.isNaN(atFrom) || Number.isNaN(atTo)) return undefined;
  const root = (wanted: number): number => {
    if (atFrom - wanted <= 0) return from;
    if (atTo - wanted >= 0) return to;
    return brent(from, to, atFrom - wanted, atTo - wanted, (shift) => standardised(x, y, shift) - wanted);
  };
  const estimate = brent(from, to, atFrom, atTo, (shift) => standardised(x, y, shift));
  return { low: root(-z), high: root(z), estimate };
}

const quantiles = new Map<number, number>();
function quantile(tail: number): number {
  const known = quantiles.get(tail) ?? normalQuantile(tail);
  quantiles.set(tail, known);
  return known;
}

/** The standardised rank sum of `x - shift` against `y`, with its correction; NaN when all are tied. */
export function standardised(x: readonly number[], y: readonly number[], shift: number): number {
  let [before, halves, ties, i, j] = [0, 0, 0, 0, 0];
  while (i < x.length || j < y.length) {
    const value = Math.min((x[i] ?? Number.POSITIVE_INFINITY) - shift, y[j] ?? Number.POSITIVE_INFINITY);
    let [xs, ys] = [0, 0];
    while (i < x.length && (x[i] ?? 0) - shift === value) [xs, i] = [xs + 1, i + 1];
    while (j < y.length && y[j] === value) [ys, j] = [ys + 1, j + 1];
    // Of the pairs, those in which y is smaller count whole and those that are tied count half.
    before += xs * (j - ys);
    halves += xs * ys;
    const tied = xs + ys;
    ties += tied ** 3 - tied;
  }
  const [n, m] = [x.length, y.length];
  const excess = before + halves / 2 - (n * m) / 2;
  const sigma = Math.sqrt(((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1))));
  return sigma === 0 ? Number.NaN : (excess - Math.sign(excess) * 0.5) / sigma;
}

const tolerance = 1e-4;

function brent(from: number, to: number, atFrom: number, atTo: number, value: (at: number) => number): number {
  let [a, b, c] = [from, to, from];
  let [fa, fb, fc] = [atFrom, atTo, atFrom];
  if (fa === 0) return a;
  if (fb === 0) return b;
  for (let round = 0; round <= 1000; round += 1) {
    const previous = b - a;
    if (Math.abs(fc) < Math.abs(fb)) {
      [a, b, c] = [b, c, b];
      [fa, fb, fc] = [fb, fc, fb];
    }
    const least = 2 * Number.EPSILON * Math.abs(b) + tolerance / 2;
    const half = (c - b) / 2;
    if (Math.abs(half) <= least || fb === 0) return b;
    const step = Math.abs(previous) >= least && Math.abs(fa) > Math.abs(fb) ? interpolated() : half;
    [a, fa] = [b, fb];
    b += Math.abs(step) < least ? (step > 0 ? least : -least) : step;
    fb = value(b);
    if ((fb > 0 && fc > 0) || (fb < 0 && fc < 0)) [c, fc] = [a, fa];

    function interpolated(): number {
      const width = c - b;
      let [p, q] = a === c ? [width * (fb / fa), 1 - fb / fa] : quadratic(width);
      if (p > 0) q = -q;
      else p = -p;
      return p < 0.75 * width * q - Math.abs(least * q) / 2 && p < Math.abs((previous * q) / 2) ? p / q : half;
    }
    function quadratic(width: number): [number, number] {
      const [r, s, t] = [fa / fc, fb / fc, fb / fa];
      return [t * (width * r * (r - s) - (b - a) * (s - 1)), (r - 1) * (s - 1) * (t - 1)];
    }
  }
  return b;
}
