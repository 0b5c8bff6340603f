import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished, vi } from 'vitest';

// Each command is a process of its own, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000 });

export const bin = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'bin', 'serin.js');

export interface Finished {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Surroundings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly node?: readonly string[];
}

/** A temporary folder, removed when the test ends. */
export function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'serin-cli-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

/** Starts the command with nothing of this machine's own contexts or tokens. */
export function begin(
  args: readonly string[],
  { cwd, env, node = [process.execPath] }: Surroundings = {},
): ChildProcess {
  const [program = '', ...flags] = node;
  const directory = cwd ?? folder();
  const child = spawn(program, [...flags, bin, ...args], {
    cwd: directory,
    env: { PATH: process.env.PATH ?? '', HOME: directory, XDG_CONFIG_HOME: join(directory, '.config'), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

export async function serin(args: readonly string[], around: Surroundings = {}): Promise<Finished> {
  const child = begin(args, around);
  child.stdin?.end(around.input ?? '');
  return finished(child);
}

export async function finished(child: ChildProcess): Promise<Finished> {
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const read = (stream: ChildProcess['stdout']) => (stream === null ? '' : text(stream));
  const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr)]);
  return { exit: await exit, stdout, stderr };
}

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Reply {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server that answers what a test says, and remembers what it was asked. */
export async function stubServer(answer: (received: Received, index: number) => Reply) {
  const received: Received[] = [];
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const one = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: await text(request),
    };
    received.push(one);
    const { status = 200, body = {}, headers = {} } = answer(one, received.length - 1);
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(status === 204 ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, received, env: { SERIN_URL: url, SERIN_TOKEN: 'srn_test' } };
}

export const problem = (status: number, detail: string): Reply => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: {
    type: `urn:serin:problem:x${status}`,
    title: 'a title',
    status,
    detail,
    instance: '/x',
    code: `x${status}`,
    requestId: 'req_1',
  },
});
