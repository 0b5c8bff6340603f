import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import {
  type Agent,
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type Server,
} from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { sha256Hex } from '@serin/core/base/json';
import type { Deployment } from '@serin/core/ports/serving';
import { gatewayAssignments } from '@serin/local/machine/assignments';
import { captureStore } from '@serin/local/machine/capture-store';
import { gatewayCaptures } from '@serin/local/machine/captures';
import { gatewayCounters } from '@serin/local/machine/counters';
import { openDatabase } from '@serin/local/machine/database';
import { type GatewayOptions, gateway } from '@serin/local/machine/gateway';
import { targetOf } from '@serin/local/machine/invocation-paths';
import { labelStore } from '@serin/local/machine/labels';
import { modelServers } from '@serin/local/machine/model-servers';
import { gatewayPairs } from '@serin/local/machine/pairs';
import { gatewayUsers } from '@serin/local/machine/users';
import { localServing } from '@serin/local/ports/serving';
import { gatewayTelemetry } from '@serin/local/ports/telemetry';
import { afterEach, expect, vi } from 'vitest';

/** A model server whose request says how it answers: all of them, or each version by its number. */
export const serveScript = `
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
if (process.env.ONLY_IF && !existsSync(process.env.ONLY_IF)) process.exit(4);
if (process.env.MODE === 'crash') { console.error('no model for me'); process.exit(3); }
const server = createServer((request, response) => {
  if (request.url === '/ping') return response.writeHead(process.env.MODE === 'mute' ? 503 : 200).end();
  if (process.env.MODE === 'v2' && request.method === 'GET') return response.end(JSON.stringify(
    { name: process.env.SERIN_ENDPOINT, platform: 'own', inputs: [{ name: 'x', datatype: 'FP64', shape: [-1, 2] }], outputs: [] }));
  const orders = request.headers['x-order'] ? JSON.parse(request.headers['x-order']) : {};
  const order = { ...orders, ...orders[process.env.SERIN_MODEL_VERSION] };
  if (order.early) return response.end('{}');
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const body = Buffer.concat(chunks);
    if (process.env.NOTES) appendFileSync(process.env.NOTES, JSON.stringify({ version: process.env.SERIN_MODEL_VERSION,
      headers: request.headers, method: request.method, url: request.url, bytes: body.length,
      text: body.length < 1000 ? body.toString() : undefined, digest: createHash('sha256').update(body).digest('hex') }) + '\\n');
    if (order.exit) process.exit(1);
    if (order.waitMs) await new Promise((resolve) => setTimeout(resolve, order.waitMs));
    while (order.until && !existsSync(order.until)) await new Promise((resolve) => setTimeout(resolve, 5));
    if (order.first) response.write(order.first);
    if (order.raw) return void request.socket.end(order.raw);
    if (order.drip) {
      for (let part = 0; part < order.drip; part++) {
        response.write('part ');
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return order.never ? undefined : response.end();
    }
    if (order.stream) return stream(request, response, order.stream);
    if (order.hang) for (;;);
    for (const end = Date.now() + (order.busyMs ?? 0); Date.now() < end; );
    if (order.never) return;
    if (order.cut) { response.writeHead(200, { 'content-length': '100' }); response.write('half', () => request.socket.destroy()); return; }
    response.writeHead(order.status ?? 200, { 'content-type': 'application/json', 'x-of-model': 'yes' });
    if ('answer' in order)
      return response.end(typeof order.answer === 'string' ? order.answer : JSON.stringify(order.answer));
    if (order.endless) return void setInterval(() => response.write(Buffer.alloc(100_000)), 1);
    response.end(JSON.stringify({ version: process.env.SERIN_MODEL_VERSION, pid: process.pid, prediction: order.prediction, url: request.url,
      headers: request.headers, bytes: body.length, text: body.length < 1000 ? body.toString() : '',
      environment: order.environment ? process.env : undefined }));
  });
});
async function stream(request, response, { type, steps, closed }) {
  response.writeHead(200, { 'content-type': type }).flushHeaders();
  if (closed) response.on('close', () => writeFileSync(closed, 'yes'));
  for (const step of steps) {
    if (step.text) await new Promise((resolve) => response.write(step.text, resolve));
    if (step.waitMs) await new Promise((resolve) => setTimeout(resolve, step.waitMs));
    while (step.until && !existsSync(step.until)) await new Promise((resolve) => setTimeout(resolve, 5));
    for (let sent = 0; sent < (step.bytes ?? 0); sent += 65536) {
      if (!response.write(Buffer.alloc(65536))) await once(response, 'drain');
      writeFileSync(step.sent, String(sent));
    }
    if (step.exit) process.exit(1);
    if (step.cut) request.socket.destroy();
    if (step.cut || step.never) return;
  }
  response.end();
}
while (process.env.WAIT_FOR && !existsSync(process.env.WAIT_FOR)) await new Promise((resolve) => setTimeout(resolve, 5));
if (process.env.SLOW) await new Promise((resolve) => setTimeout(resolve, Number(process.env.SLOW)));
server.listen(Number(process.env.ELSEWHERE ?? process.env.SAGEMAKER_BIND_TO_PORT), process.env.ON ?? process.env.SERIN_BIND_ADDRESS);
`;

