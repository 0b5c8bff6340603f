import { arnOf, type Facts, roleArn, securityGroups, subnets } from './facts.ts';
import { where } from './settings.ts';

/** CloudFormation's JSON has any shape. */
// biome-ignore lint/suspicious/noExplicitAny: a template is read by path, and a path that is not there fails the test
type Any = any;
interface Resource {
  readonly Type: string;
  readonly Properties: Any;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}

/** The facts of a synthesized template, its references replaced by what CloudFormation would put there. */
export function factsOfTemplate(template: Template): Facts {
  const of = (type: string): readonly Any[] =>
    Object.values(template.Resources)
      .filter((resource) => resource.Type === type)
      .map((resource) => ({ ...resolve(template, resource.Properties ?? {}), kept: isKept(resource) }));
  const by = (type: string, key: string, fact: (properties: Any) => unknown): Record<string, unknown> =>
    Object.fromEntries(of(type).map((properties) => [properties[key], fact(properties)]));
  const policyOf = (type: string, key: string, value: string): Any =>
    of(type).find((properties) => [properties[key]].flat().some((each) => each === value))?.PolicyDocument;

  return {
    functions: by('AWS::Lambda::Function', 'FunctionName', (each) => ({
      runtime: each.Runtime,
      architectures: each.Architectures,
      handler: each.Handler,
      memoryMb: each.MemorySize,
      timeoutSeconds: each.Timeout,
      role: each.Role,
      log: each.LoggingConfig.LogGroup,
      environment: each.Environment.Variables,
      reserved: each.ReservedConcurrentExecutions ?? null,
      loops: each.RecursiveLoop,
      vpc:
        each.VpcConfig === undefined
          ? null
          : { subnets: each.VpcConfig.SubnetIds, securityGroups: each.VpcConfig.SecurityGroupIds },
    })),
    roles: by('AWS::IAM::Role', 'RoleName', (role) => ({
      trust: role.AssumeRolePolicyDocument,
      policies: [
        ...role.Policies.map((policy: Any) => policy.PolicyDocument),
        ...(role.ManagedPolicyArns ?? []),
        ...of('AWS::IAM::Policy').filter(({ Roles }) => Roles.includes(role.RoleName)),
      ],
    })),
    queues: by('AWS::SQS::Queue', 'QueueName', (queue) => ({
      visibilitySeconds: queue.VisibilityTimeout,
      retentionSeconds: queue.MessageRetentionPeriod,
      encrypted: queue.SqsManagedSseEnabled,
      dead:
        queue.RedrivePolicy === undefined
          ? null
          : { arn: queue.RedrivePolicy.deadLetterTargetArn, receives: queue.RedrivePolicy.maxReceiveCount },
      policy: policyOf('AWS::SQS::QueuePolicy', 'Queues', queueUrl(queue.QueueName)),
    })),
    mappings: of('AWS::Lambda::EventSourceMapping').map((mapping) => ({
      function: mapping.FunctionName,
      queue: mapping.EventSourceArn,
      batch: mapping.BatchSize,
      partial: mapping.FunctionResponseTypes,
      maxConcurrency: mapping.ScalingConfig.MaximumConcurrency,
    })),
    schedules: by('AWS::Scheduler::Schedule', 'Name', ({ GroupName, ScheduleExpression, Target }) => ({
      group: GroupName,
      rate: ScheduleExpression,
      target: Target.Arn,
      role: Target.RoleArn,
      retries: Target.RetryPolicy.MaximumRetryAttempts,
      maxAgeSeconds: Target.RetryPolicy.MaximumEventAgeInSeconds,
    })),
    asyncCalls: of('AWS::Lambda::EventInvokeConfig').map((config) => ({
      function: config.FunctionName,
      retries: config.MaximumRetryAttempts,
      maxAgeSeconds: config.MaximumEventAgeInSeconds,
    })),
    urls: [
      ...of('AWS::Lambda::Url').map(({ TargetFunctionArn, AuthType }) => ({
        function: TargetFunctionArn.split(':').at(-1),
        auth: AuthType,
      })),
      ...of('AWS::ApiGateway::RestApi').map(({ Name, EndpointConfiguration, BinaryMediaTypes }) => ({
        api: Name,
        stage: of('AWS::ApiGateway::Stage')[0].StageName,
        types: EndpointConfiguration.Types.join(),
        bytes: BinaryMediaTypes,
      })),
    ],
    table: of('AWS::DynamoDB::Table').map((table) => ({
      name: table.TableName,
      keys: table.KeySchema.map((key: Any) => key.AttributeName),
      types: table.AttributeDefinitions.map((each: Any) => each.AttributeType),
      billing: table.BillingMode,
      protected: table.DeletionProtectionEnabled,
      recovery: table.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled,
      kmsKey: table.SSESpecification?.KMSMasterKeyId ?? null,
      kept: table.kept,
    }))[0],
    buckets: by('AWS::S3::Bucket', 'BucketName', (bucket) => bucketFacts(bucket, policyOf)),
    bus: of('AWS::Events::EventBus')[0].Name,
    rules: by('AWS::Events::Rule', 'Name', ({ EventPattern, Targets: [target] }) => ({
      pattern: EventPattern,
      target: target.Arn,
      dead: target.DeadLetterConfig.Arn,
    })),
    alarms: by('AWS::CloudWatch::Alarm', 'AlarmName', (alarm) => ({
      says: alarm.AlarmDescription,
      namespace: alarm.Namespace,
      metric: alarm.MetricName,
      dimensions: Object.fromEntries(alarm.Dimensions.map((each: Any) => [each.Name, each.Value])),
      statistic: alarm.Statistic,
      periodSeconds: alarm.Period,
      periods: alarm.EvaluationPeriods,
      comparison: alarm.ComparisonOperator,
      threshold: alarm.Threshold,
      missing: alarm.TreatMissingData,
      actions: alarm.AlarmActions,
    })),
    dashboard:
      of('AWS::CloudWatch::Dashboard').map(({ DashboardName, DashboardBody }) => ({
        name: DashboardName,
        body: JSON.parse(DashboardBody),
      }))[0] ?? null,
    logs: by('AWS::Logs::LogGroup', 'LogGroupName', ({ RetentionInDays }) => RetentionInDays),
    topics: by('AWS::SNS::Topic', 'TopicName', ({ TopicName }) => ({
      policy: policyOf('AWS::SNS::TopicPolicy', 'Topics', arnOf('sns', TopicName)),
      subscriptions: of('AWS::SNS::Subscription').map(({ Endpoint }) => Endpoint),
    })),
    imageCache:
      of('AWS::ECR::PullThroughCacheRule').map((rule) => ({
        prefix: rule.EcrRepositoryPrefix,
        upstream: rule.UpstreamRegistryUrl,
      }))[0] ?? null,
    network: networkFacts(of),
  };
}

