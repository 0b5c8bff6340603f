import { describe, expect, test } from 'vitest';
import {
  artifactOf,
  converge,
  type Driver,
  driver,
  type FakeEndpoint,
  fakeEndpoint,
  healthy,
  job,
  planOf,
  score,
  serveTicks,
  trainOne,
} from '../../packages/core/src/model/model.fixture.ts';

/** The driver drops data, trains it, and the endpoint does what it is told. */
function release(drive: Driver, endpoint: FakeEndpoint, name: string, challenger: number, champion?: number): void {
  trainOne(drive, name);
  score(drive, challenger, champion);
  converge(drive, endpoint);
  converge(drive, endpoint);
}

function withChampion(plan = planOf()) {
  const drive = driver(plan);
  const endpoint = fakeEndpoint();
  release(drive, endpoint, 'one', 0.8);
  serveTicks(drive, healthy);
  converge(drive, endpoint);
  return { drive, endpoint };
}

/** A run whose training job is under way. */
function training(plan = planOf()): Driver {
  const drive = driver(plan);
  drive.say({ type: 'dataHinted', keys: ['fraud/one.csv'] });
  drive.wait(10_000);
  const progress = { chain: 'one', chunks: ['c'], objects: 1, bytes: 10, complete: false };
  const dataset = { digest: 'one', bucket: 'drops', prefix: 'fraud/', manifest: 'm', objects: 1, bytes: 10, at: 0 };
  drive.answer('list', { type: 'listingAdvanced', progress, dataset });
  drive.answer('checkDataset', { type: 'datasetChecked', problems: [] });
  drive.say({ type: 'slotGranted', run: drive.state.run?.id ?? '' });
  job(drive, { artifacts: { train: artifactOf('train'), holdout: artifactOf('holdout') } });
  drive.answer('startJob', { type: 'jobStarted', job: 'job-1' });
  drive.answer('describeJob', { type: 'jobDescribed', description: { status: 'running' } });
  return drive;
}

/** The same endpoint, on which a deployment is dead until it is deployed anew. */
function breaking(endpoint: FakeEndpoint, name: string): FakeEndpoint {
  const since = endpoint.log.length;
  const seen = () => {
    const observation = endpoint.observe();
    if (observation === 'absent' || endpoint.log.slice(since).includes(`deploy ${name}`)) return observation;
    const deployments = observation.deployments.map((each) =>
      each.name === name ? { ...each, status: 'failed' as const } : each,
    );
    return { ...observation, deployments };
  };
  return Object.assign(Object.create(endpoint), { observe: seen });
}

describe('a champion that was released without an endpoint', () => {
  test('does not keep the first version with one from going live', () => {
    const drive = driver(planOf({ serve: 'none' }));
    const endpoint = fakeEndpoint();
    release(drive, endpoint, 'one', 0.8);
    expect(drive.state.champion).toBe(1);

    drive.say({ type: 'configReleased', revision: 2, plan: planOf() });
    release(drive, endpoint, 'two', 0.82, 0.8);
    serveTicks(drive, healthy);
    converge(drive, endpoint);

    expect(endpoint.log).toEqual(['deploy v2', 'weigh {"v2":100}']);
    expect(drive.state.champion).toBe(2);
  });

  test('does not keep a bad first version with one from being taken off the traffic', () => {
    const drive = driver(planOf({ serve: 'none' }));
    const endpoint = fakeEndpoint();
    release(drive, endpoint, 'one', 0.8);
    drive.say({ type: 'configReleased', revision: 2, plan: planOf() });
    release(drive, endpoint, 'two', 0.82, 0.8);

    drive.say({ type: 'abortRequested' });
    converge(drive, endpoint);
    converge(drive, endpoint);

    expect(drive.state.rollout?.status).toBe('aborted');
    expect(endpoint.observe()).toBe('absent');
  });
});

test('a stable version that died under the guard is deployed again when the candidate is taken back', () => {
  const { drive, endpoint } = withChampion(
    planOf({ rollout: { strategy: 'blueGreen', guard: '5m', guardrails: { latency: false } } }),
  );
  release(drive, endpoint, 'two', 0.82, 0.8);
  expect(drive.state.rollout?.status).toBe('guarding');

  const broken = breaking(endpoint, 'v1');
  drive.say({ type: 'alertRaised', kind: 'alert', sender: 'ops', fingerprint: 'f', startedAt: 't', title: 'it lies' });
  converge(drive, broken);
  converge(drive, broken);

  expect(drive.state.rollout?.status).toBe('rolledBack');
  expect(endpoint.observe()).toMatchObject({ weights: { v1: 100 } });
});

