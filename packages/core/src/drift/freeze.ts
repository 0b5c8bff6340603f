import { asCategory, noRows } from './cells.ts';
import { kindOf } from './kind.ts';
import type { ColumnProfile, DatasetProfile } from './profile.ts';
import type { ColumnKind, Reference, ReferenceColumn } from './reference.ts';

const mostEdges = 255;
const mostValues = 127;

/**
 * The cells of a reference, frozen from what a dataset looks like. Its counts are all zero: they come from a second
 * reading of the same rows (`withCounts`). `columns`: what the config says of a column in place of what it looks like.
 */
export function freeze(
  profile: DatasetProfile,
  given: { readonly dataset: string; readonly columns?: Readonly<Record<string, ColumnKind | 'off'>> },
): Reference {
  const columns = profile.columns.flatMap((column) => {
    const said = given.columns !== undefined && Object.hasOwn(given.columns, column.name);
    const kind = (said ? given.columns?.[column.name] : undefined) ?? kindOf(column);
    return kind === 'off' ? [] : [frozen(column, kind)];
  });
  return { version: 1, dataset: given.dataset, rows: 0, columns };
}

function frozen(column: ColumnProfile, kind: ColumnKind): ReferenceColumn {
  const { name, numbers } = column;
  const shape = { number: numberCells, category: categoryCells, plain: () => ({}) }[kind](column);
  const range =
    kind === 'number' && numbers !== undefined
      ? { numbers: { min: numbers.min, max: numbers.max, mean: numbers.mean, deviation: numbers.deviation } }
      : {};
  const cells: ReferenceColumn = {
    name,
    kind,
    ...shape,
    ...range,
    rows: 0,
    missing: 0,
    mistyped: 0,
    outside: 0,
    cells: [],
  };
  return { ...cells, ...noRows(cells) };
}

/**
 * Edges at the quantiles i/256. A value that is two of them has 1/256 of the mass, and is a cell of its own: one edge at
 * it, and one at the next lower double.
 */
function numberCells({ numbers, types, distinct }: ColumnProfile): Partial<ReferenceColumn> {
  const quantiles = numbers?.quantiles ?? [];
  const edges = new Set<number>();
  let hasAtom = false;
  for (let index = 0; index < quantiles.length; index += 1) {
    const at = quantiles[index] ?? 0;
    const isAtom = at === quantiles[index - 1] || at === quantiles[index + 1];
    if (isAtom) edges.add(nextBelow(at));
    if (isAtom || (index > 0 && index < quantiles.length - 1)) edges.add(at);
    hasAtom ||= isAtom;
  }
  const ascending = [...edges].filter(Number.isFinite).sort((one, other) => one - other);
  const surplus = Math.max(0, ascending.length - mostEdges);
  const isContinuous = !hasAtom && types.decimal > 0 && distinct >= 0.95 * (numbers?.count ?? 0);
  // Only atoms at both ends make more: then it is the edges beyond them that go.
  return { edges: ascending.slice(surplus >> 1, ascending.length - ((surplus + 1) >> 1)), isContinuous };
}

/** The greatest double below a finite one. */
export function nextBelow(value: number): number {
  if (value === 0) return -Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? -1n : 1n));
  return view.getFloat64(0);
}

/** The most frequent values. The list is whole where it has all that the dataset has. */
function categoryCells({ frequent, distinct, distinctIsExact, singletons }: ColumnProfile): Partial<ReferenceColumn> {
  const counts = new Map<string, number>();
  for (const [value, count] of frequent) {
    const category = asCategory(value);
    counts.set(category, (counts.get(category) ?? 0) + count);
  }
  const values = [...counts.keys()].slice(0, mostValues);
  const isWhole = distinctIsExact && distinct <= frequent.length && counts.size <= mostValues;
  return { values, isWhole, ...(singletons === undefined ? {} : { singletons }) };
}
