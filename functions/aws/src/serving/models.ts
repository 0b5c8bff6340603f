import {
  type ContainerDefinition,
  CreateModelCommand,
  DeleteModelCommand,
  type ProductionVariant,
  type ProductionVariantInstanceType,
  type SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { instanceTypes } from '@serin/clouds/aws/instance-types';
import { instanceTypeFor } from '@serin/clouds/instance-types';
import { Fault } from '@serin/core/base/fault';
import { sha256Hex } from '@serin/core/base/json';
import { plainOf } from '@serin/core/base/variables';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Deployment } from '@serin/core/ports/serving';
import type { ProgramSecrets } from '@serin/platform/jobs/program-secrets';
import type { Supplies } from '@serin/platform/jobs/supplies';
import type { Installation } from '@serin/platform/names';
import { checkArtifact, contentOf, servedAs } from '@serin/platform/serving';
import { awsFault, ifThere, saysExists } from '../faults.ts';
import { s3Objects, type Vpc, vpcConfig } from '../jobs/settings.ts';
import { sageMakerName, tagsOf } from '../names.ts';
import { concealing } from '../program-secrets.ts';
import { sageMakerSupplies } from '../supplies.ts';

export interface ModelOptions {
  readonly sagemaker: SageMakerClient;
  readonly installation: Installation;
  /** ARN of the role that reads the artifact and pulls the image. */
  readonly modelRole: string;
  readonly vpc?: Vpc;
  /** The own bucket, and its real name: code is read from there. */
  readonly bucket: Bucket;
  readonly ownBucket: string;
  readonly supplies?: Supplies;
  readonly secrets: ProgramSecrets;
}

/** The name says the whole content: a deployment is another one when its model has another name. */
export const modelName = (installation: Installation, endpoint: string, deployment: Deployment): string =>
  // ARNs have names in lower case, and the tags of a model are read by its ARN.
  sageMakerName(installation, 'model', `${endpoint}-${deployment.name}`, contentOf(endpoint, deployment));

/** Tag of a model: `1-4` where the number of instances follows the load. */
export const scaleTag = 'serin:scale';

/** What SageMaker hosts for a deployment; throws `invalid` in words for what it cannot. */
export function checkDeployment(endpoint: string, deployment: Deployment): void {
  const refuse = (why: string, mend: string): never => {
    throw new Fault('invalid', `cannot deploy ${deployment.name} to ${endpoint}: ${why}; ${mend}`);
  };
  const { image, instances, compute, artifact } = deployment;
  if (image === undefined || image === '') refuse('SageMaker only serves containers', 'set serve.image');
  if (!artifact.uri.startsWith('s3://')) refuse(`SageMaker reads models only from S3`, `store ${artifact.uri} there`);
  if (!(Number.isInteger(instances.min) && instances.min >= 1 && instances.max >= instances.min))
    refuse(`SageMaker keeps at least one instance`, `use other instances than ${instances.min} to ${instances.max}`);
  if (compute.spot) refuse('SageMaker has no spot instances for endpoints', 'set serve.compute.spot to false');
  if (compute.nodes > 1) refuse('an instance of an endpoint is one node', 'use serve.compute.instances for more');
  instanceTypeFor(instanceTypes, 'serve', compute.accelerator);
}

/** Its variant of an endpoint: the deployment's own name. */
export const variantOf = (deployment: Deployment, model: string, weight: number): ProductionVariant => ({
  VariantName: deployment.name,
  ModelName: model,
  // A test holds the names of the table against the enum of SageMaker.
  InstanceType: instanceTypeFor(instanceTypes, 'serve', deployment.compute.accelerator)
    .name as ProductionVariantInstanceType,
  InitialInstanceCount: deployment.instances.min,
  InitialVariantWeight: weight,
  // 60 to 3600 (API reference, ProductionVariant).
  ContainerStartupHealthCheckTimeoutInSeconds: Math.min(
    3600,
    Math.max(60, Math.ceil(deployment.readyTimeoutMs / 1000)),
  ),
});

