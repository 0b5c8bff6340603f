import { resourceId } from '../topology/places.ts';
import { resourcePolicy, rolePolicy, trustPolicy } from '../topology/policy.ts';
import type { Bucket, QueueId, Role } from '../topology/shapes.ts';
import { renderEachQueue } from '../topology/stores.ts';
import type { Around, Aws, Platform } from './pulumi.ts';

/** What holds data stays when the stage is removed. */
const kept = { retainOnDelete: true };
/** The same for what may have stayed of an earlier installation. Once it is in SST's state, this changes nothing. */
const keptOf = ({ topology: { settings } }: Around, name: string) => ({
  ...kept,
  ...(settings.adopt ? { import: name } : {}),
});

export interface RenderedRole {
  readonly role: Aws.iam.Role;
  /** A service that checks what the role may do must not come before it. */
  readonly policy: Aws.iam.RolePolicy;
}

export function renderRole({ aws }: Platform, id: string, role: Role): RenderedRole {
  const made = new aws.iam.Role(id, { name: role.name, assumeRolePolicy: JSON.stringify(trustPolicy(role)) });
  const policy = new aws.iam.RolePolicy(id, {
    name: 'serin',
    role: made.name,
    policy: JSON.stringify(rolePolicy(role)),
  });
  return { role: made, policy };
}

export function renderTable(around: Around): void {
  const { aws, topology } = around;
  const { table, settings } = topology;
  new aws.dynamodb.Table(
    'Journal',
    {
      name: table.name,
      billingMode: 'PAY_PER_REQUEST',
      attributes: [table.partitionKey, table.sortKey].map((name) => ({ name, type: 'S' })),
      hashKey: table.partitionKey,
      rangeKey: table.sortKey,
      deletionProtectionEnabled: table.deletionProtection,
      pointInTimeRecovery: { enabled: table.pointInTimeRecovery },
      ...(settings.kmsKey === undefined ? {} : { serverSideEncryption: { enabled: true, kmsKeyArn: settings.kmsKey } }),
    },
    keptOf(around, table.name),
  );
}

export function renderBuckets(around: Around): void {
  for (const bucket of around.topology.buckets) renderBucket(around, bucket);
}

function renderBucket(around: Around, described: Bucket): void {
  const { aws, topology } = around;
  const { kmsKey } = topology.settings;
  const { id, unfinishedUploads, oldVersions, forgotten } = described;
  const bucket = new aws.s3.Bucket(id, { bucket: described.name }, keptOf(around, described.name)).bucket;
  new aws.s3.BucketVersioning(id, { bucket, versioningConfiguration: { status: 'Enabled' } }, kept);
  new aws.s3.BucketPublicAccessBlock(
    id,
    { bucket, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
    kept,
  );
  new aws.s3.BucketOwnershipControls(id, { bucket, rule: { objectOwnership: 'BucketOwnerEnforced' } }, kept);
  new aws.s3.BucketServerSideEncryptionConfiguration(
    id,
    {
      bucket,
      rules: [
        kmsKey === undefined
          ? { applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }
          : {
              applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: kmsKey },
              bucketKeyEnabled: true,
            },
      ],
    },
    kept,
  );
  new aws.s3.BucketLifecycleConfiguration(
    id,
    {
      bucket,
      rules: [
        {
          id: unfinishedUploads.rule,
          status: 'Enabled',
          filter: { prefix: '' },
          abortIncompleteMultipartUpload: { daysAfterInitiation: unfinishedUploads.days },
        },
        ...(oldVersions === undefined
          ? []
          : [
              {
                id: oldVersions.rule,
                status: 'Enabled',
                filter: { prefix: '' },
                noncurrentVersionExpiration: { noncurrentDays: oldVersions.days },
              },
            ]),
        ...forgotten.map(({ rule, prefix, days }) => ({
          ...{ id: rule, status: 'Enabled', filter: { prefix }, expiration: { days } },
          noncurrentVersionExpiration: { noncurrentDays: 1 },
        })),
      ],
    },
    kept,
  );
  new aws.s3.BucketPolicy(id, { bucket, policy: JSON.stringify(resourcePolicy(described.statements)) }, kept);
  if (described.events) new aws.s3.BucketNotification(id, { bucket, eventbridge: true }, kept);
}

export type Queues = Readonly<Record<QueueId, Aws.sqs.Queue>>;

export const renderQueues = ({ aws, pulumi, topology: { queues } }: Around): Queues =>
  renderEachQueue<Aws.sqs.Queue>(queues, (queue, dead) => {
    const { deadAfter } = queue;
    const id = resourceId(queue.id);
    const rendered = new aws.sqs.Queue(id, {
      name: queue.name,
      visibilityTimeoutSeconds: queue.visibilitySeconds,
      messageRetentionSeconds: queue.retentionSeconds,
      sqsManagedSseEnabled: true,
      ...(deadAfter === undefined
        ? {}
        : {
            redrivePolicy: pulumi.jsonStringify({
              deadLetterTargetArn: dead?.arn,
              maxReceiveCount: deadAfter.receives,
            }),
          }),
    });
    new aws.sqs.QueuePolicy(id, {
      queueUrl: rendered.url,
      policy: JSON.stringify(resourcePolicy(queue.statements)),
    });
    return rendered;
  });

export function renderShared(around: Around, queues: Queues): void {
  const { aws, topology } = around;
  const { alertTopic, imageCache } = topology;
  new aws.cloudwatch.EventBus('Events', { name: topology.bus });
  renderRole(around, 'JobRole', topology.jobRole);
  renderRole(around, 'ModelRole', topology.modelRole);
  new aws.ecr.PullThroughCacheRule('ImageCache', {
    ecrRepositoryPrefix: imageCache.prefix,
    upstreamRegistryUrl: imageCache.upstream,
  });
  if (alertTopic === undefined) return;
  const topic = new aws.sns.Topic('Alerts', { name: alertTopic.name });
  new aws.sns.TopicPolicy('Alerts', {
    arn: topic.arn,
    policy: JSON.stringify(resourcePolicy(alertTopic.statements)),
  });
  new aws.sns.TopicSubscription('AlertsToSignals', {
    topic: topic.arn,
    protocol: 'sqs',
    endpoint: queues[alertTopic.queue].arn,
  });
}
