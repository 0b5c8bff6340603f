import { randomUUID } from 'node:crypto';
import { defined } from '@serin/core/base/objects';
import type { Platform } from '@serin/core/config/platforms';
import type { EngineOptions } from '@serin/core/engine/engine';
import type { Owners } from '@serin/core/inbound/fact';
import { type Bucket, ownBucket } from '@serin/core/ports/bucket';
import type { Bus } from '@serin/core/ports/bus';
import type { Ports } from '@serin/core/ports/ports';
import { byServingKind, type Serving } from '@serin/core/ports/serving';
import type { Telemetry } from '@serin/core/ports/telemetry';
import type { Read } from './arrivals.ts';
import type { CaptureTimes } from './captured.ts';
import { capturedLabels, recordLabels } from './captured-labels.ts';
import type { Clockwork } from './clock.ts';
import { endpointOwners, type Installation } from './names.ts';
import { notifier } from './notifier.ts';
import { loadProfiler } from './profiler.ts';
import {
  type ApiRuntime,
  type ApiRuntimeOptions,
  apiRuntime,
  idlePorts,
  notHere,
  runtimeOf,
  type WorkerRuntime,
} from './runtime.ts';
import { required, type Variables } from './settings.ts';

/** What the worker and the API of an installation stand on: its stores, its bus and its queue. */
export interface Foundation {
  readonly platform: Platform;
  /** As errors name it. */
  readonly title: string;
  readonly installation: Installation;
  readonly clockwork: Clockwork;
  readonly bucket: (name: string) => Bucket;
  readonly bus: Bus;
}

type Endpoints = Pick<Parameters<typeof endpointOwners>[0], 'endpointName'>;

interface WorkerParts extends Pick<Ports, 'jobs' | 'registry'>, Pick<Owners, 'modelOfJob'>, Endpoints {
  readonly serving: Serving;
  readonly telemetry: Telemetry;
  readonly captureTimes: CaptureTimes;
  readonly secrets: Parameters<typeof notifier>[0]['secrets'];
  readonly read: Read;
  /** Of a registry that knows approvals. */
  readonly versionOf?: Owners['versionOf'];
}

/** The worker of a cloud that serves on its endpoints, and on nothing else. */
export function workerOn(foundation: Foundation, parts: WorkerParts): WorkerRuntime {
  const { title, installation, clockwork } = foundation;
  const { jobs, registry, serving, telemetry, secrets, read, modelOfJob } = parts;
  const { versionOf = async () => undefined } = parts;
  const models = async () => (await config())?.models ?? {};
  const labels = capturedLabels({
    ...{
      bucket: foundation.bucket(ownBucket),
      now: clockwork.now,
      captured: telemetry.captured,
      ...defined({ captureShares: telemetry.captureShares }),
    },
    lagMs: parts.captureTimes.lagMs,
    planOf: async (endpoint) => (await models())[endpoint],
  });
  const { engine, config, begin, due } = runtimeOn(
    foundation,
    {
      ...{ jobs, registry, labels },
      serving: byServingKind(title, { endpoint: serving }),
      telemetry: byServingKind(title, { endpoint: telemetry }),
      notify: notifier({ secrets, now: clockwork.now }),
    },
    loadProfiler,
  );
  const modelOfEndpoint = endpointOwners({ ...parts, installation, models });
  const owners: Owners = { installation, modelOfEndpoint, modelOfJob, versionOf };
  return { worker: { ...clockwork, engine, config, read, owners }, begin, due };
}

type ApiOptions = ReturnType<ApiRuntimeOptions['options']>;

interface ApiParts extends Pick<ApiRuntimeOptions, 'secrets'> {
  readonly variables: Variables;
  /** What is the cloud's own; read when the first request comes. */
  readonly options: () => Omit<ApiOptions, 'version' | 'environment' | 'platform' | 'bootstrap'>;
}

/** The API of a cloud: it starts nothing there. */
export function apiOn(foundation: Foundation, { variables, secrets, options }: ApiParts): ApiRuntime {
  const { platform, installation, clockwork, bucket } = foundation;
  const tokenHash = variables.SERIN_ADMIN_TOKEN_HASH;
  return apiRuntime({
    ...{ clockwork, secrets },
    runtime: runtimeOn(foundation, idlePorts(recordLabels({ bucket: bucket(ownBucket), now: clockwork.now })), notHere),
    options: () => ({
      ...options(),
      version: required(variables, 'SERIN_VERSION'),
      environment: installation.environment,
      platform,
      ...(tokenHash === undefined ? {} : { bootstrap: { tokenHash } }),
    }),
  });
}

function runtimeOn(
  foundation: Foundation,
  ports: Omit<Ports, 'journal' | 'bucket' | 'bus'>,
  profiler: EngineOptions['profiler'],
) {
  const { platform, installation, clockwork, bucket, bus } = foundation;
  return runtimeOf({
    ports: { journal: clockwork.journal, bucket, bus, ...ports },
    profiler,
    source: `serin://${platform}/${installation.project}/${installation.environment}`,
    self: `function-${randomUUID().slice(0, 8)}`,
    clockwork,
  });
}

/** Which installation this is, as its deployment says. */
export const installedAs = (variables: Variables): Installation => ({
  project: required(variables, 'SERIN_PROJECT'),
  environment: required(variables, 'SERIN_ENVIRONMENT'),
});
