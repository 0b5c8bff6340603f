import { expect, test } from 'vitest';
import { daysOf, isError, statusOf } from './answers.ts';

const hour = 3_600_000;

// https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints#http-status-codes
test.each([
  ['was answered', 200, 200, false],
  ['was sent elsewhere', 302, 302, false],
  ['has a caller without permission', 401, 0, false],
  ['found no deployment', 404, 0, false],
  ['was too large', 413, 0, false],
  ['has a caller that gave up', 499, 0, false],
  ['took longer than the time-out, of a model that hangs', 408, 0, true],
  ['took longer than the time-out, of a model that was cut off', 408, 200, true],
  ['came while too many were pending', 429, 0, true],
  ['failed in the model', 424, 500, true],
  ['ran out of time in the model', 424, 504, true],
  ['was refused by the model', 424, 400, false],
  ['was refused by the model as too large', 424, 413, false],
  ['broke the model', 424, 0, true],
  ['was answered by the model with something that is no success', 424, 302, true],
  ['broke in Azure ML', 500, 0, true],
  ['found no instance', 502, 0, true],
  ['found no instance that is ready', 503, 0, true],
  ['ran out of time in Azure ML', 504, 0, true],
  ['was answered not at all', 0, 0, true],
])('a request that %s (%i, %i) is an error: %s', (_, status, modelStatus, expected) => {
  expect(isError({ status, modelStatus })).toBe(expected);
});

test.each([
  [200, 200],
  ['424', 424],
  [null, 0],
  [undefined, 0],
  ['', 0],
  ['-', 0],
  ['None', 0],
  [0, 0],
  ['2xx', 0],
  [2000, 0],
  ['200 OK', 0],
])('%j is read as the status %i', (value, status) => {
  expect(statusOf(value)).toBe(status);
});

test('a window is read by days, the last one as long as it is', () => {
  const days = daysOf({ endpoint: 'e', from: 0, to: 60 * hour });

  expect(days).toEqual([
    { endpoint: 'e', from: 0, to: 24 * hour },
    { endpoint: 'e', from: 24 * hour, to: 48 * hour },
    { endpoint: 'e', from: 48 * hour, to: 60 * hour },
  ]);
  expect(daysOf({ endpoint: 'e', from: 0, to: hour })).toEqual([{ endpoint: 'e', from: 0, to: hour }]);
});
