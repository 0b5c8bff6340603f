import type { Service } from '@serin/gcp/calls/google';
import protobuf from 'protobufjs';
import { isRecord, kindOf, type Method } from './documents.ts';
import { camel, protosOf, responseOf, rpcOf } from './rpcs.ts';

export interface Sent {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

/** What the protos have against a request; empty when nothing, and for a method that they do not have. */
export function* requestProblems(service: Service, method: Method, { params, query, body }: Sent): Generator<string> {
  const rpc = rpcOf(service, method);
  if (rpc === undefined) return;
  const { request } = rpc;
  const isMasked = query.has('updateMask') || (isRecord(body) && 'updateMask' in body);
  const walk: Walk = { direction: 'request', isMasked };
  const whole: Record<string, unknown> = rpc.body === '*' && isRecord(body) ? { ...body } : {};
  for (const [name, value] of Object.entries(params)) put(request, whole, rpc.inPath.get(name) ?? name, [value]);
  for (const name of new Set(query.keys())) if (isField(request, name)) put(request, whole, name, query.getAll(name));
  const name = rpc.body === undefined || rpc.body === '*' ? undefined : camel(rpc.body);
  const field = name === undefined ? undefined : fieldsOf(request).get(name);
  if (name !== undefined && field?.resolvedType instanceof protobuf.Type && body !== undefined) {
    yield* messageProblems(walk, field.resolvedType, body, 'body');
    // What its path has put in is of the request, and looked at above.
    delete whole[name];
    yield* messageProblems(walk, request, whole, 'request', new Set([name]));
  } else yield* messageProblems(walk, request, whole, 'request');
}

/** What the protos have against an answer; empty when nothing, and for a method that they do not have. */
export function* answerProblems(service: Service, method: Method, answer: unknown): Generator<string> {
  const root = protosOf(service)?.root;
  const type = responseOf(service, method);
  if (root === undefined || type === undefined) return;
  yield* messageProblems({ direction: 'answer', isMasked: false, root }, type, answer, 'answer');
}

const fields = new WeakMap<protobuf.Type, ReadonlyMap<string, protobuf.Field>>();

function fieldsOf(type: protobuf.Type): ReadonlyMap<string, protobuf.Field> {
  const known = fields.get(type) ?? new Map(type.fieldsArray.map((field) => [camel(field.name), field.resolve()]));
  fields.set(type, known);
  return known;
}

/** Parameters that every method has (`alt`, `key`) are no fields. */
const isField = (type: protobuf.Type, path: string): boolean => fieldsOf(type).has(camel(path.split('.')[0] ?? ''));

/** Writes the text of a path or a query where its field is. */
function put(type: protobuf.Type, into: Record<string, unknown>, path: string, texts: readonly string[]): void {
  const [first = '', ...rest] = path.split('.').map(camel);
  const field = fieldsOf(type).get(first);
  if (field?.resolvedType instanceof protobuf.Type && rest.length > 0) {
    const inner = (into[first] ?? {}) as Record<string, unknown>;
    into[first] = inner;
    put(field.resolvedType, inner, rest.join('.'), texts);
    return;
  }
  const values = texts.map((text) => (field === undefined ? text : typed(field, text)));
  into[first] = field?.repeated ? values : values[0];
}

const typed = ({ type }: protobuf.Field, text: string): unknown =>
  type === 'bool' ? text === 'true' : /^(u?int32|s?fixed32|float|double)$/.test(type) ? Number(text) : text;

interface Walk {
  readonly direction: 'request' | 'answer';
  /** Only what a mask names is read: nothing is required of the rest. */
  readonly isMasked: boolean;
  /** Where the type of an `Any` is looked up. */
  readonly root?: protobuf.Root;
}

function* messageProblems(
  walk: Walk,
  type: protobuf.Type,
  value: unknown,
  at: string,
  elsewhere: ReadonlySet<string> = new Set(),
): Generator<string> {
  if (!isRecord(value)) {
    yield `${at}: must be an object, is ${kindOf(value)}`;
    return;
  }
  const known = fieldsOf(type);
  const chosen = new Map<string, string>();
  for (const [name, entry] of Object.entries(value)) {
    const field = known.get(name);
    if (field === undefined) {
      yield `${at}.${name}: unknown field of ${type.fullName.slice(1)}`;
      continue;
    }
    const never = walk.direction === 'request' ? 'OUTPUT_ONLY' : 'INPUT_ONLY';
    if (behaves(field, never)) yield `${at}.${name}: ${never}`;
    const oneof = field.partOf === null || field.options?.proto3_optional === true ? undefined : field.partOf.name;
    const other = oneof === undefined ? undefined : chosen.get(oneof);
    if (other !== undefined) yield `${at}: one of ${oneof}, not both ${other} and ${name}`;
    if (oneof !== undefined) chosen.set(oneof, name);
    yield* fieldProblems(walk, field, entry, `${at}.${name}`);
  }
  for (const [name, field] of known)
    if (value[name] === undefined && !elsewhere.has(name) && mustBeThere(walk, field)) yield `${at}.${name}: REQUIRED`;
}

/** An answer leaves out what is zero or empty. */
function mustBeThere({ direction, isMasked }: Walk, field: protobuf.Field): boolean {
  if (!behaves(field, 'REQUIRED') || isMasked) return false;
  if (direction === 'request') return true;
  return !field.repeated && !field.map && (field.type === 'string' || field.resolvedType instanceof protobuf.Type);
}

function behaves({ options, parsedOptions }: protobuf.Field, behavior: string): boolean {
  const name = '(google.api.field_behavior)';
  const parsed = (parsedOptions ?? []) as readonly Readonly<Record<string, unknown>>[];
  return [options?.[name], ...parsed.map((option) => option[name])].flat().includes(behavior);
}

function* fieldProblems(walk: Walk, field: protobuf.Field, value: unknown, at: string): Generator<string> {
  if (field.map) {
    if (!isRecord(value)) yield `${at}: must be an object, is ${kindOf(value)}`;
    else for (const [key, entry] of Object.entries(value)) yield* valueProblems(walk, field, entry, `${at}.${key}`);
  } else if (field.repeated) {
    if (!Array.isArray(value)) yield `${at}: must be a list, is ${kindOf(value)}`;
    else for (const [index, entry] of value.entries()) yield* valueProblems(walk, field, entry, `${at}[${index}]`);
  } else yield* valueProblems(walk, field, value, at);
}

/** Messages that JSON writes in a form of their own. https://protobuf.dev/programming-guides/json/ */
const forms: Readonly<Record<string, (value: unknown) => boolean>> = {
  Timestamp: (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(textOf(value)),
  Duration: (value) => /^-?\d+(\.\d{1,9})?s$/.test(textOf(value)),
  FieldMask: (value) => /^[a-zA-Z0-9.,*`]+$/.test(textOf(value)),
  StringValue: (value) => typeof value === 'string',
  BoolValue: (value) => typeof value === 'boolean',
  BytesValue: (value) => isScalar('bytes', value),
  Int32Value: (value) => isScalar('int32', value),
  UInt32Value: (value) => isScalar('uint32', value),
  Int64Value: (value) => isScalar('int64', value),
  UInt64Value: (value) => isScalar('uint64', value),
  FloatValue: (value) => isScalar('float', value),
  DoubleValue: (value) => isScalar('double', value),
  Struct: isRecord,
  ListValue: Array.isArray,
  Value: () => true,
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function* valueProblems(walk: Walk, field: protobuf.Field, value: unknown, at: string): Generator<string> {
  const type = field.resolvedType;
  if (type instanceof protobuf.Enum) {
    const isNull = type.fullName === '.google.protobuf.NullValue' && value === null;
    if (!isNull && !(typeof value === 'string' && value in type.values))
      yield `${at}: ${kindOf(value)} is none of ${type.fullName.slice(1)}`;
  } else if (type instanceof protobuf.Type) {
    const [, known = ''] = /^\.google\.protobuf\.(\w+)$/.exec(type.fullName) ?? [];
    const form = forms[known];
    if (known === 'Any') yield* anyProblems(walk, value, at);
    else if (form === undefined) yield* messageProblems(walk, type, value, at);
    else if (!form(value)) yield `${at}: ${kindOf(value)} is no ${known}`;
  } else if (!isScalar(field.type, value)) yield `${at}: ${kindOf(value)} is no ${field.type}`;
}

/** What a long-running operation has made stands in an `Any`: its type is said by itself. */
function* anyProblems(walk: Walk, value: unknown, at: string): Generator<string> {
  const { '@type': url, ...rest } = isRecord(value) ? value : {};
  const name = textOf(url).replace(/^type\.googleapis\.com\//, '');
  if (name === '' || name === url) yield `${at}: without an @type of type.googleapis.com`;
  const type = walk.root?.lookup(name);
  if (type instanceof protobuf.Type) yield* messageProblems(walk, type, rest, at);
  else if (walk.root !== undefined && name !== 'google.protobuf.Empty') yield `${at}: no message ${name}`;
}

/** A whole number of 64 bits is text: JavaScript has none so large. */
function isScalar(type: string, value: unknown): boolean {
  if (type === 'string') return typeof value === 'string';
  if (type === 'bool') return typeof value === 'boolean';
  if (type === 'bytes') return typeof value === 'string' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value);
  if (/64$/.test(type)) return typeof value === 'string' && /^-?\d+$/.test(value);
  if (/32$/.test(type)) return Number.isInteger(value) && (!/^(u|fixed)/.test(type) || Number(value) >= 0);
  return typeof value === 'number' || /^(NaN|-?Infinity)$/.test(String(value));
}
