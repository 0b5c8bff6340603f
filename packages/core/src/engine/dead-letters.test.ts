import { expect, test } from 'vitest';
import { memoryJournal } from '../../../../test/simulation/fakes/journal.ts';
import { atOnce } from '../../../../test/simulation/fakes/sync.ts';
import type { Actor, Journal } from '../ports/journal.ts';
import { bury, closeDeadLetter, findDeadLetter } from './dead-letters.ts';

const ann: Actor = { subject: 'ann', issuer: 'token', role: 'admin' };
const letter = { id: 'lost/1', stream: 'model/fraud', signal: { type: 'jobHinted' }, because: 'first', at: 1 };

async function buried(because = 'first') {
  const journal = atOnce<Journal>(memoryJournal());
  await bury(journal, { ...letter, because }, ann);
  return journal;
}

test('a signal that is buried twice is one letter, with the first reason', async () => {
  const journal = await buried();

  await bury(journal, { ...letter, because: 'second' }, ann);

  expect(await findDeadLetter(journal, 'lost/1')).toMatchObject({ status: 'waiting', because: 'first' });
  expect((await journal.head('dead/lost/1'))?.seq).toBe(1);
});

test('a letter that was replayed and comes back waits again, with the newer reason', async () => {
  const journal = await buried();

  await closeDeadLetter(journal, 'lost/1', 'replayed', 2, ann);
  await bury(journal, { ...letter, because: 'second', at: 3 }, ann);

  expect(await findDeadLetter(journal, 'lost/1')).toMatchObject({ status: 'waiting', because: 'second', at: 3 });
});

test.each([
  ['replayed', 'discarded'],
  ['discarded', 'replayed'],
  ['replayed', 'replayed'],
] as const)('a letter that is %s cannot be %s', async (first, then) => {
  const journal = await buried();

  await closeDeadLetter(journal, 'lost/1', first, 2, ann);

  await expect(closeDeadLetter(journal, 'lost/1', then, 3, ann)).rejects.toMatchObject({ code: 'conflict' });
  expect(await findDeadLetter(journal, 'lost/1')).toMatchObject({ status: first });
});

test('a letter that nobody buried cannot be closed', async () => {
  await expect(closeDeadLetter(await buried(), 'lost/2', 'replayed', 2, ann)).rejects.toMatchObject({
    code: 'notFound',
  });
});

test('a row of the list has as much of the reason as fits, in any script, and the letter all of it', async () => {
  const because = '失敗'.repeat(200);

  const journal = await buried(because);

  const [row] = (await journal.names('dead/')).items;
  const said = String(Object(row?.summary).because);
  expect(because.startsWith(said)).toBe(true);
  expect(Buffer.byteLength(said)).toBeLessThanOrEqual(400);
  expect(Buffer.byteLength(said)).toBeGreaterThan(300);
  expect(await findDeadLetter(journal, 'lost/1')).toMatchObject({ because });
});
