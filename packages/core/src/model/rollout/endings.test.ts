import { expect, test } from 'vitest';
import { minute } from '../../base/time.ts';
import { planOf } from '../model.fixture.ts';
import { whyRollout } from '../why.ts';
import { endings } from './endings.fixture.ts';
import { challenge, noLatency, rolloutOf, until } from './judge.fixture.ts';

test('a sentence says why, how sure that is and what now, for each way in which a rollout ends or waits', async () => {
  const said = Object.entries(endings).map(([name, make]) => {
    const rollout = rolloutOf(make());
    const { certificate } = rollout;
    const sentence = certificate === undefined ? whyRollout(rollout, 'fraud').sentence : certificate.sentence;
    return `${name}\n  ${sentence}\n`;
  });

  // Read each by itself before it is renewed with `vitest --update`: somebody has to understand it without the code.
  await expect(said.join('\n')).toMatchFileSnapshot('endings.golden.txt');
}, 60_000);

test.each([
  ['with few errors', { v1: 0.02, v2: 0.02 }],
  ['without any', {}],
])('a service %s is promoted when the hold has said it would be, if its traffic goes on', (_, failing) => {
  const world = challenge(planOf({ rollout: { ...noLatency, bake: '5m', guard: '5m', maxHold: '24h' } }));
  const traffic = { perMinute: 60, failing };
  const held = until(world, traffic, 'held', 'promoting');
  const heldAt = world.drive.now;

  until(world, traffic, 'promoting', 'rolledBack');

  const [, said = Number.NaN, unit = ''] =
    /takes about (\d+) (minute|hour)s? more/.exec(whyRollout(held, 'fraud').sentence) ?? [];
  const saidMs = Number(said) * (unit === 'hour' ? 60 * minute : minute);
  expect(rolloutOf(world).status).toBe('promoting');
  expect((world.drive.now - heldAt) / saidMs).toBeGreaterThan(0.8);
  expect((world.drive.now - heldAt) / saidMs).toBeLessThan(1.25);
});
