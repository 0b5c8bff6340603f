import { describe, expect, test } from 'vitest';
import { byMeasure } from '../../packages/core/src/base/measures.ts';
import { converge, planOf } from '../../packages/core/src/model/model.fixture.ts';
import {
  challenge,
  type GivenRollout,
  percentiles,
  rolloutOf,
  type World,
} from '../../packages/core/src/model/rollout/judge.fixture.ts';
import type { Rollout } from '../../packages/core/src/model/rollout/state.ts';
import { verifyRollout } from '../../packages/core/src/model/rollout/verify.ts';
import type { Counts, Tick } from '../../packages/core/src/ports/telemetry.ts';
import { type Random, random } from '../bench-judge/random.ts';

/** Rollouts under the default config, driven through the product's own tables by traffic that is drawn anew each minute. */

const defaults = { steps: [5, 25, 50], bake: '15m', guard: '30m', warmUp: 2, guardrails: {} } satisfies GivenRollout;
const minute = 60_000;

/** A champion, and a challenger whose rollout has just begun. */
function begun(rollout: GivenRollout = {}) {
  const world = challenge(planOf({ rollout: { ...defaults, ...rollout } }), 40);
  world.drive.answer('readLatency', { type: 'latencyRead', percentiles });
  return world;
}

/** What comes in a minute at a weight of the candidate (percent), `age` minutes after that weight was set. */
type Minute = (draw: Random, weight: number, age: number) => Pick<Tick, 'counts'>;

/** Serves until the status is one of these, for `most` minutes; how many minutes that took. */
function serve(
  world: World,
  draw: Random,
  what: Minute,
  most: number,
  ...statuses: readonly Rollout['status'][]
): number {
  const { drive, endpoint } = world;
  const begin = drive.now;
  let [weight, age] = [-1, 0];
  while (drive.now < begin + most * minute) {
    converge(drive, endpoint);
    if (statuses.includes(rolloutOf(world).status)) break;
    drive.wait(minute);
    const order = drive.owed('readTicks')[0];
    if (order?.kind !== 'readTicks' || order.to <= order.from) continue;
    const ticks = Array.from({ length: (order.to - order.from) / minute }, (_, index) => {
      const now = drive.state.endpoint.weights.v2 ?? 0;
      age = now === weight ? age + 1 : 0;
      weight = now;
      return { start: order.from + index * minute, ...what(draw, weight, age) };
    });
    drive.answer('readTicks', { type: 'ticksRead', from: order.from, to: order.to, ticks });
  }
  return Math.round((drive.now - begin) / minute);
}

interface Arm {
  readonly requests: number;
  readonly failing: number;
  /** Factor of the shares that are slower than the champion's percentiles. */
  readonly slower?: number;
}

const slowMeasures = [
  ['slower than 20 ms', 0.5],
  ['slower than 60 ms', 0.1],
  ['slower than 200 ms', 0.01],
] as const;

function countsOf(draw: Random, { requests, failing, slower = 1 }: Arm): Counts {
  const errors = draw.binomial(requests, failing);
  const slow = slowMeasures.map(([measure, share]) => [measure, draw.binomial(requests, Math.min(1, share * slower))]);
  return { requests, bad: { errors, ...Object.fromEntries(slow) } };
}

const rpm = 6000;
/** The candidate gets `share` of the requests. */
const split = (
  draw: Random,
  share: number,
  failing: { v1: number; v2: number },
  more: Partial<Arm> = {},
): Tick['counts'] => {
  const all = draw.poisson(rpm);
  const ours = draw.binomial(all, Math.min(1, share));
  const v2 = { ...more, requests: ours, failing: failing.v2 };
  return {
    v1: countsOf(draw, { requests: all - ours, failing: failing.v1 }),
    ...(ours === 0 ? {} : { v2: countsOf(draw, v2) }),
  };
};

const skewed =
  (skew: number, failing: number): Minute =>
  (draw, weight) => ({ counts: split(draw, (skew * weight) / 100, { v1: 0.005, v2: failing }) });

/** Beside its share the candidate gets 300 requests a minute directly. */
const direct: Minute = (draw, weight) => {
  const { v1, v2 } = split(draw, weight / 100, { v1: 0.005, v2: 0.3 }) as Record<string, Counts>;
  const more = countsOf(draw, { requests: draw.poisson(300), failing: 0.3 });
  const requests = (v2?.requests ?? 0) + more.requests;
  const bad = byMeasure(Object.keys(more.bad), (measure) => (v2?.bad[measure] ?? 0) + (more.bad[measure] ?? 0));
  return { counts: { ...(v1 === undefined ? {} : { v1 }), v2: { requests, bad } } };
};

