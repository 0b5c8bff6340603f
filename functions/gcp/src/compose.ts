import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { problemsOf } from '@serin/clouds/gcp/limits';
import type { Owners } from '@serin/core/inbound/fact';
import { ownBucket } from '@serin/core/ports/bucket';
import type { Ports } from '@serin/core/ports/ports';
import { byServingKind } from '@serin/core/ports/serving';
import { bucketsBy } from '@serin/platform/buckets';
import type { Clockwork } from '@serin/platform/clock';
import { digestAt } from '@serin/platform/jobs/artifacts';
import { logLines } from '@serin/platform/log-lines';
import { endpointOwners, type Installation } from '@serin/platform/names';
import { notifier } from '@serin/platform/notifier';
import {
  type ApiRuntime,
  apiRuntime,
  idlePorts,
  type Runtime,
  runtimeOf,
  type WorkerRuntime,
} from '@serin/platform/runtime';
import { listOf, required as requiredOf } from '@serin/platform/settings';
import { withoutLabels } from '@serin/platform/telemetry';
import { googleClient, hostsOf } from './calls/google.ts';
import { type Callers, pushCallers } from './calls/identity.ts';
import { metadataTokens } from './calls/token.ts';
import { jobLogs } from './jobs/logs.ts';
import { jobOwners } from './jobs/owner.ts';
import { gsObjects } from './jobs/settings.ts';
import { metricLine } from './metric-line.ts';
import { endpointName } from './names.ts';
import { storageBucket } from './ports/bucket.ts';
import { pubsubBus } from './ports/bus.ts';
import { vertexJobs } from './ports/jobs.ts';
import { firestoreJournal } from './ports/journal.ts';
import { vertexRegistry } from './ports/registry.ts';
import { vertexServing } from './ports/serving.ts';
import { monitoringTelemetry } from './ports/telemetry.ts';
import { secretManagerSecrets } from './program-secrets.ts';
import { pubsubQueue } from './queue.ts';
import { webhookSecrets } from './secrets.ts';
import { vertexEndpoints } from './serving/endpoints.ts';
import { settingsOf } from './settings.ts';
import { read, withoutVariables } from './signals.ts';
import { vertexSupplies } from './supplies.ts';

export interface ComposedWorker extends WorkerRuntime {
  readonly callers: Callers;
}
export interface Clock extends Clockwork {
  readonly callers: Callers;
}

export const now = Date.now;

const write = (line: string): void => void process.stdout.write(`${line}\n`);

/** For what fails before anything is composed. */
export const errorLog = () => logLines({ write, metric: () => ({}) });

/** How long a request may last. */
export const timeoutMs = (): number => Number(required('SERIN_TIMEOUT_SECONDS')) * 1000;

/** The clock and the dead letters need no more than the journal and the topic. */
export function composeClock(): Clock {
  const google = googleOf();
  return {
    journal: firestoreJournal({ google, database: required('SERIN_DATABASE') }),
    queue: pubsubQueue({ google, topic: required('SERIN_TOPIC') }),
    now,
    log: logLines({ write, metric: metricLine(installed()) }),
    withoutSecrets: withoutVariables,
    callers: pushCallers({
      audience: `${required('SERIN_AUDIENCE')}${required('K_SERVICE')}`,
      accounts: listOf(required('SERIN_PUSH_ACCOUNT')),
      isBehindIam: process.env.SERIN_BEHIND_IAM === 'true',
      keysHost: process.env.CLOUDSDK_API_ENDPOINT_OVERRIDES_OAUTH2,
    }),
  };
}

export function composeWorker(): ComposedWorker {
  const foundation = compose();
  const { installation, clockwork, bucket, google } = foundation;
  const settings = settingsOf(process.env);
  const { googleProject, secretsPrefix: prefix } = settings;
  const secrets = secretManagerSecrets({ google, googleProject, prefix });
  const own = { google, bucket: bucket(ownBucket), now, ...settings };
  const serving = vertexServing({ ...own, secrets, supplies: vertexSupplies(bucket) });
  const telemetry = monitoringTelemetry({ google, endpoints: vertexEndpoints(own), now, ...settings });
  const { engine, config, begin, due } = runtime(foundation, {
    jobs: vertexJobs({ google, buckets: bucket, secrets, now, ...settings }),
    registry: vertexRegistry(own),
    serving: byServingKind('GCP', { endpoint: serving }),
    telemetry: byServingKind('GCP', { endpoint: telemetry }),
    labels: withoutLabels('GCP'),
    notify: notifier({ secrets, now }),
  });
  const owners: Owners = {
    installation,
    modelOfEndpoint: endpointOwners({
      installation,
      models: async () => (await config())?.models ?? {},
      endpointName,
    }),
    modelOfJob: jobOwners({ google, ...settings }),
    // Vertex AI's registry knows no approvals.
    versionOf: async () => undefined,
  };
  return { worker: { ...clockwork, engine, config, read, owners }, callers: clockwork.callers, begin, due };
}

export function composeApi(): ApiRuntime {
  const foundation = compose();
  const { installation, clockwork, bucket, google } = foundation;
  const tokenHash = process.env.SERIN_ADMIN_TOKEN_HASH;
  return apiRuntime({
    runtime: runtime(foundation, idlePorts(withoutLabels('GCP'))),
    clockwork,
    secrets: () => webhookSecrets({ google, secret: process.env.SERIN_SECRETS }),
    options: () => ({
      version: required('SERIN_VERSION'),
      environment: installation.environment,
      platform: 'gcp',
      problemsOf,
      digestOfArtifact: ({ uri }) => digestAt(uri, gsObjects(bucket)),
      logs: jobLogs({
        google,
        googleProject: required('SERIN_GOOGLE_PROJECT'),
        region: required('SERIN_REGION'),
        installation,
      }),
      // A request holds 32 MB. https://docs.cloud.google.com/functions/quotas
      maxObjectBytes: 32_000_000,
      ...(tokenHash === undefined ? {} : { bootstrap: { tokenHash } }),
    }),
  });
}

/** What both stand on: the stores and the bus. */
function compose() {
  const google = googleOf();
  const own = required('SERIN_BUCKET');
  const bucket = bucketsBy(own, (name) => storageBucket({ google, bucket: name }));
  const bus = pubsubBus({ google, topic: required('SERIN_BUS'), bucket: bucket(ownBucket), bucketName: own });
  return { installation: installed(), clockwork: composeClock(), bucket, bus, google };
}

function runtime(
  { installation: { project, environment }, clockwork, bucket, bus }: ReturnType<typeof compose>,
  ports: Omit<Ports, 'journal' | 'bucket' | 'bus'>,
): Runtime {
  return runtimeOf({
    ports: { journal: clockwork.journal, bucket, bus, ...ports },
    source: `serin://gcp/${project}/${environment}`,
    self: `function-${randomUUID().slice(0, 8)}`,
    clockwork,
  });
}

const googleOf = () =>
  googleClient({
    hosts: hostsOf(required('SERIN_REGION'), process.env),
    tokens: metadataTokens({ host: process.env.GCE_METADATA_HOST ?? 'metadata.google.internal', now }),
  });

const installed = (): Installation => ({
  project: required('SERIN_PROJECT'),
  environment: required('SERIN_ENVIRONMENT'),
});

const required = (name: string): string => requiredOf(process.env, name);
