import { Fault } from '@serin/core/base/fault';
import { nothingMeasured } from '@serin/core/job-contract/metrics';
import { expect, test } from 'vitest';
import { failed, promised, ranTooLong, retryableBy, stopped, succeeded, timesOf, underWay } from './results.ts';

const times = timesOf(new Date(1000), new Date(2000));
const artifact = { uri: 'bucket://a/model', digest: 'd', bytes: 1 };

test('a job that ended well is described with what it left and what it measured', async () => {
  const measured = { metrics: { auc: 0.9 }, unread: { loss: 'it is NaN in metrics.json' } };

  const description = await succeeded(times, async () => ({ artifacts: { model: artifact }, measured }));

  expect(description).toEqual({
    ...{ status: 'succeeded', startedAt: 1000, endedAt: 2000 },
    ...measured,
    artifacts: { model: artifact },
  });
});

test('a job that ended well without a promised output has failed, with the place where it was looked for', async () => {
  const none = async () => ({
    artifacts: await promised({ model: 'bucket://a/model/' }, async () => undefined),
    measured: nothingMeasured,
  });

  const description = await succeeded(times, none);

  expect(description).toMatchObject({ status: 'failed', endedAt: 2000 });
  expect(description.reason).toContain('wrote no model into bucket://a/model/');
});

test('a cloud that cannot be asked now fails no job', async () => {
  const away = async () => Promise.reject(new Fault('unavailable', 'try again later'));

  await expect(succeeded(times, away)).rejects.toThrow('try again later');
});

test.each([
  [underWay({}), { status: 'starting' }],
  [underWay({ startedAt: 1 }), { status: 'running', startedAt: 1 }],
  [stopped({ endedAt: 2 }), { status: 'stopped', endedAt: 2, reason: 'stopped on request' }],
  [failed({}, ranTooLong(3_600_000)), { status: 'failed', reason: 'ran longer than 1h' }],
  [failed({}, 'no machine', 'capacity'), { status: 'failed', reason: 'no machine', retryable: 'capacity' }],
])('a description says the state of a job: %j', (description, wanted) => {
  expect(description).toEqual(wanted);
});

test('the words of a cloud say whether another attempt is worth it', () => {
  const retryableOf = retryableBy({ capacity: /no capacity/i, interruption: /internal error/i });

  expect(retryableOf('No capacity for this type')).toBe('capacity');
  expect(retryableOf('internal error: no capacity')).toBe('capacity');
  expect(retryableOf('an internal error')).toBe('interruption');
  expect(retryableOf('exited with code 1')).toBeUndefined();
});
