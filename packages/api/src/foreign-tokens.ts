import { Fault } from '@serin/core/base/fault';
import { Problem } from './problem.ts';

/**
 * What is wrong with a token, by the codes of jose. Anything else that fails says nothing of it: the keys of who signed
 * it could not be read.
 */
const ofToken: ReadonlySet<string> = new Set([
  'ERR_JOSE_ALG_NOT_ALLOWED',
  'ERR_JOSE_NOT_SUPPORTED',
  'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JWS_INVALID',
  'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  'ERR_JWT_CLAIM_VALIDATION_FAILED',
  'ERR_JWT_EXPIRED',
  'ERR_JWT_INVALID',
]);

interface Wanted {
  /** Which token the request needs: `an ID token of Google for this function`. */
  readonly token: string;
  /** Whose keys verify it: `the keys of Google for ID tokens`. */
  readonly keys: string;
}

/** How a request is refused that must have a token of somebody whom we trust. */
export function tokenRefusals({ token, keys }: Wanted) {
  const without = (why: string): Problem =>
    new Problem('unauthenticated', `the request needs ${token}: ${why}; send one`, {
      headers: { 'www-authenticate': 'Bearer' },
    });
  return {
    /** The token of the request. */
    bearerIn(authorization: unknown): string {
      const [, sent] = /^Bearer (\S+)$/i.exec(String(authorization)) ?? [];
      if (sent === undefined) throw without('it has none');
      return sent;
    },
    /** For what was thrown while it was verified. */
    refused(error: unknown): Problem | Fault {
      const { code = '', message } = error as { readonly code?: string; readonly message: string };
      if (ofToken.has(code)) return without(message);
      return new Fault('unavailable', `${keys} cannot be read; send the request again: ${message}`, { cause: error });
    },
  };
}
