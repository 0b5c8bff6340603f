import { asFault, Fault } from '@serin/core/base/fault';
import { sha256Hex } from '@serin/core/base/json';
import type { Context } from 'hono';
import type { z } from 'zod';
import { mediaType, parseJson, readBody } from './bodies.ts';
import { once, signalIdOf } from './idempotency.ts';
import type { Api } from './options.ts';
import { Problem, problemResponse, wrongs } from './problem.ts';
import { type Caller, mayAct } from './roles.ts';
import { type Answer, type Asked, bodyOf, pathParameters, type Route } from './route.ts';
import { refuseForeignChange, tokenOf } from './session.ts';
import { visibleTo } from './visible.ts';

/** Answers one request of one route; whatever is thrown becomes a problem document. */
export async function serve(api: Api, route: Route, c: Context): Promise<Response> {
  const requestId = api.newId('req');
  try {
    return finished(await answer(api, route, c), requestId);
  } catch (error) {
    return finishedProblem(api, c, error, requestId);
  }
}

/** Answers with a problem document. */
export function refuse(api: Api, c: Context, error: unknown): Response {
  return finishedProblem(api, c, error, api.newId('req'));
}

/** Answers with a page; a failure is a problem document, as everywhere. */
export async function finishedPage(api: Api, c: Context, answer: () => Promise<Response>): Promise<Response> {
  const requestId = api.newId('req');
  try {
    const { status, headers, body } = await answer();
    return new Response(body, {
      status,
      headers: { ...always, 'x-request-id': requestId, ...Object.fromEntries(headers) },
    });
  } catch (error) {
    return finishedProblem(api, c, error, requestId);
  }
}

/** Who, then whether, then what: nothing of the request is looked at before its sender may send it. */
async function answer(api: Api, route: Route, c: Context): Promise<Answer> {
  const caller = route.role === 'public' || route.role === 'signed' ? undefined : await authenticated(api, c);
  if (caller !== undefined) authorise(route, caller);
  const around = {
    engine: api.engine,
    journal: api.ports.journal,
    now: api.now,
    nudge: api.nudge,
    aloneSince: api.aloneSince,
  };
  const project = visibleTo(caller, around);
  const header = (name: string) => c.req.header(name);
  const path = rawPath(c.req.url);
  const params = checked(route.params, paramsOf(route, c, path), 'notFound', `there is no ${path.slice(0, 200)}`);
  const query = checkedQuery(route, c.req.url);
  route.admits?.(header);
  const takes = route.method === 'post' || route.method === 'put';
  const raw = takes ? await readBody(c.req.raw, route.maxBytes ?? 1_000_000) : new Uint8Array(0);
  const schema = await bodyOf(route);
  const body = schema === undefined ? undefined : checkedBody(schema, raw, header('content-type'));
  const key = caller === undefined || route.method !== 'post' ? undefined : idempotencyKey(header('idempotency-key'));
  const id = key === undefined || caller === undefined ? api.newId('evt') : signalIdOf(caller.token, key);
  // A route without a token never looks at its caller; one with a signature sees nothing before it has verified it.
  const asked: Asked<unknown, unknown, unknown> = {
    params,
    query,
    body,
    raw,
    caller: caller ?? nobody,
    project,
    id,
    header,
    path,
  };
  const handle = async () => route.handle(asked);
  if (key === undefined || caller === undefined) return handle();
  const fingerprint = fingerprintOf(route.method, path, raw, header);
  return once({ caller, key, fingerprint, shownOnce: route.shownOnce ?? [] }, around, handle);
}

const nobody: Caller = { token: '', actor: { subject: 'nobody', issuer: 'none', role: 'viewer' }, models: [] };

async function authenticated(api: Api, c: Context): Promise<Caller> {
  const header = (name: string) => c.req.header(name);
  const token = tokenOf(header);
  const caller = token === undefined ? undefined : await api.access.callerOf(token);
  if (caller !== undefined && token !== undefined) {
    refuseForeignChange(c.req.method.toLowerCase(), header, token);
    return caller;
  }
  const detail =
    token === undefined
      ? 'the request has no token; send `Authorization: Bearer <token>`'
      : 'the token is unknown, revoked or expired; use another one';
  throw new Problem('unauthenticated', detail, { headers: { 'www-authenticate': 'Bearer realm="serin"' } });
}

function authorise(route: Route, caller: Caller): void {
  const { role, scope } = route;
  if (role === 'public' || role === 'signed') return;
  if (!mayAct(caller, role))
    throw new Problem(
      'forbidden',
      `the token '${caller.actor.subject}' has the role ${caller.actor.role}; use one with the role ${role}`,
    );
  if (scope === 'project' && caller.models !== undefined)
    throw new Problem('forbidden', 'the request concerns the whole project; use a token that is not scoped to models');
}

