import { expect, test } from 'vitest';
import { planOf } from '../model/model.fixture.ts';
import { noEvidence, withTick } from './evidence.ts';
import { shortfalls, verdictOf } from './judge.ts';
import { logEvidence } from './origin.ts';
import { logFloor, logRatio } from './promotion.ts';
import { rulesOf } from './rules.ts';
import { independent } from './weather.ts';

const given = rulesOf({ plan: planOf().rollout, sticky: false });
/** Single requests that are independent: no tick is cut. */
const rules = {
  ...given,
  guardrails: given.guardrails.map((guardrail) => ({ ...guardrail, climates: { errors: independent } })),
};
const place = { weight: 50, lastWeight: 50, candidate: 'v2', champion: 'v1' };

const seen = (ours: number, theirs: number, requests: number) => {
  const arm = (errors: number) => ({ requests, bad: { errors } });
  return withTick(noEvidence(0), { start: 0, counts: { v2: arm(ours), v1: arm(theirs) } }, 60_000, place, rules);
};

test('a rollback needs all of 1/alpha, and takes no more', () => {
  const near: number[] = [];
  for (let ours = 0; ours <= 60; ours += 1)
    for (let theirs = 0; theirs <= 60; theirs += 1) {
      const logE = logEvidence([{ candidate: ours, champion: theirs, share: 0.5 }], 1);
      if (Math.abs(logE - Math.log(100)) < 0.5) near.push(logE);
      const { kind } = verdictOf(seen(ours, theirs, 6000), place, rules);
      expect([ours, theirs, kind]).toEqual([ours, theirs, logE >= Math.log(100) ? 'harm' : 'none']);
    }
  expect(near.some((logE) => logE < Math.log(100)) && near.some((logE) => logE > Math.log(100))).toBe(true);
});

test('a promotion needs all of 1/beta, and takes no more', () => {
  for (let requests = 4000; requests <= 6000; requests += 10) {
    const halves = [logRatio([{ candidate: 0, champion: 0, share: 0.5 }], 2), logFloor(0, requests, 0.001)];
    const logE = Math.log((Math.exp(halves[0] ?? 0) + Math.exp(halves[1] ?? 0)) / 2);
    expect([requests, shortfalls(seen(0, 0, requests), 50, rules)?.length]).toEqual([
      requests,
      logE >= Math.log(20) ? 0 : 1,
    ]);
  }
});
