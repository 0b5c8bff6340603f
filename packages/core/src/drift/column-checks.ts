import { countText, numberText, percent } from '../base/numbers.ts';
import { valuesOf } from './kind.ts';
import { chanceOfMore, chanceOutside, type Share, shareOf } from './noise.ts';
import type { ColumnProfile } from './profile.ts';
import type { ColumnCounts, ColumnKind, ReferenceColumn } from './reference.ts';
import { type ColumnRule, graded, listed, named, type Outcome } from './report.ts';

/** One column of a dataset that has rows, and what is known of it besides. */
export interface Compared {
  readonly kind: ColumnKind;
  readonly now: ColumnProfile;
  /** Of the whole dataset: an object without the column lacks it in each of its rows. */
  readonly rows: number;
  readonly before?: { readonly column: ColumnProfile; readonly rows: number };
  readonly rule?: ColumnRule;
  /** Its values counted on the cells of the reference. */
  readonly counts?: ColumnCounts;
  readonly cells?: ReferenceColumn;
  /** A chance below it is no accident; all columns together share one in a thousand for each check. */
  readonly rare: number;
}

export interface ColumnCheck {
  /** What it does by itself, at most. */
  readonly action: 'warn' | 'refuse';
  readonly says: string;
  /** `undefined`: there is nothing to compare. */
  readonly measure: (column: Compared) => Outcome | undefined;
}

const limits = {
  retyped: { warn: 0.01, refuse: 0.1 },
  outside: { warn: 0.001, refuse: 0.01 },
  unseen: { warn: 0.01, refuse: 0.1 },
  constantBroken: { warn: 0, refuse: 0.1 },
  /** By how much of the reference's range it is widened on each side. */
  widened: 0.1,
  /** The largest error in rank of a quantile of a profile. */
  rank: 0.02,
} as const;

/** Every check of single columns, in the order in which findings are told. */
export const columnChecks = {
  retyped: {
    action: 'refuse',
    says: 'more values of another type than before: over 1 point warns, over 10 points refuses',
    measure: retyped,
  },
  allMissing: {
    action: 'refuse',
    says: 'no row has a value: refuses; warns without a reference',
    measure: allMissing,
  },
  missing: {
    action: 'refuse',
    says: 'more missing values than before, by max(1 point, a quarter of min(p, 1 - p)): warns; by max(10 points, half of it): refuses',
    measure: missing,
  },
  constantBroken: {
    action: 'refuse',
    says: 'other values in a column that had one: warns; in over 10 % of its values: refuses',
    measure: constantBroken,
  },
  becameConstant: {
    action: 'refuse',
    says: 'one value in a column that had several: refuses',
    measure: becameConstant,
  },
  outOfRange: {
    action: 'refuse',
    says: 'numbers outside the range of before, widened by 10 % on each side: over 0.1 % warns, over 1 % refuses',
    measure: outOfRange,
  },
  unseen: {
    action: 'refuse',
    says: 'categories that were not there before: over 1 % warns, over 10 % refuses',
    measure: unseen,
  },
} as const satisfies Readonly<Record<string, ColumnCheck>>;

const missingOf = (column: ColumnProfile, rows: number): Share => ({
  count: Math.max(0, rows - valuesOf(column)),
  of: rows,
});

function missing(column: Compared): Outcome | undefined {
  const { now, rows, before, rule, rare } = column;
  const lacking = missingOf(now, rows);
  const value = shareOf(lacking);
  const said = `is missing in ${percent(value)} of ${countText(rows, 'row')}`;
  if (rule?.missing !== undefined)
    return promised(value <= rule.missing.atMost, {
      ...{ value, limit: rule.missing.atMost },
      text: `${said}, and validate.columns allows ${percent(rule.missing.atMost)}`,
    });
  // What lacks all values is the finding of another check.
  if (before === undefined || lacking.count === rows) return undefined;
  const usual = missingOf(before.column, before.rows);
  const reference = shareOf(usual);
  const found = graded(value, missingLimits(reference));
  if (found === undefined || chanceOfMore(lacking, usual) >= rare) return 'passed';
  const text = `${said}; it was ${percent(reference)} of ${countText(before.rows, 'row')}, and the limit is ${percent(found.limit)}`;
  return { ...found, value, reference, text };
}

