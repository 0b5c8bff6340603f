import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Running {
  readonly url: string;
  readonly token: string;
  /** From its start to the first 200 of /readyz. */
  readonly startMs: number;
  /** SIGKILL to the server alone; resolves when it is gone. */
  kill(): Promise<void>;
}

const startWithinMs = 20_000;

/** Starts the server in a data directory. What it logs is appended to `log`. */
export async function start(directory: string, log: string): Promise<Running> {
  const from = performance.now();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts'), directory], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // A published server is one bundle; without this all sources would be stripped of their types at each start.
    env: { ...process.env, NODE_COMPILE_CACHE: join(directory, '..', 'compiled') },
  });
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => {
    said.push(chunk.toString());
    appendFileSync(log, chunk);
  });
  const exited = once(child, 'exit').then(() => undefined);
  const line = once(createInterface(child.stdout), 'line').then(([text]) => String(text));
  const first = await Promise.race([line, exited, sleep(startWithinMs, undefined, { ref: false })]);
  if (first === undefined) throw new Error(`the server did not start: ${said.join('').slice(-2000)}`);
  const { url, token } = JSON.parse(first) as { readonly url: string; readonly token: string };
  await ready(url, from);
  return { url, token, startMs: performance.now() - from, kill: () => kill(child) };
}

async function ready(url: string, from: number): Promise<void> {
  while (performance.now() - from < startWithinMs) {
    const status = await fetch(`${url}/readyz`).then(
      (response) => response.arrayBuffer().then(() => response.status),
      () => 0,
    );
    if (status === 200) return;
    await sleep(5);
  }
  throw new Error(`${url}/readyz did not answer 200 within ${startWithinMs} ms`);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
