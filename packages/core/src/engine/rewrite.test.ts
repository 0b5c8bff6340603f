import { expect, test } from 'vitest';
import { memoryJournal } from '../../../../test/simulation/fakes/journal.ts';
import { atOnce } from '../../../../test/simulation/fakes/sync.ts';
import { Fault } from '../base/fault.ts';
import type { Actor, Journal } from '../ports/journal.ts';
import { type Next, rewrite } from './rewrite.ts';

const ann: Actor = { subject: 'ann', issuer: 'token', role: 'admin' };

interface List {
  readonly names: readonly string[];
}

const adding =
  (name: string) =>
  (list: List | undefined): Next => ({
    at: 1,
    actor: ann,
    signal: { type: 'added', name },
    state: { names: [...(list?.names ?? []), name] },
  });

const namesIn = async (journal: Journal) => ((await journal.head('list'))?.state as List | undefined)?.names;

/** A journal in which others append `times` between each reading of a head and the append that follows it. */
function contended(times: number) {
  const journal = atOnce<Journal>(memoryJournal());
  let appends = 0;
  const busy: Pick<Journal, 'head' | 'append'> = {
    head: journal.head,
    append: async (basedOn, write) => {
      appends += 1;
      if (appends <= times) await rewrite(journal, 'list', adding(`other ${appends}`));
      return journal.append(basedOn, write);
    },
  };
  return { journal, busy, appends: () => appends };
}

test('of writers at the same time none is lost', async () => {
  const journal = atOnce<Journal>(memoryJournal());

  await Promise.all(['a', 'b', 'c', 'd'].map((name) => rewrite(journal, 'list', adding(name))));

  expect([...((await namesIn(journal)) ?? [])].sort()).toEqual(['a', 'b', 'c', 'd']);
  expect((await journal.head('list'))?.seq).toBe(4);
});

test('decides again on the head that came first', async () => {
  const { journal, busy } = contended(2);

  const written = await rewrite(busy, 'list', adding('mine'));

  expect(await namesIn(journal)).toEqual(['other 1', 'other 2', 'mine']);
  expect(written?.entry).toMatchObject({ seq: 3, signal: { type: 'added', name: 'mine' } });
});

test('gives the conflict to the caller when others were first at each of its tries', async () => {
  const { journal, busy, appends } = contended(10);

  const refused = rewrite(busy, 'list', adding('mine'), { tries: 3 });

  await expect(refused).rejects.toMatchObject({ code: 'conflict' });
  expect(appends()).toBe(3);
  expect(await namesIn(journal)).not.toContain('mine');
});

test('the append has the time and the row of the list that the decision names, or neither', async () => {
  const { journal } = contended(0);
  const name = { key: 'list', summary: { names: 1 } };

  const full = await rewrite(journal, 'list', (list: List | undefined) => ({ ...adding('a')(list), due: 7, name }));
  const bare = await rewrite(journal, 'list', adding('b'));

  expect(full).toMatchObject({ due: 7, name });
  expect(full?.entry).not.toHaveProperty('due');
  expect(Object.keys(bare ?? {}).sort()).toEqual(['entry', 'state']);
});

test('writes nothing when there is nothing to write', async () => {
  const { journal, busy, appends } = contended(0);

  expect(await rewrite(busy, 'list', () => undefined)).toBeUndefined();

  expect([appends(), await journal.head('list')]).toEqual([0, undefined]);
});

test.each(['conflict', 'invalid'] as const)('a decision that is a %s is not taken a second time', async (code) => {
  const { busy, appends } = contended(0);
  let decisions = 0;

  const refused = rewrite(busy, 'list', () => {
    decisions += 1;
    throw new Fault(code, 'there is one of this name already');
  });

  await expect(refused).rejects.toMatchObject({ code });
  expect([decisions, appends()]).toEqual([1, 0]);
});

test('an append that failed for another reason is not made again', async () => {
  const { journal } = contended(0);
  let appends = 0;
  const away = {
    head: journal.head,
    append: async () => {
      appends += 1;
      throw new Fault('unavailable', 'the journal does not answer');
    },
  };

  await expect(rewrite(away, 'list', adding('mine'))).rejects.toMatchObject({ code: 'unavailable' });

  expect(appends).toBe(1);
});