/** Where a share of `p` was missing: what is more by chance, or by little, is not told. */
export function missingLimits(p: number): { readonly warn: number; readonly refuse: number } {
  const least = Math.min(p, 1 - p);
  return { warn: p + Math.max(0.01, least / 4), refuse: p + Math.max(0.1, least / 2) };
}

function allMissing({ now, rows, before, rare }: Compared): Outcome | undefined {
  if (valuesOf(now) > 0) return 'passed';
  const found = { value: 1, limit: 1, text: `has no value in any of ${countText(rows, 'row')}` };
  if (before === undefined) return { ...found, action: 'warn' };
  const usual = missingOf(before.column, before.rows);
  if (chanceOfMore({ count: rows, of: rows }, usual) >= rare) return 'passed';
  const reference = shareOf(usual);
  return { ...found, action: 'refuse', reference, text: `${found.text}; it was missing in ${percent(reference)}` };
}

/** Types that a program takes for the same. */
const families: Readonly<Record<string, (column: ColumnProfile) => number>> = {
  number: ({ types, nan }) => types.integer + types.decimal - nan,
  boolean: ({ types }) => types.boolean,
  timestamp: ({ types }) => types.timestamp,
  text: ({ types, empty }) => types.text - empty,
  nested: ({ types }) => types.nested,
};

function retyped(column: Compared): Outcome | undefined {
  const { now, before, rule, rare } = column;
  const of = valuesOf(now);
  if (of === 0) return undefined;
  if (rule?.type !== undefined) return ofType(now, rule.type);
  if (before === undefined || valuesOf(before.column) === 0) return undefined;
  const grown = Object.entries(families).map(([family, count]) => {
    const [here, there] = [
      { count: count(now), of },
      { count: count(before.column), of: valuesOf(before.column) },
    ];
    return { family, here, there, growth: shareOf(here) - shareOf(there) };
  });
  const [most] = grown.sort((one, other) => other.growth - one.growth);
  const found = graded(most?.growth ?? 0, limits.retyped);
  if (most === undefined || found === undefined || chanceOfMore(most.here, most.there) >= rare) return 'passed';
  const [value, reference] = [shareOf(most.here), shareOf(most.there)];
  const text = `has ${percent(value)} values of the type ${most.family}; it was ${percent(reference)}, and the limit is ${percent(reference + found.limit)}`;
  return { action: found.action, value, limit: reference + found.limit, reference, text };
}

const taken: Readonly<Record<NonNullable<ColumnRule['type']>, (column: ColumnProfile) => number>> = {
  boolean: ({ types }) => types.boolean,
  integer: ({ types }) => types.integer,
  number: ({ types, nan }) => types.integer + types.decimal - nan,
  timestamp: ({ types }) => types.timestamp,
  /** Anything can be read as text, but for lists and records. */
  text: (column) => valuesOf(column) - column.types.nested,
};

function ofType(now: ColumnProfile, type: NonNullable<ColumnRule['type']>): Outcome {
  const others = valuesOf(now) - taken[type](now);
  return promised(others <= 0, {
    value: others / valuesOf(now),
    limit: 0,
    text: `has ${countText(others, 'value')} that are not of the type ${type}, which validate.columns promises`,
  });
}

/** The values that came, without those that count as missing, and at most how often each other one came. */
const frequentOf = ({ frequent }: ColumnProfile) => frequent.filter(([value]) => value !== '' && value !== 'NaN');
const isConstant = (column: ColumnProfile): boolean =>
  column.distinctIsExact && column.distinct === 1 && frequentOf(column).length === 1;
/** At most how often a value came. */
const mostOf = (column: ColumnProfile, value: string): number =>
  (column.frequent.find(([other]) => other === value)?.[1] ?? 0) + column.frequentAbout;

