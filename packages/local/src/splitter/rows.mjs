import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';

/**
 * Rows of CSV and NDJSON files, one at a time, with the text exactly as it stands in the file.
 *
 * Text is held as latin1: one character a byte, so what is copied is equal byte for byte. CSV is RFC 4180 with a header,
 * commas and UTF-8; rows that a careful reader and a careless one would read differently are refused with file and line.
 * Empty lines are no rows. A row of more than 16 MB is refused: most often a quote is not closed.
 */

const maxRow = 16 * 2 ** 20;
const chunkBytes = 2 ** 20;
const formats = { '.csv': 'csv', '.ndjson': 'ndjson', '.jsonl': 'ndjson' };

/** The data files below a directory, by name: markers (`_SUCCESS`, `.crc`: a name with `_` or `.` first) are left out. */
export function dataset(directory) {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .filter((name) => !name.split(sep).some((part) => /^[._]/.test(part)))
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

const formatOf = (name) => formats[extname(name).toLowerCase()];

/** `{header, rows()}`: rows are `{text, where, value(column)}`; a pass over them may be repeated. */
export function tableOf(data) {
  return data.format === 'csv' ? csvTable(data) : { header: undefined, rows: () => ndjsonRows(data) };
}

function csvTable({ directory, names }) {
  const [header] = names.map((name) => headerOf(directory, name));
  const columns = fieldsOf(header, `${names[0]}:1`).map(utf8);
  return { header, rows: () => csvRows(directory, names, columns) };
}

function headerOf(directory, name) {
  for (const { text, where } of records(directory, name)) {
    if (text.includes('\0')) throw new Error(`${where}: not UTF-8: save it as UTF-8, or use a prepare command`);
    return text;
  }
  throw new Error(`${name} is empty: a CSV file has at least a header`);
}

function* csvRows(directory, names, columns) {
  for (const name of names) {
    let header;
    for (const { text, where } of records(directory, name)) {
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

/** The records of one CSV file: lines, joined while a quote is open. */
function* records(directory, name) {
  let open;
  for (const { text, line } of lines(directory, name)) {
    const record = open === undefined ? { text, line, quotes: 0 } : { ...open, text: `${open.text}\n${text}` };
    record.quotes += text.split('"').length - 1;
    open = record.quotes % 2 === 1 ? record : undefined;
    if (record.text.length > maxRow) throw tooLong(name, record.line);
    if (open === undefined && !isBlank(record.text))
      yield { text: stripReturn(record.text), where: `${name}:${record.line}` };
  }
  if (open !== undefined) throw new Error(`${name}:${open.line}: a quote is opened here and never closed`);
}

/** The fields of a record whose number of quotes is even. */
function fieldsOf(record, where) {
  const fields = [];
  for (let at = 0; at <= record.length; at += 1) {
    const quoted = record[at] === '"';
    const end = quoted ? closingQuote(record, at + 1) + 1 : orEnd(record.indexOf(',', at), record);
    const field = record.slice(at, end);
    if (quoted ? end < record.length && record[end] !== ',' : field.includes('"')) {
      throw new Error(`${where}: a quote stands inside a field: quote the whole field and double its quotes`);
    }
    fields.push(quoted ? field.slice(1, -1).replaceAll('""', '"') : field);
    at = end;
  }
  return fields;
}

function closingQuote(record, from) {
  let at = record.indexOf('"', from);
  while (record[at + 1] === '"') at = record.indexOf('"', at + 2);
  return at;
}

const orEnd = (index, text) => (index < 0 ? text.length : index);

function* ndjsonRows({ directory, names }) {
  for (const name of names) {
    for (const { text: raw, line } of lines(directory, name)) {
      const text = stripReturn(raw);
      if (isBlank(text)) continue;
      const where = `${name}:${line}`;
      const fields = parseObject(utf8(text), where);
      yield { text, where, value: (column) => (Object.hasOwn(fields, column) ? fields[column] : undefined) };
    }
  }
}

function parseObject(text, where) {
  try {
    const value = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new Error(`${where}: not JSON: ${error.message}`, { cause: error });
  }
  throw new Error(`${where}: not a JSON object`);
}

/** Lines without their `\n`, from 1; the byte order mark is dropped. Never more than a line and a chunk in memory. */
function* lines(directory, name) {
  const file = openSync(join(directory, name), 'r');
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    let line = 0;
    let rest = '';
    for (let bytes = readSync(file, chunk); bytes > 0; bytes = readSync(file, chunk)) {
      const parts = `${rest}${chunk.latin1Slice(0, bytes)}`.split('\n');
      rest = parts.pop();
      if (rest.length > maxRow) throw tooLong(name, line + parts.length + 1);
      for (const text of parts) yield numbered(text, ++line);
    }
    if (rest !== '') yield numbered(rest, line + 1);
  } finally {
    closeSync(file);
  }
}

const byteOrderMark = '\u00ef\u00bb\u00bf';
const numbered = (text, line) => ({ line, text: line === 1 && text.startsWith(byteOrderMark) ? text.slice(3) : text });
const stripReturn = (text) => (text.endsWith('\r') ? text.slice(0, -1) : text);
const isBlank = (text) => text.length < 2 && stripReturn(text) === '';
const tooLong = (name, line) => new Error(`${name}:${line}: a row of more than 16 MB: is a quote not closed?`);

function utf8(latin1) {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
