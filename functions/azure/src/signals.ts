import { type Fact, type Unreadable, unrouted } from '@serin/core/inbound/fact';
import { type Fields, fieldsOf, textOf, unreadable, wordOf } from '@serin/platform/fields';
import { readBatched } from '@serin/platform/message';
import { withoutKeys } from '@serin/platform/without-keys';
import { alarmFromAlert } from './alarm.ts';

type Facts = readonly (Fact | Unreadable)[];

/**
 * What a message of the queue says: an event of Event Grid in either schema, an array of them, what the host of
 * functions hands to a custom handler, an alert of Azure Monitor, or a tick of our own.
 */
export const read = (body: string): Facts => readBatched(body, native);

/** The host hands each input over as JSON, or as the text of it. https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers#request-payload */
function native(message: Fields): Facts {
  const handed = message.Metadata === undefined ? undefined : fieldsOf(message.Data);
  if (handed === undefined) return fromMessage(message);
  const inputs = Object.values(handed).map((input) => (typeof input === 'string' ? input : JSON.stringify(input)));
  return inputs.flatMap((input) => readBatched(input, fromMessage));
}

function fromMessage(message: Fields): Facts {
  // https://learn.microsoft.com/azure/event-grid/cloud-event-schema, https://learn.microsoft.com/azure/event-grid/event-schema
  const type = message.specversion === undefined ? message.eventType : message.type;
  if (type !== undefined) return fromEvent(wordOf(type), message);
  if (message.schemaId === 'azureMonitorCommonAlertSchema') return [alarmFromAlert(message)];
  // Each kind of alert has a schema of its own, unless its action group asks for the common one.
  if (message.schemaId !== undefined) return [unrouted(`an alert of the schema ${wordOf(message.schemaId)}`)];
  return [unrouted('an unknown message')];
}

function fromEvent(type: string, event: Fields): Facts {
  const reader = readers.get(type);
  return reader === undefined ? [unrouted(type)] : [reader(event, fieldsOf(event.data) ?? {})].flat();
}

type Reader = (event: Fields, data: Fields) => Fact | Facts;

/**
 * An object is named by the subject: the address in the data is that of one of several endpoints, and is encoded. That a
 * blob was deleted or moved to another tier, and that a folder was made, is told by other types.
 *
 * https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
 */
const blob: Reader = ({ subject }, { api, contentLength, url, destinationUrl }) => {
  // It is made empty when it is opened; what is in it comes with another event when it is closed.
  if (/^(CreateFile|SftpCreate)$/.test(wordOf(api)) && contentLength === 0) return unrouted('a blob that was opened');
  return { kind: 'object', ...placeIn(subject, destinationUrl ?? url) };
};

/** What was below the old name is below the new one, and no event tells of each blob: it may lie in a model's folder, or hold it. */
const folder: Reader = ({ subject }, { destinationUrl }) => {
  const place = placeIn(subject, destinationUrl);
  return [
    { kind: 'folder', ...place },
    { kind: 'object', ...place },
  ];
};

interface Place {
  readonly bucket: string;
  readonly key: string;
}

function placeIn(subject: unknown, url: unknown): Place {
  const said = textOf(subject, 'subject');
  const [, bucket, key] = /^\/blobServices\/default\/containers\/([^/]+)\/blobs\/(.+)$/s.exec(said) ?? [];
  if (bucket === undefined || key === undefined)
    throw unreadable('the subject', "'/blobServices/default/containers/<container>/blobs/<name>'");
  // Event Grid has lost characters there that are two in UTF-16.
  // https://github.com/Azure-Samples/azure-event-grid-viewer/issues/9
  return { bucket, key: key.includes('\uFFFD') ? (keyIn(url) ?? key) : key };
}

/** The key in the address of a blob: after the container. */
function keyIn(url: unknown): string | undefined {
  const [, encoded] = /^https:\/\/[^/]+\/[^/]+\/([^?]+)/.exec(wordOf(url)) ?? [];
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

/**
 * What changed in Azure ML. Its events are hints: what failed or was stopped sends none, and none says that somebody
 * approved a version, so the clock has everything described all the same. Their keys are documented in PascalCase for
 * some types and in camelCase for others, and come in either.
 *
 * https://learn.microsoft.com/azure/event-grid/event-schema-machine-learning
 */
const named =
  (key: string, fact: (name: string) => Fact): Reader =>
  (_, data) => {
    const pascal = `${key.charAt(0).toUpperCase()}${key.slice(1)}`;
    return fact(textOf(data[key] ?? data[pascal], `data.${key}`));
  };

const job = named('runId', (id) => ({ kind: 'job', job: id }));

const readers: ReadonlyMap<string, Reader> = new Map([
  ['Microsoft.Storage.BlobCreated', blob],
  ['Microsoft.Storage.BlobRenamed', blob],
  ['Microsoft.Storage.DirectoryRenamed', folder],
  ['Microsoft.MachineLearningServices.RunCompleted', job],
  ['Microsoft.MachineLearningServices.RunStatusChanged', job],
  ['Microsoft.MachineLearningServices.ModelDeployed', named('serviceName', (name) => ({ kind: 'endpoint', name }))],
]);

/** An alert on the activity log repeats the request that it is about as a text. */
export const withoutVariables = (body: string): string =>
  withoutKeys(body, /^environmentVariables$/i, (_, text) => (text.startsWith('{') ? withoutVariables(text) : text));
