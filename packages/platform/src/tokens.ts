import { Fault } from '@serin/core/base/fault';

/**
 * Answers an access token of the account under which a function runs. One that was `refused` is not answered a second
 * time, unless there is no other.
 */
export type Tokens = (refused?: string) => Promise<string>;

interface Options {
  /** Who is asked: `the metadata server at 169.254.169.254`. */
  readonly from: string;
  /** One request for a token. */
  readonly ask: () => Promise<{ readonly token: string; readonly seconds: number }>;
  /** How long before it expires a token is no longer used. */
  readonly marginMs: number;
  readonly now: () => number;
}

/**
 * Tokens of an instance's own server, by one request for each: an authentication library is 300 KB of a bundle and more.
 * Calls at the same time share the request.
 *
 * `unavailable` when there was no answer twice.
 */
export function keptTokens({ from, ask, marginMs, now }: Options): Tokens {
  let kept: { readonly token: string; readonly until: number } | undefined;
  let asking: Promise<string> | undefined;

  async function renew(): Promise<string> {
    const asked = now();
    const { token, seconds } = await ask().catch(ask);
    kept = { token, until: asked + seconds * 1000 - marginMs };
    return token;
  }

  return async (refused) => {
    if (kept !== undefined && kept.token !== refused && now() < kept.until) return kept.token;
    asking ??= renew()
      .catch((error: Error) => {
        const what = `no access token from ${from}`;
        throw new Fault('unavailable', `${what}; wait, it is tried again: ${error.message}`, { cause: error });
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  };
}
