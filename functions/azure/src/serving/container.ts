import { plainOf } from '@serin/core/base/variables';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Deployment } from '@serin/core/ports/serving';
import type { Supplies } from '@serin/platform/jobs/supplies';
import { portVariables, served, servedAs } from '@serin/platform/serving';
import { checkScript, codeFile, type File, judgedFiles } from '@serin/platform/serving-start';
import { secretLines } from '../jobs/secret-script.ts';
import { blobObjects } from '../jobs/settings.ts';
import { mlSupplies } from '../supplies.ts';
import { neededOf, startScript } from './start.ts';

export interface ContainerOptions {
  /** The own container, in which models and code lie, and what Azure calls it and its storage account. */
  readonly bucket: Bucket;
  readonly ownContainer: string;
  readonly account: string;
  readonly supplies?: Supplies;
  /** The vault of secrets, and what stands before the name of each secret of a program. */
  readonly vault: string;
  readonly secretsPrefix: string;
  /** The client id of the identity under which containers serve. */
  readonly modelClient: string;
}

const { port } = served;
const ping = { path: served.health, port };

/** https://learn.microsoft.com/azure/machine-learning/how-to-deploy-custom-container */
export const inferenceConfig = {
  livenessRoute: ping,
  readinessRoute: ping,
  scoringRoute: { path: served.predict, port },
};

/**
 * The variables of a container, with the command of the user behind our script. It is `invalid` to
 * deploy what is not the artifact that was judged.
 *
 * A deployment has no command: an image runs its own entry point, which has to run "$SERIN_START".
 */
export async function variablesOf(
  options: ContainerOptions,
  endpoint: string,
  deployment: Deployment,
): Promise<Readonly<Record<string, string>>> {
  const { bucket, ownContainer, account } = options;
  const accounts = { account, dataAccount: account, ownContainer };
  const files = await judgedFiles(
    { bucket, ownBucket: ownContainer, objectsOf: (watched) => blobObjects(() => watched, accounts) },
    endpoint,
    deployment,
  );
  return {
    ...plainOf(deployment.environment),
    ...{ ...portVariables, AIP_HTTP_PORT: String(port) },
    ...servedAs(endpoint, deployment),
    SERIN_START: await scriptOf(options, endpoint, deployment, files),
  };
}

async function scriptOf(
  { bucket, ownContainer, account, modelClient, supplies = mlSupplies(() => bucket), ...vault }: ContainerOptions,
  endpoint: string,
  { name, code, command, environment }: Deployment,
  files: readonly File[],
): Promise<string> {
  const needed = (file: File) => neededOf({ container: ownContainer }, file.object, file);
  const start = {
    model: files.map(needed),
    ...(code === undefined ? {} : { code: needed(await codeFile(bucket, await supplies.archive(code.digest))) }),
    command,
    secrets: secretLines({ of: `${name} of ${endpoint}`, environment }, { ...vault, client: modelClient }),
  };
  return checkScript(startScript(start, { account, client: modelClient }), endpoint, name, files.length);
}
