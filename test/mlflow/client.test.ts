import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished } from 'vitest';
import { note, ranPython, started, versions, withClients } from './world.ts';

/** The way to a server on which the answer to each request is lost the first time: it is cut, or a 503 comes instead. */
async function lossyWay(to: string): Promise<{ readonly url: string; readonly lost: readonly string[] }> {
  const lost: string[] = [];
  const { hostname, port } = new URL(to);
  const server = createServer((from, answer) => {
    const on = request({
      hostname,
      port,
      method: from.method,
      path: from.url,
      headers: { ...from.headers, host: `${hostname}:${port}` },
    });
    from.pipe(on);
    on.on('response', (said) => {
      const line = `${from.method} ${from.url}`;
      if (lost.includes(line)) {
        answer.writeHead(said.statusCode ?? 0, said.headers);
        return void said.pipe(answer);
      }
      lost.push(line);
      said.resume();
      if (lost.length % 2 === 0) answer.writeHead(503).end();
      else from.socket.destroy();
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, lost };
}

describe.each(versions)(`MLflow's own client, line ${'%s'}${note}`, (version) => {
  withClients(
    'logs, searches, registers and loads as on its own server',
    async () => {
      const server = await started();
      const env = { MLFLOW_TRACKING_URI: server.url, MLFLOW_TRACKING_TOKEN: server.token };

      const { exit, stdout, stderr } = await ranPython(version, 'client.py', env);

      expect(exit, stderr).toBe(0);
      expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '').version).toMatch(new RegExp(`^${version}\\.`));
    },
    120_000,
  );

  withClients(
    'repeats what it got no answer to, and nothing is there twice',
    async () => {
      const server = await started();
      const { url, lost } = await lossyWay(server.url);
      const env = { MLFLOW_TRACKING_URI: url, MLFLOW_TRACKING_TOKEN: server.token };

      const { exit, stderr } = await ranPython(version, 'retry.py', env);

      expect(exit, stderr).toBe(0);
      expect(lost.length).toBeGreaterThan(8);
    },
    120_000,
  );
});
