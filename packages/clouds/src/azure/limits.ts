import { day, hour, second } from '@serin/core/base/time';
import type { CompiledConfig } from '@serin/core/config/config';
import { whenPart } from '@serin/core/config/limits';
import { type JobPath, jobPathsOf } from '@serin/core/config/parts';
import type { ConfigProblem } from '@serin/core/config/problems';
import {
  bucketNames,
  type CloudLimit,
  cannot,
  captured,
  labelled,
  longestRun,
  problemsWith,
  slowDeployments,
} from '../limits.ts';
import { instanceTypes } from './instance-types.ts';
import { azureNameProblems, isContainerName } from './names.ts';

const quotas = 'https://learn.microsoft.com/azure/machine-learning/how-to-manage-quotas';
const trafficLog = 'https://learn.microsoft.com/azure/azure-monitor/reference/tables/amlonlineendpointtrafficlog';

const longestOnSpot = (path: JobPath): CloudLimit => ({
  path: `${path}.compute.maxRuntime`,
  broken: whenPart(path, ({ spot, maxRuntimeMs = 0 }) => spot && maxRuntimeMs > 7 * day && maxRuntimeMs <= 21 * day),
  because: 'a job of Azure ML runs for at most 7d on spot instances: lower it, or leave out spot',
  source: `${quotas}: job lifetime on a low-priority node`,
});

// No row for guardrails.latency: the metrics of an endpoint are percentiles, which are no counts, but the traffic log has the
// duration of each request, and an installation has that log unless it is told to do without.
export const limits: readonly CloudLimit[] = [
  cannot(
    'ticksWithinMinutes',
    "the requests of an endpoint of Azure ML are counted by the minute: use a multiple of '1m'",
    trafficLog,
  ),
  cannot(
    'shadow',
    'nothing says that the traffic log of Azure ML joins a mirrored request with the one that was served, which a shadow step compares: use canary, linear or blueGreen',
    trafficLog,
  ),
  cannot('segments', 'the traffic log of Azure ML has no headers of requests: leave segments out', trafficLog),
  cannot(
    'stickyUsers',
    'an endpoint of Azure ML draws a deployment for each request and takes no header of ours into account: leave stickyBy out',
    'https://learn.microsoft.com/azure/machine-learning/concept-endpoints-online',
  ),
  ...captured('the own container', 'infra/azure/topology/stores.ts: what is captured'),
  ...labelled('the own container', 'decisions/0093-labels-on-the-clouds.md'),
  cannot(
    'metricsByRegex',
    'Azure ML reads no metrics from the log of a job: leave metrics out, and let the program write metrics.json',
    'azure-ai-ml 1.35.2 (api-version 2025-12-01): CommandJob has no field for it',
  ),
  slowDeployments(
    hour,
    "an endpoint and its deployment take up to 20 minutes each on Azure ML, and may be retried: use at least '1h'",
    'decisions/0013-ports-fit-three-clouds.md, not measured',
  ),
  {
    path: 'serve.compute.instances.max',
    broken: ({ serve }) => serve !== 'none' && serve.compute.instances.max > 50,
    because: 'a deployment of Azure ML has at most 50 instances: lower it, or ask Microsoft for more',
    source: `${quotas}: number of instances per deployment`,
  },
  {
    path: 'serve.timeout',
    broken: ({ serve }) => serve !== 'none' && (serve.timeout ?? 0) > 180 * second,
    because: "an endpoint of Azure ML gives a request 180 seconds: use at most '180s'",
    source: `${quotas}: max request time-out at endpoint level`,
  },
  ...jobPathsOf().map((path) =>
    longestRun(path, 21 * day, 'a job of Azure ML runs for at most 21d: lower it', `${quotas}: job lifetime`),
  ),
  ...jobPathsOf().map(longestOnSpot),
  ...bucketNames(
    isContainerName,
    'Blob Storage refuses this name: use 3 to 63 lower-case letters, digits and single hyphens, a letter or digit last',
    'https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata',
  ),
];

/** By subscription and region, and Microsoft may grant more. Deployments never reach theirs, 500: a rollout has two. */
const mostEndpoints = 100;

function endpointProblems({ models }: CompiledConfig): readonly ConfigProblem[] {
  const endpoints = Object.values(models).filter(({ serve }) => serve !== 'none').length;
  if (endpoints <= mostEndpoints) return [];
  const message = `${endpoints} models are served, but Azure ML has ${mostEndpoints} endpoints per subscription and region: split the project, and put each part into another one (${quotas})`;
  return [{ path: 'models', message }];
}

export const problemsOf = (config: CompiledConfig): readonly ConfigProblem[] => [
  ...azureNameProblems(config),
  ...endpointProblems(config),
  ...problemsWith({ limits, instanceTypes }, config),
];
