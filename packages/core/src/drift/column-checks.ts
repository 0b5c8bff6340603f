import { countText, percent } from '../base/numbers.ts';
import { becameConstant, constantBroken, unseen } from './categories.ts';
import { type ColumnCheck, type Compared, promised } from './compared.ts';
import { valuesOf } from './kind.ts';
import { chanceOfMore, type Share, shareOf } from './noise.ts';
import type { ColumnProfile } from './profile.ts';
import { outOfRange } from './range.ts';
import { type ColumnRule, graded, type Outcome } from './report.ts';

const retypedLimits = { warn: 0.01, refuse: 0.1 } as const;

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
    ofMoved: true,
    measure: outOfRange,
  },
  unseen: {
    action: 'refuse',
    says: 'categories that were not there before: over 1 % warns, over 10 % refuses',
    ofMoved: true,
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
  const found = graded(most?.growth ?? 0, retypedLimits);
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
