import { refusal } from '../../shared/fields.ts';
import { type OwnFolder, type PortName, portsOf } from './calls.ts';
import { conditionsOf, grantsOf, statementsOf } from './grants.ts';
import { imageCacheOf, type Places } from './places.ts';
import { rolePolicy } from './policy.ts';
import type { Conditions, FunctionId, Grant, Role } from './shapes.ts';

const grant = (
  call: string,
  why: string,
  resources: readonly string[],
  actions: readonly string[],
  when?: Conditions,
) => actions.map((action): Grant => ({ call, why, action, resources, ...(when === undefined ? {} : { when }) }));

/** SageMaker acts for this account and region only. https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html */
const trustOf = ({ where, arn }: Places): Conditions => ({
  StringEquals: { 'aws:SourceAccount': where.account },
  ArnLike: { 'aws:SourceArn': arn('sagemaker', '*') },
});

function role(name: string, trusts: string, trustedWhen: Conditions, grants: readonly Grant[]): Role {
  const made = { name, trusts, trustedWhen, grants, statements: statementsOf(grants) };
  // What the CDK only knows later stands as a placeholder, longer than an account.
  const characters = JSON.stringify(rolePolicy(made)).replace(/\$\{Token\[[^\]]*\]\}/g, '123456789012').length;
  if (characters <= mostOfPolicy) return made;
  throw refusal('these settings cannot be deployed', [
    `dataBuckets, dataKeys or network name too much: the permissions of ${name} have ${characters} characters, and IAM takes ${mostOfPolicy}; put data of several models into one bucket, under prefixes`,
  ]);
}

/** Of all inline policies of a role. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const mostOfPolicy = 10_240;

/** The role of a function: its port calls, and what Lambda itself does in its name. */
export function functionRole(places: Places, id: FunctionId, queue?: 'signals' | 'dead'): Role {
  const ports: readonly PortName[] = portsOf[id];
  const log = places.arn('logs', `log-group:${logGroupOf(places, id)}:*`);
  const grants = [
    ...grantsOf(places, ports),
    ...grant('lambda', 'writes its log', [log], ['logs:CreateLogStream', 'logs:PutLogEvents']),
    ...(queue === undefined
      ? []
      : grant('lambda', 'Lambda polls the queue with this role', places.on[queue], [
          'sqs:ReceiveMessage',
          'sqs:DeleteMessage',
          'sqs:GetQueueAttributes',
        ])),
    ...networkGrants(places, 'lambda'),
    ...keyGrants(places, ports.includes('jobs')),
    ...(ports.includes('bucket') ? dataKeyGrants(places) : []),
  ];
  // Lambda takes the role without naming a source, so a condition on one would lock it out.
  // https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
  return role(places.name(id), 'lambda.amazonaws.com', {}, grants);
}

export const logGroupOf = (places: Places, id: FunctionId): string => `/aws/lambda/${places.name(id)}`;

/** What a job may do: read data and what the pipeline wrote, write its outputs, its log and its metrics. */
export function jobRole(places: Places): Role {
  const { on } = places;
  const { ownedAsSaid } = conditionsOf(places);
  const grants = [
    ...grant('job', 'lists its input', on.ownBucket, ['s3:ListBucket']),
    ...(on.dataBuckets.length === 0
      ? []
      : [
          ...grant('job', 'lists data', on.dataBuckets, ['s3:ListBucket'], ownedAsSaid),
          ...grant('job', 'reads data', on.dataObjects, ['s3:GetObject'], ownedAsSaid),
        ]),
    // Never `configs/` or `events/`: environments of all models are in them.
    ...grant(
      'job',
      'reads its input, its code, its start and its checkpoints',
      under(places, 'code', 'datasets', 'starts', 'jobs', 'checkpoints'),
      ['s3:GetObject'],
    ),
    // Never `code/`, `datasets/`, `starts/` or `configs/`: a job must not change what the next one is made from or runs.
    ...grant('job', 'writes outputs and checkpoints', under(places, 'jobs', 'checkpoints'), [
      's3:PutObject',
      's3:AbortMultipartUpload',
    ]),
    // Deletes under /opt/ml/checkpoints are synced. https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html
    ...grant('job', 'clears old checkpoints', under(places, 'checkpoints'), ['s3:DeleteObject']),
    ...imageGrants(places),
    ...logGrants(places.on.jobLogStreams, jobLogGroupsOf(places)),
    ...networkGrants(places, 'sagemaker'),
    ...keyGrants(places, true),
    ...dataKeyGrants(places),
  ];
  return role(places.name('jobs'), 'sagemaker.amazonaws.com', trustOf(places), grants);
}

