import { spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { shortId } from '@serin/core/base/ids';
import type { Verification } from '@serin/core/model/rollout/verify';
import { asCalled } from '../called.ts';
import type { Terminal } from '../terminal.ts';
import { paragraph } from '../width.ts';
import { watchMemory } from './memory.ts';
import { type Facts, type Release, report } from './report.ts';
import { model, type Server, serveHere, startServer, until } from './server.ts';
import { tellStory } from './story.ts';
import { replay } from './traffic.ts';

export interface DemoOptions {
  readonly json: boolean;
  /** Where the project of the demo is laid out; an earlier demo there is replaced. */
  readonly directory?: string;
  /** Where the lines go; default: standard output. */
  readonly write?: (line: string) => void;
  /** Columns and colours of the terminal; absent: 80 columns, without colours. */
  readonly terminal?: Pick<Terminal, 'width' | 'paint'>;
  /** Its server stays up after the report, for somebody who looks at the page, until this is aborted. */
  readonly stay?: AbortSignal;
}

const plainTerminal: Pick<Terminal, 'width' | 'paint'> = { width: 80, paint: (_, text) => text };

const firstDrop = [1969, 1970, 1971];
/** Of these years the data arrives while only drift starts a run. */
const driftingYears = [1972, 1973];
const lastYear = 1985;
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

  say(`Serin: daily births in the United States, 1969 to ${lastYear}.`);
  say('Drift, a drop of data or a push becomes a model, or says why not. This takes a minute.');
  say('');
  let server = await startServer(command, project, secret);
  const traffic = replay(() => server.url, yearCsv(lastOf(firstDrop)));
  const releases: Release[] = [];
  const terminal = options.terminal ?? plainTerminal;
  const tell = (line: string) => {
    for (const part of paragraph(`          ● ${line}`, { width: terminal.width ?? 80 })) say(part);
  };
  const story = options.json
    ? undefined
    : tellStory(
        () => server,
        (text) => say(text.trimEnd()),
        terminal,
      );
  try {
    await server.drop(`${firstDrop[0]}-${lastOf(firstDrop)}`, joined(firstDrop.map(yearCsv)));
    const killed = await until(
      async () => (await server.state())?.run,
      (run) => run?.status === 'training',
      5,
    );
    server.kill();
    await story?.catchUp();
    say(`          ✖ kill -9 of the server while ${shortId(killed?.id ?? '')} trains`);
    writeConfig(project, { onlyDrift: true });
    server = await serveHere(project, secret);
    releases.push(await ended(server, String(lastOf(firstDrop)), undefined));
    const trainingJobs = executionsOf(project, killed?.id ?? '');
    say(`          ● the next server went on where it was; training jobs started: ${trainingJobs}`);
    const drift = await driftedRelease(server, {
      now: () => traffic.follow(yearCsv(lastOf(driftingYears))),
      drops: driftingYears.map((year) => [String(year), yearCsv(year)]),
      say: tell,
    });
    releases.push(drift.release);
    writeConfig(project, { onlyDrift: false });
    await runsOnData(server, true);
    tell('the drift is over; from now on each drop starts a run (on.data: true)');
    for (let year = lastOf(driftingYears) + 1; year <= lastYear; year += 1) {
      const before = await server.state();
      traffic.follow(yearCsv(year));
      await server.drop(String(year), yearCsv(year));
      releases.push(await ended(server, String(year), before?.run?.id));
    }
    releases.push(await failingCandidate(server));
    releases.push(await alertedRelease(server, secret));
    // For whoever looks at the page: the last champion beside its own requests.
    await until(server.drift, (seen) => (seen?.columns.length ?? 0) > 0);
    await story?.catchUp();
    const proof = await proofOf(server, releases);
    const facts: Facts = {
      releases,
      drift: drift.found,
      ...proof,
      served: await server.served(),
      trainingJobsOfKilledRun: trainingJobs,
      requests: traffic.counts(),
      seconds: round((performance.now() - began) / 1000),
      peakMb: memory.peakMb(),
    };
    const problems = problemsOf(facts);
    if (options.json) process.stdout.write(`${JSON.stringify({ ...facts, problems }, null, 2)}\n`);
    else for (const text of report(facts, problems, terminal.width ?? 80)) say(text);
    traffic.stop();
    if (!options.json) await lookFurther(server, relative(process.cwd(), project) || '.', say, options.stay);
    return problems.length === 0 ? 0 : 1;
  } finally {
    story?.stop();
    traffic.stop();
    memory.stop();
    await server.stop();
  }
}

