import type { Claim } from './claims.ts';

/** Why a target may be missed, by what it is of. The first that fits is told; a target that is met needs none. */
const reasons: readonly (readonly [of: RegExp, reason: string])[] = [
  [
    /exposed, against .* of edition 2/,
    'the first minutes count for little until the judge has seen the champion, and so few failures say little of it',
  ],
  [
    /bursts of 10 to 100 in one arm/,
    'a burst that hits many users of one arm looks like a worse arm; `maxBurst` says how many may fail together',
  ],
  [
    /cold caches/,
    'caches that take as long as the warm-up, beside so few requests that no minute tells noise from harm',
  ],
  [/slow probes/, 'probes of the champion count as its requests, so that it seems worse than it is'],
  [/noise of each model's own/, 'the copies of one minute share the noise of their model'],
  [/x10 from 25 % on/, "the champion's own week had minutes as bad"],
  [
    /three retries on the same arm/,
    'repeated failures come together, and without a history nothing says so before the first of them',
  ],
  [
    /both arms: innocent, a long incident/,
    'a rank among seven days, each with such an incident: by chance it holds 1 in about 85 rollouts of two hours (1.2 %), for each measure',
  ],
  [/false rollback, |rolled back/, 'more than the bound: a fault of the rule, or a condition that this row breaks'],
];

export function reasonFor({ what, estimate, goal }: Pick<Claim, 'what' | 'estimate' | 'goal'>): string {
  const isWithinLimits = 'atMost' in goal ? estimate.low <= goal.atMost : estimate.high >= goal.atLeast;
  const chance = isWithinLimits ? 'within the limits of chance; ' : '';
  return `${chance}${reasons.find(([of]) => of.test(what))?.[1] ?? 'no reason is known'}`;
}
