import type { Owners } from '@serin/core/inbound/fact';
import { describe, expect, test } from 'vitest';
import { endpointName, groupName } from '../../functions/aws/src/names.ts';
import { read as factsIn } from '../../functions/aws/src/signals.ts';
import { compiled } from '../api/world.ts';
import {
  after,
  aKey,
  installation,
  oddKeys,
  payloadsOf,
  readerOf,
  said,
  stamped,
  testAlarms,
  testAnyOrder,
  testObjects,
  testRefused,
  testUnbreakable,
  type World,
} from './happenings.ts';

/**
 * Payloads as AWS sends them, in test/events/aws. They were written from the samples of AWS's documentation with the
 * names of an installation put in, not recorded from an account:
 * S3 user guide (ev-events, notification-content-structure), SageMaker developer guide
 * (automating-sagemaker-with-eventbridge), CloudWatch user guide (cloudwatch-and-eventbridge); alarms in SNS and names of
 * target tracking alarms from published real ones. `s3-test-event` is from memory of such an event.
 */
const { names, fixture, changed } = payloadsOf('aws');
const single = names.filter((name) => name !== 'sqs-batch');

const owners: Owners = {
  installation,
  modelOfEndpoint: async (name) => ['fraud', 'churn'].find((model) => endpointName(installation, model) === name),
  modelOfJob: async (job) => (/^\w+\/prod-shop--fraud-(train|evaluate|predict)-/.test(job) ? 'fraud' : undefined),
  // The number of the package is the registry's own; the version of the model is in its metadata.
  versionOf: async (arn) =>
    arn.includes(`/${groupName(installation, 'fraud')}/`) ? { model: 'fraud', version: 1, by: 'arn:eve' } : undefined,
};

const read = readerOf(factsIn, owners);
const saidBy = async (bodies: readonly string[]) => said(await read(bodies));

const inEnvelope = (body: string): string =>
  JSON.stringify({ Type: 'Notification', TopicArn: 'arn:aws:sns:eu-west-1:123456789012:alerts', Message: body });

const alarm = {
  stream: 'model/fraud',
  type: 'alertRaised',
  kind: 'alert',
  sender: 'cloudwatch',
  fingerprint: 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:fraud-5xx',
  startedAt: '2026-11-20T14:04:40.989Z',
  title: 'fraud-5xx: Threshold Crossed: 1 datapoint [9.0] was greater than the threshold (5.0).',
};

const told = { cloud: 'AWS', read, fixture };
testObjects({
  ...{ ...told, owners },
  objects: ['s3-created', 's3-created-unversioned', 's3-notification'],
  objectOf: (key) => changed('s3-created', ({ detail }) => Object.assign(detail.object, { key })),
  hints: { job: 'training-failed', endpoint: 'endpoint-in-service' },
});
testAlarms({
  ...{ ...told, says: alarm, ways: ['alarm', 'alarm-sns'] },
  ...{ end: 'alarm-ok', endedAt: '2026-11-20T14:14:40.989Z' },
});

describe('a decision on AWS gives the signals that it gives on one machine', () => {
  const onAws =
    (...fixtures: readonly string[]) =>
    async ({ engine, now }: World) => {
      for (const arrival of (await read(fixtures.map(fixture))).arrivals)
        await engine.receive(arrival.stream, stamped(arrival, now()));
    };

  test('an approval, and a rejection', async () => {
    const waiting = async (world: World) => {
      await world.release(compiled({ approval: { required: true } }));
      await world.put('fraud/a.csv', 'day,amount\n2026-01-01,1\n');
      await world.pass(60_000);
    };
    const decide = (verb: string, body: object) => (world: World) =>
      world.call('POST', `/v1/models/fraud/versions/1/${verb}`, body);

    const approved = await after(waiting, decide('approve', { note: 'checked by hand' }));
    const rejected = await after(waiting, decide('reject', {}));

    expect(approved).toMatchObject([{ signal: { type: 'approvalGiven', version: 1, approved: true } }]);
    expect(await after(waiting, onAws('package-approved'))).toEqual(approved);
    expect(await after(waiting, onAws('package-rejected'))).toEqual(rejected);
  });
});

test("auto scaling's own alarms take no release back", async () => {
  expect((await read([fixture('alarm-autoscaling')])).arrivals).toEqual([]);
});