const bucketFacts = (bucket: Any, policyOf: (type: string, key: string, value: string) => Any) => {
  const [encryption] = bucket.BucketEncryption.ServerSideEncryptionConfiguration;
  const { KMSMasterKeyID, SSEAlgorithm } = encryption.ServerSideEncryptionByDefault;
  const blocked = bucket.PublicAccessBlockConfiguration;
  const rules = bucket.LifecycleConfiguration.Rules;
  const rule = (key: string): Any => rules.find((each: Any) => each[key] !== undefined);
  return {
    versioning: bucket.VersioningConfiguration.Status,
    blocked: [
      blocked.BlockPublicAcls,
      blocked.BlockPublicPolicy,
      blocked.IgnorePublicAcls,
      blocked.RestrictPublicBuckets,
    ],
    encryption: KMSMasterKeyID ?? SSEAlgorithm,
    events: bucket.NotificationConfiguration?.EventBridgeConfiguration.EventBridgeEnabled ?? false,
    policy: policyOf('AWS::S3::BucketPolicy', 'Bucket', bucket.BucketName),
    abortUploadsAfterDays: rule('AbortIncompleteMultipartUpload').AbortIncompleteMultipartUpload.DaysAfterInitiation,
    forgotten: rules.flatMap(({ Prefix, ExpirationInDays, NoncurrentVersionExpiration }: Any) =>
      ExpirationInDays === undefined ? [] : [[Prefix, ExpirationInDays, NoncurrentVersionExpiration.NoncurrentDays]],
    ),
    forgetOldVersionsAfterDays: rule('NoncurrentVersionExpiration')?.NoncurrentVersionExpiration.NoncurrentDays ?? null,
    kept: bucket.kept,
  };
};

