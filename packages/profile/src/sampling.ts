import { ValueHash } from './hash.ts';
import type { ColumnSink } from './sink.ts';
import type { LowestRows } from './sketch/row-sample.ts';

const hash = new ValueHash();

/** Gives all to a column, and keeps the values of the lowest hashes. No value, an empty text and NaN are no key. */
export function sampling(column: ColumnSink, to: LowestRows): ColumnSink {
  const add = (): void => to.add(hash.high, hash.low);
  const number = (value: number): void => {
    if (Number.isNaN(value)) return;
    hash.number(value);
    add();
  };
  return {
    missing: () => column.missing(),
    number(value, isWhole) {
      column.number(value, isWhole);
      number(value);
    },
    numbers(values, count, areWhole) {
      column.numbers(values, count, areWhole);
      for (let at = 0; at < count; at += 1) number(values[at] ?? 0);
    },
    boolean(value) {
      column.boolean(value);
      hash.boolean(value);
      add();
    },
    time(ms) {
      column.time(ms);
      hash.time(ms);
      add();
    },
    text(bytes, from, to) {
      column.text(bytes, from, to);
      if (from === to) return;
      hash.text(bytes, from, to);
      add();
    },
    nested(json) {
      column.nested(json);
      if (json === undefined) return;
      hash.nested(json);
      add();
    },
  };
}