describe('what a message tells', () => {
  const hints = (type: string) => [{ stream: 'model/fraud', type }];

  test.each([
    ['s3-created', [{ stream: 'model/fraud', type: 'dataHinted', keys: [aKey] }]],
    ['s3-created-unversioned', [{ stream: 'model/fraud', type: 'dataHinted', keys: [aKey] }]],
    ['s3-notification', [{ stream: 'model/fraud', type: 'dataHinted', keys: [aKey] }]],
    ['s3-notification-several', [{ stream: 'model/fraud', type: 'dataHinted', keys: [aKey, 'fraud/b.csv'] }]],
    ['training-failed', hints('jobHinted')],
    ['training-completed-text-times', hints('jobHinted')],
    ['processing-completed', hints('jobHinted')],
    ['endpoint-in-service', hints('endpointHinted')],
    ['endpoint-deployment', hints('endpointHinted')],
    ['alarm', [alarm]],
    ['alarm-sns', [alarm]],
    ['alarm-sns-raw', [alarm]],
    ['tick', hints('clockTicked')],
  ])('%s', async (name, expected) => {
    expect(await saidBy([fixture(name)])).toEqual(expected);
  });

  test.each([
    ['s3-deleted', 'aws.s3 Object Deleted'],
    ['s3-test-event', 's3:TestEvent'],
    ['pipeline-execution', 'aws.sagemaker SageMaker Model Building Pipeline Execution Status Change'],
    ['package-created', 'a model package that waits for its approval'],
    ['package-metadata', 'a change of a model package that is no approval'],
    ['alarm-insufficient-data', 'an alarm without data'],
    ['alarm-composite-suppressed', 'an alarm whose actions are suppressed'],
    ['alarm-autoscaling', 'an alarm of auto scaling'],
    ['sns-subscription', 'SNS SubscriptionConfirmation'],
    ['sns-text', 'a text published to SNS'],
  ])('%s is for nobody, and counted as %j', (name, what) => {
    expect(factsIn(fixture(name))).toEqual([{ kind: 'unrouted', what }]);
  });

  test('a deleted object is not new, beside one that is', () => {
    expect(factsIn(fixture('s3-notification-several')).map(({ kind }) => kind)).toEqual([
      'object',
      'unrouted',
      'object',
    ]);
  });

  test.each([
    [
      'a name with the prefix of its documentation',
      { eventName: 's3:ObjectRestore:Completed' },
      's3:ObjectRestore:Completed',
    ],
    ['a record of SNS', { eventSource: undefined, EventSource: 'aws:sns' }, 'a record of aws:sns'],
    ['a record of nobody', { eventSource: undefined }, 'a record of nobody'],
  ])('%s is counted by its own name', (_, more, what) => {
    const body = changed('s3-notification', ({ Records: [it] }) => Object.assign(it, more));

    expect(factsIn(body)).toEqual([{ kind: 'unrouted', what }]);
  });

  test('a store that writes s3: before its events tells of a new object as well', () => {
    const body = changed('s3-notification', ({ Records: [it] }) =>
      Object.assign(it, { eventName: 's3:ObjectCreated:Put' }),
    );

    expect(factsIn(body)).toEqual([{ kind: 'object', bucket: 'drops', key: aKey }]);
  });

  test('a key that EventBridge has encoded is found below its prefix all the same', async () => {
    const encoded = (key: string) => changed('s3-created', ({ detail }) => Object.assign(detail.object, { key }));

    expect(await saidBy([encoded('fraud%2Fpart%201+%C3%A4.csv')])).toEqual([
      { stream: 'model/fraud', type: 'dataHinted', keys: ['fraud/part 1 ä.csv'] },
    ]);
    expect(await saidBy([encoded('100%')])).toEqual([]);
  });

  test('a notification of nothing is counted', () => {
    expect(factsIn('{"Records":[]}')).toMatchObject([{ kind: 'unrouted' }]);
  });

  test('keys are taken as they are: dots, slashes and signs are never tidied up', async () => {
    const onBus = oddKeys.map((each) =>
      changed('s3-created', ({ detail }) => Object.assign(detail.object, { key: each })),
    );
    const encode = (text: string) => encodeURIComponent(text).replaceAll('%20', '+').replaceAll('%2F', '/');
    const asNotices = oddKeys.map((each) =>
      changed('s3-notification', ({ Records }) => Object.assign(Records[0].s3.object, { key: encode(each) })),
    );

    for (const bodies of [onBus, asNotices]) {
      const keys = bodies.flatMap(factsIn).map((fact) => (fact.kind === 'object' ? fact.key : fact));
      expect(keys).toEqual(oddKeys);
    }
  });

  test('an alarm says the same over EventBridge and over SNS: of one metric, of maths, and composite', async () => {
    for (const name of ['alarm', 'alarm-maths', 'alarm-composite']) {
      const [bus, topic] = [await read([fixture(name)]), await read([fixture(`${name}-sns`)])];

      expect(bus.arrivals).toHaveLength(1);
      expect(topic).toEqual(bus);
    }
  });

  test('an alarm of somebody else, and an endpoint and a job of somebody else, are for no model', async () => {
    const others = [
      fixture('alarm-of-others'),
      changed('endpoint-in-service', ({ detail }) => Object.assign(detail, { EndpointName: 'theirs' })),
      changed('training-failed', ({ detail }) => Object.assign(detail, { TrainingJobName: 'theirs' })),
      changed('package-approved', ({ detail }) => Object.assign(detail, { ModelPackageArn: 'arn:theirs/1' })),
      changed('s3-created', ({ detail }) => Object.assign(detail.bucket, { name: 'theirs' })),
    ];

    expect(await read(others)).toEqual({
      arrivals: [],
      failed: [],
      unrouted: ['alarm', 'endpoint', 'job', 'approval', 'object'].map((kind) => `${kind} of no model`),
    });
  });

  test('an alarm names a model in its description only if there is one', async () => {
    const named = (model: string) =>
      changed('alarm-composite', ({ detail }) =>
        Object.assign(detail.configuration, { description: `serin_model=prod/${model}` }),
      );

    expect((await read([named('churn')])).arrivals).toMatchObject([{ stream: 'model/churn' }]);
    expect((await read([named('nothing-of-ours')])).arrivals).toEqual([]);
  });

  test("an alarm on Model Monitor's metrics is the endpoint's, whose dimension is named otherwise", async () => {
    const body = changed('alarm', ({ detail }) => {
      const { metric } = detail.configuration.metrics[0].metricStat;
      metric.dimensions = { Endpoint: metric.dimensions.EndpointName, MonitoringSchedule: 'daily' };
    });

    expect((await read([body])).arrivals).toMatchObject([{ stream: 'model/fraud', signal: { type: 'alertRaised' } }]);
  });

  test('an alarm that is muted raises nothing, and its end is heard', async () => {
    const muteDetail = JSON.parse(fixture('alarm-muted')).detail.muteDetail;
    const ended = changed('alarm-ok', ({ detail }) => Object.assign(detail, { muteDetail }));

    expect(await read([fixture('alarm-muted')])).toMatchObject({
      arrivals: [],
      unrouted: ['an alarm whose actions are suppressed'],
    });
    expect(await saidBy([ended])).toMatchObject([{ type: 'alertResolved' }]);
  });

  test('an alarm that an archive of the bus replays raises nothing', async () => {
    const replayed = changed('alarm', (event) => Object.assign(event, { 'replay-name': 'last-week' }));

    expect(await read([replayed])).toMatchObject({ arrivals: [], unrouted: ['an alarm that was replayed'] });
  });

  test('an alarm whose end lies in the same batch is over, whichever came first; one that began later is not', async () => {
    const later = changed('alarm', ({ detail }) =>
      Object.assign(detail.state, { timestamp: '2026-11-20T15:00:00.000+0000' }),
    );

    for (const bodies of [
      [fixture('alarm'), fixture('alarm-ok'), later],
      [later, fixture('alarm-ok'), fixture('alarm')],
    ])
      expect((await saidBy(bodies)).map((said) => [said.type, 'over' in said])).toEqual([
        ['alertRaised', true],
        ['alertResolved', false],
        ['alertRaised', false],
      ]);
  });

  test('an alarm that fires again is another alert', async () => {
    const again = changed('alarm', ({ detail }) =>
      Object.assign(detail.state, { timestamp: '2026-11-20T15:00:00.000+0000' }),
    );

    const { arrivals } = await read([fixture('alarm'), again]);

    expect(arrivals.map(({ signal }) => ('startedAt' in signal ? signal.startedAt : ''))).toEqual([
      '2026-11-20T14:04:40.989Z',
      '2026-11-20T15:00:00.000Z',
    ]);
    expect(new Set(arrivals.map(({ id }) => id)).size).toBe(2);
  });

  test('an approval has one id, however its time is written', async () => {
    const times = ['2026-11-20T13:00:14Z', '2026-11-20T13:00:14.000+0000', 1795179614000, '1795179614000'];

    const ids = await Promise.all(
      times.map(async (LastModifiedTime) => {
        const body = changed('package-approved', ({ detail }) => Object.assign(detail, { LastModifiedTime }));
        return (await read([body])).arrivals[0]?.id;
      }),
    );

    expect(new Set(ids).size).toBe(1);
  });

  test('an approval is by whom AWS names', async () => {
    expect((await read([fixture('package-approved')])).arrivals).toMatchObject([{ by: 'arn:eve' }]);
  });

  test.each(single.filter((name) => !name.startsWith('sns-') && !name.endsWith('-sns') && name !== 'tick'))(
    '%s says the same in the envelope of SNS',
    (name) => {
      expect(factsIn(inEnvelope(fixture(name)))).toEqual(factsIn(fixture(name)));
    },
  );

  test('a tick is ours alone: one that was published to a topic is not', () => {
    expect(factsIn(inEnvelope(fixture('tick')))).toMatchObject([{ kind: 'unrouted' }]);
  });
});

