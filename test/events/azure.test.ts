import type { Owners } from '@serin/core/inbound/fact';
import { describe, expect, test } from 'vitest';
import { endpointName } from '../../functions/azure/src/names.ts';
import { read as factsIn } from '../../functions/azure/src/signals.ts';
import {
  aKey,
  installation,
  oddKeys,
  payloadsOf,
  readerOf,
  said,
  testAlarms,
  testAnyOrder,
  testObjects,
  testRefused,
  testUnbreakable,
} from './happenings.ts';

/**
 * Payloads as Azure sends them, in test/events/azure. They were written from the samples of Microsoft's documentation
 * with the names of an installation put in, not recorded from a subscription: Event Grid (event-schema-blob-storage,
 * event-schema-machine-learning, webhook-event-delivery), Azure Monitor (alerts-payload-samples), Azure Functions
 * (functions-custom-handlers).
 */
const { names, fixture, changed } = payloadsOf('azure');

const owners: Owners = {
  installation,
  modelOfEndpoint: async (name) => ['fraud', 'churn'].find((model) => endpointName(installation, model) === name),
  modelOfJob: async (job) => (job === 'prod-shop-fraud-train-0123456789ab' ? 'fraud' : undefined),
  versionOf: async () => undefined,
};
const read = readerOf(factsIn, owners);
const saidBy = async (bodies: readonly string[]) => said(await read(bodies));

const inEnvelope = (body: string): string => JSON.stringify({ Data: { event: body }, Metadata: {} });
const blob = (subject: string, more: object = {}): string =>
  changed('blob-created', (event) => {
    event.subject = `/blobServices/default/containers/${subject}`;
    Object.assign(event.data, more);
  });
const keysIn = (bodies: readonly string[]) =>
  bodies.flatMap(factsIn).map((fact) => (fact.kind === 'object' ? fact.key : fact));

const newData = [{ stream: 'model/fraud', type: 'dataHinted', keys: [aKey] }];

testObjects({
  ...{ cloud: 'Azure', read, fixture, owners },
  objects: ['blob-created', 'blob-created-eventgrid', 'blob-created-batch', 'blob-closed', 'blob-sftp', 'blob-renamed'],
  objectOf: (key) => blob(`drops/blobs/${key}`),
  hints: { job: 'run-completed', endpoint: 'model-deployed' },
});

const alert = {
  stream: 'model/fraud',
  type: 'alertRaised',
  kind: 'alert',
  sender: 'azure-monitor',
  fingerprint:
    '/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.AlertsManagement/alerts/b9569717-bc32-442f-add5-83a997729330',
  startedAt: '2026-11-20T14:04:24.371Z',
  title: 'fraud-errors: RequestsPerMinute is 9 (GreaterThan 5)',
};
testAlarms({
  ...{ cloud: 'Azure', read, fixture, says: alert, ways: ['alert'] },
  ...{ end: 'alert-resolved', endedAt: '2026-11-20T14:14:40.500Z' },
});

