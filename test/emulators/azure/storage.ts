import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Azure, azureClient, hostsOf } from '@serin/azure/calls/azure';
import { managedIdentity } from '@serin/azure/calls/token';
import type { Variables } from '@serin/platform/settings';
import { ask, type Received } from '@serin/platform/wire';
import { type Calls, callsOf } from '../fidelity-calls.ts';
import { startAzurite } from '../installed.ts';
import { fakeIdentity } from './identity.ts';
import { operationOf, type StorageRequest } from './storage-operations.ts';
import { answerAsReal, escapedName, refusalOf, StorageRefusal } from './storage-rules.ts';
import { refusedByTables } from './table-limits.ts';

/**
 * What happens to a call: a refusal before it is done, no answer although it is done, a wait before it is done, or
 * another answer. `token`: its token is no longer taken, and never again.
 */
export type Mood = StorageRefusal | 'lost' | 'token' | Promise<unknown> | ((answer: Received) => Received);

export interface StorageCall {
  /** `blob:PutBlob`, `table:QueryEntities`. */
  readonly id: string;
  readonly account: string;
  /** After the account, as it was encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: Buffer;
  /** The client id of the identity whose token was sent. */
  readonly client: string;
  /** The status of HTTP; 0 when the answer was lost. */
  readonly status: number;
}

export interface ServedStorage {
  readonly url: string;
  readonly azure: Azure;
  /** Under which the code of functions finds this server, its identity endpoint included. */
  readonly variables: Variables;
  readonly calls: readonly StorageCall[];
  /** For the next calls of an operation, one each. */
  mood(operation: string, ...moods: readonly Mood[]): void;
  createContainer(account: string, container: string): Promise<void>;
  createTable(account: string, table: string): Promise<void>;
  /** Throws when a call was against what the services say since the last look; `stop` looks too. */
  check(): void;
  stop(): Promise<void>;
}

interface Asked {
  readonly account: string;
  readonly request: StorageRequest;
}

/** Of each call. */
export interface Watch {
  /** Whether the service is not there for it. */
  readonly isAway?: (asked: Asked) => boolean;
  /** It is done, and not answered yet. */
  readonly onDone?: (done: Asked & Pick<StorageCall, 'id'>) => void;
}

/** The accounts that are there: the one of the own container, and the one of the data. */
export const accounts = { own: 'serinown', data: 'serindata' } as const;
const keyOf = (account: string): string => Buffer.from(`the key of ${account}`).toString('base64');

const identityHeader = 'header-of-the-identity-endpoint';
const storageResource = 'https://storage.azure.com/';

interface World {
  /** Of Azurite. */
  readonly urls: Readonly<Record<'blob' | 'table', string>>;
  readonly identity: ReturnType<typeof fakeIdentity>;
  readonly refused: Set<string>;
  readonly moods: Map<string, Mood[]>;
  readonly calls: StorageCall[];
  readonly violations: string[];
  readonly counts: Calls;
  readonly watch: Watch;
}

/**
 * Blob and Table Storage on 127.0.0.1: Azurite, and before it a server that takes our tokens, as Azurite does over HTTP
 * only for a shared key. It refuses what Azurite would take and the services refuse (storage-rules.ts), and what no
 * adapter of ours sends. The calls are counted for the README's table under `name`, the name of the suite.
 */
