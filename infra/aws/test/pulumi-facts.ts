import { arnOf, type Facts, roleArn, securityGroups, subnets } from './facts.ts';
import { where } from './settings.ts';

// biome-ignore lint/suspicious/noExplicitAny: inputs are read by path, and a path that is not there fails the test
type Any = any;
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Any;
  readonly retained: boolean;
}

/** What AWS would answer for a resource, as far as others ask for it. */
export function answerOf(type: string, name: string, inputs: Any): { readonly id: string; readonly state: Any } {
  const index = Number(name.match(/\d+$/)?.[0] ?? 0);
  switch (type) {
    case 'aws:sqs/queue:Queue':
      return {
        id: queueUrl(inputs.name),
        state: { ...inputs, arn: arnOf('sqs', inputs.name), url: queueUrl(inputs.name) },
      };
    case 'aws:iam/role:Role':
      return { id: inputs.name, state: { ...inputs, arn: roleArn(inputs.name) } };
    case 'aws:lambda/function:Function': {
      const arn = arnOf('lambda', `function:${inputs.name}`);
      const path = `lambda:path/2015-03-31/functions/${arn}/invocations`;
      return { id: inputs.name, state: { ...inputs, arn, invokeArn: `arn:aws:apigateway:${where.region}:${path}` } };
    }
    case 'aws:sns/topic:Topic':
      return { id: arnOf('sns', inputs.name), state: { ...inputs, arn: arnOf('sns', inputs.name) } };
    case 'aws:ec2/subnet:Subnet':
      return { id: subnets[index] ?? '', state: inputs };
    case 'aws:ec2/securityGroup:SecurityGroup':
      return { id: securityGroups[0] ?? '', state: inputs };
    case 'aws:apigateway/restApi:RestApi':
      return {
        id: 'a1b2c3',
        state: { ...inputs, rootResourceId: 'root', executionArn: arnOf('execute-api', 'a1b2c3') },
      };
    case 'aws:lambda/functionUrl:FunctionUrl':
      return { id: name, state: { ...inputs, functionUrl: `https://abc.lambda-url.${where.region}.on.aws/` } };
    default:
      return { id: `${type}/${name}`, state: inputs };
  }
}

/** What AWS would answer to a question. */
export const answerTo = (token: string, quota = 1000): Any =>
  ({
    'aws:index/getCallerIdentity:getCallerIdentity': { accountId: where.account },
    'aws:index/getRegion:getRegion': { region: where.region },
    'aws:index/getPartition:getPartition': { partition: where.partition, dnsSuffix: where.urlSuffix },
    'aws:servicequotas/getServiceQuota:getServiceQuota': { value: quota },
    'aws:index/getAvailabilityZones:getAvailabilityZones': { names: ['eu-west-1a', 'eu-west-1b'] },
  })[token];

