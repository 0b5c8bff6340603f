import { setTimeout as pause } from 'node:timers/promises';
import { ask } from './wire.ts';

/** A call of a REST API, without its host. */
export interface RestCall {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** After the host, without a leading `/`; each part is already encoded. */
  readonly path: string;
  /** A list is a name that is said several times. */
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** JSON, unless `bytes` are sent. */
  readonly body?: object;
  readonly bytes?: { readonly content: Uint8Array; readonly type: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** Made a second time, the call changes no more than once made. Of a `GET` and a `HEAD` that is known. */
  readonly repeatable?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly content: Uint8Array;
}

/** Calls of a vendor's REST APIs. What is refused, or not answered, is thrown as the vendor's kind of `RestError`. */
export interface Rest<Call extends RestCall> {
  /** The answer as JSON; `{}` where there is none. */
  json<Body>(call: Call): Promise<Body>;
  bytes(call: Call): Promise<Answer>;
}

/** A refusal, or no answer. */
export class RestError extends Error {
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number;

  constructor(message: string, given: { readonly status?: number; readonly cause?: unknown } = {}) {
    super(message, { cause: given.cause });
    this.name = 'RestError';
    this.status = given.status ?? 0;
  }
}

export interface Patience {
  /** Until a call is given up, its repetitions included. */
  readonly wholeMs: number;
  /** Until it is made once more, if it may be repeated. */
  readonly onceMs: number;
  /** Before each repetition, half as much to half as much again. */
  readonly pausesMs: readonly number[];
}

interface Options<Call> {
  /** With the scheme, without a slash at its end. */
  readonly hostOf: (call: Call) => string;
  /** A token for the call; one that was `refused` is not answered a second time, unless there is no other. */
  readonly tokenFor: (call: Call, refused?: string) => Promise<string>;
  /** What the vendor's answer says, when it is no success. */
  readonly refusal: (answer: Answer, call: Call) => RestError;
  /** The vendor's error where there was no answer, or one that nobody can read. */
  readonly lost: (message: string, given: { readonly status?: number; readonly cause?: unknown }) => RestError;
  readonly patience?: Patience;
  /** At least 0, less than 1: calls that failed together are not repeated together. */
  readonly random: () => number;
}

const usual: Patience = { wholeMs: 20_000, onceMs: 8000, pausesMs: [200, 1000] };

/**
 * A client of REST APIs over HTTPS.
 *
 * A call that is `repeatable` is made up to three times while the service is not available; a token that is refused is
 * renewed once. Nothing else is repeated.
 */
export function restClient<Call extends RestCall>(options: Options<Call>): Rest<Call> {
  const { hostOf, tokenFor, refusal, lost, random, patience = usual } = options;

  async function once(call: Call, token: string, signal: AbortSignal): Promise<Answer> {
    const { method, path, query = {}, body, bytes, headers = {} } = call;
    const url = new URL(`${hostOf(call)}/${path}`);
    for (const [name, values] of Object.entries(query))
      for (const value of [values].flat()) if (value !== undefined) url.searchParams.append(name, String(value));
    // A form's `+` is not a space for every API.
    url.search = url.search.replaceAll('+', '%20');
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
      throw lost(`no answer from ${url.host}: ${message || error.code}`, { cause: error });
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw refusal(answer, call);
  }

  async function bytes(call: Call): Promise<Answer> {
    const { wholeMs, onceMs, pausesMs } = patience;
    const repeatable = call.repeatable ?? (call.method === 'GET' || call.method === 'HEAD');
    const whole = AbortSignal.timeout(wholeMs);
    let refused: string | undefined;
    for (let repeated = 0; ; ) {
      const token = await tokenFor(call, refused);
      try {
        return await once(call, token, repeatable ? AbortSignal.any([whole, AbortSignal.timeout(onceMs)]) : whole);
      } catch (error) {
        if (!(error instanceof RestError)) throw error;
        if (error.status === 401 && refused === undefined) {
          refused = token;
          continue;
        }
        const wait = pausesMs[repeated];
        if (wait === undefined || !repeatable || !passes(error) || whole.aborted) throw error;
        repeated += 1;
        await pause(wait * (0.5 + random()));
      }
    }
  }

  /**
   * What is not JSON is not from the vendor: something between us answered, and another answer is to be had. Only a page is
   * shown: what else it is may be a part of a secret.
   */
  function parsed(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      const shown = /^\s*</.test(text) ? text.slice(0, 300) : `${text.length} characters`;
      throw lost(`the answer is not JSON: ${shown}`, { status: 502 });
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

const passes = ({ status }: RestError): boolean => status === 0 || status === 408 || status === 429 || status >= 500;
