/**
 * What a drop consists of, and how the text of its files is read.
 *
 * Plain JavaScript that imports nothing: the splitter's job runs this very file in a bare Node image, so that what the
 * core lists and checks, and what the splitter cuts, can never be two things.
 *
 * Text is held as latin1: one character a byte, so what is copied is equal byte for byte. CSV is RFC 4180 with a header,
 * commas and UTF-8; rows that a careful reader and a careless one would read differently are refused with file and line.
 * Empty lines are no rows. A row of more than 16 MB is refused: most often a quote is not closed.
 */

export const maxRow = 16 * 2 ** 20;
const formats = { '.csv': 'csv', '.ndjson': 'ndjson', '.jsonl': 'ndjson' };

const isHidden = (part) => (/^\./.test(part) && !/^\.\.?$/.test(part)) || /^_[^=]*$/.test(part);
/** What copying programs, browsers and editors call a file that is not whole yet, or a copy of their own. */
const temporary = /(?:~|\.tmp|\.partial|\.crdownload|\._COPYING_)$/i;

/**
 * Why an object under a prefix is no data; `undefined`: it is data.
 *
 * `folder` and `marker` hold nothing. The other three have a content, or should: leaving them out wants to be told.
 * A name counts below the folder of the prefix, and `_day=1` is a partition. Of unknown size: ask with 0 bytes, and
 * take `empty` for data.
 */
export function notData(key, bytes, prefix = '') {
  if (bytes === 0 && (key.endsWith('/') || key.endsWith('_$folder$'))) return 'folder';
  const parts = key.slice(prefix.lastIndexOf('/') + 1).split('/');
  if (parts.some(isHidden)) return bytes === 0 ? 'marker' : 'hidden';
  if (temporary.test(key)) return 'temporary';
  return bytes === 0 ? 'empty' : undefined;
}

/** `csv` or `ndjson`, by the ending of the name. */
export const formatOf = (name) => formats[/\.[^./]*$/.exec(name)?.[0].toLowerCase()];

/** The records of one CSV file from chunks of its text: lines, joined while a quote is open. */
export function* recordsOf(chunks, name) {
  let [begun, from, open] = ['', 0, false];
  for (const { text, line } of linesOf(chunks, name)) {
    const record = open ? `${begun}\n${text}` : text;
    if (!open) from = line;
    if (record.length > maxRow) throw tooLong(name, from);
    if (text.includes('"') && text.split('"').length % 2 === 0) open = !open;
    if (open) begun = record;
    else if (!isBlank(record)) yield { text: withoutReturn(record), where: `${name}:${from}` };
  }
  if (open) throw new Error(`${name}:${from}: the quote that is opened here is never closed; close it`);
}

/** The rows of one NDJSON file from chunks of its text: its lines that are not empty. */
export function* rowsOf(chunks, name) {
  for (const { text, line } of linesOf(chunks, name))
    if (!isBlank(text)) yield { text: withoutReturn(text), where: `${name}:${line}` };
}

/** The fields of a record whose number of quotes is even. */
export function fieldsOf(record, where) {
  const fields = [];
  for (let at = 0; at <= record.length; at += 1) {
    const quoted = record[at] === '"';
    const end = quoted ? closingQuote(record, at + 1) + 1 : orEnd(record.indexOf(',', at), record);
    const field = record.slice(at, end);
    if (quoted ? end < record.length && record[end] !== ',' : field.includes('"')) {
      throw new Error(`${where}: a field has a quote inside; quote the whole field and double its quotes`);
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

/** The fields of a row of NDJSON, of text that was decoded. */
export function objectOf(text, where) {
  try {
    const value = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new Error(`${where}: the row is not JSON; write one object per line: ${error.message}`, { cause: error });
  }
  throw new Error(`${where}: the row is not a JSON object; write one object per line`);
}

/** The header of a CSV file; text with NULs is UTF-16, most often. */
export function headerOf(chunks, name) {
  for (const { text, where } of recordsOf(chunks, name)) {
    if (text.includes('\0'))
      throw new Error(`${where}: the file is not UTF-8; save it as UTF-8, or use a prepare command`);
    return { text, where };
  }
  throw new Error(`${name} is empty; write a CSV file with at least a header`);
}

/** Lines without their `\n`, from 1; the byte order mark is dropped. Never more than a line and a chunk in memory. */
function* linesOf(chunks, name) {
  let line = 0;
  let rest = '';
  for (const chunk of chunks) {
    const parts = `${rest}${chunk}`.split('\n');
    rest = parts.pop();
    if (rest.length > maxRow) throw tooLong(name, line + parts.length + 1);
    for (const text of parts) yield numbered(text, ++line);
  }
  if (rest !== '') yield numbered(rest, line + 1);
}

const byteOrderMark = '\u00ef\u00bb\u00bf';
const numbered = (text, line) => ({ line, text: line === 1 && text.startsWith(byteOrderMark) ? text.slice(3) : text });
const withoutReturn = (text) => (text.endsWith('\r') ? text.slice(0, -1) : text);
const isBlank = (text) => text.length < 2 && withoutReturn(text) === '';
const tooLong = (name, line) =>
  new Error(`${name}:${line}: the row has more than 16 MB; look for a quote that is not closed`);
