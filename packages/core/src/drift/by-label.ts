import { cellsOf } from './cells.ts';
import type { Reference, ReferenceColumn } from './reference.ts';

/**
 * Rows of a dataset that have a label, by the cells of each column: what each column alone tells of it is computed from
 * (alone.ts). Columns are in the order of the reference; each has its cells, and last the rows without a value.
 */
export interface LabelCounts {
  /**
   * By column, lists over its cells. `classes`: the rows of each class. `number`: how many labels, their sum less `about`
   * each, and the sum of the squares of that.
   */
  readonly columns: readonly (readonly (readonly number[])[])[];
}

/** What the label is: one of a few values, or a number, whose mean is about so much. */
export type Label = { readonly column: string } & (
  | { readonly kind: 'classes'; readonly classes: readonly string[] }
  | { readonly kind: 'number'; readonly about: number }
);

const mostClasses = 20;
/** Numbers that the counts may take: two classes have room for 4,000 columns of 256 cells. */
const room = 2 ** 21;

/** The label of a dataset, or why no column is counted by it. */
export function labelIn({ columns }: Reference, name: string): Label | { readonly because: string } {
  const label = columns.find((column) => column.name === name);
  if (label === undefined) return { because: 'it is not there, or monitor.drift.columns turns it off' };
  const cells = columns.reduce((sum, column) => sum + cellsOf(column) + 1, 0);
  const its = kindOfLabel(label);
  if (its.because !== undefined) return its;
  const numbers = its.kind === 'number' ? 3 * cells : its.classes.length * cells;
  return numbers > room
    ? { because: 'the dataset has too many columns to count each by it' }
    : { column: name, ...its };
}

function kindOfLabel({ kind, values = [], isWhole, numbers }: ReferenceColumn) {
  if (kind === 'number') return { kind, about: numbers?.mean ?? 0 } as const;
  if (kind === 'plain') return { because: 'it is neither a number nor one of a few values' };
  return isWhole === true && values.length <= mostClasses
    ? ({ kind: 'classes', classes: values } as const)
    : { because: `it has more than ${mostClasses} values` };
}

/** As if the rows of both had been counted together. */
export const addLabels = (one: LabelCounts, other: LabelCounts): LabelCounts => ({
  ...one,
  columns: one.columns.map((lists, at) =>
    lists.map((list, place) => list.map((count, cell) => count + (other.columns[at]?.[place]?.[cell] ?? 0))),
  ),
});
