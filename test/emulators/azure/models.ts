import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from '../installed.ts';

/** A type of Microsoft's models, as models.py writes it. */
type Type =
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'any'
  | 'date-time'
  | 'duration'
  | { readonly enum: string }
  | { readonly model: string }
  | { readonly list: Type }
  | { readonly map: Type }
  | { readonly const: string };

type Visibility = 'read' | 'create' | 'update' | 'delete' | 'query';

interface Field {
  readonly type: Type;
  readonly visibility: readonly Visibility[];
  readonly required?: true;
}

interface Model {
  readonly bases: readonly string[];
  readonly fields: Readonly<Record<string, Field>>;
  readonly discriminator?: string;
  readonly subtypes?: Readonly<Record<string, string>>;
}

/** One call of Azure ML's API. */
export interface Operation {
  /** `OnlineEndpoints.create_or_update` */
  readonly name: string;
  readonly verb: string;
  readonly path: string;
  readonly version: string;
  /** Names, and whether each must be there. */
  readonly query: Readonly<Record<string, boolean>>;
  /** Of a success. */
  readonly statuses: readonly number[];
  /** By status: those that a long-running operation answers. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body?: string;
  readonly answer?: { readonly model: string } | { readonly page: string };
  readonly isLong?: true;
}

interface Models {
  readonly version: string;
  readonly enums: Readonly<Record<string, readonly string[]>>;
  readonly models: Readonly<Record<string, Model>>;
  readonly operations: readonly Operation[];
}

let read: Models | undefined;

/** What Microsoft's generated client of Azure ML (azure-ai-ml) knows of its API. */
export function modelsOfAzureMl(): Models {
  read ??= JSON.parse(readFileSync(join(paths.azureModels, 'models.json'), 'utf8')) as Models;
  return read;
}

/** Who has written a body: we, as a request, or the service, as an answer. */
export type Side = 'request' | 'answer';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$/;
/** ISO 8601, as .NET's XmlConvert reads it: no weeks, and nothing after `T` is wrong. */
const duration = /^-?P(?!$)(\d+Y)?(\d+M)?(\d+D)?(T(?!$)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/;

const scalars = {
  string: (value: unknown) => typeof value === 'string',
  integer: (value: unknown) => Number.isInteger(value),
  number: (value: unknown) => typeof value === 'number' && Number.isFinite(value),
  boolean: (value: unknown) => typeof value === 'boolean',
  any: () => true,
  'date-time': (value: unknown) => typeof value === 'string' && instant.test(value),
  duration: (value: unknown) => typeof value === 'string' && duration.test(value),
} as const;

/** What Microsoft's models have against a body; `name` is that of its model. */
export function* bodyProblems(name: string, body: unknown, side: Side): Generator<string> {
  yield* modelProblems(name, body, side, side);
}

function* typeProblems(type: Type, value: unknown, side: Side, at: string): Generator<string> {
  if (typeof type === 'string') {
    if (!scalars[type](value)) yield `${at}: ${JSON.stringify(value)} is not of type ${type}`;
  } else if ('model' in type) yield* modelProblems(type.model, value, side, at);
  else if ('enum' in type) {
    const known = modelsOfAzureMl().enums[type.enum] ?? [];
    if (!known.includes(value as string)) yield `${at}: ${JSON.stringify(value)} is none of ${known.join(', ')}`;
  } else if ('const' in type) {
    if (value !== type.const) yield `${at}: ${JSON.stringify(value)} is not ${JSON.stringify(type.const)}`;
  } else if ('list' in type) {
    if (!Array.isArray(value)) yield `${at}: ${JSON.stringify(value)} is not a list`;
    else for (const [index, item] of value.entries()) yield* typeProblems(type.list, item, side, `${at}[${index}]`);
  } else if (!isObject(value)) yield `${at}: ${JSON.stringify(value)} is not an object`;
  else for (const [key, item] of Object.entries(value)) yield* typeProblems(type.map, item, side, `${at}.${key}`);
}

function* modelProblems(name: string, value: unknown, side: Side, at: string): Generator<string> {
  if (!isObject(value)) {
    yield `${at}: ${JSON.stringify(value)} is not an object`;
    return;
  }
  const { model, problem } = pickedBy(name, value);
  if (problem !== undefined) {
    yield `${at}.${problem}`;
    return;
  }
  const fields = fieldsOf(model);
  for (const [key, item] of Object.entries(value)) {
    const field = fields[key];
    if (field === undefined) yield `${at}.${key}: ${model} has no such key`;
    else if (item === null) yield* nullProblems(field, `${at}.${key}`);
    else if (!isFor(side, field))
      yield `${at}.${key}: ${side === 'request' ? 'read-only' : 'never answered'} in ${model}`;
    else yield* typeProblems(field.type, item, side, `${at}.${key}`);
  }
  for (const [key, field] of Object.entries(fields))
    if (field.required && isFor(side, field) && value[key] === undefined) yield `${at}.${key}: missing in ${model}`;
}

function* nullProblems({ required }: Field, at: string): Generator<string> {
  if (required) yield `${at}: null, and it is required`;
}

const isFor = (side: Side, { visibility }: Field): boolean =>
  side === 'answer' ? visibility.includes('read') : visibility.includes('create') || visibility.includes('update');

/** The model that the discriminators of a value pick, from a base on. */
function pickedBy(name: string, value: Readonly<Record<string, unknown>>): { model: string; problem?: string } {
  const { discriminator, subtypes } = modelOf(name);
  if (discriminator === undefined || subtypes === undefined) return { model: name };
  const said = value[discriminator];
  const picked = typeof said === 'string' ? subtypes[said] : undefined;
  if (picked !== undefined) return pickedBy(picked, value);
  const known = Object.keys(subtypes).join(', ');
  return { model: name, problem: `${discriminator}: ${JSON.stringify(said)} is none of ${known}` };
}

function modelOf(name: string): Model {
  const found = modelsOfAzureMl().models[name];
  if (found === undefined) throw new Error(`Microsoft's models have no ${name}`);
  return found;
}

const known = new Map<string, Readonly<Record<string, Field>>>();

/** Its own and those of its bases. A subtype says a field of its base again. */
function fieldsOf(name: string): Readonly<Record<string, Field>> {
  const found = known.get(name);
  if (found !== undefined) return found;
  const { bases, fields } = modelOf(name);
  const all = Object.assign({}, ...bases.map(fieldsOf), fields) as Readonly<Record<string, Field>>;
  known.set(name, all);
  return all;
}
