import { bounded, type Fields, optionalInt, optionalText, textsOf } from './fields.ts';
import { wrong } from './refused.ts';

/** What a search looks at: the attributes of an item, and its metrics, params and tags by name. */
export type Seen = Readonly<Record<Entity, Readonly<Record<string, string | number | undefined>>>>;
type Entity = 'attributes' | 'metrics' | 'params' | 'tags';

const entities: Readonly<Record<string, Entity>> = {
  attribute: 'attributes',
  attributes: 'attributes',
  attr: 'attributes',
  run: 'attributes',
  metric: 'metrics',
  metrics: 'metrics',
  param: 'params',
  params: 'params',
  parameter: 'params',
  tag: 'tags',
  tags: 'tags',
};

const supported =
  'write comparisons with =, !=, <, <=, >, >=, LIKE, ILIKE, IN, NOT IN, IS NULL or IS NOT NULL, joined by AND, of attributes, metrics.<name>, params.<name> or tags.<name>';
const unsupported = (text: string, at: string): Error =>
  wrong(`the filter ${JSON.stringify(text.slice(0, 200))} cannot be read at '${at.slice(0, 60)}'; ${supported}`);

interface Comparison {
  readonly entity: Entity;
  readonly name: string;
  readonly operator: string;
  readonly values: readonly (string | number)[];
}

const operators = /^(<=|>=|!=|<>|=|<|>|NOT\s+IN\b|IN\b|NOT\s+LIKE\b|LIKE\b|ILIKE\b|IS\s+NOT\s+NULL\b|IS\s+NULL\b)/i;
const literal = /^(?:'((?:[^']|'')*)'|"((?:[^"]|"")*)"|(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?))/i;

/** Reads a filter of MLflow: `metrics.rmse < 1 AND tags.team = 'a'`. */
export function filterOf(text = ''): (seen: Seen) => boolean {
  const comparisons: Comparison[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const [comparison, after] = comparisonIn(rest, text);
    comparisons.push(comparison);
    const and = /^\s*and\s+/i.exec(after);
    if (and === null && after.trim() !== '') throw unsupported(text, after);
    rest = and === null ? '' : after.slice(and[0].length);
    if (and !== null && rest === '') throw unsupported(text, after);
  }
  return (seen) => comparisons.every((comparison) => holds(comparison, seen));
}

function comparisonIn(text: string, whole: string): readonly [Comparison, string] {
  const [key, after] = keyIn(text, whole);
  const [found = '', word = ''] = operators.exec(after) ?? [];
  if (found === '') throw unsupported(whole, after);
  const operator = word.toUpperCase().replace(/\s+/g, ' ');
  let rest = after.slice(found.length).trimStart();
  if (operator.startsWith('IS')) return [{ ...key, operator, values: [] }, rest];
  const values: (string | number)[] = [];
  const isList = operator.endsWith('IN');
  if (isList !== rest.startsWith('(')) throw unsupported(whole, rest);
  if (isList) rest = rest.slice(1).trimStart();
  for (;;) {
    const [given = '', single, double, number] = literal.exec(rest) ?? [];
    if (given === '') throw unsupported(whole, rest);
    values.push(number === undefined ? (single?.replaceAll("''", "'") ?? double ?? '') : Number(number));
    rest = rest.slice(given.length);
    if (!isList) return [{ ...key, operator, values }, rest];
    const [, end] = /^\s*([,)])\s*/.exec(rest) ?? [];
    if (end === undefined) throw unsupported(whole, rest);
    rest = rest.replace(/^\s*[,)]\s*/, (part) => (part.trim() === ')' ? ' ' : ''));
    if (end === ')') return [{ ...key, operator, values }, rest];
  }
}

type Key = Pick<Comparison, 'entity' | 'name'>;

/** `metrics.rmse`, `tags."mlflow.user"`, or the bare name of an attribute. */
function keyIn(text: string, whole: string): readonly [Key, string] {
  const dotted = /^(\w+)\s*\.\s*(?:`([^`]+)`|"([^"]+)"|([^\s=<>!()'"`]+))\s*/.exec(text);
  const entity = entities[(dotted?.[1] ?? '').toLowerCase()];
  if (dotted !== null && entity !== undefined)
    return [{ entity, name: dotted[2] ?? dotted[3] ?? dotted[4] ?? '' }, text.slice(dotted[0].length)];
  const bare = /^(?:`(\w+)`|"(\w+)"|(\w+))\s*/.exec(text);
  if (bare === null || dotted !== null) throw unsupported(whole, text);
  return [{ entity: 'attributes', name: bare[1] ?? bare[2] ?? bare[3] ?? '' }, text.slice(bare[0].length)];
}

/** What a client calls an attribute, where it has several names. */
const aliases: Readonly<Record<string, string>> = {
  created: 'start_time',
  Created: 'start_time',
  'run name': 'run_name',
  experiment_name: 'name',
};

function wantedOf({ entity, name }: Key, seen: Seen): string | number | undefined {
  const record = seen[entity];
  const key = entity === 'attributes' ? (aliases[name] ?? name) : name;
  if (Object.hasOwn(record, key)) return record[key];
  if (entity === 'attributes')
    throw wrong(`there is no attribute '${name.slice(0, 100)}' here; use ${Object.keys(record).join(', ')}`);
  // The client adds this to each search of models, and a model without the tag is not a prompt.
  return name === 'mlflow.prompt.is_prompt' ? 'false' : undefined;
}

