import { type Google, GoogleError } from './google.ts';

/** `google.longrunning.Operation`, as far as it is read. */
export interface Operation {
  readonly name: string;
  readonly done?: boolean;
  readonly error?: { readonly code?: number; readonly message?: string };
}

/** How far an operation is. What Vertex AI does not know any more is over. */
export type Progress =
  | { readonly is: 'running' | 'over' }
  /** Why it came to nothing, as if the call itself had been refused. */
  | { readonly is: 'failed'; readonly error: GoogleError };

/** By their number in `google.rpc.Code`, each with its status of HTTP. */
const codes: Readonly<Record<number, readonly [string, number]>> = {
  1: ['CANCELLED', 499],
  2: ['UNKNOWN', 500],
  3: ['INVALID_ARGUMENT', 400],
  4: ['DEADLINE_EXCEEDED', 504],
  5: ['NOT_FOUND', 404],
  6: ['ALREADY_EXISTS', 409],
  7: ['PERMISSION_DENIED', 403],
  8: ['RESOURCE_EXHAUSTED', 429],
  9: ['FAILED_PRECONDITION', 400],
  10: ['ABORTED', 409],
  13: ['INTERNAL', 500],
  14: ['UNAVAILABLE', 503],
};

/**
 * Asks once for an operation by its name: that is the way which is documented; how long the names are kept is not.
 *
 * https://docs.cloud.google.com/vertex-ai/docs/general/long-running-operations
 */
export async function progressOf(google: Google, name: string): Promise<Progress> {
  try {
    const call = { service: 'aiplatform', method: 'GET', path: `v1/${name}` } as const;
    const { done = false, error } = await google.json<Operation>(call);
    if (!done) return { is: 'running' };
    return error === undefined ? { is: 'over' } : { is: 'failed', error: refusalOf(error) };
  } catch (error) {
    if (error instanceof GoogleError && error.status === 404) return { is: 'over' };
    throw error;
  }
}

function refusalOf({ code = 2, message = 'it gave no reason' }: NonNullable<Operation['error']>): GoogleError {
  const [rpc, status] = codes[code] ?? ['UNKNOWN', 500];
  return new GoogleError(message, { rpc, status });
}