describe('a run that is stopped', () => {
  test('ends when its provider does not know its job any more', () => {
    const drive = training();
    drive.say({ type: 'cancelRequested' });
    drive.answer('stopJob', { type: 'effectRefused', because: 'there is no job job-1' });
    drive.wait(60_000);

    drive.answer('describeJob', { type: 'effectRefused', because: 'there is no job job-1' });

    expect(drive.state.run).toMatchObject({ status: 'cancelled' });
  });

  test('while it waits for another attempt ends at once, and buys no machine to do so', () => {
    const drive = training();
    drive.wait(1_000);
    const description = { status: 'failed', reason: 'no capacity', retryable: 'capacity' };
    drive.answer('describeJob', { type: 'jobDescribed', description });
    drive.wait(1_000);

    drive.say({ type: 'cancelRequested' });

    expect(drive.state.run).toMatchObject({ status: 'cancelled' });
    drive.wait(60 * 60_000);
    expect(drive.owed('startJob')).toEqual([]);
  });
});

test('a run whose job cannot be described leaves no paid job behind', () => {
  const drive = training();
  drive.wait(1_000);

  drive.answer('describeJob', { type: 'effectRefused', because: 'the answer was not understood' });

  expect(drive.owed('stopJob')).toMatchObject([{ id: 'job-1' }]);
  drive.answer('stopJob', { type: 'jobStopAsked' });
  drive.wait(1_000);
  drive.answer('describeJob', { type: 'jobDescribed', description: { status: 'stopped' } });
  expect(drive.state.run).toMatchObject({
    status: 'failed',
    because: 'the train job could not be used: the answer was not understood',
  });
});

test('an endpoint that takes every order and carries out none is not called without a pause', () => {
  const { drive, endpoint } = withChampion();
  trainOne(drive, 'two');
  score(drive, 0.82, 0.8);

  let calls = 0;
  while (calls < 200 && drive.owed().some(({ key }) => key.startsWith('endpoint/'))) {
    calls += 1;
    if (drive.owed('change').length > 0) drive.answer('change', { type: 'endpointChanged', answer: 'accepted' });
    else drive.answer('observe', { type: 'endpointObserved', begunAt: drive.now, observation: endpoint.observe() });
  }

  expect(calls).toBeLessThan(50);
});

describe('a freeze', () => {
  test('keeps a candidate that gets ready meanwhile from taking traffic, and costs it nothing', () => {
    const { drive, endpoint } = withChampion();
    trainOne(drive, 'two');
    score(drive, 0.82, 0.8);
    expect(drive.state.rollout?.status).toBe('deploying');

    drive.say({ type: 'configReleased', revision: 2, plan: planOf(), freeze: { by: 'ann', because: 'christmas' } });
    converge(drive, endpoint);
    drive.wait(60 * 60_000);
    converge(drive, endpoint);
    expect(endpoint.observe()).toMatchObject({ weights: { v1: 100 } });

    drive.say({ type: 'configReleased', revision: 3, plan: planOf() });
    converge(drive, endpoint);
    expect(drive.state.rollout).toMatchObject({ candidate: 2, status: 'baking' });
  });
});

test('a file that comes during a listing does not pass for a whole drop where a marker says when one is', () => {
  const settle = { marker: '_SUCCESS' };
  const drive = driver(planOf({ data: { bucket: 'drops', prefix: 'fraud/', settle } }));
  const nothing = { chain: '', chunks: [], objects: 0, bytes: 0, complete: false };
  drive.answer('list', { type: 'listingAdvanced', progress: nothing });
  drive.say({ type: 'dataHinted', keys: ['fraud/_SUCCESS'] });
  drive.say({ type: 'dataHinted', keys: ['fraud/half-of-the-next.csv'] });

  const progress = { chain: 'one', chunks: ['c'], objects: 1, bytes: 10, complete: true };
  const dataset = { digest: 'one', bucket: 'drops', prefix: 'fraud/', manifest: 'm', objects: 1, bytes: 10, at: 0 };
  drive.answer('list', { type: 'listingAdvanced', progress, dataset });

  expect(drive.state.intake).toMatchObject({ status: 'idle', dataset: { digest: 'one' } });
});

test('a rollback that finds no machine may be asked for again', () => {
  const { drive, endpoint } = withChampion(planOf({ rollout: { strategy: 'allAtOnce' } }));
  release(drive, endpoint, 'two', 0.82, 0.8);
  converge(drive, endpoint);
  expect(drive.state.champion).toBe(2);
  drive.say({ type: 'rollbackRequested' });
  drive.wait(15 * 60_000);
  converge(drive, endpoint);
  expect(drive.state.rollout).toMatchObject({ kind: 'rollback', status: 'rolledBack' });

  expect(drive.say({ type: 'rollbackRequested' })).toBe('moved');
  for (let round = 0; round < 3; round += 1) converge(drive, endpoint);

  expect(drive.state.champion).toBe(1);
});
