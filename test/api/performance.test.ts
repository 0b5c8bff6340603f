import { expect, test } from 'vitest';
import { labelledWorld } from './judged-labels.ts';
import { openWorld } from './world.ts';

test('labels are told beside drift only where the config asks for them, with what is waited for', async () => {
  const bare = await openWorld();
  await bare.release();
  const { world } = await labelledWorld();
  const drift = async (from: typeof bare) => (await from.call('GET', '/v1/models/fraud/drift')).body;

  expect(await drift(bare)).not.toHaveProperty('performance');
  expect((await drift(world)).performance).toMatchObject({
    ...{ status: 'maturing', version: 1, windows: [], window: { predictions: 0 } },
    sentence: expect.stringContaining('no window of v1 was judged by its labels yet'),
  });
});

test('windows are told with their limits, and an incident with what was lost and since when', async () => {
  const { world, hours } = await labelledWorld();
  const performance = async () => (await world.call('GET', '/v1/models/fraud/drift')).body.performance;
  await hours(7, 0.05);
  const quiet = await performance();
  await hours(3, 0.4);
  const lost = await performance();
  await hours(4, 0.05);
  const recovered = await performance();

  expect(quiet.limit).toBeCloseTo(0.1, 1);
  expect(quiet.windows.at(-1)).toMatchObject({
    ...{ version: 1, predictions: 600, labels: 600, losses: 0, loss: expect.closeTo(0.05, 2), alarm: false },
    ...{ low: expect.closeTo(0.035, 2), high: expect.closeTo(0.07, 2), evidence: expect.any(Number) },
  });
  expect(quiet).not.toHaveProperty('incident');
  expect(lost.sentence).toMatch(
    /^v1 is wrong in \d\d(\.\d)? % of its predictions by their labels, above the limit of \d/,
  );
  expect(lost.windows.some(({ alarm }: { alarm: boolean }) => alarm)).toBe(true);
  expect(lost.incident).toMatchObject({ version: 1, clean: 0, since: expect.stringMatching(/^2026-01-01T/) });
  expect(recovered).not.toHaveProperty('incident');
});

test('the page shows the labels of a model that is asked without any reference', async () => {
  const { world, hours } = await labelledWorld();
  await hours(8, 0.05);

  const answer = await world.app.request('/models/fraud', {
    headers: { accept: 'text/html', authorization: `Bearer ${await world.token('viewer')}` },
  });
  const html = await answer.text();

  expect(html).toContain('Predictions against their labels');
  expect(html).not.toContain('Requests against the training data');
  expect(html).toMatch(/in the last window v1 was wrong in \d/);
  expect(html).toContain('performance-windows');
});

test('what truths say of a class or of numbers is told of each window, as sums and with limits', async () => {
  const last = async (rules: Parameters<typeof labelledWorld>[1]) => {
    const { world, hours } = await labelledWorld(openWorld, rules);
    await hours(8, 0.05);
    const { performance } = (await world.call('GET', '/v1/models/fraud/drift')).body;
    const html = await (
      await world.app.request('/models/fraud', {
        headers: { accept: 'text/html', authorization: `Bearer ${await world.token('viewer')}` },
      })
    ).text();
    return { performance, window: performance.windows.at(-1), html };
  };
  const [plain, classed, numbered] = [await last({}), await last({ positive: 'fraud' }), await last({ scale: 10 })];

  // 30 of 600 are wrong.
  const { classes, truths } = classed.window;
  expect(classes.falsePositives + classes.falseNegatives).toBe(30);
  expect(truths.recall).toMatchObject({
    value: classes.truePositives / (classes.truePositives + classes.falseNegatives),
  });
  expect(truths.precision.value).toBe(classes.truePositives / (classes.truePositives + classes.falsePositives));
  expect(truths.recall.low).toBeLessThan(truths.recall.value);
  expect(classed.performance).toMatchObject({
    positive: 'fraud',
    sentence: expect.stringContaining("precision of 'fraud' "),
  });
  expect(classed.performance.truths).toEqual({ windows: 1, ...truths });
  expect(classed.html).toContain('Precision and recall of “fraud”');

  expect(numbered.window).toMatchObject({
    ...{ labels: 600, losses: 600, loss: expect.closeTo(0.145, 2), errors: { numbers: 600, unknown: 0 } },
    truths: { mae: { value: expect.closeTo(1.95, 2) }, rmse: { value: expect.closeTo(Math.sqrt(20.95), 2) } },
  });
  expect(numbered.performance.sentence).toContain('mean absolute error 1.95 (');
  expect(numbered.html).toContain('performance-errors');

  expect([plain.window, plain.performance].map((told) => 'truths' in told)).toEqual([false, false]);
  expect(plain.html).not.toMatch(/performance-(class|errors)/);
});
