import type { Owners } from '@serin/core/inbound/fact';
import { describe, expect, test } from 'vitest';
import { endpointName } from '../../functions/gcp/src/names.ts';
import { read as factsIn } from '../../functions/gcp/src/signals.ts';
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
 * Payloads as Google sends them, in test/events/gcp. They were written from the samples of Google's documentation and of
 * googleapis/google-cloudevents with the names of an installation put in, not recorded from a project: Cloud Storage
 * (pubsub-notifications), Pub/Sub (push), Cloud Monitoring (notification-options). `incident-test`, the entries of Cloud
 * Logging, and the audit logs of Vertex AI are from memory of such messages.
 */
const { names, fixture, changed } = payloadsOf('gcp');

const owners: Owners = {
  installation,
  modelOfEndpoint: async (name) => ['fraud', 'churn'].find((model) => endpointName(installation, model) === name),
  modelOfJob: async (job) => (job === '4215678901234567890' ? 'fraud' : undefined),
  versionOf: async () => undefined,
};
const read = readerOf(factsIn, owners);
const saidBy = async (bodies: readonly string[]) => said(await read(bodies));

const encoded = (text: string): string => Buffer.from(text).toString('base64');
const inEnvelope = (body: string): string => JSON.stringify({ message: { data: encoded(body), messageId: '1' } });
const incident = (more: object): string => changed('incident', ({ incident }) => Object.assign(incident, more));

const newData = { stream: 'model/fraud', type: 'dataHinted', keys: [aKey] };
const alarm = {
  stream: 'model/fraud',
  type: 'alertRaised',
  kind: 'alert',
  sender: 'cloud-monitoring',
  fingerprint: '0.nrwotmyokd9n',
  startedAt: '2026-11-20T14:04:40.000Z',
  title: 'fraud-errors: Error count for acme fraud is above the threshold of 5.000 with a value of 9.000.',
};

const told = { cloud: 'Google Cloud', read, fixture };
testObjects({
  ...{ ...told, owners },
  objects: ['storage-finalized', 'storage-notification', 'storage-notification-bare', 'storage-background'],
  objectOf: (name) => changed('storage-finalized', ({ data }) => Object.assign(data, { name })),
  hints: { job: 'job-log', endpoint: 'audit-model-deployed' },
});
testAlarms({
  ...{ ...told, says: alarm, ways: ['incident', 'incident-pushed', 'incident-eventarc'] },
  ...{ end: 'incident-closed', endedAt: '2026-11-20T14:14:40.000Z' },
});

test('somebody who tries a notification channel out takes no release back', async () => {
  expect((await read([fixture('incident-test')])).arrivals).toEqual([]);
});