describe('what a message tells', () => {
  const hints = (type: string) => [{ stream: 'model/fraud', type }];

  test.each([
    ['blob-created', newData],
    ['blob-created-eventgrid', newData],
    ['blob-created-batch', newData],
    ['blob-created-several', [{ ...newData[0], keys: [aKey, 'fraud/b.csv'] }]],
    ['blob-closed', newData],
    ['blob-sftp', newData],
    ['blob-renamed', newData],
    ['blob-handed', newData],
    ['directory-renamed', [{ ...newData[0], keys: ['fraud'] }]],
    ['run-completed', hints('jobHinted')],
    ['run-failed-eventgrid', hints('jobHinted')],
    ['run-status-changed', hints('jobHinted')],
    ['model-deployed', hints('endpointHinted')],
    ['alert', [alert]],
    ['tick', hints('clockTicked')],
  ])('%s', async (name, expected) => {
    expect(await saidBy([fixture(name)])).toEqual(expected);
  });

  test.each([
    ['blob-opened', 'a blob that was opened'],
    ['blob-deleted', 'Microsoft.Storage.BlobDeleted'],
    ['blob-tier-changed', 'Microsoft.Storage.BlobTierChanged'],
    ['blob-rehydrating', 'Microsoft.Storage.AsyncOperationInitiated'],
    ['blob-policy', 'Microsoft.Storage.LifecyclePolicyCompleted'],
    ['directory-created', 'Microsoft.Storage.DirectoryCreated'],
    ['directory-deleted', 'Microsoft.Storage.DirectoryDeleted'],
    ['model-registered', 'Microsoft.MachineLearningServices.ModelRegistered'],
    ['model-registered-text', 'Microsoft.MachineLearningServices.ModelRegistered'],
    ['dataset-drift', 'Microsoft.MachineLearningServices.DatasetDriftDetected'],
    ['capture', 'Microsoft.EventHub.CaptureFileCreated'],
    ['no-data', 'captureFileCreated'],
    ['subscription-validation', 'Microsoft.EventGrid.SubscriptionValidationEvent'],
    ['alert-test', 'a test of an action group'],
    ['alert-activity-log', 'an alert on the activity log'],
    ['alert-legacy', 'an alert of the schema AzureMonitorMetricAlert'],
  ])('%s is for nobody, and counted as %j', (name, what) => {
    expect(factsIn(fixture(name))).toEqual([{ kind: 'unrouted', what }]);
  });

  test('an array of nothing is counted', () => {
    expect(factsIn('[]')).toMatchObject([{ kind: 'unrouted' }]);
  });

  test('keys are taken as they are: dots, slashes and signs are never tidied up', () => {
    expect(keysIn(oddKeys.map((key) => blob(`drops/blobs/${key}`)))).toEqual(oddKeys);
  });

  test('a folder inside that of a model has the model looked at, and one that holds it as well', async () => {
    const renamed = (folder: string) =>
      changed('directory-renamed', (event) => {
        event.subject = `/blobServices/default/containers/drops/blobs/${folder}`;
      });

    for (const folder of ['fraud', 'fraud/2026', 'fraud/2026/11'])
      expect(await saidBy([renamed(folder)])).toMatchObject([{ stream: 'model/fraud', type: 'dataHinted' }]);
    for (const folder of ['fra', 'other/fraud']) expect(await saidBy([renamed(folder)])).toEqual([]);
  });

  test('a blob is named by the subject of its event: the address may be of another endpoint, or say less', () => {
    const others = [{ url: 'https://x.blob.core.windows.net/testcontainer/fraud/b.csv' }, { url: null }, {}];

    expect(keysIn(others.map((more) => blob('drops/blobs/fraud/a.csv', more)))).toEqual(
      others.map(() => 'fraud/a.csv'),
    );
  });

  test('characters that Event Grid has lost in the subject are taken from the address', () => {
    const url = 'https://acmemldata.blob.core.windows.net/drops/fraud/%F0%9F%92%8E%201.csv';
    const renamed = changed('blob-renamed', (event) => {
      event.subject = '/blobServices/default/containers/drops/blobs/fraud/\uFFFD\uFFFD 1.csv';
      event.data.destinationUrl = url;
    });

    expect(keysIn([blob('drops/blobs/fraud/\uFFFD\uFFFD 1.csv', { url }), renamed])).toEqual([
      'fraud/💎 1.csv',
      'fraud/💎 1.csv',
    ]);
    for (const lost of ['https://x/drops/%', 'x', undefined])
      expect(keysIn([blob('drops/blobs/fraud/\uFFFD', { url: lost })])).toEqual(['fraud/\uFFFD']);
  });

  test('a blob that was made with its content at once is new, also if it is empty', () => {
    const made = (api: string, contentLength: number) =>
      factsIn(blob('drops/blobs/a', { api, contentLength }))[0]?.kind;

    expect([made('PutBlob', 0), made('CreateFile', 1), made('SftpCommit', 0), made('FlushWithClose', 0)]).toEqual([
      'object',
      'object',
      'object',
      'object',
    ]);
    expect([made('CreateFile', 0), made('SftpCreate', 0)]).toEqual(['unrouted', 'unrouted']);
  });

  test('an alert, an endpoint, a job and a container of somebody else are for no model', async () => {
    const others = [
      fixture('alert-of-others'),
      changed('model-deployed', ({ data }) => Object.assign(data, { ServiceName: 'theirs' })),
      changed('run-completed', ({ data }) => Object.assign(data, { runId: 'theirs' })),
      blob('theirs/blobs/fraud/a.csv'),
    ];

    expect(await read(others)).toEqual({
      ...{ arrivals: [], failed: [] },
      unrouted: ['alarm', 'endpoint', 'job', 'object'].map((kind) => `${kind} of no model`),
    });
  });

  test.each(names)('%s says the same as one of an array, and as what the host hands to a custom handler', (name) => {
    const body = fixture(name);
    const inArray = body.startsWith('[') || name === 'blob-handed' ? body : `[${body}]`;

    expect(factsIn(inArray)).toEqual(factsIn(body));
    if (name !== 'blob-handed') expect(factsIn(inEnvelope(body))).toEqual(factsIn(body));
  });
});

describe('a batch', () => {
  test('loses the part of an array that cannot be read, and no other', async () => {
    const body = changed('blob-created-several', (events) => {
      delete events[0].subject;
    });

    const { arrivals, failed, unrouted } = await read([body]);

    expect(arrivals).toMatchObject([{ signal: { type: 'dataHinted', keys: ['fraud/b.csv'] }, messages: ['m0'] }]);
    expect(failed).toMatchObject([{ id: 'm0', fault: { retry: 'never' } }]);
    expect(unrouted).toHaveLength(1);
  });

  testAnyOrder(names.map(fixture), read);
});

describe('what claims to be ours or of Azure and cannot be read', () => {
  const refused = [
    ['no JSON', 'hello', 'not JSON'],
    ['no object', '[1]', 'JSON object'],
    ['a number', '5', 'JSON object'],
    ['a tick of no stream', '{"serin":{"tick":"rollout/1"}}', 'tick'],
    ['a blob without a subject', changed('blob-created', (event) => delete event.subject), 'subject'],
    ['a blob without a container', blob(''), 'subject'],
    ['a blob without a name', blob('drops/blobs/'), 'subject'],
    ['a container', blob('drops'), 'subject'],
    ['a job without a name', changed('run-completed', ({ data }) => delete data.runId), 'data.runId'],
    ['a job without data', changed('run-completed', (event) => Object.assign(event, { data: null })), 'data.runId'],
    ['an endpoint without a name', changed('model-deployed', ({ data }) => delete data.ServiceName), 'serviceName'],
  ] as const;
  testRefused(refused, factsIn);

  testUnbreakable(Object.fromEntries(names.map((name) => [name, fixture(name)])), { read: factsIn, inEnvelope });
});
