import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Azure, azureClient, hostsOf } from '@serin/azure/calls/azure';
import { managedIdentity } from '@serin/azure/calls/token';
import type { Variables } from '@serin/platform/settings';
import { LostAnswer } from '../fakes.ts';
import { type Calls, callsOf } from '../fidelity-calls.ts';
import { fakeIdentity } from './identity.ts';
import { bodyProblems, type Operation } from './models.ts';
import { type Host, hosts, type Matched, matchOf, namedAsByMicrosoft, type Route, routeOf } from './routes.ts';
import { ruleProblems } from './rules.ts';

export { combined, LostAnswer } from '../fakes.ts';

/** A refusal as Azure's services send it: `{ error: { code, message } }`. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = more.headers ?? {};
  }
}

/** An answer with a status and headers of its own, such as 201 with `Azure-AsyncOperation`. */
export class Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body?: unknown, headers: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export interface Request {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  // The fakes read bodies that have been checked; a type for each would be written a second time.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any;
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The client id of the identity whose token was sent. */
  readonly client: string;
  /** Under which Azure Resource Manager is found, for headers such as `Location`. */
  readonly origin: string;
  /** With its query, as it was asked. */
  readonly path: string;
}

/**
 * By verb and path: `PUT jobs/{name}` in a workspace of Azure ML; others begin with `/`, after the service where it is
 * not management: `GET /{resource+}/providers/Microsoft.Insights/metrics`, `GET vault:/secrets/{secret}`. The names of
 * parts are free. What is answered is JSON (200), a `Reply`, or nothing (204 where the call knows it, else 200).
 */
export type Routes = Readonly<Record<string, (request: Request) => unknown>>;

export interface Called extends Omit<Request, 'bytes' | 'headers' | 'origin'> {
  /** `PUT onlineEndpoints/{endpointName}`: as Microsoft's client names it. */
  readonly id: string;
  readonly verb: string;
  /** The status of HTTP; 0 when the answer was lost. */
  readonly status: number;
}

export interface Served {
  readonly url: string;
  /** Under which the code of functions finds this server, its identity endpoint included. */
  readonly variables: Variables;
  readonly azure: Azure;
  readonly calls: readonly Called[];
  /** Throws when a call or an answer was against what Microsoft says since the last look; `stop` looks too. */
  check(): void;
  stop(): Promise<void>;
}

/** What a token must be for. https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/services-id-authentication-support */
const resources: Readonly<Record<Host, string>> = {
  management: 'https://management.azure.com',
  blob: 'https://storage.azure.com',
  table: 'https://storage.azure.com',
  vault: 'https://vault.azure.net',
  logs: 'https://api.loganalytics.io',
  history: 'https://ml.azure.com',
};

const identityHeader = 'header-of-the-identity-endpoint';

interface World {
  readonly routes: readonly Route[];
  readonly handlers: ReadonlyMap<Route, Routes[string]>;
  readonly identity: ReturnType<typeof fakeIdentity>;
  readonly calls: Called[];
  readonly violations: string[];
  readonly counts: Calls;
  origin: string;
}

/**
 * Services of Azure on 127.0.0.1. Each request must have a route, its api-version, no query name that the API does not
 * have, and a token that the identity endpoint gave for this very service. Bodies and answers of Azure ML are held to
 * Microsoft's models (azure-ai-ml) and to the rules that those do not say.
 *
 * What is against them is refused (400) and remembered: `check` and `stop` throw. The calls are counted for the README's
 * table under `name`, the name of the suite.
 */
