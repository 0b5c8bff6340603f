import { describe, expect, test } from 'vitest';
import { shortType } from '../sinks/sink.ts';
import { eventsBetween } from './events.ts';
import {
  converge,
  type Driver,
  driver,
  fakeEndpoint,
  healthy,
  job,
  planOf,
  score,
  serveTicks,
  trainOne,
  withCanary,
} from './model.fixture.ts';
import type { ModelSignal } from './protocol.ts';
import { bare } from './run/state.ts';
import type { Model } from './state.ts';

const eventsOf = ({ entries }: Driver, type: string) =>
  entries.flatMap(({ events, at }) =>
    events.filter((event) => shortType(event.type) === type).map(({ data }) => ({ at, ...Object(data) })),
  );

describe('the events of a model', () => {
  test('tell of new data once, with the time when it is taken', () => {
    const drive = driver();
    const nothing = { chain: '', chunks: [], objects: 0, bytes: 0, complete: false };
    drive.wait(0);
    drive.answer('list', { type: 'listingAdvanced', progress: nothing });

    drive.say({ type: 'dataHinted', keys: ['fraud/a.csv', 'fraud/b.csv'] });
    const settlesAt = new Date(drive.now + 10_000).toISOString();
    drive.wait(5_000);
    expect(drive.say({ type: 'dataHinted', keys: ['fraud/c.csv'] })).toBe('moved');

    expect(eventsOf(drive, 'data.seen')).toMatchObject([{ object: 'fraud/a.csv', objects: 2, settlesAt }]);
  });

  test('tell of data that comes while the files are being listed', () => {
    const drive = driver();
    drive.wait(0);

    drive.say({ type: 'dataHinted', keys: ['fraud/a.csv'] });
    drive.say({ type: 'dataHinted', keys: ['fraud/b.csv'] });

    expect(drive.state.intake.status).toBe('listing');
    expect(eventsOf(drive, 'data.seen')).toMatchObject([{ object: 'fraud/a.csv' }]);
  });

  test('tell of each step of a run once, however often its job is looked at', () => {
    const { drive } = withCanary();
    const run = drive.state.run?.id;

    const steps = eventsOf(drive, 'step.started').filter((event) => event.run === run);

    expect(steps.map(({ step, attempt }) => `${step} ${attempt}`)).toEqual([
      'prepare 1',
      'train 1',
      'evaluate 1',
      'champion 1',
    ]);
    expect(steps.map(({ at }) => at)).toEqual(Object.values(drive.state.run?.began ?? {}));
  });

  test('tell of another attempt of a step, which began when the first one did', () => {
    const drive = driver();
    trainOne(drive, 'one');
    drive.answer('startJob', { type: 'jobStarted', job: 'job-1' });
    const began = drive.state.run?.began?.evaluate;

    drive.wait(1000);
    drive.answer('describeJob', {
      type: 'jobDescribed',
      description: { status: 'failed', reason: 'no room', retryable: 'capacity' },
    });

    expect(eventsOf(drive, 'step.started').at(-1)).toMatchObject({ step: 'evaluate', attempt: 2 });
    expect(drive.state.run?.began?.evaluate).toBe(began);
  });

  test('tell of a dataset that was refused once, with what was found', () => {
    const before = withCanary().drive.state;
    const { run } = before;
    if (run === undefined) throw new Error('there is no run');
    const because = "the dataset has 1 fault: 'age' is not there";
    const data = { profile: 'a', report: 'b', rows: 7 };
    const after: Model = { ...before, run: { ...bare(run), status: 'refused', endedAt: 9, because, data } };
    const signal = { type: 'clockTicked', at: 9 } as ModelSignal;
    const heard = (one: Model, other: Model) =>
      eventsBetween(one, other, signal).map(({ type, subject }) => `${shortType(type)} ${subject}`);

    expect(heard(before, after)).toEqual([`run.refused runs/${run.id}`, `dataset.refused runs/${run.id}`]);
    expect(eventsBetween(before, after, signal)[1]?.data).toEqual({
      ...{ model: 'fraud', run: run.id, dataset: run.dataset.digest },
      ...{ rows: 7, report: 'b', because },
    });
    expect(heard(after, { ...after, run: { ...after.run } as Model['run'] & object })).toEqual([]);
    const verdict = { passed: false, checks: [] };
    const byGate: Model = { ...before, run: { ...run, status: 'refused', endedAt: 9, because, data, verdict } };
    expect(heard(before, byGate)).toEqual([`run.refused runs/${run.id}`]);
  });

  test('ask for the approval that a version waits for', () => {
    const drive = driver(planOf({ approval: { expires: '1d' } }));
    trainOne(drive, 'one');

    score(drive, 0.8);
    const expiresAt = new Date(drive.now + 86_400_000).toISOString();
    drive.say({ type: 'dataHinted', keys: ['fraud/more.csv'] });

    expect(eventsOf(drive, 'approval.requested')).toMatchObject([{ version: 1, expiresAt }]);
  });

  test('tell of a deployment that is not ready once, with the reason', () => {
    const drive = driver();
    const endpoint = fakeEndpoint();
    endpoint.status = 'pending';
    trainOne(drive, 'one');
    score(drive, 0.8);
    const observe = () => {
      const seen = endpoint.observe();
      return seen === 'absent'
        ? seen
        : { ...seen, deployments: seen.deployments.map((each) => ({ ...each, reason: 'nothing answers' })) };
    };

    const slow = { ...endpoint, apply: endpoint.apply.bind(endpoint), observe };
    converge(drive, slow);

    const since = drive.state.endpoint.since;
    expect(eventsOf(drive, 'endpoint.unready')[0].at - since).toBeGreaterThanOrEqual(15_000);
    expect(eventsOf(drive, 'endpoint.unready')).toMatchObject([{ version: 1, because: 'nothing answers' }]);
  });

  test('tell that an alert was resolved, and by how much a rollout is ahead or behind', () => {
    const { drive } = withCanary();
    const alert = { sender: 'prometheus', fingerprint: 'f1', startedAt: 't1', title: 'p99 high' };
    serveTicks(drive, healthy, 1);
    drive.say({ type: 'alertRaised', kind: 'alert', ...alert });

    drive.say({ type: 'alertResolved', sender: 'prometheus', fingerprint: 'f1' });

    expect(eventsOf(drive, 'alert.resolved')).toMatchObject([{ title: 'p99 high', sender: 'prometheus' }]);
    expect(eventsOf(drive, 'rollout.shifted').at(-1)).toMatchObject({
      weight: 10,
      standing: { candidate: { requests: 0 }, harm: { logE: 0 } },
    });
  });
});

test('a run says what it was given and what it measured, and of many metrics the first hundred', () => {
  const drive = driver(planOf({ train: { command: ['node', 'train.mjs'], hyperparameters: { depth: 3 } } }));
  trainOne(drive, 'one');
  const many = Array.from({ length: 150 }, (_, index) => [`metric${index}`, index] as const);

  job(drive, { metrics: { auc: 0.9, ...Object.fromEntries(many) } });
  drive.answer('register', { type: 'versionRegistered' });

  const dataOf = (type: string) => Object(eventsOf(drive, type)[0]);
  expect(dataOf('run.started')).toMatchObject({ params: { depth: '3' } });
  expect(Object.keys(dataOf('run.succeeded').metrics)).toHaveLength(100);
  expect(dataOf('run.succeeded').metrics).toMatchObject({ loss: 1, auc: 0.9 });
  expect(dataOf('version.registered')).toMatchObject({ artifact: { uri: 'file:model-one' } });
});