function constantBroken({ now, before, rule, rare }: Compared): Outcome | undefined {
  const [only] = before === undefined ? [] : frequentOf(before.column);
  if (before === undefined || only === undefined || !isConstant(before.column)) return undefined;
  if (valuesOf(now) === 0 || rule?.values !== undefined) return undefined;
  const others = { count: Math.max(0, valuesOf(now) - mostOf(now, only[0])), of: valuesOf(now) };
  const value = shareOf(others);
  const found = graded(value, limits.constantBroken);
  if (found === undefined || chanceOfMore(others, { count: 0, of: valuesOf(before.column) }) >= rare) return 'passed';
  const text = `is not ${named(only[0])} in ${percent(value)} of its values; it was nothing else in ${countText(before.rows, 'row')}`;
  return { ...found, value, reference: 0, text };
}

function becameConstant({ now, before, rare }: Compared): Outcome | undefined {
  const of = valuesOf(now);
  if (before === undefined || of === 0 || valuesOf(before.column) === 0 || before.column.distinct < 2) return undefined;
  const [only] = frequentOf(now);
  if (only === undefined || !isConstant(now)) return 'passed';
  const usual = { count: mostOf(before.column, only[0]), of: valuesOf(before.column) };
  if (chanceOfMore({ count: of, of }, usual) >= rare) return 'passed';
  const text = `is ${named(only[0])} in all of ${countText(of, 'value')}; it had ${countText(before.column.distinct, 'value')} before`;
  return { action: 'refuse', value: 1, limit: 2, reference: before.column.distinct, text };
}

function outOfRange(column: Compared): Outcome | undefined {
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

function unseen(column: Compared): Outcome | undefined {
  const { kind, now, before, rule, rare } = column;
  if (rule?.values !== undefined) return amongValues(now, rule.values);
  if (kind !== 'category' || before === undefined || valuesOf(now) === 0) return undefined;
  const known = new Set(before.column.frequent.map(([value]) => value));
  const strange = newValues(column, known);
  if (strange === undefined) return undefined;
  const found = graded(shareOf(strange), limits.unseen);
  // How probable a value is that did not come yet: as often as values came once (Good and Turing).
  const singletons = before.column.singletons ?? 0;
  const expected = { count: singletons, of: valuesOf(before.column) };
  if (found === undefined || chanceOfMore(strange, expected) >= rare) return 'passed';
  const value = shareOf(strange);
  const names = frequentOf(now).flatMap(([name]) => (known.has(name) ? [] : [named(name)]));
  const such = names.length === 0 ? '' : ` (${listed(names)})`;
  const text = `has ${percent(value)} values that were not there before${such}; the limit is ${percent(found.limit)}`;
  return { ...found, value, reference: 0, text };
}

/** Values that the reference does not know: counted on its cells, or read off both lists where those are whole. */
function newValues({ now, before, counts, cells }: Compared, known: ReadonlySet<string>): Share | undefined {
  const of = valuesOf(now);
  if (counts !== undefined && cells?.values !== undefined)
    return cells.isWhole === false ? undefined : { count: counts.cells.at(-1) ?? 0, of };
  if (before === undefined || !isListed(before.column)) return undefined;
  return { count: frequentOf(now).reduce((sum, [value, count]) => sum + (known.has(value) ? 0 : count), 0), of };
}

/** The profile lists every value. */
export const isListed = ({ distinctIsExact, distinct, frequent, frequentAbout }: ColumnProfile): boolean =>
  distinctIsExact && frequentAbout === 0 && frequent.length >= distinct;

function amongValues(now: ColumnProfile, values: readonly string[]): Outcome | undefined {
  if (valuesOf(now) === 0) return undefined;
  const others = frequentOf(now).filter(([value]) => !values.includes(value));
  const share = others.reduce((sum, [, count]) => sum + count, 0) / valuesOf(now);
  return promised(others.length === 0, {
    ...{ value: share, limit: 0 },
    text: `has ${percent(share)} values that validate.columns does not list: ${listed(others.map(([value]) => named(value)))}`,
  });
}

/** What somebody promised is kept by each row, or the dataset is refused. */
const promised = (isKept: boolean, measured: { value: number; limit: number; text: string }): Outcome =>
  isKept ? 'passed' : { ...measured, action: 'refuse' };
