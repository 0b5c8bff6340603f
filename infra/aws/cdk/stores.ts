import { CfnDeletionPolicy, type CfnResource, RemovalPolicy } from 'aws-cdk-lib';
import { CfnTable } from 'aws-cdk-lib/aws-dynamodb';
import { CfnPullThroughCacheRule } from 'aws-cdk-lib/aws-ecr';
import { CfnEventBus } from 'aws-cdk-lib/aws-events';
import { CfnBucket, CfnBucketPolicy } from 'aws-cdk-lib/aws-s3';
import { CfnSubscription, CfnTopic, CfnTopicPolicy } from 'aws-cdk-lib/aws-sns';
import { CfnQueue, CfnQueuePolicy } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { resourceId } from '../topology/places.ts';
import { resourcePolicy } from '../topology/policy.ts';
import type { Bucket, Queue, QueueId, Table, Topic, Topology } from '../topology/shapes.ts';
import { renderEachQueue } from '../topology/stores.ts';

/** What holds data stays when the stack goes. */
function kept<Resource extends CfnResource>(resource: Resource): Resource {
  resource.applyRemovalPolicy(RemovalPolicy.RETAIN);
  resource.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
  return resource;
}

export const renderTable = (scope: Construct, table: Table, kmsKey: string | undefined): CfnTable =>
  kept(
    new CfnTable(scope, 'Journal', {
      tableName: table.name,
      billingMode: 'PAY_PER_REQUEST',
      attributeDefinitions: [table.partitionKey, table.sortKey].map((attributeName) => ({
        attributeName,
        attributeType: 'S',
      })),
      keySchema: [
        { attributeName: table.partitionKey, keyType: 'HASH' },
        { attributeName: table.sortKey, keyType: 'RANGE' },
      ],
      deletionProtectionEnabled: table.deletionProtection,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: table.pointInTimeRecovery },
      ...(kmsKey === undefined
        ? {}
        : { sseSpecification: { sseEnabled: true, sseType: 'KMS', kmsMasterKeyId: kmsKey } }),
    }),
  );

export function renderBucket(scope: Construct, bucket: Bucket, kmsKey: string | undefined): CfnBucket {
  const { unfinishedUploads, oldVersions, forgotten } = bucket;
  const made = kept(
    new CfnBucket(scope, bucket.id, {
      bucketName: bucket.name,
      versioningConfiguration: { status: 'Enabled' },
      publicAccessBlockConfiguration: {
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      ownershipControls: { rules: [{ objectOwnership: 'BucketOwnerEnforced' }] },
      bucketEncryption: {
        serverSideEncryptionConfiguration: [
          kmsKey === undefined
            ? { serverSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }
            : {
                serverSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: kmsKey },
                bucketKeyEnabled: true,
              },
        ],
      },
      lifecycleConfiguration: {
        rules: [
          {
            id: unfinishedUploads.rule,
            status: 'Enabled',
            abortIncompleteMultipartUpload: { daysAfterInitiation: unfinishedUploads.days },
          },
          ...(oldVersions === undefined
            ? []
            : [
                {
                  id: oldVersions.rule,
                  status: 'Enabled',
                  noncurrentVersionExpiration: { noncurrentDays: oldVersions.days },
                },
              ]),
          ...forgotten.map(({ rule, prefix, days }) => ({
            ...{ id: rule, status: 'Enabled', prefix, expirationInDays: days },
            noncurrentVersionExpiration: { noncurrentDays: 1 },
          })),
        ],
      },
      ...(bucket.events
        ? { notificationConfiguration: { eventBridgeConfiguration: { eventBridgeEnabled: true } } }
        : {}),
    }),
  );
  // cdk-nag knows a bucket in its policy by the reference alone, not by the ARN that it will have.
  const statements = bucket.statements.map((statement) => ({
    ...statement,
    resources: statement.resources.map((arn) => arn.replace(bucket.arn, made.attrArn)),
  }));
  new CfnBucketPolicy(scope, `${bucket.id}Policy`, { bucket: made.ref, policyDocument: resourcePolicy(statements) });
  return made;
}

export type Queues = Readonly<Record<QueueId, CfnQueue>>;

export const renderQueues = (scope: Construct, queues: readonly Queue[]): Queues =>
  renderEachQueue<CfnQueue>(queues, (queue, dead) => {
    const { deadAfter } = queue;
    const rendered = new CfnQueue(scope, resourceId(queue.id), {
      queueName: queue.name,
      visibilityTimeout: queue.visibilitySeconds,
      messageRetentionPeriod: queue.retentionSeconds,
      sqsManagedSseEnabled: true,
      ...(deadAfter === undefined
        ? {}
        : { redrivePolicy: { deadLetterTargetArn: dead?.attrArn, maxReceiveCount: deadAfter.receives } }),
    });
    new CfnQueuePolicy(rendered, 'Policy', {
      queues: [rendered.ref],
      policyDocument: resourcePolicy(queue.statements),
    });
    return rendered;
  });

export function renderTopic(scope: Construct, topic: Topic, queues: Queues): CfnTopic {
  const made = new CfnTopic(scope, 'Alerts', { topicName: topic.name });
  new CfnTopicPolicy(scope, 'AlertsPolicy', { topics: [made.ref], policyDocument: resourcePolicy(topic.statements) });
  new CfnSubscription(scope, 'AlertsToSignals', {
    topicArn: made.ref,
    protocol: 'sqs',
    endpoint: queues[topic.queue].attrArn,
  });
  return made;
}

export const renderBus = (scope: Construct, { bus }: Topology): CfnEventBus =>
  new CfnEventBus(scope, 'Events', { name: bus });

export function renderImageCache(scope: Construct, { imageCache }: Topology): void {
  new CfnPullThroughCacheRule(scope, 'ImageCache', {
    ecrRepositoryPrefix: imageCache.prefix,
    upstreamRegistryUrl: imageCache.upstream,
  });
}
