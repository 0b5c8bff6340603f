import type { Alone } from './alone.ts';

/**
 * What live data is compared with: cells that were frozen once, and how many rows of the reference fell into each.
 *
 * The cells come from a profile (`freeze`); the counts come from a second reading of the same rows, and are exact.
 */
export interface Reference {
  readonly version: 1;
  /** Digest of the dataset version that it was made of. */
  readonly dataset: string;
  readonly rows: number;
  readonly columns: readonly ReferenceColumn[];
  /** What is known of the days of its rows; absent: nothing was looked for. */
  readonly days?: ReferenceDays;
  /** Why no column was compared with the label. */
  readonly labelUnknown?: string;
}

export interface ReferenceDays {
  /** The column that tells the day of a row; absent: none does. */
  readonly column?: string;
  /** Days with rows, of those that were kept. */
  readonly days: number;
  /** There are counts by weekday. */
  readonly weekdays?: boolean;
  /** Why its days tell nothing. */
  readonly because?: string;
}

/** The largest difference of an hour or a weekday from all rows, beyond chance: of the distribution, and of missing values. */
export interface Season {
  readonly size: number;
  readonly missing: number;
}

/**
 * - `number`: cells are intervals. - `category`: cells are values. - `plain`: identifiers, timestamps and free text, of
 * which only missing values and lengths are compared.
 */
export type ColumnKind = 'number' | 'category' | 'plain';

export interface ReferenceColumn extends ColumnCounts {
  readonly name: string;
  readonly kind: ColumnKind;
  /**
   * `number`: ascending, all different, at most 255. Cell `k` holds what is above `edges[k - 1]` and at most `edges[k]`;
   * the last holds the rest. Minus infinity is in the first cell, plus infinity in the last.
   */
  readonly edges?: readonly number[];
  /** Each edge lies between two order statistics with no ties: the spacings are exact (see detector.ts). */
  readonly isContinuous?: boolean;
  /**
   * `category`: at most 127 values, as text; then two cells more, `other` (known to the reference, not listed) and
   * `unseen` (not known to it). Where `isWhole` is false, the reference has more values than it lists, and all that is
   * not listed is `other`.
   */
  readonly values?: readonly string[];
  readonly isWhole?: boolean;
  /** `category`: how many values came once in the reference; an estimate of how much is still unseen. */
  readonly singletons?: number;
  /** `number`: of the finite values. */
  readonly numbers?: { readonly min: number; readonly max: number; readonly mean: number; readonly deviation: number };
  /** Of the hours of a day, and of the days of a week, where a column tells the time of rows (days.ts). */
  readonly seasons?: { readonly day: Season; readonly week: Season };
  /** Counts by day of the week, Sunday first (UTC), where the reference has a column of time over at least 28 days. */
  readonly byWeekday?: readonly ColumnCounts[];
  /**
   * How much more the counts vary from day to day than independent rows would: 1 is none; and the mean rows of a day.
   * Where the reference has a column of time over at least 14 days.
   */
  readonly dispersion?: number;
  /** It holds less than a week, so days of the week that differ look like a change. */
  readonly isShort?: true;
  readonly dayRows?: number;
  /** What it alone tells of the label, where there is one. */
  readonly alone?: Alone;
}

/** What was counted of one column on frozen cells. Adding two gives the counts of both. */
export interface ColumnCounts {
  readonly rows: number;
  /** No value: missing, empty text, NaN. */
  readonly missing: number;
  /** Values that cannot be read as the column's kind: a text in a column of numbers. They are in no cell. */
  readonly mistyped: number;
  /** `number`: values below the reference's smallest and above its largest, infinities among them. They are in a cell as well. */
  readonly outside: number;
  /** By cell; empty for `plain`. Their sum is `rows - missing - mistyped`. */
  readonly cells: readonly number[];
}

/** Counts of live requests, or of any rows, on the cells of a reference; columns in the order of the reference. */
export interface WindowCounts {
  readonly version: 1;
  readonly rows: number;
  readonly columns: readonly ColumnCounts[];
}
