import type { Config } from '@serin/core/config/config';
import { compiled, openWorld, type World } from './world.ts';

const hour = 3_600_000;

/** Rules of a model whose labels are judged each hour. */
const judgedHourly = (rules: object): Partial<Config['models'][string]> => ({
  rollout: { steps: [10, 50], bake: '2m', guard: '2m', warmUp: 0 },
  monitor: { performance: { window: '1h', maturity: '2h', ...rules } },
});

/** A model that serves, and hours in which a share of its predictions turns out to be wrong. */
export async function labelledWorld(
  open: (more: Parameters<typeof openWorld>[0]) => Promise<World> = openWorld,
  rules: { readonly positive?: string; readonly scale?: number } = {},
) {
  let share = 0.05;
  const world = await open({ traffic: { perMinute: 10, wrong: () => share } });
  await world.release(compiled(judgedHourly(rules)));
  await world.drop();
  return {
    world,
    /** So many hours pass; the labels that are read in them say that this share is wrong. */
    async hours(count: number, wrong: number): Promise<void> {
      share = wrong;
      for (let passed = 0; passed < count; passed += 1) await world.pass(hour);
    },
  };
}