// Real processes, on machines that may be busy with other things.
vi.setConfig({ testTimeout: 30_000 });

const quick = { firstRestartMs: 20, lastRestartMs: 200, graceMs: 1000, muteMs: 300, pingMs: 50 };
export const closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'serin-serving-'));
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'model'));
  return directory;
}

/** Of the empty folder that `newDirectory` has for a model. */
const digestOfNothing = sha256Hex('');

export function deploymentOf(
  directory: string,
  version: number,
  mode = 'ok',
  more: Partial<Deployment> = {},
): Deployment {
  return {
    name: `v${version}`,
    version,
    artifact: { uri: pathToFileURL(join(directory, 'model')).href, digest: digestOfNothing, bytes: 0 },
    code: { digest: 'code' },
    command: [process.execPath, 'serve.mjs'],
    environment: { MODE: mode, NOTES: join(directory, 'notes.ndjson') },
    instances: { min: 1, max: 1 },
    compute: { nodes: 1, spot: false },
    readyTimeoutMs: mode === 'mute' ? 300 : 20_000,
    ...more,
  };
}

export type Machine = Awaited<ReturnType<typeof openMachine>>;

export interface MachineOptions extends Partial<GatewayOptions> {
  readonly drainMs?: number;
  /** The clock that requests are counted by. */
  readonly now?: () => number;
}

/** Everything of one machine that serves, with its gateway listening. `leave` keeps the model servers alive. */
export async function openMachine(directory: string, options: MachineOptions = {}) {
  const { now = Date.now, silenceMs, timeoutMs = 30_000 } = options;
  const warnings: string[] = [];
  const { database, close: closeDatabase } = openDatabase(join(directory, 'data'));
  const counted = openCounted(database, now);
  const { counters } = counted;
  const servers = modelServers({
    database,
    directory: join(directory, 'servers'),
    jobs: join(directory, 'jobs'),
    stageCode: async (_, folder) => writeFileSync(join(folder, 'serve.mjs'), serveScript),
    holdsCode: async (_, folder) => readFileSync(join(folder, 'serve.mjs'), 'utf8') === serveScript,
    inherited: { PATH: '/usr/bin:/bin' },
    pace: quick,
    onReturn: counters.returning,
    warn: (what) => void warnings.push(what),
    silenceMs: (endpoint) => silenceMs?.(endpoint) ?? timeoutMs,
    ...(options.drainMs === undefined ? {} : { drainMs: options.drainMs }),
  });
  const serving = localServing({ database, servers, jobs: join(directory, 'jobs') });
  await serving.resumed;
  const front = gateway({ route: serving.route, pool: servers.pool, ...counted, ...options });
  const server = createServer((request, response) => {
    const target = targetOf(request.method ?? '', request.url ?? '');
    if (target === undefined) response.writeHead(418).end();
    else front.handle(request, response, target);
  });
  const port = await listen(server);

  async function closeWith(end: () => Promise<void>): Promise<void> {
    server.closeAllConnections();
    server.close();
    front.close();
    await end();
    await counters.close();
    counted.captured.close();
    closeDatabase();
  }
  let isClosed = false;
  const once = async (end: () => Promise<void>) => {
    if (isClosed) return;
    isClosed = true;
    await closeWith(end);
  };
  const machine = {
    ...counted,
    serving,
    warnings,
    port,
    leave: () => once(() => servers.close()),
    stop: () => once(() => servers.stop()),
    invoke: (endpoint: string, what: Invocation = {}) => invoke(port, `/endpoints/${endpoint}/invocations`, what),
    async ready(endpoint: string, name: string): Promise<void> {
      for (;;) {
        const seen = await serving.observe(endpoint);
        if (seen !== 'absent' && seen.deployments.some((it) => it.name === name && it.status === 'ready')) return;
        await sleep(10);
      }
    },
    async serve(endpoint: string, deployments: readonly Deployment[], weights: Record<string, number>): Promise<void> {
      for (const deployment of deployments) await serving.change(endpoint, { kind: 'deploy', deployment });
      for (const { name } of deployments) await machine.ready(endpoint, name);
      await serving.change(endpoint, { kind: 'weigh', weights });
    },
  };
  closers.push(machine.stop);
  return machine;
}

