import {
  converge,
  type Driver,
  driver,
  fakeEndpoint,
  healthy,
  type planOf,
  score,
  serveTicks,
  type Traffic,
  trainOne,
} from '../model.fixture.ts';
import type { Rollout } from './state.ts';

/** What a test of rollouts begins with. */

export type GivenModel = NonNullable<Parameters<typeof planOf>[0]>;
export type GivenRollout = NonNullable<GivenModel['rollout']>;

/** Of a champion. */
export const percentiles = { p50: 20, p90: 60, p99: 200, requests: 10_000 };
export const noLatency = { guardrails: { latency: false } } as const;

export interface World {
  readonly drive: Driver;
  readonly endpoint: ReturnType<typeof fakeEndpoint>;
}

/** A first version whose rollout has just begun. */
export function first(plan?: Parameters<typeof driver>[0]): World {
  const drive = driver(plan);
  const endpoint = fakeEndpoint();
  trainOne(drive, 'one');
  score(drive, 0.8);
  return { drive, endpoint };
}

/** A champion that serves alone for so many ticks, and a challenger whose rollout has just begun. */
export function challenge(plan?: Parameters<typeof driver>[0], ticks?: number): World {
  const { drive, endpoint } = first(plan);
  converge(drive, endpoint);
  serveTicks(drive, healthy, ticks);
  converge(drive, endpoint);
  trainOne(drive, 'two');
  score(drive, 0.82, 0.8);
  return { drive, endpoint };
}

export function rolloutOf({ drive }: Pick<World, 'drive'>): Rollout {
  const { rollout } = drive.state;
  if (rollout === undefined) throw new Error('there is no rollout');
  return rollout;
}

/** Goes on under this traffic until the status is one of these. */
export function until(world: World, traffic: Traffic, ...statuses: readonly Rollout['status'][]): Rollout {
  const { drive, endpoint } = world;
  for (let round = 0; round < 300 && !statuses.includes(rolloutOf(world).status); round += 1) {
    if (drive.owed('readLatency').length > 0) drive.answer('readLatency', { type: 'latencyRead', percentiles });
    converge(drive, endpoint);
    if (!statuses.includes(rolloutOf(world).status)) serveTicks(drive, traffic, 1);
  }
  return rolloutOf(world);
}
