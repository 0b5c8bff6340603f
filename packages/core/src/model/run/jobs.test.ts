import { describe, expect, test } from 'vitest';
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

describe('a job that was told to stop', () => {
  const refused = { type: 'effectRefused', because: 'it is gone' } as const;

  function stopping() {
    const drive = driver();
    trainOne(drive, 'one');
    drive.answer('startJob', { type: 'jobStarted', job: 'job-1' });
    drive.say({ type: 'cancelRequested' });
    expect(drive.state.run?.status).toBe('stopping');
    return drive;
  }

  test('and cannot be found any more is over', () => {
    const drive = stopping();
    drive.answer('stopJob', { type: 'jobStopAsked' });
    drive.wait(1000);

    drive.answer('describeJob', refused);

    expect(drive.state.run).toMatchObject({ status: 'cancelled', because: 'cancelled by ann' });
  });

  test('and refuses to is looked at before anybody says that it is over', () => {
    const drive = stopping();

    drive.answer('stopJob', refused);
    expect(drive.state.run?.status).toBe('stopping');
    drive.wait(60_000);
    drive.answer('describeJob', { type: 'jobDescribed', description: { status: 'succeeded' } });

    expect(drive.state.run?.status).toBe('cancelled');
  });
});
