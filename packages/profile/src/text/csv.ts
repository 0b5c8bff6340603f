import { Fault } from '@serin/core/base/fault';
import type { ObjectSource, Place } from '@serin/core/drift/profiler';
import { maxColumns } from '../limits.ts';
import { piecesOf } from '../pieces.ts';
import type { ColumnSink, RowSink } from '../sink.ts';
import { fromUtf8, notUtf8 } from '../utf8.ts';
import { CsvScanner, quoting } from './csv-scanner.ts';
import { giveField } from './field.ts';
import { firstRow, placeOf, type Reading, readRows } from './read-rows.ts';

/**
 * Reads a part of a CSV file with a header; a part that does not begin the file reads the header again, so that a place
 * stays small. A row with more or fewer fields than the header is bad, and so is one with a quote inside a field.
 *
 * The delimiter is the comma; or the semicolon or the tab, where the header has it and no comma.
 */
export async function readCsv(object: ObjectSource, given: Reading, sink: RowSink): Promise<{ readonly next?: Place }> {
  const header = given.from === undefined ? undefined : await headerOf(object);
  const scanner = new CsvScanner(object.key, placeOf(given.from), header?.delimiter);
  const columnsOf = ({ names }: Header) => names.map((name) => sink.column(name));
  let columns = header && columnsOf(header);
  return readRows(object, given, scanner, () => {
    if (columns === undefined) columns = columnsOf(readHeader(scanner));
    else if (scanner.isOdd || scanner.count !== columns.length) sink.badRow(scanner.window.where());
    else if (!scanner.isUtf8()) sink.badRow(`${scanner.window.where()}${notUtf8}`);
    else giveRow(scanner, columns, sink);
  });
}

let unescaped = new Uint8Array(1024);

function giveRow(scanner: CsvScanner, columns: readonly ColumnSink[], sink: RowSink): void {
  const { starts, ends, quotes } = scanner;
  const { bytes } = scanner.window;
  for (let at = 0; at < columns.length; at += 1) {
    const column = columns[at];
    const start = starts[at] ?? 0;
    const end = ends[at] ?? 0;
    const kind = quotes[at];
    if (column === undefined) continue;
    if (kind === quoting.escaped) giveField(column, unescaped, 0, unquote(bytes, start, end), true);
    else giveField(column, bytes, start, end, kind === quoting.quoted);
  }
  sink.rowEnded();
}

/** Writes a field to `unescaped`, with one quote for two, and says how long it is. */
function unquote(bytes: Uint8Array, start: number, end: number): number {
  if (unescaped.length < end - start) unescaped = new Uint8Array(2 * (end - start));
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    unescaped[length] = byte;
    length += 1;
    if (byte === 34) at += 1;
  }
  return length;
}

interface Header {
  readonly names: readonly string[];
  readonly delimiter: number;
}

async function headerOf(object: ObjectSource): Promise<Header> {
  const scanner = new CsvScanner(object.key, firstRow);
  for await (const piece of piecesOf(object, 0)) {
    scanner.push(piece);
    if (scanner.next()) return readHeader(scanner);
  }
  throw new Fault('invalid', `${object.key} has lost its header; write each object once`);
}

const [comma, semicolon, tab] = [44, 59, 9];

/** The names in the row that was found. Their texts are in no fault: without a header, they would be values. */
function readHeader(scanner: CsvScanner): Header {
  const { window } = scanner;
  const delimiter = scanner.count > 1 ? comma : delimiterIn(window.bytes.subarray(window.start, window.end));
  if (delimiter !== comma) scanner.again(delimiter);
  const { count } = scanner;
  if (count > maxColumns)
    throw window.fault(`the header names ${count} columns, and 10,000 are the most; leave some out`);
  if (!scanner.isUtf8()) throw window.fault('the header is not UTF-8; save the file as UTF-8');
  if (scanner.isOdd)
    throw window.fault('the header has a quote inside a name; quote whole names and double the quotes');
  const names = Array.from({ length: count }, (_, at) => nameAt(scanner, at));
  const positions = new Map<string, number>();
  for (const [at, name] of names.entries()) {
    const same = positions.get(name);
    if (same !== undefined)
      throw window.fault(`the columns ${same} and ${at + 1} have the same name; give each its own, in the first row`);
    positions.set(name, at + 1);
    if (/[\r\0]/.test(name))
      throw window.fault('the lines end with CR only, or it is not a text; write lines that end with LF');
  }
  return { names, delimiter };
}

function delimiterIn(header: Uint8Array): number {
  const found = [semicolon, tab].filter((delimiter) => header.includes(delimiter));
  return found.length === 1 ? (found[0] ?? comma) : comma;
}

function nameAt(scanner: CsvScanner, at: number): string {
  const [start, end] = [scanner.starts[at] ?? 0, scanner.ends[at] ?? 0];
  if (scanner.quotes[at] !== quoting.escaped) return fromUtf8(scanner.window.bytes, start, end);
  const length = unquote(scanner.window.bytes, start, end);
  return fromUtf8(unescaped, 0, length);
}