/** The facts of what was registered, as the provider would get it. */
export function factsOfPulumi(registered: readonly Registered[]): Facts {
  const all = (type: string): readonly Registered[] => registered.filter((each) => each.type === `aws:${type}`);
  const of = (type: string): readonly Any[] => all(type).map(({ inputs }) => inputs);
  const by = (type: string, key: string, fact: (inputs: Any) => unknown): Record<string, unknown> =>
    Object.fromEntries(of(type).map((inputs) => [inputs[key], fact(inputs)]));
  const whose = (type: string, key: string, value: string): Any => of(type).find((inputs) => inputs[key] === value);

  return {
    functions: by('lambda/function:Function', 'name', (each) => ({
      runtime: each.runtime,
      architectures: each.architectures,
      handler: each.handler,
      memoryMb: each.memorySize,
      timeoutSeconds: each.timeout,
      role: each.role,
      log: each.loggingConfig.logGroup,
      environment: each.environment.variables,
      reserved: each.reservedConcurrentExecutions ?? null,
      loops: whose('lambda/functionRecursionConfig:FunctionRecursionConfig', 'functionName', each.name).recursiveLoop,
      vpc:
        each.vpcConfig === undefined
          ? null
          : { subnets: each.vpcConfig.subnetIds, securityGroups: each.vpcConfig.securityGroupIds },
    })),
    roles: by('iam/role:Role', 'name', (role) => ({
      trust: JSON.parse(role.assumeRolePolicy),
      policies: [
        ...of('iam/rolePolicy:RolePolicy')
          .filter((policy) => policy.role === role.name)
          .map(({ policy }) => JSON.parse(policy)),
        ...of('iam/rolePolicyAttachment:RolePolicyAttachment').filter((attached) => attached.role === role.name),
        ...(role.managedPolicyArns ?? []),
      ],
    })),
    queues: by('sqs/queue:Queue', 'name', (queue) => {
      const redrive = queue.redrivePolicy === undefined ? undefined : JSON.parse(queue.redrivePolicy);
      return {
        visibilitySeconds: queue.visibilityTimeoutSeconds,
        retentionSeconds: queue.messageRetentionSeconds,
        encrypted: queue.sqsManagedSseEnabled,
        dead: redrive === undefined ? null : { arn: redrive.deadLetterTargetArn, receives: redrive.maxReceiveCount },
        policy: JSON.parse(whose('sqs/queuePolicy:QueuePolicy', 'queueUrl', queueUrl(queue.name)).policy),
      };
    }),
    mappings: of('lambda/eventSourceMapping:EventSourceMapping').map((mapping) => ({
      function: mapping.functionName,
      queue: mapping.eventSourceArn,
      batch: mapping.batchSize,
      partial: mapping.functionResponseTypes,
      maxConcurrency: mapping.scalingConfig.maximumConcurrency,
    })),
    schedules: by('scheduler/schedule:Schedule', 'name', ({ groupName, scheduleExpression, target }) => ({
      group: groupName,
      rate: scheduleExpression,
      target: target.arn,
      role: target.roleArn,
      retries: target.retryPolicy.maximumRetryAttempts,
      maxAgeSeconds: target.retryPolicy.maximumEventAgeInSeconds,
    })),
    asyncCalls: of('lambda/functionEventInvokeConfig:FunctionEventInvokeConfig').map((config) => ({
      function: config.functionName,
      retries: config.maximumRetryAttempts,
      maxAgeSeconds: config.maximumEventAgeInSeconds,
    })),
    urls: [
      ...of('lambda/functionUrl:FunctionUrl').map((url) => ({
        function: url.functionName,
        auth: url.authorizationType,
      })),
      ...of('apigateway/restApi:RestApi').map((api) => ({
        api: api.name,
        stage: of('apigateway/stage:Stage')[0].stageName,
        types: api.endpointConfiguration.types,
        bytes: api.binaryMediaTypes,
      })),
    ],
    table: all('dynamodb/table:Table').map(({ inputs, retained }) => ({
      name: inputs.name,
      keys: [inputs.hashKey, inputs.rangeKey],
      types: inputs.attributes.map((attribute: Any) => attribute.type),
      billing: inputs.billingMode,
      protected: inputs.deletionProtectionEnabled,
      recovery: inputs.pointInTimeRecovery.enabled,
      kmsKey: inputs.serverSideEncryption?.kmsKeyArn ?? null,
      kept: retained,
    }))[0],
    buckets: Object.fromEntries(
      all('s3/bucket:Bucket').map(({ inputs: { bucket } }) => [bucket, bucketFacts(registered, bucket)]),
    ),
    bus: of('cloudwatch/eventBus:EventBus')[0].name,
    rules: by('cloudwatch/eventRule:EventRule', 'name', ({ name, eventPattern }) => {
      const target = whose('cloudwatch/eventTarget:EventTarget', 'rule', name);
      return { pattern: JSON.parse(eventPattern), target: target.arn, dead: target.deadLetterConfig.arn };
    }),
    alarms: by('cloudwatch/metricAlarm:MetricAlarm', 'name', (alarm) => ({
      says: alarm.alarmDescription,
      namespace: alarm.namespace,
      metric: alarm.metricName,
      dimensions: alarm.dimensions,
      statistic: alarm.statistic,
      periodSeconds: alarm.period,
      periods: alarm.evaluationPeriods,
      comparison: alarm.comparisonOperator,
      threshold: alarm.threshold,
      missing: alarm.treatMissingData,
      actions: alarm.alarmActions,
    })),
    dashboard:
      of('cloudwatch/dashboard:Dashboard').map(({ dashboardName, dashboardBody }) => ({
        name: dashboardName,
        body: JSON.parse(dashboardBody),
      }))[0] ?? null,
    logs: by('cloudwatch/logGroup:LogGroup', 'name', ({ retentionInDays }) => retentionInDays),
    topics: by('sns/topic:Topic', 'name', ({ name }) => ({
      policy: JSON.parse(whose('sns/topicPolicy:TopicPolicy', 'arn', arnOf('sns', name)).policy),
      subscriptions: of('sns/topicSubscription:TopicSubscription').map(({ endpoint }) => endpoint),
    })),
    imageCache:
      of('ecr/pullThroughCacheRule:PullThroughCacheRule').map((rule) => ({
        prefix: rule.ecrRepositoryPrefix,
        upstream: rule.upstreamRegistryUrl,
      }))[0] ?? null,
    network: networkFacts(of),
  };
}

