import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { paths } from './installed.ts';
import { matcherOf } from './patterns.ts';

/** A shape as botocore's `service-2.json` has it, as far as it is checked here. */
interface Shape {
  readonly type: string;
  readonly members?: Readonly<Record<string, Member>>;
  readonly member?: Member;
  readonly key?: Member;
  readonly value?: Member;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly min?: number;
  readonly max?: number;
  readonly union?: boolean;
  readonly document?: boolean;
}

interface Member {
  readonly shape: string;
  readonly streaming?: boolean;
  readonly eventstream?: boolean;
}

interface Model {
  readonly metadata: { readonly apiVersion: string; readonly serviceId: string };
  readonly operations: Readonly<Record<string, { readonly input?: Member; readonly output?: Member }>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** Where the SDK v3 has a field that the model has not. `$metadata`, on every answer, is known too. */
const onlyInSdk: ReadonlySet<string> = new Set([
  // Smithy's S3 model keeps the text of a date that may be none: `ExpiresString` beside `Expires`.
  's3:ExpiresString',
]);

/** A union in Smithy's model and in the SDK, a plain structure in botocore's. */
const unions: ReadonlySet<string> = new Set(['dynamodb:AttributeValue']);

/** Where AWS itself answers outside of its model. */
const outsideOfModel: ReadonlySet<string> = new Set([
  // Amazon's DynamoDB Local and DynamoDB say 0, the model's least is 1 (PositiveLongObject).
  'dynamodb:NumberOfDecreasesToday',
]);

const models = new Map<string, Model>();

/** AWS's model of a service by the name of botocore's folder (`sagemaker`, `events`, ...), of its newest API version. */
export function modelOf(service: string): Model {
  const known = models.get(service);
  if (known !== undefined) return known;
  const python = readdirSync(join(paths.python, 'lib'))[0] ?? 'python3';
  const folder = join(paths.python, 'lib', python, 'site-packages', 'botocore', 'data', service);
  const newest = readdirSync(folder).sort().at(-1) ?? '';
  const model = JSON.parse(gunzipSync(readFileSync(join(folder, newest, 'service-2.json.gz'))).toString()) as Model;
  models.set(service, model);
  return model;
}

/**
 * What AWS's own model has against a request or an answer: one line each, path first; none when it may be sent.
 *
 * Checked: required, unknown keys, types, enum, pattern (of the whole text), min and max (characters, bytes, entries or
 * the number itself), union. Values are as the SDK v3 takes and gives them: `Date`, `Uint8Array`, `undefined` is absent.
 * Not checked: what the model does not say (rules between fields, quotas, what exists).
 */
export function problemsOf(
  service: string,
  operation: string,
  direction: 'input' | 'output',
  value: unknown,
): readonly string[] {
  const model = modelOf(service);
  const found = model.operations[operation];
  if (found === undefined) return [`${service}: no operation ${operation}`];
  const root = found[direction];
  const nothing = { type: 'structure', members: {} } as const;
  if (root === undefined) return [...checkStructure({ service, model, direction }, nothing, value, '')];
  return [...check({ service, model, direction }, root, value, '')];
}

interface Within {
  readonly service: string;
  readonly model: Model;
  readonly direction: 'input' | 'output';
}

function* check(within: Within, member: Member, value: unknown, path: string): Generator<string> {
  const shape = within.model.shapes[member.shape];
  if (shape === undefined) throw new Error(`botocore: ${within.service} has no shape ${member.shape}`);
  // A stream (the body of an object) is whatever the runtime has for one.
  if (member.streaming || member.eventstream || shape.document) return;
  const wrong = wrongType(shape, value);
  if (wrong !== undefined) {
    yield `${path}: must be ${wrong}, is ${kindOf(value)}`;
    return;
  }
  yield* checkConstraints(shape, value, path);
  if (shape.type === 'structure') yield* checkStructure(within, shape, value, path);
  if (shape.union || unions.has(`${within.service}:${member.shape}`)) yield* checkUnion(shape, value, path);
  if (shape.type === 'list' && shape.member !== undefined)
    for (const [index, entry] of (value as readonly unknown[]).entries())
      yield* check(within, shape.member, entry, `${path}[${index}]`);
  if (shape.type === 'map' && shape.key !== undefined && shape.value !== undefined)
    for (const [key, entry] of entriesOf(value)) {
      yield* check(within, shape.key, key, `${path}.${key} (key)`);
      yield* check(within, shape.value, entry, `${path}.${key}`);
    }
}

function* checkStructure(within: Within, shape: Shape, value: unknown, path: string): Generator<string> {
  const members = shape.members ?? {};
  const entries = entriesOf(value);
  const at = (key: string) => (path === '' ? key : `${path}.${key}`);
  for (const name of shape.required ?? []) if (!entries.some(([key]) => key === name)) yield `${at(name)}: missing`;
  for (const [key, entry] of entries) {
    const member = members[key];
    if (within.direction === 'output' && outsideOfModel.has(`${within.service}:${key}`)) continue;
    if (member !== undefined) yield* check(within, member, entry, at(key));
    else if (key !== '$metadata' && !onlyInSdk.has(`${within.service}:${key}`))
      yield `${at(key)}: unknown; known are ${Object.keys(members).join(', ') || 'none'}`;
  }
}

function* checkUnion(shape: Shape, value: unknown, path: string): Generator<string> {
  const count = entriesOf(value).length;
  if (count !== 1)
    yield `${path}: a union has one field, not ${count} (${Object.keys(shape.members ?? {}).join(', ')})`;
}

function* checkConstraints(shape: Shape, value: unknown, path: string): Generator<string> {
  if (shape.enum !== undefined && !shape.enum.includes(value as string))
    yield `${path}: '${value}' is none of ${shape.enum.join(', ')}`;
  // Smithy's patterns are not anchored; AWS's servers match them against the whole text (Java's `String.matches`).
  if (shape.pattern !== undefined && typeof value === 'string' && !matcherOf(shape.pattern).test(value))
    yield `${path}: '${value.slice(0, 200)}' does not match ${shape.pattern}`;
  const size = shape.min === undefined && shape.max === undefined ? undefined : sizeOf(value);
  if (size === undefined) return;
  if (shape.min !== undefined && size.amount < shape.min)
    yield `${path}: ${size.amount}${size.unit} is under the least, ${shape.min}`;
  if (shape.max !== undefined && size.amount > shape.max)
    yield `${path}: ${size.amount}${size.unit} is over the most, ${shape.max}`;
}

function sizeOf(value: unknown): { readonly amount: number | bigint; readonly unit: string } | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return { amount: value, unit: '' };
  // Smithy counts Unicode scalar values, not UTF-16 units.
  if (typeof value === 'string') return { amount: [...value].length, unit: ' characters' };
  if (value instanceof Uint8Array) return { amount: value.byteLength, unit: ' bytes' };
  if (Array.isArray(value)) return { amount: value.length, unit: ' entries' };
  return isRecord(value) ? { amount: entriesOf(value).length, unit: ' entries' } : undefined;
}

