import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { random } from '../simulation/random.ts';
import { auditOf } from './audit.ts';
import { misrecorded, missingData, missingObjects, served, strays } from './checks.ts';
import { executionsIn, lost, processesIn, ranTwice, running } from './jobs.ts';
import { loadOf } from './load.ts';
import { type Running, start } from './machine.ts';
import { release } from './project.ts';
import { report } from './report.ts';
import { modelsOf, restless } from './rest.ts';

/**
 * Kills the server at random times under load, and looks at what it left: `node main.ts --rounds 200 --seed 1`.
 *
 * The server is the real one in a process of its own; training jobs and model servers are never killed. The seed fixes
 * the kill times and the requests, not what the machine makes of them.
 */
const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } });
const rounds = Number(values.rounds ?? 40);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const longestRestartMs = 10_000;
const restWithinMs = 90_000;

const root = mkdtempSync(join(tmpdir(), 'serin-kill-'));
const directory = join(root, 'data');
const jobs = join(directory, 'jobs');
const executions = join(root, 'executions.txt');
const log = join(root, 'server.log');
const dice = random(seed);
const audit = auditOf(join(directory, 'serin.sqlite'));
const load = loadOf(random(seed + 1));
const adopted = new Set<string>();
const restarts: number[] = [];
const { check, hasFailed, summary } = report();

/** What must hold at any moment, so also right after a kill. */
function checkNow(round: number): void {
  const last = round % 10 === 0;
  check('the journal is whole and its heads are the folds of their patches', audit.read(last ? 'integrity' : 'new'));
  check('each signal that was acknowledged is recorded exactly once', misrecorded(audit, load));
  check('no job ran twice', ranTwice(executionsIn(executions), jobs));
  check('each object that was acknowledged is there', missingObjects(load, directory));
}

/** Any time from 20 to 600 ms; every other time as soon as a job runs, because those are the interesting ones. */
async function timeToKill(): Promise<void> {
  const until = performance.now() + dice.between(20, 600);
  const early = dice.chance(0.5);
  while (performance.now() < until) {
    if (early && running(executionsIn(executions)).some((id) => !adopted.has(id))) return;
    await sleep(10);
  }
}

async function killAndRestart(server: Running, round: number): Promise<Running> {
  await timeToKill();
  await server.kill();
  load.follow(undefined);
  for (const id of running(executionsIn(executions))) adopted.add(id);
  checkNow(round);
  if (modelsOf(audit).some(({ model, champion }) => model === 'judged' && champion !== undefined)) load.promoted();
  const next = await start(directory, log);
  restarts.push(next.startMs);
  check(
    'the server is ready again within 10 s',
    next.startMs < longestRestartMs ? [] : [`${Math.round(next.startMs)} ms`],
  );
  load.follow(next);
  if (round % 10 === 0) console.log(progress(round));
  return next;
}

function progress(round: number): string {
  const { signals, keys, objects, counts } = load;
  return (
    `round ${round}: ${signals.size + keys.size} signals and ${objects.size} objects acknowledged, ${counts.resent} sent again ` +
    `(${counts.repeated} known), ${counts.refused} refused; ${audit.entries} entries; ` +
    `${executionsIn(executions).started.length} jobs, ${adopted.size} under a kill; predictions ` +
    `${counts.predicted} of ${counts.predicted + counts.unpredicted}; restart at most ${Math.round(Math.max(...restarts))} ms`
  );
}

async function rest(): Promise<readonly string[]> {
  const until = Date.now() + restWithinMs;
  for (;;) {
    const problems = audit.read('new');
    const moving = problems.length > 0 ? problems : restless(audit);
    if (moving.length === 0 || Date.now() > until) return moving;
    await sleep(250);
  }
}

async function end(server: Running): Promise<void> {
  await load.stop();
  // No alert fires any more, so this last drop ends as the champion.
  await load.resolve();
  await load.put('judged/train/last.json');
  check('the system comes to rest', await rest());
  checkNow(0);
  check('the newest data is in the newest dataset versions', missingData(audit, load, directory));
  check('each event of the journal was published', audit.unpublished());
  check('the champion answers', await served(audit, server));
  check('each job that began has ended, or was stopped', lost(executionsIn(executions), jobs));
  const { ended } = executionsIn(executions);
  if (rounds >= 20)
    check(
      'jobs went on through kills of the server',
      [...adopted].some((id) => ended.has(id)) ? [] : ['none was running'],
    );
  check('no request met a defect', load.defects);
  console.log(`at rest, ${progress(rounds)}`);
  await server.kill();
  check('no process is left that nobody knows', strays(directory));
}

let server: Running | undefined;
try {
  console.log(`seed ${seed}, ${rounds} rounds, ${root}`);
  server = await start(directory, log);
  restarts.push(server.startMs);
  await release(server, executions);
  load.follow(server);
  await Promise.all(
    ['judged/train/first', 'judged/holdout/first', 'approved/first'].map((key) => load.put(`${key}.json`)),
  );
  for (let round = 1; round <= rounds; round += 1) server = await killAndRestart(server, round);
  await end(server);
} catch (error) {
  check('the test runs to its end', [error instanceof Error ? (error.stack ?? error.message) : String(error)]);
} finally {
  await load.stop();
  await server?.kill();
  for (const pid of processesIn(root)) process.kill(pid, 'SIGKILL');
  if (!hasFailed()) rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  else console.log(`what is left of it: ${root}`);
}
restarts.sort((a, b) => a - b);
console.log(
  `restart: median ${Math.round(restarts[restarts.length >> 1] ?? 0)} ms, at most ${Math.round(restarts.at(-1) ?? 0)} ms`,
);
console.log(summary());
process.exitCode = hasFailed() ? 1 : 0;
