import { type ColumnSalt, mix, RowHash } from '../hash.ts';

/**
 * The hashes of many rows, to which one column after the other is added. Each is the hash that `RowHash` makes of the same
 * values, row by row.
 *
 * What is inside of a list or a record is added scalar by scalar, each as a column of its own (`inside`). So rows that differ
 * only there are different rows; an empty list and an empty record add nothing, and a map is a list of records with `key`
 * and `value`. The same rows of NDJSON have other hashes where they have lists or records: those go by their JSON.
 */
export class RowHashes {
  readonly high: Uint32Array;
  readonly low: Uint32Array;

  constructor(rows: number) {
    this.high = new Uint32Array(rows);
    this.low = new Uint32Array(rows);
  }

  add(row: number, column: ColumnSalt, value: { readonly high: number; readonly low: number }): void {
    this.addWords(row, column, value.high, value.low);
  }

  addWords(row: number, column: ColumnSalt, high: number, low: number): void {
    this.high[row] = (this.high[row] ?? 0) + mix(high + column.high);
    this.low[row] = (this.low[row] ?? 0) + mix(low + column.low);
  }

  /** After the last column. */
  end(): void {
    const hash = new RowHash();
    for (let row = 0; row < this.high.length; row += 1) {
      hash.high = this.high[row] ?? 0;
      hash.low = this.low[row] ?? 0;
      hash.end();
      this.high[row] = hash.high;
      this.low[row] = hash.low;
    }
  }
}

/** The salt of what is inside of a record, under a key, or of a list, at a place. */
export function inside(salt: ColumnSalt, step: ColumnSalt | number): ColumnSalt {
  const { high, low } = typeof step === 'number' ? { high: step, low: ~step } : step;
  return { high: mix(mix(salt.high ^ 0x3c6ef372) + high), low: mix(mix(salt.low ^ 0x3c6ef372) + low) };
}