/** What the gateway counts and remembers, and its telemetry. */
export function openCounted(database: DatabaseSync, now: () => number) {
  const counters = gatewayCounters({ database, now });
  const pairs = gatewayPairs({ database, counters });
  const users = gatewayUsers({ database, counters });
  const assignments = gatewayAssignments({ database, counters });
  const labels = labelStore({ database, assignments, now });
  const captured = captureStore(dirname(database.location() ?? ''));
  const captures = gatewayCaptures({ store: captured, counters });
  const telemetry = gatewayTelemetry({ counters, pairs, users, labels, captures: captured });
  return { counters, pairs, users, assignments, captured, captures, telemetry };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export interface Invocation {
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly order?: object;
  readonly method?: string;
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export function invoke(port: number, path: string, what: Invocation = {}): Promise<Answer> {
  const { body = '{}', headers = {}, order, method = 'POST', agent } = what;
  return new Promise((resolve, reject) => {
    const call = httpRequest({
      host: '127.0.0.1',
      port,
      path,
      method,
      agent: agent ?? false,
      headers: { ...headers, ...(order === undefined ? {} : { 'x-order': JSON.stringify(order) }) },
    });
    call.on('error', reject);
    call.on('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString() });
      });
    });
    call.end(body);
  });
}

export const deploymentIn = (answer: Answer): string => String(answer.headers['x-serin-deployment']);

/** Numbers of a fixed sequence (mulberry32), so that a split is the same in every run. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * 100);
  };
}

/** Requests and errors of a deployment so far, as the counters made them durable. */
export async function counted(machine: Machine, endpoint: string, deployment: string) {
  const second = Math.floor(Date.now() / 1000);
  while (machine.counters.finalUntil() <= second) {
    await sleep(50);
    await machine.counters.flush();
  }
  const rows = [...machine.counters.rows(endpoint, 0, second + 1)].filter((row) => row.deployment === deployment);
  return {
    requests: rows.reduce((sum, row) => sum + row.requests, 0),
    errors: rows.reduce((sum, row) => sum + (row.bad.errors ?? 0), 0),
  };
}

export const pidOf = (answer: Answer): number => Number(JSON.parse(answer.text).pid);

/** Resolves when a process of this server is gone and its exit has been seen. */
export async function gone(pid: number): Promise<void> {
  await expect.poll(() => isThere(pid), { interval: 5, timeout: 10_000 }).toBe(false);
}

export function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A request to the endpoint `e`, whose body and answer are the test's to drive. */
export const callTo = (
  port: number,
  headers: Readonly<Record<string, string>>,
  path = '/endpoints/e/invocations',
): ClientRequest => httpRequest({ host: '127.0.0.1', port, path, method: 'POST', agent: false, headers });

/** A caller that goes away before the model answers; resolves when the gateway has noticed. */
export async function giveUp(
  port: number,
  { order, path, body = '{}' }: { readonly order: object; readonly path?: string; readonly body?: string },
): Promise<void> {
  const call = callTo(port, { 'x-order': JSON.stringify(order) }, path);
  call.on('error', () => undefined);
  call.end(body);
  await once(call, 'finish');
  await sleep(30);
  call.destroy();
}