/** The path of a URL as it was sent. */
const rawPath = (url: string): string => /^[a-z]+:\/\/[^/?#]*([^?#]*)/i.exec(url)?.[1] ?? '/';

function paramsOf(route: Route, c: Context, path: string): Record<string, unknown> {
  const rest = /\{([a-z]+)\*\}$/.exec(route.path)?.[1];
  const params = Object.fromEntries(pathParameters(route.path).map((name) => [name, c.req.param(name)]));
  if (rest === undefined) return params;
  const before = route.path.split('/').length - 1;
  const encoded = path.split('/').slice(before).join('/');
  try {
    return { ...params, [rest]: decodeURIComponent(encoded) };
  } catch {
    throw new Problem('malformed', 'the path cannot be decoded; send it as percent-encoded UTF-8');
  }
}

function checked(schema: z.ZodType | undefined, value: unknown, code: 'notFound' | 'invalid', detail: string): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Problem(code, detail, code === 'notFound' ? {} : { errors: wrongs(result.error) });
}

function checkedQuery({ query }: Route, url: string): unknown {
  const values = [...new URL(url).searchParams];
  const unknown =
    query === undefined
      ? values.map(([name]) => ({ pointer: `query/${name}`, detail: 'is not a known parameter' }))
      : [];
  const result = query?.safeParse(Object.fromEntries(values));
  const errors = result === undefined || result.success ? unknown : wrongs(result.error, 'query');
  if (errors.length > 0)
    throw new Problem('malformed', 'the query has fields that cannot be used; correct those named in errors', {
      errors,
    });
  return result?.data;
}

function checkedBody(schema: z.ZodType, raw: Uint8Array, contentType: string | undefined): unknown {
  if (raw.length > 0 && mediaType(contentType) !== 'application/json')
    throw new Problem('unsupportedMedia', 'the media type of the body is not supported; send application/json');
  return checked(
    schema,
    raw.length === 0 ? {} : parseJson(raw),
    'invalid',
    'the body has fields that cannot be used; correct those named in errors',
  );
}

function idempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined || /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw new Problem('malformed', 'the Idempotency-Key is not valid; use 1 to 255 printable ASCII characters');
}

/** What makes two requests the same: of a CloudEvent in binary mode some of it is in the headers. */
function fingerprintOf(
  method: string,
  path: string,
  raw: Uint8Array,
  header: Asked<unknown, unknown, unknown>['header'],
): string {
  const headers = ['content-type', 'ce-id', 'ce-source', 'ce-type', 'ce-subject'].map((name) => header(name) ?? '');
  return sha256Hex(JSON.stringify([method, path, sha256Hex(raw), ...headers]));
}

/** Headers of every answer. */
const always = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

function finished({ status, body, headers = {} }: Answer, requestId: string): Response {
  const raw = body === undefined || typeof body === 'string' || body instanceof ReadableStream;
  const type = raw ? {} : { 'content-type': 'application/json' };
  return new Response(raw ? (body ?? null) : JSON.stringify(body), {
    status,
    headers: { ...always, ...type, 'x-request-id': requestId, ...headers },
  });
}

function finishedProblem(api: Api, c: Context, error: unknown, requestId: string): Response {
  if (!(error instanceof Problem) && asFault(error).code === 'defect') api.onDefect?.(requestId, error);
  return problemAnswer(error, rawPath(c.req.url), requestId);
}

interface Answering {
  readonly path: string;
  readonly newId: (prefix: string) => string;
  /** Told of all that is not the fault of the caller. */
  readonly onFault: (what: string, error: unknown) => void;
}

/** The whole answer of what takes a request, whatever happens: what nobody foresaw is answered as a defect. */
export async function answered(
  take: () => Promise<Response>,
  { path, newId, onFault }: Answering,
): Promise<WholeAnswer> {
  try {
    return await wholeOf(await take());
  } catch (error) {
    const id = newId('req');
    const isForCaller = error instanceof Problem || asFault(error).retry === 'later';
    if (!(error instanceof Problem)) onFault(`request ${id}`, error);
    const told = isForCaller ? error : new Fault('defect', `request ${id} failed; look at its log`);
    return wholeOf(problemAnswer(told, path, id));
  }
}

/** An answer that is not streamed. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly content: Uint8Array<ArrayBuffer>;
}

const wholeOf = async (response: Response): Promise<WholeAnswer> => ({
  status: response.status,
  headers: response.headers,
  content: new Uint8Array(await response.arrayBuffer()),
});

/** A problem as an answer of the API, also to what it cannot be handed as a request. */
export function problemAnswer(error: unknown, path: string, requestId: string): Response {
  const response = problemResponse(error, path, requestId);
  for (const [name, value] of Object.entries(always)) response.headers.set(name, value);
  response.headers.set('x-request-id', requestId);
  return response;
}
