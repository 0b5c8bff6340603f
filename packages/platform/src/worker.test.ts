import { Fault } from '@serin/core/base/fault';
import { findDeadLetter } from '@serin/core/engine/dead-letters';
import type { Engine } from '@serin/core/engine/engine';
import type { Fact } from '@serin/core/inbound/fact';
import { engineActor } from '@serin/core/ports/actors';
import type { Journal } from '@serin/core/ports/journal';
import { expect, test } from 'vitest';
import { memoryJournal } from '../../../test/simulation/fakes/journal.ts';
import { atOnce } from '../../../test/simulation/fakes/sync.ts';
import { buryBatch } from './letters.ts';
import { readBody } from './message.ts';
import { comeSoon, takeBatch, type Worker } from './worker.ts';

const plan = { data: { bucket: 'drops', prefix: 'fraud/' }, on: {}, alerts: {} };
const config = async () => ({ models: { fraud: plan } }) as never; // routes read no more of a config
const bodyOf = (fact: Fact): string => JSON.stringify({ fact });
const tick = { id: 'm-tick', body: JSON.stringify({ serin: { tick: 'model/fraud' } }) };
const at = '2026-11-20T14:04:40.989Z';
const alarm = {
  id: 'm-alarm',
  body: bodyOf({
    kind: 'alarm',
    id: 'al_1',
    of: { endpoints: [], written: ['prod/fraud'] },
    says: { type: 'alertRaised', kind: 'alert', sender: 's', fingerprint: 'errors', startedAt: at, title: 'errors' },
    saidAt: at,
  }),
};

function opened(engine: Partial<Engine>, more: Partial<Worker> = {}, journal = atOnce<Journal>(memoryJournal())) {
  const worker: Worker = {
    engine: { receive: noEngine, handle: noEngine, dispatch: async () => {}, ...engine },
    config,
    // A platform whose messages are facts already.
    read: (body) => readBody(body, ({ fact }) => [fact as Fact]),
    owners: {
      installation: { project: 'shop', environment: 'prod' },
      modelOfEndpoint: async () => undefined,
      modelOfJob: async () => undefined,
      versionOf: async () => undefined,
    },
    journal,
    queue: {
      tick: async () => {},
      ticks: async () => {},
      send: async () => {},
    },
    now: () => Date.UTC(2026, 10, 20, 15),
    log: { say: () => {}, fault: () => {}, count: () => {} },
    withoutSecrets: (body) => body,
    ...more,
  };
  const letters = async () => (await journal.names('dead/')).items.map(({ key }) => key);
  return { worker, journal, letters };
}
async function noEngine(): Promise<never> {
  throw new Error('nobody should have asked');
}

