import {
  type OwnFolder as AnyFolder,
  type CallOf,
  callOf,
  ownFolders as folders,
  type NeedOn,
  portsOf as shared,
} from '../../shared/calls.ts';

/**
 * Every call that the AWS ports make, the permission it needs, and on what. Function policies are made from it alone,
 * `serin plan` prints it, and the emulator suite compares it with the calls that were really sent.
 */

/** The folders of the project's own bucket: SageMaker keeps what other clouds have in `registry` and `serving`. */
export type OwnFolder = Exclude<AnyFolder, 'registry' | 'serving'>;
export const ownFolders = folders.filter((folder): folder is OwnFolder => !['registry', 'serving'].includes(folder));

/** A thing that a permission is about; places.ts knows its ARNs. */
export type On =
  | 'table'
  | 'ownBucket'
  | `own/${OwnFolder}`
  | 'dataBuckets'
  | 'dataObjects'
  | 'trainingJobs'
  | 'processingJobs'
  | 'models'
  | 'endpoints'
  | 'endpointConfigs'
  | 'packageGroups'
  | 'packages'
  | 'scalableTargets'
  | 'scalingAlarms'
  | 'scalingServiceRole'
  | 'jobRole'
  | 'modelRole'
  | 'jobLogGroups'
  | 'jobLogStreams'
  | 'bus'
  | 'signals'
  | 'dead'
  | 'secrets'
  | 'programSecrets'
  /** The service has no resource level: only for the actions that `withoutResource` names. */
  | 'anything';

/** A condition of a permission; grants.ts spells it. */
export type When = 'passedToSageMaker' | 'sageMakerScaling' | 'forSageMakerScaling' | 'ownedAsSaid';

export type Need = NeedOn<On> & { readonly when?: When };
/** `call`: `<service>:<operation>` as the SDK names it. */
export type Call = CallOf<Need>;

const need = (action: string, ...on: readonly On[]): Need => ({ action, on });
/** Data buckets are known by name: one that was deleted, and made again by somebody else, is not read. */
const ofData = (action: string, on: 'dataBuckets' | 'dataObjects'): Need => ({ action, on: [on], when: 'ownedAsSaid' });
const pass = (role: 'jobRole' | 'modelRole'): Need => ({
  action: 'iam:PassRole',
  on: [role],
  when: 'passedToSageMaker',
});
const scaling = (action: string): Need => ({ action, on: ['scalableTargets'], when: 'sageMakerScaling' });
const call = callOf<Need>;

// A create call that carries tags needs the permission to tag as well.
// https://docs.aws.amazon.com/sagemaker/latest/dg/security_iam_id-based-policy-examples.html
const tagged = (action: string, on: On): readonly Need[] => [need(action, on), need('sagemaker:AddTags', on)];

/** What data looks like: written once by runs and by the watch over drift, and shown by the API. */
const seen = ['own/drift', 'own/profiles', 'own/references', 'own/reports'] as const;

