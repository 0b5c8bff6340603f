import { setTimeout as pause } from 'node:timers/promises';
import type { Variables } from '@serin/platform/settings';
import type { Tokens } from './token.ts';
import { ask } from './wire.ts';

/** The services that are called, by the names of their discovery documents. */
const services = ['aiplatform', 'firestore', 'logging', 'monitoring', 'pubsub', 'secretmanager', 'storage'] as const;
export type Service = (typeof services)[number];

/** Where a service is called. Only Vertex AI has a host for each region. */
export type Hosts = (service: Service) => string;

/** Google's own hosts, unless a variable such as `CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE` names another, as in gcloud. */
export const hostsOf =
  (region: string, variables: Variables): Hosts =>
  (service) =>
    variables[`CLOUDSDK_API_ENDPOINT_OVERRIDES_${service.toUpperCase()}`]?.replace(/\/$/, '') ??
    `https://${service === 'aiplatform' ? `${region}-` : ''}${service}.googleapis.com`;

export interface Call {
  readonly service: Service;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** After the host, without a leading `/`; each part is already encoded. */
  readonly path: string;
  /** A list is a name that is said several times. */
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** JSON, unless `bytes` are sent. */
  readonly body?: object;
  readonly bytes?: { readonly content: Uint8Array; readonly type: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** Made a second time, the call changes no more than once made. Of a `GET` that is known. */
  readonly repeatable?: boolean;
}

export interface Answer {
  readonly headers: Headers;
  readonly content: Uint8Array;
}

/** Calls of Google's REST APIs. What Google refuses, or does not answer, is thrown as a `GoogleError`. */
export interface Google {
  /** The answer as JSON; `{}` where there is none. */
  json<Body>(call: Call): Promise<Body>;
  bytes(call: Call): Promise<Answer>;
}

/** A refusal of Google's, or no answer. */
export class GoogleError extends Error {
  /** Of `google.rpc.Code`, for instance `NOT_FOUND`; '' where there was no answer. */
  readonly rpc: string;
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number;
  /** The machine's word for it, if there is one: `SERVICE_DISABLED`, `conditionNotMet`. */
  readonly reason: string;

  constructor(message: string, given: { rpc?: string; status?: number; reason?: string; cause?: unknown }) {
    super(message, { cause: given.cause });
    this.name = 'GoogleError';
    this.rpc = given.rpc ?? '';
    this.status = given.status ?? 0;
    this.reason = given.reason ?? '';
  }
}

interface Patience {
  /** Until a call is given up, its repetitions included. */
  readonly wholeMs: number;
  /** Until it is made once more, if it may be repeated. */
  readonly onceMs: number;
  /** Before each repetition, half as much to half as much again. */
  readonly pausesMs: readonly number[];
}

interface Options {
  readonly hosts: Hosts;
  readonly tokens: Tokens;
  readonly patience?: Patience;
}

const usual: Patience = { wholeMs: 20_000, onceMs: 8000, pausesMs: [200, 1000] };

/**
 * A client of Google's APIs over HTTPS: their own clients are 0.6 to 22 MB each, and a function loads what it has.
 *
 * A call that is `repeatable` is made up to three times while the service is not available; a token that is refused is
 * renewed once. Nothing else is repeated.
 */
export function googleClient({ hosts, tokens, patience = usual }: Options): Google {
  async function once(call: Call, token: string, signal: AbortSignal): Promise<Answer> {
    const { service, method, path, query = {}, body, bytes, headers = {} } = call;
    const url = new URL(`${hosts(service)}/${path}`);
    for (const [name, values] of Object.entries(query))
      for (const value of [values].flat()) if (value !== undefined) url.searchParams.append(name, String(value));
    const type = bytes?.type ?? (body === undefined ? undefined : 'application/json');
    const sent = {
      method,
      headers: {
        ...headers,
        authorization: `Bearer ${token}`,
        ...(type === undefined ? {} : { 'content-type': type }),
      },
      body: bytes?.content ?? (body === undefined ? undefined : JSON.stringify(body)),
      signal,
    };
    const answer = await ask(url, sent).catch((error: Error & { readonly code?: string }) => {
      const { message } = (error.cause ?? error) as Error;
      throw new GoogleError(`no answer from ${url.host}: ${message || error.code}`, { cause: error });
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw refusal(answer.status, answer.content);
  }

  async function bytes(call: Call): Promise<Answer> {
    const { wholeMs, onceMs, pausesMs } = patience;
    const repeatable = call.repeatable ?? call.method === 'GET';
    const whole = AbortSignal.timeout(wholeMs);
    let refused: string | undefined;
    for (let repeated = 0; ; ) {
      const token = await tokens(refused);
      try {
        return await once(call, token, repeatable ? AbortSignal.any([whole, AbortSignal.timeout(onceMs)]) : whole);
      } catch (error) {
        if (!(error instanceof GoogleError)) throw error;
        if (error.status === 401 && refused === undefined) {
          refused = token;
          continue;
        }
        const wait = pausesMs[repeated];
        if (wait === undefined || !repeatable || !passes(error) || whole.aborted) throw error;
        repeated += 1;
        await pause(wait * (0.5 + Math.random()));
      }
    }
  }

  return {
    bytes,
    async json<Body>(call: Call) {
      const { content } = await bytes(call);
      return (content.length === 0 ? {} : parsed(new TextDecoder().decode(content))) as Body;
    },
  };
}

// https://docs.cloud.google.com/storage/docs/retry-strategy
const passes = ({ status }: GoogleError): boolean => status === 0 || status === 408 || status === 429 || status >= 500;

/** What is not JSON is not from Google: something between us answered, and another answer is to be had. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new GoogleError(`the answer is not JSON: ${text.slice(0, 300)}`, { status: 502, cause: error });
  }
}

interface Refused {
  readonly error?: {
    readonly message?: string;
    readonly status?: string;
    /** Of `google.rpc.Status`. */
    readonly details?: readonly { readonly reason?: string }[];
    /** Of Cloud Storage. */
    readonly errors?: readonly { readonly reason?: string }[];
  };
}

function refusal(status: number, content: Uint8Array): GoogleError {
  const text = new TextDecoder().decode(content);
  const { error = {} } = refusedIn(text);
  const reasons = [...(error.details ?? []), ...(error.errors ?? [])].map(({ reason }) => reason);
  // A page comes from a server before the API, so it does not say that a thing is not there.
  const isPage = status === 404 && /^\s*</.test(text);
  return new GoogleError(error.message ?? `HTTP ${status} ${text.slice(0, 300)}`.trim(), {
    status: isPage ? 502 : status,
    rpc: error.status ?? '',
    reason: reasons.find((reason) => reason !== undefined) ?? '',
  });
}

/** Some methods answer with a list, in which the refusal is the first. */
function refusedIn(text: string): Refused {
  try {
    const body: unknown = JSON.parse(text);
    return ((Array.isArray(body) ? body[0] : body) ?? {}) as Refused;
  } catch {
    return {};
  }
}
