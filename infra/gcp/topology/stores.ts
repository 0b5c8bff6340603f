import { capturedDays, labelDays, labelsPrefix } from '@serin/clouds/captured';
import { journalFields } from '@serin/clouds/gcp/journal';
import { passing } from '@serin/core/engine/stored';
import { dataId } from '../../shared/data-id.ts';
import type { Places } from './places.ts';
import type { Bucket, Captures, Database, LogStore, Notification, Repository, Topic } from './shapes.ts';

/** What functions/gcp/src/ports/journal.ts reads and writes. */
export const databaseOf = ({ name }: Places): Database => ({ name: name('journal'), fields: journalFields });

/** The own bucket, that of the functions' code, and the data buckets where they are ours to create. */
export function bucketsOf({ settings, ownBucket, codeBucket, dataBuckets }: Places): readonly Bucket[] {
  const data = settings.createDataBuckets ? dataBuckets : [];
  const kept = { kept: true, versioned: true, unfinishedUploadsDays: 7 };
  return [
    // Trainers write checkpoints over each other; all else in it is written once.
    {
      id: 'Own',
      name: ownBucket,
      ...kept,
      oldVersionsDays: 90,
      forgotten: [{ prefix: labelsPrefix, days: labelDays }, ...passing],
    },
    { id: 'Code', name: codeBucket, kept: false, versioned: false, unfinishedUploadsDays: 1 },
    // Data is never forgotten.
    ...data.map((name): Bucket => ({ id: dataId(name), name, ...kept })),
  ];
}

/**
 * What Vertex AI logs into. A table that is there must have these columns; one that it made itself would keep all for ever.
 * https://docs.cloud.google.com/vertex-ai/docs/predictions/online-prediction-logging
 */
export const capturesOf = ({ captures: { dataset, table } }: Places): Captures => ({
  ...{ dataset, table, days: capturedDays },
  columns: [
    { name: 'endpoint', type: 'STRING', mode: 'NULLABLE' },
    { name: 'deployed_model_id', type: 'STRING', mode: 'NULLABLE' },
    { name: 'logging_time', type: 'TIMESTAMP', mode: 'NULLABLE' },
    { name: 'request_id', type: 'NUMERIC', mode: 'NULLABLE' },
    { name: 'request_payload', type: 'STRING', mode: 'REPEATED' },
    { name: 'response_payload', type: 'STRING', mode: 'REPEATED' },
  ],
});

/** Each data bucket of the Google project, whoever made it: a bucket may have many notifications, so this one disturbs nobody's. */
export const notificationsOf = ({ dataBuckets }: Places): readonly Notification[] =>
  dataBuckets.map((bucket) => ({ id: dataId(bucket), bucket, topic: 'signals' }));

export const topicsOf = ({ name }: Places): readonly Topic[] => [
  { id: 'dead', name: name('dead'), says: 'what could not be used' },
  { id: 'signals', name: name('signals'), says: 'everything that happens' },
  { id: 'events', name: name('events'), says: 'what Serin tells: subscribe to it with message ordering' },
];

export const repositoriesOf = ({ name }: Places): readonly Repository[] => [
  { id: 'Images', name: name('images'), does: 'keeps what was pulled from Docker Hub', upstream: 'DOCKER_HUB' },
  { id: 'Functions', name: name('functions'), does: 'images of the functions' },
];

export function logStoreOf(
  { settings: { logDays }, name }: Places,
  functions: readonly string[],
): LogStore | undefined {
  if (logDays === undefined) return undefined;
  const services = functions.map((each) => `"${each}"`).join(' OR ');
  return {
    name: name('logs'),
    days: logDays,
    filter: `resource.type="cloud_run_revision" AND resource.labels.service_name=(${services})`,
  };
}
