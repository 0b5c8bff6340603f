import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Service } from '@serin/gcp/calls/google';
import { paths } from '../installed.ts';

/** What a discovery document says of a parameter or of a field, as far as it is checked here. */
export interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly $ref?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly readOnly?: boolean;
}

interface Parameter extends Schema {
  readonly location: string;
  readonly required?: boolean;
  readonly repeated?: boolean;
  readonly pattern?: string;
}

export interface Method {
  readonly id: string;
  readonly httpMethod: string;
  readonly path: string;
  readonly flatPath?: string;
  readonly parameters?: Readonly<Record<string, Parameter>>;
  readonly request?: Schema;
  readonly response?: Schema;
  readonly supportsMediaDownload?: boolean;
  readonly mediaUpload?: { readonly protocols: { readonly simple: { readonly path: string } } };
}

interface Resource {
  readonly methods?: Readonly<Record<string, Method>>;
  readonly resources?: Readonly<Record<string, Resource>>;
}

interface Document extends Resource {
  readonly servicePath: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly schemas: Readonly<Record<string, Schema>>;
}

const versions: Readonly<Record<Service, string>> = {
  aiplatform: 'v1',
  bigquery: 'v2',
  firestore: 'v1',
  logging: 'v2',
  monitoring: 'v3',
  pubsub: 'v1',
  secretmanager: 'v1',
  storage: 'v1',
};

export const services = Object.keys(versions) as readonly Service[];

const read = new Map<Service, Document>();

/** Google's own description of a service: each route, parameter, field and enum. */
export function documentOf(service: Service): Document {
  const known = read.get(service);
  if (known !== undefined) return known;
  const folder = join(paths.discovery, 'googleapiclient', 'discovery_cache', 'documents');
  const document = JSON.parse(readFileSync(join(folder, `${service}.${versions[service]}.json`), 'utf8')) as Document;
  read.set(service, document);
  return document;
}

const methodsOfResource = ({ methods = {}, resources = {} }: Resource): readonly Method[] => [
  ...Object.values(methods),
  ...Object.values(resources).flatMap(methodsOfResource),
];

export const methodsOf = (service: Service): readonly Method[] => methodsOfResource(documentOf(service));

type Direction = 'request' | 'answer';

/** What the document has against a query; empty when nothing. */
export function* queryProblems(service: Service, method: Method, query: URLSearchParams): Generator<string> {
  const { parameters } = documentOf(service);
  const own = Object.entries(method.parameters ?? {}).filter(([, { location }]) => location === 'query');
  const known: Readonly<Record<string, Parameter>> = { ...parameters, ...Object.fromEntries(own) };
  for (const [name, { required }] of own) if (required && !query.has(name)) yield `?${name}: missing`;
  for (const name of new Set(query.keys())) {
    const parameter = known[name];
    if (parameter === undefined) {
      yield `?${name}: unknown; known are ${own.map(([key]) => key).join(', ') || 'none'}`;
      continue;
    }
    const values = query.getAll(name);
    if (values.length > 1 && !parameter.repeated) yield `?${name}: given ${values.length} times`;
    for (const value of values) yield* textProblems(parameter, value, `?${name}`);
    if (parameter.format === 'google-fieldmask') yield* maskProblems(service, method, values.join(','), `?${name}`);
  }
}

function* textProblems(parameter: Parameter, value: string, at: string): Generator<string> {
  const { type } = parameter;
  const isNumber = type === 'integer' || type === 'number';
  if (isNumber && !/^-?\d+(\.\d+)?$/.test(value)) yield `${at}: '${value}' is no ${type}`;
  else if (type === 'boolean' && !/^(true|false)$/.test(value)) yield `${at}: '${value}' is neither true nor false`;
  else if (!isNumber && type !== 'boolean') yield* scalarProblems(parameter, value, at);
}