function networkFacts(of: (type: string) => readonly Any[]) {
  const [vpc] = of('AWS::EC2::VPC');
  if (vpc === undefined) return null;
  const doors = of('AWS::EC2::VPCEndpoint');
  const services = (type: string): readonly string[] =>
    doors.filter((door) => door.VpcEndpointType === type).map((door) => door.ServiceName);
  return {
    cidr: vpc.CidrBlock,
    subnets: of('AWS::EC2::Subnet').map((subnet) => subnet.CidrBlock),
    gateways: services('Gateway').map((service) => service.split('.').at(-1)),
    interfaces: services('Interface'),
    inside: of('AWS::EC2::SecurityGroup').map((group) => ({
      says: group.GroupDescription,
      from: traffic(group.SecurityGroupIngress),
      to: traffic(group.SecurityGroupEgress),
    }))[0],
  };
}

const traffic = ([{ CidrIp, Description }]: Any) => ({ cidr: CidrIp, says: Description });

const isKept = ({ DeletionPolicy, UpdateReplacePolicy }: Resource): boolean =>
  DeletionPolicy === 'Retain' && UpdateReplacePolicy === 'Retain';

const queueUrl = (name: string): string => `https://sqs.${where.region}.${where.urlSuffix}/${where.account}/${name}`;

const pseudo: Readonly<Record<string, string>> = {
  'AWS::Partition': where.partition,
  'AWS::Region': where.region,
  'AWS::AccountId': where.account,
  'AWS::URLSuffix': where.urlSuffix,
};

/** CloudFormation's functions, as far as the templates use them. */
export function resolve(template: Template, value: Any): Any {
  if (Array.isArray(value)) return value.map((each) => resolve(template, each));
  if (typeof value !== 'object' || value === null) return value;
  const [[name, argument] = ['', undefined], ...others] = Object.entries<Any>(value);
  if (others.length > 0 || !/^(Ref|Fn::)/.test(name))
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolve(template, each)]));
  switch (name) {
    case 'Ref':
      return pseudo[argument] ?? referenceOf(template, argument);
    case 'Fn::GetAtt':
      return attributeOf(template, argument);
    case 'Fn::Join':
      return resolve(template, argument[1]).join(argument[0]);
    case 'Fn::Sub':
      return argument.replace(/\$\{([^}]+)\}/g, (_: string, reference: string) => pseudo[reference] ?? reference);
    case 'Fn::Select':
      return `zone-${argument[0]}`;
    default:
      throw new Error(`the template uses ${name}, which the test does not know`);
  }
}

function referenceOf(template: Template, id: string): string {
  const { Type, Properties = {} } = template.Resources[id] ?? { Type: `nothing of the name ${id}` };
  const property = (key: string): string => resolve(template, Properties[key]);
  const index = (type: string): number =>
    Object.entries(template.Resources)
      .filter(([, resource]) => resource.Type === type)
      .findIndex(([key]) => key === id);
  switch (Type) {
    case 'AWS::SQS::Queue':
      return queueUrl(property('QueueName'));
    case 'AWS::SNS::Topic':
      return arnOf('sns', property('TopicName'));
    case 'AWS::Lambda::Function':
      return property('FunctionName');
    case 'AWS::Logs::LogGroup':
      return property('LogGroupName');
    case 'AWS::Scheduler::ScheduleGroup':
      return property('Name');
    case 'AWS::S3::Bucket':
      return property('BucketName');
    case 'AWS::EC2::Subnet':
      return subnets[index(Type)] ?? '';
    default:
      return `${Type}/${id}`;
  }
}

function attributeOf(template: Template, [id = '', attribute = '']: readonly string[]): string {
  const { Type, Properties = {} } = template.Resources[id] ?? { Type: `nothing of the name ${id}` };
  const property = (key: string): string => resolve(template, Properties[key]);
  switch (`${Type} ${attribute}`) {
    case 'AWS::SQS::Queue Arn':
      return arnOf('sqs', property('QueueName'));
    case 'AWS::IAM::Role Arn':
      return roleArn(property('RoleName'));
    case 'AWS::Lambda::Function Arn':
      return arnOf('lambda', `function:${property('FunctionName')}`);
    case 'AWS::S3::Bucket Arn':
      return `arn:aws:s3:::${property('BucketName')}`;
    case 'AWS::EC2::SecurityGroup GroupId':
      return securityGroups.join();
    default:
      return `${Type}.${attribute}`;
  }
}
