import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Speed {
  readonly rps: number;
  /** Milliseconds. */
  readonly p99: number;
  /** CPU of the proxy's process for each request, where /proc tells; the clients and models share the same cores. */
  readonly cpuMicros?: number;
}

export interface GatewaySpeed {
  readonly serin: Speed;
  readonly bareProxy: Speed;
  /** Requests per second of the gateway over those of the bare proxy. */
  readonly ratio: number;
  readonly nginx?: Speed;
}

const connections = 64;
const roundMs = 2000;
const rounds = 4;

const port = "server.listen(0, '127.0.0.1', () => console.log(server.address().port));";

const modelScript = `
import { createServer } from 'node:http';
const body = JSON.stringify({ predictions: [0.5] });
const head = { 'content-type': 'application/json', 'content-length': String(body.length) };
const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.writeHead(200, head).end(body));
});
${port}`;

/** The least that a proxy with the same split can do: no counts, no limits, no timeout. */
const bareScript = `
import { Agent, createServer, request as httpRequest } from 'node:http';
const [v1, v2] = process.argv.slice(1).map(Number);
const agent = new Agent({ keepAlive: true });
const server = createServer((request, response) => {
  const port = Math.random() < 0.1 ? v2 : v1;
  const { method, url: path, headers } = request;
  const call = httpRequest({ agent, host: '127.0.0.1', port, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  request.pipe(call);
});
${port}`;

/** The gateway as it is, with its counters on a real database; only the model servers are given, not supervised. */
const serinScript = (local: string) => `
import { Agent, createServer } from 'node:http';
import { join } from 'node:path';
import { requestListener } from '${local}http.ts';
import { gatewayCounters } from '${local}machine/counters.ts';
import { openDatabase } from '${local}machine/database.ts';
import { gateway } from '${local}machine/gateway.ts';
const [v1, v2, directory] = process.argv.slice(1);
const { database } = openDatabase(join(directory, 'data'));
const counters = gatewayCounters({ database, now: Date.now });
const poolAt = (port) => {
  const upstream = { port: Number(port), agent: new Agent({ keepAlive: true, timeout: 1000 }), heard() {} };
  return { take: () => upstream, release() {} };
};
const pools = { v1: poolAt(v1), v2: poolAt(v2) };
const arms = [{ deployment: 'v2', below: 10 }, { deployment: 'v1', below: 100 }];
const route = { endpoint: 'e', weights: { v1: 90, v2: 10 }, arms };
const front = gateway({ route: () => route, pool: (_, name) => pools[name], counters });
const api = { fetch: () => new Response(null, { status: 418 }) };
const names = { isOwn: (host) => host === 'localhost', isNamed: () => false };
const server = createServer(requestListener({ api, gateway: front, newId: () => 'req_1', names }));
${port}`;

/** Closed loop over raw connections: as little work for each request as possible, so that the proxy is the limit. */
const clientScript = `
import { connect } from 'node:net';
const [port, count, ms] = process.argv.slice(1).map(Number);
const body = '{"instances":[[1,2,3,4]]}';
const text = 'POST /endpoints/e/invocations HTTP/1.1\\r\\nhost: localhost\\r\\ncontent-type: application/json\\r\\n' +
  'content-length: ' + body.length + '\\r\\n\\r\\n' + body;
const latencies = [];
const end = performance.now() + ms;
let open = count;
for (let index = 0; index < count; index++) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let begun = performance.now();
  let seen = '';
  socket.setEncoding('latin1');
  socket.on('connect', () => socket.write(text));
  socket.on('error', (error) => { console.error(error.message); process.exit(1); });
  socket.on('data', (chunk) => {
    seen += chunk;
    if (!seen.endsWith('0.5]}') && !seen.endsWith('\\r\\n0\\r\\n\\r\\n')) return;
    if (!seen.startsWith('HTTP/1.1 200')) { console.error(seen); process.exit(1); }
    seen = '';
    const now = performance.now();
    latencies.push(now - begun);
    begun = now;
    if (now < end) socket.write(text);
    else { socket.destroy(); if (--open === 0) report(); }
  });
}
function report() {
  latencies.sort((a, b) => a - b);
  console.log(JSON.stringify({ rps: latencies.length / (ms / 1000), p99: latencies[Math.floor(latencies.length * 0.99)] }));
}`;

/**
 * Measures the gateway beside a bare keep-alive proxy in Node (and nginx, where it is installed), 90/10 over two trivial
 * model servers, from 64 connections. Rounds take turns, so that a busy machine hurts all alike; medians are compared.
 */
