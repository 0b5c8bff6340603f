import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { requestListener } from './http.ts';

test('nobody gets a prediction while nobody can say who may', async () => {
  let predictions = 0;
  const nothing = { fetch: () => new Response(null, { status: 404 }) };
  const listener = requestListener({
    ...{ api: nothing, mlflow: { ...nothing, takes: () => false }, newId: (prefix) => `${prefix}_1` },
    gateway: {
      handle: (_, response) => {
        predictions += 1;
        response.end('0.5');
      },
      close: () => {},
    },
    names: { isOwn: () => true, isNamed: () => false },
    mayNotPredict: () => Promise.reject(new Error('the database is locked')),
  });
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;

  const answer = await fetch(`http://127.0.0.1:${port}/endpoints/e/invocations`, { method: 'POST', body: '{}' });

  expect([answer.status, predictions]).toEqual([503, 0]);
});
