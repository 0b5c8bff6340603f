import { keptTokens, type Tokens } from '@serin/platform/tokens';
import { AzureError } from './azure.ts';

/** The tokens for a resource, such as `https://storage.azure.com/`. */
export type ResourceTokens = (resource: string) => Tokens;

interface Options {
  /** `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`, which Azure Functions sets. */
  readonly endpoint: string;
  readonly header: string;
  /** The client id of the managed identity under which the function runs. */
  readonly clientId: string;
  readonly now: () => number;
}

// A managed identity's token is kept by Azure for a day, and is valid for at least five minutes when it is handed out.
// https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
const marginMs = 2 * 60_000;

/**
 * Tokens of a function's managed identity.
 *
 * https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 */
export function managedIdentity({ endpoint, header, clientId, now }: Options): ResourceTokens {
  const known = new Map<string, Tokens>();
  return (resource) => {
    const ask = () => askFor(resource, { endpoint, header, clientId, now });
    const tokens = known.get(resource) ?? keptTokens({ from: 'the managed identity', ask, marginMs, now });
    known.set(resource, tokens);
    return tokens;
  };
}

interface Answered {
  readonly access_token: string;
  /** In seconds since 1970, as text or number. */
  readonly expires_on: string | number;
}

async function askFor(resource: string, { endpoint, header, clientId, now }: Options) {
  const url = new URL(endpoint);
  const query = { resource, 'api-version': '2019-08-01', client_id: clientId };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const answer = await fetch(url, { headers: { 'X-IDENTITY-HEADER': header }, signal: AbortSignal.timeout(5000) });
  const text = await answer.text();
  if (!answer.ok) throw new AzureError(`HTTP ${answer.status} ${text.slice(0, 300)}`.trim(), { status: answer.status });
  const { access_token: token, expires_on: until } = JSON.parse(text) as Partial<Answered>;
  if (typeof token !== 'string' || !Number.isFinite(Number(until)))
    throw new AzureError('its answer has no token', { status: answer.status });
  return { token, seconds: Number(until) - now() / 1000 };
}