export async function serveAzure(name: string, routes: Routes): Promise<Served> {
  const handlers = new Map(Object.entries(routes).map(([key, handler]) => [routeOf(key), handler]));
  const world: World = {
    routes: [...handlers.keys()],
    handlers,
    identity: fakeIdentity(identityHeader),
    calls: [],
    violations: [],
    counts: callsOf(name),
    origin: '',
  };
  const server = createServer((incoming, response) => {
    answer(world, incoming, response).catch((error: unknown) => {
      world.violations.push(String(error instanceof Error ? (error.stack ?? error) : error));
      response.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  world.origin = url;
  const check = () => {
    if (world.violations.length === 0) return;
    throw new Error(`against what Microsoft says:\n${world.violations.splice(0).join('\n')}`);
  };
  const variables = variablesOf(url);
  return {
    url,
    variables,
    azure: azureClient({ hosts: hostsOf(variables), tokens: tokensOf(variables), patience: hasty }),
    calls: world.calls,
    check,
    async stop() {
      if (server.listening) {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      }
      world.counts.save();
      check();
    },
  };
}

const hasty = { wholeMs: 20_000, onceMs: 8000, pausesMs: [1, 1] } as const;

/** Management is at the root: a URL in an answer of Azure's has the path that is called. */
const variablesOf = (url: string) => ({
  IDENTITY_ENDPOINT: `${url}/~identity/token`,
  IDENTITY_HEADER: identityHeader,
  AZURE_CLIENT_ID: 'client-of-the-function',
  SERIN_ENDPOINT_MANAGEMENT: url,
  SERIN_ENDPOINT_LOGS: `${url}/~logs/-`,
  ...Object.fromEntries(
    ['blob', 'table', 'vault', 'history'].map((host) => [
      `SERIN_ENDPOINT_${host.toUpperCase()}`,
      `${url}/~${host}/{name}`,
    ]),
  ),
});

const tokensOf = (variables: ReturnType<typeof variablesOf>) =>
  managedIdentity({
    endpoint: variables.IDENTITY_ENDPOINT,
    header: variables.IDENTITY_HEADER,
    clientId: variables.AZURE_CLIENT_ID,
    now: Date.now,
  });

/** The host, its name (of an account or vault) and the path of a URL of `variablesOf`. */
function placeOf(path: string): { readonly host: Host; readonly name: string; readonly path: string } {
  const [, said, name = '', rest = '/'] = /^\/~(\w+)\/([^/]+)(\/.*)?$/.exec(path) ?? [];
  const host = hosts.find((known) => known === said);
  return host === undefined ? { host: 'management', name: '', path } : { host, name, path: rest };
}

async function answer(world: World, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const [whole = '', search = ''] = (incoming.url ?? '').split(/\?(.*)/s);
  const query = new URLSearchParams(search);
  if (whole === '/~identity/token') {
    const { status, body } = world.identity.answer(incoming, query);
    return send(response, new Reply(status, body));
  }
  const verb = incoming.method ?? '';
  const refuse = (problems: readonly string[]) => {
    world.violations.push(`${verb} ${whole}${search === '' ? '' : `?${search}`}\n  ${problems.join('\n  ')}`);
    send(response, new Reply(400, { error: { code: 'AgainstMicrosoft', message: problems.join('; ') } }));
  };
  const { host, name, path } = placeOf(whole);
  const matched = matchOf(world.routes, { verb, host, path });
  if (matched === undefined) return refuse([`no fake has ${verb} ${host}:${path}`]);
  const { client, problem } = world.identity.callerOf(incoming.headers.authorization, resources[host]);
  const bytes = Buffer.concat(parts);
  const { body, problems } = readBody(matched, bytes, incoming.headers['content-type'] ?? '');
  const found = [...(problem === undefined ? [] : [problem]), ...queryProblems(matched.route, query), ...problems];
  if (found.length > 0) return refuse(found);
  const params = name === '' || name === '-' ? matched.params : { ...matched.params, [host]: name };
  const headers = incoming.headers as Request['headers'];
  const request: Request = {
    params,
    query,
    body,
    bytes,
    headers,
    client,
    origin: world.origin,
    path: incoming.url ?? '',
  };
  return handle(world, matched, request, response, refuse);
}

function* queryProblems({ operation, api }: Route, query: URLSearchParams): Generator<string> {
  const given = query.get('api-version');
  const versions = operation === undefined ? (api?.versions ?? []) : [operation.version];
  if (versions.length === 0 ? given !== null : !versions.includes(given ?? ''))
    yield `?api-version=${given}: must be ${versions.length === 0 ? 'left out' : versions.join(' or ')}`;
  const known = operation?.query ?? Object.fromEntries((api?.query ?? []).map((name) => [name, false]));
  for (const name of query.keys())
    if (name !== 'api-version' && known[name] === undefined) yield `?${name}: it has no such parameter`;
  for (const [name, isRequired] of Object.entries(known)) if (isRequired && !query.has(name)) yield `?${name}: missing`;
}

function readBody({ route, params }: Matched, bytes: Buffer, type: string): { body?: unknown; problems: string[] } {
  if (bytes.length === 0) {
    const isMissing = (route.operation ?? route.api)?.body !== undefined;
    return { problems: isMissing ? ['body: missing'] : [] };
  }
  if (!/^application\/json\b/.test(type)) return { problems: [`content-type: ${type} is not application/json`] };
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString());
  } catch {
    return { problems: ['body: it is not JSON'] };
  }
  const { operation, api } = route;
  if (operation === undefined) return { body, problems: [...(api?.body?.(body) ?? [])] };
  if (operation.body === undefined) return { body, problems: ['body: it takes none'] };
  const problems = [...bodyProblems(operation.body, body, 'request')];
  if (problems.length > 0) return { body, problems };
  const named = namedAsByMicrosoft(operation, route, params);
  return { body, problems: [...ruleProblems({ operation, params: named, body, side: 'request' })] };
}

type Refuse = (problems: readonly string[]) => void;

async function handle(
  { handlers, calls, counts }: World,
  { route }: Matched,
  request: Request,
  response: ServerResponse,
  refuse: Refuse,
): Promise<void> {
  const note = (status: number) => {
    const { params, query, body, client } = request;
    const path = request.path.replace(/\?.*$/s, '');
    calls.push({ id: route.id, verb: route.verb, path, params, query, body, client, status });
    const isAnswered = status > 0 && status < 400;
    counts.count(route.id, { who: 'a fake of ours', isAnswered, checkedBy: checkerOf(route, request) });
  };
  let reply: Reply;
  try {
    reply = replyOf(route, await handlers.get(route)?.(request));
  } catch (error) {
    if (error instanceof LostAnswer) {
      note(0);
      response.destroy();
      return;
    }
    if (!(error instanceof Refusal)) return refuse([`the fake of ${route.id} failed: ${(error as Error)?.stack}`]);
    note(error.status);
    const { status, code, message, headers } = error;
    return send(response, new Reply(status, { error: { code, message } }, headers));
  }
  const problems = [...answerProblems(route, reply)];
  if (problems.length > 0) return refuse(problems.map((problem) => `answer of ${route.id}: ${problem}`));
  note(reply.status);
  send(response, reply);
}

const checkerOf = ({ operation, api }: Route, { query }: Request): string => {
  const version = query.get('api-version');
  const who = operation === undefined ? (api?.source ?? '') : 'azure-ai-ml';
  return version === null ? who : `${who}, ${version}`;
};

/** As it is on the wire: what is `undefined` is left out. */
function replyOf({ operation }: Route, answered: unknown): Reply {
  const { status, body, headers } = answered instanceof Reply ? answered : new Reply(200, answered);
  const onWire: unknown = body === undefined ? undefined : JSON.parse(JSON.stringify(body));
  const isEmpty = onWire === undefined && !(answered instanceof Reply) && operation?.statuses.includes(204);
  return new Reply(isEmpty ? 204 : status, onWire, headers);
}

function* answerProblems({ operation, api, names }: Route, { status, body, headers }: Reply): Generator<string> {
  if (api !== undefined) yield* api.answer?.(status, body) ?? [];
  if (operation === undefined) return;
  if (!operation.statuses.includes(status)) yield `${status}: it answers ${operation.statuses.join(', ')}`;
  yield* pollingProblems(operation, status, headers);
  const { answer: expected } = operation;
  if (expected === undefined) {
    if (body !== undefined) yield 'it has no body';
    return;
  }
  if (body === undefined) {
    if (status < 202) yield 'the body is missing';
    return;
  }
  const params = Object.fromEntries(names.map((name) => [name, '']));
  if ('model' in expected) {
    yield* bodyProblems(expected.model, body, 'answer');
    yield* ruleProblems({ operation: { ...operation, body: expected.model }, params, body, side: 'answer' });
  } else yield* pageProblems(expected.page, body);
}

const pollingHeaders = ['Azure-AsyncOperation', 'Location'];

/** A long-running operation says where it is looked at, in the form that Microsoft's client knows of this call. */
function* pollingProblems({ headers }: Operation, status: number, given: Reply['headers']): Generator<string> {
  const known = pollingHeaders.filter((name) => headers[status]?.includes(name));
  const said = Object.keys(given).map((name) => name.toLowerCase());
  for (const name of pollingHeaders)
    if (said.includes(name.toLowerCase()) && !known.includes(name)) yield `${name}: a ${status} does not have it`;
  if (known.length > 0 && !known.some((name) => said.includes(name.toLowerCase())))
    yield `${status}: the header ${known.join(' or ')} is missing`;
}

function* pageProblems(model: string, body: unknown): Generator<string> {
  const { value, nextLink, ...more } = (body ?? {}) as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(more)) yield `${key}: a page has value and nextLink`;
  if (nextLink !== undefined && nextLink !== null && typeof nextLink !== 'string') yield 'nextLink: it is not text';
  if (!Array.isArray(value)) yield 'value: it is not a list';
  else for (const item of value) yield* bodyProblems(model, item, 'answer');
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  const type = body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' };
  response.writeHead(status, { ...type, ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