describe('what a message tells', () => {
  const hints = (type: string) => [{ stream: 'model/fraud', type }];

  test.each([
    ['storage-finalized', [newData]],
    ['storage-notification', [newData]],
    ['storage-notification-bare', [newData]],
    ['storage-background', [newData]],
    ['storage-background-oldest', [newData]],
    ['incident', [alarm]],
    ['incident-pushed', [alarm]],
    ['incident-eventarc', [alarm]],
    ['job-log', hints('jobHinted')],
    ['audit-job-cancelled', hints('jobHinted')],
    ['audit-model-deployed', hints('endpointHinted')],
    ['tick', hints('clockTicked')],
    ['tick-pushed', hints('clockTicked')],
  ])('%s', async (name, expected) => {
    expect(await saidBy([fixture(name)])).toEqual(expected);
  });

  test.each([
    ['storage-deleted', 'google.cloud.storage.object.v1.deleted'],
    ['storage-metadata-updated', 'google.cloud.storage.object.v1.metadataUpdated'],
    ['storage-notification-deleted', 'OBJECT_DELETE'],
    ['incident-test', 'a test of a notification channel'],
    ['audit-job-created', 'a log entry of google.cloud.aiplatform.v1.JobService.CreateCustomJob'],
    ['audit-of-others', 'a log entry of google.pubsub.v1.Publisher.CreateTopic'],
    ['scheduler', 'google.cloud.scheduler.job.v1.executed'],
    ['build', 'an unknown message'],
    ['pubsub-empty', 'a message of Pub/Sub without data'],
  ])('%s is for nobody, and counted as %j', (name, what) => {
    expect(factsIn(fixture(name))).toEqual([{ kind: 'unrouted', what }]);
  });

  test('keys are taken as they are: dots, slashes and signs are never tidied up', () => {
    const events = oddKeys.map((name) => changed('storage-finalized', ({ data }) => Object.assign(data, { name })));
    const notifications = oddKeys.map((objectId) =>
      changed('storage-notification', ({ message }) => Object.assign(message.attributes, { objectId })),
    );

    for (const bodies of [events, notifications])
      expect(bodies.flatMap(factsIn).map((fact) => (fact.kind === 'object' ? fact.key : fact))).toEqual(oddKeys);
  });

  test('a notification is read by its attributes: its data may be of any form', () => {
    const bodies = ['/w==', '', 'bm8gSlNPTg=='].map((data) =>
      changed('storage-notification', ({ message }) => Object.assign(message, { data })),
    );

    expect(bodies.flatMap(factsIn).map(({ kind }) => kind)).toEqual(['object', 'object', 'object']);
  });

  test.each(['eventType', 'bucketId'])(
    'a message with only some of the attributes of a notification is read by its data (%s)',
    (name) => {
      const body = changed('storage-notification', ({ message }) => {
        delete message.attributes[name];
        message.data = encoded('{"serin":{"tick":"project"}}');
      });

      expect(factsIn(body)).toEqual([{ kind: 'tick', stream: 'project' }]);
    },
  );

  test("an endpoint of another service is not one of Vertex AI's", () => {
    const body = changed('audit-model-deployed', ({ data }) =>
      Object.assign(data.protoPayload, { serviceName: 'servicedirectory.googleapis.com' }),
    );

    expect(factsIn(body)).toMatchObject([{ kind: 'unrouted' }]);
  });

  test('an event whose data is base64 is read as one whose data is JSON', () => {
    const { data, ...event } = JSON.parse(fixture('storage-finalized'));

    const body = JSON.stringify({ ...event, data_base64: encoded(JSON.stringify(data)) });

    expect(factsIn(body)).toEqual(factsIn(fixture('storage-finalized')));
  });

  test.each(names.filter((name) => !/-(bytes|text)$/.test(name)))(
    '%s says the same in a message of Pub/Sub',
    (name) => {
      expect(factsIn(inEnvelope(inEnvelope(fixture(name))))).toEqual(factsIn(fixture(name)));
    },
  );
});