/** What a served model may do: read its artifact and its code, write its log, its metrics and what is captured. */
export function modelRole(places: Places): Role {
  const grants = [
    ...grant('endpoint', 'lists its artifact', places.on.ownBucket, ['s3:ListBucket']),
    ...grant('endpoint', 'reads its artifact and its code', under(places, 'jobs', 'code'), ['s3:GetObject']),
    // Never read back: what others asked is none of its business.
    ...grant('endpoint', 'writes copies of requests that its model wants captured', under(places, 'captured'), [
      's3:PutObject',
    ]),
    ...imageGrants(places),
    ...logGrants(endpointLogsOf(places), endpointLogsOf(places)),
    ...networkGrants(places, 'sagemaker'),
    ...keyGrants(places, true),
  ];
  return role(places.name('models'), 'sagemaker.amazonaws.com', trustOf(places), grants);
}

/** What the clock's schedule may do: call one function. */
export function scheduleRole(places: Places, group: string, functionName: string): Role {
  // The source of a call is the group, never the schedule.
  // https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
  const source = places.arn('scheduler', `schedule-group/${group}`);
  return role(
    places.name('schedule'),
    'scheduler.amazonaws.com',
    { StringEquals: { 'aws:SourceAccount': places.where.account, 'aws:SourceArn': source } },
    grant(
      'scheduler',
      'calls the clock',
      [places.arn('lambda', `function:${functionName}`)],
      ['lambda:InvokeFunction'],
    ),
  );
}

const under = ({ on }: Places, ...folders: readonly OwnFolder[]): readonly string[] =>
  folders.flatMap((folder) => on[`own/${folder}`]);

function imageGrants({ settings, where, arn }: Places): readonly Grant[] {
  const registries = settings.imageAccounts ?? [where.account];
  const cache = [arn('ecr', `repository/${imageCacheOf(settings).repository}`)];
  const repositories = [
    ...registries.map((account) => `arn:${where.partition}:ecr:${where.region}:${account}:repository/*`),
    ...(registries.includes(where.account) ? [] : cache),
  ];
  return [
    ...grant('image', 'signs in to the registry', ['*'], ['ecr:GetAuthorizationToken']),
    ...grant('image', 'pulls its image', repositories, [
      'ecr:BatchCheckLayerAvailability',
      'ecr:BatchGetImage',
      'ecr:GetDownloadUrlForLayer',
    ]),
    // The first pull through the cache makes the repository. https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-iam.html
    ...grant('image', 'fills the image cache', cache, ['ecr:BatchImportUpstreamImage', 'ecr:CreateRepository']),
  ];
}

const jobLogGroupsOf = ({ arn }: Places): readonly string[] =>
  ['TrainingJobs', 'ProcessingJobs'].map((api) => arn('logs', `log-group:/aws/sagemaker/${api}:*`));

/** An endpoint has a group of its own: `/aws/sagemaker/Endpoints/<name>`. */
const endpointLogsOf = ({ arn, settings: { environment, project } }: Places): readonly string[] => [
  arn('logs', `log-group:/aws/sagemaker/Endpoints/${environment}-${project}--*:*`),
];

