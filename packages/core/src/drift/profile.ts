/**
 * What a dataset looks like, column by column: the result of reading it once, with bounded memory, whatever its size.
 *
 * Plain JSON. Numbers that say `about` come from a sketch; all others are exact.
 */
export interface DatasetProfile {
  readonly version: 1;
  /** Objects whose format is read (CSV, NDJSON, Parquet), and those that were passed over. */
  readonly objects: number;
  readonly passedOver: number;
  readonly bytes: number;
  readonly rows: number;
  /** Rows that could not be read, and where the first of them is. They are in no column. */
  readonly badRows: { readonly rows: number; readonly first?: string };
  /** A sample of the distinct rows, chosen by their hash, so that two datasets choose the same rows. */
  readonly rowSample: RowSample;
  /** The same of the values of a key, where one was asked for. */
  readonly keySample?: RowSample;
  readonly columns: readonly ColumnProfile[];
}

/**
 * The rows whose hash is at most `below`: each distinct row of the dataset in it is here, with how often it came.
 * Hashes are 16 hexadecimal digits, ascending; at most 4,096. Two equal rows of any file formats have one hash.
 */
export interface RowSample {
  readonly below: string;
  readonly rows: readonly (readonly [hash: string, count: number])[];
}

export interface ColumnProfile {
  readonly name: string;
  /** Rows that have the column, with a value or without. In NDJSON a row may lack it: then it is `missing` there. */
  readonly rows: number;
  /** No value: `null`, an unquoted empty field, an absent key. */
  readonly missing: number;
  /** A text of no characters: `""`. */
  readonly empty: number;
  readonly nan: number;
  readonly plusInfinity: number;
  readonly minusInfinity: number;
  /** Values by how they were read. A CSV field is what it can be read as. `rows` is the sum of these, and of `missing`. */
  readonly types: Readonly<Record<ValueType, number>>;
  /** Of finite numbers. */
  readonly numbers?: NumberProfile;
  /** Of texts: characters (UTF-16 code units are not counted; code points are). */
  readonly lengths?: { readonly shortest: number; readonly longest: number; readonly mean: number };
  /** Of timestamps, milliseconds since the epoch. */
  readonly times?: { readonly first: number; readonly last: number };
  /** How many different values there are, missing ones aside; exact up to 1,024 of them. */
  readonly distinct: number;
  readonly distinctIsExact: boolean;
  /** How many values came once; only where `distinct` is exact. */
  readonly singletons?: number;
  /**
   * The most frequent values as text, most frequent first; equal counts by value. At most 128; each text is cut to 128
   * characters. `about`: each count is too low by at most this.
   */
  readonly frequent: readonly (readonly [value: string, count: number])[];
  readonly frequentAbout: number;
}

export const valueTypes = ['boolean', 'integer', 'decimal', 'timestamp', 'text', 'nested'] as const;
export type ValueType = (typeof valueTypes)[number];

export interface NumberProfile {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Of the population: the square root of M2 / count. */
  readonly deviation: number;
  /**
   * About the quantiles i/256, i = 0 to 256; each is a value that came. They are chosen by rank alone, with coins that do
   * not know the values, so cells between them are cells between order statistics (see reference.ts).
   */
  readonly quantiles: readonly number[];
}
