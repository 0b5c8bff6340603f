import { type Answer, type Patience, type Rest, type RestCall, RestError, restClient } from '@serin/platform/rest';
import type { Variables } from '@serin/platform/settings';
import type { ResourceTokens } from './token.ts';

/** The services that are called over REST: what a token is for, and where the service is. */
const services = {
  management: { resource: 'https://management.azure.com/', host: () => 'management.azure.com' },
  blob: { resource: 'https://storage.azure.com/', host: (account: string) => `${account}.blob.core.windows.net` },
  table: { resource: 'https://storage.azure.com/', host: (account: string) => `${account}.table.core.windows.net` },
  vault: { resource: 'https://vault.azure.net', host: (vault: string) => `${vault}.vault.azure.net` },
  /** What Azure ML keeps of its runs beside the resources; `name` is the region. */
  history: { resource: 'https://ml.azure.com', host: (region: string) => `${region}.api.azureml.ms` },
  logs: { resource: 'https://api.loganalytics.io', host: () => 'api.loganalytics.azure.com' },
} as const satisfies Record<string, { readonly resource: string; readonly host: (name: string) => string }>;

export type Service = keyof typeof services;

/** Where a service is called; `name` is that of the storage account or of the vault, or the region. */
export type Hosts = (service: Service, name: string) => string;

/**
 * Azure's public hosts, unless a variable such as `SERIN_ENDPOINT_BLOB` names another: a proxy, an emulator. `{name}` in
 * it stands for the name of the account, the vault or the region.
 */
export const hostsOf =
  (variables: Variables): Hosts =>
  (service, name) =>
    variables[`SERIN_ENDPOINT_${service.toUpperCase()}`]?.replace(/\/$/, '').replace('{name}', name) ??
    `https://${services[service].host(name)}`;

export interface Call extends RestCall {
  readonly service: Service;
  /** Of the storage account, the vault or the region. */
  readonly name?: string;
}

/** Calls of Azure's REST APIs. What Azure refuses, or does not answer, is thrown as an `AzureError`. */
export type Azure = Rest<Call>;

/** A refusal of Azure's, or no answer. */
export class AzureError extends RestError {
  /** Azure's word for it, such as `ConditionNotMet`; '' where there is none. */
  readonly code: string;
  /** When Azure wants to be asked again. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    given: {
      readonly code?: string;
      readonly status?: number;
      readonly retryAfterSeconds?: number;
      readonly cause?: unknown;
    },
  ) {
    super(message, given);
    this.name = 'AzureError';
    this.code = given.code ?? '';
    this.retryAfterSeconds = given.retryAfterSeconds;
  }
}

interface Options {
  readonly hosts: Hosts;
  readonly tokens: ResourceTokens;
  readonly patience?: Patience;
}

/**
 * A client of Azure's APIs. Microsoft's own clients are 225 KB (tables) to 865 KB (blobs) each of a bundle that a
 * function loads before its first request; the one for Azure ML drops fields that are sent here.
 */
export const azureClient = ({ hosts, tokens, ...more }: Options): Azure =>
  restClient({
    hostOf: ({ service, name = '' }) => hosts(service, name),
    tokenFor: ({ service }, refused) => tokens(services[service].resource)(refused),
    refusal,
    lost: (message, given) => new AzureError(message, given),
    random: Math.random,
    ...more,
  });

interface Said {
  readonly code?: string;
  readonly message?: string;
  readonly details?: readonly Said[] | null;
  /** Of Key Vault: what `Forbidden` means. Of Log Analytics: what is wrong with a query. */
  readonly innererror?: Said | null;
}

/** Azure Monitor says it without an `error` around it. */
interface Refused extends Said {
  readonly error?: Said;
  /** Of Table Storage. */
  readonly 'odata.error'?: { readonly code?: string; readonly message?: { readonly value?: string } };
}

/** Azure ML says no more than "The request is invalid." itself: why is in the details, or within. */
export function textOf({ message = '', details, innererror }: Said): string {
  const more = [details ?? [], innererror ?? []]
    .flat()
    .map(textOf)
    .filter((text) => text !== '' && !message.includes(text));
  return [message, ...new Set(more)].filter((text) => text !== '').join(': ');
}

function refusal({ status, headers, content }: Answer): AzureError {
  const text = new TextDecoder().decode(content);
  const { 'odata.error': ofTable, ...refused } = refusedIn(text);
  const error = refused.error ?? (typeof refused.message === 'string' ? refused : undefined);
  const inJson = error?.innererror?.code ?? error?.code ?? ofTable?.code;
  // Blob Storage answers in XML, and a HEAD has no body.
  const code = headers.get('x-ms-error-code') ?? inJson ?? /<Code>(.*?)<\/Code>/s.exec(text)?.[1];
  const said = error === undefined ? ofTable?.message?.value : textOf(error);
  const message = said || /<Message>(.*?)<\/Message>/s.exec(text)?.[1];
  const after = Number(headers.get('retry-after') ?? Number.NaN);
  // A web page is no answer of Azure's: nothing follows from its status.
  const isPage = status === 404 && code === undefined && /^\s*</.test(text);
  return new AzureError((message ?? `HTTP ${status} ${code ?? text}`).slice(0, longest).trim(), {
    status: isPage ? 502 : status,
    code: code ?? '',
    ...(Number.isFinite(after) ? { retryAfterSeconds: after } : {}),
  });
}

const longest = 1500;

function refusedIn(text: string): Refused {
  try {
    return (JSON.parse(text) ?? {}) as Refused;
  } catch {
    return {};
  }
}
