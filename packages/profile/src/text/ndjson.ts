import type { ObjectSource, Place } from '@serin/core/drift/profiler';
import { maxFieldBytes } from '../limits.ts';
import type { ColumnSink, RowSink } from '../sink.ts';
import { fromUtf8, isUtf8, notUtf8 } from '../utf8.ts';
import { giveField } from './field.ts';
import { LineScanner } from './line-scanner.ts';
import { placeOf, type Reading, readRows } from './read-rows.ts';

/**
 * Reads a part of a file with one JSON object a line; the order of keys plays no part, and an absent key is a missing
 * value. JSON does not tell 1.0 from 1: both are whole. A text is what it can be read as, as in a CSV: `"5"` is a number,
 * because live requests of other formats are compared with it.
 */
export function readNdjson(object: ObjectSource, given: Reading, sink: RowSink): Promise<{ readonly next?: Place }> {
  const scanner = new LineScanner(object.key, placeOf(given.from));
  const columns = new Map<string, ColumnSink>();
  const { window } = scanner;

  const columnOf = (name: string): ColumnSink => {
    const known = columns.get(name);
    if (known !== undefined) return known;
    const column = sink.column(name);
    columns.set(name, column);
    return column;
  };

  return readRows(object, given, scanner, () => {
    const line = fromUtf8(window.bytes, window.start, scanner.textEnd());
    const isBroken = line.includes('\ufffd') && !isUtf8(window.bytes, window.start, scanner.textEnd());
    const row = isBroken ? undefined : objectOf(line);
    if (row === undefined) {
      sink.badRow(`${window.where()}${isBroken ? notUtf8 : ''}`);
      return;
    }
    for (const name of Object.keys(row)) {
      if (!giveValue(columnOf(name), row[name])) throw window.fault('a value has more than 1 MB; leave the column out');
    }
    sink.rowEnded();
  });
}

function objectOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {}
  return undefined;
}

const encoder = new TextEncoder();
let encoded = new Uint8Array(1024);

/** False: it is too long. */
function giveValue(column: ColumnSink, value: unknown): boolean {
  if (value === null) column.missing();
  else if (typeof value === 'number') column.number(value, Number.isInteger(value));
  else if (typeof value === 'boolean') column.boolean(value);
  else if (typeof value === 'string') return giveText(column, value);
  else column.nested(jsonOf(value));
  return true;
}

/** Nothing where it is nested too deeply to be written, which is deeper than data is. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function giveText(column: ColumnSink, text: string): boolean {
  if (encoded.length < 3 * text.length) encoded = new Uint8Array(6 * text.length);
  const { written } = encoder.encodeInto(text, encoded);
  giveField(column, encoded, 0, written, true);
  return written <= maxFieldBytes;
}
