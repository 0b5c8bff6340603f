/**
 * What a reader gives the values of a column to. A value, or its absence, is one call; the calls of a column are in the
 * order of its rows. Readers know nothing of sketches, and sinks nothing of formats.
 */
export interface ColumnSink {
  missing(): void;
  /** Any double, NaN and the infinities as well. `isWhole`: it was written without a fraction or an exponent. */
  number(value: number, isWhole: boolean): void;
  boolean(value: boolean): void;
  /** Milliseconds since the epoch. */
  time(ms: number): void;
  /**
   * UTF-8, `from` included, `to` excluded. The bytes are the reader's: a sink that keeps them copies them. Readers give
   * texts through `giveField` (text/field.ts): what says a number, a boolean or a time is one in every format.
   */
  text(bytes: Uint8Array, from: number, to: number): void;
  /** A list or a record; equal ones have equal JSON, where the reader has it. */
  nested(json?: string): void;
  /** Many finite numbers at once, in place of `number`: the way of the columnar reader. */
  numbers(values: Float64Array, count: number, areWhole: boolean): void;
}

/** Takes the rows of a part: one sink a column, made when a reader first meets the column. */
export interface RowSink {
  /** The sink of a column, by its name; `invalid` where there are more columns than 10,000. */
  column(name: string): ColumnSink;
  /**
   * A columnar reader says before each row group how many rows it has; then these columns come before the others, where
   * the object has them.
   */
  readonly first?: readonly string[];
  rowsBegin?(count: number): void;
  /** One row has ended, of a reader that goes row by row; the sink has its hash from the values that it was given. */
  rowEnded(): void;
  /**
   * Many rows at once, of a columnar reader that has called every sink for each of them. It has made their hashes with
   * hash.ts: equal rows of any format have equal hashes.
   */
  rowsEnded(hashesHigh: Uint32Array, hashesLow: Uint32Array, count: number): void;
  badRow(where: string): void;
}

export const nothing = (): void => undefined;

/** Of a column that nobody looks at. */
export const ignored: ColumnSink = {
  missing: nothing,
  number: nothing,
  boolean: nothing,
  time: nothing,
  text: nothing,
  nested: nothing,
  numbers: nothing,
};