export async function benchGateway(): Promise<GatewaySpeed> {
  const directory = mkdtempSync(join(tmpdir(), 'serin-bench-'));
  const stops: (() => Promise<void>)[] = [];
  async function start(script: string, ...more: readonly string[]): Promise<Target> {
    const started = await startScript(script, more);
    stops.push(started.stop);
    return started;
  }
  try {
    const models = [await start(modelScript), await start(modelScript)].map(({ port }) => String(port));
    const local = new URL('../../packages/local/src/', import.meta.url).href;
    const targets = new Map([
      ['serin', await start(serinScript(local), ...models, directory)],
      ['bare proxy', await start(bareScript, ...models)],
    ]);
    const nginx = await startNginx(directory, models);
    if (nginx === undefined) console.log('nginx: not installed');
    else stops.push(nginx.stop);
    if (nginx !== undefined) targets.set('nginx', nginx);
    return report(await measure(targets));
  } finally {
    await Promise.all(stops.map((stop) => stop()));
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Target {
  readonly port: number;
  readonly pid?: number | undefined;
}

async function measure(targets: ReadonlyMap<string, Target>): Promise<ReadonlyMap<string, Speed>> {
  const seen = new Map<string, Speed[]>([...targets.keys()].map((name) => [name, []]));
  for (const target of targets.values()) await round(target, 1000);
  for (let index = 0; index < rounds; index++) {
    for (const [name, target] of targets) seen.get(name)?.push(await round(target, roundMs));
  }
  return new Map([...seen].map(([name, speeds]) => [name, medianOf(speeds)]));
}

/** One round from two client processes; their rates add up, the worse p99 counts. */
async function round({ port, pid }: Target, ms: number): Promise<Speed> {
  const cpuBefore = cpuMicrosOf(pid);
  const clients = [1, 2].map(async () => {
    const child = spawn(
      process.execPath,
      [...module, clientScript, String(port), String(connections / 2), String(ms)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const [line] = await once(createInterface({ input: child.stdout }), 'line', {
      signal: AbortSignal.timeout(ms + 20_000),
    });
    return JSON.parse(String(line)) as Speed; // written by clientScript
  });
  const speeds = await Promise.all(clients);
  const rps = speeds.reduce((sum, speed) => sum + speed.rps, 0);
  const p99 = Math.max(...speeds.map((speed) => speed.p99));
  const cpu = cpuMicrosOf(pid);
  if (cpu === undefined || cpuBefore === undefined) return { rps, p99 };
  return { rps, p99, cpuMicros: (cpu - cpuBefore) / (rps * (ms / 1000)) };
}

/** CPU time of a process so far, to 10 ms. */
function cpuMicrosOf(pid: number | undefined): number | undefined {
  if (pid === undefined || process.platform !== 'linux') return undefined;
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function medianOf(speeds: readonly Speed[]): Speed {
  const middle = (values: readonly number[]) => {
    const sorted = [...values].sort((a, b) => a - b);
    return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
  };
  const cpus = speeds.flatMap(({ cpuMicros }) => (cpuMicros === undefined ? [] : [cpuMicros]));
  return {
    rps: Math.round(middle(speeds.map(({ rps }) => rps))),
    p99: middle(speeds.map(({ p99 }) => p99)),
    ...(cpus.length === 0 ? {} : { cpuMicros: Math.round(middle(cpus)) }),
  };
}

function report(speeds: ReadonlyMap<string, Speed>): GatewaySpeed {
  for (const [name, { rps, p99, cpuMicros }] of speeds) {
    const cpu = cpuMicros === undefined ? '' : `, ${cpuMicros} µs of CPU each`;
    console.log(`${name}: ${rps} requests/s, p99 ${p99.toFixed(1)} ms${cpu}`);
  }
  const none = { rps: 0, p99: 0 };
  const serin = speeds.get('serin') ?? none;
  const bareProxy = speeds.get('bare proxy') ?? none;
  const nginx = speeds.get('nginx');
  const ratio = serin.rps / bareProxy.rps;
  console.log(`ratio: ${ratio.toFixed(2)} of the bare proxy`);
  return { serin, bareProxy, ratio, ...(nginx === undefined ? {} : { nginx }) };
}

const module = ['--input-type=module', '-e'];

async function startScript(script: string, more: readonly string[]) {
  const child = spawn(process.execPath, [...module, script, ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const [line] = await once(createInterface({ input: child.stdout }), 'line', { signal: AbortSignal.timeout(20_000) });
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return { port: Number(line), pid: child.pid, stop };
}

/** nginx with one worker and `split_clients`; `undefined` where it is not installed. */
async function startNginx(directory: string, [v1, v2]: readonly string[]) {
  if (spawnSync('nginx', ['-v']).error !== undefined) return undefined;
  const listening = 18_000 + Math.floor(Math.random() * 2000);
  const file = join(directory, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${directory}/nginx.pid; error_log ${directory}/error.log;
     events { worker_connections 1024; }
     http { access_log off; client_body_temp_path ${directory}; proxy_temp_path ${directory};
       fastcgi_temp_path ${directory}; uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
       split_clients $request_id $backend { 10% v2; * v1; }
       upstream v1 { server 127.0.0.1:${v1}; keepalive 64; } upstream v2 { server 127.0.0.1:${v2}; keepalive 64; }
       server { listen 127.0.0.1:${listening}; keepalive_requests 100000000;
         location / { proxy_pass http://$backend; proxy_http_version 1.1; proxy_set_header Connection ""; } } }`,
  );
  const child = spawn('nginx', ['-c', file], { stdio: ['ignore', 'inherit', 'inherit'] });
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  for (let tries = 0; tries < 100; tries++) {
    const isUp = await fetch(`http://127.0.0.1:${listening}/`).then(
      () => true,
      () => false,
    );
    if (isUp) return { port: listening, stop };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await stop();
  return undefined;
}
