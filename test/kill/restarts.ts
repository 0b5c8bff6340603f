import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { sha256Hex } from '@serin/core/base/json';
import { compile, parseConfig } from '@serin/core/config/config';
import { type Server, startServer } from '@serin/local/compose';

/**
 * Restarts the server, as an upgrade does, in the middle of canaries: `node restarts.ts --rounds 20`. By turns the
 * candidate or the champion takes seconds to load, and the candidate is healthy or fails half of its requests from the
 * restart on: no healthy one may be taken back, and no bad one promoted.
 */
const { values } = parseArgs({ options: { rounds: { type: 'string' } } });
const rounds = Number(values.rounds ?? 20);
const root = mkdtempSync(join(tmpdir(), 'serin-restarts-'));
const [slow, bad] = [join(root, 'slow'), join(root, 'bad')];
const code = new Map([
  ['train.mjs', "import { writeFileSync } from 'node:fs'; writeFileSync(process.env.SM_MODEL_DIR + '/model', 'm');"],
  [
    'serve.mjs',
    `import { createServer } from 'node:http'; import { readFileSync } from 'node:fs';
const named = (file) => readFileSync(file, 'utf8') === process.env.SERIN_MODEL_VERSION;
if (named(process.env.SLOW)) await new Promise((resolve) => setTimeout(resolve, 3000));
createServer((request, response) => {
  request.resume().on('end', () => {
    const fails = request.url !== '/ping' && named(process.env.BAD) && Math.random() < 0.5;
    response.writeHead(fails ? 500 : 200).end('{}');
  });
}).listen(Number(process.env.PORT), process.env.SERIN_BIND_ADDRESS);`,
  ],
]);

let server: Server | undefined;
let isOver = false;

async function call(method: string, path: string, body?: string | Buffer, type = 'application/json'): Promise<unknown> {
  const headers = { authorization: `Bearer ${server?.token}`, 'content-type': type };
  const answer = await fetch(`${server?.url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? {} : JSON.parse(text);
}

const put = (bucket: string, key: string, content: string | Buffer) =>
  call('PUT', `/v1/buckets/${bucket}/objects/${key}`, content, 'application/octet-stream');

async function until<Value>(what: string, look: () => Promise<Value | undefined>): Promise<Value> {
  for (const end = performance.now() + 120_000; performance.now() < end; await sleep(100)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`waited in vain: ${what}`);
}

interface Model {
  readonly champion?: number;
  readonly rollout?: { readonly id: string };
}
interface Rollout {
  readonly candidate: number;
  readonly status: string;
  readonly because?: string;
}
const model = async () => (await call('GET', '/v1/models/m')) as Model;

async function release(): Promise<void> {
  const files = [...code].map(([path, text]) => ({
    path,
    blob: sha256Hex(text),
    bytes: text.length,
    executable: false,
  }));
  for (const text of code.values()) await put('serin', `code/blobs/${sha256Hex(text)}`, text);
  const manifest = JSON.stringify({ files });
  const digest = sha256Hex(manifest);
  await put('serin', `code/${digest}.json`, manifest);
  const read = parseConfig({
    project: 'restarts',
    models: {
      m: {
        data: { bucket: 'drops', prefix: 'm/', settle: { quiet: '100ms', atMost: '1s' } },
        train: { code: './code', command: [process.execPath, 'train.mjs'] },
        approval: { required: true },
        serve: { command: [process.execPath, 'serve.mjs'], environment: { SLOW: slow, BAD: bad } },
        rollout: {
          ...{ steps: [50], tick: '1s', bake: '6s', atMost: '60s', guard: '1s', warmUp: 0, maxHold: '60s' },
          guardrails: { errors: { floor: 0.05 }, latency: false },
        },
      },
    },
  });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const config = compile(read.parsed, new Map([['./code', digest]]), 'local');
  await call('POST', '/v1/releases', JSON.stringify({ config }));
}

const begin = () => startServer({ directory: join(root, 'data'), port: 0, version: 'test', settleMs: 50 });

/** A new version, approved as soon as it is offered. */
async function next(number: number): Promise<void> {
  await put('drops', `m/${number}.csv`, `${number}`);
  await until(`v${number} is approved`, () =>
    call('POST', `/v1/models/m/versions/${number}/approve`, '{}').then(
      () => true,
      () => undefined,
    ),
  );
}

async function traffic(): Promise<void> {
  while (!isOver) {
    await fetch(`${server?.url}/endpoints/m/invocations`, { method: 'POST', body: '{}' }).then(
      (answer) => answer.arrayBuffer(),
      () => undefined,
    );
    await sleep(20);
  }
}

async function round(number: number): Promise<string> {
  const [isBad, isCandidateSlow] = [number % 2 === 1, number % 4 < 2];
  writeFileSync(bad, '');
  writeFileSync(slow, '');
  const { champion } = await model();
  await next(number);
  const mine = async (...statuses: readonly string[]) => {
    const { rollout: { id } = {} } = await model();
    if (id === undefined) return undefined;
    const rollout = (await call('GET', `/v1/rollouts/${id}`)) as Rollout;
    return rollout.candidate === number && statuses.includes(rollout.status) ? rollout : undefined;
  };
  await until(`v${number} bakes`, () => mine('baking'));
  writeFileSync(slow, String(isCandidateSlow ? number : champion));
  if (isBad) writeFileSync(bad, String(number));
  await server?.close();
  server = await begin();
  const { status, because = '' } = await until(`v${number} ends`, () => mine('promoted', 'rolledBack', 'aborted'));
  const isRight = status === (isBad ? 'rolledBack' : 'promoted');
  const what = `${isBad ? 'a bad' : 'a healthy'} candidate, ${isCandidateSlow ? 'it' : 'its champion'} slow to load`;
  return `${isRight ? 'ok    ' : 'FAILED'} ${what}: ${status} ${because}`;
}

try {
  for (const file of [slow, bad]) writeFileSync(file, '');
  server = await begin();
  await release();
  await next(1);
  await until('v1 serves', async () => ((await model()).champion === 1 ? true : undefined));
  const callers = [1, 2].map(traffic);
  for (let number = 2; number < rounds + 2; number += 1) {
    const said = await round(number);
    console.log(said);
    if (said.startsWith('FAILED')) process.exitCode = 1;
  }
  isOver = true;
  await Promise.all(callers);
} finally {
  isOver = true;
  await server?.close();
  rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
