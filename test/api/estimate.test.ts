import { expect, test } from 'vitest';
import { rowsAsked } from '../simulation/fakes/captured.ts';
import {
  askedForChances,
  asTheyAre,
  estimatedDaily,
  estimatedWorld,
  measuredOf,
  tooSure,
  truthOf,
} from './estimating.ts';
import { compiled, start } from './world.ts';

const day = 86_400_000;

test('of calibrated probabilities the estimate of a window is what labels would tell, but for chance', async () => {
  const { world, drift } = await estimatedWorld();
  const before = await drift();
  await world.pass(1.6 * day);

  const { estimate, windows } = await drift();

  const [window] = estimate.windows;
  const [from, to] = [Date.parse(window.from), Date.parse(window.to)];
  const truth = truthOf(rowsAsked(askedForChances(asTheyAre)(), from, to), asTheyAre, 7);
  expect(before.estimate).toMatchObject({
    sentence: 'nothing is estimated of v1 yet: its first window is awaited',
    ...{ calibration: { rows: 6000 }, windows: [] },
  });
  expect(window).toMatchObject({ version: 1, rows: truth.rows, drifted: false });
  for (const name of ['accuracy', 'precision', 'recall'] as const) {
    const { share, of } = truth[name];
    expect(Math.abs(window[name] - share), name).toBeLessThan(4 * Math.sqrt(0.25 / of));
  }
  expect(estimate.sentence).toMatch(/^estimated without labels: v1 should be right in \d\d(\.\d)? % of [\d,]+ answers/);
  expect(windows[0]).not.toHaveProperty('estimate');
});

test('of a model that is too sure of itself nothing is estimated, and why is said', async () => {
  const { world, drift } = await estimatedWorld({ said: tooSure });
  await world.pass(1.6 * day);

  const { estimate } = await drift();

  expect(measuredOf(tooSure).calibrationError).toBeGreaterThan(0.05);
  expect(estimate.windows).toEqual([]);
  expect(estimate.sentence).toMatch(
    /^nothing is estimated without labels: the probabilities of v1 are not calibrated: its calibration_error is 0\.\d+, and at most 0.05 will do; /,
  );
});

test('while requests drift an estimate is said to be one that may be wrong, and nothing acts on it', async () => {
  const { world, drift } = await estimatedWorld({ turnsAt: start + 2 * day });
  await world.pass(3 * day);

  const { estimate, incident } = await drift();
  const why = (await world.call('GET', '/v1/models/fraud/why')).body;

  expect(incident).toBeDefined();
  expect(estimate.windows.map(({ drifted }: { drifted: boolean }) => drifted)).toContain(true);
  expect(estimate.sentence).toMatch(/; requests have drifted, so it may be wrong$/);
  expect(JSON.stringify(why)).not.toContain('estimate');
});

test('the page shows estimates apart from what is measured, and only where the config asks for them', async () => {
  const { world } = await estimatedWorld();
  await world.pass(2.6 * day);
  const pageOf = async () => {
    const answer = await world.app.request('/models/fraud', {
      headers: { accept: 'text/html', authorization: `Bearer ${await world.token('viewer')}` },
    });
    return answer.text();
  };

  const asked = await pageOf();
  const { estimate: _, ...monitor } = estimatedDaily.monitor ?? {};
  await world.release(compiled({ ...estimatedDaily, monitor }));
  const off = await pageOf();

  expect(asked).toContain('Estimated, no labels');
  expect(asked).toContain('estimate-windows');
  expect(asked).toMatch(/Estimated without labels: v1 should be right in \d/);
  expect(off).not.toContain('Estimated');
});