/** Says where to look; with somebody at the terminal the server stays up until they have seen enough. */
async function lookFurther(
  { url, token }: Server,
  project: string,
  print: (line: string) => void,
  stay: AbortSignal | undefined,
): Promise<void> {
  const say = (line: string) => print(asCalled(line, resolve(project), process.env.PATH));
  if (stay === undefined || stay.aborted) {
    say(`Look further:  cd ${project} && npx serin dev`);
    say('  It prints the address of its page. In a second terminal there:');
    say('  npx serin status    npx serin why births    npx serin drift births');
    return;
  }
  say(`Look at it:  ${url}/signin#${token}`);
  say(`  Drift is on the page of the model:  ${url}/models/births#drift`);
  say(`  In a second terminal:  cd ${project} && npx serin drift births`);
  say('  The server stays up until Ctrl-C. Later:  npx serin dev, in that folder');
  await new Promise((resolve) => stay.addEventListener('abort', resolve, { once: true }));
}

/** One CSV of several, under the header of the first. */
const joined = (parts: readonly string[]): string =>
  parts.map((csv, index) => (index === 0 ? csv : csv.slice(csv.indexOf('\n') + 1))).join('');

const lastOf = (years: readonly number[]): number => years.at(-1) ?? 0;
const round = (value: number): number => Math.round(value * 10) / 10;

/** What must be true at the end, whatever the verdicts of the data were. */
function problemsOf({
  releases,
  trainingJobsOfKilledRun,
  served,
  promotion,
  rollback,
  verified,
  changed,
  drift,
}: Facts): readonly string[] {
  const count = (outcome: Release['outcome']) => releases.filter((release) => release.outcome === outcome).length;
  return [
    ...(count('promoted') > 0 ? [] : ['no version was promoted']),
    ...(count('refused') > 0 ? [] : ['no version was refused']),
    ...(count('rolledBack') === 2 ? [] : [`${count('rolledBack')} releases were rolled back, 2 were to be`]),
    ...(drift.column === 'lastWeek' ? [] : [`drift was found in ${drift.column}, and the level of births fell`]),
    ...(drift.trigger === 'drift' ? [] : [`the run after the drift was started by ${drift.trigger}`]),
    ...(trainingJobsOfKilledRun === 1 ? [] : [`the killed run started ${trainingJobsOfKilledRun} training jobs`]),
    ...(rollback?.verdict === 'rollback' ? [] : ['the failing candidate was not taken back by evidence']),
    ...(promotion?.verdict === 'promotion' ? [] : ['no promotion has a certificate']),
    ...(verified.problems.length === 0 ? [] : verified.problems),
    ...(changed.problems.length > 0 ? [] : ['a changed count was not found']),
    ...(served.length === count('promoted') ? [] : ['what served does not match what was promoted']),
  ];
}

interface Drifting {
  /** From now on requests are of the years that came. */
  readonly now: () => void;
  /** Name and CSV of the data of these years. */
  readonly drops: readonly (readonly [name: string, csv: string])[];
  readonly say: (line: string) => void;
}

/**
 * Births fall, and the requests show it before anybody asks for a training: drift starts the run, and its version ends it.
 * Windows are waited for, not seconds: on a slow machine it is the same, later.
 */
async function driftedRelease(
  server: Server,
  { now, drops, say }: Drifting,
): Promise<{ readonly release: Release; readonly found: Facts['drift'] }> {
  await runsOnData(server, false);
  const quiet = await until(server.drift, (seen) => (seen?.windows.length ?? 0) > 0);
  const before = await server.state();
  for (const [name, csv] of drops) await server.drop(name, csv);
  now();
  say(
    `the requests are of ${drops.at(-1)?.[0]}: births have fallen. Its data is there, and only drift starts a run now`,
  );
  const open = await until(server.drift, (seen) => seen?.incident !== undefined);
  const release = await ended(server, 'drift', before?.run?.id);
  const after = await until(server.drift, (seen) => seen?.incident === undefined);
  const run = await server.run((await server.state())?.run?.id ?? '');
  const [column = ''] = open?.incident?.columns ?? [];
  const { histogram } = open?.columns.find(({ name }) => name === column) ?? {};
  return {
    release,
    found: {
      years: [lastOf(firstDrop), lastOf(driftingYears)],
      ...{ column, size: open?.incident?.size ?? 0, trigger: run?.trigger.kind ?? '' },
      limit: before?.plan.monitor.drift?.major ?? 0,
      sizeBefore: quiet?.windows.at(-1)?.size ?? 0,
      sizeAfter: after?.windows.at(-1)?.size ?? 0,
      training: histogram?.reference ?? [],
      live: histogram?.live ?? [],
    },
  };
}

/** A candidate whose server fails a share of its requests: the canary takes it back by itself. */
async function failingCandidate(server: Server): Promise<Release> {
  const before = await server.state();
  await server.post('/v1/runs', { model, force: true, hyperparameters: { 'fail-share': '0.3' } });
  return ended(server, 'sabotage', before?.run?.id);
}

