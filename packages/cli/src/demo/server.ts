import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { Certificate } from '@serin/core/judge/certificate';
import type { Entry } from '@serin/core/ports/journal';
import type { Happening } from '@serin/core/sinks/sink';
import { call } from './http.ts';
import type { Facts } from './report.ts';

export const model = 'births';

/** A model, as the API answers it. */
interface State {
  readonly plan: {
    readonly on: { readonly data: boolean };
    readonly monitor: { readonly drift?: { readonly major: number } };
  };
  readonly run?: { readonly id: string; readonly status: string };
  readonly rollout?: { readonly id: string; readonly status: string };
}

interface Record {
  readonly status: string;
  readonly endedAt?: string;
  readonly because?: string;
}
interface Run extends Record {
  readonly dataset: { readonly digest: string };
  readonly trained?: { readonly number: number };
  readonly trigger: { readonly kind: string };
}
interface Rollout extends Record {
  readonly id: string;
  readonly candidate: number;
  readonly certificate?: Certificate;
}

/** The drift of a model, as the API answers it. */
export interface DriftSeen {
  readonly incident?: { readonly columns: readonly string[]; readonly size: number };
  readonly columns: readonly ColumnSeen[];
  readonly windows: readonly { readonly rows: number; readonly size: number; readonly alarms: readonly string[] }[];
}

interface ColumnSeen {
  readonly name: string;
  readonly histogram?: { readonly reference: readonly number[]; readonly live: readonly number[] };
}

export interface Running {
  readonly url: string;
  readonly token: string;
  /** What was published after a position, with the position of each. */
  events(after: number): Promise<readonly { readonly position: number; readonly event: Happening }[]>;
  state(): Promise<State | undefined>;
  run(id: string): Promise<Run | undefined>;
  rollout(id: string): Promise<Rollout | undefined>;
  drift(): Promise<DriftSeen | undefined>;
  served(): Promise<Facts['served']>;
  /** The whole stream of the model, as it was written. */
  entries(): Promise<readonly Entry[]>;
  drop(name: string, csv: string): Promise<void>;
  post(path: string, body: unknown, headers?: { readonly [name: string]: string }): Promise<void>;
}

/** The API of a server that was started for the demo. */
export interface Server extends Running {
  /** Of a server in a process of its own: `kill -9`. */
  kill(): void;
  stop(): Promise<void>;
}

/** `serin dev` in a process of its own, which can be killed. */
export async function startServer(command: string, project: string, secret: string): Promise<Server> {
  const child = spawn(process.execPath, [...process.execArgv, command, 'dev', '--port', '0'], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SERIN_GITHUB_SECRET: secret },
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => said.push(part.toString()));
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    const running = await reach(project, child.pid ?? 0, () => child.exitCode !== null, said);
    return {
      ...running,
      kill: () => void child.kill('SIGKILL'),
      async stop() {
        child.kill('SIGTERM');
        await gone;
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** `serin dev` in this process: one process less in the memory of the demo. */
export async function serveHere(project: string, secret: string): Promise<Server> {
  process.env.SERIN_GITHUB_SECRET = secret;
  const { dev } = await import('../commands/dev.ts');
  const said: string[] = [];
  const quiet = (text: string) => void said.push(text);
  const end = new AbortController();
  const terminal = {
    json: false,
    interactive: false,
    width: undefined,
    out: quiet,
    say: quiet,
    paint: (_: string, text: string) => text,
    confirm: async () => false,
  };
  let over = false;
  const ended = dev({
    args: [],
    options: { port: '0' },
    terminal,
    env: process.env,
    cwd: project,
    signal: end.signal,
  }).finally(() => {
    over = true;
  });
  const running = await reach(project, process.pid, () => over, said);
  return {
    ...running,
    kill() {
      throw new Error('the server of the demo cannot be asked for this; this is a defect of Serin, report it');
    },
    async stop() {
      end.abort();
      await ended;
    },
  };
}

/** Waits until the server of this process id answers. */
async function reach(project: string, pid: number, isOver: () => boolean, said: readonly string[]): Promise<Running> {
  const file = join(project, '.serin', 'server.json');
  const { url, token } = await until(
    async () => {
      if (isOver())
        throw new Error(`the server of the demo did not start; correct this and run it again:\n${said.join('')}`);
      return existsSync(file)
        ? (JSON.parse(readFileSync(file, 'utf8') || '{}') as { url?: string; token?: string; pid?: number })
        : {};
    },
    (found) => found.pid === pid && found.url !== undefined,
  );
  const api = async <Body>(
    method: string,
    path: string,
    body?: string,
    headers: { readonly [name: string]: string } = {},
  ) => {
    const { status, text } = await call(method, `${url}${path}`, body, {
      authorization: `Bearer ${token}`,
      ...headers,
    });
    if (status < 300) return JSON.parse(text) as Body;
    if (status === 404) return undefined;
    throw new Error(`${method} ${path}: ${status} ${text}\n${said.join('')}`);
  };
  const state = () => api<State>('GET', `/v1/models/${model}`);
  await until(state, (found) => found !== undefined);
  return {
    url: url ?? '',
    token: token ?? '',
    events: async (after) =>
      (
        await api<{ readonly events: Awaited<ReturnType<Running['events']>> }>(
          'GET',
          `/v1/events?after=${after}`,
          undefined,
          { accept: 'application/json' },
        )
      )?.events ?? [],
    state,
    run: (id) => api<Run>('GET', `/v1/runs/${id}`),
    rollout: (id) => api<Rollout>('GET', `/v1/rollouts/${id}`),
    drift: () => api<DriftSeen>('GET', `/v1/models/${model}/drift`),
    served: async () =>
      (await api<{ readonly served: Facts['served'] }>('GET', `/v1/models/${model}/history`))?.served ?? [],
    async entries() {
      const found: Entry[] = [];
      for (let cursor = ''; ; ) {
        const page = await api<{ readonly entries: readonly Entry[]; readonly next?: string }>(
          'GET',
          `/v1/audit/entries?stream=model%2F${model}${cursor}`,
        );
        found.push(...(page?.entries ?? []));
        if (page?.next === undefined) return found;
        cursor = `&cursor=${page.next}`;
      }
    },
    drop: async (name, csv) =>
      void (await api('PUT', `/v1/buckets/drops/objects/births/${name}.csv`, csv, { 'content-type': 'text/csv' })),
    post: async (path, body, headers) =>
      void (await api('POST', path, typeof body === 'string' ? body : JSON.stringify(body), {
        'content-type': 'application/json',
        ...headers,
      })),
  };
}

const patienceMs = 30_000;

/** Looks until what it sees is as wanted; a server that cannot be reached is being started. */
export async function until<Value>(
  look: () => Promise<Value>,
  done: (value: Value) => boolean,
  everyMs = 20,
): Promise<Value> {
  for (const end = performance.now() + patienceMs; ; ) {
    const value = await look().catch((error: unknown) => {
      if (error instanceof Error && 'syscall' in error) return undefined as Value; // the server is being started again
      throw error;
    });
    if (done(value)) return value;
    if (performance.now() > end)
      throw new Error(
        `the demo did not go on within ${patienceMs / 1000} s; run it again, or report it; last seen: ${JSON.stringify(value)?.slice(0, 400)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