const int32 = 2 ** 31;

/** What a value of this shape must be; `undefined` when it is. */
function wrongType({ type }: Shape, value: unknown): string | undefined {
  const is = (holds: boolean, wanted: string) => (holds ? undefined : wanted);
  switch (type) {
    case 'structure':
    case 'map':
      return is(isRecord(value), 'an object');
    case 'list':
      return is(Array.isArray(value), 'a list');
    case 'string':
    case 'character':
      return is(typeof value === 'string', 'a string');
    case 'boolean':
      return is(typeof value === 'boolean', 'a boolean');
    case 'integer':
      return is(Number.isInteger(value) && Math.abs(value as number) < int32, 'a whole number of 32 bits');
    case 'long':
      return is(typeof value === 'bigint' || Number.isSafeInteger(value), 'a whole number');
    case 'float':
    case 'double':
      return is(Number.isFinite(value), 'a number');
    // The SDK v3 writes and reads a `Date` everywhere, whatever the protocol sends.
    case 'timestamp':
      return is(value instanceof Date && !Number.isNaN(value.getTime()), 'a Date');
    case 'blob':
      return is(value instanceof Uint8Array, 'a Uint8Array');
    default:
      throw new Error(`botocore: a shape of type ${type} is not known here`);
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Date || value instanceof Uint8Array);

// The SDK drops what is `undefined`, in lists of fields as in maps.
const entriesOf = (value: unknown): readonly (readonly [string, unknown])[] =>
  Object.entries(value ?? {}).filter(([, entry]) => entry !== undefined);

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'no date' : 'a Date';
  return typeof value === 'object' ? 'an object' : `${typeof value} ${String(value)}`;
}
