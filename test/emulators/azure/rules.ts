import type { Operation, Side } from './models.ts';

/** What Azure ML demands and its generated models do not say: each rule with its source. */

// biome-ignore lint/suspicious/noExplicitAny: a body that the models have passed; a type for each would be written a second time
type Body = any;

interface Checked {
  readonly operation: Operation;
  /** By the names that the paths of the generated client have. */
  readonly params: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly side: Side;
}

/** https://learn.microsoft.com/azure/machine-learning/how-to-manage-quotas#azure-machine-learning-online-endpoints-and-batch-endpoints */
const endpointName = /^[a-zA-Z][a-zA-Z0-9-]{1,30}[a-zA-Z0-9]$/;
/** `mfe.json` of Azure/azure-rest-api-specs: the pattern of the names of jobs, models, environments and data. */
const assetName = /^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}$/;

const names: Readonly<Record<string, { readonly of: RegExp; readonly param: string }>> = {
  OnlineEndpoints: { of: endpointName, param: 'endpointName' },
  OnlineDeployments: { of: endpointName, param: 'deploymentName' },
  Jobs: { of: assetName, param: 'id' },
  ModelVersions: { of: assetName, param: 'name' },
  ModelContainers: { of: assetName, param: 'name' },
  EnvironmentVersions: { of: assetName, param: 'name' },
  EnvironmentContainers: { of: assetName, param: 'name' },
};

export function* ruleProblems(checked: Checked): Generator<string> {
  const { operation, body, side } = checked;
  const [group = '', action = ''] = operation.name.split('.');
  if (action === 'create_or_update' && side === 'request') yield* nameProblems(group, checked.params);
  if (body === undefined) return;
  if (operation.body === 'JobBase') yield* jobProblems(body.properties ?? {});
  if (operation.body === 'OnlineEndpoint') yield* trafficProblems(body.properties ?? {});
  if (operation.body === 'OnlineDeployment') yield* deploymentProblems(body);
  if (operation.body === 'OnlineEndpoint' || operation.body === 'OnlineDeployment') yield* tagProblems(body.tags ?? {});
}

function* nameProblems(group: string, params: Readonly<Record<string, string>>): Generator<string> {
  const rule = names[group];
  if (rule === undefined) return;
  const name = params[rule.param] ?? '';
  if (!rule.of.test(name)) yield `path: the name ${JSON.stringify(name)} is not ${rule.of.source}`;
}

/** https://learn.microsoft.com/azure/machine-learning/resource-limits-capacity#runs */
const mostOfJob = { texts: { displayName: 256, experimentName: 256, description: 5000 }, inputs: 200, outputs: 20 };
const mostWords = { count: 50, key: 100, value: 1000 };
/** https://learn.microsoft.com/azure/machine-learning/how-to-manage-quotas#azure-machine-learning-compute, in days. */
const longest = { usual: 21, spot: 7 };

function* jobProblems(job: Body): Generator<string> {
  for (const [key, most] of Object.entries(mostOfJob.texts))
    if ((job[key] ?? '').length > most) yield `${key}: ${job[key].length} characters, more than ${most}`;
  for (const key of ['inputs', 'outputs'] as const)
    if (Object.keys(job[key] ?? {}).length > mostOfJob[key]) yield `${key}: more than ${mostOfJob[key]}`;
  for (const key of ['tags', 'properties']) yield* wordProblems(key, job[key] ?? {});
  if ((job.resources?.instanceCount ?? 1) < 1) yield `resources.instanceCount: ${job.resources.instanceCount}, below 1`;
  const mostDays = job.queueSettings?.jobTier === 'Spot' ? longest.spot : longest.usual;
  const timeout = job.limits?.timeout;
  if (timeout != null && secondsOf(timeout) > mostDays * 86_400)
    yield `timeout: ${timeout} is more than ${mostDays} days`;
}

function* wordProblems(what: string, words: Readonly<Record<string, string>>): Generator<string> {
  const entries = Object.entries(words);
  if (entries.length > mostWords.count) yield `${what}: ${entries.length}, more than ${mostWords.count}`;
  for (const [key, value] of entries)
    if (key.length > mostWords.key || value.length > mostWords.value)
      yield `${what}.${key}: longer than ${mostWords.key} (key) or ${mostWords.value} (value)`;
}

const sumOf = (shares: Readonly<Record<string, number>>): number =>
  Object.values(shares).reduce((sum, share) => sum + share, 0);

/**
 * https://learn.microsoft.com/azure/machine-learning/how-to-safely-rollout-online-endpoints: the sum of `traffic` is 0
 * or 100, one deployment at most is mirrored to, with 50 at most, and it has no traffic of its own.
 */
function* trafficProblems({ traffic, mirrorTraffic }: Body): Generator<string> {
  const shares: Readonly<Record<string, number>> = traffic ?? {};
  const mirrored: Readonly<Record<string, number>> = mirrorTraffic ?? {};
  for (const [name, share] of Object.entries({ ...shares, ...mirrored }))
    if (share < 0 || share > 100) yield `traffic of ${name}: ${share} is not 0 to 100`;
  if (![0, 100].includes(sumOf(shares))) yield `traffic: the sum is ${sumOf(shares)}, not 0 or 100`;
  const live = Object.entries(mirrored).filter(([, share]) => share > 0);
  if (sumOf(mirrored) > 50) yield `mirrorTraffic: the sum is ${sumOf(mirrored)}, more than 50`;
  if (live.length > 1) yield `mirrorTraffic: ${live.length} deployments, more than one`;
  for (const [name] of live) if ((shares[name] ?? 0) > 0) yield `mirrorTraffic: ${name} has traffic of its own`;
}

/** https://learn.microsoft.com/azure/machine-learning/reference-yaml-deployment-managed-online: up to 180 s. */
const mostTimeoutSeconds = 180;
/** https://learn.microsoft.com/azure/machine-learning/how-to-manage-quotas: instances of a deployment. */
const mostInstances = 50;

function* deploymentProblems({ properties, sku }: Body): Generator<string> {
  const timeout = properties?.requestSettings?.requestTimeout;
  if (timeout != null && secondsOf(timeout) > mostTimeoutSeconds)
    yield `requestTimeout: ${timeout} is more than ${mostTimeoutSeconds} s`;
  const capacity = sku?.capacity;
  if (capacity != null && (capacity < 1 || capacity > mostInstances))
    yield `sku.capacity: ${capacity} is not 1 to ${mostInstances}`;
}

const inSeconds: readonly number[] = [86_400 * 365, 86_400 * 30, 86_400, 3600, 60, 1];

/** Of a duration of ISO 8601 that the models have passed. */
function secondsOf(duration: string): number {
  const parts = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(duration) ?? [];
  return inSeconds.reduce((sum, seconds, at) => sum + Number(parts[at + 1] ?? 0) * seconds, 0);
}

/** Of a tracked resource. https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations */
function* tagProblems(tags: Readonly<Record<string, string>>): Generator<string> {
  const entries = Object.entries(tags);
  if (entries.length > 50) yield `tags: ${entries.length}, more than 50`;
  for (const [name, value] of entries) {
    if (name.length > 512 || value.length > 256) yield `tags.${name}: longer than 512 (name) or 256 (value)`;
    if (/[<>%&\\?/]/.test(name)) yield `tags.${name}: the name has one of <>%&\\?/`;
  }
}
