import { Fault } from '@serin/core/base/fault';
import { plainOf } from '@serin/core/base/variables';
import type { Bucket, ObjectInfo } from '@serin/core/ports/bucket';
import type { Deployment } from '@serin/core/ports/serving';
import type { Supplies } from '@serin/platform/jobs/supplies';
import { checkArtifact, servedAs } from '@serin/platform/serving';
import { secretLines } from '../jobs/secret-script.ts';
import { gsObjects, gsPlace } from '../jobs/settings.ts';
import { vertexSupplies } from '../supplies.ts';
import { type Needed, startScript } from './start.ts';

export interface ContainerOptions {
  /** The id of the Google project. */
  readonly googleProject: string;
  /** The own bucket, in which models and code lie, and what Google calls it. */
  readonly bucket: Bucket;
  readonly ownBucket: string;
  readonly supplies?: Supplies;
  /** Before the name of each secret of a program, in Secret Manager. */
  readonly secretsPrefix: string;
}

/**
 * The container of a deployment, with the command of the user behind our script, if there is one. An artifact that was
 * changed since it was judged is `invalid`.
 */
export async function containerSpecOf(
  options: ContainerOptions,
  endpoint: string,
  deployment: Deployment,
): Promise<object> {
  const model = await judged(options, endpoint, deployment);
  const spec = containerOf(endpoint, deployment);
  if (deployment.command.length === 0) return spec;
  return { ...spec, command: ['sh', '-c', await scriptOf(options, endpoint, deployment, model)] };
}

/** The objects of the artifact, in the versions that its digest was made of. */
async function judged(
  { bucket, ownBucket }: ContainerOptions,
  endpoint: string,
  deployment: Deployment,
): Promise<readonly Needed[]> {
  const listed: ObjectInfo[] = [];
  const watched: Bucket = {
    ...bucket,
    async list(prefix, cursor) {
      const page = await bucket.list(prefix, cursor);
      listed.push(...page.items);
      return page;
    },
  };
  const objects = gsObjects(() => watched);
  await checkArtifact(endpoint, deployment, objects, ownBucket);
  const { key = '' } = gsPlace(deployment.artifact.uri) ?? {};
  const folder = key.slice(0, key.lastIndexOf('/') + 1);
  const isPacked = /\.(tar\.gz|tgz)$/.test(key);
  return listed
    .filter((object) => key.endsWith('/') || object.key === key)
    .filter((object) => !object.key.endsWith('/'))
    .map((object) => ({ ...neededOf(ownBucket, object, object.key.slice(folder.length)), isPacked }));
}

function neededOf(bucket: string, { key, version, bytes }: ObjectInfo, path: string): Omit<Needed, 'isPacked'> {
  if (/^\d+$/.test(version) && !path.split('/').some((part) => part === '' || part === '.' || part === '..'))
    return { bucket, key, path, generation: version, bytes };
  throw new Fault(
    'invalid',
    `cannot bring ${key} into a container: it is not a file's name; rename it, and train again`,
  );
}

async function scriptOf(
  { bucket, ownBucket, googleProject, secretsPrefix, supplies = vertexSupplies(() => bucket) }: ContainerOptions,
  endpoint: string,
  { name, code, command, environment }: Deployment,
  model: readonly Needed[],
): Promise<string> {
  const script = startScript({
    model,
    ...(code === undefined ? {} : { code: await archived(bucket, ownBucket, await supplies.archive(code.digest)) }),
    command,
    secrets: secretLines({ of: `${name} of ${endpoint}`, environment }, { googleProject, secretsPrefix }),
  });
  if (script.length <= maxScript) return literal(script);
  const why = `its model has ${model.length} files, too many to name in a request`;
  throw new Fault('invalid', `cannot deploy ${name} to ${endpoint}: ${why}; store them as fewer files`);
}

/** Characters: several hundred files. No document says how long a command may be. */
const maxScript = 100_000;

async function archived(bucket: Bucket, ownBucket: string, key: string): Promise<Needed> {
  const { items } = await bucket.list(key);
  const found = items.find((object) => object.key === key);
  if (found !== undefined) return { ...neededOf(ownBucket, found, 'code.tar.gz'), isPacked: true };
  throw new Fault('unavailable', `the archive ${key} is not listed yet; wait, it is tried again`);
}

/** The port and paths that a server has on every platform. */
const port = 8080;

function containerOf(endpoint: string, deployment: Deployment): object {
  const { image, environment, readyTimeoutMs } = deployment;
  const variables = {
    ...plainOf(environment),
    ...{ PORT: String(port), SAGEMAKER_BIND_TO_PORT: String(port), SERIN_BIND_ADDRESS: '0.0.0.0' },
    ...servedAs(endpoint, deployment),
  };
  const seconds = Math.ceil(readyTimeoutMs / 1000);
  return {
    imageUri: image,
    env: Object.entries(variables).map(([name, value]) => ({ name, value: literal(value) })),
    ports: [{ containerPort: port }],
    healthRoute: '/ping',
    predictRoute: '/invocations',
    // Without it a container that does not listen within 40 seconds is started again, also while it downloads.
    // https://docs.cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements#liveness_checks
    startupProbe: {
      httpGet: { path: '/ping', port },
      ...{
        periodSeconds: probedEach,
        timeoutSeconds: 2 * probedEach,
        failureThreshold: Math.ceil(seconds / probedEach),
      },
    },
    // "Limit for deployment timeout is 2 hours" (ModelContainerSpec). What is not wanted any more by then blocks nothing.
    deploymentTimeout: `${Math.min(7200, Math.max(1200, seconds))}s`,
  };
}

const probedEach = 5;

/**
 * Text that stays as it is: Vertex AI expands `$(NAME)` in variables and commands as Kubernetes does, where "double $$ are
 * reduced to a single $".
 *
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables
 */
export const literal = (text: string): string => text.replaceAll('$', '$$$$');