export const callsOf = {
  journal: [
    call('dynamodb:GetItem', 'reads the head of a stream', need('dynamodb:GetItem', 'table')),
    call('dynamodb:Query', 'reads entries and the two indexes', need('dynamodb:Query', 'table')),
    // A transaction is allowed when each of its parts is. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
    call(
      'dynamodb:TransactWriteItems',
      'appends entry, head and index rows at once',
      need('dynamodb:PutItem', 'table'),
      need('dynamodb:DeleteItem', 'table'),
    ),
  ],
  /** What the clock needs of the journal. */
  due: [call('dynamodb:Query', 'finds the streams that wait for time', need('dynamodb:Query', 'table'))],
  bucket: [
    call(
      's3:ListObjectsV2',
      'lists what was dropped',
      need('s3:ListBucket', 'ownBucket'),
      ofData('s3:ListBucket', 'dataBuckets'),
    ),
    // A version is an ETag here, asked for by If-Match: no permission for versions is needed.
    call(
      's3:GetObject',
      'reads configs, code, manifests, what jobs left, markers, labels, captured requests and what data looked like',
      need(
        's3:GetObject',
        'own/captured',
        'own/code',
        'own/configs',
        'own/datasets',
        'own/jobs',
        'own/labels',
        ...seen,
      ),
      ofData('s3:GetObject', 'dataObjects'),
    ),
    call(
      's3:PutObject',
      'writes manifests, archives of code, starts of jobs, large events, labels, what was read of them and what data looks like',
      need('s3:PutObject', 'own/code', 'own/datasets', 'own/events', 'own/labels', 'own/starts', ...seen),
    ),
  ],
  /** What the API needs of buckets: it takes code, configs and labels, and reads no data. */
  releases: [
    call(
      's3:ListObjectsV2',
      'lists objects for whoever asks',
      need('s3:ListBucket', 'ownBucket'),
      ofData('s3:ListBucket', 'dataBuckets'),
    ),
    call(
      's3:GetObject',
      'reads configs, code, manifests, what data looked like and labels that are there already',
      need('s3:GetObject', 'own/code', 'own/configs', 'own/datasets', 'own/labels', ...seen),
    ),
    call(
      's3:PutObject',
      'writes configs, code, labels and large events',
      need('s3:PutObject', 'own/code', 'own/configs', 'own/events', 'own/labels'),
    ),
  ],
  jobs: [
    call(
      'sagemaker:CreateTrainingJob',
      'starts a training',
      ...tagged('sagemaker:CreateTrainingJob', 'trainingJobs'),
      pass('jobRole'),
    ),
    call('sagemaker:DescribeTrainingJob', 'reads how it ended', need('sagemaker:DescribeTrainingJob', 'trainingJobs')),
    call('sagemaker:StopTrainingJob', 'stops it', need('sagemaker:StopTrainingJob', 'trainingJobs')),
    call(
      'sagemaker:CreateProcessingJob',
      'starts whatever is no training',
      ...tagged('sagemaker:CreateProcessingJob', 'processingJobs'),
      pass('jobRole'),
    ),
    call(
      'sagemaker:DescribeProcessingJob',
      'reads how it ended',
      need('sagemaker:DescribeProcessingJob', 'processingJobs'),
    ),
    call('sagemaker:StopProcessingJob', 'stops it', need('sagemaker:StopProcessingJob', 'processingJobs')),
    call(
      'sagemaker:ListTags',
      'compares the full key before a job is adopted, and says whose an ended job is',
      need('sagemaker:ListTags', 'trainingJobs', 'processingJobs'),
    ),
    call(
      'logs:DescribeLogStreams',
      'finds the log of a job that failed',
      need('logs:DescribeLogStreams', 'jobLogGroups'),
    ),
    call('logs:GetLogEvents', 'reads its last lines', need('logs:GetLogEvents', 'jobLogStreams')),
  ],
  /** The log of a job, for whoever asks the API. */
  jobLogs: [
    call('logs:DescribeLogStreams', 'finds the log of a job', need('logs:DescribeLogStreams', 'jobLogGroups')),
    call('logs:GetLogEvents', 'reads the log of a job', need('logs:GetLogEvents', 'jobLogStreams')),
  ],
  registry: [
    call(
      'sagemaker:CreateModelPackageGroup',
      'a group per model',
      ...tagged('sagemaker:CreateModelPackageGroup', 'packageGroups'),
    ),
    call(
      'sagemaker:DescribeModelPackageGroup',
      'adopts a group that is there',
      need('sagemaker:DescribeModelPackageGroup', 'packageGroups'),
    ),
    call('sagemaker:CreateModelPackage', 'registers a version', need('sagemaker:CreateModelPackage', 'packages')),
    call('sagemaker:DescribeModelPackage', 'reads a version', need('sagemaker:DescribeModelPackage', 'packages')),
    call('sagemaker:UpdateModelPackage', 'mirrors the approval', need('sagemaker:UpdateModelPackage', 'packages')),
    call(
      'sagemaker:ListModelPackages',
      'finds the version of a number',
      need('sagemaker:ListModelPackages', 'packages'),
    ),
  ],
  serving: [
    call(
      'sagemaker:CreateModel',
      'the model of a deployment',
      ...tagged('sagemaker:CreateModel', 'models'),
      pass('modelRole'),
    ),
    call('sagemaker:DeleteModel', 'takes away a model that nothing uses', need('sagemaker:DeleteModel', 'models')),
    call(
      'sagemaker:CreateEndpointConfig',
      'variants and weights',
      ...tagged('sagemaker:CreateEndpointConfig', 'endpointConfigs'),
    ),
    call(
      'sagemaker:DescribeEndpointConfig',
      'reads the config that serves',
      need('sagemaker:DescribeEndpointConfig', 'endpointConfigs'),
    ),
    call(
      'sagemaker:DeleteEndpointConfig',
      'takes away a config that nothing uses',
      need('sagemaker:DeleteEndpointConfig', 'endpointConfigs'),
    ),
    call(
      'sagemaker:ListEndpointConfigs',
      'finds a config that SageMaker took back',
      need('sagemaker:ListEndpointConfigs', 'anything'),
    ),
    call(
      'sagemaker:CreateEndpoint',
      'the first deployment',
      ...tagged('sagemaker:CreateEndpoint', 'endpoints'),
      need('sagemaker:CreateEndpoint', 'endpointConfigs'),
    ),
    call(
      'sagemaker:UpdateEndpoint',
      'deploys, retires and mirrors',
      need('sagemaker:UpdateEndpoint', 'endpoints', 'endpointConfigs'),
    ),
    call(
      'sagemaker:UpdateEndpointWeightsAndCapacities',
      'moves weight',
      need('sagemaker:UpdateEndpointWeightsAndCapacities', 'endpoints'),
    ),
    call('sagemaker:DescribeEndpoint', 'reads what really serves', need('sagemaker:DescribeEndpoint', 'endpoints')),
    call('sagemaker:DeleteEndpoint', 'serves nothing', need('sagemaker:DeleteEndpoint', 'endpoints')),
    call('sagemaker:AddTags', 'marks a config that was tried', need('sagemaker:AddTags', 'endpointConfigs')),
    call(
      'sagemaker:ListTags',
      'reads those marks, and what a model wants to be scaled to',
      need('sagemaker:ListTags', 'endpointConfigs', 'models'),
    ),
    call(
      'application-autoscaling:RegisterScalableTarget',
      'the least and the most instances of a variant',
      scaling('application-autoscaling:RegisterScalableTarget'),
      { action: 'iam:CreateServiceLinkedRole', on: ['scalingServiceRole'], when: 'forSageMakerScaling' },
    ),
    call(
      'application-autoscaling:DeregisterScalableTarget',
      'before a variant is retired',
      scaling('application-autoscaling:DeregisterScalableTarget'),
    ),
    call(
      'application-autoscaling:DescribeScalingPolicies',
      'reads them back',
      need('application-autoscaling:DescribeScalingPolicies', 'anything'),
    ),
    // Auto Scaling makes and takes away the alarms of a target tracking policy with the permissions of who calls it.
    // https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html
    call(
      'application-autoscaling:PutScalingPolicy',
      'scales by invocations per instance',
      scaling('application-autoscaling:PutScalingPolicy'),
      need('cloudwatch:PutMetricAlarm', 'scalingAlarms'),
      need('cloudwatch:DescribeAlarms', 'scalingAlarms'),
      need('cloudwatch:DeleteAlarms', 'scalingAlarms'),
    ),
  ],
  telemetry: [
    call(
      'cloudwatch:GetMetricData',
      'requests, errors and latencies of each variant',
      need('cloudwatch:GetMetricData', 'anything'),
    ),
    call('cloudwatch:ListMetrics', 'which variants there were', need('cloudwatch:ListMetrics', 'anything')),
    call('sagemaker:DescribeEndpoint', 'which variants there are', need('sagemaker:DescribeEndpoint', 'endpoints')),
  ],
  bus: [call('events:PutEvents', 'publishes what happened', need('events:PutEvents', 'bus'))],
  send: [
    call('sqs:SendMessage', 'tells that a stream owes something', need('sqs:SendMessage', 'signals')),
    call('sqs:SendMessageBatch', 'the same for many', need('sqs:SendMessage', 'signals')),
  ],
  again: [
    call(
      'sqs:ChangeMessageVisibility',
      'brings back soon what failed for a moment',
      need('sqs:ChangeMessageVisibility', 'signals'),
    ),
  ],
  secrets: [call('ssm:GetParameter', 'the secrets of incoming webhooks', need('ssm:GetParameter', 'secrets'))],
  /** Only for the function that starts programs. */
  programSecrets: [
    call(
      'ssm:GetParameters',
      'the secrets that a config names, when its program is started',
      need('ssm:GetParameters', 'programSecrets'),
    ),
  ],
} satisfies Readonly<Record<string, readonly Call[]>>;

