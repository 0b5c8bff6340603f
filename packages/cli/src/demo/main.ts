import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { call } from './http.ts';
import { watchMemory } from './memory.ts';
import { type Facts, type Release, report } from './report.ts';
import { replay } from './traffic.ts';

export interface DemoOptions {
  readonly json: boolean;
  /** Where the project of the demo is laid out; an earlier demo there is replaced. */
  readonly directory?: string;
  /** Where the lines go; default: standard output. */
  readonly write?: (line: string) => void;
}

const model = 'births';
const firstDrop = [1969, 1970, 1971];
const lastYear = 1988;
/** In this drop the server is killed while it trains. */
const killedYear = 1975;
const marker = '.serin-demo';

/**
 * The main job on real data: one drop a year of daily births becomes a model, a refusal, a release or a rollback.
 *
 * Answers the exit code: 0 when everything ended as a user may expect (see `problemsOf`).
 */
export async function demo(options: DemoOptions): Promise<number> {
  const began = performance.now();
  const memory = watchMemory();
  const say = options.json ? () => {} : (options.write ?? ((line: string) => void process.stdout.write(`${line}\n`)));
  const project = layOut(options.directory ?? join(process.cwd(), '.serin', 'demo'));
  const secret = randomBytes(24).toString('hex');
  const yearCsv = cutYears(project);

  say('Serin: daily births in the United States, 1969 to 1988. Each drop of data becomes a model, or says why not.');
  say('');
  let server = await start(project, secret);
  const traffic = replay(() => server.url, yearCsv(1970));
  const releases: Release[] = [];
  let trainingJobs = 0;
  try {
    for (let year = lastOf(firstDrop); year <= lastYear; year += 1) {
      const before = await server.state();
      for (const part of year === lastOf(firstDrop) ? firstDrop : [year]) await server.drop(part, yearCsv(part));
      if (year === killedYear) {
        const run = await until(
          async () => (await server.state())?.run,
          (found) => found?.status === 'training' && found.id !== before?.run?.id,
          5,
        );
        server.kill();
        say(`     kill -9 of the server while ${run?.id} trains`);
        server = await start(project, secret);
        releases.push(await ended(server, String(year), before?.run?.id));
        trainingJobs = executionsOf(project, run?.id ?? '');
        say(`     the server is back and went on: training jobs started: ${trainingJobs}`);
      } else releases.push(await ended(server, String(year), before?.run?.id));
      say(line(releases));
    }
    releases.push(await failingCandidate(server));
    say(line(releases));
    releases.push(await alertedRelease(server, secret));
    say(line(releases));
    const facts: Facts = {
      releases,
      served: await server.served(),
      trainingJobsOfKilledRun: trainingJobs,
      requests: traffic.counts(),
      seconds: round((performance.now() - began) / 1000),
      peakMb: memory.peakMb(),
    };
    const problems = problemsOf(facts);
    if (options.json) process.stdout.write(`${JSON.stringify({ ...facts, problems }, null, 2)}\n`);
    else for (const text of report(facts, problems, relative(process.cwd(), project) || '.')) say(text);
    return problems.length === 0 ? 0 : 1;
  } finally {
    traffic.stop();
    memory.stop();
    await server.stop();
  }
}

const lastOf = (years: readonly number[]): number => years.at(-1) ?? 0;
const round = (value: number): number => Math.round(value * 10) / 10;

/** What must be true at the end, whatever the verdicts of the data were. */
function problemsOf({ releases, trainingJobsOfKilledRun, served }: Facts): readonly string[] {
  const count = (outcome: Release['outcome']) => releases.filter((release) => release.outcome === outcome).length;
  return [
    ...(count('promoted') > 0 ? [] : ['no version was promoted']),
    ...(count('refused') > 0 ? [] : ['no version was refused']),
    ...(count('rolledBack') === 2 ? [] : [`${count('rolledBack')} releases were rolled back, 2 were to be`]),
    ...(trainingJobsOfKilledRun === 1 ? [] : [`the killed run started ${trainingJobsOfKilledRun} training jobs`]),
    ...(served.length === count('promoted') ? [] : ['what served does not match what was promoted']),
  ];
}

