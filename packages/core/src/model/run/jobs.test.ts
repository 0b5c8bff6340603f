import { expect, test } from 'vitest';
import { driver, job, planOf, trainOne } from '../model.fixture.ts';

test('a job that a provider had no room for is tried as often as the config says, ever later, and no more', () => {
  const train = { code: './src', command: ['node', 'train.mjs'], attempts: 2 };
  const drive = driver(planOf({ train }));
  trainOne(drive, 'one');
  const pauses: number[] = [];

  for (let attempt = 1; attempt <= 2; attempt += 1) {
    job(drive, { retryable: 'capacity', reason: 'no capacity' }, 'failed');
    const { run } = drive.state;
    if (run !== undefined && 'job' in run) {
      pauses.push(run.job.notBefore - drive.now);
      drive.wait(run.job.notBefore - drive.now);
    }
  }

  expect(pauses).toEqual([300_000]);
  expect(drive.state.run).toMatchObject({
    status: 'failed',
    because: 'the evaluate job failed: no capacity (attempt 2)',
  });
});