/** A bucket is many resources to this provider; all of them must stay. */
function bucketFacts(registered: readonly Registered[], bucket: string) {
  const parts = registered.filter(({ type, inputs }) => type.startsWith('aws:s3/') && inputs.bucket === bucket);
  const part = (type: string): Any => parts.find((each) => each.type.endsWith(`:${type}`))?.inputs;
  const blocked = part('BucketPublicAccessBlock');
  const [encryption] = part('BucketServerSideEncryptionConfiguration').rules;
  const { kmsMasterKeyId, sseAlgorithm } = encryption.applyServerSideEncryptionByDefault;
  const { rules } = part('BucketLifecycleConfiguration');
  const rule = (key: string): Any => rules.find((each: Any) => each[key] !== undefined);
  return {
    versioning: part('BucketVersioning').versioningConfiguration.status,
    blocked: [
      blocked.blockPublicAcls,
      blocked.blockPublicPolicy,
      blocked.ignorePublicAcls,
      blocked.restrictPublicBuckets,
    ],
    encryption: kmsMasterKeyId ?? sseAlgorithm,
    events: part('BucketNotification')?.eventbridge ?? false,
    policy: JSON.parse(part('BucketPolicy').policy),
    abortUploadsAfterDays: rule('abortIncompleteMultipartUpload').abortIncompleteMultipartUpload.daysAfterInitiation,
    forgotten: rules.flatMap(({ filter, expiration, noncurrentVersionExpiration }: Any) =>
      expiration === undefined ? [] : [[filter.prefix, expiration.days, noncurrentVersionExpiration.noncurrentDays]],
    ),
    forgetOldVersionsAfterDays: rule('noncurrentVersionExpiration')?.noncurrentVersionExpiration.noncurrentDays ?? null,
    kept: parts.every(({ retained }) => retained),
  };
}

function networkFacts(of: (type: string) => readonly Any[]) {
  const [vpc] = of('ec2/vpc:Vpc');
  if (vpc === undefined) return null;
  const services = (type: string): readonly string[] =>
    of('ec2/vpcEndpoint:VpcEndpoint')
      .filter((door) => door.vpcEndpointType === type)
      .map((door) => door.serviceName);
  return {
    cidr: vpc.cidrBlock,
    subnets: of('ec2/subnet:Subnet').map((subnet) => subnet.cidrBlock),
    gateways: services('Gateway').map((service) => service.split('.').at(-1)),
    interfaces: services('Interface'),
    inside: of('ec2/securityGroup:SecurityGroup').map((group) => ({
      says: group.description,
      from: traffic(group.ingress),
      to: traffic(group.egress),
    }))[0],
  };
}

const traffic = ([{ cidrBlocks, description }]: Any) => ({ cidr: cidrBlocks.join(), says: description });

const queueUrl = (name: string): string => `https://sqs.${where.region}.${where.urlSuffix}/${where.account}/${name}`;
