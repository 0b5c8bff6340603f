import { expect, test } from 'vitest';
import { random } from './random.ts';
import { follow, planFor, type Source } from './rollout.ts';
import { weathered } from './weather.ts';

const calm = { rpm: 6000, errors: 0.005 };
const until = 200;

/** Counts the minutes by weight, and the candidate's requests. */
function watched(source: Source) {
  const minutes = new Map<number, number>();
  const seen = { requests: 0 };
  return {
    minutes,
    seen,
    source: {
      next(weight: number) {
        minutes.set(weight, (minutes.get(weight) ?? 0) + 1);
        const counts = source.next(weight);
        seen.requests += counts.candidate.requests;
        return counts;
      },
    },
  };
}

test('a healthy candidate is promoted by the default config with a certificate, after its steps and its guard', () => {
  const { source, minutes } = watched(weathered(random(1), calm));

  const { end, promotedAt = 0, minutes: took } = follow(planFor(), source, { until });

  expect(end).toBe('certified');
  // The minute in which a weight is confirmed is not judged.
  expect([5, 25].map((weight) => minutes.get(weight))).toEqual([16, 16]);
  expect(promotedAt).toBeGreaterThanOrEqual(48);
  expect(minutes.get(95)).toBe(31);
  expect(took).toBe(promotedAt + 31);
});

test('a candidate that fails five times as often is taken back by the evidence, and all its requests are counted', () => {
  const { source, minutes, seen } = watched(weathered(random(2), calm, { errors: 5 }));

  const { end, exposed, minutes: took } = follow(planFor(), source, { until });

  expect(end).toBe('evidence');
  expect(minutes.get(5)).toBe(took);
  expect(exposed).toBe(seen.requests);
});

test('an outage is taken back by the hard limit, and what cannot be certified waits', () => {
  const broken = weathered(random(3), calm, { errors: 200 });
  const thin = weathered(random(3), { rpm: 5, errors: 0.005 });

  expect(follow(planFor(), broken, { until }).end).toBe('limit');
  expect(follow(planFor(), thin, { until })).toMatchObject({ end: 'held', wasHeld: true, minutes: until });
});

test('a platform that tells its ticks three minutes later rolls back three minutes later', () => {
  const at = (settle: number) =>
    follow(planFor(), weathered(random(4), calm, { errors: 5 }), { until, settle }).minutes;

  expect(at(3) - at(0)).toBe(3);
});

test('a config of its own has its own steps', () => {
  const { source, minutes } = watched(weathered(random(1), calm));

  follow(planFor({ steps: [40], bake: '20m', guard: '0s' }), source, { until });

  expect([...minutes.keys()]).toEqual([40]);
});
