import { instanceTypes } from '@serin/clouds/azure/instance-types';
import { instanceTypeFor } from '@serin/clouds/instance-types';
import { Fault } from '@serin/core/base/fault';
import { sha256Hex } from '@serin/core/base/json';
import type { Deployment } from '@serin/core/ports/serving';
import type { ProgramSecrets } from '@serin/platform/jobs/program-secrets';
import type { Installation } from '@serin/platform/names';
import { contentOf } from '@serin/platform/serving';
import type { Azure } from '../calls/azure.ts';
import type { MlPlace } from '../calls/ml.ts';
import { guarded } from '../faults.ts';
import { environmentOf } from '../jobs/environments.ts';
import { placeOf } from '../jobs/settings.ts';
import { deploymentName, endpointName, tagsOf } from '../names.ts';
import { dataCollectorOf } from './captured.ts';
import { type ContainerOptions, inferenceConfig, variablesOf } from './container.ts';

export interface DeploymentOptions extends MlPlace, ContainerOptions {
  readonly azure: Azure;
  readonly installation: Installation;
  readonly region: string;
  /** The datastore of the own container. */
  readonly datastore: string;
  readonly secrets: ProgramSecrets;
}

/** Tag of a deployment: it is another one when its content is another. */
export const contentTag = 'serin-content';
export const contentTagOf = (endpoint: string, deployment: Deployment): string =>
  sha256Hex(contentOf(endpoint, deployment));

/** Tag of a deployment whose instances may become more: `<least>-<most>`. */
export const scaleTag = 'serin-scale';

/** `invalid`, in words, for what Azure ML cannot host. */
export function checkDeployment(
  endpoint: string,
  deployment: Deployment,
  { account, ownContainer }: Pick<ContainerOptions, 'account' | 'ownContainer'>,
): void {
  const { name, image, instances, compute, artifact, command } = deployment;
  const refuse = (why: string, mend: string): never => {
    throw new Fault('invalid', `cannot deploy ${name} to ${endpoint}: ${why}; ${mend}`);
  };
  const place = placeOf(artifact.uri);
  if (image === undefined || image === '') refuse('Azure ML hosts a program in an image only', 'set serve.image');
  if (place?.account !== account || place.bucket !== ownContainer)
    refuse(`${artifact.uri} is not in the container ${ownContainer} of ${account}`, 'train the model here');
  if (!(Number.isInteger(instances.min) && instances.min >= 1 && instances.max >= instances.min))
    refuse('Azure ML has one instance at least', `use other instances than ${instances.min} to ${instances.max}`);
  if (compute.spot) refuse('an endpoint of Azure ML has no spot instances', 'leave serve.compute.spot out');
  if (compute.nodes > 1) refuse('an instance of Azure ML is a single node', 'use serve.compute.instances instead');
  if (deploymentName(name).length > 32) refuse('its number has more than 31 digits', 'start again with another model');
  if (command.length === 0) refuse('Serin starts a program by its command', 'set serve.command');
  instanceTypeFor(instanceTypes, 'serve', compute.accelerator);
}

/**
 * The deployment as Azure ML is asked for it; the environment of its image is made before. What is missing or has changed is `invalid`.
 */
export async function deploymentBody(
  options: DeploymentOptions,
  endpoint: string,
  deployment: Deployment,
): Promise<object> {
  const { installation, region, secrets, azure, subscription, resourceGroup, workspace } = options;
  const { name, version, image = '', artifact, instances, compute, environment, readyTimeoutMs, capture } = deployment;
  await secrets(environment);
  const environmentVariables = await variablesOf(options, endpoint, deployment);
  const place = { azure, installation, subscription, resourceGroup, workspace };
  return {
    location: region,
    tags: tagsOf(installation, {
      'serin-model': endpoint,
      'serin-version': String(version),
      'serin-artifact': artifact.digest,
      [contentTag]: contentTagOf(endpoint, deployment),
      ...(instances.max > instances.min ? { [scaleTag]: `${instances.min}-${instances.max}` } : {}),
    }),
    sku: { name: 'Default', capacity: instances.min },
    properties: {
      endpointComputeType: 'Managed',
      environmentId: await guarded(`making an environment of ${image}`, () =>
        environmentOf(image, place, { inferenceConfig }),
      ),
      environmentVariables,
      instanceType: instanceTypeFor(instanceTypes, 'serve', compute.accelerator).name,
      scaleSettings: { scaleType: 'Default' },
      requestSettings,
      ...(capture === undefined
        ? {}
        : {
            dataCollector: await dataCollectorOf(options, {
              endpoint: endpointName(installation, endpoint),
              deployment: name,
              percent: capture.percent,
            }),
          }),
      ...probes(Math.ceil(readyTimeoutMs / 1000)),
    },
  };
}

/**
 * The longest that Azure ML gives a request; who waits less, is the caller. Its own 5 seconds and one request at a time
 * would refuse what the program can do: how many it takes at once, is the program's affair as on every platform, and an
 * endpoint has no more than 500 connections.
 *
 * https://learn.microsoft.com/azure/machine-learning/how-to-manage-quotas#azure-machine-learning-online-endpoints-and-batch-endpoints
 */
const requestSettings = { requestTimeout: 'PT180S', maxConcurrentRequestsPerInstance: 500 };

/**
 * A container has as long to start as its rollout waits for it. A program that answers no more is started again after 300
 * seconds only, and keeps its requests: each of them has failed by its own time-out before, and is counted.
 */
const probes = (readySeconds: number) => {
  const each = { period: 'PT10S', timeout: 'PT10S', successThreshold: 1 };
  return {
    livenessProbe: { ...each, initialDelay: `PT${readySeconds}S`, failureThreshold: 30 },
    readinessProbe: { ...each, initialDelay: 'PT10S', failureThreshold: Math.max(30, Math.ceil(readySeconds / 10)) },
  };
};
