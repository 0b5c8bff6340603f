import { daysKept, type TimeCounts } from '@serin/core/drift/by-time';
import { noRows } from '@serin/core/drift/cells';
import { addDatasets, type CountedBy, type DatasetCounts } from '@serin/core/drift/dataset-counts';
import type { ColumnCounts, Reference, ReferenceColumn } from '@serin/core/drift/reference';
import { BatchedColumn, batchRows, type Key, type LookedAt } from './batched-column.ts';
import { codesOf, plainCodes } from './cell-codes.ts';
import type { PartSink } from './dataset.ts';
import { LabelGroups, TimeGroups } from './row-groups.ts';
import { ignored } from './sink.ts';
import { BroadTally, CellTally, type LabelTally, labelTally } from './tallies.ts';

export type CountingSink = PartSink & { counts(): DatasetCounts };

/** What is counted of a column. */
interface Counter {
  readonly sink: BatchedColumn;
  readonly all: CellTally;
  readonly weekdays?: CellTally;
  readonly broad?: BroadTally;
  readonly labels?: LabelTally;
}

/**
 * Counts rows on the cells of a reference, and by time and label as well. The group of a row may come after its values, so
 * their codes are kept, 2 bytes a value: of a batch of rows; of a columnar reader, of the columns that say the group, and
 * of a batch of the column that is read.
 */
export function groupingSink(
  reference: Reference,
  isLoose: boolean,
  by: CountedBy,
  before: DatasetCounts | undefined,
): CountingSink {
  const counters: Counter[] = [];
  const days = by.time === undefined ? undefined : new TimeGroups(daysKept(reference) ?? 0, dropped);
  const labels = by.label && new LabelGroups(by.label);
  let areKnown = false;
  const rows: LookedAt = { isColumnar: false, row: 0, know };
  for (const column of reference.columns) counters.push(counterOf(column, keyOf(column.name, by)));
  const sinks = new Map(reference.columns.map(({ name }, at) => [name, counters[at]?.sink]));
  // A column that is not compared may still tell the time.
  if (by.time !== undefined && !sinks.has(by.time)) sinks.set(by.time, new BatchedColumn(rows, plainCodes, [], 'time'));
  const all = [...sinks.values()].filter((sink) => sink !== undefined);
  let counted = 0;

  function dropped(slot: number): void {
    for (const { broad } of counters) broad?.dropped(slot);
  }

  function know(): void {
    if (areKnown) return;
    areKnown = true;
    const { row } = rows;
    const [time, label] = [sinks.get(by.time ?? ''), sinks.get(by.label?.column ?? '')];
    if (time !== undefined) days?.look(time.values, row);
    if (label !== undefined) labels?.look(label, row);
  }

  function counterOf(column: ReferenceColumn, key: Key): Counter {
    const its = {
      all: new CellTally(column, 1, () => noGroups),
      ...(days && { weekdays: new CellTally(column, 8, () => days.weekday), broad: new BroadTally(column, days) }),
      ...(by.label && labels && { labels: labelTally(column, by.label, labels) }),
    };
    return { ...its, sink: new BatchedColumn(rows, codesOf(column), Object.values(its), key) };
  }

  function endRows(): void {
    for (const sink of all) if (isLoose || sink.isMet) sink.end();
    // Where no column was met, the rows still are of no day.
    know();
    counted += rows.row;
    rows.row = 0;
    areKnown = false;
  }

  return {
    first: [by.time, by.label?.column].filter((name) => name !== undefined),
    column(name) {
      const sink = sinks.get(name);
      if (sink === undefined) return ignored;
      sink.isMet = true;
      return sink;
    },
    rowEnded() {
      rows.row += 1;
      if (rows.row === batchRows) endRows();
    },
    rowsBegin(count) {
      [rows.isColumnar, rows.row] = [true, count];
      for (const sink of all) sink.begin(count);
    },
    rowsEnded: endRows,
    badRow: () => undefined,
    end: endRows,
    counts() {
      const part = { ...countsOf(reference, counters, counted), ...groupsOf(counters, days, labels) };
      return before === undefined ? part : addDatasets(reference, before, part);
    },
  };
}

const noGroups: ArrayLike<number> = [];

function keyOf(name: string, { time, label }: CountedBy): Key {
  if (name === time) return 'time';
  if (name !== label?.column) return 'none';
  return label.kind === 'number' ? 'number' : 'codes';
}

const countsOf = (reference: Reference, counters: readonly Counter[], rows: number): DatasetCounts => ({
  version: 1,
  rows,
  columns: reference.columns.map((column, at) => counters[at]?.all.of(0) ?? noRows(column)),
});

const groupsOf = (
  counters: readonly Counter[],
  days: TimeGroups | undefined,
  labels: LabelGroups | undefined,
): Pick<DatasetCounts, 'byTime' | 'byLabel'> => ({
  ...(days && { byTime: timesOf(counters, days) }),
  ...(labels && { byLabel: { columns: counters.map((counter) => counter.labels?.lists() ?? []) } }),
});

function timesOf(counters: readonly Counter[], days: TimeGroups): TimeCounts {
  return {
    untimed: days.weekdayRows[7] ?? 0,
    weekdays: Array.from({ length: 7 }, (_, at) => ({
      version: 1,
      rows: days.weekdayRows[at] ?? 0,
      columns: counters.flatMap(({ weekdays }): readonly ColumnCounts[] => (weekdays ? [weekdays.of(at)] : [])),
    })),
    hours: Array.from({ length: 24 }, (_, at) => ({
      rows: days.hourRows[at] ?? 0,
      columns: counters.map(({ broad }) => broad?.hour(at) ?? []),
    })),
    days: days.kept().map(([day, slot]) => ({
      ...{ day, rows: days.dayRows[slot] ?? 0 },
      columns: counters.map(({ broad }) => broad?.day(slot) ?? []),
    })),
  };
}
