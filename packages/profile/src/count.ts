import { addColumn, cellsOf, emptyCounts, noRows, numberIn } from '@serin/core/drift/cells';
import type { ColumnCounts, Reference, ReferenceColumn, WindowCounts } from '@serin/core/drift/reference';
import type { PartSink } from './dataset.ts';
import { ValueHash } from './hash.ts';
import type { ColumnSink } from './sink.ts';
import { cutOf } from './sketch/frequent.ts';
import { HashCounts } from './sketch/hash-counts.ts';
import { timeOf } from './text/time.ts';

const batchSize = 1024;
const hash = new ValueHash();

/**
 * Counts rows on the cells of a reference, by the rule of `cells.ts` in core; other columns are not looked at. As there, a
 * column that an object with a fixed set of columns does not have is not counted.
 */
export function countingSink(
  reference: Reference,
  isLoose: boolean,
  before: WindowCounts = emptyCounts(reference),
): PartSink & { counts(): WindowCounts } {
  const counters = new Map(reference.columns.map((column) => [column.name, counterOf(column)]));
  const met = new Set<string>();
  let rows = 0;
  return {
    column: (name) => {
      met.add(name);
      return counters.get(name) ?? ignored;
    },
    rowEnded: () => {
      rows += 1;
    },
    rowsEnded: (_highs, _lows, count) => {
      rows += count;
    },
    badRow: () => undefined,
    end: () => undefined,
    counts: () => ({
      version: 1,
      rows: before.rows + rows,
      columns: reference.columns.map((column, at) => {
        const more = isLoose || met.has(column.name) ? counters.get(column.name)?.counts(rows) : undefined;
        return addColumn(before.columns[at] ?? noRows(column), more);
      }),
    }),
  };
}

interface Counter extends ColumnSink {
  /** What was counted in so many rows: those without a call had no value. */
  counts(rows: number): ColumnCounts;
}

const nothing = () => undefined;
const ignored: ColumnSink = {
  missing: nothing,
  number: nothing,
  boolean: nothing,
  time: nothing,
  text: nothing,
  nested: nothing,
  numbers: nothing,
};

function counterOf(column: ReferenceColumn): Counter {
  if (column.kind === 'number') return new NumberCounter(column);
  return column.kind === 'category' ? new CategoryCounter(column) : new PlainCounter();
}

/** A column of numbers; cells are searched for in batches, without a branch. */
class NumberCounter implements Counter {
  private readonly edges = new Float64Array(256).fill(Number.POSITIVE_INFINITY);
  private readonly cells = new Float64Array(256);
  private readonly batch = new Float64Array(batchSize);
  private readonly size: number;
  private readonly min: number;
  private readonly max: number;
  private batched = 0;
  private counted = 0;
  private mistyped = 0;
  private outside = 0;

  constructor(column: ReferenceColumn) {
    this.edges.set(column.edges ?? []);
    this.size = cellsOf(column);
    this.min = column.numbers?.min ?? Number.NEGATIVE_INFINITY;
    this.max = column.numbers?.max ?? Number.POSITIVE_INFINITY;
  }

  missing(): void {
    // What has no value is what remains of the rows.
  }

  number(value: number): void {
    if (Number.isNaN(value)) return;
    this.batch[this.batched] = value;
    this.batched += 1;
    if (this.batched === batchSize) this.flush();
  }

  boolean(): void {
    this.mistyped += 1;
  }

  time(): void {
    this.mistyped += 1;
  }

  text(_bytes: Uint8Array, from: number, to: number): void {
    if (to > from) this.mistyped += 1;
  }

  nested(): void {
    this.mistyped += 1;
  }

