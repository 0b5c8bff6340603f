import { plans } from './functions.ts';
import type { Places } from './places.ts';
import type { Alarm, FunctionId, QueueId } from './shapes.ts';

const minute = 60;
const crossed = { comparison: 'GreaterThanOrEqualToThreshold', missing: 'notBreaching' } as const;

/** What tells the operator that Serin itself is not well. */
export function alarmsOf({ name, settings: { project, environment } }: Places): readonly Alarm[] {
  const ofQueue = (id: QueueId) => ({ namespace: 'AWS/SQS', dimensions: { QueueName: name(id) } });
  const ofFunction = (id: FunctionId) => ({ namespace: 'AWS/Lambda', dimensions: { FunctionName: name(id) } });
  const alarm = (id: string, rest: Omit<Alarm, 'id' | 'name'>): Alarm => ({ id, name: name(id), ...rest });
  return [
    alarm('dead-depth', {
      ...ofQueue('dead'),
      ...crossed,
      says: 'messages lie in the dead queue: the function deadLetters does not drain it; read its log',
      metric: 'ApproximateNumberOfMessagesVisible',
      statistic: 'Maximum',
      periodSeconds: 5 * minute,
      periods: 2,
      threshold: 1,
    }),
    alarm('dead-age', {
      ...ofQueue('dead'),
      ...crossed,
      says: 'a message has been in the dead queue for 15 minutes: it is lost after 14 days; read the log of deadLetters',
      metric: 'ApproximateAgeOfOldestMessage',
      statistic: 'Maximum',
      periodSeconds: 5 * minute,
      periods: 1,
      threshold: 15 * minute,
    }),
    alarm('signals-age', {
      ...ofQueue('signals'),
      ...crossed,
      says: 'a signal has waited for 10 minutes: the function signals fails, is throttled or is too slow; read its log',
      metric: 'ApproximateAgeOfOldestMessage',
      statistic: 'Maximum',
      periodSeconds: minute,
      periods: 3,
      threshold: 10 * minute,
    }),
    alarm('debts-age', {
      ...crossed,
      says: 'a stream has been due for 15 minutes, and nobody has taken it up: the function signals fails or is too slow; read its log',
      // packages/platform/src/clock.ts
      namespace: 'Serin',
      dimensions: { Project: project, Environment: environment },
      metric: 'OldestDueSeconds',
      statistic: 'Maximum',
      periodSeconds: 5 * minute,
      periods: 2,
      threshold: 15 * minute,
    }),
    // Most dead letters are written by the function that could not use them, and never see the dead queue.
    alarm('dead-letters', {
      ...crossed,
      says: 'a signal could not be used and became a dead letter: see `serin dead-letters list`, then replay or discard it',
      // packages/platform/src/letters.ts
      namespace: 'Serin',
      dimensions: { Project: project, Environment: environment },
      metric: 'DeadLetters',
      statistic: 'Sum',
      periodSeconds: 5 * minute,
      periods: 1,
      threshold: 1,
    }),
    ...(Object.keys(plans) as readonly FunctionId[]).flatMap((id) =>
      (['Errors', 'Throttles'] as const).map((metric) =>
        alarm(`${id}-${metric.toLowerCase()}`, {
          ...crossed,
          ...ofFunction(id),
          says:
            metric === 'Errors'
              ? `the function ${id} failed in 3 periods on end; read its log`
              : `the function ${id} was throttled in 3 periods on end: ${id === 'api' ? 'raise apiConcurrency, if those who call it are yours' : 'ask AWS for more concurrency'}`,
          metric,
          statistic: 'Sum',
          periodSeconds: 5 * minute,
          periods: 3,
          threshold: 1,
        }),
      ),
    ),
    alarm('api-flood', {
      ...crossed,
      ...ofFunction('api'),
      says: 'the API was called more than 10,000 times in each of 3 periods of 5 minutes, and each call costs: see by whom in its log; apiConcurrency is the brake, "network": "isolated" the door',
      metric: 'Invocations',
      statistic: 'Sum',
      periodSeconds: 5 * minute,
      periods: 3,
      threshold: 10_000,
    }),
    alarm('clock-stands-still', {
      ...ofFunction('clock'),
      says: 'the clock was not called for 5 minutes: rollouts and deadlines wait; look at its schedule',
      metric: 'Invocations',
      statistic: 'Sum',
      periodSeconds: 5 * minute,
      periods: 1,
      comparison: 'LessThanThreshold',
      threshold: 1,
      missing: 'breaching',
    }),
  ];
}
