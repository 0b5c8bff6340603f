import { expect, test } from 'vitest';
import { type Random, random } from './random.ts';
import { follow, planFor } from './rollout.ts';
import { type Disturbance, direct, gap, late, lost, skewed } from './routing.ts';
import { type Worse, weathered } from './weather.ts';

/** How rollouts end under the default config, a few of each. */
function endsOf(
  disturb: Disturbance,
  { rpm = 6000, worse = {} }: { readonly rpm?: number; readonly worse?: Worse } = {},
) {
  const plan = planFor({ guard: '5m' });
  const play = (own: Random) =>
    follow(plan, disturb(weathered(own, { rpm, errors: 0.005 }, worse), own), { until: 250 });
  return Array.from({ length: 8 }, (_, run) => play(random(5, run)));
}

const kinds = (ended: ReturnType<typeof endsOf>) => [...new Set(ended.map(({ end }) => end))];

test.each([
  ['ten minutes without the telemetry of the candidate', gap('candidate', 10, [5, 45])],
  ['ten minutes without the telemetry of the champion', gap('champion', 10, [5, 45])],
  ['weights that land a minute late', late(1)],
  ['six health checks a minute on the candidate', direct('candidate', 6)],
])('a healthy candidate is promoted with a certificate after %s', (_, disturb) => {
  expect(kinds(endsOf(disturb))).toEqual(['certified']);
});

test.each([
  ['gets half as much again as its share', skewed(1.5)],
  ['gets too little', skewed(0.7)],
  ['is missing from a fifth of the telemetry', lost('candidate', 0.2)],
  ['is called directly 300 times a minute', direct('candidate', 300)],
])('a candidate that %s all the time is held back within minutes, and then taken back', (_, disturb) => {
  const ended = endsOf(disturb);

  expect(kinds(ended)).toEqual(['hold']);
  expect(Math.max(...ended.map(({ minutes }) => minutes))).toBeLessThan(45);
});

test('a candidate that gets and fails too much is not promoted, whichever is noticed first', () => {
  for (const ended of endsOf(skewed(1.2), { rpm: 600, worse: { errors: 5 } })) {
    expect(ended.promotedAt).toBeUndefined();
    expect(ended.end).not.toBe('open');
  }
});