describe('a batch', () => {
  test('loses the one record that cannot be read, and no other', async () => {
    const bodies = JSON.parse(fixture('sqs-batch')).Records.map(({ body }: { readonly body: string }) => body);

    const { arrivals, failed } = await read(bodies);

    expect(failed).toMatchObject([{ id: 'm1', fault: { retry: 'never' } }]);
    expect(arrivals.map(({ signal, messages }) => [signal.type, messages])).toEqual([
      ['dataHinted', ['m0']],
      ['alertRaised', ['m2']],
    ]);
  });

  test('takes the records of a notification that can be read, and fails its message for the one that cannot', async () => {
    const body = changed('s3-notification-several', ({ Records }) =>
      Object.assign(Records[0], { eventVersion: '3.0' }),
    );

    const { arrivals, failed, unrouted } = await read([body]);

    expect(arrivals).toMatchObject([{ signal: { type: 'dataHinted', keys: ['fraud/b.csv'] }, messages: ['m0'] }]);
    expect(failed).toMatchObject([{ id: 'm0', fault: { retry: 'never' } }]);
    expect(unrouted).toHaveLength(1);
  });

  testAnyOrder(single.map(fixture), read);

  test('tells an alarm before its end, whichever came first', async () => {
    const types = (await read([fixture('alarm-ok'), fixture('alarm')])).arrivals.map(({ signal }) => signal.type);

    expect(types).toEqual(['alertRaised', 'alertResolved']);
  });

  test('of more than 50 files says that anything may have come', async () => {
    const bodies = Array.from({ length: 51 }, (_, index) =>
      changed('s3-created', ({ detail }) => Object.assign(detail.object, { key: `fraud/${index}` })),
    );

    const keys = async (count: number) => (await read(bodies.slice(0, count))).arrivals.map(({ signal }) => signal);

    expect(await keys(51)).toMatchObject([{ type: 'dataHinted', keys: [] }]);
    expect(await keys(50)).toMatchObject([{ keys: { length: 50 } }]);
  });

  test('names for each signal all messages that told it', async () => {
    const { arrivals } = await read(['training-failed', 's3-created', 'training-completed-text-times'].map(fixture));

    expect(arrivals.map(({ signal, messages }) => [signal.type, messages])).toEqual([
      ['dataHinted', ['m1']],
      ['jobHinted', ['m0', 'm2']],
    ]);
  });
});