/** Jobs of an account share a group for each kind: only their streams are held to our names. */
function logGrants(streams: readonly string[], groups: readonly string[]): readonly Grant[] {
  return [
    ...grant('log', 'writes its log', streams, ['logs:PutLogEvents']),
    ...grant('log', 'makes the place of its log', groups, [
      'logs:CreateLogGroup',
      'logs:CreateLogStream',
      'logs:DescribeLogStreams',
    ]),
    ...grant('log', 'writes its metrics', ['*'], ['cloudwatch:PutMetricData'], {
      StringLike: { 'cloudwatch:namespace': ['/aws/sagemaker/*', 'AWS/SageMaker*'] },
    }),
  ];
}

/** Ids that can be written into an ARN: a list that the CDK only knows later cannot. */
const knownIn = (ids: readonly string[] = ['*']): readonly string[] =>
  ids.some((id) => id.startsWith('#{')) ? ['*'] : ids;

/** What a service needs to put something into our subnets. */
function networkGrants({ settings, arn }: Places, service: 'lambda' | 'sagemaker'): readonly Grant[] {
  if (settings.network === undefined) return [];
  const { network } = settings;
  const interfaces = [arn('ec2', 'network-interface/*')];
  // The network of an isolated installation has no ids before it stands.
  const named =
    network === 'isolated' ? undefined : { subnet: network.subnets, 'security-group': network.securityGroups };
  const inOurs = (type: 'subnet' | 'security-group') => knownIn(named?.[type]).map((id) => arn('ec2', `${type}/${id}`));
  const why = 'joins the network';
  const describe = {
    lambda: ['ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'],
    // https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html ("if you specify a private VPC")
    sagemaker: [
      'ec2:DescribeDhcpOptions',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSecurityGroups',
      'ec2:DescribeSubnets',
      'ec2:DescribeVpcs',
    ],
  }[service];
  const change = {
    lambda: ['ec2:AssignPrivateIpAddresses', 'ec2:DeleteNetworkInterface', 'ec2:UnassignPrivateIpAddresses'],
    sagemaker: [
      'ec2:CreateNetworkInterfacePermission',
      'ec2:DeleteNetworkInterface',
      'ec2:DeleteNetworkInterfacePermission',
    ],
  }[service];
  return [
    ...grant(
      service,
      why,
      [...interfaces, ...inOurs('security-group'), ...inOurs('subnet')],
      ['ec2:CreateNetworkInterface'],
    ),
    ...grant(service, why, interfaces, change),
    ...grant(service, why, ['*'], describe),
  ];
}

/** Data under keys of somebody's own is decrypted where data is read, and only by S3. */
const dataKeyGrants = ({ settings: { dataKeys = [] }, where }: Places): readonly Grant[] =>
  dataKeys.length === 0
    ? []
    : grant('kms', 'reads data that lies under a key', dataKeys, ['kms:Decrypt'], {
        StringEquals: { 'kms:ViaService': `s3.${where.region}.${where.urlSuffix}` },
      });

/** With a key of your own: its use through the services that hold our data, and grants for SageMaker's disks. */
function keyGrants({ settings: { kmsKey }, where }: Places, disks: boolean): readonly Grant[] {
  if (kmsKey === undefined) return [];
  const through = ['dynamodb', 's3', 'ssm'].map((service) => `${service}.${where.region}.${where.urlSuffix}`);
  return [
    ...grant(
      'kms',
      'reads and writes what the key holds',
      [kmsKey],
      ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
      { StringEquals: { 'kms:ViaService': through } },
    ),
    ...(disks
      ? [
          ...grant('kms', "lets SageMaker use the key for a machine's disk", [kmsKey], ['kms:CreateGrant'], {
            Bool: { 'kms:GrantIsForAWSResource': 'true' },
          }),
          ...grant('kms', 'SageMaker looks at the key', [kmsKey], ['kms:DescribeKey']),
        ]
      : []),
  ];
}
