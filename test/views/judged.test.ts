import { describe, expect, test } from 'vitest';
import { crowds, type JudgedBy } from '../simulation/crowds.ts';
import { judged } from './judged.ts';
import { idsOf, look } from './life.ts';

const kinds = Object.keys(crowds) as readonly JudgedBy[];

const rolloutIn = async (world: Awaited<ReturnType<typeof judged>>) => {
  const id = (await idsOf(world, 'rollouts')).at(-1) ?? '';
  const { body } = await world.call('GET', `/v1/rollouts/${id}`);
  const { body: verified } = await world.call('GET', `/v1/rollouts/${id}/verification`);
  return { id, rollout: body, verified };
};

describe.each(kinds)('a rollout that is judged by its %s', (by) => {
  const { blamed } = crowds[by];

  test('promotes a healthy candidate, and its journal is verified', async () => {
    const { rollout, verified } = await rolloutIn(await judged(by));

    expect([rollout.status, rollout.certificate.verdict]).toEqual(['promoted', 'promotion']);
    expect(verified.problems).toEqual([]);
  });

  test(`takes a bad candidate back for its ${blamed}, and its page draws the evidence`, async () => {
    const world = await judged(by, 'bad');
    const { id, rollout, verified } = await rolloutIn(world);
    const { main } = await look(world, `/rollouts/${id}`);

    const blames = rollout.certificate.guardrails.filter(({ blame }: { blame?: string }) => blame !== undefined);
    expect([rollout.status, rollout.certificate.verdict]).toEqual(['rolledBack', 'rollback']);
    expect(blames.map(({ name }: { name: string }) => name)).toEqual([blamed]);
    expect(verified.problems).toEqual([]);
    expect(main).toContain('<figure class="plot" id="evidence"');
  });
});
