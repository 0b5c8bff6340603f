import { describe, expect, test } from 'vitest';
import { day, minute } from '../../base/time.ts';
import type { History } from '../../judge/history.ts';
import { converge, healthy, planOf, serveTicks, type Traffic } from '../model.fixture.ts';
import { whyRollout } from '../why.ts';
import {
  challenge,
  first,
  type GivenRollout,
  noLatency,
  percentiles,
  rolloutOf,
  until,
  type World,
} from './judge.fixture.ts';
import type { Rollout } from './state.ts';
import { verifyRollout } from './verify.ts';

/** A champion that failed one request of a hundred, never more than one of fifty; its challenger has just begun. */
const history: History = {
  ...{ from: 0, to: 7 * day, ticks: 1440 },
  measures: { errors: { bad: 604_800, requests: 60_480_000, typical: 60, noise: 0, dispersion: 1, calm: true } },
  together: { windows: 2016, measures: { errors: { bad: 3600, requests: 360_000, worst: 0.02 } } },
};

const both = (share: number): Traffic => ({ ...healthy, failing: { v1: share, v2: share } });
const calm = both(0.01);
const bad = both(0.1);

function begun(rollout: GivenRollout = {}): World {
  const world = challenge(planOf({ rollout: { bake: '15m', guard: '45m', maxHold: '6h', ...rollout } }), 60);
  if (world.drive.owed('readLatency').length > 0)
    world.drive.answer('readLatency', { type: 'latencyRead', percentiles });
  world.drive.answer('readHistory', { type: 'historyRead', history });
  return world;
}

/** Until it bakes at this step. */
function atStep(world: World, step: number, traffic = calm): World {
  const isThere = (rollout: Rollout) => rollout.status === 'baking' && rollout.step === step;
  for (let round = 0; round < 200 && !isThere(rolloutOf(world)); round += 1) serve(world, traffic, 1);
  return world;
}

function serve(world: World, traffic: Traffic, minutes: number): Rollout {
  for (let round = 0; round < minutes; round += 1) {
    converge(world.drive, world.endpoint);
    serveTicks(world.drive, traffic, 1);
  }
  converge(world.drive, world.endpoint);
  return rolloutOf(world);
}

/** The next reading of this kind is refused by the platform. */
function refuse({ drive }: World, kind: 'readTicks' | 'readLabels'): void {
  for (let waited = 0; waited < 9 && drive.owed(kind).length === 0; waited += 1) drive.wait(minute);
  drive.answer(kind, { type: 'effectRefused', because: 'not allowed' });
}

function release({ drive }: World, frozen: boolean): void {
  const { plan, revision } = drive.state;
  const freeze = frozen ? { freeze: { by: 'fay', because: 'audit' } } : {};
  drive.say({ type: 'configReleased', revision: revision + 1, plan, ...freeze });
}

const problemsOf = (world: World) => verifyRollout(world.drive.entries, rolloutOf(world).id).problems;

