import { keptTokens, type Tokens } from '@serin/platform/tokens';
import { GoogleError } from './google.ts';

interface Options {
  /** The metadata server: `metadata.google.internal`, unless `GCE_METADATA_HOST` names another. */
  readonly host: string;
  readonly now: () => number;
}

// The metadata server keeps a token until five minutes before it expires, so one is not kept for longer here.
// https://docs.cloud.google.com/compute/docs/access/authenticate-workloads
const marginMs = 5 * 60_000;

/** Tokens of the metadata server, for the service account under which a function runs. */
export const metadataTokens = ({ host, now }: Options): Tokens =>
  keptTokens({ from: `the metadata server ${host}`, ask: () => ask(host), marginMs, now });

interface Answered {
  readonly access_token: string;
  readonly expires_in: number;
}

async function ask(host: string): Promise<{ readonly token: string; readonly seconds: number }> {
  const answer = await fetch(`http://${host}/computeMetadata/v1/instance/service-accounts/default/token`, {
    headers: { 'Metadata-Flavor': 'Google' },
    signal: AbortSignal.timeout(5000),
  });
  if (!answer.ok) throw new GoogleError(`HTTP ${answer.status}`, { status: answer.status });
  const { access_token: token, expires_in: seconds } = (await answer.json()) as Partial<Answered>;
  if (typeof token !== 'string' || typeof seconds !== 'number')
    throw new GoogleError('its answer has no token', { status: answer.status });
  return { token, seconds };
}
