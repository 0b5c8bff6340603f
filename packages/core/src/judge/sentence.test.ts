import { describe, expect, test } from 'vitest';
import type { Stream } from '../guardrails/guardrail.ts';
import { planOf } from '../model/model.fixture.ts';
import { rulesOf } from './rules.ts';
import { clauseOf, lackText } from './sentence.ts';

const rules = rulesOf({ plan: planOf().rollout, sticky: false });
const stream = (events: string, were: string): Stream => ({
  ...{ id: events, measure: events, harm: true, promotes: true, events, counted: 'requests', were },
});
const cell = {
  ...{ candidate: 3, champion: 4, candidateAlone: 1, championAlone: 2 },
  ...{ candidateRequests: 1000, championRequests: 3000 },
};
const slow = { stream: stream('slow requests', 'were slow'), cell, logE: Math.log(2) };
const failed = { stream: stream('failed requests', 'failed'), cell, logE: Math.log(3) };
const hourMs = 3_600_000;

describe('what a promotion still lacks', () => {
  test('is told of what takes longest, with its counts, and of the others how long', () => {
    const lacks = [
      { ...slow, moreMs: 3 * hourMs },
      { ...failed, moreMs: 40 * 60_000 },
    ];

    expect(lackText(lacks, rules, 60_000)).toBe(
      "there is too little evidence yet to promote it: at this traffic the check of slow requests needs longest, about 3 more hours, and the check of failed requests about 40 more minutes. So far 0.4 % of the candidate's 1,000 requests were slow (4), and 0.2 % of the champion's 3,000 (6)",
    );
  });

  test('may be more than ever comes', () => {
    const lacks = [
      { ...slow, moreMs: undefined },
      { ...failed, moreMs: undefined },
    ];

    expect(lackText(lacks, rules, 60_000)).toMatch(
      /the check of slow requests needs longest, longer than anybody waits, and the check of failed requests longer than anybody waits\. /,
    );
  });

  test('is all, where nothing came yet', () => {
    const { cell: _, ...uncounted } = failed;

    expect(lackText([{ ...uncounted, logE: 0, moreMs: undefined }], rules, 60_000)).toMatch(/nobody can say when/);
    expect(lackText([{ ...uncounted, moreMs: hourMs }], rules, 60_000)).toContain(
      'at this traffic the check of failed requests needs about 60 more minutes',
    );
  });
});

test.each([
  ['Rolled back after 4 minutes of evidence: 1 of 2; 1 in 9. Now: wait. Now: go.', '1 of 2; 1 in 9. Now: wait'],
  ['Promoted without proof: it waited; no test has shown that it is good enough. Now: nothing.', 'it waited'],
  [
    'Aborted by ann: it lies; a person decided this, not a test, so there is no figure for how sure it is. Now: nothing.',
    'Aborted by ann: it lies',
  ],
  ['Rolled back: as older rules said it.', 'as older rules said it'],
  ['Without certificate: as older rules said it.', 'as older rules said it'],
])('%s is told in another sentence by its counts and how sure they are', (sentence, clause) => {
  expect(clauseOf(sentence)).toBe(clause);
});
