import { asFault, type Fault, type FaultCode } from '@serin/core/base/fault';
import * as z from 'zod';

/** What HTTP alone refuses; all else is a `Fault`. */
const statuses = {
  malformed: 400,
  ambiguous: 400,
  unauthenticated: 401,
  forbidden: 403,
  notFound: 404,
  methodNotAllowed: 405,
  inProgress: 409,
  refused: 409,
  preconditionFailed: 412,
  tooLarge: 413,
  unsupportedMedia: 415,
  invalid: 422,
  notImplemented: 501,
  notConfigured: 503,
} as const;

/** What is wrong with one part of a request; `pointer` is a JSON pointer into the body, or `query/<name>`. */
export interface Wrong {
  readonly pointer: string;
  readonly detail: string;
}

/** A request that is answered with a problem document instead. */
export class Problem extends Error {
  readonly code: keyof typeof statuses;
  readonly errors: readonly Wrong[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: keyof typeof statuses,
    detail: string,
    more: { readonly errors?: readonly Wrong[]; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
  }
}

/** The fetch standard knows no request with these methods. https://fetch.spec.whatwg.org/#forbidden-method */
export const refusedMethod = (method: string): Problem | undefined =>
  ['CONNECT', 'TRACE', 'TRACK'].includes(method.toUpperCase())
    ? new Problem('methodNotAllowed', `the method ${method} is not supported; see /docs`)
    : undefined;

const ofFault: Readonly<Record<FaultCode, { readonly status: number; readonly headers?: Record<string, string> }>> = {
  conflict: { status: 409, headers: { 'retry-after': '1' } },
  throttled: { status: 503, headers: { 'retry-after': '5' } },
  unavailable: { status: 503, headers: { 'retry-after': '5' } },
  notFound: { status: 404 },
  invalid: { status: 422 },
  defect: { status: 500 },
};

export const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string(),
  code: z.string(),
  requestId: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});

/**
 * The RFC 9457 document of anything thrown.
 *
 * Of a defect only the request id is told: its text may hold what the caller must not see, and is for the log.
 */
export function problemResponse(error: unknown, instance: string, requestId: string): Response {
  const { code, status, detail, headers, errors } = told(error);
  const document = {
    type: `urn:serin:problem:${code}`,
    title: titleOf(code),
    status,
    detail,
    instance,
    code,
    requestId,
    ...(errors.length === 0 ? {} : { errors }),
  };
  return new Response(JSON.stringify(document), {
    status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
  });
}

function told(error: unknown) {
  if (error instanceof Problem)
    return {
      code: error.code,
      status: statuses[error.code],
      detail: error.message,
      headers: error.headers,
      errors: error.errors,
    };
  const fault: Fault = asFault(error);
  const { status, headers = {} } = ofFault[fault.code];
  const detail =
    fault.code === 'defect'
      ? 'the request failed by a defect of Serin; look in the log for this requestId, and report it'
      : fault.message;
  return { code: fault.code, status, detail, headers, errors: [] };
}

/** `preconditionFailed` as `precondition failed`. */
const titleOf = (code: string): string => code.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** What a schema found, as pointers. */
export const wrongs = (error: z.ZodError, prefix = ''): readonly Wrong[] =>
  error.issues.flatMap((issue) => {
    const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    const detail = issue.code === 'unrecognized_keys' ? 'is not a known field' : issue.message;
    return paths.map((path) => ({ pointer: prefix + path.map((part) => `/${escaped(part)}`).join(''), detail }));
  });

const escaped = (part: PropertyKey): string => String(part).replaceAll('~', '~0').replaceAll('/', '~1');
