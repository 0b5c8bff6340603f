import { expect, test } from 'vitest';
import { sourceOf } from './compare.ts';
import { daysBefore, historyAfter } from './past.ts';
import { random } from './random.ts';
import { fill, newStream, ramp } from './stream.ts';
import { type Weather, weathered } from './weather.ts';

const historyIn = (weather: Weather) =>
  historyAfter(daysBefore(weathered(random(1), weather).alone), weathered(random(2), weather).alone);

test('a history is of a week of the champion alone, and knows its rates', () => {
  const history = historyIn({ rpm: 600, errors: 0.01 });
  const { bad = 0, requests = 0, typical } = history?.measures.errors ?? {};

  expect(history?.ticks).toBe(1440);
  expect(requests / (7 * 1440)).toBeCloseTo(600, -1);
  expect(bad / requests).toBeCloseTo(0.01, 3);
  expect(typical).toBeCloseTo(6, -1);
});

test('a history has the noise and the bursts of its weather', () => {
  const calm = historyIn({ rpm: 6000, errors: 0.01 })?.measures.errors;
  const noisy = historyIn({
    rpm: 6000,
    errors: 0.01,
    errorNoise: { sd: 0.2, ar: 0.5 },
  })?.measures.errors;
  const bursts = historyIn({ rpm: 6000, errors: 0.01, bursts: [100, 100] })?.measures.errors;

  // Between two arms of a standard deviation of 20 % each.
  expect(noisy?.noise).toBeCloseTo(0.28, 1);
  expect(calm?.noise).toBeLessThan(0.15);
  expect([calm?.calm, noisy?.calm, bursts?.calm]).toEqual([true, false, false]);
});

test('a rollout reads the minutes of its stream while it has its weights, and others beyond them', () => {
  const stream = newStream(ramp);
  const traffic = { rpm: 6000, share: 0.005 };
  fill(stream, random(3), traffic);
  const source = sourceOf({ stream, random: random(4), traffic });

  const first = source.next(5).candidate.requests;
  const other = source.next(50).candidate.requests;

  expect(first).toBe(stream.requests.candidate[0]);
  expect(other).toBeGreaterThan(2500);
  expect(source.next(5).champion.errors).toBe(stream.errors.champion[2]);
});
