import { Fault } from '@serin/core/base/fault';
import { findDeadLetter } from '@serin/core/engine/dead-letters';
import type { Engine } from '@serin/core/engine/engine';
import type { Journal } from '@serin/core/ports/journal';
import { expect, test } from 'vitest';
import { memoryJournal } from '../../../test/simulation/fakes/journal.ts';
import { atOnce } from '../../../test/simulation/fakes/sync.ts';
import { buryBatch, comeSoon, takeBatch, type Worker } from './worker.ts';

const plan = { data: { bucket: 'drops', prefix: 'fraud/' }, on: {}, alerts: {} };
const config = async () => ({ models: { fraud: plan } }) as never; // routes read no more of a config
const tick = { messageId: 'm-tick', body: JSON.stringify({ serin: { tick: 'model/fraud' } }) };
const alarm = {
  messageId: 'm-alarm',
  body: JSON.stringify({
    'detail-type': 'CloudWatch Alarm State Change',
    source: 'aws.cloudwatch',
    resources: ['arn:aws:cloudwatch:eu-west-1:123456789012:alarm:too-many-errors'],
    detail: {
      alarmName: 'too-many-errors',
      configuration: { description: 'serin_model=prod/fraud' },
      state: { value: 'ALARM', timestamp: '2026-11-20T14:04:40.989+0000' },
    },
  }),
};

function opened(engine: Partial<Engine>, more: Partial<Worker> = {}, journal = atOnce<Journal>(memoryJournal())) {
  const again: [string, number][] = [];
  const worker: Worker = {
    engine: { receive: noEngine, handle: noEngine, dispatch: async () => {}, ...engine },
    config,
    lookUp: {
      installation: { project: 'shop', environment: 'prod' },
      modelOfEndpoint: async () => undefined,
      modelOfJob: async () => undefined,
      versionOfPackage: async () => undefined,
    },
    journal,
    queue: {
      tick: async () => {},
      ticks: async () => {},
      send: async () => {},
      again: async (receipt, seconds) => void again.push([receipt, seconds]),
    },
    now: () => Date.UTC(2026, 10, 20, 15),
    facts: { say: () => {}, fault: () => {}, count: () => {} },
    ...more,
  };
  const letters = async () => (await journal.names('dead/')).items.map(({ key }) => key);
  return { worker, journal, again, letters };
}
async function noEngine(): Promise<never> {
  throw new Error('nobody should have asked');
}

test('an alert does not wait behind what a tick of the same batch pays', async () => {
  const heard = Promise.withResolvers<string>();
  const { worker } = opened({
    dispatch: () => new Promise(() => {}),
    handle: async (stream, { type }) => {
      heard.resolve(`${stream} ${type}`);
      return { kind: 'moved', seq: 1 };
    },
  });

  void takeBatch(worker, [tick, alarm]);

  expect(await heard.promise).toBe('model/fraud alertRaised');
}, 2000);

test('a signal that fails for a moment brings its own message back, and no other', async () => {
  const busy = async () => Promise.reject(new Fault('unavailable', 'DynamoDB does not answer'));
  const { worker, letters } = opened({ handle: busy });

  const again = await takeBatch(worker, [tick, alarm]);

  expect(again).toEqual(['m-alarm']);
  expect(await letters()).toEqual([]);
});

test('a signal that fails for good is a dead letter of its stream, and its message is done', async () => {
  const broken = async () => Promise.reject(new Error('nobody foresaw this'));
  const { worker, journal, letters } = opened({ handle: broken });

  const again = await takeBatch(worker, [tick, alarm]);

  expect(again).toEqual([]);
  expect(await letters()).toEqual(['dead/m-alarm']);
  expect(await findDeadLetter(journal, 'm-alarm')).toMatchObject({
    stream: 'model/fraud',
    signal: { type: 'alertRaised' },
    because: 'nobody foresaw this',
  });
});

test('a dead letter of an event of a job has none of the variables of the job, secrets among them', async () => {
  const detail = { TrainingJobName: 'j', Environment: { API_KEY: 'canary-of-a-secret' }, TrainingJobStatus: 'Failed' };
  const resources = ['arn:aws:sagemaker:eu-west-1:123456789012:training-job/j'];
  const event = { source: 'aws.sagemaker', 'detail-type': 'SageMaker Training Job State Change', resources, detail };
  const modelOfJob = () => Promise.reject(new Fault('defect', 'nobody foresaw this'));
  const lookUp = { ...opened({}).worker.lookUp, modelOfJob };
  const { worker, journal } = opened({}, { lookUp });

  await takeBatch(worker, [{ messageId: 'm-job', body: JSON.stringify(event) }]);
  await buryBatch(worker, [{ messageId: 'm-given-up', body: JSON.stringify(event) }]);

  const { Environment: _, ...bare } = detail;
  for (const id of ['m-job', 'm-given-up']) {
    const letter = await findDeadLetter(journal, id);
    expect(letter?.signal).toEqual({ body: JSON.stringify({ ...event, detail: bare }) });
    expect(JSON.stringify(letter)).not.toContain('canary');
  }
});

test('a signal that cannot even be buried comes again', async () => {
  const broken = async () => Promise.reject(new Error('nobody foresaw this'));
  const append = async () => Promise.reject(new Fault('unavailable', 'DynamoDB does not answer'));
  const { worker } = opened({ handle: broken }, {}, { ...atOnce<Journal>(memoryJournal()), append });

  expect(await takeBatch(worker, [tick, alarm])).toEqual(['m-alarm']);
});

test('while the released config cannot be read every message comes again, and none becomes a dead letter', async () => {
  const denied = async () => Promise.reject(new Fault('invalid', 'not authorized to perform s3:GetObject'));
  const { worker, letters } = opened({}, { config: denied });

  const again = await takeBatch(worker, [tick, alarm]);

  expect(again).toEqual(['m-tick', 'm-alarm']);
  expect(await letters()).toEqual([]);
});

test('a stream whose tick fails for good each minute is one dead letter', async () => {
  const dispatch = async () => Promise.reject(new Fault('invalid', 'its state is too large'));
  const { worker, letters } = opened({ dispatch });

  for (const messageId of ['m1', 'm2', 'm3']) await takeBatch(worker, [{ ...tick, messageId }]);

  expect(await letters()).toEqual(['dead/tick.model.fraud']);
});

test('a message that no dead letter has room for becomes a cut one', async () => {
  const journal = atOnce<Journal>(
    memoryJournal((write) => {
      if (JSON.stringify(write).length > 390_000) throw new Fault('invalid', 'too large');
      return write;
    }),
  );
  const { worker } = opened({}, {}, journal);
  const body = `not JSON ${'x'.repeat(900_000)}`;

  const again = await takeBatch(worker, [{ messageId: 'm1', body }]);

  expect(again).toEqual([]);
  expect(await findDeadLetter(journal, 'm1')).toMatchObject({
    signal: { body: expect.stringMatching(/^not JSON x/) },
    because: 'the message is not JSON (cut: there was no room for all of it)',
  });
});

test('what failed for a moment comes again in seconds, and ever later', async () => {
  const { worker, again } = opened({});
  const record = (messageId: string, ApproximateReceiveCount: string) => ({
    messageId,
    receiptHandle: `receipt of ${messageId}`,
    attributes: { ApproximateReceiveCount },
  });

  await comeSoon(worker, [record('a', '1'), record('b', '3'), record('c', '5'), record('done', '1')], ['a', 'b', 'c']);

  expect(again).toEqual([
    ['receipt of a', 15],
    ['receipt of b', 240],
    ['receipt of c', 720],
  ]);
});
