import { type On, type OwnFolder, ownFolders } from './calls.ts';
import type { Settings, Where } from './shapes.ts';

/** Names and ARNs of one installation. All are known before anything is created, so no policy waits for a resource. */
export interface Places {
  readonly settings: Settings;
  readonly where: Where;
  /** `serin-<project>-<environment>-<thing>` */
  readonly name: (thing: string) => string;
  readonly arn: (service: string, resource: string) => string;
  readonly ownBucket: string;
  readonly secrets: string;
  /** Before the name of each secret that a config names. */
  readonly programSecrets: string;
  readonly on: Readonly<Record<On, readonly string[]>>;
}

/** What a renderer calls the resource of a function or a queue. */
export const resourceId = (id: string): string => `${id[0]?.toUpperCase()}${id.slice(1)}`;

export const nodeTag = '24-slim';
/**
 * The pull-through cache of public.ecr.aws, and the one image that is wanted of it. Prefixes are unique in an account and
 * region, and many may have one upstream: each installation has its own.
 *
 * A prefix holds 30 characters, the names of an installation 28 together (`awsNameProblems`). It takes whatever is pulled
 * under it for the upstream's; with an underscore it is hardly the namespace of somebody's own repositories.
 */
export function imageCacheOf({ project, environment }: Settings) {
  const prefix = `${project}_${environment}`;
  return { prefix, upstream: 'public.ecr.aws', repository: `${prefix}/docker/library/node` };
}
/** SSM parameters begin with a slash, and the ARN does not double it. */
const secretsOf = ({ project, environment }: Settings): string => `/serin/${project}/${environment}/secrets`;

/** Not below the secrets of webhooks: whoever may read the ones may not therefore read the others. */
const programSecretsOf = ({ project, environment }: Settings): string => `/serin/${project}/${environment}/programs`;

export function placesOf(settings: Settings, where: Where): Places {
  const { project, environment, dataBuckets } = settings;
  const name = (thing: string): string => `serin-${project}-${environment}-${thing}`;
  const { partition, region, account } = where;
  const arn = (service: string, resource: string): string =>
    `arn:${partition}:${service}:${region}:${account}:${resource}`;
  // IAM, S3 buckets and service roles are not regional: their ARNs leave parts out.
  const role = (path: string): string => `arn:${partition}:iam::${account}:role/${path}`;
  const bucket = (of: string): string => `arn:${partition}:s3:::${of}`;
  // What SageMaker holds is named at run time by functions/aws/src/names.ts, which begins with the environment.
  const sagemaker = (type: string): readonly string[] => [arn('sagemaker', `${type}/${environment}-${project}--*`)];
  const jobLogGroup = (api: string): string => arn('logs', `log-group:/aws/sagemaker/${api}:*`);
  const jobApis = ['TrainingJobs', 'ProcessingJobs'];
  const ownBucket = name(`${account}-${region}`);

  return {
    settings,
    where,
    name,
    arn,
    ownBucket,
    secrets: secretsOf(settings),
    programSecrets: programSecretsOf(settings),
    on: {
      table: [arn('dynamodb', `table/${name('journal')}`)],
      ownBucket: [bucket(ownBucket)],
      ...(Object.fromEntries(
        ownFolders.map((folder) => [`own/${folder}`, [`${bucket(ownBucket)}/${folder}/*`]]),
      ) as unknown as Readonly<Record<`own/${OwnFolder}`, readonly string[]>>),
      dataBuckets: dataBuckets.map(bucket),
      dataObjects: dataBuckets.map((data) => `${bucket(data)}/*`),
      trainingJobs: sagemaker('training-job'),
      processingJobs: sagemaker('processing-job'),
      models: sagemaker('model'),
      endpoints: sagemaker('endpoint'),
      endpointConfigs: sagemaker('endpoint-config'),
      packageGroups: sagemaker('model-package-group'),
      packages: sagemaker('model-package'),
      scalableTargets: [arn('application-autoscaling', 'scalable-target/*')],
      // The name that Auto Scaling gives: `TargetTracking-<resource id>-Alarm...`, with our endpoint's name inside.
      scalingAlarms: [arn('cloudwatch', `alarm:TargetTracking-endpoint/${environment}-${project}--*`)],
      scalingServiceRole: [
        role(
          'aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint',
        ),
      ],
      jobRole: [role(name('jobs'))],
      modelRole: [role(name('models'))],
      jobLogGroups: jobApis.map(jobLogGroup),
      jobLogStreams: jobApis.map((api) =>
        arn('logs', `log-group:/aws/sagemaker/${api}:log-stream:${environment}-${project}--*`),
      ),
      bus: [arn('events', `event-bus/${name('events')}`)],
      signals: [arn('sqs', name('signals'))],
      dead: [arn('sqs', name('dead'))],
      secrets: [arn('ssm', `parameter${secretsOf(settings)}`)],
      programSecrets: [arn('ssm', `parameter${programSecretsOf(settings)}/*`)],
      anything: ['*'],
    },
  };
}
