import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
// The core's: a release stores it beside this file.
import { fieldsOf, formatOf, headerOf, notData, objectOf, recordsOf, rowsOf } from './data-files.mjs';

/** Rows of the data files of a channel, one at a time, with the text exactly as it stands in the file. */

const chunkBytes = 2 ** 20;

/** The data files below a directory, by name. */
export function dataset(directory) {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .filter((name) => notData(name.split(sep).join('/'), statSync(join(directory, name)).size) === undefined)
    .sort();
  const [first] = names;
  if (first === undefined) throw new Error('the dataset has no files');
  for (const name of names) {
    if (formatOf(name) === undefined)
      throw new Error(`${name} is neither .csv, .ndjson nor .jsonl: use a prepare command`);
    if (formatOf(name) !== formatOf(first))
      throw new Error(`${first} and ${name} differ in format: use a prepare command`);
  }
  return { directory, names, format: formatOf(first) };
}

/** `{header, rows()}`: rows are `{text, where, value(column)}`; a pass over them may be repeated. */
export function tableOf(data) {
  return data.format === 'csv' ? csvTable(data) : { header: undefined, rows: () => ndjsonRows(data) };
}

function csvTable({ directory, names }) {
  const { text, where } = headerOf(textOf(directory, names[0]), names[0]);
  const columns = fieldsOf(text, where).map(utf8);
  return { header: text, rows: () => csvRows(directory, names, columns) };
}

function* csvRows(directory, names, columns) {
  for (const name of names) {
    let header;
    for (const { text, where } of recordsOf(textOf(directory, name), name)) {
      const fields = fieldsOf(text, where);
      if (header === undefined) {
        header = fields.map(utf8);
        if (!sameTexts(header, columns))
          throw new Error(`${name} and ${names[0]} have different headers: '${header}' and '${columns}'`);
        continue;
      }
      if (fields.length !== columns.length)
        throw new Error(`${where}: ${fields.length} fields under ${columns.length} columns`);
      yield { text, where, value: (column) => utf8(fields[indexOf(column, columns, name)]) };
    }
  }
}

function indexOf(column, columns, name) {
  const index = columns.indexOf(column);
  if (index < 0) throw new Error(`${name} has no column '${column}': its columns are ${columns.join(', ')}`);
  if (columns.includes(column, index + 1)) throw new Error(`${name} has the column '${column}' twice`);
  return index;
}

const sameTexts = (a, b) => a.length === b.length && a.every((text, index) => text === b[index]);

function* ndjsonRows({ directory, names }) {
  for (const name of names) {
    for (const { text, where } of rowsOf(textOf(directory, name), name)) {
      const fields = objectOf(utf8(text), where);
      yield { text, where, value: (column) => (Object.hasOwn(fields, column) ? fields[column] : undefined) };
    }
  }
}

/** The text of a file, as latin1, chunk by chunk. */
function* textOf(directory, name) {
  const file = openSync(join(directory, name), 'r');
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let bytes = readSync(file, chunk); bytes > 0; bytes = readSync(file, chunk)) yield chunk.latin1Slice(0, bytes);
  } finally {
    closeSync(file);
  }
}

function utf8(latin1) {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
