import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { verifyRollout } from '../../packages/core/src/model/rollout/verify.ts';
import type { Entry } from '../../packages/core/src/ports/journal.ts';

interface Recorded {
  readonly id: string;
  readonly entries: readonly Entry[];
}

/** Journals as the code wrote them before edition 2 of the judge's rules. */
const recorded: Readonly<Record<string, Recorded>> = JSON.parse(
  gunzipSync(readFileSync(new URL('recorded/edition-1.json.gz', import.meta.url))).toString(),
);

test.each([
  ['promoted', 'promotion', /^Promoted: 0 of 12,000 failed requests against/],
  ['harmful', 'rollback', /^Rolled back: 480 of 3,180 requests slower than 20 ms/],
  ['misrouted', 'none', /not shared out as configured.*held longer than maxHold \(10m\)/],
  ['blind', 'none', /the guard saw nothing/],
  ['limited', 'none', /420 of 600 requests to the candidate failed/],
])('a rollout that was judged by the rules of edition 1 still verifies: %s', (name, verdict, sentence) => {
  const { id, entries } = recorded[name] ?? { id: '', entries: [] };

  const found = verifyRollout(entries, id);

  expect(found.problems).toEqual([]);
  expect(found.readings).toBeGreaterThan(0);
  expect(found.recorded?.verdict).toBe(verdict);
  expect(found.recorded?.sentence).toMatch(sentence);
});
