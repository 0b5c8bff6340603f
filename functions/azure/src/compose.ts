import process from 'node:process';
import { problemsOf } from '@serin/clouds/azure/limits';
import { captureTimes } from '@serin/clouds/captured';
import { ownBucket } from '@serin/core/ports/bucket';
import { bucketsBy } from '@serin/platform/buckets';
import type { Clockwork } from '@serin/platform/clock';
import { apiOn, installedAs, workerOn } from '@serin/platform/foundation';
import { digestAt } from '@serin/platform/jobs/artifacts';
import { logLines } from '@serin/platform/log-lines';
import type { ApiRuntime, WorkerRuntime } from '@serin/platform/runtime';
import { listOf, required as requiredOf } from '@serin/platform/settings';
import { azureClient, hostsOf } from './calls/azure.ts';
import { type Callers, webhookCallers } from './calls/identity.ts';
import { serviceBus } from './calls/service-bus.ts';
import { managedIdentity } from './calls/token.ts';
import { jobLogs } from './jobs/logs.ts';
import { jobOwners } from './jobs/owner.ts';
import { accountOf, blobObjects, blobUri } from './jobs/settings.ts';
import { metricLine } from './metric-line.ts';
import { endpointName } from './names.ts';
import { blobBucket } from './ports/bucket.ts';
import { serviceBusTopic } from './ports/bus.ts';
import { mlJobs } from './ports/jobs.ts';
import { tableJournal } from './ports/journal.ts';
import { mlRegistry } from './ports/registry.ts';
import { mlServing } from './ports/serving.ts';
import { monitorTelemetry } from './ports/telemetry.ts';
import { keyVaultSecrets } from './program-secrets.ts';
import { serviceBusQueue } from './queue.ts';
import { webhookSecrets } from './secrets.ts';
import { settingsOf } from './settings.ts';
import { read, withoutVariables } from './signals.ts';
import { mlSupplies } from './supplies.ts';

export interface ComposedWorker extends WorkerRuntime {
  readonly queue: Clock['queue'];
}

export type Clock = ReturnType<typeof composeClock>;

export const now = Date.now;

const write = (line: string): void => void process.stdout.write(`${line}\n`);

/** While nothing is composed nobody knows the installation. */
export const errorLog = () => logLines({ write, metric: () => ({}) });

/** How long a message or a request may take. */
export const timeoutMs = (): number => Number(required('SERIN_TIMEOUT_SECONDS')) * 1000;

/** Only the journal and the queue: a clock and dead letters stand on nothing else. */
export const composeClock = () => clockworkOn(clients());

export function composeWorker(): ComposedWorker {
  const { azure, settings, ...foundation } = compose();
  const { bucket, clockwork } = foundation;
  const { vault, secretsPrefix: prefix } = settings;
  const secrets = keyVaultSecrets({ azure, vault, prefix });
  const own = { azure, bucket: bucket(ownBucket), now, ...settings };
  const worker = workerOn(foundation, {
    ...{ secrets, read, endpointName },
    jobs: mlJobs({ azure, buckets: bucket, secrets, now, ...settings }),
    registry: mlRegistry(own),
    serving: mlServing({ ...own, secrets, supplies: mlSupplies(bucket) }),
    captureTimes,
    telemetry: monitorTelemetry({ ...own, ...settings }),
    modelOfJob: jobOwners({ azure, ...settings }),
  });
  return { ...worker, queue: clockwork.queue };
}

export function composeApi(): ApiRuntime {
  const { azure, settings, ...foundation } = compose();
  const { vault } = settings;
  return apiOn(foundation, {
    variables: process.env,
    secrets: () => webhookSecrets({ azure, vault, secret: process.env.SERIN_SECRETS }),
    options: () => ({
      problemsOf,
      digestOfArtifact: ({ uri }) => digestAt(uri, blobObjects(foundation.bucket, settings)),
      // https://learn.microsoft.com/cli/azure/ml/online-deployment#az-ml-online-deployment-get-logs
      serverLogsCommand: (model, deployment) =>
        `az ml online-deployment get-logs --endpoint-name ${endpointName(settings.installation, model)} --name ${deployment} --resource-group ${settings.resourceGroup} --workspace-name ${settings.workspace}`,
      logs: jobLogs({ azure, ...settings }),
      // The host takes no larger body unless a setting says so.
      // https://learn.microsoft.com/azure/azure-functions/functions-app-settings#functions_request_body_size_limit
      maxObjectBytes: 100_000_000,
    }),
  });
}

/** Who may deliver over HTTP; `undefined`: nobody, for no application of Entra stands for this installation. */
export function composeCallers(): Callers | undefined {
  const tenant = process.env.SERIN_ALARM_TENANT ?? '';
  if (tenant === '') return undefined;
  return webhookCallers({
    tenant,
    audiences: listOf(required('SERIN_ALARM_AUDIENCE')),
    callers: listOf(required('SERIN_ALARM_CALLERS')),
    authority: process.env.AZURE_AUTHORITY_HOST,
  });
}

/** What both stand on: the stores and the bus. */
function compose() {
  const settings = settingsOf(process.env);
  const { account, ownContainer } = settings;
  const { azure, bus } = clients();
  const bucket = bucketsBy(ownContainer, (container) =>
    blobBucket({ azure, container, account: accountOf(settings, container) }),
  );
  const uriOf = (key: string): string => blobUri(account, ownContainer, key);
  return {
    ...({ platform: 'azure', title: 'Azure', installation: settings.installation } as const),
    ...{ azure, settings, bucket, clockwork: clockworkOn({ azure, bus }) },
    bus: serviceBusTopic({ bus, topic: required('SERIN_BUS'), bucket: bucket(ownBucket), uriOf }),
  };
}

function clockworkOn({ azure, bus }: ReturnType<typeof clients>) {
  const account = required('SERIN_STORAGE_ACCOUNT');
  return {
    journal: tableJournal({ azure, account, table: required('SERIN_TABLE') }),
    queue: serviceBusQueue({ bus, queue: required('SERIN_QUEUE') }),
    now,
    log: logLines({ write, metric: metricLine(installedAs(process.env)) }),
    withoutSecrets: withoutVariables,
  } satisfies Clockwork;
}

function clients() {
  const tokens = managedIdentity({
    endpoint: required('IDENTITY_ENDPOINT'),
    header: required('IDENTITY_HEADER'),
    clientId: required('AZURE_CLIENT_ID'),
    now,
  });
  return {
    azure: azureClient({ hosts: hostsOf(process.env), tokens }),
    bus: serviceBus({ variables: process.env, tokens }),
  };
}

const required = (name: string): string => requiredOf(process.env, name);
