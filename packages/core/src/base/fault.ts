/** How the caller must treat each fault; the table is the retry verdict of the whole product. */
const verdicts = {
  conflict: 'now',
  throttled: 'later',
  unavailable: 'later',
  notFound: 'never',
  invalid: 'never',
  defect: 'never',
} as const;

export type FaultCode = keyof typeof verdicts;
export type Retry = (typeof verdicts)[FaultCode];

/**
 * The one error class. An adapter turns its SDK's errors into a `Fault` once; a handler reads `retry` and nothing else.
 *
 * The message says what failed, with which thing, and what to do about it, in lower case.
 */
export class Fault extends Error {
  readonly code: FaultCode;
  /** Whoever was asked wants to be left alone this long. */
  readonly retryAfterMs?: number;

  constructor(
    code: FaultCode,
    message: string,
    { retryAfterMs, ...options }: { readonly cause?: unknown; readonly retryAfterMs?: number } = {},
  ) {
    super(message, options);
    this.name = 'Fault';
    this.code = code;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }

  /** `now`: load and decide again; `later`: with backoff; `never`: the same call would fail the same way. */
  get retry(): Retry {
    return verdicts[this.code];
  }
}

/** Anything thrown, as a `Fault`: what nobody foresaw is a `defect`. */
export function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault('defect', error instanceof Error ? error.message : String(error), { cause: error });
}
