import type { JournalField } from '@serin/clouds/gcp/journal';
import { Refusal } from './discovery.ts';
import { compareValues, type Fields, kindOf, type Value, valueAt, withValue } from './firestore-values.ts';

export interface Stored {
  readonly name: string;
  readonly fields: Fields;
  readonly createTime: string;
  readonly updateTime: string;
}

interface FieldRef {
  readonly fieldPath: string;
}

export interface Filter {
  readonly fieldFilter?: { readonly field: FieldRef; readonly op: string; readonly value: Value };
  readonly compositeFilter?: { readonly op: string; readonly filters: readonly Filter[] };
}

interface Cursor {
  readonly values: readonly Value[];
  readonly before?: boolean;
}

export interface Query {
  readonly from: readonly { readonly collectionId: string; readonly allDescendants?: boolean }[];
  readonly where?: Filter;
  readonly orderBy?: readonly { readonly field: FieldRef; readonly direction?: string }[];
  readonly startAt?: Cursor;
  readonly endAt?: Cursor;
  readonly limit?: number | { readonly value: number };
  readonly select?: { readonly fields?: readonly FieldRef[] };
}

const filtersIn = (filter: Filter | undefined): readonly NonNullable<Filter['fieldFilter']>[] =>
  filter?.fieldFilter === undefined
    ? (filter?.compositeFilter?.filters ?? []).flatMap(filtersIn)
    : [filter.fieldFilter];

/** What a query sorts by, the name of the document last; a field that is only compared comes first by itself. */
function ordersIn({ where, orderBy = [] }: Query) {
  const given = orderBy.map(({ field, direction }) => ({ path: field.fieldPath, isDown: direction === 'DESCENDING' }));
  const compared = filtersIn(where).filter(({ op }) => op !== 'EQUAL');
  const paths = [...new Set(compared.map(({ field }) => field.fieldPath))].filter(
    (path) => !given.some((order) => order.path === path),
  );
  const isDown = given.at(-1)?.isDown ?? false;
  const orders = [...given, ...paths.map((path) => ({ path, isDown }))];
  return orders.some(({ path }) => path === '__name__') ? orders : [...orders, { path: '__name__', isDown }];
}

/** A query needs an index that has all its fields, in its order. */
export function demandIndexes(query: Query, settings: readonly JournalField[]): void {
  const refuse = (what: string) =>
    new Refusal(
      'FAILED_PRECONDITION',
      `The query requires an index (${what}). You can create it here: https://console.firebase.google.com/`,
    );
  const [from] = query.from;
  if (from === undefined || query.from.length > 1) throw new Refusal('INVALID_ARGUMENT', 'from is not one collection');
  const orders = ordersIn(query).filter(({ path }) => path !== '__name__');
  const equal = filtersIn(query.where).map(({ field }) => field.fieldPath);
  const paths = new Set([...equal, ...orders.map(({ path }) => path)]);
  paths.delete('__name__');
  if (paths.size > 1) throw refuse(`composite, over ${[...paths].join(', ')}`);
  if (orders.length === 0 && ordersIn(query)[0]?.isDown) throw refuse('__name__ DESCENDING');
  if (from.allDescendants && paths.size > 0) throw refuse(`of the collection group ${from.collectionId}`);
  for (const path of paths) {
    const set = settings.find(
      ({ collectionGroup, field }) => collectionGroup === from.collectionId && `${path}.`.startsWith(`${field}.`),
    );
    const direction = orders.find((order) => order.path === path)?.isDown ? 'DESCENDING' : 'ASCENDING';
    if (set !== undefined && set.order !== direction) throw refuse(`${from.collectionId}.${path} ${direction}`);
  }
}

export function selected(parent: string, query: Query, documents: Iterable<Stored>): readonly Stored[] {
  const [from] = query.from;
  const orders = ordersIn(query);
  const at = (document: Stored, path: string): Value | undefined =>
    path === '__name__' ? { referenceValue: document.name } : valueAt(document.fields, path);
  const isThere = ({ name }: Stored): boolean => {
    const ids = name.startsWith(`${parent}/`) ? name.slice(parent.length + 1).split('/') : [];
    return ids.at(-2) === from?.collectionId && (ids.length === 2 || from?.allDescendants === true);
  };
  const holds = (document: Stored): boolean =>
    filtersIn(query.where).every(({ field, op, value }) => compares(op, at(document, field.fieldPath), value));
  const position = (document: Stored, { values }: Cursor): number =>
    values.reduce((order, value, index) => {
      const { path = '__name__', isDown = false } = orders[index] ?? {};
      return order || compareValues(at(document, path) ?? {}, value) * (isDown ? -1 : 1);
    }, 0);
  const isWithin = (document: Stored): boolean => {
    const { startAt, endAt } = query;
    const start = startAt === undefined ? 1 : position(document, startAt);
    const end = endAt === undefined ? -1 : position(document, endAt);
    return (
      (start > 0 || (start === 0 && startAt?.before === true)) && (end < 0 || (end === 0 && endAt?.before !== true))
    );
  };
  const found = [...documents]
    .filter((document) => isThere(document) && orders.every(({ path }) => at(document, path) !== undefined))
    .filter((document) => holds(document) && isWithin(document))
    .sort((a, b) =>
      orders.reduce(
        (order, { path, isDown }) => order || compareValues(at(a, path) ?? {}, at(b, path) ?? {}) * (isDown ? -1 : 1),
        0,
      ),
    );
  const limit = typeof query.limit === 'object' ? query.limit.value : query.limit;
  return found.slice(0, limit);
}

/** Values of another type are never compared. */
function compares(op: string, value: Value | undefined, with_: Value): boolean {
  if (value === undefined || kindOf(value) !== kindOf(with_)) return false;
  const order = compareValues(value, with_);
  if (op === 'EQUAL') return order === 0;
  if (op === 'LESS_THAN') return order < 0;
  if (op === 'LESS_THAN_OR_EQUAL') return order <= 0;
  if (op === 'GREATER_THAN') return order > 0;
  if (op === 'GREATER_THAN_OR_EQUAL') return order >= 0;
  throw new Refusal('UNIMPLEMENTED', `this Firestore has no ${op}`);
}

export function projected(document: Stored, fields: readonly FieldRef[] | undefined): Stored {
  if (fields === undefined || fields.length === 0) return document;
  const kept = fields.reduce<Fields>((put, { fieldPath }) => {
    const value = valueAt(document.fields, fieldPath);
    return value === undefined ? put : withValue(put, fieldPath, value);
  }, {});
  return { ...document, fields: kept };
}
