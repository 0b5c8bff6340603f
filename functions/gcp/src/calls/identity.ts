import type { IncomingHttpHeaders } from 'node:http';
import { tokenRefusals } from '@serin/api/foreign-tokens';
import { Problem } from '@serin/api/problem';
import { createRemoteJWKSet, type JWTPayload, jwtVerify, UnsecuredJWT } from 'jose';

/** Where Google's keys for ID tokens are. https://accounts.google.com/.well-known/openid-configuration */
const googlesHost = 'https://www.googleapis.com';
const keysPath = '/oauth2/v3/certs';
const issuers = ['https://accounts.google.com', 'accounts.google.com'];

interface Options {
  /** For whom a token must have been made: the address of the function. */
  readonly audience: string;
  /** E-mail addresses of the service accounts that may call. */
  readonly accounts: readonly string[];
  /**
   * The function can be called only through IAM. IAM then checks a token before the function gets it, and puts a mark
   * in the place of its signature, so that nobody can use the token again.
   *
   * https://docs.cloud.google.com/run/docs/troubleshooting#signature-removed
   */
  readonly isBehindIam: boolean;
  readonly keysHost?: string | undefined;
}

/** Throws for the headers of a caller that is none of ours; `unavailable`: it may be one. */
export type Callers = (headers: IncomingHttpHeaders) => Promise<void>;

/**
 * Calls of Pub/Sub, Cloud Scheduler and Eventarc carry an ID token of the service account that they were given.
 *
 * https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions
 */
export function pushCallers({ audience, accounts, isBehindIam, keysHost = googlesHost }: Options): Callers {
  const keys = createRemoteJWKSet(new URL(keysPath, keysHost));
  const claims = { issuer: issuers, audience, requiredClaims: ['exp', 'email'] };

  async function claimsOf(token: string): Promise<JWTPayload> {
    const [, payload = '', signature] = token.split('.');
    if (isBehindIam && signature === removed) return UnsecuredJWT.decode(`${noSignature}.${payload}.`, claims).payload;
    return (await jwtVerify(token, keys, { ...claims, algorithms: ['RS256'] })).payload;
  }

  return async (headers) => {
    // Of a request with both IAM checks only the first, and hands on what the other says as it came.
    // https://docs.cloud.google.com/run/docs/authenticating/service-to-service
    const token = bearerIn(headers['x-serverless-authorization'] ?? headers.authorization);
    const { email, email_verified: isVerified } = await claimsOf(token).catch((error: unknown) => {
      throw refused(error);
    });
    if (isVerified !== true || typeof email !== 'string' || !accounts.includes(email))
      throw new Problem('forbidden', 'this account may not call the function; name it in SERIN_PUSH_ACCOUNT');
  };
}

const removed = 'SIGNATURE_REMOVED_BY_GOOGLE';
const noSignature = Buffer.from('{"alg":"none"}').toString('base64url');

const { bearerIn, refused } = tokenRefusals({
  token: 'an ID token of Google for this function',
  keys: 'the keys of Google for ID tokens',
});
