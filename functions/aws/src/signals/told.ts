import { asFault, Fault } from '@serin/core/base/fault';
import { alarmFromBus, alarmFromTopic } from './alarm.ts';
import { foreign, type Told } from './fact.ts';
import { type Fields, fieldsOf, instantOf, textOf, unreadable } from './fields.ts';

/**
 * What one body of the queue tells: an EventBridge event, an S3 notification, a CloudWatch alarm, each also in the
 * envelope of SNS, or a tick of our own.
 *
 * Twice: the same. What is not ours is `foreign`; a body that claims to be ours or AWS's and cannot be read, or is no
 * JSON at all, throws `invalid`: the same body would fail again. Of a notification with several records that holds for
 * each record, as a fact of its own.
 */
export function told(body: string): readonly Told[] {
  const message = fieldsOf(parsed(body));
  if (message === undefined) throw unreadable('the message', 'a JSON object');
  if (message.serin !== undefined) return [ourOwn(message.serin)];
  return typeof message.TopicArn === 'string' ? fromTopic(message) : native(message);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new Fault('invalid', 'the message is not JSON', { cause: error });
  }
}

function ourOwn(serin: unknown): Told {
  const stream = fieldsOf(serin)?.tick;
  if (typeof stream !== 'string' || !/^(project|model\/[a-z][a-z0-9-]{0,62})$/.test(stream))
    throw unreadable('a tick of Serin', '{"serin":{"tick":"model/<name>"}}');
  return { kind: 'tick', stream };
}

/** Without raw delivery SNS wraps the message as text; people and other tools publish to a topic of alarms as well. */
function fromTopic({ Type, Message }: Fields): readonly Told[] {
  if (Type !== 'Notification') return [foreign(`SNS ${String(Type)}`)];
  let inner: unknown;
  try {
    inner = JSON.parse(String(Message));
  } catch {
    return [foreign('a text published to SNS')];
  }
  const message = fieldsOf(inner);
  return message === undefined ? [foreign('a text published to SNS')] : native(message);
}

function native(message: Fields): readonly Told[] {
  if (typeof message['detail-type'] === 'string') return fromBus(message, message['detail-type']);
  if (Array.isArray(message.Records))
    return message.Records.length === 0 ? [foreign('a notification of nothing')] : fromRecords(message.Records);
  // Sent once when a notification is set up, without `Records` (S3 user guide, notification-content-structure).
  if (message.Event === 's3:TestEvent') return [foreign('s3:TestEvent')];
  if (message.AlarmArn !== undefined && message.NewStateValue !== undefined) return [alarmFromTopic(message)];
  return [foreign('an unknown message')];
}

function fromBus(event: Fields, type: string): readonly Told[] {
  const name = `${String(event.source)} ${type}`;
  const read = readers.get(name);
  if (read === undefined) return [foreign(name)];
  const detail = fieldsOf(event.detail);
  if (detail === undefined) throw unreadable(`'${name}'`, 'an event with a detail');
  return [read(detail, event)];
}

type Reader = (detail: Fields, event: Fields) => Told;

const job =
  (api: 'training' | 'processing' | 'transform', field: string): Reader =>
  (detail) => ({ kind: 'job', api, name: textOf(detail[field], `detail.${field}`) });

// Status and times of these events are not read: their case and their units differ from event to event, they come
// twice, late or never, and Describe is the truth.
const endpoint: Reader = ({ EndpointName }) => ({
  kind: 'endpoint',
  name: textOf(EndpointName, 'detail.EndpointName'),
});

const readers: ReadonlyMap<string, Reader> = new Map([
  ['aws.s3 Object Created', objectCreated],
  ['aws.sagemaker SageMaker Training Job State Change', job('training', 'TrainingJobName')],
  ['aws.sagemaker SageMaker Processing Job State Change', job('processing', 'ProcessingJobName')],
  ['aws.sagemaker SageMaker Transform Job State Change', job('transform', 'TransformJobName')],
  ['aws.sagemaker SageMaker Endpoint State Change', endpoint],
  ['aws.sagemaker SageMaker Endpoint Deployment State Change', endpoint],
  ['aws.sagemaker SageMaker Model Package State Change', approval],
  ['aws.cloudwatch CloudWatch Alarm State Change', alarmFromBus],
  ['aws.cloudwatch CloudWatch Alarm Contributor State Change', alarmFromBus],
]);

/** The key of this event is raw; that of a notification is not (S3 user guide, ev-events). */
function objectCreated({ bucket, object, 'event-version': version }: Fields): Told {
  // Minor versions only add fields (S3 user guide, ev-events); events before 2025 have none.
  if (version !== undefined && !/^1\./.test(textOf(version, 'detail.event-version')))
    throw unreadable('an S3 event', 'detail.event-version 1.x');
  return {
    kind: 'object',
    bucket: textOf(fieldsOf(bucket)?.name, 'detail.bucket.name'),
    key: textOf(fieldsOf(object)?.key, 'detail.object.key'),
  };
}

/** A record that cannot be read takes no other with it; the only one of its message fails that. */
function fromRecords(records: readonly unknown[]): readonly Told[] {
  if (records.length === 1) return records.map(fromRecord);
  return records.map((record): Told => {
    try {
      return fromRecord(record);
    } catch (error) {
      return { kind: 'unreadable', fault: asFault(error) };
    }
  });
}

function fromRecord(record: unknown): Told {
  // SNS writes `EventSource`.
  const { EventSource, eventSource = EventSource, eventName, eventVersion, s3 } = fieldsOf(record) ?? {};
  if (eventSource !== 'aws:s3') return foreign(`a record of ${String(eventSource ?? 'nobody')}`);
  // Minor versions only add fields (S3 user guide, notification-content-structure).
  if (!/^2\./.test(textOf(eventVersion, 'eventVersion'))) throw unreadable('an S3 notification', 'eventVersion 2.x');
  // The events are documented with `s3:` and sent without; stores that speak S3's language send it.
  const name = textOf(eventName, 'eventName').replace(/^s3:/, '');
  if (!name.startsWith('ObjectCreated:')) return foreign(`s3:${name}`);
  const { bucket, object } = fieldsOf(s3) ?? {};
  return {
    kind: 'object',
    bucket: textOf(fieldsOf(bucket)?.name, 's3.bucket.name'),
    key: decodedKey(textOf(fieldsOf(object)?.key, 's3.object.key')),
  };
}

function decodedKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch (error) {
    throw new Fault('invalid', `the key '${key}' of an S3 notification is not URL-encoded`, { cause: error });
  }
}

/** A package is changed for many reasons: only a change of its approval is one. */
function approval(detail: Fields, { time }: Fields): Told {
  const { ModelPackageGroupName: group, ModelApprovalStatus: status, UpdatedModelPackageFields: updated } = detail;
  const { ApprovalDescription: note } = detail;
  if (typeof group !== 'string') return foreign('a model package without a group');
  // Absent when the package was created. An event without the list that says Approved is taken: core ignores what is
  // decided already, and an approval that is lost is lost for good.
  if (Array.isArray(updated) && !updated.includes('ModelApprovalStatus'))
    return foreign('a change of a model package that is no approval');
  if (status !== 'Approved' && status !== 'Rejected') return foreign('a model package that waits for its approval');
  return {
    kind: 'approval',
    arn: textOf(detail.ModelPackageArn, 'detail.ModelPackageArn'),
    group,
    status,
    modifiedAt: instantOf(detail.LastModifiedTime ?? time, 'detail.LastModifiedTime'),
    ...(typeof note === 'string' && note !== '' ? { note: note.slice(0, 2000) } : {}),
  };
}
