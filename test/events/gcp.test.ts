import { Fault } from '@serin/core/base/fault';
import type { Owners } from '@serin/core/inbound/fact';
import { describe, expect, test } from 'vitest';
import { endpointName } from '../../functions/gcp/src/names.ts';
import { read as factsIn } from '../../functions/gcp/src/signals.ts';
import { openWorld } from '../api/world.ts';
import {
  after,
  alarmByApi,
  installation,
  payloadsOf,
  readerOf,
  released,
  releasing,
  said,
  stamped,
  testAnyOrder,
  testUnbreakable,
  type World,
  watched,
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

const key = 'fraud/2026/11/20/part 0001+ä%2F.csv';
const newData = { stream: 'model/fraud', type: 'dataHinted', keys: [key] };
const alarm = {
  stream: 'model/fraud',
  type: 'alertRaised',
  kind: 'alert',
  sender: 'cloud-monitoring',
  fingerprint: '0.nrwotmyokd9n',
  startedAt: '2026-11-20T14:04:40.000Z',
  title: 'fraud-errors: Error count for acme fraud is above the threshold of 5.000 with a value of 9.000.',
};

describe('a happening on Google Cloud gives the signals that it gives on one machine', () => {
  const onGoogle =
    (...fixtures: readonly string[]) =>
    async ({ engine, now }: World) => {
      for (const arrival of (await read(fixtures.map(fixture))).arrivals)
        await engine.receive(arrival.stream, stamped(arrival, now()));
    };

  test.each(['storage-finalized', 'storage-notification', 'storage-notification-bare', 'storage-background'])(
    'an object in a bucket (%s)',
    async (name) => {
      const here = await after(released, (world) => world.put(key, 'day,amount\n2026-01-01,1\n'));

      expect(here).toMatchObject([{ signal: { type: 'dataHinted', keys: [key] }, patch: { intake: {} } }]);
      expect(await after(released, onGoogle(name))).toEqual(here);
    },
  );

  test('many files in the folders of a bucket', async () => {
    const files = ['fraud/a.csv', key, 'fraud/b c.csv', 'fraud-labels/1.csv', 'fraud-labels/2.csv', 'nobodys/x.csv'];

    const here = await watched(files);
    const there = await saidBy(
      files.map((file) => changed('storage-finalized', ({ data }) => Object.assign(data, { name: file }))),
    );

    expect(here).toHaveLength(2);
    expect(there).toEqual(here);
  });

  test('an alarm, and its end', async () => {
    const { raise, resolve } = alarmByApi(alarm);

    const here = await after(releasing, async (world) => [
      await raise(alarm.title)(world),
      await resolve('2026-11-20T14:14:40.000Z')(world),
    ]);
    const there = await after(releasing, async (world) => [
      await onGoogle('incident-pushed')(world),
      await onGoogle('incident-closed')(world),
    ]);

    expect(here.map(({ signal }) => signal.type)).toEqual(['alertResolved', 'alertRaised']);
    expect(JSON.stringify(here)).toContain('"status":"reverting"');
    expect(there).toEqual(here);
  });

  test('is known when it comes again', async () => {
    const world = await openWorld();
    await releasing(world);
    const bodies = ['incident', 'incident-pushed', 'incident-closed'].map(fixture);

    const outcomes = [];
    for (const body of [...bodies, ...bodies])
      for (const arrival of (await read([body])).arrivals)
        outcomes.push((await world.engine.receive(arrival.stream, stamped(arrival, world.now()))).kind);

    expect(outcomes).toEqual(['moved', 'repeated', 'moved', 'repeated', 'repeated', 'repeated']);
  });

  test('does not take a release back because somebody tries a notification channel out', async () => {
    expect(await after(releasing, onGoogle('incident-test'))).toEqual([]);
  });
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
    const odd = ['fraud/../x', 'fraud//y', 'fraud/%41', 'fraud/ ', 'fraud/e\u0301', 'fraud/+', 'fraud/\u{1f600}'];

    const events = odd.map((name) => changed('storage-finalized', ({ data }) => Object.assign(data, { name })));
    const notifications = odd.map((objectId) =>
      changed('storage-notification', ({ message }) => Object.assign(message.attributes, { objectId })),
    );

    for (const bodies of [events, notifications])
      expect(bodies.flatMap(factsIn).map((fact) => (fact.kind === 'object' ? fact.key : fact))).toEqual(odd);
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

  test('fails the one message that cannot be looked up, and no other', async () => {
    const denied: Owners = { ...owners, modelOfJob: () => Promise.reject(new Fault('unavailable', 'no answer')) };

    const { arrivals, failed } = await read([fixture('job-log'), fixture('audit-model-deployed')], denied);

    expect(failed).toMatchObject([{ id: 'm0', fault: { retry: 'later' } }]);
    expect(arrivals).toMatchObject([{ signal: { type: 'endpointHinted' }, messages: ['m1'] }]);
  });

  testAnyOrder(names.map(fixture), read);
});

describe('what claims to be ours or of Google and cannot be read', () => {
  test.each([
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
  ])('%s is refused, and says what is wrong', (_, body, because) => {
    expect(() => factsIn(body)).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining(because) }),
    );
  });

  testUnbreakable(Object.fromEntries(names.map((name) => [name, fixture(name)])), { read: factsIn, inEnvelope });
});
