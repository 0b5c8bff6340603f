import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { measure } from './pool.ts';
import { reasonFor } from './reasons.ts';
import { docs, pageOf, targetsTable, withFewRequests } from './report.ts';
import { healthyName, smallCases } from './small.ts';
import { newTally, type Tallies } from './tally.ts';

const tally = (found: number, runs: number) => ({ ...newTally(), found, runs });
const nothing = { results: {}, tuning: {}, limits: {}, seed: 1, part: 1, took: '1 min', left: 0 };

describe('the page of the benchmark', () => {
  test('can be written from a run in which nothing was measured', () => {
    expect(pageOf(nothing)).toContain('# What the judge does, measured');
    expect(pageOf({ ...nothing, left: 1000, part: 0.5 })).toContain('The time was over before 1,000 runs');
  });

  test('writes the table of few requests into the page of rollouts, and nothing else', () => {
    const page = readFileSync(join(docs, 'rollout.md'), 'utf8');
    const results: Record<string, Tallies> = {};
    for (const { name } of smallCases)
      results[name] = {
        certified: { ...tally(1, 1), minutes: [61] },
        'no evidence': tally(0, 1),
        'taken back': tally(0, 1),
      };

    const written = withFewRequests(page, results);

    expect(results).toHaveProperty([healthyName('the default', 'with history')]);
    expect(written).toContain('| the default | 61 min | 61 min | 100 % |');
    const [before, after] = ['<!-- few requests: made by npm run bench:judge -->', '<!-- few requests end -->'];
    expect(written.split(before)[0]).toBe(page.split(before)[0]);
    expect(written.split(after)[1]).toBe(page.split(after)[1]);
  });

  test('shows the worst of many rows that meet a target, and each that misses it with a reason', () => {
    const name = (rpm: number) => `innocent, with history: calm, ${rpm} rpm`;
    const results = Object.fromEntries(
      [60, 600, 6000].map((rpm) => [name(rpm), { judge: tally(rpm === 60 ? 100 : rpm === 600 ? 5 : 0, 1000) }]),
    );
    results['innocent, no history: calm, 60 rpm'] = { judge: tally(1, 1000) };

    const page = targetsTable(results, 'full').split('\n');

    expect(page).toHaveLength(4);
    expect(page[2]).toContain(`rolled back in weather in 3 of 4 cases; the worst: ${name(600)}`);
    expect(page[3]).toContain(`${name(60)} | <= 1 % | 10 %`);
    expect(page[3]).toContain('**missed**');
  });

  test('says of a miss that it lies within the limits of chance, if it does', () => {
    const claim = (low: number) => ({
      what: 'rolled back in weather, cold caches',
      estimate: { value: 0.02, low, high: 0.03 },
      goal: { atMost: 0.01 },
    });

    expect(reasonFor(claim(0.005))).toMatch(/^within the limits of chance; /);
    expect(reasonFor(claim(0.015))).toMatch(/^caches /);
  });
});

test('when the time is over every case has had the same share of its runs, and what is left is counted', async () => {
  const setting = { seed: 1, context: { limits: {} } };
  const { results, left } = await measure(smallCases.slice(0, 2), setting, {
    form: 'full',
    withinMs: 0,
    tell: () => {},
  });

  expect(results).toEqual({});
  expect(left).toBe(2000);
});
