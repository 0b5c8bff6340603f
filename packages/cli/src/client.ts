import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Json } from '@serin/core/base/json';
import { type ExitCode, Failure, type Problem } from './failure.ts';
import type { Server } from './server.ts';
import { harmless } from './terminal.ts';

export type Query = Readonly<Record<string, string | number | undefined>>;
export type Document = { readonly [key: string]: Json };

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  /** Sent as they are. */
  readonly bytes?: Uint8Array;
  /** Sent as it is read, so a large file is never in memory as a whole; only with `open`. */
  readonly stream?: ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly body: Document;
  readonly location: string | undefined;
}

/** The HTTP API of one server. Every method throws a `Failure` with the exit code of what went wrong. */
export interface Client {
  readonly server: Server;
  get(path: string, query?: Query): Promise<Document>;
  /** The items of as many pages as `limit` takes, under whatever name the API lists them; `next` when there are more. */
  list(path: string, query: Query, limit: number): Promise<{ readonly items: readonly Json[]; readonly next?: string }>;
  /** A list that the API answers in one piece. */
  whole(path: string): Promise<{ readonly items: readonly Json[]; readonly next?: string }>;
  /** A POST without a key of its own gets one, so that a lost answer can be asked for again. */
  send(request: Request): Promise<Answer>;
  /** The bare response, for bodies that are no JSON and for streams; never tried again. */
  open(request: Request): Promise<Response>;
}

const triesWhenBusy = 4;
const longestWaitMs = 5_000;
const answerWithinMs = 30_000;
const slowestBytesPerMs = 100;
const pageSize = 200;

