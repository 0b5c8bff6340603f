import { expect, test } from 'vitest';
import { forecastOf } from '../../packages/core/src/judge/forecast.ts';
import { followerIn } from './conditions.ts';
import { random } from './random.ts';
import { planFor } from './rollout.ts';

const runs = 31;
const errors = 0.005;

test.each([
  { rpm: 60, within: 0.4 },
  { rpm: 600, within: 0.25 },
  { rpm: 6000, within: 0.1 },
])(
  'the forecast at $rpm requests a minute is the median of rollouts that were driven by the product',
  ({ rpm, within }) => {
    const plan = planFor({ guard: '0s' });
    const condition = { name: `small, ${rpm}`, breaks: '', margin: 'errors', weather: { rpm, errors } } as const;
    const next = followerIn({ condition, known: 'with history', plan, until: 1500 });
    const minutes = Array.from({ length: runs }, (_, run) => {
      const ended = next(random(5, rpm, run));
      return ended.end === 'certified' ? ended.minutes : Number.POSITIVE_INFINITY;
    }).sort((a, b) => a - b);

    const forecast = forecastOf(plan, rpm, errors)?.certifies?.median ?? 0;

    const median = minutes[runs >> 1] ?? 0;
    // A driven rollout waits a minute at each change of weight.
    expect(Math.abs(forecast / 60_000 / (median - 3) - 1), `${forecast / 60_000} is not ${median}`).toBeLessThan(
      within,
    );
  },
  60_000,
);
