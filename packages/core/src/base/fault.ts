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
 * The only error class. An adapter turns the errors of its SDK into a `Fault` once. A handler reads only `retry`.
 *
 * The message says what failed, with which thing, and what to do about it, in lower case.
 */
export class Fault extends Error {
  readonly code: FaultCode;
  /** How long the service that was asked wants no further call. */
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

  /** `now`: load and decide again. `later`: try again, with backoff. `never`: the same call would fail the same way. */
  get retry(): Retry {
    return verdicts[this.code];
  }
}

/** Anything thrown, as a `Fault`. An error that nobody foresaw is a `defect`. */
export function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault('defect', error instanceof Error ? error.message : String(error), { cause: error });
}
