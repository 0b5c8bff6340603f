/** `google.firestore.v1.Value` as JSON: exactly one of these. */
export interface Value {
  readonly nullValue?: null;
  readonly booleanValue?: boolean;
  readonly integerValue?: string;
  readonly doubleValue?: number | 'NaN' | 'Infinity' | '-Infinity';
  readonly timestampValue?: string;
  readonly stringValue?: string;
  readonly bytesValue?: string;
  readonly referenceValue?: string;
  readonly arrayValue?: { readonly values?: readonly Value[] };
  readonly mapValue?: { readonly fields?: Fields };
}

export type Fields = Readonly<Record<string, Value>>;

// Values of different types are in this order.
// https://docs.cloud.google.com/firestore/docs/concepts/data-types#value_type_ordering
const kinds = [
  ['nullValue'],
  ['booleanValue'],
  ['integerValue', 'doubleValue'],
  ['timestampValue'],
  ['stringValue'],
  ['bytesValue'],
  ['referenceValue'],
  ['arrayValue'],
  ['mapValue'],
] as const;

export const kindOf = (value: Value): number => kinds.findIndex((names) => names.some((name) => name in value));

/** "Only the first 1,500 bytes are considered by queries", of text and of bytes. */
const indexedBytes = 1500;

const byBytes = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b);
const cut = (bytes: Buffer): Buffer => bytes.subarray(0, indexedBytes);

export function compareValues(a: Value, b: Value): number {
  const kind = kindOf(a);
  if (kind !== kindOf(b)) return kind - kindOf(b);
  switch (kinds[kind]?.[0]) {
    case 'booleanValue':
      return Number(a.booleanValue) - Number(b.booleanValue);
    case 'integerValue':
      return compareNumbers(a, b);
    case 'timestampValue':
      return byBytes(Buffer.from(padded(a.timestampValue)), Buffer.from(padded(b.timestampValue)));
    case 'stringValue':
      return byBytes(cut(Buffer.from(a.stringValue ?? '')), cut(Buffer.from(b.stringValue ?? '')));
    case 'bytesValue':
      return byBytes(cut(Buffer.from(a.bytesValue ?? '', 'base64')), cut(Buffer.from(b.bytesValue ?? '', 'base64')));
    case 'referenceValue':
      return compareLists((a.referenceValue ?? '').split('/'), (b.referenceValue ?? '').split('/'), (x, y) =>
        byBytes(Buffer.from(x), Buffer.from(y)),
      );
    case 'arrayValue':
      return compareLists(a.arrayValue?.values ?? [], b.arrayValue?.values ?? [], compareValues);
    case 'mapValue':
      return compareLists(sorted(a.mapValue?.fields), sorted(b.mapValue?.fields), ([key, value], [other, its]) => {
        return byBytes(Buffer.from(key), Buffer.from(other)) || compareValues(value, its);
      });
    default:
      return 0;
  }
}

function compareLists<Item>(a: readonly Item[], b: readonly Item[], compare: (a: Item, b: Item) => number): number {
  for (const [at, item] of a.entries()) {
    const other = b[at];
    if (other === undefined) return 1;
    const order = compare(item, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareNumbers(a: Value, b: Value): number {
  if (a.integerValue !== undefined && b.integerValue !== undefined) {
    const difference = BigInt(a.integerValue) - BigInt(b.integerValue);
    return difference < 0n ? -1 : Number(difference > 0n);
  }
  const [x, y] = [a, b].map(({ integerValue, doubleValue }) => Number(integerValue ?? doubleValue));
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(y)) - Number(Number.isNaN(x));
  return (x ?? 0) - (y ?? 0);
}

const sorted = (fields: Fields = {}): readonly (readonly [string, Value])[] =>
  Object.entries(fields).sort(([a], [b]) => byBytes(Buffer.from(a), Buffer.from(b)));

/** With nine digits of a second; Google leaves out zeros at the end. */
function padded(time = ''): string {
  const [, seconds = '', fraction = ''] = /^(.{19})(?:\.(\d+))?Z$/.exec(time) ?? [];
  return seconds + fraction.padEnd(9, '0');
}

export const sameTime = (a: string | undefined, b: string): boolean => a !== undefined && padded(a) === padded(b);

/** The value at a path such as `kept.seq`. */
export const valueAt = (fields: Fields, path: string): Value | undefined =>
  path.split('.').reduce<Value | undefined>((value, name) => value?.mapValue?.fields?.[name], { mapValue: { fields } });

/** The fields with the value at this path put in, or taken away. */
export function withValue(fields: Fields, path: string, value: Value | undefined): Fields {
  const [name = '', ...rest] = path.split('.');
  const { [name]: old, ...others } = fields;
  const put =
    rest.length === 0 ? value : { mapValue: { fields: withValue(old?.mapValue?.fields ?? {}, rest.join('.'), value) } };
  return put === undefined ? others : { ...others, [name]: put };
}

const textSize = (text: string): number => Buffer.byteLength(text) + 1;

/** https://docs.cloud.google.com/firestore/docs/storage-size */
export function valueSize(value: Value): number {
  if (value.stringValue !== undefined) return textSize(value.stringValue);
  if (value.bytesValue !== undefined) return Buffer.from(value.bytesValue, 'base64').length;
  if (value.referenceValue !== undefined) return nameSize(value.referenceValue);
  if (value.mapValue !== undefined) return fieldsSize(value.mapValue.fields ?? {});
  if (value.arrayValue !== undefined)
    return (value.arrayValue.values ?? []).reduce((sum, of) => sum + valueSize(of), 0);
  return value.nullValue === null || value.booleanValue !== undefined ? 1 : 8;
}

const fieldsSize = (fields: Fields): number =>
  Object.entries(fields).reduce((sum, [name, value]) => sum + textSize(name) + valueSize(value), 0);

const nameSize = (name: string): number => idsIn(name).reduce((sum, id) => sum + textSize(id), 16);

export const documentSize = (name: string, fields: Fields): number => nameSize(name) + fieldsSize(fields) + 32;

/** The ids of collections and documents in the name of a document, from the root. */
export const idsIn = (name: string): readonly string[] => name.split('/').slice(5);

/** The values within these, whatever they are in. */
export function* valuesIn(fields: Fields): Generator<readonly [string, Value]> {
  for (const [name, value] of Object.entries(fields)) {
    yield [name, value];
    yield* valuesIn(value.mapValue?.fields ?? {});
    for (const item of value.arrayValue?.values ?? []) yield* valuesIn({ '': item });
  }
}
