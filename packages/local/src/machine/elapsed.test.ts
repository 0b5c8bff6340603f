import { expect, test } from 'vitest';
import { elapsedWithSleep } from './elapsed.ts';

test('a night in which the machine sleeps has passed, and rounding has not', () => {
  let [awake, sinceBoot] = [0, 0];
  const elapsed = elapsedWithSleep(
    () => awake,
    () => sinceBoot,
  );
  const pass = (ms: number, slept = 0) => {
    awake += ms;
    sinceBoot += ms + slept;
    return elapsed();
  };

  expect(pass(5000)).toBe(5000);
  expect(pass(5000, 900)).toBe(10_000);
  expect(pass(5000, 8 * 3_600_000)).toBe(15_000 + 8 * 3_600_000);
  expect(pass(5000)).toBe(20_000 + 8 * 3_600_000);
});
