/** 1234567 as `1,234,567`. */
export const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

/** A count with its noun: `1 run`, `1,200 runs`. */
export const countText = (count: number, one: string, more = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : more}`;

/** A number as a person reads it: at most six digits, unless it is whole. */
export const numberText = (value: number): string =>
  String(Number.isInteger(value) ? value : Number(value.toPrecision(6)));

/** Bytes in decimal units, three digits: 26100 as `26.1 KB`. */
export function bytesText(bytes: number): string {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${['B', 'KB', 'MB', 'GB', 'TB'][power]}`;
}

/** A share as a person reads it: 0.0123 as `1.23 %`. */
export const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;

/**
 * Evidence as odds: a natural logarithm of E as `159 to 1`. Below 1 it speaks for the other side, and is `1 to 12`.
 * A betting score is read as odds against the assumption that it tests: https://doi.org/10.1111/rssa.12647
 */
export function oddsText(logE: number): string {
  if (Number.isNaN(logE)) return 'not measured';
  // Rounded down, but not below a whole number that only the exponential missed.
  const odds = Math.exp(Math.min(Math.abs(logE), mostLog)) * (1 + 1e-9);
  const side = `${Math.abs(logE) >= mostLog ? 'over ' : ''}${grouped(odds < 10 ? Number(odds.toPrecision(2)) : Math.floor(odds))}`;
  return logE < 0 ? `1 to ${side}` : `${side} to 1`;
}

/** A million to one: nobody tells more apart. */
const mostLog = Math.log(1e6);

/** Of an even number the mean of the two in the middle; of none `NaN`. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}