describe('an incident of Cloud Monitoring', () => {
  test.each([
    ['in capitals', { state: 'OPEN' }],
    ['with its time as text', { started_at: '1795183480' }],
    ['without a condition and a metric', { condition: undefined, metric: undefined, documentation: undefined }],
    ['that was over at no time', { ended_at: 0 }],
  ])('%s is one', async (_, more) => {
    expect(await saidBy([incident(more)])).toEqual([alarm]);
  });

  test.each([
    ['prod', ['model/churn']],
    ['staging', []],
  ])(
    'of an endpoint that goes by a number is of the model that the labels of the endpoint name (%s)',
    async (environment, models) => {
      const body = incident({
        resource: { labels: { endpoint_id: '4215678901234567890' } },
        metadata: { user_labels: { serin_environment: environment, serin_project: 'shop', serin_model: 'churn' } },
      });

      expect((await saidBy([body])).map(({ stream }) => stream)).toEqual(models);
    },
  );

  test("on somebody else's endpoint is for no model, though its policy names one of ours", async () => {
    expect(await read([fixture('incident-of-others')])).toMatchObject({
      arrivals: [],
      unrouted: ['alarm of no model'],
    });
  });

  test.each([
    ['incident-labelled', {}, true],
    ['incident-labelled', { policy_user_labels: { serin_environment: 'prod', serin_model: 'fraud' } }, true],
    ['incident-labelled', { policy_user_labels: { serin_environment: 'staging', serin_model: 'fraud' } }, false],
    ['incident-labelled', { policy_user_labels: { serin_model: 'fraud' } }, false],
    [
      'incident-labelled',
      { policy_user_labels: { serin_environment: 'prod', serin_project: 'other', serin_model: 'fraud' } },
      false,
    ],
    ['incident-documented', {}, true],
    ['incident-documented', { documentation: 'serin_model=prod/shop/fraud' }, true],
    ['incident-documented', { documentation: { subject: 'serin_model=prod/other/fraud' } }, false],
  ])(
    'of no endpoint is of the model that its policy names together with the environment (%s %j)',
    async (name, more, taken) => {
      const body = changed(name, (message) => Object.assign(message.incident, more));

      expect((await read([body])).arrivals).toHaveLength(taken ? 1 : 0);
    },
  );

  test('ends by itself: another one of the same policy goes on', async () => {
    const other = incident({ incident_id: '0.other' });

    expect(await saidBy([fixture('incident'), other, fixture('incident-closed')])).toMatchObject([
      { type: 'alertRaised', fingerprint: '0.nrwotmyokd9n', over: true },
      { type: 'alertRaised', fingerprint: '0.other' },
      { type: 'alertResolved', fingerprint: '0.nrwotmyokd9n' },
    ]);
  });

  test('that does not say when it ended has ended all the same', async () => {
    const body = changed('incident-closed', ({ incident }) => Object.assign(incident, { ended_at: null }));

    expect(await saidBy([body])).toMatchObject([{ type: 'alertResolved' }]);
  });
});

describe('a batch', () => {
  test('loses the messages that cannot be read, and no other', async () => {
    const { arrivals, failed } = await read(['pubsub-bytes', 'storage-notification', 'pubsub-text'].map(fixture));

    expect(failed).toMatchObject([
      { id: 'm0', fault: { retry: 'never' } },
      { id: 'm2', fault: { retry: 'never' } },
    ]);
    expect(arrivals).toMatchObject([{ signal: { type: 'dataHinted' }, messages: ['m1'] }]);
  });

  testAnyOrder(names.map(fixture), read);
});

describe('what claims to be ours or of Google and cannot be read', () => {
  const refused = [
    ['no JSON', 'hello', 'not JSON'],
    ['a message that is no text', fixture('pubsub-bytes'), 'UTF-8'],
    ['a message that is no JSON', fixture('pubsub-text'), 'not JSON'],
    ['a tick of no stream', inEnvelope('{"serin":{"tick":"rollout/1"}}'), 'tick'],
    ['an object without a name', changed('storage-finalized', ({ data }) => delete data.name), 'data.name'],
    ['an event without data', changed('storage-finalized', (event) => delete event.data), 'finalized'],
    [
      'a notification without an object',
      changed('storage-notification-bare', ({ message }) => delete message.attributes.objectId),
      'objectId',
    ],
    ['an incident in no state', incident({ state: 'BAD' }), '0.nrwotmyokd9n'],
    ['an incident at no time', incident({ started_at: 'noon' }), 'started_at'],
    ['an incident without an id', incident({ incident_id: '' }), 'incident_id'],
    ['a notification without an incident', '{"version":"1.2","incident":null}', 'incident'],
    ['a log of no job', JSON.stringify({ logName: 'l', resource: { type: 'ml_job' } }), 'job_id'],
  ] as const;
  testRefused(refused, factsIn);

  testUnbreakable(Object.fromEntries(names.map((name) => [name, fixture(name)])), { read: factsIn, inEnvelope });
});
