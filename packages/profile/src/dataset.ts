import { Fault } from '@serin/core/base/fault';
import type { DatasetProfile } from '@serin/core/drift/profile';
import { Column } from './column.ts';
import { RowHash } from './hash.ts';
import { maxColumns, maxNameLength, maxStateBytes } from './limits.ts';
import { sampling } from './sampling.ts';
import type { ColumnSink, RowSink } from './sink.ts';
import { Input, Output } from './sketch/bytes.ts';
import { LowestRows } from './sketch/row-sample.ts';

/** Of what a state is, of a profile or of counts; one of another version is not read. */
export const stateVersion = 3;
/** The size of the sketches is looked at after so many values. */
const valuesBetweenChecks = 2 ** 20;

/** What is known of a dataset so far: the state of a profile between two parts. Merging two is to have read both. */
export class DatasetState {
  objects = 0;
  passedOver = 0;
  bytes = 0;
  private rows = 0;
  private looseRows = 0;
  private badRows = 0;
  private nextCheck = 0;
  private firstBad: string | undefined;
  private sample = new LowestRows();
  private keys = new LowestRows();
  private readonly columns = new Map<string, Column>();
  private readonly row = new RowHash();

  /** Takes the rows of one part. `isLoose`: each row has the keys it likes. The values of the column `key` are sampled. */
  sink(isLoose: boolean, key?: string): PartSink {
    const met = new Set<Column>();
    const rowsBefore = this.rows;
    return {
      column: (name) => {
        const column = this.column(name);
        met.add(column);
        return name === key ? sampling(column, this.keys) : column;
      },
      rowEnded: () => {
        this.row.end();
        this.sample.add(this.row.high, this.row.low);
        this.row.begin();
        this.rows += 1;
        if (this.rows >= this.nextCheck) this.checkSize();
      },
      rowsEnded: (highs, lows, count) => {
        for (let at = 0; at < count; at += 1) this.sample.add(highs[at] ?? 0, lows[at] ?? 0);
        this.row.begin();
        this.rows += count;
        this.checkSize();
      },
      badRow: (where) => {
        this.badRows += 1;
        this.firstBad ??= where;
      },
      end: () => {
        const rows = this.rows - rowsBefore;
        if (isLoose) this.looseRows += rows;
        for (const column of met) {
          if (isLoose) column.isLoose = true;
          else column.fixedRows += rows;
        }
      },
    };
  }

  private column(name: string): ColumnSink & Column {
    const known = this.columns.get(name);
    if (known !== undefined) return known;
    if (this.columns.size === maxColumns)
      throw new Fault('invalid', 'the dataset has more than 10,000 columns; leave some out');
    if (name.length > maxNameLength)
      throw new Fault(
        'invalid',
        `the name of column ${this.columns.size + 1} has more than 1,000 characters; shorten it`,
      );
    const column = new Column(name, this.row);
    this.columns.set(name, column);
    return column;
  }

  private checkSize(): void {
    this.nextCheck = this.rows + Math.ceil(valuesBetweenChecks / this.columns.size);
    let bytes = 0;
    for (const column of this.columns.values()) bytes += column.bytes;
    if (bytes > maxStateBytes)
      throw new Fault(
        'invalid',
        `the ${this.columns.size} columns have too many different values for the memory; leave some columns out`,
      );
  }

  merge(other: DatasetState): void {
    for (const sum of sums) this[sum] += other[sum];
    this.firstBad ??= other.firstBad;
    this.sample.merge(other.sample);
    this.keys.merge(other.keys);
    for (const [name, column] of other.columns) {
      const known = this.columns.get(name);
      if (known === undefined) this.columns.set(name, column);
      else known.merge(column);
    }
  }

  /** The profile of a state that was written: column by column, so that the sketches of one are held at a time. */
  static profileOf(bytes: Uint8Array): DatasetProfile {
    const { state, columns } = DatasetState.open(bytes);
    const keySample = state.keys.sample();
    return {
      version: 1,
      objects: state.objects,
      passedOver: state.passedOver,
      bytes: state.bytes,
      rows: state.rows,
      badRows: { rows: state.badRows, ...(state.firstBad !== undefined && { first: state.firstBad }) },
      rowSample: state.sample.sample(),
      ...(keySample.rows.length > 0 && { keySample }),
      columns: Array.from(columns, (column) => {
        const profile = column.profile(state.looseRows);
        column.release();
        return profile;
      }),
    };
  }

  /** The state as bytes. Its memory is given back, so it cannot be used again. */
  written(): Uint8Array {
    const to = new Output();
    to.whole(stateVersion);
    for (const sum of sums) to.whole(this[sum]);
    to.text(this.firstBad ?? '');
    this.sample.write(to);
    this.keys.write(to);
    to.whole(this.columns.size);
    for (const column of this.columns.values()) {
      column.write(to);
      column.release();
    }
    this.columns.clear();
    return to.written();
  }

  static read(bytes: Uint8Array | undefined): DatasetState {
    if (bytes === undefined) return new DatasetState();
    const { state, columns } = DatasetState.open(bytes);
    for (const column of columns) state.columns.set(column.name, column);
    return state;
  }

  private static open(bytes: Uint8Array): { readonly state: DatasetState; readonly columns: Iterable<Column> } {
    const state = new DatasetState();
    const from = new Input(bytes);
    const version = from.whole();
    if (version !== stateVersion)
      throw new Fault(
        'invalid',
        `the state of a profile has version ${version}, not ${stateVersion}; start the run again`,
      );
    for (const sum of sums) state[sum] = from.whole();
    state.firstBad = from.text() || undefined;
    state.sample = LowestRows.read(from);
    state.keys = LowestRows.read(from);
    return { state, columns: columnsIn(from, state.row) };
  }
}

function* columnsIn(from: Input, row: RowHash): Generator<Column> {
  for (let left = from.whole(); left > 0; left -= 1) yield Column.read(from, row);
}

/** The sink of a part; `end` when all its rows have come. */
export interface PartSink extends RowSink {
  end(): void;
}

const sums = ['objects', 'passedOver', 'bytes', 'rows', 'looseRows', 'badRows'] as const;
