import { alarmsOf } from './topology/alarms.ts';
import { costsOf } from './topology/costs.ts';
import { dashboardOf } from './topology/dashboard.ts';
import { functionsOf, quotaWanted } from './topology/functions.ts';
import { metrics } from './topology/metrics.ts';
import { imageCacheOf, nodeTag, type Places, placesOf } from './topology/places.ts';
import { jobRole, modelRole } from './topology/roles.ts';
import { rulesOf } from './topology/rules.ts';
import { refusal, settingsProblems } from './topology/settings.ts';
import type { Network, Settings, Topology, Where } from './topology/shapes.ts';
import { alertTopicOf, bucketsOf, queuesOf, tableOf } from './topology/stores.ts';

export { callsOf, portsOf, withoutResource } from './topology/calls.ts';
export { readSettings, settingsOf } from './topology/settings-file.ts';
export type { Settings, Topology, Where } from './topology/shapes.ts';

/**
 * All that an installation consists of on AWS, as plain data; the CDK and SST render it, `serin plan` prints it.
 *
 * Everything is named, so every ARN is known before anything stands. Imports nothing but the files beside it and core's
 * rule for names. Throws with everything that is wrong with the settings: what it does not know, or would not deploy as
 * it is said, could leave an installation open that was meant to be closed.
 */
export function topology(settings: Settings, where: Where): Topology {
  const problems = settingsProblems(settings);
  if (problems.length > 0) throw refusal('these settings cannot be deployed', problems);
  const places = placesOf(settings, where);
  const alarms = alarmsOf(places);
  const alertTopic = alertTopicOf(places);
  const network = settings.network === 'isolated' ? isolated(where.region) : undefined;
  return {
    functions: functionsOf(places),
    queues: queuesOf(places),
    table: tableOf(places),
    buckets: bucketsOf(places),
    bus: places.name('events'),
    rules: rulesOf(places),
    jobRole: jobRole(places),
    modelRole: modelRole(places),
    alarms,
    ...(settings.dashboard === false ? {} : { dashboard: dashboardOf(places) }),
    metrics: metrics.map(({ name }) => name),
    ...(alertTopic === undefined ? {} : { alertTopic }),
    ...(network === undefined ? {} : { network }),
    imageCache: imageCacheOf(settings),
    logDays: settings.logDays ?? 30,
    tags: { 'serin:project': settings.project, 'serin:environment': settings.environment },
    byHand: byHandOf(places),
    settings,
    costsAtRest: costsOf(settings, alarms.length, network),
  };
}

function byHandOf({ settings, secrets, name, where }: Places): Topology['byHand'] {
  const { dataBuckets, createDataBuckets, dataAccounts = [], dataKeys = [] } = settings;
  const readers = [name('signals'), name('jobs')];
  const { repository } = imageCacheOf(settings);
  const events = createDataBuckets ? [] : dataBuckets;
  return [
    ...events.map((bucket) => ({
      what: `${bucket} must tell EventBridge of new objects; the command replaces all notifications of the bucket, so add what 'aws s3api get-bucket-notification-configuration' shows`,
      command: `aws s3api put-bucket-notification-configuration --bucket ${bucket} --notification-configuration '{"EventBridgeConfiguration":{}}'`,
    })),
    ...(dataAccounts.every((account) => account === where.account)
      ? []
      : [
          {
            what: `data buckets of other accounts must let ${readers.join(' and ')} read them, by a bucket policy with s3:ListBucket on the bucket and s3:GetObject on its objects, and their EventBridge must send 'Object Created' on to the bus of ${where.account}; this shows the policy that is there`,
            command: 'aws s3api get-bucket-policy --bucket <bucket> --query Policy --output text',
          },
        ]),
    ...dataKeys.map((key) => ({
      what: `the key ${key} must let ${readers.join(' and ')} decrypt: it does when its policy leaves permissions to IAM (look by 'aws kms get-key-policy'), else by these grants`,
      command: readers
        .map(
          (reader) =>
            `aws kms create-grant --key-id ${key} --operations Decrypt --grantee-principal arn:${where.partition}:iam::${where.account}:role/${reader}`,
        )
        .join(' && '),
    })),
    {
      what: `Lambda must let this account run ${quotaWanted(settings)} at once or more, so that ${settings.apiConcurrency ?? 20} can be reserved for the API; a new account has 10: ask AWS for more, and until then write "lambdaConcurrency": 10 into the settings, by which nothing is reserved (SST asks by itself)`,
      command: 'aws service-quotas get-service-quota --service-code lambda --quota-code L-B99A9384 --query Quota.Value',
    },
    {
      // SageMaker looks for an image before it pulls it, and a cache is empty until a first pull.
      what: `for jobs without an image, splitting among them: bring the image of Node into the cache, before the first run`,
      command: `aws ecr batch-get-image --repository-name ${repository} --image-ids imageTag=${nodeTag} --query failures`,
    },
    {
      what: `logs of jobs are kept for ever, in groups that all jobs of this account and region share: to forget them after ${settings.logDays ?? 30} days, once SageMaker has made the groups`,
      command: `for kind in TrainingJobs ProcessingJobs TransformJobs; do aws logs put-retention-policy --log-group-name /aws/sagemaker/$kind --retention-in-days ${settings.logDays ?? 30}; done`,
    },
    {
      what: 'for incoming webhooks: their secrets, several of each while one is replaced',
      command: `aws ssm put-parameter --type SecureString --name ${secrets} --value '{"github":[],"standard":[]}'`,
    },
  ];
}

/**
 * Every service that the functions call has a door; there is no way to anything else. What SageMaker does for a job
 * (its image, its log, its files) it does from its own network, but for S3.
 */
const isolated = (region: string): Network => ({
  cidr: '10.80.0.0/24',
  subnets: ['10.80.0.0/25', '10.80.0.128/25'],
  gateways: ['dynamodb', 's3'],
  interfaces: [
    'application-autoscaling',
    'events',
    'execute-api',
    'logs',
    'monitoring',
    'sagemaker.api',
    'sqs',
    'ssm',
  ].map((service) => `com.amazonaws.${region}.${service}`),
});
