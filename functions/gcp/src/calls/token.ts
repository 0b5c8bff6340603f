import { Fault } from '@serin/core/base/fault';
import { GoogleError } from './google.ts';

interface Options {
  /** The metadata server: `metadata.google.internal`, unless `GCE_METADATA_HOST` names another. */
  readonly host: string;
  readonly now: () => number;
}

/** Answers an access token of the service account under which a function runs. `fresh`: not the one that was kept. */
export type Tokens = (fresh?: boolean) => Promise<string>;

// The metadata server keeps a token until five minutes before it expires, so one is not kept for longer here.
// https://docs.cloud.google.com/compute/docs/access/authenticate-workloads
const marginMs = 5 * 60_000;

/**
 * Tokens of the metadata server, by one request for each: an authentication library is 300 KB of a bundle.
 *
 * `unavailable` while there is no answer.
 */
export function metadataTokens({ host, now }: Options): Tokens {
  let kept: { readonly token: Promise<string>; until: number } | undefined;

  async function ask(): Promise<{ readonly token: string; readonly until: number }> {
    const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`;
    const asked = now();
    try {
      const answer = await fetch(url, {
        headers: { 'Metadata-Flavor': 'Google' },
        signal: AbortSignal.timeout(5000),
      });
      if (!answer.ok) throw new GoogleError(`HTTP ${answer.status}`, { status: answer.status });
      const { access_token: token, expires_in: seconds } = (await answer.json()) as {
        readonly access_token: string;
        readonly expires_in: number;
      };
      return { token, until: asked + seconds * 1000 - marginMs };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Fault(
        'unavailable',
        `no access token from the metadata server ${host}; wait, it is tried again: ${why}`,
        {
          cause: error,
        },
      );
    }
  }

  return (fresh = false) => {
    if (kept !== undefined && !fresh && now() < kept.until) return kept.token;
    const asking = ask();
    const mine = { token: asking.then(({ token }) => token), until: Number.POSITIVE_INFINITY };
    kept = mine;
    asking.then(
      ({ until }) => {
        mine.until = until;
      },
      () => {
        if (kept === mine) kept = undefined;
      },
    );
    return mine.token;
  };
}
