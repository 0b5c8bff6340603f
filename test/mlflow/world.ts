import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { compile, parseConfig } from '@serin/core/config/config';
import { type Server, startServer } from '@serin/local/compose';
import { expect, onTestFinished, test } from 'vitest';

const installed = join(import.meta.dirname, '..', 'emulators', '.installed');
const required = (process.env.SERIN_REQUIRE ?? '').split(',').includes('mlflow');
const python = join(installed, 'examples', 'bin', 'python3');

export const versions = ['3', '2'] as const;
export type Version = (typeof versions)[number];

/** Where Python finds a client of MLflow, which shares scikit-learn with the examples. */
export const pathOf = (version: Version): string => join(installed, `mlflow-${version}`);
/** The folder of the `python3` that has scikit-learn. */
export const binFolder = join(installed, 'examples', 'bin');

/** Runs where `npm run examples` has been, or where it must: `SERIN_REQUIRE=mlflow`. */
export const withClients =
  required || versions.every((version) => existsSync(join(pathOf(version), 'requirements.txt'))) ? test : test.skip;
export const note = existsSync(pathOf('3')) ? '' : ' [skipped: no MLflow here; `npm run examples` installs it]';

export function newFolder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'serin-mlflow-'));
  onTestFinished(() => {
    // What a version holds is read-only.
    spawnSync('chmod', ['-R', 'u+w', directory]);
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  });
  return directory;
}

export async function started(directory = newFolder(), log: (line: string) => void = () => {}): Promise<Server> {
  const server = await startServer({ directory: join(directory, 'data'), port: 0, version: 'test', settleMs: 50, log });
  onTestFinished(() => server.close());
  return server;
}

export async function asked(server: Server, method: string, path: string, body?: unknown, token = server.token) {
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const said = await answer.text();
  return { status: answer.status, body: said.startsWith('{') ? JSON.parse(said) : said };
}

/** A call of MLflow's REST API. */
export function mlflow(server: Server, method: string, path: string, given?: object, token?: string) {
  const query =
    method === 'GET' && given !== undefined ? `?${new URLSearchParams(given as Record<string, string>)}` : '';
  return asked(server, method, `/api/2.0/mlflow/${path}${query}`, method === 'GET' ? undefined : (given ?? {}), token);
}

export async function tokenOf(server: Server, role: string, models?: readonly string[]): Promise<string> {
  const body = { name: `${role}-${models?.join('-') ?? 'all'}`, role, ...(models === undefined ? {} : { models }) };
  const answer = await asked(server, 'POST', '/v1/tokens', body);
  return answer.body.token;
}

/** A model whose training is a command, released. */
export async function released(server: Server, model: object, name = 'm', notify?: readonly object[]): Promise<void> {
  const read = parseConfig({
    project: 'p',
    ...(notify === undefined ? {} : { notify }),
    models: { [name]: { data: { bucket: 'drops', settle: { quiet: '100ms' } }, ...model } },
  });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const { status, body } = await asked(server, 'POST', '/v1/releases', {
    config: compile(read.parsed, new Map(), 'local'),
  });
  if (status !== 202) throw new Error(JSON.stringify(body));
}

export async function dropped(server: Server, key: string, content: string): Promise<void> {
  const put = () => asked(server, 'PUT', `/v1/buckets/drops/objects/${key}`, content).then(({ status }) => status);
  await expect.poll(put, { timeout: 10_000 }).toBeLessThan(300);
}

/** The newest run, once it has ended. */
export async function endedRun(server: Server, after?: string) {
  let run: Record<string, unknown> = {};
  const look = async () => {
    const { body } = await asked(server, 'GET', '/v1/runs');
    run = body.runs[0] ?? {};
    return run.endedAt !== undefined && run.id !== after;
  };
  await expect.poll(look, { timeout: 60_000, interval: 100 }).toBe(true);
  return (await asked(server, 'GET', `/v1/runs/${run.id}`)).body;
}

/** What a Python program says, and how it ended. */
export async function ranPython(
  version: Version,
  file: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
) {
  const child = spawn(python, [join(import.meta.dirname, file), ...args], {
    env: { ...quiet, PATH: process.env.PATH ?? '', PYTHONPATH: pathOf(version), ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exit: await exit, stdout, stderr };
}

/** Nobody asks hosts outside, and a refusal is not repeated for minutes. */
export const quiet = {
  MLFLOW_DISABLE_TELEMETRY: 'true',
  MLFLOW_HTTP_REQUEST_MAX_RETRIES: '3',
  GIT_PYTHON_REFRESH: 'quiet',
};
