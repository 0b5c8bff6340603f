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

test('rows of several seconds are their sums by deployment and segment, from multiples of so many seconds', async () => {
  const store = openCounterStore(new DatabaseSync(':memory:'));
  const row = { endpoint: 'e', requests: 5, latencies: '3:4,7:1', bad: { errors: 2 } };
  await store.commit(() => {
    for (const second of [59, 60, 61, 119, 120])
      for (const segment of [undefined, 'de']) {
        store.insert({ ...row, second, deployment: 'v1', segment });
        if (second === 61) store.insert({ ...row, second, deployment: 'v2', segment, latencies: '' });
      }
  });

  const three = { requests: 15, latencies: '3:4,7:1,3:4,7:1,3:4,7:1', bad: { errors: 6 } };
  const one = { requests: 5, bad: { errors: 2 } };
  const expected = [
    { second: 0, deployment: 'v1', ...one },
    { second: 60, deployment: 'v1', ...three },
    { second: 60, deployment: 'v2', ...one, latencies: '' },
    { second: 120, deployment: 'v1', ...one },
  ];

  expect(store.rows('e', 0, 180, 60)).toMatchObject(expected);
  expect(store.segmentRows('e', 0, 180, 60)).toMatchObject(expected.map((each) => ({ ...each, segment: 'de' })));
});
