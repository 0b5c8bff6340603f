import { instanceTypes } from '@serin/clouds/gcp/instance-types';
import { instanceTypeFor } from '@serin/clouds/instance-types';
import { Fault } from '@serin/core/base/fault';
import { canonical } from '@serin/core/base/json';
import { plainOf, secretNames } from '@serin/core/base/variables';
import type { Bucket, ObjectInfo } from '@serin/core/ports/bucket';
import type { Deployment } from '@serin/core/ports/serving';
import type { ProgramSecrets } from '@serin/platform/jobs/program-secrets';
import type { Supplies } from '@serin/platform/jobs/supplies';
import type { Installation } from '@serin/platform/names';
import { checkArtifact, servedAs } from '@serin/platform/serving';
import type { VertexPlace } from '../calls/vertex.ts';
import { secretLines } from '../jobs/secret-script.ts';
import { gsObjects, gsPlace } from '../jobs/settings.ts';
import { endpointName, labelsOf, vertexName } from '../names.ts';
import { vertexSupplies } from '../supplies.ts';
import { idOfName } from './endpoints.ts';
import { type Needed, startScript } from './start.ts';

export interface ModelOptions extends VertexPlace {
  readonly installation: Installation;
  /** E-mail of the service account under which containers serve. */
  readonly modelAccount: string;
  readonly kmsKey?: string;
  /** The own bucket, in which models and code lie, and what Google calls it. */
  readonly bucket: Bucket;
  readonly ownBucket: string;
  readonly supplies?: Supplies;
  /** Before the name of each secret of a program, in Secret Manager. */
  readonly secretsPrefix: string;
  readonly secrets: ProgramSecrets;
}

/** The id says the whole content: a deployment is another one when its model has another id. */
export const servedModel = (installation: Installation, endpoint: string, deployment: Deployment): string =>
  vertexName(installation, 'serve', `${endpoint}-${deployment.name}`, canonical({ endpoint, deployment }));

/** Label of a model: the id of the endpoint that it was uploaded for. */
export const servesLabel = 'serin_serves';

/** `invalid`, in words, for what Vertex AI cannot host. */
export function checkDeployment(endpoint: string, deployment: Deployment, ownBucket: string): void {
  const { name, image, instances, compute, artifact, command, environment } = deployment;
  const refuse = (why: string, mend: string): never => {
    throw new Fault('invalid', `cannot deploy ${name} to ${endpoint}: ${why}; ${mend}`);
  };
  if (image === undefined || image === '') refuse('Vertex AI only serves containers', 'set serve.image');
  if (gsPlace(artifact.uri)?.bucket !== ownBucket)
    refuse(`${artifact.uri} does not lie in the bucket ${ownBucket}`, 'train it here');
  if (!(Number.isInteger(instances.min) && instances.min >= 1 && instances.max >= instances.min))
    refuse('Vertex AI keeps at least one replica', `use other instances than ${instances.min} to ${instances.max}`);
  if (compute.nodes > 1) refuse('a replica is one node', 'use serve.compute.instances for more replicas');
  // "This value should be 1-10 characters, and valid characters are /[0-9]/" (DeployedModel.id).
  if (!/^[1-9]\d{0,9}$/.test(idOfName(name)))
    refuse('its number has more than 10 digits', 'register it as another model');
  if (command.length === 0 && secretNames(environment).length > 0)
    refuse('only a command of Serin looks up secrets', 'set serve.command, or leave the secrets out');
  instanceTypeFor(instanceTypes, 'serve', compute.accelerator);
}

/**
 * The model of Vertex AI for a deployment, as it is uploaded. A changed artifact, and what is missing, is `invalid`.
 *
 * An image of the user's without a command reads AIP_STORAGE_URI by itself: Vertex AI copies the folder of the artifact
 * there, and no code. With a command our script runs instead.
 */
export async function modelToUpload(options: ModelOptions, endpoint: string, deployment: Deployment): Promise<object> {
  const { installation, kmsKey, secrets } = options;
  const { name, command, artifact, environment } = deployment;
  const model = await judged(options, endpoint, deployment);
  await secrets(environment);
  return {
    displayName: `${endpoint} ${name}`.slice(0, 128),
    labels: labelsOf(installation, { [servesLabel]: endpointName(installation, endpoint), serin_deployment: name }),
    ...encrypted(kmsKey),
    ...(command.length === 0 ? { artifactUri: artifact.uri.replace(/\/[^/]*$/, '') } : {}),
    containerSpec: {
      ...containerOf(endpoint, deployment),
      ...(command.length === 0 ? {} : { command: ['sh', '-c', await scriptOf(options, endpoint, deployment, model)] }),
    },
  };
}

/** What is deployed to an endpoint: no split, so that no request is routed by it. */
export function deployedModelOf(
  { googleProject, region, installation, modelAccount }: ModelOptions,
  endpoint: string,
  deployment: Deployment,
): object {
  const { name, instances, compute } = deployment;
  const { name: machineType, accelerator } = instanceTypeFor(instanceTypes, 'serve', compute.accelerator);
  const model = servedModel(installation, endpoint, deployment);
  const metrics = ['cpu/utilization', ...(accelerator === undefined ? [] : ['accelerator/duty_cycle'])];
  return {
    id: idOfName(name),
    model: `projects/${googleProject}/locations/${region}/models/${model}`,
    displayName: name,
    serviceAccount: modelAccount,
    dedicatedResources: {
      machineSpec: {
        machineType,
        ...(accelerator === undefined
          ? {}
          : { acceleratorType: accelerator.providerType, acceleratorCount: accelerator.count }),
      },
      minReplicaCount: instances.min,
      maxReplicaCount: instances.max,
      ...(instances.max > instances.min
        ? { autoscalingMetricSpecs: metrics.map((metric) => ({ metricName: `${online}/${metric}`, target })) }
        : {}),
      ...(compute.spot ? { spot: true } : {}),
    },
  };
}

export const encrypted = (kmsKey: string | undefined): object =>
  kmsKey === undefined ? {} : { encryptionSpec: { kmsKeyName: kmsKey } };

const online = 'aiplatform.googleapis.com/prediction/online';
/** Percent of use that autoscaling aims at: Vertex AI's own default (AutoscalingMetricSpec). */
const target = 60;

/** The objects of the artifact, in the versions that its digest was made of. */
async function judged(
  { bucket, ownBucket }: ModelOptions,
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
  return listed
    .filter((object) => key.endsWith('/') || object.key === key)
    .filter((object) => !object.key.endsWith('/'))
    .map((object) => neededOf(ownBucket, object, object.key.slice(folder.length)));
}

function neededOf(bucket: string, { key, version, bytes }: ObjectInfo, path: string): Needed {
  if (/^\d+$/.test(version) && !path.split('/').some((part) => part === '' || part === '.' || part === '..'))
    return { bucket, key, path, generation: version, bytes };
  throw new Fault(
    'invalid',
    `cannot bring ${key} into a container: it is not a file's name; rename it, and train again`,
  );
}

async function scriptOf(
  { bucket, ownBucket, googleProject, secretsPrefix, supplies = vertexSupplies(() => bucket) }: ModelOptions,
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
  if (found !== undefined) return neededOf(ownBucket, found, 'code.tar.gz');
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
