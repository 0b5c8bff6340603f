import { type Fact, type Unreadable, unrouted } from '@serin/core/inbound/fact';
import { type Fields, fieldsOf, textOf, unreadable, wordOf } from '@serin/platform/fields';
import { readBody } from '@serin/platform/message';
import { withoutKeys } from '@serin/platform/without-keys';
import { alarmFromIncident } from './alarm.ts';

type Facts = readonly (Fact | Unreadable)[];

/**
 * What one body of the topic says: a message of Pub/Sub, as a push delivers it or inside an event of Eventarc, a
 * CloudEvent, an event of the first generations of functions, an incident of Cloud Monitoring, an entry of Cloud
 * Logging, or a tick of our own.
 */
export const read = (body: string): Facts => readBody(body, native);

function native(message: Fields): Facts {
  if (message.specversion !== undefined) return fromEvent(message.type, message);
  const background = fieldsOf(message.context) ?? message;
  if (background.eventType !== undefined) return fromEvent(background.eventType, message);
  const pushed = fieldsOf(message.message);
  if (pushed !== undefined) return fromPubSub(pushed);
  if (message.incident !== undefined) return [alarmFromIncident(message)];
  if (message.logName !== undefined) return [fromLog(message)];
  return [unrouted('an unknown message')];
}

/** A CloudEvent, or an event of an earlier generation: each has its data in the same field. */
function fromEvent(type: unknown, { data, data_base64: bytes }: Fields): Facts {
  const name = wordOf(type);
  const reader = readers.get(name);
  if (reader === undefined) return [unrouted(name)];
  const said = fieldsOf(typeof bytes === 'string' ? parsed(decoded(bytes)) : data);
  if (said === undefined) throw unreadable(`'${name}'`, 'an event with an object as its data');
  return reader(said);
}

/**
 * An object is named by the data: the subject of an event is for filters. That a name was overwritten or deleted, or
 * that metadata changed, is told by other types.
 *
 * https://docs.cloud.google.com/eventarc/docs/run/create-trigger-storage-gcloud
 */
const object = ({ bucket, name }: Fields): Facts => [
  { kind: 'object', bucket: textOf(bucket, 'data.bucket'), key: textOf(name, 'data.name') },
];

const readers: ReadonlyMap<string, (data: Fields) => Facts> = new Map([
  ['google.cloud.storage.object.v1.finalized', object],
  ['google.storage.object.finalize', object],
  ['google.cloud.pubsub.topic.v1.messagePublished', ({ message }) => fromPubSub(fieldsOf(message) ?? {})],
  ['google.pubsub.topic.publish', fromPubSub],
  ['providers/cloud.pubsub/eventTypes/topic.publish', fromPubSub],
  ['google.cloud.audit.log.v1.written', (entry) => [fromLog(entry)]],
]);

/** A message that somebody published. Of Cloud Storage its attributes say all, for its data may be left out. */
function fromPubSub(message: Fields): Facts {
  const notified = notificationIn(message);
  if (notified !== undefined) return [fromNotification(notified)];
  const { data } = message;
  if (data === undefined || data === '') return [unrouted('a message of Pub/Sub without data')];
  return read(decoded(textOf(data, 'message.data')));
}

/** The attributes of a notification of Cloud Storage. https://docs.cloud.google.com/storage/docs/pubsub-notifications */
export function notificationIn({ attributes }: Fields): Fields | undefined {
  const { eventType, bucketId } = fieldsOf(attributes) ?? {};
  return eventType === undefined || bucketId === undefined ? undefined : fieldsOf(attributes);
}

function fromNotification({ eventType, bucketId, objectId }: Fields): Fact {
  // Overwriting an object also tells that its older generation was deleted.
  if (eventType !== 'OBJECT_FINALIZE') return unrouted(wordOf(eventType));
  return {
    kind: 'object',
    bucket: textOf(bucketId, 'attributes.bucketId'),
    key: textOf(objectId, 'attributes.objectId'),
  };
}

/**
 * What changed in Vertex AI, as a sink of Cloud Logging or an audit log tells it. Both are hints: a custom job ends
 * without any event, so the clock has it described all the same.
 */
function fromLog({ resource, protoPayload }: Fields): Fact {
  const { type, labels } = fieldsOf(resource) ?? {};
  if (type === 'ml_job') return { kind: 'job', job: textOf(fieldsOf(labels)?.job_id, 'labels.job_id') };
  const { serviceName, methodName, resourceName } = fieldsOf(protoPayload) ?? {};
  const [, kind, name] = /\/(customJobs|endpoints)\/([^/]+)$/.exec(wordOf(resourceName)) ?? [];
  if (serviceName !== 'aiplatform.googleapis.com' || name === undefined)
    return unrouted(`a log entry of ${wordOf(methodName ?? type)}`);
  return kind === 'customJobs' ? { kind: 'job', job: name } : { kind: 'endpoint', name };
}

/** Base64 as text; bytes that are no UTF-8 are no message for us. */
export function decoded(base64: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    throw unreadable('the data of a message of Pub/Sub', 'JSON in UTF-8');
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Audit logs repeat the variables of jobs. */
export const withoutVariables = (body: string): string =>
  withoutKeys(body, /^env$/, (key, text) => (/^data(_base64)?$/.test(key) ? concealed(text) : text));

function concealed(base64: string): string {
  const text = Buffer.from(base64, 'base64').toString();
  const bare = withoutVariables(text);
  return bare === text ? base64 : Buffer.from(bare).toString('base64');
}
