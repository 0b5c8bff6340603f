import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { perform } from '../bench-judge/perform.ts';
import { newTally } from '../bench-judge/tally.ts';
import { caseNamed, cases } from './cases.ts';
import { yearly } from './figures.ts';
import { goalsOn } from './goals.ts';
import { docs, pageOf } from './report.ts';

const nothing = { results: {}, seed: 1, part: 1, took: '1 min', left: 0 };
const page = readFileSync(join(docs, 'drift.md'), 'utf8');
const tally = (exposed: number, runs: number) => ({ ...newTally(), exposed, runs });

describe('the page of the benchmark', () => {
  test('can be written from a run in which nothing was measured', () => {
    const written = pageOf(page, nothing);

    expect(written).toContain('No package was installed for this run');
    expect(pageOf(page, { ...nothing, part: 0.25, left: 1200 })).toContain(
      '25 % of the runs of the full form, of which the time left out 1,200',
    );
  });

  test('keeps what is written by hand', () => {
    const byHand = (text: string) => text.replace(/(<!-- .*: made by .* -->)[\s\S]*?(<!-- .* end -->)/g, '$1$2');

    expect(byHand(pageOf(page, nothing))).toBe(byHand(page));
  });

  test('shows what the packages say beside what the rules say', () => {
    const beside = [{ package: 'Evidently 0.7.23', n: 1001, m: 200, rule: [14, 8], installed: [14, 9] }];

    expect(pageOf(page, { ...nothing, beside })).toContain('| Evidently 0.7.23 | 1,001, 200 | 14, 8 | 14, 9 |');
  });
});

test('the limits of incidents a year are those of a Poisson count', () => {
  expect(yearly(tally(0, 10)).high).toBeCloseTo(0.2996, 4);
  expect(yearly(tally(3, 10))).toEqual({
    value: 0.3,
    low: expect.closeTo(0.0818, 4),
    high: expect.closeTo(0.7754, 4),
  });
});

test('a goal of incidents is met by its limit, and not by its figure', () => {
  const results = { nothing: { 'both gates': tally(0, 2), evidence: tally(0, 200) } };

  const [both, evidence] = goalsOn(results, undefined);

  expect(both?.strict).toBe(true);
  expect([both?.estimate.high, evidence?.estimate.high].map((high) => (high ?? 0) <= 0.5)).toEqual([false, true]);
});

test('a run has the same numbers however the runs are cut, and no two cases have one name', () => {
  const name = 'labels: 5 points more wrong, 200 labels a window';
  const setting = { seed: 5, context: { limits: {} } };

  const whole = perform(caseNamed(name), { name, from: 0, to: 4 }, setting).tallies;
  const parts = [0, 2].map((from) => perform(caseNamed(name), { name, from, to: from + 2 }, setting).tallies);

  expect(parts.flatMap(({ serin }) => serin?.minutes ?? [])).toEqual(whole.serin?.minutes);
  expect(new Set(cases.map((one) => one.name)).size).toBe(cases.length);
});
