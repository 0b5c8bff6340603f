import type { Json } from '@serin/core/base/json';
import { isScalar, maxPayloadRows, readText, scalarOf, type Unread } from './payload-text.ts';

export type NamedRow = Readonly<Record<string, Json>>;

/**
 * The rows of features that the body of a request has; `unread`, when it has none of these forms:
 *
 * CSV, with a header or without; JSON Lines; a list of rows, or one row; `instances`; `dataframe_records`;
 * `dataframe_split`, also without that name; `inputs`, as rows, as columns or as the tensors of the Open Inference
 * Protocol: one for each feature, or one of all features; `input_data` and `data` like `inputs`.
 *
 * A row is by name, and has nothing that `fields` does not name. Values without names are taken in the order of `fields`,
 * and only as many as it has: with fewer or more nobody knows which is which, so the request is `unread`. Lists and
 * objects inside of a row are left out, long texts are cut, and of many rows the first 1,000 are read. Never throws.
 */
export function decodeRequest(
  body: Uint8Array | string,
  contentType: string | undefined,
  fields: readonly string[],
): { readonly rows: readonly NamedRow[] } | Unread {
  const text = readText(body, contentType);
  if ('unread' in text) return text;
  const allowed = new Set(fields);
  const found =
    'value' in text ? rowsIn(text.value, allowed) : text.isCsv ? underHeader(text.list, allowed) : text.list;
  if (isUnread(found)) return found;
  if (found.length === 0) return { unread: 'it has no rows' };
  const rows = found.slice(0, maxPayloadRows).map((row) => entriesOf(row, fields, allowed));
  const unnamed = rows.find((row) => typeof row === 'number');
  if (unnamed !== undefined)
    return { unread: `a row has ${unnamed} values without names, and there are ${fields.length} fields` };
  const named = rows.filter((row) => typeof row !== 'number');
  if (named.every((row) => row.length === 0)) return { unread: 'no row has one of the fields' };
  // It defines its own properties: a field may have any name.
  return { rows: named.map((row) => Object.fromEntries(row)) };
}

/**
 * What a model answered: one item for each row. In JSON that is what `predictions`, `outputs` or `prediction` hold, or
 * the answer itself; in CSV a line. With `rows`, an answer that cannot be told apart by so many rows is none. Never throws.
 */
export function decodeAnswer(
  body: Uint8Array | string,
  contentType: string | undefined,
  rows?: number,
): readonly Json[] {
  const text = readText(body, contentType);
  if ('unread' in text) return [];
  const found = 'value' in text ? answersIn(text.value) : text.list.map((line) => onlyOf(line));
  const answers = isUnread(found) ? [] : found.slice(0, maxPayloadRows).map((answer) => boundedOf(answer, 0));
  return rows === undefined ? answers : byRow(answers, Math.min(rows, maxPayloadRows));
}

function byRow(answers: readonly Json[], rows: number): readonly Json[] {
  const [only] = answers;
  if (answers.length === rows) return answers;
  // One line or list of the answers to all rows; several values that answer one row.
  if (answers.length === 1 && Array.isArray(only) && only.length === rows) return only;
  return rows === 1 && answers.length > 1 ? [answers] : [];
}

type Fields = Readonly<Record<string, unknown>>;
/** Rows by name (objects), by place (lists), or of one value. */
type Found = readonly unknown[] | Unread;

const isUnread = (found: Found): found is Unread => !Array.isArray(found);
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const own = (value: Fields, name: string): unknown => (Object.hasOwn(value, name) ? value[name] : undefined);

/** By the name of what holds them: how rows are written. `undefined`: not so. */
const forms: Readonly<Record<string, (value: unknown, allowed: ReadonlySet<string>) => Found | undefined>> = {
  instances: (value) => (Array.isArray(value) ? value : undefined),
  dataframe_records: (value) => (Array.isArray(value) ? value : undefined),
  dataframe_split: splitIn,
  inputs: tableIn,
  input_data: tableIn,
  data: tableIn,
};

function rowsIn(value: unknown, allowed: ReadonlySet<string>): Found {
  if (!isFields(value)) return rowOrRows(value, allowed);
  const split = splitIn(value);
  if (split !== undefined) return split;
  for (const [name, read] of Object.entries(forms)) {
    const found = read(own(value, name), allowed);
    if (found !== undefined) return found;
  }
  return [value];
}

/** A list of values is one row, unless there is only one field. */
function rowOrRows(value: unknown, allowed: ReadonlySet<string>): Found {
  if (!Array.isArray(value)) return [value];
  return allowed.size !== 1 && value.length > 0 && value.every(isScalar) ? [value] : value;
}

function splitIn(value: unknown): Found | undefined {
  if (!isFields(value)) return undefined;
  const [columns, data] = [own(value, 'columns'), own(value, 'data')];
  if (!Array.isArray(columns) || !Array.isArray(data)) return undefined;
  const rows = data.slice(0, maxPayloadRows);
  return rows.every((row) => Array.isArray(row) && row.length === columns.length)
    ? rows.map((row: readonly unknown[]) => namedBy(columns, row))
    : { unread: 'it has a row that is not as long as its columns' };
}

const namedBy = (columns: readonly unknown[], row: readonly unknown[]): Fields =>
  Object.fromEntries(columns.map((column, index) => [String(isScalar(column) ? column : index), row[index]]));

function tableIn(value: unknown, allowed: ReadonlySet<string>): Found | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const tensors = tensorsIn(value);
  if (tensors !== undefined) return 'unread' in tensors ? tensors : rowsOfTensors(tensors, allowed);
  return isFields(value) ? (splitIn(value) ?? columnsIn(value) ?? [value]) : rowOrRows(value, allowed);
}

