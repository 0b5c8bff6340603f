import { Fault } from '@serin/core/base/fault';
import { minute } from '@serin/core/base/time';
import { isFulfilled, nextOperation } from '@serin/core/model/endpoint/wish';
import type { Deployment, Observation, Operation, Serving } from '@serin/core/ports/serving';
import { expect, test } from 'vitest';
import { seeded } from '../contract/serving-machine.ts';

type Wish = Parameters<typeof nextOperation>[1];

export const wish = (versions: number[], weights: Record<string, number>, more: Partial<Wish> = {}): Wish => ({
  ...{ versions, weights, extras: 'keep', urgent: false, needs: versions },
  ...more,
});
export const nothing = wish([], {}, { extras: 'retire' });

export interface World {
  readonly serving: Serving;
  readonly clock: { now: number };
  readonly deploymentOf: (version: number) => Deployment;
}

/** What the core asks for until the endpoint `e` is as wished, half a minute between two looks. */
export async function walk(
  { serving, clock, deploymentOf }: World,
  desired: Wish,
  of: (version: number) => Deployment = (version) => deploymentOf(version),
  limit = 400,
): Promise<Observation | 'absent'> {
  for (let steps = 0; steps < limit; steps++) {
    const seen = await serving.observe('e');
    if (isFulfilled(seen, desired)) return seen;
    const isBusy = seen !== 'absent' && seen.busy;
    const operation = isBusy ? undefined : nextOperation(seen, desired, of);
    if (operation !== undefined) await serving.change('e', operation).catch(askedAgain);
    clock.now += minute / 2;
  }
  throw new Error(`never as wished: ${JSON.stringify(desired)}`);
}

/** "Later" is asked again, as the engine does. */
function askedAgain(error: unknown): void {
  if (!(error instanceof Fault) || error.retry !== 'later') throw error;
}

interface Unreliable extends World {
  /** It starts, and is never ready. */
  readonly mute: (version: number) => Deployment;
  /** Calls whose next answer is lost. */
  readonly lost: Set<string>;
}

interface Cloud<Opened extends Unreliable> {
  readonly opened: () => Promise<Opened>;
  /** An endpoint with the deployments 1, which has all weight, and 2. */
  readonly canary: () => Promise<Opened>;
  /** Wishes beside those of every cloud, of an endpoint with the deployments 1 and 2. */
  readonly more?: readonly Wish[];
  readonly losable: readonly string[];
  /** Lets the next operation end so much later. */
  readonly late: (world: Opened, ms: number) => void;
  /** Around a change of weights: it may land after it was given up. */
  readonly held?: { readonly before: (world: Opened) => void; readonly after: (world: Opened) => void };
}

/** What the core brings an endpoint to, whatever comes between. */
export function servingWalks<Opened extends Unreliable>(cloud: Cloud<Opened>): void {
  const { opened, canary, more = [], losable, late, held } = cloud;
  const readyAlone = (version: number) => ({ deployments: [{ name: `v${version}`, version, status: 'ready' }] });

  test('every wish of the core is fulfilled one after the other, from nothing to nothing', async () => {
    const world = await opened();

    for (const desired of [
      wish([1], { 1: 100 }),
      wish([1, 2], { 1: 100 }),
      ...more,
      wish([1, 2], { 1: 95, 2: 5 }),
      wish([1, 2], { 1: 50, 2: 50 }),
      wish([1], { 1: 100 }, { urgent: true }),
      wish([1], { 1: 100 }, { extras: 'retire' }),
      wish([1, 2], { 2: 100 }),
      wish([2], { 2: 100 }, { extras: 'retire' }),
      nothing,
      wish([3], { 3: 100 }),
      nothing,
    ])
      await walk(world, desired);

    expect(await world.serving.observe('e')).toEqual({ deployments: [], weights: {}, busy: false });
  });

  test.each(Array.from({ length: 5 }, (_, seed) => seed + 1))(
    'whatever fails, is lost and comes between, the core brings an endpoint to its wish (walk %i)',
    async (seed) => {
      const random = seeded(seed);
      const world = await opened();
      const broken = new Set<number>();
      const of = (version: number) => (broken.has(version) ? world.mute(version) : world.deploymentOf(version));
      let champion = 1;
      await walk(world, wish([champion], { [champion]: 100 }), of);

      for (let version = 2; version < 7; version++) {
        if (random() < 40) broken.add(version);
        for (const name of losable) if (random() < 40) world.lost.add(name);
        if (random() < 40) late(world, random() * minute);
        const share = 1 + (random() % 99);
        const both = [champion, version];
        if (broken.has(version)) {
          await expect(walk(world, wish(both, { [champion]: 100 }), of, 100)).rejects.toThrow('never');
        } else {
          await walk(world, wish(both, { [champion]: 100 }), of);
          if (random() < 40) held?.before(world);
          await walk(world, wish(both, { [champion]: 100 - share, [version]: share }), of);
          held?.after(world);
          if (random() < 50) champion = version;
        }
        const seen = await walk(world, wish([champion], { [champion]: 100 }, { extras: 'retire' }), of);
        expect(seen).toMatchObject(readyAlone(champion));
      }

      await walk(world, nothing, of);
    },
  );

  test('concurrent changes of any kind leave an endpoint that can be brought to any wish', async () => {
    const world = await canary();
    const deployment = world.deploymentOf(3);
    const tries: Operation[] = [
      { kind: 'deploy', deployment },
      { kind: 'weigh', weights: { v1: 10, v2: 90 } },
      { kind: 'weigh', weights: { v1: 20, v2: 80 } },
      { kind: 'retire', deployment: 'v2' },
      { kind: 'deploy', deployment },
    ];

    const answers = await Promise.allSettled(tries.map((operation) => world.serving.change('e', operation)));

    for (const answer of answers)
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'invalid' });
    await walk(world, wish([1, 3], { 3: 100 }, { extras: 'retire' }));
  });
}
