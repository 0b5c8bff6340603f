import { type Fact, unrouted } from '@serin/core/inbound/fact';
import { alarmFact } from '@serin/platform/alarms';
import { type Fields, fieldsOf, instantOf, listOf, textOf, unreadable, wordOf } from '@serin/platform/fields';

/**
 * An alarm as EventBridge sends it: fields in camelCase, dimensions as an object; or one series of an alarm over many,
 * which has its dimensions among its attributes.
 */
export function alarmFromBus(detail: Fields, { resources, time, 'replay-name': replay }: Fields): Fact {
  const state = fieldsOf(detail.state) ?? {};
  const { description, metrics } = fieldsOf(detail.configuration) ?? {};
  const contributor = fieldsOf(detail.alarmContributor);
  // Of an archive of the bus: what it says of now was said long ago.
  if (replay !== undefined) return unrouted('an alarm that was replayed');
  return alarmOf({
    state: state.value,
    // A mute rule stops the actions of an alarm, and none of its events.
    suppressed: state.actionsSuppressedBy ?? detail.muteDetail,
    contributor: contributor?.id,
    alarm: Array.isArray(resources) ? resources[0] : undefined,
    name: detail.alarmName,
    description,
    dimensions: [
      ...Object.entries(fieldsOf(contributor?.attributes) ?? {}),
      ...listOf(metrics).flatMap(({ metricStat }) =>
        Object.entries(fieldsOf(fieldsOf(fieldsOf(metricStat)?.metric)?.dimensions) ?? {}),
      ),
    ],
    at: state.timestamp ?? time,
    reason: state.reason,
  });
}

/**
 * An alarm as SNS carries it: fields in PascalCase, `Region` a name for people, dimensions a list of lower-case
 * `name` and `value`; of a metric maths alarm below `Trigger.Metrics`; of a composite alarm there is no `Trigger`.
 */
export function alarmFromTopic(message: Fields): Fact {
  const { Dimensions, Metrics } = fieldsOf(message.Trigger) ?? {};
  const stats = listOf(Metrics).map(({ MetricStat }) => fieldsOf(fieldsOf(MetricStat)?.Metric)?.Dimensions);
  return alarmOf({
    state: message.NewStateValue,
    suppressed: message.ActionsSuppressedBy,
    contributor: undefined,
    alarm: message.AlarmArn,
    name: message.AlarmName,
    description: message.AlarmDescription,
    dimensions: [Dimensions, ...stats].flatMap(listOf).map(({ name, value }) => [wordOf(name), value]),
    at: message.StateChangeTime,
    reason: message.NewStateReason,
  });
}

interface Said {
  readonly state: unknown;
  readonly suppressed: unknown;
  readonly alarm: unknown;
  /** The series that this is about, of an alarm over many. */
  readonly contributor: unknown;
  readonly name: unknown;
  readonly description: unknown;
  readonly dimensions: readonly (readonly [string, unknown])[];
  readonly at: unknown;
  readonly reason: unknown;
}

/** `EndpointName` is of hosting's own metrics, `Endpoint` of Model Monitor's. */
const endpointDimensions: readonly string[] = ['EndpointName', 'Endpoint'];

function alarmOf(said: Said): Fact {
  const name = textOf(said.name, 'the name of an alarm');
  // Target tracking makes its alarms itself, under this name and the endpoint's dimensions, and they fire whenever
  // capacity is to change: they say nothing of harm, and must take no rollout back (Application Auto Scaling,
  // DescribeScalingPolicies: `TargetTracking-endpoint/<endpoint>/variant/<variant>-AlarmHigh-<uuid>`).
  if (name.startsWith('TargetTracking-')) return unrouted('an alarm of auto scaling');
  const { state } = said;
  if (state === 'INSUFFICIENT_DATA') return unrouted('an alarm without data');
  if (state !== 'ALARM' && state !== 'OK') throw unreadable(`the state of the alarm '${name}'`, 'ALARM or OK');
  // EventBridge is told although the actions of a composite alarm are suppressed, and once more when they no longer are.
  if (state === 'ALARM' && said.suppressed !== undefined && said.suppressed !== null)
    return unrouted('an alarm whose actions are suppressed');
  // An ARN names the region, which the text form of SNS only describes.
  const arn = textOf(said.alarm, `the ARN of the alarm '${name}'`);
  const series = said.contributor === undefined ? '' : `#${textOf(said.contributor, `the series of '${name}'`)}`;
  return alarmFact({
    ...{ sender: 'cloudwatch', prefix: 'cw', fingerprint: `${arn}${series}` },
    ...{ name, state, isOver: state === 'OK', at: instantOf(said.at, `the time of the alarm '${name}'`) },
    ...{ reason: said.reason, description: said.description },
    endpoints: said.dimensions.flatMap(([dimension, value]) => (endpointDimensions.includes(dimension) ? [value] : [])),
  });
}
