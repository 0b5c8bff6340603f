import type { Places } from './places.ts';
import type { Rule } from './shapes.ts';

interface Hearing {
  readonly id: string;
  readonly hears: string;
  readonly pattern: Readonly<Record<string, unknown>>;
}

/**
 * What of EventBridge's default bus is a signal. Patterns are narrow, for each message is paid for; what comes all the
 * same and is not ours is counted and done by the function.
 */
function hearings({ settings: { dataBuckets }, where, on, name }: Places): readonly Hearing[] {
  const ours = (...places: readonly (readonly string[])[]) =>
    places.flat().map((arn) => ({ prefix: arn.replace(/\*$/, '') }));
  return [
    ...(dataBuckets.length === 0
      ? []
      : [
          {
            id: 'objects',
            hears: 'new objects in the data buckets, whose EventBridge notifications must be on',
            pattern: {
              source: ['aws.s3'],
              'detail-type': ['Object Created'],
              detail: { bucket: { name: dataBuckets } },
            },
          },
        ]),
    {
      id: 'jobs',
      hears: 'jobs that changed their state',
      pattern: {
        source: ['aws.sagemaker'],
        'detail-type': ['SageMaker Training Job State Change', 'SageMaker Processing Job State Change'],
        resources: ours(on.trainingJobs, on.processingJobs),
      },
    },
    {
      id: 'endpoints',
      hears: 'endpoints that changed their state',
      pattern: {
        source: ['aws.sagemaker'],
        'detail-type': ['SageMaker Endpoint State Change', 'SageMaker Endpoint Deployment State Change'],
        resources: ours(on.endpoints),
      },
    },
    {
      id: 'approvals',
      hears: 'versions that somebody approved or rejected in the model registry',
      pattern: {
        source: ['aws.sagemaker'],
        'detail-type': ['SageMaker Model Package State Change'],
        resources: ours(on.packages),
      },
    },
    {
      id: 'alarms',
      hears: "alarms of this account and region, but for Serin's own",
      pattern: {
        source: ['aws.cloudwatch'],
        // The second is of one series of an alarm over many. Those of a muted alarm come too: its end is one of them.
        'detail-type': ['CloudWatch Alarm State Change', 'CloudWatch Alarm Contributor State Change'],
        // Other accounts and regions may send to this bus as well, and a description names a model by its name alone.
        account: [where.account],
        region: [where.region],
        detail: { alarmName: [{ 'anything-but': { prefix: name('') } }], state: { value: ['ALARM', 'OK'] } },
      },
    },
  ];
}

export const rulesOf = (places: Places): readonly Rule[] =>
  hearings(places).map(({ id, hears, pattern }) => ({
    id,
    name: places.name(id),
    hears,
    pattern,
    queue: 'signals',
    deadLetters: 'dead',
  }));

export const ruleNames = (places: Places): readonly string[] => hearings(places).map(({ id }) => places.name(id));
