import { minute } from '@serin/core/base/time';
import { beforeAll, describe, expect, test } from 'vitest';
import { compiled, openWorld, type World } from '../api/world.ts';
import { look } from './life.ts';

/** Two versions that somebody approved with a note, and a rollback by hand. */
describe('who decided what, and why, is read', () => {
  let world: World;

  beforeAll(async () => {
    let auc = 0.8;
    world = await openWorld({ auc: () => auc });
    const approver = await world.token('approver');
    await world.release(
      compiled({ approval: { required: true, fourEyes: true, expires: '7d' }, rollout: { steps: [50], bake: '10m' } }),
    );
    for (const number of [1, 2]) {
      await world.drop(`fraud/${number}.csv`, `day,amount\n2026-01-01,${number}\n`, 5 * minute);
      const note = `read <b>${number}</b>`;
      await world.call('POST', `/v1/models/fraud/versions/${number}/approve`, { note }, { token: approver });
      await world.pass(60 * minute);
      auc += 0.01;
    }
    await world.call('POST', '/v1/models/fraud/rollback', { because: 'odd prices' });
    await world.pass(5 * minute);
    await world.drop('fraud/3.csv', 'day,amount\n2026-01-01,3\n', 5 * minute);
  });

  test('in the list of versions', async () => {
    const { text } = await look(world, '/versions');

    expect(text).toMatch(/fraud v2 quarantined .* approved by \S+: read <b>2<\/b>/);
  });

  test('on the page of a version', async () => {
    const { text } = await look(world, '/models/fraud/versions/2');

    expect(text).toMatch(/Approval approved by \S+: read <b>2<\/b>/);
    expect(text).toMatch(/v2 of fraud is quarantined: taken back by \S+: odd prices/);
  });

  test('in the list of rollouts, where a rollback is none that was promoted', async () => {
    const { text } = await look(world, '/rollouts');

    expect(text).toMatch(/fraud back to v1 from v2 done v1 serves again: rolled back by \S+: odd prices/);
  });

  test('and each rollout has a name of its own', async () => {
    const { main } = await look(world, '/rollouts');

    const names = [...main.matchAll(/>(ro_\w+)<\/a>/g)].map(([, name]) => name);
    expect(names).toHaveLength(3);
    expect(new Set(names).size).toBe(3);
  });

  test('in the history, without the entries that Serin made by itself', async () => {
    const { text } = await look(world, '/audit?stream=model/fraud&by=people');

    expect(text).toMatch(/approval given, v2 read <b>2<\/b>/);
    expect(text).toMatch(/rollback requested odd prices/);
    expect(text).not.toMatch(/\d+h ago serin/);
  });

  test('and who had a hand in a version is not asked to approve it', async () => {
    const { text } = await look(world, '/');

    expect(text).toContain('Approve v3 four eyes: you released the config and code of v3');
  });
});
