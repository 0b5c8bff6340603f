import { expect, test } from 'vitest';
import { slowerThan, thresholdOf } from './measures.ts';

test.each([0.1, 20, 120.345_678_9, 1e-7, 60_000])('a threshold of %d ms comes back from its measure exactly', (ms) => {
  expect(thresholdOf(slowerThan(ms))).toBe(ms);
});

test.each(['errors', 'timeouts', 'slower than', 'slower than 20 ms or so'])('%s has no threshold', (measure) => {
  expect(thresholdOf(measure)).toBeUndefined();
});
