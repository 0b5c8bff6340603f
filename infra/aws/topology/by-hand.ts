import { quotaWanted } from './functions.ts';
import { imageCacheOf, nodeTag, type Places } from './places.ts';
import type { Topology } from './shapes.ts';

type ByHand = Topology['byHand'];

/** What no tool does for the owner, each with its command; first what data needs, then what is done once. */
export const byHandOf = (places: Places): ByHand => [
  ...eventsOfData(places),
  ...otherOwners(places),
  ...keysOfData(places),
  ...once(places),
];

const readersOf = ({ name }: Places): readonly string[] => [name('signals'), name('jobs')];

function eventsOfData({ settings: { dataBuckets, createDataBuckets } }: Places): ByHand {
  if (createDataBuckets) return [];
  return dataBuckets.map((bucket) => ({
    what: `${bucket} must tell EventBridge of new objects; the command replaces all notifications of the bucket, so add what 'aws s3api get-bucket-notification-configuration' shows`,
    command: `aws s3api put-bucket-notification-configuration --bucket ${bucket} --notification-configuration '{"EventBridgeConfiguration":{}}'`,
  }));
}

function otherOwners(places: Places): ByHand {
  const { dataAccounts = [] } = places.settings;
  const { account } = places.where;
  if (dataAccounts.every((owner) => owner === account)) return [];
  const readers = readersOf(places).join(' and ');
  return [
    {
      what: `data buckets of other accounts must let ${readers} read them, by a bucket policy with s3:ListBucket on the bucket and s3:GetObject on its objects, and their EventBridge must send 'Object Created' on to the default bus of ${account}, which must take it; this shows the policy that is there`,
      command: 'aws s3api get-bucket-policy --bucket <bucket> --query Policy --output text',
    },
  ];
}

function keysOfData(places: Places): ByHand {
  const { dataKeys = [] } = places.settings;
  const { partition, account } = places.where;
  const readers = readersOf(places);
  const grant = (key: string, reader: string): string =>
    `aws kms create-grant --key-id ${key} --operations Decrypt --grantee-principal arn:${partition}:iam::${account}:role/${reader}`;
  return dataKeys.map((key) => ({
    what: `the key ${key} must let ${readers.join(' and ')} decrypt: it does when its policy leaves permissions to IAM (look by 'aws kms get-key-policy'), else by these grants`,
    command: readers.map((reader) => grant(key, reader)).join(' && '),
  }));
}

function once({ settings, secrets, programSecrets }: Places): ByHand {
  const { apiConcurrency = 20, logDays = 30, kmsKey } = settings;
  const key = kmsKey === undefined ? '' : ` --key-id ${kmsKey}`;
  return [
    {
      what: `Lambda must let this account run ${quotaWanted(settings)} at once or more, so that ${apiConcurrency} can be reserved for the API; a new account has 10: ask AWS for more, and until then write "lambdaConcurrency": 10 into the settings, by which nothing is reserved (SST asks by itself)`,
      command: 'aws service-quotas get-service-quota --service-code lambda --quota-code L-B99A9384 --query Quota.Value',
    },
    {
      // SageMaker looks for an image before it pulls it, and a cache is empty until a first pull.
      what: 'for jobs without an image, splitting among them: bring the image of Node into the cache, before the first run',
      command: `aws ecr batch-get-image --repository-name ${imageCacheOf(settings).repository} --image-ids imageTag=${nodeTag} --query failures`,
    },
    {
      what: `logs of jobs are kept for ever, in groups that all jobs of this account and region share: to forget them after ${logDays} days, once SageMaker has made the groups`,
      command: `for kind in TrainingJobs ProcessingJobs; do aws logs put-retention-policy --log-group-name /aws/sagemaker/$kind --retention-in-days ${logDays}; done`,
    },
    {
      what: 'for incoming webhooks: their secrets, several of each while one is replaced',
      command: `aws ssm put-parameter --type SecureString --name ${secrets} --value '{"github":[],"standard":[]}'`,
    },
    {
      what: "for secrets that a config names ({ secret: 'name' }): each of them, before the first run",
      command: `aws ssm put-parameter --type SecureString${key} --name ${programSecrets}/<name> --value file://<file>`,
    },
  ];
}
