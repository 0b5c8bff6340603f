import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Google, googleClient, type Hosts, type Service } from '@serin/gcp/calls/google';
import type { Variables } from '@serin/platform/settings';
import { ask } from '@serin/platform/wire';
import { LostAnswer } from '../fakes.ts';
import { type Calls, callsOf } from '../fidelity-calls.ts';
import { bodyProblems, type Method, methodsOf, queryProblems, services } from './documents.ts';
import { answerProblems, requestProblems } from './protos.ts';
import { type Matched, matchOf } from './routes.ts';
import { isInProtos } from './rpcs.ts';
import { type Content, contentOf } from './upload.ts';

export { combined, LostAnswer } from '../fakes.ts';

/** HTTP's status of each code. https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const statuses = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  OUT_OF_RANGE: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  CANCELLED: 499,
  UNKNOWN: 500,
  INTERNAL: 500,
  DATA_LOSS: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
} as const;

export type Rpc = keyof typeof statuses;

/** A refusal as the services of Google send it. */
export class Refusal extends Error {
  readonly rpc: Rpc;
  readonly status: number;
  readonly reason: string | undefined;

  constructor(rpc: Rpc, message: string, more: { readonly reason?: string; readonly status?: number } = {}) {
    super(message);
    this.rpc = rpc;
    this.status = more.status ?? statuses[rpc];
    this.reason = more.reason;
  }
}

/** An answer that is no JSON: the content of an object. */
export class Media {
  readonly content: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly status: number;

  constructor(content: Uint8Array, headers: Readonly<Record<string, string>> = {}, status = 200) {
    this.content = content;
    this.headers = headers;
    this.status = status;
  }
}

