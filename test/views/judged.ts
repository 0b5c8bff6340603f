import { hour, minute } from '@serin/core/base/time';
import { compiled, openWorld, type World } from '../api/world.ts';
import { crowdOf, type JudgedBy, planBy } from '../simulation/crowds.ts';

/** A champion, and a second version whose rollout has ended, or goes on after so long. */
export async function judged(by: JudgedBy, candidate: 'healthy' | 'bad' = 'healthy', forMs = 3 * hour): Promise<World> {
  const { people, models, ...labelled } = crowdOf(by, candidate);
  let auc = 0.8;
  const world = await openWorld({
    auc: ({ key }) => (key.includes('/champion/') ? 0.8 : auc),
    traffic: { ...models, ...labelled, people: () => ({ ...people, seed: 7 }) },
  });
  await world.release(compiled(planBy(by, { steps: [10, 50], bake: '10m', guard: '5m' })));
  await world.drop('fraud/1.csv', 'day,amount\n2026-01-01,1\n', 30 * minute);
  auc = 0.82;
  await world.drop('fraud/2.csv', 'day,amount\n2026-01-01,2\n', forMs);
  return world;
}
