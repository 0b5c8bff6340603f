import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { compile, parseConfig } from '@serin/core/config/config';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { plans } from '../../../infra/aws/topology/functions.ts';
import { bundleFunctions } from '../../../scripts/bundle.ts';
import { emulated } from '../emulated.ts';
import { type Gate, startGate } from '../gate.ts';
import { type Emulator, type LambdaInstance, startDynamoDb, startLambda, startMoto } from '../installed.ts';
import { installation } from '../loop.contract.ts';
import { reach } from './clients.ts';
import { installed, sqsEvent, urlEvent, variablesOf } from './loop-world.ts';

/** A release of one model, which the API takes. */
function releaseEvent(bucket: string) {
  const image = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/prices:1';
  const train = { command: ['python', 'train.py'], image };
  const prices = { data: { bucket, prefix: 'prices/' }, train, approval: {}, serve: 'none' };
  const parsed = parseConfig({ ...installation, models: { prices } });
  if (!('parsed' in parsed)) throw new Error(JSON.stringify(parsed.problems));
  return urlEvent('POST', '/v1/releases', { config: compile(parsed.parsed, new Map(), 'aws') });
}

const tickOf = (stream: string): string => JSON.stringify({ serin: { tick: stream } });

type Name = keyof typeof plans;

function suite(): void {
  let folder: string;
  let files: Readonly<Record<string, string>>;
  let emulators: Readonly<Record<'dynamo' | 'moto', Emulator>>;
  /** To the store, and to the queues, which are far away. */
  let way: Gate;
  let longWay: Gate;
  let sqs: SQSClient;
  let drops: string;
  let queue: string;
  let variables: Readonly<Record<string, string>>;
  let instances: LambdaInstance[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serin-rie-'));
    const [dynamo, moto, bundles] = await Promise.all([startDynamoDb(), startMoto(), bundleFunctions('aws', folder)]);
    emulators = { dynamo, moto };
    files = Object.fromEntries(bundles.map(({ name, file }) => [name, file]));
    way = await startGate(dynamo.url);
    longWay = await startGate(moto.url, 500);
    sqs = new SQSClient(reach(moto.url));
  });
  beforeEach(async () => {
    instances = [];
    const { dynamo, moto } = emulators;
    const named = (what: string) => `${what}-${randomUUID()}`;
    drops = named('drops');
    const names = { table: named('serin'), own: named('own'), drops, queue: named('signals'), bus: named('serin') };
    const [s3, events] = [new S3Client(reach(moto.url)), new EventBridgeClient(reach(moto.url))];
    queue = await installed({ names, dynamo: dynamo.url, s3, sqs, events });
    const urls = { aws: moto.url, sqs: longWay.url, dynamo: way.url };
    const farQueue = queue.replace(moto.url, longWay.url);
    variables = variablesOf({ names, urls, queue: farQueue, secrets: '/serin/shop/prod/programs' });
  });
  afterEach(async () => {
    way.open();
    for (const instance of instances) instance.thaw();
    await Promise.all(instances.map((instance) => instance.stop()));
  });
  afterAll(async () => {
    await Promise.all([way, longWay, emulators?.dynamo, emulators?.moto].map((each) => each?.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  /** A new instance of a function, with the time that it has when it is deployed. */
  async function open(name: Name, timeoutSeconds = plans[name].timeoutSeconds): Promise<LambdaInstance> {
    const instance = await startLambda({ file: files[name] ?? '', variables, timeoutSeconds });
    instances.push(instance);
    return instance;
  }

  test.each<readonly [Name, unknown, unknown]>([
    ['api', urlEvent('GET', '/livez'), expect.objectContaining({ statusCode: 200 })],
    ['signals', sqsEvent([{ id: 'one', body: 'not JSON' }]), { batchItemFailures: [] }],
    ['clock', {}, null],
    ['deadLetters', sqsEvent([{ id: 'two', body: 'not JSON' }]), { batchItemFailures: [] }],
  ])('%s begins within the time that Lambda gives to an init, and answers', async (name, event, expected) => {
    const instance = await open(name);

    expect(await instance.call(event)).toEqual(expected);

    const initMs = Number(/Init Duration: ([\d.]+) ms/.exec(instance.output())?.[1]);
    // https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
    expect(initMs).toBeLessThan(10_000);
  });

  test('an instance that was frozen while its connections were ended answers the next call', async () => {
    const api = await open('api');
    const before = await api.call(urlEvent('GET', '/v1/models'));

    api.freeze();
    way.cut();
    const next = api.call(urlEvent('GET', '/v1/models'));
    api.thaw();

    const answer = { statusCode: 200, body: '{"models":[]}' };
    expect([before, await next]).toMatchObject([answer, answer]);
  });

  test('what a request left to do is in the queue once it is answered: the freeze that follows loses nothing', async () => {
    const api = await open('api');

    const answer = await api.call(releaseEvent(drops));
    api.freeze();

    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 10 }));
    expect(answer).toMatchObject({ statusCode: 202 });
    expect(Messages.map(({ Body }) => Body)).toEqual([tickOf('project')]);
  });

  test.each([
    { left: 20, told: [] },
    { left: plans.signals.timeoutSeconds, told: ['prices'] },
  ])('a call that may last $left s tells these models of a release: $told', async ({ left, told }) => {
    const [api, signals] = await Promise.all([open('api'), open('signals', left)]);
    await api.call(releaseEvent(drops));

    const taken = await signals.call(sqsEvent([{ id: 'one', body: tickOf('project') }]));

    const { body } = (await api.call(urlEvent('GET', '/v1/models'))) as { readonly body: string };
    expect(taken).toEqual({ batchItemFailures: [] });
    expect(JSON.parse(body).models.map(({ model }: { model: string }) => model)).toEqual(told);
  });

  test('a store that hangs is given up before the time is over, and the batch comes again whole', async () => {
    const signals = await open('signals');
    const batch = sqsEvent([
      { id: 'one', body: tickOf('model/prices') },
      { id: 'two', body: 'not JSON' },
    ]);
    await signals.call(sqsEvent([]));
    way.hang();

    const given = await signals.call(batch);
    way.open();

    expect(given).toEqual({ batchItemFailures: [{ itemIdentifier: 'one' }, { itemIdentifier: 'two' }] });
    expect(await signals.call(batch)).toEqual({ batchItemFailures: [] });
  }, 150_000);

  test('a batch whose time runs out comes again whole, to a new instance that takes it', async () => {
    // The next call begins a new instance within the same time, and this machine may be busy.
    const signals = await open('signals', 8);
    const batch = sqsEvent([{ id: 'one', body: tickOf('model/prices') }]);
    way.hang();

    const given = await signals.call(batch);
    way.open();

    expect(given).toBe('Task timed out after 8.00 seconds');
    expect(await signals.call(batch)).toEqual({ batchItemFailures: [] });
    expect(signals.output().match(/^instance /gm)).toHaveLength(2);
  }, 60_000);
}

emulated("the bundled functions under Lambda's runtime emulator", suite, ['lambda-rie']);
