import { type Metric, metrics } from '../../shared/metrics.ts';
import { functionIds, functionName } from './functions.ts';
import type { Places } from './places.ts';
import type { Alarm, AlarmWhen, Channel, FunctionId, LogMetric } from './shapes.ts';

const minute = 60;
/** Seconds after which a stream that is due, and that nobody has taken up, is an alarm. */
const overdue = 15 * minute;

/** Names of ours have no underscore, so no two installations share a metric. */
export const metricIdOf = ({ settings: { project, environment } }: Places, metric: string): string =>
  `serin_${project}_${environment}_${metric}`.replaceAll('-', '_');

/** A line that functions/gcp/src/metric-line.ts writes. */
const lines = ({ settings: { project, environment } }: Places, metric: string): string =>
  [
    'resource.type="cloud_run_revision"',
    `jsonPayload.metric="${metric}"`,
    `jsonPayload.project="${project}"`,
    `jsonPayload.environment="${environment}"`,
  ].join(' AND ');

export const logMetricsOf = (places: Places): readonly LogMetric[] =>
  metrics.map(({ name }: Metric) => ({
    name: metricIdOf(places, name),
    says: `${name}, as the functions count it`,
    filter: lines(places, name),
    value: 'EXTRACT(jsonPayload.value)',
  }));

export function channelsOf({ settings: { alertEmail }, name, topic }: Places): readonly Channel[] {
  return [
    { id: 'Signals', name: name('signals'), type: 'pubsub', labels: { topic: topic('signals') } },
    ...(alertEmail === undefined
      ? []
      : [{ id: 'Email', name: name('email'), type: 'email', labels: { email_address: alertEmail } } as const]),
  ];
}

const requests = (places: Places, id: FunctionId): string =>
  [
    'resource.type="cloud_run_revision"',
    `resource.labels.service_name="${functionName(places, id)}"`,
    'metric.type="run.googleapis.com/request_count"',
  ].join(' AND ');

const counted = (filter: string, forSeconds: number, threshold = 1): AlarmWhen => ({
  kind: 'above',
  filter,
  aligner: 'ALIGN_DELTA',
  periodSeconds: 5 * minute,
  forSeconds,
  threshold,
});

/** What tells the operator that Serin itself is not well. */
export function alarmsOf(places: Places): readonly Alarm[] {
  const { name } = places;
  const alarm = (id: string, says: string, when: AlarmWhen): Alarm => ({ id, name: name(id), says, when });
  const waiting = (id: 'signals' | 'deadLetters', seconds: number): AlarmWhen => ({
    kind: 'above',
    filter: [
      'resource.type="pubsub_subscription"',
      `resource.labels.subscription_id="${functionName(places, id)}"`,
      'metric.type="pubsub.googleapis.com/subscription/oldest_unacked_message_age"',
    ].join(' AND '),
    aligner: 'ALIGN_MAX',
    periodSeconds: 5 * minute,
    forSeconds: 0,
    threshold: seconds,
  });
  // On the line itself: a policy on a metric of logs is refused for some minutes after the metric was made.
  // https://github.com/hashicorp/terraform-provider-google/issues/11102
  const logged = (filter: string): AlarmWhen => ({ kind: 'logged', filter, everySeconds: 15 * minute });
  return [
    alarm(
      'dead-age',
      'a message has been in the topic of dead messages for 15 minutes: it is lost after 14 days; read the log of dead-letters',
      waiting('deadLetters', 15 * minute),
    ),
    alarm(
      'signals-age',
      'a signal has waited for 20 minutes: the function signals fails, has too few instances or is too slow; read its log',
      waiting('signals', 20 * minute),
    ),
    alarm(
      'debts-age',
      'a stream has been due for 15 minutes, and nobody has taken it up: the function signals fails or is too slow; read its log',
      logged(`${lines(places, 'OldestDueSeconds')} AND jsonPayload.value>=${overdue}`),
    ),
    alarm(
      'dead-letters',
      'a signal could not be used and became a dead letter: see `serin dead-letters list`, then replay or discard it',
      logged(lines(places, 'DeadLetters')),
    ),
    ...functionIds.flatMap((id) => [
      alarm(
        `${functionLabel(id)}-errors`,
        `the function ${functionLabel(id)} failed in 3 periods on end; read its log`,
        // 503 is no failure: it has Pub/Sub deliver the message again.
        counted(
          `${requests(places, id)} AND metric.labels.response_code_class="5xx" AND metric.labels.response_code!="503"`,
          10 * minute,
        ),
      ),
      alarm(
        `${functionLabel(id)}-busy`,
        `all instances of the function ${functionLabel(id)} were busy in 3 periods on end: ${id === 'api' ? 'raise apiInstances, if those who call it are yours' : 'read its log for what takes so long'}`,
        counted(`${requests(places, id)} AND metric.labels.response_code="429"`, 10 * minute),
      ),
    ]),
    alarm(
      'api-flood',
      'the API was called more than 10,000 times in each of 3 periods of 5 minutes, and each call costs: see by whom in its log; apiInstances is the brake, "api": "internal" the door',
      counted(requests(places, 'api'), 10 * minute, 10_000),
    ),
    alarm(
      'clock-stands-still',
      'the clock was not called for 5 minutes: rollouts and deadlines wait; look at its job in Cloud Scheduler',
      {
        kind: 'silent',
        filter: requests(places, 'clock'),
        forSeconds: 5 * minute,
      },
    ),
  ];
}

const functionLabel = (id: FunctionId): string => (id === 'deadLetters' ? 'dead-letters' : id);
