import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Server, startServer } from '@serin/local/compose';
import { release } from '../kill/project.ts';
import { closers } from './serving-machine.ts';

/** The whole server over `<directory>/data`. */
export async function startIn(directory: string, log: (line: string) => void = () => {}): Promise<Server> {
  const server = await startServer({ directory: join(directory, 'data'), port: 0, version: 'test', settleMs: 50, log });
  closers.push(() => server.close());
  return server;
}

/** A project that trains, judges and serves, released, with its first version serving. */
export async function trained(
  server: Server,
  directory: string,
  changed?: Parameters<typeof release>[2],
): Promise<void> {
  await release(server, join(directory, 'executions.txt'), changed);
  await drop(server, 'first');
  while ((await predicted(server)) !== 200) await sleep(50);
}

/** New data, of which a version is trained. */
export async function drop(server: Server, name: string): Promise<void> {
  for (const part of ['train', 'holdout'])
    await put(server, `/v1/buckets/drops/objects/judged/${part}/${name}.json`, '{}');
}

export async function put(server: Server, path: string, body: string | Buffer): Promise<void> {
  const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
  let response = await fetch(`${server.url}${path}`, { method: 'PUT', headers, body });
  // A release is answered before the folders of its buckets are there.
  for (let tries = 0; response.status === 404 && tries < 100; tries += 1) {
    await sleep(50);
    response = await fetch(`${server.url}${path}`, { method: 'PUT', headers, body });
  }
  if (!response.ok) throw new Error(`PUT ${path}: ${response.status} ${await response.text()}`);
}

export const read = async (server: Server, path: string): Promise<Record<string, unknown>> => {
  const response = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${server.token}` } });
  return (await response.json()) as Record<string, unknown>;
};

/** The status of a prediction. */
export const predicted = async ({ url }: Server): Promise<number> =>
  (await fetch(`${url}/endpoints/judged/invocations`, { method: 'POST', body: '{}' })).status;