describe('a harm budget that affords no more than the weight of a hold', () => {
  const budget = { ...noLatency, steps: [5, 40], harmBudget: 300, bake: '30m', atMost: '60m' } satisfies GivenRollout;

  const burst: Traffic = { perMinute: 60_000, failing: { v1: 0.1, v2: 0.1 } };
  const few: Traffic = { ...healthy, failing: { v1: 0.003, v2: 0.003 } };

  const stays = (given: World, traffic: Traffic) => {
    const shifted = rolloutOf(given);
    expect(shifted).toMatchObject({ status: 'baking', step: 0, since: given.drive.now });
    expect(shifted.story.at(-2)?.text).toMatch(/^the harm budget of 300 failed requests affords no further step/);
    for (let round = 0; round < 90 && rolloutOf(given).status !== 'held'; round += 1) {
      serve(given, traffic, 1);
      expect(given.drive.state.endpoint.weights).toEqual({ v1: 95, v2: 5 });
    }
    expect(rolloutOf(given)).toMatchObject({ status: 'held', step: 0, because: expect.stringMatching(/^the harm/) });
    expect(rolloutOf(given)).not.toHaveProperty('backTo');
    expect(problemsOf(given)).toEqual([]);
  };

  test('begins the step of that weight anew when both models are well again, and is held after it', () => {
    const given = atStep(begun(budget), 1, few);
    for (let round = 0; round < 60 && rolloutOf(given).status === 'baking'; round += 1) serve(given, burst, 1);
    expect(rolloutOf(given)).toMatchObject({ status: 'held', step: 1, backTo: 5, passing: 'byItself' });

    for (let round = 0; round < 30 && rolloutOf(given).status === 'held'; round += 1)
      serveTicks(given.drive, { ...few, perMinute: 60_000 }, 1);

    stays(given, { ...few, perMinute: 60_000 });
  });

  test('begins it anew when a person resumes', () => {
    const given = atStep(begun(budget), 1, few);
    serve(given, burst, 12);
    refuse(given, 'readTicks');
    converge(given.drive, given.endpoint);
    expect(rolloutOf(given)).toMatchObject({ status: 'held', step: 1, backTo: 5 });

    given.drive.say({ type: 'resumeRequested' });

    stays(given, { ...few, perMinute: 60_000 });
  });
});

describe('a hold that is over while the project is frozen', () => {
  const heldForBoth = () => {
    const given = atStep(begun(noLatency), 1);
    until(given, bad, 'held', 'promoted', 'rolledBack');
    release(given, true);
    return given;
  };

  test('says so, waits as long as a hold may, and goes on when the freeze ends', () => {
    const given = heldForBoth();

    const held = serve(given, calm, 120);
    expect(held).toMatchObject({ status: 'held', backTo: 25, frozen: true });
    expect(whyRollout(held, 'fraud').sentence).toMatch(
      /both models are as they were before, and the rollout waits for the end of the freeze; .* Now: it goes on by itself once the freeze ends \(serin thaw\)\. If that is not by .*, after 6 hours of waiting, v2 is rolled back/,
    );
    release(given, false);

    expect(serve(given, calm, 1).status).toBe('baking');
    expect(problemsOf(given)).toEqual([]);
  });

  test('is rolled back after that, and not because both models did not get well', () => {
    const given = heldForBoth();

    const rollout = serve(given, calm, 400);

    expect(rollout).toMatchObject({
      status: 'rolledBack',
      because: {
        kind: 'hold',
        text: expect.stringMatching(/waits for the end of the freeze, and held longer than maxHold \(6h\)$/),
      },
    });
  });

  test('waits for both models again if they get worse meanwhile', () => {
    const given = heldForBoth();
    serve(given, calm, 20);

    const held = serve(given, bad, 30);

    expect(held).toMatchObject({ status: 'held', passing: 'byItself', backTo: 25 });
    expect(held).not.toHaveProperty('frozen');
    expect(serve(given, bad, 40)).toMatchObject({ status: 'rolledBack', because: { kind: 'together' } });
    expect(problemsOf(given)).toEqual([]);
  });

  test('because its evidence has come says that as well', () => {
    const given = begun({ ...noLatency, bake: '5m' });
    until(given, { perMinute: 60 }, 'held');
    release(given, true);

    const held = serve(given, healthy, 90);

    expect(held).toMatchObject({
      status: 'held',
      frozen: true,
      because: expect.stringMatching(
        /^inconclusive .*; nothing is missing any more, and the rollout waits for the end/,
      ),
    });
    expect('endsAt' in held ? held.endsAt - given.drive.now : 0).toBeGreaterThan(4 * 60 * minute);
    release(given, false);
    expect(serve(given, healthy, 2).status).toBe('guarding');
    expect(problemsOf(given)).toEqual([]);
  });
});

