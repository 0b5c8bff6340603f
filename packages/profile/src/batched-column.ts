import type { CellCodes } from './cell-codes.ts';
import type { ColumnSink } from './sink.ts';
import type { Tally } from './tallies.ts';

/** Rows of a reader that goes row by row are kept until so many have ended: only then are their groups known. */
export const batchRows = 1024;

/** The rows that are looked at: a batch of a reader that goes row by row, a row group of a columnar one. */
export interface LookedAt {
  isColumnar: boolean;
  /** Row by row: the row that is read. Columnar: how many there are. */
  row: number;
  /** Finds the groups of the rows, once: all values that groups are made of have come. */
  know(): void;
}

/** Which values of a column groups are made of, beside its codes. */
export type Key = 'none' | 'time' | 'number' | 'codes';

/** Keeps the codes of rows until their groups are known, and gives them to tallies then. */
export class BatchedColumn implements ColumnSink {
  /** Of a key, what it is made of, for all rows that are looked at. */
  codes = new Uint16Array(batchRows);
  values: Float64Array;
  isMet = false;
  private readonly rows: LookedAt;
  private readonly cells: CellCodes;
  private readonly tallies: readonly Tally[];
  private readonly key: Key;
  /** Columnar: how many codes there are, and of which row the first is. */
  private at = 0;
  private first = 0;

  constructor(rows: LookedAt, cells: CellCodes, tallies: readonly Tally[], key: Key) {
    this.rows = rows;
    this.cells = cells;
    this.tallies = tallies;
    this.key = key;
    this.values = new Float64Array(key === 'none' ? 0 : batchRows);
    this.clear();
  }

  private clear(): void {
    this.codes.fill(this.cells.missing);
    this.values.fill(Number.NaN);
  }

  /** A columnar reader begins a row group. Of a key there is room for all rows, as its groups are known after its last. */
  begin(count: number): void {
    [this.at, this.first] = [0, 0];
    if (this.key === 'none') return;
    if (this.codes.length < count) {
      this.codes = new Uint16Array(count);
      this.values = new Float64Array(count);
    }
    this.clear();
  }

  /** The rows that are looked at have all come. */
  end(): void {
    const { isColumnar, row } = this.rows;
    this.flush(isColumnar ? this.at : row);
    this.first = 0;
    if (!isColumnar) this.clear();
  }

  private flush(count: number): void {
    this.rows.know();
    for (const tally of this.tallies) tally.add(this.codes, this.first, count);
    this.first += count;
    this.at = 0;
  }

  private put(code: number, value: number): void {
    let at = this.rows.row;
    if (this.rows.isColumnar) {
      if (this.at === this.codes.length) this.flush(this.at);
      at = this.at;
      this.at += 1;
    }
    this.codes[at] = code;
    if (this.key !== 'none') this.values[at] = value;
  }

  missing(): void {
    this.put(this.cells.missing, Number.NaN);
  }

  number(value: number): void {
    this.put(this.cells.number(value), this.key === 'number' ? value : Number.NaN);
  }

  numbers(values: Float64Array, count: number): void {
    if (this.key !== 'none') {
      for (let at = 0; at < count; at += 1) this.number(values[at] ?? 0);
      return;
    }
    for (let from = 0; from < count; ) {
      if (this.at === this.codes.length) this.flush(this.at);
      const to = Math.min(count, from + this.codes.length - this.at);
      this.cells.numbers(values.subarray(from, to), this.codes, this.at);
      this.at += to - from;
      from = to;
    }
  }

  boolean(value: boolean): void {
    this.put(this.cells.boolean(value), Number.NaN);
  }

  time(ms: number): void {
    this.put(this.cells.time(ms), this.key === 'time' ? ms : Number.NaN);
  }

  text(bytes: Uint8Array, from: number, to: number): void {
    this.put(this.cells.text(bytes, from, to), Number.NaN);
  }

  nested(): void {
    this.put(this.cells.nested(), Number.NaN);
  }
}
