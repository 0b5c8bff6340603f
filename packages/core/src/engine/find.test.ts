import { expect, test } from 'vitest';
import type { Journal, NameRow } from '../ports/journal.ts';
import { allModels, findModel } from './find.ts';

const rows = [
  { model: 'fraud', at: 1, run: { id: 'run_1' }, job: 'job-1' },
  { model: 'churn', at: 2, rollout: { id: 'ro_1' } },
  { model: 'spam', at: 3 },
];

/** One row a page. */
const journal: Pick<Journal, 'names'> = {
  async names(_, cursor = '0') {
    const at = Number(cursor);
    const items = rows.slice(at, at + 1).map((summary): NameRow => ({ stream: '', key: '', seq: 1, summary }));
    return at + 1 < rows.length ? { items, next: String(at + 1) } : { items };
  },
};

test('all models are found, over all pages', async () => {
  expect(await allModels(journal)).toEqual(rows);
  expect((await allModels(journal, 2)).map(({ model }) => model)).toEqual(['fraud', 'churn']);
});

test.each([
  [{ run: 'run_1' }, 'fraud'],
  [{ job: 'job-1' }, 'fraud'],
  [{ rollout: 'ro_1' }, 'churn'],
  [{ run: 'ro_1' }, undefined],
  [{ job: 'run_1' }, undefined],
])('the model of %j is %s', async (of, model) => {
  expect(await findModel(journal, of)).toBe(model);
});
