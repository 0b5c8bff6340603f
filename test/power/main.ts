import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { auditOf } from '../kill/audit.ts';
import { misrecorded, missingData, missingObjects, served } from '../kill/checks.ts';
import { executionsIn, ranTwice } from '../kill/jobs.ts';
import { loadOf } from '../kill/load.ts';
import { type Running, start } from '../kill/machine.ts';
import { release } from '../kill/project.ts';
import { report } from '../kill/report.ts';
import { modelsOf, restless } from '../kill/rest.ts';
import { random } from '../simulation/random.ts';
import { damaged, wasCutOff } from './checks.ts';
import { type Disk, missingHere, openDisk } from './disk.ts';

/**
 * Cuts the power under load, and looks at what is left: `node main.ts --rounds 20 --seed 1`.
 *
 * `kill -9` keeps the page cache, so it never shows a file that was written but is not on the disk. Here the data
 * directory is a file system of its own: its journal is aborted, every process on it is killed, and it is mounted again.
 */
const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } });
const rounds = Number(values.rounds ?? 10);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const servesWithinMs = 30_000;
const restWithinMs = 120_000;

const root = mkdtempSync(join(tmpdir(), 'serin-power-'));
const { check, hasFailed, summary } = report();

async function main(disk: Disk): Promise<void> {
  const directory = join(disk.root, 'data');
  const jobs = join(directory, 'jobs');
  // What jobs and server say is kept where no power is cut.
  const [executions, log] = [join(root, 'executions.txt'), join(root, 'server.log')];
  const dice = random(seed);
  const load = loadOf(random(seed + 1));
  const audit = auditOf(join(directory, 'serin.sqlite'), wasCutOff);
  mkdirSync(directory);
  let server = await start(directory, log);
  const { token } = server;
  await release(server, executions);
  load.follow(server);
  await Promise.all(
    ['judged/train/first', 'judged/holdout/first', 'approved/first'].map((key) => load.put(`${key}.json`)),
  );

  for (let round = 1; round <= rounds; round += 1) {
    await sleep(dice.between(200, 4000));
    load.follow(undefined);
    await disk.cutPower();
    await server.kill();
    checkDisk();
    server = await start(directory, log);
    if (server.token !== token) throw new Error(`the token was ${token}, and is '${server.token}' now`);
    check('everything is what its digest says', await damaged(server));
    check('the champion serves again by itself', await servesAgain(server));
    load.follow(server);
    console.log(progress(round));
  }

  await load.stop();
  // No alert fires any more, so this last drop ends as the champion.
  await load.resolve();
  await load.put('judged/train/last.json');
  check('the system comes to rest', await rest());
  checkDisk();
  check('the newest data is in the newest dataset versions', missingData(audit, load, directory));
  check('each event of the journal was published', audit.unpublished());
  check('the champion answers', await served(audit, server));
  check('no request met a defect', load.defects);
  console.log(`at rest, ${progress(rounds)}`);
  await server.kill();

  /** What must hold on the disk at any moment, so also right after a cut. */
  function checkDisk(): void {
    check('the journal is whole and its heads are the folds of their patches', audit.read('integrity'));
    check('each signal that was acknowledged is recorded exactly once', misrecorded(audit, load));
    check('no job ran twice', ranTwice(executionsIn(executions), jobs));
    check('each object that was acknowledged is there', missingObjects(load, directory));
  }

  async function servesAgain(running: Running): Promise<readonly string[]> {
    if (modelsOf(audit).every(({ model, champion }) => model !== 'judged' || champion === undefined)) return [];
    let last = '';
    for (const until = performance.now() + servesWithinMs; performance.now() < until; await sleep(50)) {
      const answer = await fetch(`${running.url}/endpoints/judged/invocations`, { method: 'POST', body: '{}' });
      last = `${answer.status} ${await answer.text()}`;
      if (answer.status === 200) return [];
    }
    return [last];
  }

  async function rest(): Promise<readonly string[]> {
    for (const until = Date.now() + restWithinMs; ; await sleep(250)) {
      const problems = audit.read('new');
      const moving = problems.length > 0 ? problems : restless(audit);
      if (moving.length === 0 || Date.now() > until) return moving;
    }
  }

  function progress(round: number): string {
    const { signals, keys, objects } = load;
    return (
      `round ${round}: ${signals.size + keys.size} signals and ${objects.size} objects acknowledged; ` +
      `${audit.entries} entries; ${executionsIn(executions).started.length} jobs`
    );
  }
}

function disk(): Disk | string {
  try {
    return missingHere() ?? openDisk(root);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const opened = disk();
if (typeof opened === 'string') {
  console.log(`skipped: ${opened}`);
  rmSync(root, { recursive: true, force: true });
} else {
  try {
    console.log(`seed ${seed}, ${rounds} rounds, ${root}`);
    await main(opened);
  } catch (error) {
    check('the test runs to its end', [error instanceof Error ? (error.stack ?? error.message) : String(error)]);
  }
  await opened.remove();
  if (!hasFailed()) rmSync(root, { recursive: true, force: true });
  else console.log(`what is left of it: ${root}`);
  console.log(summary());
  process.exit(hasFailed() ? 1 : 0);
}
