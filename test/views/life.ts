import { minute } from '@serin/core/base/time';
import { compiled, openWorld, type World } from '../api/world.ts';

/** A model in the middle of its life: v1 and v2 became champions, v3 did harm, v4 was refused, v5 bakes. */
export async function lived(): Promise<World> {
  let auc = 0.8;
  const log = 'epoch 1 <loss> 0.41\nepoch 2 loss 0.33\n';
  const world = await openWorld({
    auc: ({ key }) => (key.includes('/champion/') ? 0.81 : auc),
    logged: () => [
      {
        ...{ job: 'train', attempt: 1, name: 'loss' },
        points: [0.9, 0.5, 0.3].map((value, step) => ({ step, at: 0, value })),
      },
    ],
    logs: async ({ key }, from) =>
      key.endsWith('/train/1') ? { text: log.slice(from), next: log.length, ended: true } : undefined,
  });
  const train = async (score: number, waitMs: number) => {
    auc = score;
    await world.drop(`fraud/${score}.csv`, `day,amount\n2026-01-01,${score}\n`, waitMs);
  };
  await world.release(compiled({ rollout: { steps: [10, 50], bake: '10m', guard: '5m' } }));
  await train(0.8, 15 * minute);
  await train(0.82, 45 * minute);
  world.failing.set('v2', 0.001);
  world.failing.set('v3', 0.01);
  await train(0.83, 30 * minute);
  await train(0.7, 10 * minute);
  world.failing.set('v5', 0.001);
  await train(0.84, 20 * minute);
  return world;
}

/** A page as a browser gets it, and what it says to somebody who reads it. */
export async function look(world: World, path: string, token?: string) {
  const authorization = `Bearer ${token ?? 'srn_bootstrap'}`;
  const answer = await world.app.request(path, { headers: { authorization, accept: 'text/html' } });
  const html = await answer.text();
  const main = /<main[^>]*>([\s\S]*)<\/main>/.exec(html)?.[1] ?? '';
  return {
    status: answer.status,
    html,
    main,
    text: textOf(main),
    title: textOf(/<h1>([\s\S]*?)<\/h1>/.exec(html)?.[1] ?? ''),
  };
}

export const textOf = (html: string): string =>
  html
    .replace(/<svg[\s\S]*?<\/svg>/g, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ')
    .trim();

/** Ids of a kind, the oldest first. */
export async function idsOf(world: World, kind: 'runs' | 'rollouts'): Promise<readonly string[]> {
  const { body } = await world.call('GET', `/v1/${kind}?limit=100`);
  return body[kind].map(({ id }: { id: string }) => id).reverse();
}