export type PortName = keyof typeof callsOf;

/** Which of them a function has. Only here a message that failed is brought back by a call. */
export const portsOf = {
  ...shared,
  signals: [...shared.signals, 'again'],
} as const satisfies Readonly<Record<string, readonly PortName[]>>;

/** Actions whose resource must be `*`, and where that is written. Nothing else may have it. */
export const withoutResource: Readonly<Record<string, string>> = {
  'sagemaker:ListEndpointConfigs': 'Service Authorization Reference, Amazon SageMaker: no resource type',
  'application-autoscaling:DescribeScalingPolicies':
    'Service Authorization Reference, Application Auto Scaling: no resource type',
  'cloudwatch:GetMetricData': 'Service Authorization Reference, Amazon CloudWatch: classic metrics are no resource',
  'cloudwatch:ListMetrics': 'Service Authorization Reference, Amazon CloudWatch: classic metrics are no resource',
  'cloudwatch:PutMetricData':
    'Service Authorization Reference, Amazon CloudWatch: classic metrics are no resource; held by cloudwatch:namespace',
  'ecr:GetAuthorizationToken': 'Service Authorization Reference, Amazon ECR: no resource type',
  'ec2:DescribeNetworkInterfaces': 'Service Authorization Reference, Amazon EC2: no resource type',
  'ec2:DescribeSubnets': 'Service Authorization Reference, Amazon EC2: no resource type',
  'ec2:DescribeSecurityGroups': 'Service Authorization Reference, Amazon EC2: no resource type',
  'ec2:DescribeVpcs': 'Service Authorization Reference, Amazon EC2: no resource type',
  'ec2:DescribeDhcpOptions': 'Service Authorization Reference, Amazon EC2: no resource type',
};
