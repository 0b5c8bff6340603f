import { countText, percent } from '../base/numbers.ts';
import { asCategory } from './cells.ts';
import { type Compared, promised } from './compared.ts';
import { valuesOf } from './kind.ts';
import { chanceOfMore, type Share, shareOf } from './noise.ts';
import type { ColumnProfile } from './profile.ts';
import { graded, listed, named, type Outcome } from './report.ts';

const limits = {
  unseen: { warn: 0.01, refuse: 0.1 },
  constantBroken: { warn: 0, refuse: 0.1 },
} as const;

/** The values that came, without those that count as missing, and at most how often each other one came. */
const frequentOf = ({ frequent }: ColumnProfile) => frequent.filter(([value]) => value !== '' && value !== 'NaN');
const isConstant = (column: ColumnProfile): boolean =>
  column.distinctIsExact && column.distinct === 1 && frequentOf(column).length === 1;
/** At most how often a value came. */
const mostOf = (column: ColumnProfile, value: string): number =>
  (column.frequent.find(([other]) => other === value)?.[1] ?? 0) + column.frequentAbout;

export function constantBroken({ now, before, rule, rare }: Compared): Outcome | undefined {
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

export function becameConstant({ now, before, rare }: Compared): Outcome | undefined {
  const of = valuesOf(now);
  if (before === undefined || of === 0 || valuesOf(before.column) === 0 || before.column.distinct < 2) return undefined;
  const [only] = frequentOf(now);
  if (only === undefined || !isConstant(now)) return 'passed';
  const usual = { count: mostOf(before.column, only[0]), of: valuesOf(before.column) };
  if (chanceOfMore({ count: of, of }, usual) >= rare) return 'passed';
  const text = `is ${named(only[0])} in all of ${countText(of, 'value')}; it had ${countText(before.column.distinct, 'value')} before`;
  return { action: 'refuse', value: 1, limit: 2, reference: before.column.distinct, text };
}

export function unseen(column: Compared): Outcome | undefined {
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
  const known = new Set(values.map(asCategory));
  const others = frequentOf(now).filter(([value]) => !known.has(value));
  const share = others.reduce((sum, [, count]) => sum + count, 0) / valuesOf(now);
  if (others.length > 0 || isListed(now) || now.distinct <= values.length)
    return promised(others.length === 0, {
      ...{ value: share, limit: 0 },
      text: `has ${percent(share)} values that validate.columns does not list: ${listed(others.map(([value]) => named(value)))}`,
    });
  // The profile lists as many as may be promised, so some that it does not list are not promised.
  return promised(false, {
    ...{ value: now.distinct, limit: values.length },
    text: `has ${countText(now.distinct, 'value')}, and validate.columns lists ${values.length}`,
  });
}