/** One list for each column. */
function columnsIn(value: Fields): Found | undefined {
  const columns = Object.entries(value);
  if (columns.length === 0 || !columns.every(([, list]) => Array.isArray(list))) return undefined;
  return rowsOfColumns(columns.map(([name, list]) => ({ name, items: (list as readonly unknown[]).map(onlyOf) }))); // as was just asked
}

interface Column {
  readonly name: string;
  readonly items: readonly unknown[];
}

function rowsOfColumns(columns: readonly Column[]): Found {
  const rows = columns[0]?.items.length ?? 0;
  if (columns.some(({ items }) => items.length !== rows)) return { unread: 'its columns are not of one length' };
  return Array.from({ length: Math.min(rows, maxPayloadRows) }, (_, row) =>
    Object.fromEntries(columns.map(({ name, items }) => [name, items[row]])),
  );
}

/** A list of one value is that value. */
const onlyOf = (value: unknown): unknown => (Array.isArray(value) && value.length === 1 ? value[0] : value);

/**
 * Tensors by name, each as one item for each row; `undefined`: there are none.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md#tensor-data
 */
function tensorsIn(value: unknown): readonly Column[] | Unread | undefined {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isTensor)) return undefined;
  const columns = value.map(({ name, shape, data }) => ({ name, items: itemsOf(shape, data) }));
  return columns.every((column): column is Column => column.items !== undefined)
    ? columns
    : { unread: 'it has a tensor whose data is not as large as its shape' };
}

interface Tensor {
  readonly name: string;
  readonly shape: readonly unknown[];
  readonly data: readonly unknown[];
}

const isTensor = (value: unknown): value is Tensor =>
  isFields(value) && typeof value.name === 'string' && Array.isArray(value.shape) && Array.isArray(value.data);

const maxDimensions = 8;
/** A billion rows of a billionth of a value are one value. */
const isLength = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;

function itemsOf(shape: readonly unknown[], data: readonly unknown[]): readonly unknown[] | undefined {
  if (shape.length > maxDimensions || !shape.every(isLength)) return undefined;
  const flat: readonly unknown[] = data.flat(maxDimensions);
  const [rows = 1, ...others] = shape;
  const width = others.reduce((product, length) => product * length, 1);
  // Nothing is made by what a shape says: there are as many values.
  if (rows * width !== flat.length) return undefined;
  return width === 1 ? flat : Array.from({ length: rows }, (_, row) => flat.slice(row * width, (row + 1) * width));
}

/** One tensor has all features in their order, unless it has the name of one. */
function rowsOfTensors(tensors: readonly Column[], allowed: ReadonlySet<string>): Found {
  const [first, ...others] = tensors;
  if (first === undefined) return [];
  const isOne = others.length === 0 && !(allowed.has(first.name) && first.items.every(isScalar));
  return isOne ? first.items : rowsOfColumns(tensors);
}

/** The first line is a header when it has the name of a field, and nothing in it is a number, missing or there twice. */
function underHeader(list: readonly unknown[], allowed: ReadonlySet<string>): Found {
  const [header, ...data] = list as readonly (readonly Json[])[]; // of CSV
  const isHeader =
    header?.some((cell) => allowed.has(String(cell))) &&
    header.every((cell) => typeof cell === 'string' && cell !== '') &&
    new Set(header).size === header.length;
  return (isHeader ? splitIn({ columns: header, data }) : undefined) ?? list;
}

/** The scalars of a row that may be kept; a number: it has so many values without names, which are too few or too many. */
function entriesOf(
  row: unknown,
  fields: readonly string[],
  allowed: ReadonlySet<string>,
): readonly (readonly [string, Json])[] | number {
  const isByPlace = Array.isArray(row) || isScalar(row);
  const places: readonly unknown[] = Array.isArray(row) ? row : [row];
  if (isByPlace && places.length !== fields.length) return places.length;
  const entries = isByPlace ? fields.map((name, index) => [name, places[index]] as const) : Object.entries(Object(row));
  return entries.flatMap(([name, value]) =>
    allowed.has(name) && value !== undefined && isScalar(value) ? [[name, scalarOf(value)] as const] : [],
  );
}

function answersIn(value: unknown): Found {
  if (!isFields(value)) return Array.isArray(value) ? value : [value];
  const held = ['predictions', 'outputs', 'prediction'].map((name) => own(value, name)).find((it) => it !== undefined);
  if (held === undefined) return [value];
  const tensors = tensorsIn(held);
  if (tensors !== undefined && 'unread' in tensors) return tensors;
  if (tensors !== undefined) return tensors.length === 1 ? (tensors[0]?.items ?? []) : rowsOfColumns(tensors);
  if (Array.isArray(held)) return held.map(onlyOf);
  return (isFields(held) ? columnsIn(held) : undefined) ?? [held];
}

/** Lists and objects inside of an answer, such as the probabilities of classes. */
const maxAnswerDepth = 2;
const maxAnswerItems = 256;

function boundedOf(value: unknown, depth: number): Json {
  if (isScalar(value)) return scalarOf(value);
  if (depth === maxAnswerDepth) return null;
  if (Array.isArray(value)) return value.slice(0, maxAnswerItems).map((item) => boundedOf(item, depth + 1));
  const entries = Object.entries(Object(value)).slice(0, maxAnswerItems);
  return Object.fromEntries(entries.map(([name, item]) => [name, boundedOf(item, depth + 1)]));
}
