import { countText, numberText, percent } from '../base/numbers.ts';
import type { Compared } from './compared.ts';
import { valuesOf } from './kind.ts';
import { chanceOutside, shareOf } from './noise.ts';
import type { ColumnProfile } from './profile.ts';
import { type ColumnRule, graded, type Outcome } from './report.ts';

const limits = {
  outside: { warn: 0.001, refuse: 0.01 },
  /** By how much of the reference's range it is widened on each side. */
  widened: 0.1,
  /** The largest error in rank of a quantile of a profile. */
  rank: 0.02,
} as const;

export function outOfRange(column: Compared): Outcome | undefined {
  const { kind, now, before, rule, counts, rare } = column;
  if (rule?.min !== undefined || rule?.max !== undefined) return inRange(now, rule);
  const usual = before?.column.numbers;
  if (kind !== 'number' || before === undefined || usual === undefined || now.numbers === undefined) return undefined;
  const margin = limits.widened * (usual.max - usual.min);
  const { minusInfinity, plusInfinity } = before.column;
  const low = minusInfinity > 0 ? Number.NEGATIVE_INFINITY : usual.min - margin;
  const high = plusInfinity > 0 ? Number.POSITIVE_INFINITY : usual.max + margin;
  const beyond = farthest(now, low, high);
  if (beyond === undefined) return 'passed';
  const range = `${numberText(low)} to ${numberText(high)}, the range of before and a tenth of it on each side`;
  if (counts !== undefined) {
    const outside = { count: counts.outside, of: counts.rows - counts.missing - counts.mistyped };
    const found = graded(shareOf(outside), limits.outside);
    if (found === undefined || chanceOutside(outside, usual.count) >= rare) return 'passed';
    const text = `has ${countText(outside.count, 'value')} (${percent(shareOf(outside))}) outside the range of before, as far as ${extremeText(beyond.value)}; allowed is ${range}`;
    return { ...found, value: shareOf(outside), reference: 0, text };
  }
  // Without counts the quantiles tell of many values, and the extremes only that there is one.
  const surely = outsideByQuantiles(now.numbers.quantiles, low, high) - limits.rank;
  if (surely > limits.outside.refuse) {
    const text = `has at least ${percent(surely)} of its values outside ${range}, as far as ${extremeText(beyond.value)}`;
    return { action: 'refuse', value: surely, limit: limits.outside.refuse, reference: 0, text };
  }
  const text = `goes as far as ${extremeText(beyond.value)}, outside ${range}; how many values do was not counted`;
  return { ...beyond, action: 'warn', text };
}

/** The value that is farthest outside a range, and the limit that it crosses. JSON has no infinity. */
function farthest(now: ColumnProfile, low: number, high: number) {
  const { min, max } = now.numbers ?? { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
  const under = low - (now.minusInfinity > 0 ? -Number.MAX_VALUE : min);
  const over = (now.plusInfinity > 0 ? Number.MAX_VALUE : max) - high;
  if (Math.max(under, over) <= 0) return undefined;
  return over >= under
    ? { value: now.plusInfinity > 0 ? Number.MAX_VALUE : max, limit: high }
    : { value: now.minusInfinity > 0 ? -Number.MAX_VALUE : min, limit: low };
}

const extremeText = (value: number): string =>
  Math.abs(value) === Number.MAX_VALUE ? `${value < 0 ? 'minus ' : ''}infinity` : numberText(value);

function outsideByQuantiles(quantiles: readonly number[], low: number, high: number): number {
  const outside = quantiles.filter((value) => value < low || value > high).length;
  return quantiles.length === 0 ? 0 : outside / quantiles.length;
}

function inRange(
  now: ColumnProfile,
  { min = -Number.MAX_VALUE, max = Number.MAX_VALUE }: ColumnRule,
): Outcome | undefined {
  if (valuesOf(now) === 0) return undefined;
  const beyond = farthest(now, min, max);
  if (beyond === undefined) return 'passed';
  const bound = beyond.limit === max ? 'at most' : 'at least';
  const text = `goes as far as ${extremeText(beyond.value)}, and validate.columns promises ${bound} ${numberText(beyond.limit)}`;
  return { ...beyond, action: 'refuse', text };
}
