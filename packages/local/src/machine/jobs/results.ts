import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, lstat, readdir, realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Fault } from '@serin/core/base/fault';
import { measuredBy } from '@serin/core/job-contract/metrics';
import { missingOutput } from '@serin/core/job-contract/variables';
import type { Artifact, Job, JobDescription } from '@serin/core/ports/jobs';
import { failed, ranTooLong, stopped, succeeded } from '@serin/platform/jobs/results';
import { appearWhole, forEach, readJson } from '../durable.ts';
import { type Exit, jobFiles, killLeftovers, type Started } from '../runner.ts';
import { digestOfDirectory, filesUnder } from './digest.ts';
import { endOf, logEnd } from './logs.ts';
import { metricsOf } from './metrics.ts';
import { type Stored, stopFile } from './record.ts';
import type { Tracking } from './tracking.ts';
import { outputDirectory, type Tree, treeAt } from './tree.ts';

/** What a job that ended came to. Of one whose runner is gone the rest is killed first: it must not go on unseen. */
export async function conclusion({ job }: Stored, directory: string, tracking?: Tracking): Promise<JobDescription> {
  const started = readJson<Started>(join(directory, jobFiles.started));
  const exit = readJson<Exit>(join(directory, jobFiles.exit));
  if (started !== undefined && 'instead' in started) {
    return { status: started.instead, endedAt: started.at, reason: started.reason };
  }
  const log = join(directory, jobFiles.log);
  if (exit === undefined) {
    killLeftovers(directory);
    const reason = `the job was interrupted: its runner is gone, as after a reboot${await logEnd(log)}`;
    const startedAt = started === undefined ? {} : { startedAt: started.at };
    return failed({ ...startedAt, endedAt: Date.now() }, reason, 'interruption');
  }
  const times = { startedAt: exit.startedAt, endedAt: exit.endedAt };
  if (exit.why === 'stopped') {
    if (existsSync(join(directory, stopFile))) return stopped(times);
    const reason = `the job was interrupted: its runner was told to end, as at a shutdown${await logEnd(log)}`;
    return failed(times, reason, 'interruption');
  }
  const tree = treeAt(join(directory, 'tree'));
  const problem = await problemOf(job, exit, tree.failure);
  if (problem !== undefined && exit.diskFull && exit.why === 'exited') {
    const reason = `${problem}, and its disk was full by then; free some space, it is tried again${await logEnd(log)}`;
    return failed(times, reason, 'capacity');
  }
  if (problem !== undefined) return failed(times, problem + (await logEnd(log)));
  return succeeded(times, async () => {
    await checkPlace(tree.outputData, tree);
    if (job.outputs.includes('model') && (await checkPlace(tree.model, tree)))
      await tracking?.bringModel(job, tree.model);
    const artifacts = await artifactsOf(job, tree);
    const measured = await metricsOf(job, tree.outputData, log);
    return { artifacts, measured: tracking === undefined ? measured : measuredBy(measured, tracking.metricsOf(job)) };
  });
}

async function problemOf(job: Job, exit: Exit, failureFile: string): Promise<string | undefined> {
  if (exit.why === 'timeout') return ranTooLong(job.maxRuntimeMs);
  if (exit.why === 'spawnFailed') {
    const missing = exit.message.includes('ENOENT') ? '; install it, or put it on the PATH of the server' : '';
    return `could not start '${job.command[0]}': ${exit.message}${missing}`;
  }
  if (exit.code === 0) return undefined;
  const said = (await endOf(failureFile, 1024)).trim();
  const how =
    exit.code === null ? `was killed by ${exit.signal}, which Serin did not send` : `exited with code ${exit.code}`;
  return said === '' ? how : `${how}: ${said}`;
}

/** Each promised output, read-only from now on: a model version never changes. Nothing is changed before all are checked. */
async function artifactsOf(job: Job, tree: Tree): Promise<Record<string, Artifact>> {
  const outputs = job.outputs.map((name) => ({ name, directory: outputDirectory(tree, name) }));
  for (const { directory } of outputs) if (await checkPlace(directory, tree)) await filesUnder(directory);
  const artifacts: Record<string, Artifact> = {};
  for (const { name, directory } of outputs) {
    const { digest, bytes, files } = existsSync(directory)
      ? await sealed(directory)
      : { digest: '', bytes: 0, files: 0 };
    if (files === 0) throw missingOutput(name, directory);
    artifacts[name] = { uri: pathToFileURL(directory).href, digest, bytes };
  }
  return artifacts;
}

/** Whether a folder of the job is there. A link that the job put in its place is `invalid`: what is behind it is not the job's. */
async function checkPlace(directory: string, { root }: Tree): Promise<boolean> {
  const found = await realpath(directory).catch(() => undefined);
  if (found === undefined) return false;
  if (found === join(await realpath(root), relative(root, directory))) return true;
  const mend = 'write the files into the folder itself';
  throw new Fault('invalid', `${directory} is a link to ${found}, which is not the job's own folder; ${mend}`);
}

async function sealed(directory: string) {
  const files = await filesUnder(directory);
  await forEach(files, async ({ file }) => {
    const { mode, nlink } = await lstat(file);
    // Whoever holds the other name of a hard link could change the version, and would lose the right to write.
    if (nlink > 1) await ownCopy(file);
    await chmod(file, (mode & 0o555) | 0o400);
  });
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  await forEach([...folders, directory], (folder) => chmod(folder, 0o555));
  return digestOfDirectory(directory);
}

async function ownCopy(file: string): Promise<void> {
  const copy = `${file}.${randomUUID()}`;
  await copyFile(file, copy);
  await appearWhole(copy, file);
}