/** Creates the model of a deployment. Twice: one model. What AWS refuses for good is `invalid`, and a changed artifact. */
export async function createModel(
  {
    sagemaker,
    installation,
    modelRole,
    bucket,
    ownBucket,
    supplies = sageMakerSupplies(() => bucket),
    ...options
  }: ModelOptions,
  endpoint: string,
  deployment: Deployment,
): Promise<void> {
  const objects = s3Objects(() => bucket);
  await checkArtifact(endpoint, deployment, objects, ownBucket);
  const secrets = await options.secrets(deployment.environment);
  checkSecrets(endpoint, deployment, secrets);
  const { name, version, artifact, code, instances } = deployment;
  const codeUri = code === undefined ? undefined : `s3://${ownBucket}/${await supplies.archive(code.digest)}`;
  const scale = instances.max > instances.min ? { [scaleTag]: `${instances.min}-${instances.max}` } : {};
  const command = new CreateModelCommand({
    ModelName: modelName(installation, endpoint, deployment),
    ExecutionRoleArn: modelRole,
    PrimaryContainer: containerOf(endpoint, deployment, codeUri, secrets),
    ...vpcConfig(options),
    Tags: tagsOf(installation, {
      'serin:endpoint': endpoint,
      'serin:version': String(version),
      'serin:artifact': artifact.digest,
      'serin:content': sha256Hex(contentOf(endpoint, deployment)),
      ...scale,
    }),
  });
  try {
    await concealing(secrets, () => sagemaker.send(command));
  } catch (error) {
    if (saysExists(error)) return;
    const fault = awsFault(error, `creating the model of ${name} of ${endpoint}`);
    throw fault.retry === 'never' ? new Fault('invalid', fault.message, { cause: error }) : fault;
  }
}

/** botocore: EnvironmentValue. */
const maxVariable = 1024;

/** How long a secret is, is known only here. */
function checkSecrets(endpoint: string, { name }: Deployment, secrets: Readonly<Record<string, string>>): void {
  const long = Object.entries(secrets).find(([, text]) => Buffer.byteLength(text) > maxVariable);
  if (long === undefined) return;
  const why = `the secret of its variable ${long[0]} has more than ${maxVariable} bytes, which SageMaker does not take`;
  throw new Fault('invalid', `cannot deploy ${name} to ${endpoint}: ${why}; store a shorter one`);
}

export async function deleteModel(sagemaker: SageMakerClient, name: string): Promise<void> {
  await ifThere(`deleting the model ${name}`, () => sagemaker.send(new DeleteModelCommand({ ModelName: name })));
}

/**
 * SageMaker runs `docker run IMAGE serve`: a model container has no entry point of the caller's. Code comes as a folder
 * beside the model, its command in `SERIN_COMMAND`; the framework images of AWS read SAGEMAKER_SUBMIT_DIRECTORY.
 */
function containerOf(
  endpoint: string,
  deployment: Deployment,
  codeUri: string | undefined,
  secrets: Readonly<Record<string, string>>,
): ContainerDefinition {
  const { artifact, image = '', command, environment } = deployment;
  const program = command.find((part) => part.endsWith('.py'));
  const code =
    codeUri === undefined
      ? {}
      : {
          SAGEMAKER_SUBMIT_DIRECTORY: codeUri,
          ...(program === undefined ? {} : { SAGEMAKER_PROGRAM: program }),
          // Where SageMaker puts AdditionalModelDataSources: its documentation of the channel name.
          SERIN_CODE_DIR: '/opt/ml/additional-model-data-sources/code',
        };
  return {
    Image: image,
    ModelDataSource: { S3DataSource: s3Source(artifact.uri) },
    ...(codeUri === undefined
      ? {}
      : { AdditionalModelDataSources: [{ ChannelName: 'code', S3DataSource: s3Source(codeUri) }] }),
    Environment: {
      ...plainOf(environment),
      ...secrets,
      ...code,
      ...(command.length === 0 ? {} : { SERIN_COMMAND: JSON.stringify(command) }),
      SM_MODEL_DIR: '/opt/ml/model',
      ...servedAs(endpoint, deployment),
    },
  };
}

const s3Source = (uri: string) => ({
  S3Uri: uri,
  S3DataType: uri.endsWith('/') ? ('S3Prefix' as const) : ('S3Object' as const),
  CompressionType: /\.(tar\.gz|tgz)$/.test(uri) ? ('Gzip' as const) : ('None' as const),
});
