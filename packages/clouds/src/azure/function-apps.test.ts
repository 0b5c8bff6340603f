import { expect, test } from 'vitest';
import { type FunctionApp, functionApps, hostOf } from './function-apps.ts';

const apps = Object.keys(functionApps) as FunctionApp[];
const secondsOf = (duration: string): number => {
  const [hours = 0, minutes = 0, seconds = 0] = duration.split(':').map(Number);
  return hours * 3600 + minutes * 60 + seconds;
};

test.each(apps)(
  '%s is not killed before its own time is over, and its message is not lost before it is killed',
  (app) => {
    const { functionTimeout, extensions } = hostOf(app);

    const killed = secondsOf(functionTimeout);

    expect(killed).toBeGreaterThan(functionApps[app].timeoutSeconds);
    expect(secondsOf(extensions.serviceBus.maxAutoLockRenewalDuration)).toBeGreaterThan(killed);
  },
);

test.each(apps)('an instance of %s takes one message or request at a time', (app) => {
  const { http, serviceBus } = hostOf(app).extensions;

  expect([http.maxConcurrentRequests, serviceBus.maxConcurrentCalls, serviceBus.prefetchCount]).toEqual([1, 1, 0]);
});

test('each run of the clock is in the log, by which an alarm sees that it runs; of the others what failed is', () => {
  const results = apps.map((app) => hostOf(app).logging.logLevel['Host.Results']);

  expect(results).toEqual(['Error', 'Error', 'Information', 'Error']);
});
