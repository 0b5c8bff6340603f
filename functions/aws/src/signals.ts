import { Fault } from '@serin/core/base/fault';
import { type Fact, idOf, type Unreadable, unrouted } from '@serin/core/inbound/fact';
import { type Fields, fieldsOf, instantOf, textOf, unreadable, wordOf } from '@serin/platform/fields';
import { readBody, readEach } from '@serin/platform/message';
import { withoutKeys } from '@serin/platform/without-keys';
import { alarmFromBus, alarmFromTopic } from './alarm.ts';

type Facts = readonly (Fact | Unreadable)[];

/**
 * What one body of the queue says: an EventBridge event, an S3 notification, a CloudWatch alarm, each also in the
 * envelope of SNS, or a tick of our own.
 */
export const read = (body: string): Facts =>
  readBody(body, (message) => (typeof message.TopicArn === 'string' ? fromTopic(message) : native(message)));

/** Without raw delivery SNS wraps the message as text; people and other tools publish to a topic of alarms as well. */
function fromTopic({ Type, Message }: Fields): Facts {
  if (Type !== 'Notification') return [unrouted(`SNS ${wordOf(Type)}`)];
  let inner: unknown;
  try {
    inner = JSON.parse(wordOf(Message));
  } catch {
    return [unrouted('a text published to SNS')];
  }
  const message = fieldsOf(inner);
  return message === undefined ? [unrouted('a text published to SNS')] : native(message);
}

function native(message: Fields): Facts {
  if (typeof message['detail-type'] === 'string') return fromBus(message, message['detail-type']);
  if (Array.isArray(message.Records))
    return message.Records.length === 0
      ? [unrouted('a notification of nothing')]
      : readEach(message.Records, fromRecord);
  // Sent once when a notification is set up, without `Records` (S3 user guide, notification-content-structure).
  if (message.Event === 's3:TestEvent') return [unrouted('s3:TestEvent')];
  if (message.AlarmArn !== undefined && message.NewStateValue !== undefined) return [alarmFromTopic(message)];
  return [unrouted('an unknown message')];
}

function fromBus(event: Fields, type: string): Facts {
  const name = `${wordOf(event.source)} ${type}`;
  const read = readers.get(name);
  if (read === undefined) return [unrouted(name)];
  const detail = fieldsOf(event.detail);
  if (detail === undefined) throw unreadable(`'${name}'`, 'an event with a detail');
  return [read(detail, event)];
}

type Reader = (detail: Fields, event: Fields) => Fact;

const job =
  (api: 'training' | 'processing', field: string): Reader =>
  (detail) => ({ kind: 'job', job: `${api}/${textOf(detail[field], `detail.${field}`)}` });

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
  ['aws.sagemaker SageMaker Endpoint State Change', endpoint],
  ['aws.sagemaker SageMaker Endpoint Deployment State Change', endpoint],
  ['aws.sagemaker SageMaker Model Package State Change', approval],
  ['aws.cloudwatch CloudWatch Alarm State Change', alarmFromBus],
  ['aws.cloudwatch CloudWatch Alarm Contributor State Change', alarmFromBus],
]);

/** The key of this event is raw; that of a notification is not (S3 user guide, ev-events). */
function objectCreated({ bucket, object, 'event-version': version }: Fields): Fact {
  // Minor versions only add fields (S3 user guide, ev-events); events before 2025 have none.
  if (version !== undefined && !/^1\./.test(textOf(version, 'detail.event-version')))
    throw unreadable('an S3 event', 'detail.event-version 1.x');
  const key = textOf(fieldsOf(object)?.key, 'detail.object.key');
  // Whether EventBridge encodes keys is documented by one sample only; an emulator does.
  return {
    kind: 'object',
    bucket: textOf(fieldsOf(bucket)?.name, 'detail.bucket.name'),
    key,
    ...(/[%+]/.test(key) ? { orKey: unescaped(key) } : {}),
  };
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key; // a name with a percent sign of its own
  }
}

function fromRecord(record: unknown): Fact {
  // SNS writes `EventSource`.
  const { EventSource, eventSource = EventSource, eventName, eventVersion, s3 } = fieldsOf(record) ?? {};
  if (eventSource !== 'aws:s3') return unrouted(`a record of ${wordOf(eventSource ?? 'nobody')}`);
  // Minor versions only add fields (S3 user guide, notification-content-structure).
  if (!/^2\./.test(textOf(eventVersion, 'eventVersion'))) throw unreadable('an S3 notification', 'eventVersion 2.x');
  // The events are documented with `s3:` and sent without; stores that speak S3's language send it.
  const name = textOf(eventName, 'eventName').replace(/^s3:/, '');
  if (!name.startsWith('ObjectCreated:')) return unrouted(`s3:${name}`);
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
    throw new Fault('invalid', `the key '${key}' of an S3 notification is not URL-encoded; correct its sender`, {
      cause: error,
    });
  }
}

/** A package is changed for many reasons: only a change of its approval is one. */
function approval(detail: Fields, { time }: Fields): Fact {
  const { ModelPackageGroupName: group, ModelApprovalStatus: status, UpdatedModelPackageFields: updated } = detail;
  const { ApprovalDescription: note } = detail;
  if (typeof group !== 'string') return unrouted('a model package without a group');
  // Absent when the package was created. An event without the list that says Approved is taken: core ignores what is
  // decided already, and an approval that is lost is lost for good.
  if (Array.isArray(updated) && !updated.includes('ModelApprovalStatus'))
    return unrouted('a change of a model package that is no approval');
  if (status !== 'Approved' && status !== 'Rejected') return unrouted('a model package that waits for its approval');
  const ref = textOf(detail.ModelPackageArn, 'detail.ModelPackageArn');
  const saidAt = instantOf(detail.LastModifiedTime ?? time, 'detail.LastModifiedTime');
  return {
    kind: 'approval',
    id: idOf('sm', ref, status, saidAt),
    ref,
    approved: status === 'Approved',
    saidAt,
    by: 'sagemaker',
    ...(typeof note === 'string' && note !== '' ? { note: note.slice(0, 2000) } : {}),
  };
}

/** Events of SageMaker repeat the variables of jobs. */
export const withoutVariables = (body: string): string => withoutKeys(body, /^Environment$/);
