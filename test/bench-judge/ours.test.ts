import { expect, test } from 'vitest';
import { caseNamed, cases } from './cases.ts';
import { conditionCases } from './conditions.ts';
import { largestMean, largestMeanWithBursts, rounding } from './enumeration.ts';
import { mutantCases } from './mutant-cases.ts';
import { mutants, nextWeights, untaxed } from './mutants.ts';
import { numberOf } from './names.ts';
import { promotion, rollback, rollbackByEvidence, rulesFor, ticksOf } from './ours.ts';
import { perform } from './perform.ts';
import { random } from './random.ts';
import { fallingRamp, fill, newStream, ramp, type Stream, steps } from './stream.ts';
import { newTally, type Tally } from './tally.ts';
import { hunt, type Results } from './targets.ts';

function drawn(ratio: number, seed = 1, weights = ramp): Stream {
  const stream = newStream(weights);
  fill(stream, random(seed), { rpm: 6000, share: 0.005, ratio: () => ratio });
  return stream;
}

test('the product rolls back a tripled error rate, and names the tick', () => {
  const ticks = ticksOf(drawn(3), 'errors');

  const { rolledBack } = rollback(ticks, ramp, rulesFor('errors'));

  expect(rolledBack).toBeLessThan(15);
  expect(rollbackByEvidence(ticks, ramp, rulesFor('errors')).rolledBack).toBe(rolledBack);
});

test('eight guardrails are eight, share alpha evenly, and each of them sees its own signal', () => {
  const rules = rulesFor('eight');
  const stream = drawn(1);
  const [, , , , , sixth] = stream.others;
  sixth?.candidate.forEach((bad, tick) => {
    sixth.candidate[tick] = Math.min(stream.requests.candidate[tick] ?? 0, 2 * bad);
  });

  expect(rules.guardrails).toHaveLength(8);
  expect(rules.guardrails.reduce((sum, { alphaShare }) => sum + alphaShare, 0)).toBeCloseTo(1, 12);
  expect(rollback(ticksOf(stream, 'eight'), ramp, rules).rolledBack).toBeDefined();
  expect(rollback(ticksOf(stream, 'default'), ramp, rulesFor('default')).rolledBack).toBeUndefined();
});

test('a healthy candidate is certified within the last step, and one at three times is not', () => {
  const weights = [...ramp, ...steps([50], 20)];

  expect(promotion(ticksOf(drawn(1, 2, weights), 'default'), weights, rulesFor('default'))).toBeLessThan(15);
  expect(promotion(ticksOf(drawn(3, 2, weights), 'errors'), weights, rulesFor('errors'))).toBeUndefined();
});

test('one outvoted guardrail stops the product and not the average', () => {
  const stream = drawn(1, 3);
  const [first] = stream.others;
  first?.candidate.forEach((bad, tick) => {
    first.candidate[tick] = 3 * bad;
  });
  const ticks = ticksOf(stream, 'eight');

  expect(promotion(ticks, ramp, rulesFor('eight'))).toBeUndefined();
  expect(promotion(ticks, ramp, rulesFor('eight'), { promotes: mutants.g })).toBeDefined();
});

test('the mean of E after one tick is 1 with the weight of the tick, and far above with that of the next', () => {
  expect(largestMean(fallingRamp, fallingRamp)).toBeGreaterThan(1 - rounding);
  expect(largestMean(fallingRamp, fallingRamp)).toBeLessThan(1 + rounding);
  expect(largestMean(fallingRamp, nextWeights(fallingRamp))).toBeGreaterThan(2);
});

test('a run has the same numbers whoever performs it, and however the runs are cut', () => {
  const setting = { seed: 5, context: { limits: {} } };
  const name = 'N9 late outcomes, falling ramp';

  const whole = perform(caseNamed(name), { name, from: 0, to: 6 }, setting).tallies;
  const parts = [
    perform(caseNamed(name), { name, from: 0, to: 2 }, setting),
    perform(caseNamed(name), { name, from: 2, to: 6 }, setting),
  ];

  expect(parts.reduce((sum, { tallies }) => sum + (tallies.judge?.exposed ?? 0), 0)).toBe(whole.judge?.exposed);
  expect(perform(caseNamed(name), { name, from: 0, to: 6 }, { ...setting, seed: 6 }).tallies).not.toEqual(whole);
});

test('every case has a name and a number of its own', () => {
  const names = cases.map(({ name }) => name);

  expect(new Set(names).size).toBe(names.length);
  expect(new Set(names.map(numberOf)).size).toBe(names.length);
  expect(() => caseNamed('no such case')).toThrow("no case is named 'no such case'");
});

test('every mutant is hunted, and one that behaves like the product is not flagged', () => {
  const letters = ['a', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'] as const;
  const tally = (found: number): Tally => ({
    ...newTally(),
    runs: 10_000,
    found,
  });
  const measured = (product: number, mutant: number) =>
    Object.fromEntries(
      mutantCases.map(({ name }) => {
        const letter = name.slice('mutant ('.length, 'mutant ('.length + 1);
        return [name, { judge: tally(product), [letter]: tally(mutant) }];
      }),
    );
  const flagged = (results: Results) => hunt(results).filter((hunted) => hunted.flagged && hunted.bound !== '1');

  expect(flagged(measured(50, 700)).map(({ letter }) => letter)).toEqual(expect.arrayContaining([...letters]));
  expect(flagged(measured(50, 50))).toEqual([]);
  expect(flagged(measured(700, 700))).toEqual([]);
});

test('a tick in 400 that is the worst possible burst is paid for by the tax, and by nothing else', () => {
  expect(largestMeanWithBursts()).toBeLessThanOrEqual(1 + rounding);
  expect(largestMeanWithBursts(untaxed)).toBeGreaterThan(1.001);
});

test('each kind of weather that the short form has is there', () => {
  const short = conditionCases.filter(({ runs }) => runs.short > 0).map(({ name }) => name);

  // Five kinds with an innocent candidate and one at the margin, and slow probes with the latter; each with a history and without.
  expect(short).toHaveLength(22);
});
