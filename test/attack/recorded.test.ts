import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { verifyRollout } from '../../packages/core/src/model/rollout/verify.ts';
import type { Entry } from '../../packages/core/src/ports/journal.ts';

interface Recorded {
  readonly id: string;
  readonly entries: readonly Entry[];
}

const read = (file: string): Readonly<Record<string, Recorded>> =>
  JSON.parse(gunzipSync(readFileSync(new URL(`recorded/${file}`, import.meta.url))).toString());
/** Journals as the code wrote them before edition 2 of the judge's rules. */
const edition1 = read('edition-1.json.gz');
/** Those of edition 2 whose ticks have errors by name, and what is slow in the order of the thresholds. */
const edition2 = read('edition-2.json.gz');

test.each([
  ['promoted', 'promotion', /^Promoted: 0 of 12,000 failed requests against/],
  ['harmful', 'rollback', /^Rolled back: 480 of 3,180 requests slower than 20 ms/],
  ['misrouted', 'none', /not shared out as configured.*held longer than maxHold \(10m\)/],
  ['blind', 'none', /the guard saw nothing/],
  ['limited', 'none', /420 of 600 requests to the candidate failed/],
])('a rollout that was judged by the rules of edition 1 still verifies: %s', (name, verdict, sentence) => {
  const { id, entries } = edition1[name] ?? { id: '', entries: [] };

  const found = verifyRollout(entries, id);

  expect(found.problems).toEqual([]);
  expect(found.readings).toBeGreaterThan(0);
  expect(found.recorded?.verdict).toBe(verdict);
  expect(found.recorded?.sentence).toMatch(sentence);
});

test.each([
  ['slow', 'rollback', /^Rolled back: 600 of 3,300 requests slower than 20 ms \(the champion's p50\)/],
  ['mirrored', 'rollback', /^Rolled back: of 481 mirrored requests with exactly one bad answer/],
  ['promoted', 'promotion', /^Promoted: at 50 %, failed requests: 0\.5 % \(60\) of the candidate's 12,000/],
  ['sticky', 'rollback', /^Rolled back: 24 of 26 first failed requests/],
  ['off', 'rollback', /^Rolled back: 63 of 132 failed requests/],
])('a rollout whose counts were recorded without names still verifies: %s', (name, verdict, sentence) => {
  const { id, entries } = edition2[name] ?? { id: '', entries: [] };

  const found = verifyRollout(entries, id);

  expect(found.problems).toEqual([]);
  expect(found.readings).toBeGreaterThan(0);
  expect(found.recorded?.verdict).toBe(verdict);
  expect(found.recorded?.sentence).toMatch(sentence);
});