/** Each path of a mask is a field of what is sent; beneath a map it may be any key. */
function* maskProblems(service: Service, { request }: Method, mask: string, at: string): Generator<string> {
  const { schemas } = documentOf(service);
  for (const path of mask.split(',')) {
    let schema: Schema | undefined = request;
    for (const part of path.split('.')) {
      if (schema?.$ref !== undefined) schema = schemas[schema.$ref];
      schema = path === '*' ? schema : (schema?.properties?.[part] ?? schema?.additionalProperties);
    }
    if (schema === undefined) yield `${at}: '${path}' is no field of ${request?.$ref}`;
  }
}

/** What the document has against a body; empty when nothing. In a request a field that only Google writes is refused. */
export function* bodyProblems(
  service: Service,
  given: Schema | undefined,
  value: unknown,
  direction: Direction,
  at = 'body',
): Generator<string> {
  const schema = given?.$ref === undefined ? given : documentOf(service).schemas[given.$ref];
  if (schema === undefined) {
    yield `${at}: the document has no schema ${given?.$ref}`;
    return;
  }
  if (schema.type === 'any') return;
  if (schema.type === 'object') {
    if (!isRecord(value)) yield `${at}: must be an object, is ${kindOf(value)}`;
    else yield* fieldProblems(service, schema, value, direction, at);
  } else if (schema.type === 'array') {
    if (!Array.isArray(value)) yield `${at}: must be a list, is ${kindOf(value)}`;
    else
      for (const [index, entry] of value.entries())
        yield* bodyProblems(service, schema.items, entry, direction, `${at}[${index}]`);
  } else yield* scalarProblems(schema, value, at);
}

function* fieldProblems(
  service: Service,
  { properties = {}, additionalProperties }: Schema,
  value: Readonly<Record<string, unknown>>,
  direction: Direction,
  at: string,
): Generator<string> {
  for (const [name, entry] of Object.entries(value)) {
    const field = properties[name] ?? additionalProperties;
    if (field === undefined) yield `${at}.${name}: unknown; known are ${Object.keys(properties).join(', ') || 'none'}`;
    else if (direction === 'request' && field.readOnly) yield `${at}.${name}: only Google writes it`;
    else yield* bodyProblems(service, field, entry, direction, `${at}.${name}`);
  }
}

/** How proto3 writes them as JSON. https://protobuf.dev/programming-guides/json/ */
const formats: Readonly<Record<string, RegExp>> = {
  int64: /^-?\d+$/,
  uint64: /^\d+$/,
  byte: /^[A-Za-z0-9+/_-]*={0,2}$/,
  date: /^\d{4}-\d\d-\d\d$/,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  'google-datetime': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/,
  'google-duration': /^-?\d+(\.\d{1,9})?s$/,
  'google-fieldmask': /^[a-zA-Z0-9.,*`]+$/,
};

function* scalarProblems({ type, format = '', enum: allowed }: Schema, value: unknown, at: string): Generator<string> {
  const isRight =
    type === 'integer' ? isInteger(format, value) : type === 'number' ? isNumber(value) : typeof value === type;
  if (!isRight) yield `${at}: must be ${format || type} as ${type}, is ${kindOf(value)}`;
  else if (allowed !== undefined && !allowed.includes(value as string))
    yield `${at}: '${value}' is none of ${allowed.join(', ')}`;
  else if (formats[format]?.test(String(value)) === false) yield `${at}: '${value}' is no ${format}`;
}

const isInteger = (format: string, value: unknown): boolean =>
  Number.isInteger(value) &&
  (format === 'uint32' ? Number(value) >= 0 && Number(value) < 2 ** 32 : Math.abs(Number(value)) < 2 ** 31);

const isNumber = (value: unknown): boolean =>
  typeof value === 'number' ? Number.isFinite(value) : /^(NaN|-?Infinity)$/.test(String(value));

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const kindOf = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'an object'
        : `${typeof value} ${String(value)}`;
