import type { z } from 'zod';
import type { Caller, Role } from './roles.ts';
import type { Visible } from './visible.ts';

/** What a handler gets: only what was validated, and the project as far as the caller may see it. */
export interface Asked<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The body as it came: what a signature covers. */
  readonly raw: Uint8Array;
  readonly caller: Caller;
  readonly project: Visible;
  /** The id of the signal that this request sends: the same for a request that is repeated under its idempotency key. */
  readonly id: string;
  readonly header: (name: string) => string | undefined;
  /** As it stands in the request line, still percent-encoded, without the query. */
  readonly path: string;
}

export interface Answer {
  readonly status: number;
  /** JSON, unless it is a stream or a text with a content type of its own. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Shape<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** With `{name}` for a segment; a last `{name*}` takes the rest. */
  readonly path: string;
  readonly summary: string;
  /** `public`: no token. `signed`: the handler verifies a signature over the raw body, and sees nothing before. */
  readonly role: Role | 'public' | 'signed';
  /** Throws what can be said before a byte of the body is read: of a route that anybody may send to. */
  readonly admits?: (header: (name: string) => string | undefined) => void;
  /**
   * What a token that is scoped to models meets: `models`: only its own, others are not found; `project`: a 403, because
   * the answer or the change concerns all models.
   */
  readonly scope: 'models' | 'project';
  readonly params?: Params;
  readonly query?: Query;
  /** A JSON body; absent: none, or the handler reads `raw`. A large schema is made by the first request that wants it. */
  readonly body?: Body | (() => Promise<Body>);
  /** Media types of a raw body. */
  readonly media?: readonly string[];
  /** A larger body is a 413. */
  readonly maxBytes?: number;
  /** By status; problems are added by the machinery. */
  readonly answers: Readonly<
    Record<number, { readonly description: string; readonly schema?: z.ZodType; readonly media?: string }>
  >;
  /** Statuses of problems that only this route has. */
  readonly problems?: readonly number[];
  /** Fields of the answer that a repeated request does not get again. */
  readonly shownOnce?: readonly string[];
}

export interface Route extends Shape<z.ZodType, z.ZodType, z.ZodType> {
  readonly handle: (asked: Asked<unknown, unknown, unknown>) => Promise<Answer> | Answer;
}

/** One row of the route table: types of the handler follow from its schemas. */
export function route<
  Params extends z.ZodType = z.ZodType<undefined>,
  Query extends z.ZodType = z.ZodType<undefined>,
  Body extends z.ZodType = z.ZodType<undefined>,
>(
  shape: Shape<Params, Query, Body> & {
    readonly handle: (asked: Asked<z.output<Params>, z.output<Query>, z.output<Body>>) => Promise<Answer> | Answer;
  },
): Route {
  // The machinery calls `handle` with what these very schemas made of the request.
  return shape as unknown as Route;
}

/** A route with its schemas made, as the documentation wants it. */
export type WholeRoute = Omit<Route, 'body'> & { readonly body?: z.ZodType };

export const bodyOf = async ({ body }: Route): Promise<z.ZodType | undefined> =>
  typeof body === 'function' ? body() : body;

export const pathParameters = (path: string): readonly string[] =>
  [...path.matchAll(/\{([a-z]+)\*?\}/g)].map(([, name = '']) => name);