const line = (releases: readonly Release[]): string => {
  const { dataset, outcome, version, because } = releases.at(-1) ?? {
    dataset: '',
    outcome: '',
    version: 0,
    because: '',
  };
  return `${dataset.padEnd(10)} v${String(version).padEnd(3)} ${outcome.padEnd(10)} ${because}`;
};

/** A candidate whose server fails a share of its requests: the canary takes it back by itself. */
async function failingCandidate(server: Running): Promise<Release> {
  const before = await server.state();
  await server.post('/v1/runs', { model, force: true, hyperparameters: { 'fail-share': '0.6' } });
  return ended(server, 'sabotage', before?.run?.id);
}

/** A push to the repository starts a run; an alert from Prometheus takes its release back. */
async function alertedRelease(server: Running, secret: string): Promise<Release> {
  const before = await server.state();
  const push = JSON.stringify({
    ref: 'refs/heads/main',
    after: 'f00dfeed'.repeat(5),
    repository: { full_name: 'acme/births' },
  });
  await server.post('/v1/hooks/github', push, {
    'x-github-event': 'push',
    'x-github-delivery': crypto.randomUUID(),
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(push).digest('hex')}`,
  });
  await until(
    () => server.state(),
    (state) => state?.rollout?.status === 'baking' && state.run?.id !== before?.run?.id,
  );
  await server.post('/v1/hooks/alertmanager', {
    version: '4',
    groupKey: 'births',
    status: 'firing',
    receiver: 'serin',
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://prometheus.example',
    truncatedAlerts: 0,
    alerts: [
      {
        status: 'firing',
        labels: { alertname: 'PredictionsImplausible', model },
        annotations: { summary: 'predictions are implausible' },
        startsAt: new Date().toISOString(),
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: 'http://prometheus.example/graph',
        fingerprint: randomBytes(8).toString('hex'),
      },
    ],
  });
  return ended(server, 'push', before?.run?.id);
}

/** Waits until the run that follows `earlier`, and its rollout, have ended. */
async function ended(server: Running, dataset: string, earlier: string | undefined): Promise<Release> {
  const model = await until(
    server.state,
    (now) => now?.run !== undefined && now.run.id !== earlier && runIsOver(now.run),
  );
  const run = await until(
    () => server.run(model?.run?.id ?? ''),
    (found) => found?.endedAt !== undefined,
  );
  if (run === undefined || run.status === 'failed' || run.status === 'cancelled')
    throw new Error(`the run of ${dataset} ${run?.status}: ${run?.because}`);
  const common = {
    dataset,
    datasetVersion: run.dataset.digest.slice(0, 12),
    version: run.trained?.number ?? 0,
    verdict: run.because ?? '',
  };
  if (run.status === 'refused') return { ...common, outcome: 'refused', because: common.verdict };
  const rollout = await until(
    async () => {
      const { rollout: begun, endpoint } = (await server.state()) ?? {};
      return begun !== undefined && endpoint?.status === 'converged' ? server.rollout(begun.id) : undefined;
    },
    (found) => found?.candidate === common.version && found.endedAt !== undefined,
  );
  const because = rollout?.because ?? '';
  if (rollout?.status !== 'promoted') return { ...common, outcome: 'rolledBack', because };
  return { ...common, outcome: 'promoted', because: `${run.because}; ${because}` };
}

const runIsOver = ({ status }: { readonly status: string }): boolean =>
  ['succeeded', 'refused', 'failed', 'cancelled'].includes(status);

// The project and its server

const here = dirname(fileURLToPath(import.meta.url));
/** In the published package beside the bundle; in the repository the example itself. */
const assets =
  [join(here, 'births'), join(here, '..', 'births'), join(here, '..', '..', '..', '..', 'examples', 'births')].find(
    (folder) => existsSync(join(folder, 'serin.config.ts')),
  ) ?? here;
const command =
  [join(here, '..', 'bin', 'serin.js'), join(here, '..', '..', 'bin', 'serin.js')].find((file) => existsSync(file)) ??
  'serin';

function layOut(directory: string): string {
  const project = resolve(directory);
  if (existsSync(project) && !existsSync(join(project, marker)) && readdirSync(project).length > 0) {
    throw new Error(`${project} holds something else than an earlier demo; name another folder with --directory`);
  }
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, marker), 'laid out by `serin demo`; replaced by the next one\n');
  for (const part of ['src', 'serin.config.ts']) cpSync(join(assets, part), join(project, part), { recursive: true });
  return project;
}

/** The drops as CSV; cut by a process of their own, so that the demo does not hold the whole data set in memory. */
function cutYears(project: string): (year: number) => string {
  const cut = join(assets, 'data');
  const folder = existsSync(cut) ? cut : join(project, 'data');
  if (folder !== cut) {
    mkdirSync(folder);
    const { status, stderr } = spawnSync(process.execPath, [join(assets, 'data.mjs'), 'all', folder], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`the data of the demo could not be read: ${stderr}`);
  }
  return (year) => readFileSync(join(folder, `${year}.csv`), 'utf8');
}

/** A model, as the API answers it. */
interface State {
  readonly run?: { readonly id: string; readonly status: string };
  readonly rollout?: { readonly id: string; readonly status: string };
  readonly endpoint?: { readonly status: string };
}

interface Record {
  readonly status: string;
  readonly endedAt?: string;
  readonly because?: string;
}
interface Run extends Record {
  readonly dataset: { readonly digest: string };
  readonly trained?: { readonly number: number };
}
interface Rollout extends Record {
  readonly candidate: number;
}

interface Running {
  readonly url: string;
  state(): Promise<State | undefined>;
  run(id: string): Promise<Run | undefined>;
  rollout(id: string): Promise<Rollout | undefined>;
  served(): Promise<Facts['served']>;
  drop(year: number, csv: string): Promise<void>;
  post(path: string, body: unknown, headers?: { readonly [name: string]: string }): Promise<void>;
  kill(): void;
  stop(): Promise<void>;
}

/** Young objects are collected sooner: a third less memory, at a little more work. */
const smallHeap = ['--max-semi-space-size=1'];

async function start(project: string, secret: string): Promise<Running> {
  const child = spawn(process.execPath, [...smallHeap, command, 'dev', '--port', '0'], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SERIN_GITHUB_SECRET: secret },
  });
  try {
    return await running(child, project);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

async function running(child: ChildProcess, project: string): Promise<Running> {
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => said.push(part.toString()));
  const file = join(project, '.serin', 'server.json');
  const { url, token } = await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`the server did not start:\n${said.join('')}`);
      return existsSync(file)
        ? (JSON.parse(readFileSync(file, 'utf8') || '{}') as { url?: string; token?: string; pid?: number })
        : {};
    },
    (found) => found.pid === child.pid && found.url !== undefined,
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
    state,
    run: (id) => api<Run>('GET', `/v1/runs/${id}`),
    rollout: (id) => api<Rollout>('GET', `/v1/rollouts/${id}`),
    served: async () =>
      (await api<{ readonly served: Facts['served'] }>('GET', `/v1/models/${model}/history`))?.served ?? [],
    drop: async (year, csv) =>
      void (await api('PUT', `/v1/buckets/drops/objects/births/${year}.csv`, csv, { 'content-type': 'text/csv' })),
    post: async (path, body, headers) =>
      void (await api('POST', path, typeof body === 'string' ? body : JSON.stringify(body), {
        'content-type': 'application/json',
        ...headers,
      })),
    kill: () => void child.kill('SIGKILL'),
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

/** How often the trainer of a run was started: each start leaves a mark of its own in the job's folder. */
function executionsOf(project: string, run: string): number {
  const jobs = join(project, '.serin', 'jobs');
  const own = readdirSync(jobs).filter((id) => {
    const file = join(jobs, id, 'job.json');
    return existsSync(file) && readFileSync(file, 'utf8').includes(`${run}/train/`);
  });
  return own.filter((id) => existsSync(join(jobs, id, 'started.json'))).length;
}

const patienceMs = 30_000;

async function until<Value>(look: () => Promise<Value>, done: (value: Value) => boolean, everyMs = 40): Promise<Value> {
  for (const end = performance.now() + patienceMs; ; ) {
    const value = await look().catch((error: unknown) => {
      if (error instanceof Error && 'syscall' in error) return undefined as Value; // the server is being started again
      throw error;
    });
    if (done(value)) return value;
    if (performance.now() > end)
      throw new Error(`waited ${patienceMs / 1000} s in vain; last seen: ${JSON.stringify(value)?.slice(0, 400)}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
