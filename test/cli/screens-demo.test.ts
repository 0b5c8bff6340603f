import type { CloudEvent } from '@serin/core/ports/bus';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Facts, report } from '../../packages/cli/src/demo/report.ts';
import { tellStory } from '../../packages/cli/src/demo/story.ts';
import { canaryWorld, keptTerminal, screen } from './screens.ts';

async function factsOf(share: number): Promise<Facts> {
  const world = await canaryWorld();
  world.failing.set('v2', share);
  await world.pass(20 * 60_000);
  const { rollout } = await world.model();
  const { body } = await world.call('GET', `/v1/rollouts/${rollout.id}`);
  const verdict = 'passed: mape 0.118708 against 0.134627 of the champion v1, within 0';
  const release = { datasetVersion: '1e5ff1ccf26a', version: 1, verdict, because: verdict };
  return {
    rollback: body.certificate,
    verified: { rollout: rollout.id, readings: 2, problems: [] },
    changed: { rollout: rollout.id, readings: 2, problems: ['model/births: entry 7 was changed after it was written'] },
    releases: [
      { ...release, dataset: '1971', verdict: 'passed: no champion to compare with yet', outcome: 'promoted' },
      {
        ...release,
        ...{ dataset: '1977', version: 7, outcome: 'refused' },
        verdict: 'refused: mape 0.0458999 against 0.0412371 of the champion v1, not within 0',
      },
      { ...release, dataset: 'drift', version: 2, outcome: 'promoted' },
      { ...release, dataset: 'sabotage', version: 19, outcome: 'rolledBack', because: body.because },
    ],
    drift: {
      years: [1971, 1973],
      ...{ column: 'lastWeek', sizeBefore: 0.0981, size: 0.655, sizeAfter: 0.422, limit: 0.55, trigger: 'drift' },
      training: [0.01, 0.06, 0.12, 0.12, 0.12, 0.1, 0.1, 0.12, 0.15, 0.1],
      live: [0.28, 0.14, 0.08, 0.1, 0.2, 0.16, 0.04, 0, 0, 0],
    },
    served: [],
    trainingJobsOfKilledRun: 1,
    requests: { sent: 8504, failed: 281 },
    seconds: 39.1,
    peakMb: 282,
  };
}

screen('demo-report', async (width) => `${report(await factsOf(0.3), [], width).join('\n')}\n`);

test('what was not as it should be stands in the report of the demo', async () => {
  expect(report(await factsOf(0.3), ['no version was promoted'], 80)).toContain('  no version was promoted');
});

test('the demo tells all of its first version, and of the others what the gate and the canary said', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const types = [
    'run.started',
    'rollout.promoted',
    'run.started',
    'run.refused',
    'rollout.shifted',
    'rollout.rolledback',
  ];
  const events = types.map((type, index) => ({
    position: index + 1,
    event: {
      id: `${index}`,
      subject: 's',
      type: `dev.serin.${type}.v1`,
      time: '2026-01-01T00:00:00Z',
      data: { model: 'm', run: 'run_1' },
    },
  })) as unknown as readonly { readonly position: number; readonly event: CloudEvent }[];
  let isUp = false;
  const read = async (after: number) => {
    if (!isUp) throw new Error('the server is being started again');
    return events.slice(after, after + 4);
  };
  const lines: string[] = [];
  const story = tellStory(
    () => ({ events: read }),
    (text) => void lines.push(text),
    keptTerminal(80),
  );

  await vi.advanceTimersByTimeAsync(500);
  isUp = true;
  await vi.advanceTimersByTimeAsync(500);
  story.stop();

  expect(lines.map((line) => line.slice(10).split('\n')[0])).toEqual([
    '● m run started (run_1)',
    '✔ m rollout promoted',
    '✖ m gate refused; 0ms in all',
    '✖ m rollout rolled back',
  ]);
});