export async function startStorage(name: string, watch: Watch = {}): Promise<ServedStorage> {
  const azurite = await startAzurite(Object.fromEntries(Object.values(accounts).map((of) => [of, keyOf(of)])));
  const world: World = {
    urls: { blob: azurite.url, table: azurite.tables },
    identity: fakeIdentity(identityHeader),
    refused: new Set(),
    moods: new Map(),
    calls: [],
    violations: [],
    counts: callsOf(name),
    watch,
  };
  const server = createServer((incoming, response) => {
    answer(world, incoming, response).catch((error: unknown) => {
      world.violations.push(String(error instanceof Error ? (error.stack ?? error) : error));
      response.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const variables = {
    IDENTITY_ENDPOINT: `${url}/identity/token`,
    IDENTITY_HEADER: identityHeader,
    AZURE_CLIENT_ID: 'client-of-the-function',
    SERIN_ENDPOINT_BLOB: `${url}/blob/{name}`,
    SERIN_ENDPOINT_TABLE: `${url}/table/{name}`,
  };
  const tokens = managedIdentity({
    endpoint: variables.IDENTITY_ENDPOINT,
    header: variables.IDENTITY_HEADER,
    clientId: variables.AZURE_CLIENT_ID,
    now: Date.now,
  });
  const patience = { wholeMs: 20_000, onceMs: 8000, pausesMs: [1, 1] };
  const check = () => {
    if (world.violations.length === 0) return;
    throw new Error(`against Blob or Table Storage:\n${world.violations.splice(0).join('\n')}`);
  };
  return {
    url,
    variables,
    azure: azureClient({ hosts: hostsOf(variables), tokens, patience }),
    calls: world.calls,
    mood: (operation, ...moods) => void world.moods.set(operation, [...(world.moods.get(operation) ?? []), ...moods]),
    createContainer: (account, container) => create(world, account, 'blob', `/${container}?restype=container`),
    createTable: (account, table) => create(world, account, 'table', '/Tables', { TableName: table }),
    check,
    async stop() {
      if (server.listening) {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      }
      await azurite.stop();
      world.counts.save();
      check();
    },
  };
}

async function create(
  world: World,
  account: string,
  service: 'blob' | 'table',
  path: string,
  body?: object,
): Promise<void> {
  const { status, content } = await forward(world, account, {
    service,
    verb: body === undefined ? 'PUT' : 'POST',
    path: path.replace(/\?.*/, ''),
    query: new URLSearchParams(path.split('?')[1]),
    headers: { 'content-type': 'application/json', 'x-ms-version': '2021-12-02', accept: 'application/json' },
    bytes: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
  });
  if (status !== 201) throw new Error(`creating ${path} was answered with ${status}: ${Buffer.from(content)}`);
}

/** `/blob/<account>/<path>`, as the variables say it. */
async function readAsked(incoming: IncomingMessage): Promise<Asked | undefined> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const [, service, account = '', path = '/', search = ''] =
    /^\/(blob|table)\/([^/?]+)(\/[^?]*)?(?:\?(.*))?$/s.exec(incoming.url ?? '') ?? [];
  if (service !== 'blob' && service !== 'table') return undefined;
  const query = new URLSearchParams(search);
  const headers = incoming.headers as StorageRequest['headers'];
  return {
    account,
    request: { service, verb: incoming.method ?? '', path, query, headers, bytes: Buffer.concat(parts) },
  };
}

async function answer(world: World, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const [whole = '', search = ''] = (incoming.url ?? '').split(/\?(.*)/s);
  if (whole === '/identity/token') {
    const { status, body } = world.identity.answer(incoming, new URLSearchParams(search));
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
    return;
  }
  const asked = await readAsked(incoming);
  const id = asked === undefined ? '' : operationOf(asked.request);
  if (asked === undefined || id === '') {
    world.violations.push(`${incoming.method} ${incoming.url}: no adapter of ours should send it`);
    return send(response, new StorageRefusal(400, 'InvalidUri', 'The requested URI is not known.'), asked?.request);
  }
  const { account, request } = asked;
  const note = (status: number) => {
    const { path, query, headers, bytes } = request;
    const { client } = world.identity.callerOf(headers.authorization, storageResource);
    world.calls.push({ id, account, path, query, headers, bytes, client, status });
    const isAnswered = status > 0 && status < 400;
    world.counts.count(id, { who: 'azurite', isAnswered, checkedBy: `x-ms-version ${headers['x-ms-version']}` });
  };
  const refuse = (refusal: StorageRefusal) => {
    note(refusal.status);
    send(response, refusal, request);
  };
  const mood = world.moods.get(id)?.shift();
  const refusal = tokenRefusal(world, request, mood) ?? refusalOf(request);
  if (refusal?.isViolation) world.violations.push(`${id} ${request.path}: ${refusal.message}`);
  if (refusal !== undefined) return refuse(refusal);
  if (mood instanceof StorageRefusal) return refuse(mood);
  if (world.watch.isAway?.(asked)) return refuse(new StorageRefusal(503, 'ServerBusy', 'The server is busy.'));
  if (mood instanceof Promise) await mood;
  const real = refusedByTables(request) ?? answerAsReal(request, await forward(world, account, request));
  world.watch.onDone?.({ ...asked, id });
  if (mood === 'lost') {
    note(0);
    response.destroy();
    return;
  }
  const answered = typeof mood === 'function' ? mood(real) : real;
  note(answered.status);
  const kept = [...answered.headers].filter(([header]) => !/^(transfer-encoding|connection|keep-alive)$/.test(header));
  // A HEAD says how long the body would be.
  const fits = kept.filter(([header]) => request.verb === 'HEAD' || header !== 'content-length');
  response.writeHead(answered.status, Object.fromEntries(fits));
  response.end(answered.content);
}

/** https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory */
function tokenRefusal({ identity, refused }: World, { headers }: StorageRequest, mood: Mood | undefined) {
  const { authorization = '' } = headers;
  const { problem } = identity.callerOf(authorization, storageResource);
  if (problem !== undefined)
    return new StorageRefusal(401, 'InvalidAuthenticationInfo', problem, { isViolation: true });
  if (mood === 'token') refused.add(authorization);
  if (!refused.has(authorization)) return undefined;
  return new StorageRefusal(401, 'InvalidAuthenticationInfo', 'Server failed to authenticate the request.');
}

/** Lets Azurite answer. */
async function forward({ urls }: World, account: string, request: StorageRequest): Promise<Received> {
  const { service, verb, headers, bytes } = request;
  const { path, query } = service === 'blob' ? escapedBlob(request) : request;
  const url = `${urls[service]}/${account}${path}?${[query.toString(), signatureOf(account)].filter(Boolean).join('&')}`;
  const dropped = /^(authorization|host|connection|content-length|transfer-encoding|expect)$/;
  const kept = Object.entries(headers).filter(([name, value]) => value !== undefined && !dropped.test(name));
  return ask(new URL(url), {
    method: verb,
    headers: Object.fromEntries(kept) as Record<string, string>,
    body: verb === 'GET' || verb === 'HEAD' ? undefined : withUrlsOf(bytes, request, `${urls.table}/${account}`),
    signal: AbortSignal.timeout(20_000),
  });
}

function escapedBlob({ path, query }: StorageRequest): Pick<StorageRequest, 'path' | 'query'> {
  const [, container = '', name = ''] = /^(\/[^/]*)(?:\/(.*))?$/s.exec(path) ?? [];
  const escaped = name === '' ? '' : `/${encodeURIComponent(escapedName(decodeURIComponent(name)))}`;
  const prefix = query.get('prefix');
  if (prefix !== null) query.set('prefix', escapedName(prefix));
  return { path: `${container}${escaped}`, query };
}

/** The calls in a transaction name the whole URL of their entity, and Azurite takes its own alone. */
function withUrlsOf(bytes: Buffer, { path }: StorageRequest, url: string): Buffer {
  if (path !== '/$batch') return bytes;
  const call = /^(POST|GET|PUT|MERGE|PATCH|DELETE) https?:\/\/[^/\s]+(?:\/table\/[^/]+)?(\/\S*) HTTP\/1\.1(?=\r?$)/gm;
  return Buffer.from(bytes.toString().replace(call, `$1 ${url}$2 HTTP/1.1`));
}

/** https://learn.microsoft.com/rest/api/storageservices/create-account-sas */
function signatureOf(account: string): string {
  const [permissions, services, types, until, version] = ['rwdlacu', 'bt', 'sco', '2099-01-01T00:00:00Z', '2019-12-12'];
  const text = [account, permissions, services, types, '', until, '', '', version, ''].join('\n');
  const signature = createHmac('sha256', Buffer.from(keyOf(account), 'base64'))
    .update(text)
    .digest('base64');
  return new URLSearchParams({
    ...{ sv: version, ss: services, srt: types, sp: permissions },
    ...{ se: until, sig: signature },
  }).toString();
}

function send(response: ServerResponse, refusal: StorageRefusal, request: StorageRequest | undefined): void {
  const { status, code, message, headers } = refusal;
  const isTable = request?.service === 'table';
  const body = isTable
    ? JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value: message } } })
    : `\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  const type = isTable ? 'application/json;odata=minimalmetadata' : 'application/xml';
  response.writeHead(status, { 'content-type': type, ...(isTable ? {} : { 'x-ms-error-code': code }), ...headers });
  response.end(request?.verb === 'HEAD' ? undefined : body);
}
