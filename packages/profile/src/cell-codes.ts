import { cellsOf, numberIn } from '@serin/core/drift/cells';
import type { ReferenceColumn } from '@serin/core/drift/reference';
import { ValueHash } from './hash.ts';
import { cutOf } from './sketch/frequent.ts';
import { HashCounts } from './sketch/hash-counts.ts';
import { timeOf } from './text/time.ts';

const hash = new ValueHash();

/**
 * The cell of a value as a number of 15 bits, by the rule of `cells.ts` in core: a cell, or `missing`, or the one after it
 * for a value that the column's kind cannot hold. Values of `plain` columns are in cell 0.
 */
export interface CellCodes {
  readonly missing: number;
  /** With `outside` added where it is beyond the smallest and largest value of the reference. */
  number(value: number): number;
  /** Those of finite numbers, from `at` on. */
  numbers(values: Float64Array, into: Uint16Array, at: number): void;
  boolean(value: boolean): number;
  time(ms: number): number;
  text(bytes: Uint8Array, from: number, to: number): number;
  nested(): number;
}

/** The bit beside a code. */
export const outside = 1 << 15;

export function codesOf(column: ReferenceColumn): CellCodes {
  if (column.kind === 'number') return numberCodes(column);
  return column.kind === 'category' ? categoryCodes(column) : plainCodes;
}

/** 256 edges: those of the column, and infinity. */
export function edgesOf({ edges = [] }: ReferenceColumn): Float64Array {
  const all = new Float64Array(256).fill(Number.POSITIVE_INFINITY);
  all.set(edges);
  return all;
}

/** How many edges are below the value, one bit of it after another: a comparison is 0 or 1, and nothing is jumped over. */
export function cellIn(edges: Float64Array, value: number): number {
  let cell = +((edges[127] ?? 0) < value) << 7;
  cell += +((edges[cell + 63] ?? 0) < value) << 6;
  cell += +((edges[cell + 31] ?? 0) < value) << 5;
  cell += +((edges[cell + 15] ?? 0) < value) << 4;
  cell += +((edges[cell + 7] ?? 0) < value) << 3;
  cell += +((edges[cell + 3] ?? 0) < value) << 2;
  cell += +((edges[cell + 1] ?? 0) < value) << 1;
  return cell + +((edges[cell] ?? 0) < value);
}

function numberCodes(column: ReferenceColumn): CellCodes {
  const edges = edgesOf(column);
  const missing = cellsOf(column);
  const mistyped = missing + 1;
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = column.numbers ?? {};
  return {
    missing,
    numbers(values, into, at) {
      for (let place = 0; place < values.length; place += 1) {
        const value = values[place] ?? 0;
        into[at + place] = cellIn(edges, value) + ((+(value < min) + +(value > max)) << 15);
      }
    },
    number: (value) =>
      Number.isNaN(value) ? missing : cellIn(edges, value) + (value < min || value > max ? outside : 0),
    boolean: () => mistyped,
    time: () => mistyped,
    text: (_bytes, from, to) => (to > from ? mistyped : missing),
    nested: () => mistyped,
  };
}

/** Found by the hash of what a category may have been written as. */
function categoryCodes(column: ReferenceColumn): CellCodes {
  const { values = [], isWhole } = column;
  const known = new HashCounts();
  const cellOf: number[] = [];
  const missing = cellsOf(column);
  const unlisted = isWhole ? values.length + 1 : values.length;
  const mean = (cell: number): void => {
    if (known.find(hash.high, hash.low) < 0) cellOf[known.add(hash.high, hash.low, 0)] = cell;
  };
  for (const [cell, value] of values.entries()) {
    const bytes = new TextEncoder().encode(value);
    hash.text(bytes, 0, bytes.length);
    mean(cell);
    const number = numberIn(value);
    if (number !== undefined) hash.number(number);
    else if (value === 'true' || value === 'false') hash.boolean(value === 'true');
    else hash.time(timeOf(bytes, 0, bytes.length));
    mean(cell);
  }
  const found = (): number => cellOf[known.find(hash.high, hash.low)] ?? unlisted;
  const number = (value: number): number => {
    if (Number.isNaN(value)) return missing;
    hash.number(value);
    return found();
  };
  return {
    ...{ missing, number },
    numbers(values, into, at) {
      for (let place = 0; place < values.length; place += 1) into[at + place] = number(values[place] ?? 0);
    },
    boolean(value) {
      hash.boolean(value);
      return found();
    },
    time(ms) {
      hash.time(ms);
      return found();
    },
    text(bytes, from, to) {
      if (from === to) return missing;
      hash.text(bytes, from, cutOf(bytes, from, to));
      return found();
    },
    nested: () => missing + 1,
  };
}

/** A value, or none. */
export const plainCodes: CellCodes = {
  missing: 1,
  numbers: (values, into, at) => into.fill(0, at, at + values.length),
  number: (value) => (Number.isNaN(value) ? 1 : 0),
  boolean: () => 0,
  time: () => 0,
  text: (_bytes, from, to) => (to > from ? 0 : 1),
  nested: () => 0,
};