export function createClient(server: Server, signal: AbortSignal): Client {
  async function open(request: Request): Promise<Response> {
    const response = await reach(request, signal);
    if (response.ok) return response;
    throw await failureOf(response, request, server);
  }

  async function reach(request: Request, stop: AbortSignal): Promise<Response> {
    const { method, path, query, body, bytes, stream, headers } = request;
    const content = bytes === undefined && stream === undefined ? {} : { 'content-type': 'application/octet-stream' };
    try {
      return await fetch(address(server.url, path, query), {
        method,
        // A redirect could take the token elsewhere.
        redirect: 'error',
        signal: stop,
        headers: {
          accept: 'application/json',
          ...(body === undefined ? content : { 'content-type': 'application/json' }),
          ...(server.token === undefined ? {} : { authorization: `Bearer ${server.token}` }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(bytes === undefined ? {} : { body: bytes as Uint8Array<ArrayBuffer> }),
        ...(stream === undefined ? {} : { body: stream, duplex: 'half' }),
      });
    } catch (error) {
      throw signal.aborted ? new Failure(130, 'interrupted') : unreachable(error, server);
    }
  }

  async function send(given: Request): Promise<Answer> {
    const keyed = { ...(given.method === 'POST' ? { 'idempotency-key': randomUUID() } : {}), ...given.headers };
    const request = { ...given, headers: keyed };
    const withinMs = answerWithinMs + Math.ceil((given.bytes?.length ?? 0) / slowestBytesPerMs);
    for (let tries = 1; ; tries += 1) {
      const response = await reach(request, AbortSignal.any([signal, AbortSignal.timeout(withinMs)]));
      const wait = busyFor(response, tries);
      if (wait === undefined || tries >= triesWhenBusy) return answerOf(response, request, server);
      await response.body?.cancel();
      await pause(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  const get = async (path: string, query?: Query): Promise<Document> =>
    (await send({ method: 'GET', path, ...(query === undefined ? {} : { query }) })).body;

  async function list(path: string, query: Query, limit: number) {
    const items: Json[] = [];
    let cursor = query.cursor;
    do {
      const page = await get(path, { ...query, cursor, limit: Math.min(pageSize, limit - items.length) });
      items.push(...itemsOf(page));
      cursor = typeof page.next === 'string' ? page.next : undefined;
    } while (cursor !== undefined && items.length < limit);
    return { items, ...(cursor === undefined ? {} : { next: String(cursor) }) };
  }

  const whole = async (path: string) => ({ items: itemsOf(await get(path)) });

  return { server, get, list, whole, send, open };
}

const itemsOf = (page: Document): readonly Json[] => Object.values(page).find((value) => Array.isArray(value)) ?? [];

function address(base: string, path: string, query: Query = {}): string {
  const url = new URL(`${base}${path}`);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
  return url.href;
}

/** Milliseconds to wait before the same request may be sent again; `undefined`: it has its answer. */
function busyFor(response: Response, tries: number): number | undefined {
  if (response.status !== 429 && response.status !== 503) return undefined;
  const asked = Number(response.headers.get('retry-after') ?? Number.NaN) * 1000;
  const wait = Number.isFinite(asked) ? asked : 250 * 2 ** tries;
  return wait > longestWaitMs ? undefined : wait;
}

async function answerOf(response: Response, request: Request, server: Server): Promise<Answer> {
  if (!response.ok) throw await failureOf(response, request, server);
  const text = await response.text();
  const location = response.headers.get('location') ?? undefined;
  try {
    const body = text === '' ? {} : (JSON.parse(text) as Json);
    const isDocument = typeof body === 'object' && body !== null && !Array.isArray(body);
    return { status: response.status, location, body: isDocument ? (body as Document) : { items: body } };
  } catch (error) {
    throw new Failure(1, `${server.url} does not answer like a Serin server`, {
      why: `${request.method} ${request.path} was answered with ${response.headers.get('content-type')}, not with JSON`,
      mend: `correct the address in ${server.from}`,
      cause: error,
    });
  }
}

const exits: Readonly<Record<number, ExitCode>> = { 400: 2, 401: 5, 403: 5, 404: 3, 409: 4, 412: 4, 413: 2, 422: 2 };

async function failureOf(response: Response, request: Request, server: Server): Promise<Failure> {
  const text = await response.text().catch(() => '');
  const problem = problemIn(text, response.status);
  const what =
    problem?.detail ?? problem?.title ?? `${request.method} ${request.path} was answered with ${response.status}`;
  const mend = mendOf(response.status, problem, server);
  const details = problem?.errors?.map(({ pointer, detail }) => `${pointer ?? ''}  ${detail ?? ''}`);
  const why = problem === undefined && isText(response) ? beginningOf(text) : undefined;
  return new Failure(exits[response.status] ?? 1, what, { problem, response, why, mend, details });
}

/** What is not in Serin's words is quoted: it may be a model that says what is wrong with a request. */
const beginningOf = (text: string): string | undefined =>
  harmless(text).replace(/\s+/g, ' ').trim().slice(0, 300) || undefined;

const isText = (response: Response): boolean =>
  /^(?:text\/plain|application\/(?:[\w.-]+\+)?json)/.test(response.headers.get('content-type') ?? '');

function mendOf(status: number, problem: Problem | undefined, server: Server): string | undefined {
  if (status === 401)
    return `give a token in SERIN_TOKEN, or with 'serin context add' (the server is from ${server.from})`;
  // Not in Serin's words: whoever stands before it has refused, and it never saw the request.
  if (status === 413 && problem === undefined)
    return 'put large files into the image instead of the code folder, or split the project: the request is too large for AWS Lambda (6 MB) or a proxy in front of the server';
  return undefined;
}

function problemIn(text: string, status: number): Problem | undefined {
  try {
    const body = JSON.parse(text) as Partial<Problem> | null;
    return typeof body?.title === 'string' ? { type: 'about:blank', status, ...body, title: body.title } : undefined;
  } catch {
    return undefined; // a proxy's own page, or what a model says
  }
}

function unreachable(error: unknown, server: Server): Failure {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const timedOut = error instanceof Error && error.name === 'TimeoutError';
  const why = timedOut ? 'it did not answer in time' : cause instanceof Error ? cause.message : String(cause);
  return new Failure(1, `cannot reach ${server.url} (from ${server.from})`, {
    why,
    mend: "start a server with 'serin dev', or name one in SERIN_URL",
    cause: error,
  });
}
