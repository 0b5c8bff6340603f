import { Fault } from '@serin/core/base/fault';
import { GoogleError } from './google.ts';

interface Options {
  /** The metadata server: `metadata.google.internal`, unless `GCE_METADATA_HOST` names another. */
  readonly host: string;
  readonly now: () => number;
}

/**
 * Answers an access token of the service account under which a function runs. One that was `refused` is not answered a
 * second time, unless there is no other.
 */
export type Tokens = (refused?: string) => Promise<string>;

// The metadata server keeps a token until five minutes before it expires, so one is not kept for longer here.
// https://docs.cloud.google.com/compute/docs/access/authenticate-workloads
const marginMs = 5 * 60_000;

/**
 * Tokens of the metadata server, by one request for each: an authentication library is 300 KB of a bundle. Calls at the
 * same time share the request.
 *
 * `unavailable` when there was no answer twice.
 */
export function metadataTokens({ host, now }: Options): Tokens {
  let kept: { readonly token: string; readonly until: number } | undefined;
  let asking: Promise<string> | undefined;

  async function renew(): Promise<string> {
    const asked = now();
    const { access_token: token, expires_in: seconds } = await ask(host).catch(() => ask(host));
    kept = { token, until: asked + seconds * 1000 - marginMs };
    return token;
  }

  return async (refused) => {
    if (kept !== undefined && kept.token !== refused && now() < kept.until) return kept.token;
    asking ??= renew()
      .catch((error: Error) => {
        const what = `no access token from the metadata server ${host}`;
        throw new Fault('unavailable', `${what}; wait, it is tried again: ${error.message}`, { cause: error });
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  };
}

interface Token {
  readonly access_token: string;
  readonly expires_in: number;
}

async function ask(host: string): Promise<Token> {
  const answer = await fetch(`http://${host}/computeMetadata/v1/instance/service-accounts/default/token`, {
    headers: { 'Metadata-Flavor': 'Google' },
    signal: AbortSignal.timeout(5000),
  });
  if (!answer.ok) throw new GoogleError(`HTTP ${answer.status}`, { status: answer.status });
  const token = (await answer.json()) as Partial<Token>;
  if (typeof token.access_token !== 'string' || typeof token.expires_in !== 'number')
    throw new GoogleError('its answer has no token', { status: answer.status });
  return token as Token;
}
