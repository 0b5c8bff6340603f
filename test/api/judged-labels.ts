import type { Config } from '@serin/core/config/config';
import { compiled, openWorld } from './world.ts';

const hour = 3_600_000;

/** Rules of a model whose labels are judged each hour. */
const judgedHourly: Partial<Config['models'][string]> = {
  rollout: { steps: [10, 50], bake: '2m', guard: '2m', warmUp: 0 },
  monitor: { performance: { window: '1h', maturity: '2h' } },
};

type Opened = Awaited<ReturnType<typeof openWorld>>;

/** A model that serves, and is wrong in as many of 100 predictions as were read of it last. */
export async function labelledWorld<World extends Pick<Opened, 'release' | 'drop' | 'pass'> = Opened>(
  open: (more: Parameters<typeof openWorld>[0]) => Promise<World> = openWorld as never,
) {
  let share = 0.05;
  const world = await open({ traffic: { perMinute: 10, wrong: () => share } });
  await world.release(compiled(judgedHourly));
  await world.drop();
  return {
    world,
    /** So many hours pass, whose labels say that a share is wrong. */
    async hours(count: number, wrong: number): Promise<void> {
      share = wrong;
      for (let passed = 0; passed < count; passed += 1) await world.pass(hour);
    },
  };
}
