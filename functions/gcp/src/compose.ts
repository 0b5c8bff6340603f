import process from 'node:process';
import { captureTimes } from '@serin/clouds/captured';
import { problemsOf } from '@serin/clouds/gcp/limits';
import { ownBucket } from '@serin/core/ports/bucket';
import { bucketsBy } from '@serin/platform/buckets';
import type { Clockwork } from '@serin/platform/clock';
import { apiOn, installedAs, workerOn } from '@serin/platform/foundation';
import { digestAt } from '@serin/platform/jobs/artifacts';
import { logLines } from '@serin/platform/log-lines';
import type { ApiRuntime, WorkerRuntime } from '@serin/platform/runtime';
import { listOf, required as requiredOf } from '@serin/platform/settings';
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
  const { google, ...foundation } = compose();
  const { bucket, clockwork } = foundation;
  const settings = settingsOf(process.env);
  const { googleProject, secretsPrefix: prefix } = settings;
  const secrets = secretManagerSecrets({ google, googleProject, prefix });
  const own = { google, bucket: bucket(ownBucket), now, ...settings };
  const worker = workerOn(foundation, {
    ...{ secrets, read, endpointName },
    jobs: vertexJobs({ google, buckets: bucket, secrets, now, ...settings }),
    registry: vertexRegistry(own),
    serving: vertexServing({ ...own, secrets, supplies: vertexSupplies(bucket) }),
    captureTimes,
    telemetry: monitoringTelemetry({ google, endpoints: vertexEndpoints(own), now, ...settings }),
    modelOfJob: jobOwners({ google, ...settings }),
  });
  return { ...worker, callers: clockwork.callers };
}

export function composeApi(): ApiRuntime {
  const { google, ...foundation } = compose();
  const { installation, bucket } = foundation;
  return apiOn(foundation, {
    variables: process.env,
    secrets: () => webhookSecrets({ google, secret: process.env.SERIN_SECRETS }),
    options: () => ({
      problemsOf,
      digestOfArtifact: ({ uri }) => digestAt(uri, gsObjects(bucket)),
      // https://docs.cloud.google.com/vertex-ai/docs/predictions/online-prediction-logging
      serverLogsCommand: (model) =>
        `gcloud logging read 'resource.type="aiplatform.googleapis.com/Endpoint" resource.labels.endpoint_id="${endpointName(installation, model)}"' --project ${required('SERIN_GOOGLE_PROJECT')} --freshness 1h`,
      logs: jobLogs({
        google,
        googleProject: required('SERIN_GOOGLE_PROJECT'),
        region: required('SERIN_REGION'),
        installation,
      }),
      // A request holds 32 MB. https://docs.cloud.google.com/functions/quotas
      maxObjectBytes: 32_000_000,
    }),
  });
}

/** What both stand on: the stores and the bus. */
function compose() {
  const google = googleOf();
  const own = required('SERIN_BUCKET');
  const bucket = bucketsBy(own, (name) => storageBucket({ google, bucket: name }));
  const bus = pubsubBus({ google, topic: required('SERIN_BUS'), bucket: bucket(ownBucket), bucketName: own });
  const clockwork = composeClock();
  return { platform: 'gcp', title: 'GCP', installation: installed(), clockwork, bucket, bus, google } as const;
}

const googleOf = () =>
  googleClient({
    hosts: hostsOf(required('SERIN_REGION'), process.env),
    tokens: metadataTokens({ host: process.env.GCE_METADATA_HOST ?? 'metadata.google.internal', now }),
  });

const installed = () => installedAs(process.env);

const required = (name: string): string => requiredOf(process.env, name);