describe('what claims to be ours or of AWS and cannot be read', () => {
  const refused = [
    ['no JSON', 'hello', 'not JSON'],
    ['no object', '[1]', 'JSON object'],
    ['a tick of no stream', '{"serin":{"tick":"rollout/1"}}', 'tick'],
    ['an unknown message of ours', '{"serin":{}}', 'tick'],
    ['an object without a key', changed('s3-created', ({ detail }) => delete detail.object.key), 'detail.object.key'],
    ['an event without a detail', changed('training-failed', (event) => delete event.detail), 'detail'],
    [
      'a job without a name',
      changed('training-failed', ({ detail }) => delete detail.TrainingJobName),
      'TrainingJobName',
    ],
    [
      'a notification of version 3',
      changed('s3-notification', ({ Records: [it] }) => Object.assign(it, { eventVersion: '3.0' })),
      'eventVersion',
    ],
    [
      'an S3 event of version 2',
      changed('s3-created', ({ detail }) => Object.assign(detail, { 'event-version': '2.0' })),
      'event-version',
    ],
    [
      'a key that is not encoded',
      changed('s3-notification', ({ Records: [it] }) => Object.assign(it.s3.object, { key: '100%' })),
      "'100%'",
    ],
    [
      'an alarm in no state',
      changed('alarm', ({ detail }) => Object.assign(detail.state, { value: 'BAD' })),
      'fraud-5xx',
    ],
    [
      'an alarm at no time',
      changed('alarm', ({ detail }) => Object.assign(detail.state, { timestamp: 'noon' })),
      'time',
    ],
    ['an alarm without an ARN', changed('alarm', (event) => Object.assign(event, { resources: [] })), 'ARN'],
  ] as const;
  testRefused(refused, factsIn);

  testUnbreakable(Object.fromEntries(single.map((name) => [name, fixture(name)])), { read: factsIn, inEnvelope });
});