/**
 * The certificates of a promotion and of the failing candidate, and whether they can be recomputed from the journal:
 * as it is, and with one count of one tick changed.
 */
async function proofOf(server: Server, releases: readonly Release[]) {
  const { verifyRollout } = await import('@serin/core/model/rollout/verify');
  const failed = releases.find(({ dataset }) => dataset === 'sabotage')?.rollout ?? '';
  const promoted = releases.findLast(({ outcome }) => outcome === 'promoted')?.rollout ?? '';
  const certificateOf = async (id: string) => (await server.rollout(id))?.certificate;
  const entries = await server.entries();
  const tick = entries.findLast(
    ({ signal }) =>
      JSON.stringify(signal).includes(`rollout/${failed}/ticks`) && /"errors":[1-9]/.test(JSON.stringify(signal)),
  );
  const forged = entries.map((entry) =>
    entry === tick
      ? JSON.parse(JSON.stringify(entry).replace(/"errors":([1-9]\d*)/, (_, count) => `"errors":${count - 1}`))
      : entry,
  );
  const [promotion, rollback] = [await certificateOf(promoted), await certificateOf(failed)];
  return {
    ...(promotion === undefined ? {} : { promotion }),
    ...(rollback === undefined ? {} : { rollback }),
    verified: brief(failed, verifyRollout(entries, failed)),
    changed: brief(failed, verifyRollout(forged, failed)),
  };
}

const brief = (rollout: string, { readings, problems }: Pick<Verification, 'readings' | 'problems'>) => ({
  rollout,
  readings,
  problems,
});

/** A push to the repository starts a run; an alert from Prometheus takes its release back. */
async function alertedRelease(server: Server, secret: string): Promise<Release> {
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
async function ended(server: Server, dataset: string, earlier: string | undefined): Promise<Release> {
  const model = await until(
    server.state,
    (now) => now?.run !== undefined && now.run.id !== earlier && runIsOver(now.run),
  );
  const run = await until(
    () => server.run(model?.run?.id ?? ''),
    (found) => found?.endedAt !== undefined,
  );
  if (run === undefined || run.status === 'failed' || run.status === 'cancelled')
    throw new Error(`the run of ${dataset} of the demo ${run?.status}; look at its log: ${run?.because}`);
  const common = {
    dataset,
    datasetVersion: run.dataset.digest.slice(0, 12),
    version: run.trained?.number ?? 0,
    verdict: run.because ?? '',
  };
  if (run.status === 'refused') return { ...common, outcome: 'refused', because: common.verdict };
  const rollout = await until(
    async () => {
      const { rollout: begun } = (await server.state()) ?? {};
      return begun === undefined ? undefined : server.rollout(begun.id);
    },
    (found) => found?.candidate === common.version && found.endedAt !== undefined,
  );
  const because = rollout?.because ?? '';
  const judged = { ...common, rollout: rollout?.id ?? '' };
  if (rollout?.status !== 'promoted') return { ...judged, outcome: 'rolledBack', because };
  return { ...judged, outcome: 'promoted', because: `${run.because}; ${because.split(';')[0]}` };
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
    throw new Error(`${project} is not the folder of an earlier demo; name another folder with --directory`);
  }
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, marker), 'laid out by `serin demo`; replaced by the next one\n');
  cpSync(join(assets, 'src'), join(project, 'src'), { recursive: true });
  writeConfig(project, { onlyDrift: false });
  return project;
}

/**
 * The config of the example, in which drops start runs or only drift does: then windows are as short as can be. It has no
 * types, so as a plain module it spares its server the compiler, 17 MB. The server sees the change, as it does anybody's.
 */
function writeConfig(project: string, { onlyDrift }: { readonly onlyDrift: boolean }): void {
  const config = readFileSync(join(assets, 'serin.config.ts'), 'utf8');
  const text = onlyDrift ? config.replace('data: true', 'data: false').replace("window: '3s'", "window: '1s'") : config;
  writeFileSync(join(project, 'serin.config.mjs'), text);
}

const runsOnData = (server: Server, wanted: boolean) => until(server.state, (state) => state?.plan.on.data === wanted);

/** The drops as CSV; cut by a process of their own, so that the demo does not hold the whole data set in memory. */
function cutYears(project: string): (year: number) => string {
  const cut = join(assets, 'data');
  const folder = existsSync(cut) ? cut : join(project, 'data');
  if (folder !== cut) {
    mkdirSync(folder);
    const { status, stderr } = spawnSync(process.execPath, [join(assets, 'data.mjs'), 'all', folder], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`the data of the demo cannot be read; correct this and run it again: ${stderr}`);
  }
  return (year) => readFileSync(join(folder, `${year}.csv`), 'utf8');
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
