import { addLabels, type Label, type LabelCounts } from './by-label.ts';
import { addTimes, daysKept, type TimeCounts } from './by-time.ts';
import { addCounts } from './cells.ts';
import type { Reference, WindowCounts } from './reference.ts';

/** Rows of a dataset on the cells of a reference: all of them, by time, and by label. Plain JSON, bounded for any rows. */
export interface DatasetCounts extends WindowCounts {
  readonly byTime?: TimeCounts;
  readonly byLabel?: LabelCounts;
}

/** By what rows are counted besides. Columns that an object does not have are values that no row has. */
export interface CountedBy {
  /** A column that tells the day of a row. */
  readonly time?: string;
  readonly label?: Label;
}

/** As if the rows of both had been counted together, in any order. */
export function addDatasets(reference: Reference, one: DatasetCounts, other: DatasetCounts): DatasetCounts {
  const [byTime, byLabel] = [
    both(one.byTime, other.byTime, (a, b) => addTimes(a, b, daysKept(reference) ?? 0)),
    both(one.byLabel, other.byLabel, addLabels),
  ];
  return {
    ...addCounts(one, other),
    ...(byTime === undefined ? {} : { byTime }),
    ...(byLabel === undefined ? {} : { byLabel }),
  };
}

const both = <Counts>(
  one: Counts | undefined,
  other: Counts | undefined,
  add: (one: Counts, other: Counts) => Counts,
) => (one === undefined || other === undefined ? (one ?? other) : add(one, other));
