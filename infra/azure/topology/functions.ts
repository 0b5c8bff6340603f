import { functionApps } from '@serin/clouds/azure/function-apps';
import { functionIdentity } from './identities.ts';
import {
  datastoreOf,
  eventsTopic,
  journalTable,
  ownContainer,
  type Places,
  signalsQueue,
  webhooksSecret,
} from './places.ts';
import type { FunctionApp, FunctionId, Trigger, Value } from './shapes.ts';

interface Plan {
  readonly does: string;
  readonly memoryMb: FunctionApp['memoryMb'];
}

// Flex Consumption has instances of 512, 2048 and 4096 MB. https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan
export const plans: Readonly<Record<FunctionId, Plan>> = {
  signals: {
    does: 'takes what happened, decides, and performs what is owed',
    memoryMb: 2048,
  },
  api: {
    does: 'answers HTTP; what it makes a stream owe is performed by signals',
    memoryMb: 2048,
  },
  clock: {
    does: 'sends a tick for each stream that waits for time',
    memoryMb: 512,
  },
  deadLetters: {
    does: 'writes what nobody could use into dead-letter streams',
    memoryMb: 512,
  },
};

export const functionIds = Object.keys(plans) as readonly FunctionId[];

/** The least that Flex Consumption takes. https://learn.microsoft.com/azure/azure-functions/flex-consumption-how-to */
const fewestInstances = 40;

/** Microsoft's own: Docker Hub counts the pulls of all customers of Azure together. */
const defaultNodeImage = 'mcr.microsoft.com/devcontainers/javascript-node:24';

/** Each on a plan of its own: Flex Consumption has one app a plan. */
export function functionsOf(places: Places): readonly FunctionApp[] {
  const { settings } = places;
  const shared = environmentOf(places);
  return functionIds.map((id) => {
    const plan = plans[id];
    const { api = 'public', apiInstances = fewestInstances } = settings;
    return {
      id,
      name: places.appName(id),
      ...plan,
      ...functionApps[id],
      node: '24',
      maxInstances: id === 'api' ? apiInstances : fewestInstances,
      // https://learn.microsoft.com/azure/azure-functions/functions-concurrency: else an instance takes 16 calls at once.
      concurrency: 1,
      role: functionIdentity(places, id, plan.does),
      host: places.hostOf(id),
      environment: { ...shared, ...ownEnvironment(places, id) },
      trigger: triggerOf(id),
      // Nobody calls the others: their triggers fetch. A private endpoint is not asked for tags.
      ...(id !== 'api' ? { only: [] } : api === 'internal' ? { only: ['ActionGroup'] } : {}),
    };
  });
}

function triggerOf(id: FunctionId): Trigger {
  switch (id) {
    case 'signals':
      return { kind: 'queue', queue: signalsQueue };
    case 'deadLetters':
      return { kind: 'queue', queue: `${signalsQueue}/$deadletterqueue` };
    case 'api':
      return { kind: 'https' };
    case 'clock':
      return { kind: 'schedule', schedule: { rate: 'each minute' } };
  }
}

/** Of one function: under whom it runs, and where its host keeps what it needs. */
function ownEnvironment(places: Places, id: FunctionId): Readonly<Record<string, Value>> {
  const client: Value = { clientOf: id };
  return {
    SERIN_TIMEOUT_SECONDS: String(functionApps[id].timeoutSeconds),
    AZURE_CLIENT_ID: client,
    // Without it the host answers the address of an app itself.
    // https://learn.microsoft.com/azure/azure-functions/functions-app-settings#azurewebjobsdisablehomepage
    AzureWebJobsDisableHomepage: 'true',
    // https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
    AzureWebJobsStorage__accountName: places.hostOf(id),
    AzureWebJobsStorage__credential: 'managedidentity',
    AzureWebJobsStorage__clientId: client,
    SERIN_SERVICE_BUS__fullyQualifiedNamespace: `${places.namespace}.servicebus.windows.net`,
    SERIN_SERVICE_BUS__credential: 'managedidentity',
    SERIN_SERVICE_BUS__clientId: client,
    // The API reads the secrets of webhooks and no others, and nobody else reads those.
    SERIN_VAULT: id === 'api' ? places.vaults.webhooks : places.vaults.programs,
    ...(places.logWorkspaceId === undefined
      ? {}
      : {
          APPLICATIONINSIGHTS_CONNECTION_STRING: { from: 'insights' },
          APPLICATIONINSIGHTS_AUTHENTICATION_STRING: { loginOf: id },
        }),
  };
}

/** One environment for all four: compose.ts takes what it needs. */
function environmentOf(places: Places): Readonly<Record<string, Value>> {
  const { settings, where, logWorkspaceId } = places;
  const { alarms, cluster, nodeImage = defaultNodeImage, endpointKeys, privateEndpoints } = settings;
  return {
    SERIN_PROJECT: settings.project,
    SERIN_ENVIRONMENT: settings.environment,
    SERIN_VERSION: settings.version,
    SERIN_SUBSCRIPTION: where.account,
    SERIN_RESOURCE_GROUP: places.workspaceGroup,
    SERIN_WORKSPACE: places.workspaceId.split('/').at(-1) ?? '',
    SERIN_REGION: where.region,
    SERIN_STORAGE_ACCOUNT: places.account,
    SERIN_DATA_ACCOUNT: places.dataAccount,
    SERIN_CONTAINER: ownContainer,
    SERIN_DATASTORE: datastoreOf(places),
    SERIN_TABLE: journalTable,
    SERIN_QUEUE: signalsQueue,
    SERIN_BUS: eventsTopic,
    SERIN_JOB_IDENTITY: places.identityId('jobs'),
    SERIN_MODEL_IDENTITY: places.identityId('models'),
    SERIN_JOB_CLIENT: { clientOf: 'jobs' },
    SERIN_MODEL_CLIENT: { clientOf: 'models' },
    SERIN_PROGRAM_SECRETS: secretsPrefix,
    SERIN_SECRETS: webhooksSecret,
    SERIN_NODE_IMAGE: nodeImage,
    SERIN_ADMIN_TOKEN_HASH: settings.adminTokenHash,
    ...(cluster === undefined ? {} : { SERIN_CLUSTER: cluster }),
    ...(endpointKeys ? { SERIN_ENDPOINT_KEYS: 'yes' } : {}),
    ...(privateEndpoints ? { SERIN_PRIVATE_ENDPOINTS: 'yes' } : {}),
    ...(logWorkspaceId === undefined
      ? {}
      : { SERIN_LOG_WORKSPACE: logWorkspaceId, SERIN_LOG_WORKSPACE_ID: { from: 'logWorkspaceId' } }),
    ...(alarms === undefined
      ? {}
      : {
          SERIN_ALARM_TENANT: alarms.tenant,
          SERIN_ALARM_AUDIENCE: audiencesOf(alarms.audience),
          SERIN_ALARM_CALLERS: azureMonitor,
        }),
  };
}

/** Entra makes a token out to the URI, or to the application's id, by the version of tokens that the application takes. */
const audiencesOf = (uri: string): string => [uri, ...(/[0-9a-f-]{36}/.exec(uri) ?? [])].join();

/** Before the name of each secret of a config: the vault is the installation's own. */
export const secretsPrefix = 'config-';

/**
 * The application of Microsoft under which action groups call, in each tenant.
 *
 * https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups#configure-authentication-for-secure-webhook
 */
export const azureMonitor = '461e8683-5575-4561-ac7f-899cc907d62a';
