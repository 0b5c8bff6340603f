import type { ColumnProfile } from './profile.ts';
import type { ColumnCounts, ColumnKind, ReferenceColumn } from './reference.ts';
import type { ColumnRule, Outcome } from './report.ts';

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
  /** Of values that have moved, as those of requests may have: only warns where a change is expected. */
  readonly ofMoved?: true;
  /** `undefined`: there is nothing to compare. */
  readonly measure: (column: Compared) => Outcome | undefined;
}

/** What somebody promised is kept by each row, or the dataset is refused. */
export const promised = (isKept: boolean, measured: { value: number; limit: number; text: string }): Outcome =>
  isKept ? 'passed' : { ...measured, action: 'refuse' };
