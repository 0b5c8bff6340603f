import { describe, expect, test } from 'vitest';
import { deliveredOf } from '../../functions/gcp/src/records.ts';
import { read } from '../../functions/gcp/src/signals.ts';
import { samplesOf } from './samples.ts';

const { missing, samples } = samplesOf('gcp');

/** Of a sample that is the data of a CloudEvent only, the type of that event, which stands in a header. */
const types: Readonly<Record<string, string>> = {
  'audit-bigquery-job': 'google.cloud.audit.log.v1.written',
  'audit-pubsub-create-topic': 'google.cloud.audit.log.v1.written',
  'cloudbuild-complex': 'google.cloud.cloudbuild.build.v1.statusChanged',
  'firebase-alert': 'google.firebase.firebasealerts.alerts.v1.published',
  'pubsub-binary-complex': 'google.cloud.pubsub.topic.v1.messagePublished',
  'scheduler-simple': 'google.cloud.scheduler.job.v1.executed',
  'storage-binary-complex': 'google.cloud.storage.object.v1.finalized',
  'storage-data-simple': 'google.cloud.storage.object.v1.finalized',
};

const foreign = [{ kind: 'unrouted' }];
const testCs = [{ kind: 'object', bucket: 'some-bucket', key: 'folder/Test.cs' }];
const myFile = [{ kind: 'object', bucket: 'sample-bucket', key: 'MyFile' }];

/** What SOURCES.tsv says in words of each sample. A text or bytes that somebody publishes to our topic is unreadable. */
const becomes: Readonly<Record<string, unknown>> = {
  'audit-bigquery-job': foreign,
  'audit-pubsub-create-topic': foreign,
  'cloudbuild-complex': foreign,
  'firebase-alert': foreign,
  'gcf-firebase-auth-legacy': foreign,
  'gcf-pubsub-binary-cloudevent': 'unreadable',
  'gcf-pubsub-legacy-old': 'unreadable',
  'gcf-pubsub-text-cloudevent': 'unreadable',
  'gcf-storage-legacy': testCs,
  'monitoring-mock-high-memory-usage': [
    { kind: 'alarm', of: { endpoints: [], written: [] }, says: { type: 'alertRaised' } },
  ],
  'pubsub-binary-complex': 'unreadable',
  'pubsub-duplicated-fields': 'unreadable',
  'pubsub-structured': 'unreadable',
  'scheduler-simple': foreign,
  'storage-binary-complex': myFile,
  'storage-ce-deleted': foreign,
  'storage-ce-metadata-updated': foreign,
  'storage-data-simple': testCs,
  'storage-notification-finalize': testCs,
  'storage-structured-workflows': myFile,
};

describe.skipIf(missing !== undefined)(
  `real samples of Google${missing === undefined ? '' : ` [skipped: ${missing}]`}`,
  () => {
    const bodies = samples.map(({ file, text }) => ({ name: file.replace(/^gcp\/|\.json$/g, ''), text }));

    test('are all here', () => {
      expect(bodies.map(({ name }) => name).sort()).toEqual(Object.keys(becomes));
    });

    test.each(bodies)('$name is read as what it is', ({ name, text }) => {
      const type = types[name];
      const headers = type === undefined ? {} : { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-type': type };

      const { body } = deliveredOf({ headers, rawBody: Buffer.from(text) });

      expect(factsIn(body)).toMatchObject(becomes[name] as object);
    });

    test.each(bodies.filter(({ name }) => name in types))('$name without its event is nothing of ours', ({ text }) => {
      const facts = factsIn(text);

      expect(['unrouted', 'unreadable']).toContain(typeof facts === 'string' ? facts : facts[0]?.kind);
    });
  },
);

function factsIn(body: string) {
  try {
    return read(body);
  } catch {
    return 'unreadable';
  }
}