function holds(comparison: Comparison, seen: Seen): boolean {
  const { operator, values } = comparison;
  const value = wantedOf(comparison, seen);
  if (operator === 'IS NULL') return value === undefined;
  if (value === undefined) return false;
  if (operator === 'IS NOT NULL') return true;
  const isAny = values.some((wanted) => compared(value, wanted) === 0);
  switch (operator) {
    case '=':
    case 'IN':
      return isAny;
    case '!=':
    case '<>':
    case 'NOT IN':
      return !isAny;
    case 'LIKE':
    case 'ILIKE':
    case 'NOT LIKE':
      return isLike(String(value), String(values[0]), operator) !== (operator === 'NOT LIKE');
    default: {
      const order = compared(value, values[0] ?? '');
      return operator.startsWith('<')
        ? order < 0 || (operator === '<=' && order === 0)
        : order > 0 || (operator === '>=' && order === 0);
    }
  }
}

/** As numbers where one of both is one; NaN is equal to nothing. */
function compared(value: string | number, wanted: string | number): number {
  if (typeof value === 'string' && typeof wanted === 'string') return value < wanted ? -1 : value > wanted ? 1 : 0;
  return Number(value) - Number(wanted);
}

/** `%` stands for any text and `_` for one character; a text is compared part by part, which no pattern makes slow. */
function isLike(text: string, pattern: string, operator: string): boolean {
  const [value, like] = operator === 'ILIKE' ? [text.toLowerCase(), pattern.toLowerCase()] : [text, pattern];
  let at = 0;
  let anyAt = -1;
  let mark = 0;
  let from = 0;
  while (at < value.length) {
    if (from < like.length && like[from] === '%') {
      anyAt = from;
      mark = at;
      from += 1;
    } else if (from < like.length && (like[from] === '_' || like[from] === value[at])) {
      at += 1;
      from += 1;
    } else if (anyAt !== -1) {
      from = anyAt + 1;
      mark += 1;
      at = mark;
    } else return false;
  }
  return [...like.slice(from)].every((character) => character === '%');
}

/** Reads `metrics.rmse DESC`; what has no value comes last, either way. */
function orderOf(text: string): (a: Seen, b: Seen) => number {
  const [, field = '', way = 'ASC'] = /^\s*(.*?)(?:\s+(ASC|DESC))?\s*$/i.exec(text) ?? [];
  const [key, rest] = keyIn(field, text);
  if (rest.trim() !== '') throw unsupported(text, rest);
  const sign = way.toUpperCase() === 'DESC' ? -1 : 1;
  return (a, b) => {
    const [one, other] = [wantedOf(key, a), wantedOf(key, b)];
    if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
    return sign * compared(one, other) || 0;
  };
}

interface Found<Row> {
  readonly rows: readonly Row[];
  readonly next_page_token?: string;
}

/** Longer ones would be read, and compared with each row, for longer than other requests can wait. */
const most = { filter: 10_000, order: 500, orders: 20 };

const filterIn = (fields: Fields): string =>
  bounded('filter', optionalText(fields, 'filter') ?? optionalText(fields, 'filter_string') ?? '', most.filter);

function ordersIn(fields: Fields): readonly string[] {
  const orders = textsOf(fields, 'order_by');
  if (orders.length > most.orders) throw wrong(`'order_by' has ${orders.length} entries; use at most ${most.orders}`);
  return orders.map((order) => bounded('order_by', order, most.order));
}

/** The page of rows that a search asks for. Rows that an order leaves equal keep the order in which they came. */
export function searched<Row>(
  rows: readonly Row[],
  fields: Fields,
  given: { readonly seenAs: (row: Row) => Seen; readonly usually: number; readonly most: number },
): Found<Row> {
  const size = optionalInt(fields, 'max_results') ?? given.usually;
  if (size < 1 || size > given.most) throw wrong(`'max_results' is ${size}; use a number from 1 to ${given.most}`);
  const keeps = filterOf(filterIn(fields));
  const orders = ordersIn(fields).map(orderOf);
  const found = rows
    .map((row) => ({ row, seen: given.seenAs(row) }))
    .filter(({ seen }) => keeps(seen))
    .toSorted((a, b) => orders.reduce((order, by) => order || by(a.seen, b.seen), 0));
  return paged(
    found.map(({ row }) => row),
    size,
    optionalText(fields, 'page_token'),
  );
}

/** A part of a list, and where the next one begins. */
export function paged<Row>(rows: readonly Row[], size: number, token: string | undefined): Found<Row> {
  const from = token === undefined ? 0 : offsetIn(token);
  const next = from + size < rows.length ? { next_page_token: tokenOf(from + size) } : {};
  return { rows: rows.slice(from, from + size), ...next };
}

const tokenOf = (offset: number): string => Buffer.from(JSON.stringify({ offset })).toString('base64');

function offsetIn(token: string): number {
  try {
    const { offset } = JSON.parse(Buffer.from(token, 'base64').toString('utf8'));
    if (Number.isSafeInteger(offset) && offset >= 0) return offset;
  } catch {
    // Said below.
  }
  throw wrong('the page token does not belong to this list; begin without it');
}
