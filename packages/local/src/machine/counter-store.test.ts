import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openCounterStore } from './counter-store.ts';

test('a database that older code made gets a column for each measure that came later', async () => {
  const database = new DatabaseSync(':memory:');
  database.exec(
    `CREATE TABLE gateway_counts (endpoint TEXT, second INTEGER, deployment TEXT, requests INTEGER, latencies TEXT,
       PRIMARY KEY (endpoint, second, deployment)) WITHOUT ROWID;
     INSERT INTO gateway_counts VALUES ('e', 1, 'v1', 7, '3:7');`,
  );

  const store = openCounterStore(database);
  await store.commit(() =>
    store.insert({
      ...{ endpoint: 'e', second: 2, deployment: 'v1', segment: undefined },
      ...{ requests: 5, latencies: '3:5', bad: { errors: 2 } },
    }),
  );

  expect(store.rows('e', 0, 9)).toMatchObject([
    { second: 1, requests: 7, latencies: '3:7', bad: { errors: 0 } },
    { second: 2, requests: 5, latencies: '3:5', bad: { errors: 2 } },
  ]);
});
