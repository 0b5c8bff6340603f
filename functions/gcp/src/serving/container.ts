import { plainOf } from '@serin/core/base/variables';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Deployment } from '@serin/core/ports/serving';
import type { Supplies } from '@serin/platform/jobs/supplies';
import { portVariables, served, servedAs } from '@serin/platform/serving';
import { checkScript, codeFile, type File, judgedFiles } from '@serin/platform/serving-start';
import { secretLines } from '../jobs/secret-script.ts';
import { gsObjects } from '../jobs/settings.ts';
import { vertexSupplies } from '../supplies.ts';
import { neededOf, startScript } from './start.ts';

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
  const { bucket, ownBucket } = options;
  const files = await judgedFiles(
    { bucket, ownBucket, objectsOf: (watched) => gsObjects(() => watched) },
    endpoint,
    deployment,
  );
  const spec = containerOf(endpoint, deployment);
  if (deployment.command.length === 0) return spec;
  return { ...spec, command: ['sh', '-c', literal(await scriptOf(options, endpoint, deployment, files))] };
}

async function scriptOf(
  { bucket, ownBucket, googleProject, secretsPrefix, supplies = vertexSupplies(() => bucket) }: ContainerOptions,
  endpoint: string,
  { name, code, command, environment }: Deployment,
  files: readonly File[],
): Promise<string> {
  const needed = (file: File) => neededOf(ownBucket, file.object, file);
  const script = startScript({
    model: files.map(needed),
    ...(code === undefined ? {} : { code: needed(await codeFile(bucket, await supplies.archive(code.digest))) }),
    command,
    secrets: secretLines({ of: `${name} of ${endpoint}`, environment }, { googleProject, secretsPrefix }),
  });
  return checkScript(script, endpoint, name, files.length);
}

function containerOf(endpoint: string, deployment: Deployment): object {
  const { image, environment, readyTimeoutMs } = deployment;
  const variables = {
    ...plainOf(environment),
    ...portVariables,
    ...servedAs(endpoint, deployment),
  };
  const seconds = Math.ceil(readyTimeoutMs / 1000);
  return {
    imageUri: image,
    env: Object.entries(variables).map(([name, value]) => ({ name, value: literal(value) })),
    ports: [{ containerPort: served.port }],
    healthRoute: served.health,
    predictRoute: served.predict,
    // Without it a container that does not listen within 40 seconds is started again, also while it downloads.
    // https://docs.cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements#liveness_checks
    startupProbe: {
      httpGet: { path: served.health, port: served.port },
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
