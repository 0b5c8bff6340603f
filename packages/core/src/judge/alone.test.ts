import { describe, expect, test } from 'vitest';
import { planOf } from '../model/model.fixture.ts';
import type { Tick } from '../ports/telemetry.ts';
import { type Evidence, noEvidence } from './evidence.ts';
import { judge, logHarm } from './judge.ts';
import { rulesOf } from './rules.ts';

/** Traffic so small that most ticks bring a request to one of both models only. */
const rollout = { guardrails: { latency: false }, limits: { errors: { minRequests: 100_000 } } } as const;
const rules = rulesOf({ plan: planOf({ rollout }).rollout, sticky: false });
const tickMs = 60_000;

type Served = Readonly<Partial<Record<'v1' | 'v2', readonly [bad: number, of: number]>>>;

const tickOf = (served: Served, index: number): Tick => ({
  start: index * tickMs,
  counts: Object.fromEntries(
    Object.entries(served).map(([name, [bad, requests]]) => [name, { requests, bad: { errors: bad } }]),
  ),
});

function judged(served: readonly Served[], weight = 50) {
  const reading = { ticks: served.map(tickOf), to: served.length * tickMs, tickMs };
  const place = { weight, lastWeight: weight, candidate: 'v2', champion: 'v1' };
  return judge({ ...noEvidence(0), from: 0 }, reading, place, rules);
}

const harmIn = (evidence: Evidence): number => Math.exp(logHarm(evidence, rules));
const failed: Served = { v2: [1, 1] };
const fine: Served = { v2: [0, 1] };
const champion: Served = { v1: [0, 1] };
const rows = (count: number, ...served: readonly Served[]): readonly Served[] =>
  Array.from({ length: count }, () => served).flat();

describe('a candidate that fails in ticks in which the champion has no request', () => {
  test('does harm as soon as the champion has had some that are well', () => {
    expect(judged(rows(30, failed, champion)).verdict.kind).toBe('harm');
    expect(judged(rows(30, failed, failed, champion)).verdict.kind).toBe('harm');
    expect(judged(rows(30, fine, champion)).verdict.kind).toBe('none');
  });

  test('is not blamed before that, and not at all for what came in a gap of the champion', () => {
    const before = [...rows(4, champion, failed, champion), { ...fine, ...champion }];
    const known = harmIn(judged(before).evidence);
    // Six a minute may be direct calls.
    const many: Served = { v2: [8, 8] };

    expect(harmIn(judged([...before, failed, failed]).evidence)).toBeCloseTo(known, 12);
    expect(harmIn(judged([...before, failed, failed, champion]).evidence)).toBeGreaterThan(known);
    expect(harmIn(judged([...before, ...rows(12, many), champion]).evidence)).toBeLessThanOrEqual(known);
  });

  test('pays at once for what such a tick costs, so what waits never makes the evidence larger than it is', () => {
    const served = [champion, champion, failed];

    const { harm = [], waiting = [] } = judged(served, 95).evidence.weather.errors ?? {};

    expect(harm[0]).toBeLessThan(0);
    expect(waiting[0]).toBe(0);
    expect(harm.at(-1)).toBe(0);
    expect(waiting.at(-1)).toBeGreaterThan(0);
  });

  test('is not blamed where users stay with their model: who is at risk is no chance', () => {
    const sticky = rulesOf({ plan: planOf({ rollout }).rollout, sticky: true });
    const place = { weight: 50, lastWeight: 50, candidate: 'v2', champion: 'v1' };
    const user = (name: string, bad: number) => ({ [name]: { assigned: 1, bad: { errors: { atRisk: 1, bad } } } });
    const ticks = rows(9, failed, champion).map((served, index) => ({
      ...tickOf(served, index),
      users: served === failed ? user('v2', 1) : user('v1', 0),
    }));

    const { evidence } = judge({ ...noEvidence(0), from: 0 }, { ticks, to: 18 * tickMs, tickMs }, place, sticky);

    expect(evidence.weather.errors?.waiting).toBeUndefined();
    expect(harmIn(evidence)).toBeLessThanOrEqual(1);
  });

  test('is not blamed at another weight for what waits', () => {
    const { evidence } = judged([...rows(4, champion, failed, champion), failed]);
    const place = { weight: 25, lastWeight: 50, candidate: 'v2', champion: 'v1' };
    const reading = { ticks: [tickOf(champion, 13)], to: 14 * tickMs, tickMs };

    const later = judge(evidence, reading, place, rules).evidence;

    expect(evidence.weather.errors?.waiting?.at(-1)).toBeGreaterThan(0);
    expect(later.weather.errors?.waiting).toBeUndefined();
    expect(later.weather.errors?.harm).toEqual(evidence.weather.errors?.harm);
  });

  test.each([50, 20])(
    'is taken back wrongly no more often than is promised: E expects 1 at most, at %d percent',
    (weight) => {
      const share = weight / 100;
      const outcomes = [
        [failed, share * 0.4],
        [fine, share * 0.6],
        [{ v1: [1, 1] }, (1 - share) * 0.4],
        [champion, (1 - share) * 0.6],
      ] as const satisfies readonly (readonly [Served, number])[];
      let found: readonly (readonly [readonly Served[], number])[] = [[[champion, champion], 1]];
      for (let tick = 0; tick < 6; tick += 1)
        found = found.flatMap(([served, chance]) =>
          outcomes.map(([one, of]) => [[...served, one], chance * of] as const),
        );
      const expected = found.reduce(
        (sum, [served, chance]) => sum + chance * harmIn(judged(served, weight).evidence),
        0,
      );

      expect(expected).toBeLessThanOrEqual(1 + 1e-9);
    },
  );
});
