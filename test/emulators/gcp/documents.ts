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

/** A request, matched to a method by its verb and path. */
export interface Matched {
  readonly method: Method;
  /** Decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** By the path for content, `/upload/...`. */
  readonly isUpload: boolean;
}

interface Route {
  readonly method: Method;
  readonly isUpload: boolean;
  readonly pattern: RegExp;
  readonly names: readonly { readonly name: string; readonly isReserved: boolean }[];
}

const routes = new Map<Service, readonly Route[]>();

function routesOf(service: Service): readonly Route[] {
  const known = routes.get(service);
  if (known !== undefined) return known;
  const { servicePath } = documentOf(service);
  const made = methodsOf(service).flatMap((method) => {
    const upload = method.mediaUpload?.protocols.simple.path;
    const plain = routeOf(method, `${servicePath}${method.path}`, false);
    return upload === undefined ? [plain] : [plain, routeOf(method, upload.slice(1), true)];
  });
  routes.set(service, made);
  return made;
}

function routeOf(method: Method, path: string, isUpload: boolean): Route {
  const names: { name: string; isReserved: boolean }[] = [];
  const pattern = path
    .split(/(\{\+?\w+\})/)
    .map((part) => {
      const [, plus, name] = /^\{(\+?)(\w+)\}$/.exec(part) ?? [];
      if (name === undefined) return part.replace(/[.*?^$()|[\]\\]/g, '\\$&');
      names.push({ name, isReserved: plus === '+' });
      return `(${partOf(method, name)})`;
    })
    .join('');
  return { method, isUpload, names, pattern: new RegExp(`^${pattern}$`) };
}

/** What a part of a path may be. The `:` of a custom verb is never within a part: a client encodes its own. */
function partOf({ path, parameters }: Method, name: string): string {
  const given = parameters?.[name]?.pattern;
  if (given === undefined) return path.startsWith('b/') ? '[^/]+' : '[^/:]+';
  return (
    given
      .replace(/^\^|\$$/g, '')
      // Documents of Firestore: each is a collection and an id. A query, or what creates one, may begin at the root, which
      // the protos say and the discovery document leaves out.
      // https://github.com/googleapis/googleapis/blob/master/google/firestore/v1/firestore.proto
      .replace(/\/documents\/\[\^\/\]\+\/\.\*$/, `/documents(?:/[^/:]+/[^/:]+)${path.includes('}:') ? '*' : '+'}`)
      .replace(/\/documents\/\.\*$/, '/documents(?:/[^/:]+/[^/:]+)*')
      .replaceAll('[^/]+', '[^/:]+')
      .replace(/\.\*$/, '[^:]*')
  );
}

// In a variable of several parts an encoded `/` stays encoded.
// https://github.com/googleapis/googleapis/blob/master/google/api/http.proto
const decoded = (text: string, isReserved: boolean): string =>
  decodeURIComponent(isReserved ? text.replace(/%2f/gi, '%252F') : text);

const variablesIn = ({ path, flatPath }: Method): number => (flatPath ?? path).split('{').length;

/**
 * The method of a verb and a path (as it is on the wire, without a leading `/`); none or several are an error.
 *
 * Cloud Logging has methods twice, for a project and for anything that has logs: the one with fewer variables is meant.
 */
export function matchOf(service: Service, verb: string, path: string): Matched {
  const found = routesOf(service).flatMap(({ method, isUpload, pattern, names }) => {
    const match = method.httpMethod === verb ? pattern.exec(path) : null;
    if (match === null) return [];
    const params = names.map(({ name, isReserved }, at) => [name, decoded(match[at + 1] ?? '', isReserved)]);
    return [{ method, isUpload, params: Object.fromEntries(params) as Readonly<Record<string, string>> }];
  });
  const least = Math.min(...found.map(({ method }) => variablesIn(method)));
  const [first, second] = found.filter(({ method }) => variablesIn(method) === least);
  if (first === undefined) throw new Error(`${service} has no method ${verb} ${path}`);
  if (second !== undefined)
    throw new Error(`${verb} ${path} is several methods: ${found.map(({ method }) => method.id).join(', ')}`);
  return first;
}

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
