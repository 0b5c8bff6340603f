import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { applyPatch } from '../../packages/core/src/base/json.ts';
import { step } from '../../packages/core/src/base/table.ts';
import { seriesReader } from '../../packages/core/src/model/rollout/series.ts';
import { standingOf } from '../../packages/core/src/model/rollout/standing.ts';
import type { Rollout } from '../../packages/core/src/model/rollout/state.ts';
import { rolloutTable } from '../../packages/core/src/model/rollout/table.ts';
import { verifyRollout } from '../../packages/core/src/model/rollout/verify.ts';
import type { Model } from '../../packages/core/src/model/state.ts';
import { upgrade } from '../../packages/core/src/model/upgrade.ts';
import { whyRollout } from '../../packages/core/src/model/why.ts';
import type { Entry } from '../../packages/core/src/ports/journal.ts';

interface Recorded {
  readonly id: string;
  readonly entries: readonly Entry[];
}

/** Journals as the code wrote them under edition 2 of the judge's rules. */
const recorded: Readonly<Record<string, Recorded>> = JSON.parse(
  gunzipSync(readFileSync(new URL('recorded/edition-2.json.gz', import.meta.url))).toString(),
);

const folded = (entries: readonly Entry[]) =>
  entries.reduce<unknown>((state, { patch }) => applyPatch(state, patch), {}) as Model;

/** The states of a rollout that was under way when the code was renewed. */
const underWay = Object.values(recorded).flatMap(({ entries }) =>
  entries.flatMap((_, index) => {
    const state = folded(entries.slice(0, index + 1));
    return index % 5 === 0 && state.rollout !== undefined ? [upgrade(state) as Model] : [];
  }),
);

test('a rollout under older rules can be looked at, whatever it has come to', () => {
  for (const { rollout } of underWay) {
    if (rollout === undefined) continue;
    expect(() => JSON.stringify([standingOf(rollout), whyRollout(rollout, 'fraud')])).not.toThrow();
  }
  expect(underWay.length).toBeGreaterThan(20);
});

test('a rollout under older rules is held back with its next reading, and ends as a person or time wants it', () => {
  const baking = underWay.flatMap(({ rollout }) => (rollout?.status === 'baking' ? [rollout] : []));
  for (const rollout of baking) {
    const { evidence, plan } = rollout;
    const told = { at: evidence.readTo + 2 * plan.tick, key: 'rollout/x/ticks/1', taken: 1 };
    const reading = { ...told, type: 'ticksRead', from: evidence.readTo, to: evidence.readTo + plan.tick, ticks: [] };
    const move = (now: Rollout, signal: object) => {
      const moved = step(rolloutTable, now, { actor: { subject: 'ann' }, ...signal } as never, { frozen: false });
      return 'moved' in moved ? moved.moved : now;
    };

    const held = move(rollout, reading);
    const late = { type: 'clockTicked', id: 'c', at: told.at + 25 * 3_600_000 };

    expect(held).toMatchObject({ status: 'held', because: expect.stringContaining('edition') });
    expect(move(held, late).status).toBe('reverting');
    expect(move(held, { type: 'abortRequested', at: told.at }).status).toBe('reverting');
    expect(move(held, { type: 'promoteRequested', at: told.at }).status).toBe('promoting');
  }
  expect(baking.length).toBeGreaterThan(3);
});

test.each(['slow', 'mirrored', 'promoted', 'sticky', 'off'])(
  'a rollout that was judged by older rules is not judged again, and the verification says so: %s',
  (name) => {
    const { id, entries } = recorded[name] ?? { id: '', entries: [] };
    const reader = seriesReader(id);
    reader.take(entries);

    expect(verifyRollout(entries, id).problems).toEqual([
      `${id} began under older rules (edition 2), which this version does not judge again`,
    ]);
    expect(reader.series()).toBeUndefined();
  },
);
