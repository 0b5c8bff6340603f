import { capturedDays, labelDays, labelsPrefix } from '@serin/clouds/captured';
import { passing } from '@serin/core/engine/stored';
import { dataId } from '../../shared/data-id.ts';
import { plans } from './functions.ts';
import type { Places } from './places.ts';
import { ruleNames } from './rules.ts';
import type { Bucket, Conditions, Queue, QueueId, ResourceStatement, Table, Topic } from './shapes.ts';

const day = 24 * 60 * 60;
const longestRetention = 14 * day;

/** Keys are what functions/aws/src/ports/journal.ts reads and writes. */
export const tableOf = ({ name }: Places): Table => ({
  name: name('journal'),
  partitionKey: 'pk',
  sortKey: 'sk',
  deletionProtection: true,
  pointInTimeRecovery: true,
});

/** What is not needed for longer in the own bucket. */
const forgotten = [
  { rule: 'captured', prefix: 'captured/', days: capturedDays },
  { rule: 'labels', prefix: labelsPrefix, days: labelDays },
  ...passing.map(({ of, ...each }) => ({ rule: of, ...each })),
];

/** The own bucket, and the data buckets where they are ours to create. */
export function bucketsOf({ settings, ownBucket, where }: Places): readonly Bucket[] {
  const names = [ownBucket, ...(settings.createDataBuckets ? settings.dataBuckets : [])];
  return names.map((name, index) => {
    const arn = `arn:${where.partition}:s3:::${name}`;
    return {
      id: index === 0 ? 'Own' : dataId(name),
      name,
      arn,
      // The pipeline writes into its own bucket: events of it would only be its own echo.
      events: index > 0,
      statements: [onlyTls('s3:*', [arn, `${arn}/*`])],
      unfinishedUploads: { rule: 'unfinished-uploads', days: 7 },
      // Trainers write checkpoints over each other; all else in it is written once. Data is never forgotten.
      ...(index === 0 ? { oldVersions: { rule: 'old-versions', days: 90 }, forgotten } : { forgotten: [] }),
    };
  });
}

export function queuesOf(places: Places): readonly Queue[] {
  const { name } = places;
  return [
    {
      id: 'dead',
      name: name('dead'),
      visibilitySeconds: 6 * plans.deadLetters.timeoutSeconds,
      retentionSeconds: longestRetention,
      statements: queueStatements(places, 'dead'),
    },
    {
      id: 'signals',
      name: name('signals'),
      // Six timeouts, so that a message that waits for a free instance is not given to a second one.
      // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
      visibilitySeconds: 6 * plans.signals.timeoutSeconds,
      retentionSeconds: 4 * day,
      // With the waits of `comeSoon` (packages/platform/src/worker.ts) that is an hour of a store that cannot be reached.
      deadAfter: { receives: 7, queue: 'dead' },
      statements: queueStatements(places, 'signals'),
    },
  ];
}

/** What a renderer makes of each queue, given what it made of the one that takes its dead messages. */
export function renderEachQueue<Made>(
  queues: readonly Queue[],
  make: (queue: Queue, dead: Made | undefined) => Made,
): Readonly<Record<QueueId, Made>> {
  const made = new Map<QueueId, Made>();
  for (const queue of queues)
    made.set(queue.id, make(queue, queue.deadAfter === undefined ? undefined : made.get(queue.deadAfter.queue)));
  // Both ids are there: `queuesOf` has them.
  return Object.fromEntries(made) as unknown as Readonly<Record<QueueId, Made>>;
}

/** Who may write: our rules, and for signals the data buckets and the alert topic as well. Nobody without TLS. */
function queueStatements(places: Places, queue: QueueId): readonly ResourceStatement[] {
  const { on, where, settings, arn, name } = places;
  const resources = on[queue];
  const may = (principal: string, when: Conditions): ResourceStatement => ({
    effect: 'Allow',
    principal,
    actions: ['sqs:SendMessage'],
    resources,
    when,
  });
  const rules = ruleNames(places).map((rule) => arn('events', `rule/${rule}`));
  const signals = queue === 'signals';
  return [
    onlyTls('sqs:*', resources),
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions
    may('events.amazonaws.com', { ArnEquals: { 'aws:SourceArn': rules } }),
    // A bucket's ARN has no account in it, so the account is asked for as well.
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
    ...(signals && on.dataBuckets.length > 0
      ? [
          may('s3.amazonaws.com', {
            ArnLike: { 'aws:SourceArn': on.dataBuckets },
            StringEquals: { 'aws:SourceAccount': where.account },
          }),
        ]
      : []),
    ...(signals && settings.alertTopic
      ? [may('sns.amazonaws.com', { ArnEquals: { 'aws:SourceArn': arn('sns', name('alerts')) } })]
      : []),
  ];
}

/** Alarms of this account may publish; others are let in by their owner. */
export function alertTopicOf({ settings, name, arn }: Places): Topic | undefined {
  if (!settings.alertTopic) return undefined;
  const resources = [arn('sns', name('alerts'))];
  return {
    name: name('alerts'),
    queue: 'signals',
    statements: [
      onlyTls('sns:Publish', resources),
      {
        effect: 'Allow',
        principal: 'cloudwatch.amazonaws.com',
        actions: ['sns:Publish'],
        resources,
        // https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
        when: { ArnLike: { 'aws:SourceArn': arn('cloudwatch', 'alarm:*') } },
      },
    ],
  };
}

const onlyTls = (action: string, resources: readonly string[]): ResourceStatement => ({
  effect: 'Deny',
  principal: '*',
  actions: [action],
  resources,
  when: { Bool: { 'aws:SecureTransport': 'false' } },
});