test('an alert does not wait behind what a tick of the same batch dispatches', async () => {
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

const second = { id: 'm-second', body: alarm.body.replaceAll('errors', 'latency').replace('al_1', 'al_2') };

test('of two alerts of a model both are decided before anything is performed for one', async () => {
  const heard: string[] = [];
  const { worker } = opened({
    receive: async (_, { id }) => {
      heard.push(id);
      return { kind: 'moved', seq: 1 };
    },
    dispatch: async () => void heard.push('performed'),
  });

  expect(await takeBatch(worker, [second, alarm])).toEqual([]);

  expect(heard).toEqual(['al_1', 'al_2', 'performed']);
});

test('of two alerts of a model both come again when what they owe cannot be looked at, and only the one that failed else', async () => {
  const fault = new Fault('unavailable', 'the journal does not answer');
  const receive: Engine['receive'] = async (_, { id }) => {
    if (id === 'al_2') throw fault;
    return { kind: 'moved', seq: 1 };
  };
  const dispatch = () => Promise.reject(fault);

  expect(await takeBatch(opened({ receive }).worker, [second, alarm])).toEqual(['m-second']);
  expect((await takeBatch(opened({ receive, dispatch }).worker, [second, alarm])).toSorted()).toEqual([
    'm-alarm',
    'm-second',
  ]);
});

test('a signal that fails for a moment brings its own message back, and no other', async () => {
  const busy = async () => Promise.reject(new Fault('unavailable', 'the journal does not answer'));
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

test('a signal that is refused is done, and said to whoever reads the log', async () => {
  const said: unknown[] = [];
  const handle = async () => ({ kind: 'refused', because: 'the model left the config' }) as const;
  const { worker, letters } = opened({ handle });
  const log = { ...worker.log, say: (what: string, more: object) => void said.push([what, more]) };

  const again = await takeBatch({ ...worker, log }, [alarm]);

  expect(again).toEqual([]);
  expect(await letters()).toEqual([]);
  expect(said).toEqual([
    ['refused', { stream: 'model/fraud', signal: 'alertRaised', because: 'the model left the config' }],
  ]);
});

test('a message for nobody is done, and counted by a short name of what it is', async () => {
  const counted: unknown[] = [];
  const { worker, letters } = opened({}, { read: () => [{ kind: 'unrouted', what: 'x'.repeat(500) }] });
  const log = { ...worker.log, count: (metric: string, more: object) => void counted.push([metric, more]) };

  const again = await takeBatch({ ...worker, log }, [{ id: 'm1', body: '' }]);

  expect([again, await letters()]).toEqual([[], []]);
  expect(counted).toEqual([['ForeignSignals', { what: 'x'.repeat(120) }]]);
});

test('an approval is given by whom the registry names, and every other signal by Serin', async () => {
  const actors: unknown[] = [];
  const { worker } = opened({
    handle: async (_, { actor }) => {
      actors.push(actor);
      return { kind: 'moved', seq: 1 };
    },
  });
  const versionOf = async () => ({ model: 'fraud', version: 3, by: 'ann' });
  const approval = { kind: 'approval', id: 'ap_1', ref: 'v3', approved: true, saidAt: at, by: 'registry' } as const;

  await takeBatch({ ...worker, owners: { ...worker.owners, versionOf } }, [{ id: 'm-yes', body: bodyOf(approval) }]);
  await takeBatch(worker, [alarm]);

  expect(actors).toEqual([{ subject: 'ann', issuer: 'registry', role: 'approver' }, engineActor]);
});

test('of a message with several parts those that can be read arrive, and the message is kept for the rest', async () => {
  const taken: unknown[] = [];
  const { worker, letters } = opened(
    {
      handle: async (stream, { type }) => {
        taken.push([stream, type]);
        return { kind: 'moved', seq: 1 };
      },
    },
    {
      read: () => [
        { kind: 'object', bucket: 'drops', key: 'fraud/a.csv' },
        { kind: 'unreadable', fault: new Fault('invalid', 'a record cannot be read') },
        { kind: 'object', bucket: 'drops', key: 'fraud/b.csv' },
      ],
    },
  );

  const again = await takeBatch(worker, [{ id: 'm-parts', body: 'a body' }]);

  expect(again).toEqual([]);
  expect(taken).toEqual([['model/fraud', 'dataHinted']]);
  expect(await letters()).toEqual(['dead/m-parts']);
});

test('a signal of two parts of one message that fails for good is a letter under the name of that message', async () => {
  const object = (key: string) => ({ kind: 'object', bucket: 'drops', key }) as const;
  const { worker, letters } = opened(
    { handle: async () => Promise.reject(new Error('nobody foresaw this')) },
    { read: () => [object('fraud/a.csv'), object('fraud/b.csv')] },
  );

  await takeBatch(worker, [{ id: 'm1', body: '' }]);

  expect(await letters()).toEqual(['dead/m1']);
});

test('what the queue gave up is a dead letter, but for what could not be written: that comes again', async () => {
  const { journal, worker, letters } = opened({});
  const append: Journal['append'] = async (basedOn, write) =>
    write.entry.stream.endsWith('m2')
      ? Promise.reject(new Fault('unavailable', 'the journal does not answer'))
      : journal.append(basedOn, write);

  const again = await buryBatch({ ...worker, journal: { ...journal, append } }, [
    { id: 'm1', body: '1' },
    { id: 'm2', body: '2' },
  ]);

  expect(again).toEqual(['m2']);
  expect(await letters()).toEqual(['dead/m1']);
});

test('a letter is cut for want of room, and not because the journal does not answer for a moment', async () => {
  const { journal, worker, letters } = opened({});
  let appends = 0;
  const append: Journal['append'] = async (basedOn, write) => {
    appends += 1;
    if (appends === 1) throw new Fault('unavailable', 'the journal does not answer');
    return journal.append(basedOn, write);
  };

  expect(await buryBatch({ ...worker, journal: { ...journal, append } }, [{ id: 'm1', body: '1' }])).toEqual(['m1']);
  expect(await letters()).toEqual([]);
});

test('a letter has a name and a reason of bounded length', async () => {
  const handle = async () => Promise.reject(new Error('x'.repeat(10_000)));
  const { worker, journal, letters } = opened({ handle });

  await takeBatch(worker, [{ ...alarm, id: 'm'.repeat(1000) }]);

  expect(await letters()).toEqual([`dead/${'m'.repeat(400)}`]);
  expect((await findDeadLetter(journal, 'm'.repeat(400)))?.because).toHaveLength(2000);
});

test('a dead letter keeps nothing of a message that its platform says is secret', async () => {
  const modelOfJob = () => Promise.reject(new Fault('defect', 'nobody foresaw this'));
  const owners = { ...opened({}).worker.owners, modelOfJob };
  const withoutSecrets = (body: string) => body.replaceAll('canary', '');
  const { worker, journal } = opened({}, { owners, withoutSecrets });
  const body = bodyOf({ kind: 'job', job: 'canary' });

  await takeBatch(worker, [{ id: 'm-job', body }]);
  await buryBatch(worker, [{ id: 'm-given-up', body }]);

  for (const id of ['m-job', 'm-given-up'])
    expect((await findDeadLetter(journal, id))?.signal).toEqual({ body: bodyOf({ kind: 'job', job: '' }) });
});

test('a message in which nobody can look for secrets is buried without its body, and does not come again', async () => {
  const withoutSecrets = () => {
    throw new RangeError('Maximum call stack size exceeded');
  };
  const { worker, journal } = opened({}, { withoutSecrets });

  expect(await takeBatch(worker, [{ id: 'm-deep', body: 'canary' }])).toEqual([]);
  expect(await buryBatch(worker, [{ id: 'm-given-up', body: 'canary' }])).toEqual([]);

  for (const id of ['m-deep', 'm-given-up'])
    expect((await findDeadLetter(journal, id))?.signal).toEqual({ body: expect.stringContaining('not kept') });
});

test('a signal that cannot even be buried comes again', async () => {
  const broken = async () => Promise.reject(new Error('nobody foresaw this'));
  const append = async () => Promise.reject(new Fault('unavailable', 'the journal does not answer'));
  const { worker } = opened({ handle: broken }, {}, { ...atOnce<Journal>(memoryJournal()), append });

  expect(await takeBatch(worker, [tick, alarm])).toEqual(['m-alarm']);
});

test('while the released config cannot be read every message comes again, and none becomes a dead letter', async () => {
  const denied = async () => Promise.reject(new Fault('invalid', 'not authorized to read it'));
  const { worker, letters } = opened({}, { config: denied });

  const again = await takeBatch(worker, [tick, alarm]);

  expect(again).toEqual(['m-tick', 'm-alarm']);
  expect(await letters()).toEqual([]);
});

test('a stream whose tick fails for good each minute is one dead letter', async () => {
  const dispatch = async () => Promise.reject(new Fault('invalid', 'its state is too large'));
  const { worker, letters } = opened({ dispatch });

  for (const id of ['m1', 'm2', 'm3']) await takeBatch(worker, [{ ...tick, id }]);

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

  const again = await takeBatch(worker, [{ id: 'm1', body }]);

  expect(again).toEqual([]);
  expect(await findDeadLetter(journal, 'm1')).toMatchObject({
    signal: { body: expect.stringMatching(/^not JSON x/) },
    because: 'the message is not JSON; correct its sender (cut: there was no room for all of it)',
  });
});

test('what failed for a moment comes again in seconds, and ever later', async () => {
  const { worker } = opened({});
  const waits: [string, number][] = [];
  const message = (id: string, attempt: number) => ({
    id,
    body: '',
    attempt,
    again: async (seconds: number) => void waits.push([id, seconds]),
  });

  await comeSoon(worker, [message('a', 1), message('b', 3), message('c', 5), message('done', 1)], ['a', 'b', 'c']);

  expect(waits).toEqual([
    ['a', 15],
    ['b', 240],
    ['c', 720],
  ]);
});
