import { type Answer, type Patience, type Rest, type RestCall, RestError, restClient } from '@serin/platform/rest';
import type { Variables } from '@serin/platform/settings';
import type { Tokens } from '@serin/platform/tokens';

/** The services that are called, by the names of their discovery documents. */
const services = [
  'aiplatform',
  'bigquery',
  'firestore',
  'logging',
  'monitoring',
  'pubsub',
  'secretmanager',
  'storage',
] as const;
export type Service = (typeof services)[number];

/** Where a service is called. Only Vertex AI has a host for each region. */
export type Hosts = (service: Service) => string;

/** Google's own hosts, unless a variable such as `CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE` names another, as in gcloud. */
export const hostsOf =
  (region: string, variables: Variables): Hosts =>
  (service) =>
    variables[`CLOUDSDK_API_ENDPOINT_OVERRIDES_${service.toUpperCase()}`]?.replace(/\/$/, '') ??
    `https://${service === 'aiplatform' ? `${region}-` : ''}${service}.googleapis.com`;

export interface Call extends RestCall {
  readonly service: Service;
}

/** Calls of Google's REST APIs. What Google refuses, or does not answer, is thrown as a `GoogleError`. */
export type Google = Rest<Call>;

/** A refusal of Google's, or no answer. */
export class GoogleError extends RestError {
  /** Of `google.rpc.Code`, for instance `NOT_FOUND`; '' where there was no answer. */
  readonly rpc: string;
  /** The machine's word for it, if there is one: `SERVICE_DISABLED`, `conditionNotMet`. */
  readonly reason: string;

  constructor(message: string, given: { rpc?: string; status?: number; reason?: string; cause?: unknown }) {
    super(message, given);
    this.name = 'GoogleError';
    this.rpc = given.rpc ?? '';
    this.reason = given.reason ?? '';
  }
}

interface Options {
  readonly hosts: Hosts;
  readonly tokens: Tokens;
  readonly patience?: Patience;
}

/**
 * A client of Google's APIs: their own clients are 0.6 to 22 MB each, and a function loads what it has. What is repeated
 * is what Google asks for. https://docs.cloud.google.com/storage/docs/retry-strategy
 */
export const googleClient = ({ hosts, tokens, ...more }: Options): Google =>
  restClient({
    hostOf: ({ service }) => hosts(service),
    tokenFor: (_, refused) => tokens(refused),
    refusal,
    random: Math.random,
    lost: (message, given) => new GoogleError(message, given),
    ...more,
  });

interface Refused {
  readonly error?: {
    readonly message?: string;
    readonly status?: string;
    /** Of `google.rpc.Status`. */
    readonly details?: readonly { readonly reason?: string }[];
    /** Of Cloud Storage. */
    readonly errors?: readonly { readonly reason?: string }[];
  };
}

function refusal({ status, content }: Answer): GoogleError {
  const text = new TextDecoder().decode(content);
  const { error = {} } = refusedIn(text);
  const reasons = [...(error.details ?? []), ...(error.errors ?? [])].map(({ reason }) => reason);
  // A page comes from a server before the API, so it does not say that a thing is not there.
  const isPage = status === 404 && /^\s*</.test(text);
  return new GoogleError(error.message ?? `HTTP ${status} ${text.slice(0, 300)}`.trim(), {
    status: isPage ? 502 : status,
    rpc: error.status ?? '',
    reason: reasons.find((reason) => reason !== undefined) ?? '',
  });
}

/** Some methods answer with a list, in which the refusal is the first. */
function refusedIn(text: string): Refused {
  try {
    const body: unknown = JSON.parse(text);
    return ((Array.isArray(body) ? body[0] : body) ?? {}) as Refused;
  } catch {
    return {};
  }
}
