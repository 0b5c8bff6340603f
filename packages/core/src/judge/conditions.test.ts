import { describe, expect, test } from 'vitest';
import { slowerThan } from '../base/measures.ts';
import { day, minute } from '../base/time.ts';
import { planOf } from '../model/model.fixture.ts';
import { endings } from '../model/rollout/endings.fixture.ts';
import { rolloutOf } from '../model/rollout/judge.fixture.ts';
import { breakOf, conditionsOf } from './conditions.ts';
import { type Evidence, noEvidence, withTick } from './evidence.ts';
import type { MeasureHistory } from './history.ts';
import { type Rules, rulesOf } from './rules.ts';
import { independent, newWeather } from './weather.ts';

describe('each condition of a certificate', () => {
  test.each(Object.entries(endings))('of %s says what breaks it and what to do then', (_, make) => {
    const { certificate } = rolloutOf(make());
    const { conditions = [], conditionIds = [] } = certificate ?? {};

    expect(conditionIds).toHaveLength(conditions.length);
    for (const id of conditionIds)
      expect(breakOf(id)).toEqual({
        assumes: expect.any(Function),
        breaks: expect.stringMatching(/^[a-z].*\w$/),
        mend: expect.stringMatching(/^[a-z].*\w$/),
      });
  });

  test('of a certificate of another version has no sentence of this one', () => {
    expect([breakOf(undefined), breakOf('theMoonIsFull'), breakOf('toString')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

const idsOf = (name: keyof typeof endings) => rolloutOf(endings[name]()).certificate?.conditionIds ?? [];

test('what only one kind of rollout assumes stands only in its certificate', () => {
  expect(idsOf('wrong predictions')).toContain('labels');
  expect(idsOf('users who stay')).toEqual(expect.arrayContaining(['users']));
  expect(idsOf('users who stay')).not.toContain('requests');
  expect(idsOf('a mirror')).toContain('mirrored');
  expect(idsOf('a promotion')).toEqual(expect.arrayContaining(['share', 'noInterference', 'measured', 'laterToo']));
  for (const id of ['everywhere', 'load'] as const) expect(idsOf('more errors')).toContain(id);
  expect(idsOf('wrong predictions')).toContain('labelNoise');
  expect(idsOf('a promotion')).toContain('parts');
  expect(idsOf('a promotion')).not.toContain('everywhere');
  for (const id of ['laterToo', 'parts', 'everyMinute'] as const) {
    expect(idsOf('a promotion')).toContain(id);
    expect(idsOf('more errors')).not.toContain(id);
  }
  expect(rolloutOf(endings['a promotion']()).certificate?.conditions).toContain(
    "the candidate's capacity grows with its share: nothing was seen of it with more than 50 % of the traffic",
  );
  expect(idsOf('more errors')).toContain('coldErrors');
  expect(idsOf('a first version')).not.toContain('coldErrors');
  const {
    conditions = [],
    conditionIds = [],
    guardrails = [],
  } = rolloutOf(endings['wrong predictions']()).certificate ?? {};
  expect(conditionIds[conditions.findIndex((text) => text.includes('fresh coin'))]).toBe('share');
  expect(conditionIds[conditions.findIndex((text) => text.includes('had a label'))]).toBe('labels');
  // Only what is judged tick by tick has noise to tolerate.
  expect(guardrails.map(({ streams: [stream] }) => [stream?.id, stream?.noise === undefined])).toEqual([
    ['errors', false],
    ['labels', true],
  ]);
  expect(idsOf('a first version')).toEqual(['firstVersion']);
});

test('what a harm budget, a ratio below 1, a dry run and copies assume is told where there is one', () => {
  const known = rulesOf({ plan: planOf().rollout, sticky: false });
  const textsIn = (id: string, given: Partial<Parameters<typeof conditionsOf>[0]>) =>
    conditionsOf({
      ...{ rules: known, evidence: noEvidence(0), champion: 1, warmUp: 0, verdict: 'rollback', unmeasured: [] },
      ...given,
    })
      .filter((condition) => condition.id === id)
      .map(({ text }) => text);
  const changed = (own: Partial<Rules['guardrails'][number]>) => ({
    rules: { ...known, guardrails: known.guardrails.map((each) => ({ ...each, ...own })) },
  });
  const mirrored = { ...noEvidence(0), mirrored: { pairs: 10, dropped: 0, higher: 0, lower: 0 } };

  expect(textsIn('budget', {})).toEqual([]);
  expect(textsIn('budget', { evidence: { ...noEvidence(0), excess: 0.1 } })).toHaveLength(1);
  expect(textsIn('sharedOutage', {})).toEqual([]);
  expect(textsIn('sharedOutage', changed({ toleratedRatio: 0.8 }))).toEqual([
    expect.stringMatching(/^errors: .* at most 0.8 times as bad also in minutes in which both/),
  ]);
  expect(textsIn('shownOnly', {})).toEqual([]);
  expect(textsIn('shownOnly', changed({ alphaShare: 0 }))).toEqual([expect.stringMatching(/^errors: a dry run/)]);
  expect(textsIn('mirrored', { evidence: mirrored })).toHaveLength(1);
  expect(textsIn('mirrored', { evidence: mirrored, verdict: 'promotion' })[0]).toMatch(
    /begins later up to 22\.4 % may/,
  );
});

test('of copies a tolerated ratio above 1 is not that of the shares, and a certificate says so', () => {
  const evidence = { ...noEvidence(0), mirrored: { pairs: 10, dropped: 0, higher: 0, lower: 0 } };
  const known = rulesOf({ plan: planOf().rollout, sticky: false });
  const [text, above] = [1, 1.2].map((toleratedRatio) => {
    const rules = { ...known, guardrails: known.guardrails.map((guardrail) => ({ ...guardrail, toleratedRatio })) };
    const given = { rules, evidence, champion: 1, warmUp: 0, verdict: 'none', unmeasured: [] } as const;
    return conditionsOf(given).find(({ id }) => id === 'mirrored')?.text;
  });

  expect(text).toMatch(/as the request itself would be$/);
  expect(above).toMatch(/as the request itself would be; .* bad at only one of the two models$/);
});

test('cold caches concern latency, and a platform that scales up concerns errors', () => {
  const thresholds = { p50: 10, p90: 10, p99: 30, requests: 100 };
  const { rollout: plan } = planOf({ rollout: { guardrails: { errors: false, latency: {} } } });
  const rules = rulesOf({ plan, sticky: false, thresholds });
  const given = { rules, evidence: noEvidence(0), champion: 1, warmUp: 5, verdict: 'none', unmeasured: [] } as const;

  const ids = conditionsOf(given).map(({ id }) => id);

  expect(ids).toContain('warmUp');
  expect(ids).not.toContain('coldErrors');
});

describe("what is tolerated because of an arm's own noise", () => {
  const measured = { bad: 7000, requests: 1_400_000, typical: 12, dispersion: 1, calm: false };
  const assumed = (id: string, errors: MeasureHistory | undefined, evidence = noEvidence(0), ticks = 1440) => {
    const history = errors && { from: 0, to: 7 * day, ticks, measures: { errors } };
    const rules = rulesOf({ plan: planOf().rollout, sticky: false, history });
    const given = { rules, evidence, champion: 1, warmUp: 0, verdict: 'none', unmeasured: [] } as const;
    return conditionsOf(given)
      .filter((condition) => condition.id === id)
      .map(({ text }) => text);
  };

  test.each<[string, MeasureHistory | undefined, string]>([
    ['nobody knows', undefined, '1.22 times .* nothing is known of how the champion varies by itself: 20 % from tick'],
    [
      'varied',
      { ...measured, noise: 0.2 },
      '1.15 times .* the champion itself varied by about 10 % beyond chance: 10 % from tick to tick is allowed for$',
    ],
    [
      'varied by so little that it does not show',
      { ...measured, noise: 0 },
      '1.04 times .* the champion itself varied by about 0 % beyond chance: 4 % from tick to tick is allowed for$',
    ],
    [
      'was calm',
      { ...measured, noise: 0.01, calm: true },
      "1.04 times .* the champion's ticks scattered no more than chance may explain: 4 %",
    ],
    ['hardly fails', measured, "1.07 times .* the champion's counts are too few .*: 7 % from tick to tick"],
  ])('of a champion that %s', (_, history, text) => {
    expect(assumed('ownNoise', history)).toEqual([expect.stringMatching(new RegExp(`^errors: up to ${text}`))]);
  });

  test('of a champion of less than three hours is that of one which nobody knows', () => {
    expect(assumed('ownNoise', measured, noEvidence(0), 179)).toEqual([
      expect.stringMatching(/1\.22 times .* nothing is known of how the champion varies by itself: 20 % from tick/),
    ]);
  });

  test('grows with the noise that the rollout shows', () => {
    const noisy = { ...newWeather({ ...independent, tau: 0.3 }, 50) };

    expect(assumed('ownNoise', { ...measured, noise: 0.1 }, { ...noEvidence(0), weather: { errors: noisy } })).toEqual([
      expect.stringMatching(/1\.23 times .* the models varied by about 20 % from tick to tick in this rollout/),
    ]);
  });

  test('is the largest of the thresholds that have one reason', () => {
    const latency = { ...measured, noise: 0.1 };
    const measures = { errors: latency, [slowerThan(10)]: latency, [slowerThan(30)]: { ...latency, noise: 0.05 } };
    const thresholds = { p50: 10, p90: 10, p99: 30, requests: 100 };
    const plan = planOf({ rollout: {} }).rollout;
    const rules = rulesOf({ plan, sticky: false, thresholds, history: { from: 0, to: 1, ticks: 1440, measures } });
    const given = { rules, evidence: noEvidence(0), champion: 1, warmUp: 0, verdict: 'none', unmeasured: [] } as const;

    const texts = conditionsOf(given).filter(({ id }) => id === 'ownNoise');

    expect(texts.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^errors and latency: up to 1\.07 times/),
    );
    expect(texts).toHaveLength(2);
  });

  test('is not said of bursts where the config says how large they are', () => {
    const guarded = { errors: { maxBurst: 5 }, latency: false } as const;
    const rules = rulesOf({ plan: planOf({ rollout: { guardrails: guarded } }).rollout, sticky: false });
    const given = { rules, evidence: noEvidence(0), champion: 1, warmUp: 0, verdict: 'none', unmeasured: [] } as const;

    const ids = conditionsOf(given).map(({ id }) => id);

    expect(ids).toContain('bursts');
    expect(ids).not.toContain('noBursts');
  });

  test('goes with how often a burst may come', () => {
    expect(assumed('noBursts', { ...measured, noise: 0.2 })).toEqual([
      expect.stringMatching(/^errors: .*, but in at most one tick of 400, and not in several in a row$/),
    ]);
    expect(assumed('noBursts', { ...measured, calm: true })).toEqual([
      expect.stringMatching(/at once; in no five minutes of its last 7d, and in none of its last 1,440 ticks, had the/),
    ]);
  });

  test('tells the moments that the champion had, and what one of them means for a candidate', () => {
    expect(assumed('noBursts', { ...measured, incidents: 14 })).toEqual([
      expect.stringMatching(
        /one tick of 400, and not in several in a row; the champion had 14 moments like that in its last 7d, and one that hits the candidate alone for minutes may be taken for its fault$/,
      ),
    ]);
  });
});

describe('what the numbers of requests make of a certificate', () => {
  const plan = planOf({ rollout: { guardrails: { latency: false, errors: { toleratedRatio: 1.5 } } } }).rollout;
  const rules = rulesOf({ plan, sticky: false });
  const place = { weight: 50, lastWeight: 50, candidate: 'v2', champion: 'v1' };
  /** Ticks of a minute, of so many requests to each. */
  function after(ticks: number, [ours, theirs]: readonly [number, number], from = 0, before = noEvidence(0)): Evidence {
    let evidence: Evidence = { ...before, from };
    for (let index = 0; index < ticks; index += 1) {
      const counts = { v2: { requests: ours, bad: { errors: 0 } }, v1: { requests: theirs, bad: { errors: 0 } } };
      evidence = withTick(evidence, { start: evidence.readTo, counts }, minute, place, rules);
    }
    return evidence;
  }
  const textsOf = (evidence: Evidence, id: string, own: Partial<Rules> = {}, verdict: 'none' | 'rollback' = 'none') =>
    conditionsOf({
      ...{ rules: { ...rules, ...own }, evidence, champion: 1, lastWeight: 50, warmUp: 0, verdict, unmeasured: [] },
    })
      .filter((condition) => condition.id === id)
      .map(({ text }) => text);

  test('is nothing where they fit the weight', () => {
    for (const id of ['moreThanWeight', 'directCalls', 'forgivenRouting', 'shareThatCame'])
      expect(textsOf(after(60, [300, 300]), id)).toEqual([]);
  });

  test('names the share by which the candidate is judged in place of the weight', () => {
    expect(textsOf(after(60, [36, 30]), 'moreThanWeight')).toEqual([
      'the candidate is judged by 54.5 % of the requests in place of 50 %, because so many came to it, and they ended as others do',
    ]);
  });

  test('says how many calls of the champion may be direct ones, where they could promote the candidate', () => {
    const evidence = after(60, [20, 36]);

    expect(textsOf(evidence, 'directCalls')).toEqual([
      'errors: the champion got more requests than its share: 1,134 may be direct calls, and as many bad ones say nothing for the candidate',
    ]);
    expect(textsOf(evidence, 'directCalls', {}, 'rollback')).toEqual([]);
  });

  test('says that a person resumed a rollout that was held for them', () => {
    const held = after(12, [250, 350]);

    expect(textsOf(held, 'forgivenRouting')).toEqual([]);
    expect(textsOf(after(1, [300, 300], held.readTo, held), 'forgivenRouting')).toEqual([
      expect.stringMatching(
        /a person resumed it: what had been counted by then counts only against what is decided, but for labels and copies, /,
      ),
    ]);
  });

  test('does not promise alpha for a ratio above 1 where the share that came is what counts', () => {
    expect(textsOf(noEvidence(0), 'shareThatCame', { routing: 'realised' })).toContain(
      'errors: alpha is not proved for a toleratedRatio above 1',
    );
  });
});
