import { instanceTypes } from '@serin/clouds/gcp/instance-types';
import { instanceTypeFor } from '@serin/clouds/instance-types';
import { Fault } from '@serin/core/base/fault';
import { secretNames } from '@serin/core/base/variables';
import type { Deployment } from '@serin/core/ports/serving';
import type { ProgramSecrets } from '@serin/platform/jobs/program-secrets';
import type { Installation } from '@serin/platform/names';
import { contentOf } from '@serin/platform/serving';
import type { VertexPlace } from '../calls/vertex.ts';
import { gsPlace } from '../jobs/settings.ts';
import { endpointName, labelsOf, vertexName } from '../names.ts';
import { type ContainerOptions, containerSpecOf } from './container.ts';
import { idOfName } from './endpoints.ts';

export interface ModelOptions extends VertexPlace, ContainerOptions {
  readonly installation: Installation;
  /** E-mail of the service account under which containers serve. */
  readonly modelAccount: string;
  readonly kmsKey?: string;
  readonly secrets: ProgramSecrets;
}

/** The id says the whole content: a deployment is another one when its model has another id. */
export const servedModel = (installation: Installation, endpoint: string, deployment: Deployment): string =>
  vertexName(installation, 'serve', `${endpoint}-${deployment.name}`, contentOf(endpoint, deployment));

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
  await secrets(environment);
  return {
    displayName: `${endpoint} ${name}`.slice(0, 128),
    labels: labelsOf(installation, { [servesLabel]: endpointName(installation, endpoint), serin_deployment: name }),
    ...encrypted(kmsKey),
    ...(command.length === 0 ? { artifactUri: artifact.uri.replace(/\/[^/]*$/, '') } : {}),
    containerSpec: await containerSpecOf(options, endpoint, deployment),
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
