import { addColumn, cellsOf, emptyCounts, noRows } from '@serin/core/drift/cells';
import type { CountedBy, DatasetCounts } from '@serin/core/drift/dataset-counts';
import type { ColumnCounts, Reference, ReferenceColumn } from '@serin/core/drift/reference';
import { type CellCodes, cellIn, codesOf, edgesOf } from './cell-codes.ts';
import { type CountingSink, groupingSink } from './count-by.ts';
import { type ColumnSink, ignored, nothing } from './sink.ts';

const batchSize = 1024;

/**
 * Counts rows on the cells of a reference, by the rule of `cells.ts` in core; other columns are not looked at. As there, a
 * column that an object with a fixed set of columns does not have is not counted.
 */
export function countingSink(
  reference: Reference,
  isLoose: boolean,
  { before, by = {} }: { readonly before?: DatasetCounts | undefined; readonly by?: CountedBy | undefined } = {},
): CountingSink {
  return by.time === undefined && by.label === undefined
    ? plainSink(reference, isLoose, before)
    : groupingSink(reference, isLoose, by, before);
}

function plainSink(
  reference: Reference,
  isLoose: boolean,
  before: DatasetCounts = emptyCounts(reference),
): CountingSink {
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

const counterOf = (column: ReferenceColumn): Counter =>
  column.kind === 'number' ? new NumberCounter(column) : codeCounter(column, codesOf(column));

/** A column of numbers; cells are searched for in batches, without a branch. */
class NumberCounter implements Counter {
  private readonly edges: Float64Array;
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
    this.edges = edgesOf(column);
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
      const cell = cellIn(edges, value);
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

/** A column of categories, or one of which only missing values are counted. */
function codeCounter(column: ReferenceColumn, codes: CellCodes): Counter {
  const counted = new Float64Array(codes.missing + 2);
  const count = (code: number): void => {
    counted[code] = (counted[code] ?? 0) + 1;
  };
  return {
    missing: nothing, // What has no value is what remains of the rows.
    number: (value) => count(codes.number(value)),
    numbers(values, length) {
      for (let at = 0; at < length; at += 1) count(codes.number(values[at] ?? 0));
    },
    boolean: (value) => count(codes.boolean(value)),
    time: (ms) => count(codes.time(ms)),
    text: (bytes, from, to) => count(codes.text(bytes, from, to)),
    nested: () => count(codes.nested()),
    counts(rows) {
      const values = counted.subarray(0, codes.missing).reduce((sum, some) => sum + some, 0);
      const mistyped = counted[codes.missing + 1] ?? 0;
      return {
        ...{ rows, missing: rows - values - mistyped, mistyped, outside: 0 },
        cells: [...counted.subarray(0, cellsOf(column))],
      };
    },
  };
}