describe('a hold that waits for a person', () => {
  const heldForPerson = () => {
    const labels = { maturity: '2m', floor: 0.01 };
    const given = atStep(begun({ guardrails: { latency: false, labels } }), 2);
    refuse(given, 'readLabels');
    return given;
  };

  test('takes its weight away when both models get worse, and waits for the person when they are well again', () => {
    const given = heldForPerson();
    expect(rolloutOf(given)).toMatchObject({ status: 'held', because: expect.stringMatching(/^its counts/) });

    serve(given, bad, 25);
    expect(rolloutOf(given)).toMatchObject({ status: 'held', backTo: 25, passing: 'byPerson' });
    const held = serve(given, calm, 20);

    expect(held).toMatchObject({ status: 'held', backTo: 25 });
    expect(whyRollout(held, 'fraud').sentence).toMatch(
      /its counts cannot be read: not allowed; then failed requests of both models together rose .* Now: look at what both models use\. If v2 is not to blame for it: serin rollouts resume/,
    );
    given.drive.say({ type: 'resumeRequested' });
    expect(rolloutOf(given)).toMatchObject({ status: 'shifting', together: 'accepted' });
    expect(problemsOf(given)).toEqual([]);
  });
});

describe('a first version that cannot be read', () => {
  test('goes on serving, and its guard is over when nothing could be read for as long as a hold may last', () => {
    const given = first(planOf({ rollout: { guard: '5m', maxHold: '2h' } }));
    until(given, healthy, 'guarding');

    refuse(given, 'readTicks');
    expect(rolloutOf(given).status).toBe('guarding');
    for (let round = 0; round < 20 && rolloutOf(given).status === 'guarding'; round += 1) given.drive.wait(30 * minute);

    expect(rolloutOf(given).status).toBe('promoted');
    expect(rolloutOf(given).story.map(({ text }) => text)).toContain(
      'the guard is over: no tick could be read for maxHold (2h), and there is no version to go back to',
    );
    expect(given.drive.state).toMatchObject({ champion: 1, endpoint: { weights: { v1: 100 } } });
    expect(problemsOf(given)).toEqual([]);
  });
});

test('labels that cannot be read once do not take the traffic of a promoted candidate away', () => {
  const labels = { maturity: '2m', floor: 0.01 };
  const given = begun({ bake: '5m', onInconclusive: 'promote', guardrails: { latency: false, labels } });
  until(given, calm, 'guarding', 'held', 'rolledBack');

  refuse(given, 'readLabels');

  expect(rolloutOf(given).status).toBe('guarding');
  expect(given.drive.state.endpoint.weights).toEqual({ v1: 5, v2: 95 });
  expect(until(given, calm, 'promoted', 'rolledBack', 'held').status).toBe('promoted');
});

test('what came unread while a rollout was paused is read once it goes on, harm included', () => {
  const given = begun({ ...noLatency, warmUp: 1 });
  until(given, calm, 'baking');
  serve(given, calm, 2);
  given.drive.say({ type: 'pauseRequested' });
  const { evidence } = rolloutOf(given);
  given.drive.skip(20 * minute);

  given.drive.say({ type: 'resumeRequested' });

  expect(rolloutOf(given)).toMatchObject({ status: 'baking', evidence });
  expect(until(given, { ...healthy, failing: { v1: 0.01, v2: 0.1 } }, 'rolledBack', 'shifting')).toMatchObject({
    because: { kind: 'evidence' },
  });
  expect(rolloutOf(given).evidence.readTo - evidence.readTo).toBeLessThanOrEqual(22 * minute);
  expect(problemsOf(given)).toEqual([]);
});

test('counts that cannot be are asked for again after minutes, not at once', () => {
  const given = first(planOf({ rollout: { guard: '30m' } }));
  until(given, healthy, 'guarding');
  given.drive.wait(2 * minute);
  const [order] = given.drive.owed('readTicks');
  if (order?.kind !== 'readTicks') return expect.fail();
  const ticks = [{ start: order.from, counts: { v1: { requests: 5, bad: { errors: 7 } } } }];

  given.drive.answer('readTicks', { type: 'ticksRead', from: order.from, to: order.to, ticks });

  const { until: again = 0, taken } = given.drive.state.debts[order.key] ?? {};
  expect(taken).toBeUndefined();
  expect(again - given.drive.now).toBeGreaterThan(5 * minute);
  expect(until(given, healthy, 'promoted').status).toBe('promoted');
});
