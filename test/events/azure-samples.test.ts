import { describe, expect, test } from 'vitest';
import { read } from '../../functions/azure/src/signals.ts';
import { samplesOf } from './samples.ts';

const { missing, samples } = samplesOf('azure');

const foreign = [{ kind: 'unrouted' }];
const parquet = [{ kind: 'object', bucket: 'users', key: 'iceberg/schema/data/file.parquet' }];
const automl = [{ kind: 'job', job: 'AutoML_ad912b2d-6467-4f32-a616-dbe4af6dd8fc_5' }];
const alarm = (type: string) => [{ kind: 'alarm', of: { endpoints: [], written: [] }, says: { type } }];

/** What SOURCES.tsv says in words of each sample. */
const becomes: Readonly<Record<string, unknown>> = {
  'alert-legacy-metric': foreign,
  'alert-metric-availability': alarm('alertRaised'),
  'alert-metric-resolved': alarm('alertResolved'),
  'alert-test-metric-dynamic': foreign,
  'blob-created-eventgrid': [{ kind: 'object', bucket: 'test-container', key: 'new-file.txt' }],
  'blob-created-gen2-createfile-cloudevent': foreign,
  'blob-created-gen2-flushwithclose-cloudevent': parquet,
  'blob-deleted-eventgrid': foreign,
  'blob-tier-changed': foreign,
  'directory-deleted-gen2': foreign,
  'eventgrid-null-data-functions': foreign,
  'eventhub-capture-java': foreign,
  'functions-eventgrid-trigger': parquet,
  'ml-dataset-drift-doc': foreign,
  'ml-model-deployed-doc': [{ kind: 'endpoint', name: 'my-sklearn-service' }],
  'ml-model-registered-doc-ce': foreign,
  'ml-model-registered-go': foreign,
  'ml-run-completed-doc': automl,
  'ml-run-completed-doc-ce': automl,
  'ml-run-status-failed-doc-ce': automl,
};

describe.skipIf(missing !== undefined)(
  `real samples of Azure${missing === undefined ? '' : ` [skipped: ${missing}]`}`,
  () => {
    const bodies = samples.map(({ file, text }) => ({ name: file.replace(/^azure\/|\.json$/g, ''), text }));

    test('are all here', () => {
      expect(bodies.map(({ name }) => name).sort()).toEqual(Object.keys(becomes));
    });

    test.each(bodies)('$name is read as what it is', ({ name, text }) => {
      expect(read(text)).toMatchObject(becomes[name] as object);
    });
  },
);