export interface Request extends Content {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** By the ids of the methods in Google's discovery documents. What is answered is JSON, `Media`, or nothing (204). */
export type Handlers = Readonly<Record<string, (request: Request) => unknown>>;

/** Where an emulator of others answers what has no handler. */
export interface Relay {
  readonly url: string;
  /** For the table of calls: the emulator's name. */
  readonly who: string;
  /** By method: answers against the document that are known of it, and are let pass. */
  readonly faults?: Readonly<Record<string, RegExp>>;
}

interface Options {
  readonly relays?: Readonly<Partial<Record<Service, Relay>>>;
}

export interface Called {
  readonly id: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  // The fakes read bodies that have been checked; a type for each would be written a second time.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any;
  /** The status of HTTP; 0 when the answer was lost. */
  readonly status: number;
}

export interface Served {
  readonly url: string;
  readonly hosts: Hosts;
  readonly google: Google;
  /** Under which the code of functions finds this server, its metadata server included. */
  readonly variables: Variables;
  readonly calls: readonly Called[];
  /** Throws when a call or an answer was against Google's documents since the last look; `stop` looks too. */
  check(): void;
  stop(): Promise<void>;
}

const idsOf = (service: Service): ReadonlySet<string> => new Set(methodsOf(service).map(({ id }) => id));

function demandKnown(handlers: Handlers): void {
  for (const id of Object.keys(handlers)) {
    const service = services.find((name) => id.startsWith(`${name}.`));
    if (service === undefined || !idsOf(service).has(id)) throw new Error(`Google's documents have no method ${id}`);
  }
}

/** What a method answers as a list, one part after the other. */
const streams = /^firestore\.projects\.databases\.documents\.(batchGet|runQuery|runAggregationQuery|executePipeline)$/;

/** Storage's errors have their own form. https://docs.cloud.google.com/storage/docs/json_api/v1/status-codes */
function bodyOf(service: Service, method: Method, { rpc, status, message, reason }: Refusal): unknown {
  if (service === 'storage') {
    const errors = [{ domain: 'global', message, ...(reason === undefined ? {} : { reason }) }];
    return { error: { code: status, message, errors } };
  }
  const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com' };
  const error = { code: status, message, status: rpc, ...(reason === undefined ? {} : { details: [info] }) };
  return streams.test(method.id) ? [{ error }] : { error };
}

/**
 * Services of Google on 127.0.0.1, by the ids of methods. Each service is beneath a path of its own (`hosts`).
 *
 * Each request and each answer is held to Google's discovery document, and where they are installed to the protos.
 * What is against them, or has no handler, is refused (400) and remembered: `check` and `stop` throw. The calls are
 * counted for the README's table under `name`, the name of the suite.
 */
export async function serveGoogle(name: string, handlers: Handlers, { relays = {} }: Options = {}): Promise<Served> {
  demandKnown(handlers);
  const calls: Called[] = [];
  const violations: string[] = [];
  const counts = callsOf(name);
  const world: World = { handlers, relays, calls, violations, counts };
  const server = createServer((incoming, response) => {
    answer(world, incoming, response).catch((error: unknown) => {
      violations.push(String(error instanceof Error ? (error.stack ?? error) : error));
      response.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const hosts: Hosts = (service) => `${url}/${service}`;
  const check = () => {
    if (violations.length > 0) throw new Error(`against Google's documents:\n${violations.splice(0).join('\n')}`);
  };
  return {
    url,
    hosts,
    google: googleClient({ hosts, tokens: async () => token }),
    variables: {
      GCE_METADATA_HOST: `127.0.0.1:${port}`,
      ...Object.fromEntries(services.map((of) => [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${of.toUpperCase()}`, hosts(of)])),
    },
    calls,
    check,
    async stop() {
      if (server.listening) {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      }
      counts.save();
      check();
    },
  };
}

const checkedBy = (service: Service, method: Method): string =>
  isInProtos(service, method) ? 'discovery document, protos' : 'discovery document';

/** Any other is taken too: a handler may refuse it. */
const token = 'token-of-the-function';

interface World {
  readonly handlers: Handlers;
  readonly relays: Readonly<Partial<Record<Service, Relay>>>;
  readonly calls: Called[];
  readonly violations: string[];
  readonly counts: Calls;
}

async function answer(world: World, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  const [path = '', search = ''] = (incoming.url ?? '').slice(1).split(/\?(.*)/s);
  if (path === metadataPath) return answerToken(incoming, response);
  const [first = '', ...rest] = path.split('/');
  const service = services.find((known) => known === first);
  const asked = { verb: incoming.method ?? '', path: rest.join('/'), query: new URLSearchParams(search) };
  const refuse = (problems: readonly string[]) => {
    world.violations.push(`${asked.verb} ${path}${search === '' ? '' : `?${search}`}\n  ${problems.join('\n  ')}`);
    send(response, 400, { error: { code: 400, message: problems.join('; '), status: 'INVALID_ARGUMENT' } });
  };
  if (service === undefined) return refuse([`no service '${first}'`]);
  let read: Read;
  try {
    read = readRequest(service, asked, incoming, bytes);
  } catch (error) {
    return refuse([error instanceof Error ? error.message : String(error)]);
  }
  if (read.problems.length > 0) return refuse(read.problems);
  const handler = world.handlers[read.matched.method.id];
  const relay = world.relays[service];
  if (handler !== undefined) return handle(world, read, handler, response, refuse);
  if (relay !== undefined) return pass(world, read, relay, { incoming, bytes }, response, refuse);
  return refuse([`no fake has ${read.matched.method.id}`]);
}

const metadataPath = 'computeMetadata/v1/instance/service-accounts/default/token';

function answerToken(incoming: IncomingMessage, response: ServerResponse): void {
  const isAsked = incoming.headers['metadata-flavor'] === 'Google';
  const given = { access_token: token, expires_in: 3599, token_type: 'Bearer' };
  send(response, isAsked ? 200 : 403, isAsked ? given : undefined);
}

interface Asked {
  readonly verb: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

interface Read {
  readonly service: Service;
  readonly matched: Matched;
  readonly request: Request;
  readonly problems: readonly string[];
}

function readRequest(service: Service, { verb, path, query }: Asked, incoming: IncomingMessage, bytes: Buffer): Read {
  const matched = matchOf(service, verb, path);
  const { method, params, isUpload } = matched;
  const headers = incoming.headers as Readonly<Record<string, string | undefined>>;
  const content = contentOf(bytes, headers['content-type'], isUpload ? (query.get('uploadType') ?? 'none') : undefined);
  const problems = [...queryProblems(service, method, query)];
  if (!/^Bearer \S+$/.test(headers.authorization ?? '')) problems.push('no bearer token in authorization');
  if (query.get('alt') === 'media' && !method.supportsMediaDownload)
    problems.push('?alt: it has no content to download');
  if (content.body !== undefined) {
    if (method.request === undefined) problems.push('body: it takes none');
    else problems.push(...bodyProblems(service, method.request, content.body, 'request'));
  } else if (method.request !== undefined && !isUpload) problems.push('body: missing');
  problems.push(...requestProblems(service, method, { params, query, body: content.body }));
  return { service, matched, request: { ...content, params, query, headers }, problems };
}

type Refuse = (problems: readonly string[]) => void;

async function handle(
  world: World,
  { service, matched: { method }, request }: Read,
  handler: Handlers[string],
  response: ServerResponse,
  refuse: Refuse,
): Promise<void> {
  const note = (status: number) => {
    const { params, query, body } = request;
    world.calls.push({ id: method.id, params, query, body, status });
    const isAnswered = status > 0 && status < 400;
    world.counts.count(method.id, { who: 'a fake of ours', isAnswered, checkedBy: checkedBy(service, method) });
  };
  let answered: unknown;
  try {
    answered = await handler(request);
  } catch (error) {
    if (error instanceof LostAnswer) {
      note(0);
      response.destroy();
      return;
    }
    if (!(error instanceof Refusal)) return refuse([`the fake of ${method.id} failed: ${(error as Error)?.stack}`]);
    note(error.status);
    send(response, error.status, bodyOf(service, method, error));
    return;
  }
  const isMedia = request.query.get('alt') === 'media';
  if (answered instanceof Media) {
    if (!isMedia) return refuse([`${method.id} answered with content; it was not asked for (?alt=media)`]);
    note(answered.status);
    response.writeHead(answered.status, { 'content-type': 'application/octet-stream', ...answered.headers });
    response.end(answered.content);
    return;
  }
  if (isMedia) return refuse([`${method.id} answered without the content that was asked for`]);
  // As it is on the wire: what is `undefined` is left out.
  const body: unknown = answered === undefined ? undefined : JSON.parse(JSON.stringify(answered));
  const problems = [...jsonProblems(service, method, body)];
  if (problems.length > 0) return refuse(problems.map((problem) => `answer of ${method.id}: ${problem}`));
  note(body === undefined ? 204 : 200);
  send(response, body === undefined ? 204 : 200, body);
}

/** What is wrong with an answer of JSON. */
function* jsonProblems(service: Service, method: Method, body: unknown): Generator<string> {
  if (method.response === undefined) {
    if (body !== undefined) yield 'must be empty';
    return;
  }
  const isStream = streams.test(method.id);
  if (isStream && !Array.isArray(body)) yield 'must be a list of parts';
  for (const part of isStream && Array.isArray(body) ? body : [body]) {
    yield* bodyProblems(service, method.response, part, 'answer');
    yield* answerProblems(service, method, part);
  }
}

interface Raw {
  readonly incoming: IncomingMessage;
  readonly bytes: Buffer;
}

/** Lets an emulator of others answer, and holds its answer to the document. */
async function pass(
  world: World,
  { service, matched: { method, params }, request }: Read,
  relay: Relay,
  { incoming, bytes }: Raw,
  response: ServerResponse,
  refuse: Refuse,
): Promise<void> {
  const path = (incoming.url ?? '').slice(1 + service.length);
  // As it was sent, and as it is answered: nothing is unpacked on the way.
  const names = ['content-type', 'range', 'accept-encoding'].filter((name) => incoming.headers[name] !== undefined);
  const { status, headers, content } = await ask(new URL(`${relay.url}${path}`), {
    method: method.httpMethod,
    headers: Object.fromEntries(names.map((name) => [name, String(incoming.headers[name])])),
    body: bytes,
    signal: AbortSignal.timeout(10_000),
  });
  const isAnswered = status >= 200 && status < 300;
  const isJson = isAnswered && request.query.get('alt') !== 'media';
  const known = relay.faults?.[method.id];
  const found = isJson ? [...jsonProblems(service, method, jsonOf(Buffer.from(content)))] : [];
  const problems = found.filter((problem) => !known?.test(problem));
  if (problems.length > 0) return refuse(problems.map((problem) => `${method.id} by ${relay.who}: ${problem}`));
  world.calls.push({ id: method.id, params, query: request.query, body: request.body, status });
  world.counts.count(method.id, { who: relay.who, isAnswered, checkedBy: checkedBy(service, method) });
  const kept = [...headers].filter(([name]) => !/^(content-length|transfer-encoding|connection)$/.test(name));
  response.writeHead(status, Object.fromEntries(kept));
  response.end(content);
}

const jsonOf = (content: Buffer): unknown => {
  const value: unknown = content.length === 0 ? undefined : JSON.parse(content.toString());
  return value === null ? undefined : value;
};

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, body === undefined ? {} : { 'content-type': 'application/json; charset=UTF-8' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