  numbers(values: Float64Array, count: number): void {
    const { edges, cells, min, max } = this;
    let outside = 0;
    for (let at = 0; at < count; at += 1) {
      const value = values[at] ?? 0;
      // How many edges are below the value, one bit of it after another: a comparison is 0 or 1, and nothing is jumped over.
      let cell = +((edges[127] ?? 0) < value) << 7;
      cell += +((edges[cell + 63] ?? 0) < value) << 6;
      cell += +((edges[cell + 31] ?? 0) < value) << 5;
      cell += +((edges[cell + 15] ?? 0) < value) << 4;
      cell += +((edges[cell + 7] ?? 0) < value) << 3;
      cell += +((edges[cell + 3] ?? 0) < value) << 2;
      cell += +((edges[cell + 1] ?? 0) < value) << 1;
      cell += +((edges[cell] ?? 0) < value);
      cells[cell] = (cells[cell] ?? 0) + 1;
      outside += +(value < min) + +(value > max);
    }
    this.outside += outside;
    this.counted += count;
  }

  private flush(): void {
    this.numbers(this.batch, this.batched);
    this.batched = 0;
  }

  counts(rows: number): ColumnCounts {
    this.flush();
    const { counted, mistyped, outside } = this;
    return {
      rows,
      missing: rows - counted - mistyped,
      mistyped,
      outside,
      cells: [...this.cells.subarray(0, this.size)],
    };
  }
}

/** A column of categories, found by the hash of what they may have been written as. */
class CategoryCounter implements Counter {
  private readonly known = new HashCounts();
  private readonly cellOf: number[] = [];
  private readonly cells: number[];
  private readonly unlisted: number;
  private mistyped = 0;
  private counted = 0;

  constructor(column: ReferenceColumn) {
    const values = column.values ?? [];
    this.cells = new Array<number>(cellsOf(column)).fill(0);
    this.unlisted = column.isWhole ? values.length + 1 : values.length;
    for (const [cell, value] of values.entries()) this.learn(value, cell);
  }

  private learn(value: string, cell: number): void {
    const bytes = new TextEncoder().encode(value);
    hash.text(bytes, 0, bytes.length);
    this.mean(cell);
    const number = numberIn(value);
    if (number !== undefined) hash.number(number);
    else if (value === 'true' || value === 'false') hash.boolean(value === 'true');
    else hash.time(timeOf(bytes, 0, bytes.length));
    this.mean(cell);
  }

  private mean(cell: number): void {
    if (this.known.find(hash.high, hash.low) < 0) this.cellOf[this.known.add(hash.high, hash.low, 0)] = cell;
  }

  private count(): void {
    const cell = this.cellOf[this.known.find(hash.high, hash.low)] ?? this.unlisted;
    this.cells[cell] = (this.cells[cell] ?? 0) + 1;
    this.counted += 1;
  }

  missing(): void {
    // What has no value is what remains of the rows.
  }

  number(value: number): void {
    if (Number.isNaN(value)) return;
    hash.number(value);
    this.count();
  }

  numbers(values: Float64Array, count: number): void {
    for (let at = 0; at < count; at += 1) this.number(values[at] ?? 0);
  }

  boolean(value: boolean): void {
    hash.boolean(value);
    this.count();
  }

  time(ms: number): void {
    hash.time(ms);
    this.count();
  }

  text(bytes: Uint8Array, from: number, to: number): void {
    if (from === to) return;
    hash.text(bytes, from, cutOf(bytes, from, to));
    this.count();
  }

  nested(): void {
    this.mistyped += 1;
  }

  counts(rows: number): ColumnCounts {
    const { cells, counted, mistyped } = this;
    return { rows, missing: rows - counted - mistyped, mistyped, outside: 0, cells: [...cells] };
  }
}

/** A column of which only missing values are counted. */
class PlainCounter implements Counter {
  private counted = 0;

  missing(): void {
    // What has no value is what remains of the rows.
  }

  number(value: number): void {
    if (!Number.isNaN(value)) this.counted += 1;
  }

  numbers(_values: Float64Array, count: number): void {
    this.counted += count;
  }

  boolean(): void {
    this.counted += 1;
  }

  time(): void {
    this.counted += 1;
  }

  text(_bytes: Uint8Array, from: number, to: number): void {
    if (to > from) this.counted += 1;
  }

  nested(): void {
    this.counted += 1;
  }

  counts(rows: number): ColumnCounts {
    return { rows, missing: rows - this.counted, mistyped: 0, outside: 0, cells: [] };
  }
}