/** A client that asks the same arm again, three times at most, when it failed. */
const retried =
  (failing: number): Minute =>
  (draw, weight) => {
    const all = draw.poisson(rpm);
    const ours = draw.binomial(all, weight / 100);
    const arm = (first: number, share: number): Counts => {
      let [requests, errors, asking] = [0, 0, first];
      for (let time = 0; time < 3; time += 1) {
        const failed = draw.binomial(asking, share);
        [requests, errors, asking] = [requests + asking, errors + failed, failed];
      }
      const { bad } = countsOf(draw, { requests, failing: 0 });
      return { requests, bad: { ...bad, errors } };
    };
    return { counts: { v1: arm(all - ours, 0.005), ...(ours === 0 ? {} : { v2: arm(ours, failing) }) } };
  };

test.each<[string, Minute, number]>([
  ['1.5 times its share, and 10 % fail', skewed(1.5, 0.1), 5],
  ['twice its share, and 25 % fail', skewed(2, 0.25), 5],
  ['300 requests a minute directly, and 30 % fail', direct, 5],
  ['those that failed again, and 20 % fail', retried(0.2), 8],
  ['those that failed again, and 45 % fail', retried(0.45), 5],
  ['1.2 times its share, and 1.5 % fail', skewed(1.2, 0.015), 30],
  ['0.7 times its share, and 2.5 % fail', skewed(0.7, 0.025), 30],
])('a candidate that gets %s has no request any more within minutes', (_, traffic, most) => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const given = begun();
    serve(given, random(seed), traffic, 10, 'baking');

    const took = serve(given, random(seed, 1), traffic, 60, 'held', 'rolledBack', 'promoted');
    converge(given.drive, given.endpoint);

    expect(took).toBeLessThanOrEqual(most);
    expect(given.endpoint.observe()).toMatchObject({ weights: { v1: 100 } });
    serve(given, random(seed, 2), traffic, 40, 'rolledBack', 'promoted');
    expect(rolloutOf(given).status).toBe('rolledBack');
    expect(verifyRollout(given.drive.entries, rolloutOf(given).id).problems).toEqual([]);
  }
});

describe('in every hold a candidate that begins to fail is taken back within half an hour', () => {
  const failingNow = skewed(1, 0.05);
  const quiet: Minute = (draw, weight) => {
    const ours = draw.binomial(60, weight / 100);
    return {
      counts: {
        v1: countsOf(draw, { requests: 60 - ours, failing: 0 }),
        v2: countsOf(draw, { requests: ours, failing: 0 }),
      },
    };
  };
  const misread: Minute = () => ({ counts: { v2: { requests: 5, bad: { errors: 7 } } } });

  test.each<[string, (world: World, draw: Random) => void]>([
    ['for want of evidence', (world, draw) => serve(world, draw, quiet, 300, 'held')],
    ['as its harm budget affords no more', (world, draw) => serve(world, draw, skewed(1, 0.005), 300, 'held')],
    [
      'as a person paused it',
      (world, draw) => {
        serve(world, draw, skewed(1, 0.005), 20, 'baking');
        world.drive.say({ type: 'pauseRequested' });
      },
    ],
    [
      'as its counts could not be read',
      (world, draw) => {
        serve(world, draw, skewed(1, 0.005), 20, 'baking');
        serve(world, draw, misread, 20, 'held');
      },
    ],
    ['as it was routed otherwise', (world, draw) => serve(world, draw, skewed(0.5, 0.005), 100, 'held')],
    [
      'as it was routed otherwise under its guard',
      (world, draw) => {
        serve(world, draw, skewed(1, 0.005), 200, 'guarding');
        serve(world, draw, skewed(0.5, 0.005), 100, 'held');
      },
    ],
  ])('%s', (name, toTheHold) => {
    const given = begun(name.includes('budget') ? { harmBudget: 2 } : { maxHold: '24h' });
    toTheHold(given, random(7));
    expect(['held', 'paused']).toContain(rolloutOf(given).status);

    const took = serve(given, random(8), failingNow, 60, 'rolledBack', 'promoted');

    expect(rolloutOf(given).status).toBe('rolledBack');
    expect(took).toBeLessThanOrEqual(31);
    expect(verifyRollout(given.drive.entries, rolloutOf(given).id).problems).toEqual([]);
  });
});

test('caches that are cold for two minutes after each change of weight take no healthy candidate back', {
  timeout: 60_000,
}, () => {
  const cold: Minute = (draw, weight, age) => ({
    counts: split(draw, weight / 100, { v1: 0.005, v2: 0.005 }, { slower: age < 2 ? 3 : 1 }),
  });
  const ends = Array.from({ length: 20 }, (_, seed) => {
    const given = begun();
    serve(given, random(seed, 3), cold, 200, 'promoted', 'rolledBack', 'held');
    const problems = seed === 0 ? verifyRollout(given.drive.entries, rolloutOf(given).id).problems : [];
    return { ...rolloutOf(given), problems };
  });

  expect(ends.filter(({ status }) => status === 'rolledBack')).toEqual([]);
  expect(ends.filter(({ status }) => status === 'promoted').length).toBeGreaterThanOrEqual(19);
  expect(ends.flatMap(({ problems }) => problems)).toEqual([]);
  expect(ends[0]?.certificate?.conditions).toContain(
    'a model that has just got more traffic is as fast as usual after 2 ticks; until then its latency does not count',
  );
});
