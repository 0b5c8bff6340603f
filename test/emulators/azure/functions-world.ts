import { randomUUID } from 'node:crypto';
import { ServiceBusClient } from '@azure/service-bus';
import { blobBucket } from '@serin/azure/ports/bucket';
import { sha256Hex } from '@serin/core/base/json';
import { topology } from '../../../infra/azure/topology.ts';
import { application, startEntra, tenant } from './entra.ts';
import { startServiceBus } from './fake-service-bus.ts';
import { combined, Refusal, type Routes, serveAzure } from './rest.ts';
import { accounts, startStorage, type Watch } from './storage.ts';

export const installation = { project: 'shop', environment: 'prod' };
const token = 'srn_world';
const subscription = '00000000-0000-0000-0000-000000000001';
const drops = 'drops';

/** As `serin deploy` would make it: the names, the roles, and the variables of the functions. */
export const deployed = topology(
  {
    ...{ ...installation, version: '0.0.0', adminTokenHash: sha256Hex(token), dataBuckets: [drops] },
    dataAccount: `/subscriptions/${subscription}/resourceGroups/ml/providers/Microsoft.Storage/storageAccounts/${accounts.data}`,
    alarms: { tenant, audience: `api://${application}`, object: application },
  },
  { account: subscription, region: 'westeurope' },
);
type Name = (typeof deployed.functions)[number]['id'];
const environmentOf = (name: Name) => deployed.functions.find(({ id }) => id === name)?.environment ?? {};

/** The client id of an identity, by which a token is known as its own. */
export const clientOf = (identity: string): string => `client-of-${identity}`;

/** What is known only once something is made. */
const resolved = (value: unknown): string => {
  if (typeof value === 'string') return value;
  const { clientOf: identity, from } = value as { readonly clientOf?: string; readonly from?: string };
  return identity === undefined ? `id-of-${from}` : clientOf(identity);
};
const ofSignals = Object.fromEntries(
  Object.entries(environmentOf('signals')).map(([name, value]) => [name, resolved(value)]),
);
export const names = {
  drops,
  own: ofSignals.SERIN_CONTAINER ?? '',
  queue: ofSignals.SERIN_QUEUE ?? '',
  topic: ofSignals.SERIN_BUS ?? '',
  table: ofSignals.SERIN_TABLE ?? '',
  secrets: ofSignals.SERIN_PROGRAM_SECRETS ?? '',
  vault: ofSignals.SERIN_VAULT ?? '',
} as const;

/** The secrets of Key Vault, by vault and name. */
export function fakeVault() {
  const secrets = new Map<string, string>();
  const routes: Routes = {
    'GET vault:/secrets/{secret}': ({ params }) => {
      const value = secrets.get(`${params.vault}/${params.secret}`);
      if (value === undefined)
        throw new Refusal(
          404,
          'SecretNotFound',
          `A secret with (name/id) ${params.secret} was not found in this key vault.`,
        );
      return {
        value,
        id: `https://${params.vault}.vault.azure.net/secrets/${params.secret}/1`,
        attributes: { enabled: true },
      };
    },
  };
  return { routes, put: (vault: string, name: string, text: string) => void secrets.set(`${vault}/${name}`, text) };
}

interface Options extends Watch {
  readonly suite: string;
  /** Beside the stores, the queue and the vault. */
  readonly routes?: readonly Routes[];
}

/** What `serin deploy` would have made, in Azurite and in fakes that are held to what Microsoft says. */
export async function openInstallation({ suite, routes = [], ...watch }: Options) {
  const vault = fakeVault();
  const [served, storage, bus, entra] = await Promise.all([
    serveAzure(suite, combined(vault.routes, ...routes)),
    startStorage(suite, watch),
    startServiceBus(suite, {
      [names.queue]: { lockMs: 60_000, maxDeliveries: 10, duplicatesMs: 600_000 },
      [names.topic]: { duplicatesMs: 600_000, subscriptions: {} },
    }),
    startEntra(),
  ]);
  await storage.createContainer(accounts.own, names.own);
  await storage.createContainer(accounts.data, drops);
  await storage.createTable(accounts.own, names.table);
  const sender = new ServiceBusClient(bus.variables.SERIN_SERVICE_BUS).createSender(names.queue);
  const bucketOf = (name: string) => {
    const account = name === names.own ? accounts.own : accounts.data;
    return blobBucket({ azure: storage.azure, account, container: name });
  };

  return {
    ...{ served, storage, bus, entra, vault, bucketOf },
    put: async (container: string, key: string, content: string | Uint8Array): Promise<void> => {
      await bucketOf(container).write(key, Buffer.from(content as string));
    },
    /** A message of the queue of signals, as Event Grid sends it. */
    publish: (body: string): Promise<void> =>
      sender.sendMessages({ body: Buffer.from(body), messageId: randomUUID(), contentType: 'application/json' }),
    variables: (name: Name): Readonly<Record<string, string>> => ({
      ...Object.fromEntries(Object.entries(environmentOf(name)).map(([key, value]) => [key, resolved(value)])),
      ...(served.variables as Record<string, string>),
      ...(storage.variables as Record<string, string>),
      ...(bus.variables as Record<string, string>),
      AZURE_CLIENT_ID: clientOf(name),
      AZURE_AUTHORITY_HOST: entra.host,
      SERIN_STORAGE_ACCOUNT: accounts.own,
    }),
    async stop(): Promise<void> {
      await sender.close();
      await Promise.all([served.stop(), storage.stop(), bus.stop(), entra.stop()]);
    },
  };
}

export type AzureInstallation = Awaited<ReturnType<typeof openInstallation>>;

/** The first administrator, for the API. */
export const administrator = { authorization: `Bearer ${token}` };
