import { decodeText, type Json } from '@serin/core/base/json';

/** Of a request or an answer; a longer one is not read. */
export const maxPayloadBytes = 1024 * 1024;
/** Of one request; those after it are not read, and neither are their answers. */
export const maxPayloadRows = 1000;
/** Characters of a text; the rest is cut off. */
const maxTextLength = 256;

export interface Unread {
  /** What is wrong with the form. It holds no value of the payload. */
  readonly unread: string;
}

/** `list`: one item a line; those of CSV are lists of cells. */
export type PayloadText = { readonly value: unknown } | { readonly list: readonly unknown[]; readonly isCsv: boolean };

/** A payload as what its text says: JSON, JSON Lines, or CSV. Never throws. */
export function readText(body: Uint8Array | string, contentType: string | undefined): PayloadText | Unread {
  if (bytesOf(body) > maxPayloadBytes) return { unread: `it has more than ${maxPayloadBytes} bytes` };
  const whole = typeof body === 'string' ? body : decodeText(body);
  const text = whole.startsWith('\ufeff') ? whole.slice(1) : whole;
  if (text.trim() === '') return { unread: 'it is empty' };
  const type = (contentType?.split(';', 1)[0] ?? '').trim().toLowerCase();
  if (type.endsWith('/csv')) return csvIn(text);
  return jsonIn(text) ?? linesIn(text) ?? (untyped.has(type) ? csvIn(text) : notJson);
}

/** What says nothing; the last is how curl names any data. */
const untyped: ReadonlySet<string> = new Set(['', 'text/plain', 'application/x-www-form-urlencoded']);

const notJson: Unread = { unread: 'it is neither JSON nor JSON Lines, and its content type is not text/csv' };

const bytesOf = (body: Uint8Array | string): number =>
  typeof body === 'string' ? Buffer.byteLength(body) : body.length;

function jsonIn(text: string): PayloadText | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function linesIn(text: string): PayloadText | undefined {
  const list: unknown[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const read = jsonIn(line);
    if (read === undefined || !('value' in read)) return undefined;
    list.push(read.value);
    if (list.length === maxPayloadRows) break;
  }
  return { list, isCsv: false };
}

function csvIn(text: string): PayloadText | Unread {
  // Most have no quotes, and are read in a fifth of the time without looking for them.
  if (!text.includes('"')) return { list: plainRows(text), isCsv: true };
  // https://www.rfc-editor.org/rfc/rfc4180, and quotes inside of a cell that does not begin with one. No part of it can
  // match the same text in two ways, so the time is that of the length.
  const cell = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n][^,\r\n]*|))(,|\r?\n|\r|$)/y;
  const list: (readonly Json[])[] = [];
  let row: Json[] = [];
  // One row more than are read: the first may be a header.
  for (let isOpen = false; (isOpen || cell.lastIndex < text.length) && list.length <= maxPayloadRows; ) {
    const [, quoted, plain = '', end] = cell.exec(text) ?? [];
    if (end === undefined) return { unread: 'it is CSV with a quote that does not end, or with text behind one' };
    row.push(quoted === '' ? '' : cellOf(quoted?.replaceAll('""', '"') ?? plain.trim()));
    isOpen = end === ',';
    if (isOpen) continue;
    // A blank line is no row.
    if (row.length > 1 || quoted !== undefined || plain.trim() !== '') list.push(row);
    row = [];
  }
  return { list, isCsv: true };
}

const plainRows = (text: string): readonly (readonly Json[])[] =>
  text
    .split(/\r?\n|\r/)
    .filter((line) => line.trim() !== '')
    .slice(0, maxPayloadRows + 1)
    .map((line) => line.split(',').map((cell) => cellOf(cell.trim())));

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A cell is what it can be read as: nothing, a number, else a text. Only `""` is a text without characters. */
function cellOf(text: string): Json {
  if (text === '' || /^[+-]?nan$/i.test(text)) return null;
  const number = decimal.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : scalarOf(text);
}

export const isScalar = (value: unknown): boolean => value === null || typeof value !== 'object';

/** A scalar of JSON, with its text cut; what is no finite number is nothing. */
export function scalarOf(value: unknown): Json {
  if (typeof value === 'string') return cut(value).toWellFormed();
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return typeof value === 'boolean' ? value : null;
}

/** Characters are code points, of which each has at most two units. */
const cut = (text: string): string =>
  text.length <= maxTextLength
    ? text
    : Array.from(text.slice(0, 2 * maxTextLength))
        .slice(0, maxTextLength)
        .join('');
