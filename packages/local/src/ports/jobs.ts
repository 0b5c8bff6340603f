import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createReadStream, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, lstat, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createContext, Script } from 'node:vm';
import { asFault, Fault } from '@serin/core/fault';
import { sha256Hex } from '@serin/core/json';
import type { Artifact, Job, JobDescription, Jobs } from '@serin/core/ports';
import { durationText } from '@serin/core/time';
import { syncDirectory } from '../machine/database.ts';
import { fileFault, isMissing } from '../machine/faults.ts';
import {
  type Assignment,
  bootId,
  type Exit,
  jobFiles,
  killLeftovers,
  readJson,
  runnerLives,
  type Started,
  writeWhole,
} from '../machine/runner.ts';
import {
  commandOf,
  digestOfDirectory,
  filesUnder,
  type Machine,
  outputDirectory,
  type Placed,
  type Stores,
  stage,
  trainingEnvironment,
  treeAt,
} from '../machine/training-environment.ts';

export interface LocalJobs extends Jobs {
  /**
   * Bytes of a job's standard output and error from an offset on, as far as they are written. `next` is the offset to
   * go on from; `ended`: nothing comes after it. `notFound` as `describe`.
   */
  logs(id: string, fromByte: number, maxBytes: number): Promise<LogPart>;
  /** Ends the polling; jobs that run go on. Twice: the same as once. */
  close(): void;
}

export interface LogPart {
  readonly content: Uint8Array;
  readonly next: number;
  readonly ended: boolean;
}

interface Options extends Pick<Stores, 'materialise' | 'readObject'> {
  /** One directory per job, for ever: also the artifact store. */
  readonly directory: string;
  /** The file of machine/runner.ts, or of its bundle. */
  readonly runner: string;
  /** How often the end of a job is looked for that this process did not spawn. */
  readonly pollMs?: number;
  /** From SIGTERM to SIGKILL, for a stop and at the time limit. */
  readonly graceMs?: number;
  readonly maxLogBytes?: number;
  /** How long `start` waits for staging and `describe` for hashing before they go on in the background. */
  readonly patienceMs?: number;
  /** PATH, LANG, TZ for the jobs; without a PATH they find what is in the system's usual places. */
  readonly inherited?: Readonly<Record<string, string>>;
  /** A job may have ended: a hint, given once per process; it must not throw. */
  readonly onChange?: (id: string) => void;
}

/** The id under which `start` answers a job: known before it is started. */
export const jobId = ({ project, key }: Pick<Job, 'project' | 'key'>): string =>
  sha256Hex(`${project}/${key}`).slice(0, 32);

interface Stored extends Assignment {
  readonly id: string;
  readonly job: Job;
}

const runnerAttempts = 3;
const resultFile = 'result.json';
/** Tells a stop that was asked for from the SIGTERM of a machine that shuts down. */
const stopFile = 'stop.json';
/** Says in which boot the tree was staged; it stands inside the tree, so that both appear together. */
const bootFile = '.boot';

/**
 * Jobs as child processes of this machine.
 *
 * A job is a directory: `job.json` (created exclusively, so one caller creates), `tree/` (staged aside, then renamed),
 * `started.json` (created exclusively by the runner before it spawns the command, or by a stop), `exit.json`, and
 * `result.json`, the final description. Whatever was cut off is taken up by the next `start` or `describe`; a runner
 * that is spawned a second time finds the start taken and leaves. One process at a time may own the directory.
 *
 * The image of a job is not used; more than one node is `invalid`. No capacity: never said, jobs share the machine.
 */
export function localJobs(options: Options): LocalJobs {
  const { directory: root, patienceMs = 10_000, pollMs = 1000, onChange = () => {} } = options;
  const machine = thisMachine(options.inherited);
  const stores: Stores = { readObject: options.readObject, materialise: options.materialise, artifacts: root };
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const unfinished = new Set(unfinishedIn(root));
  const hinted = new Set<string>();
  const beginning = new Map<string, Promise<void>>();
  const staging = new Map<string, AbortController>();
  const concluding = new Map<string, Promise<JobDescription>>();
  const trouble = new Map<string, string>();
  const runnerFailures = new Map<string, number>();

  const hint = (id: string) => {
    if (hinted.has(id)) return;
    hinted.add(id);
    onChange(id);
  };
  const look = () => {
    for (const id of unfinished) if (!hinted.has(id) && hasEnded(join(root, id))) hint(id);
  };
  const poll = setInterval(look, pollMs).unref();
  // What ended while no server ran is told at once, so that servers that live shortly still hear of it.
  const first = setTimeout(look, 0).unref();

  function existing(id: string): { readonly directory: string; readonly stored: Stored } {
    const directory = join(root, id);
    const stored = /^[0-9a-f]{32}$/.test(id) ? readStored(directory) : undefined;
    if (stored === undefined)
      throw new Fault('notFound', `there is no job ${id}; it was never started on this machine`);
    return { directory, stored };
  }

  /** Stages and spawns what is not yet, once at a time per job. Refused jobs end as failed; the rest may be tried again. */
  function begin(id: string): Promise<void> {
    const under = beginning.get(id);
    if (under !== undefined) return under;
    unfinished.add(id);
    const begun = stageAndSpawn(id)
      .then(
        () => void trouble.delete(id),
        (error) => {
          const fault = fileFault(error, `starting the job ${id}`);
          trouble.set(id, fault.message);
          throw fault;
        },
      )
      .finally(() => beginning.delete(id));
    begun.catch(() => {}); // told by the next describe, where nobody waits
    beginning.set(id, begun);
    return begun;
  }

  async function stageAndSpawn(id: string): Promise<void> {
    const { directory, stored } = existing(id);
    const started = join(directory, jobFiles.started);
    const abort = new AbortController();
    staging.set(id, abort);
    try {
      if (!existsSync(started)) await stageTree(placedOf(stored, root, machine), directory, stores, abort.signal);
    } catch (error) {
      if (abort.signal.aborted) return;
      const fault = error instanceof Fault ? error : fileFault(error, 'staging its files');
      if (fault.retry !== 'never') throw fault;
      if (end(directory, 'failed', fault.message)) hint(id);
      return;
    } finally {
      staging.delete(id);
    }
    if (!existsSync(started)) await spawnRunner(id, directory);
  }

  async function spawnRunner(id: string, directory: string): Promise<void> {
    const errors = join(directory, 'runner.txt');
    const output = openSync(errors, 'a', 0o600);
    const child = spawn(process.execPath, ['--max-semi-space-size=1', options.runner, 'run-job', directory], {
      cwd: directory,
      detached: true,
      // A runner that Node has compiled before starts in half the time, with a third less memory.
      env: { ...machine.inherited, NODE_COMPILE_CACHE: join(options.directory, '.compiled') },
      stdio: ['ignore', 'pipe', output],
    });
    closeSync(output);
    child.unref();
    const ended = new Promise<void>((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    });
    void ended.then(() => (hasEnded(directory) ? hint(id) : undefined));
    await Promise.race([child.stdout === null ? ended : once(child.stdout, 'data'), ended]);
    child.stdout?.destroy();
    if (existsSync(join(directory, jobFiles.started))) return;
    const failures = (runnerFailures.get(id) ?? 0) + 1;
    runnerFailures.set(id, failures);
    const why = `the runner ${options.runner} did not start: ${await endOf(errors, 1024)}`;
    if (failures < runnerAttempts) throw new Fault('unavailable', why);
    if (end(directory, 'failed', why)) hint(id);
  }

  function conclude(id: string): Promise<JobDescription> {
    const under = concluding.get(id);
    if (under !== undefined) return under;
    const { directory, stored } = existing(id);
    const concluded = conclusion(stored, directory)
      .then((result) => {
        writeWhole(join(directory, resultFile), result, 'replace');
        unfinished.delete(id);
        return result;
      })
      .finally(() => concluding.delete(id));
    concluded.catch(() => {}); // told by the next describe, where nobody waits
    concluding.set(id, concluded);
    return concluded;
  }

  return {
    start: (job) =>
      guarded(`starting ${job.key}`, async () => {
        const stored = storedOf(job, options, machine);
        const directory = join(root, stored.id);
        if (!create(root, directory, stored)) refuseOther(job, readStored(directory));
        if (!existsSync(join(directory, jobFiles.started))) await within(patienceMs, begin(stored.id));
        return { id: stored.id };
      }),

    describe: (id) =>
      guarded(`describing the job ${id}`, async () => {
        const { directory } = existing(id);
        const result = readJson<JobDescription>(join(directory, resultFile));
        if (result !== undefined) return result;
        const started = readJson<Started>(join(directory, jobFiles.started));
        if (started === undefined) {
          void begin(id);
          const reason = trouble.get(id);
          return { status: 'starting', ...(reason === undefined ? {} : { reason: `${reason}; it is tried again` }) };
        }
        if (!hasEnded(directory)) return { status: 'running', startedAt: started.at };
        const concluded = await within(patienceMs, conclude(id));
        if (concluded !== undefined) return concluded;
        concluding.get(id)?.then(
          () => onChange(id),
          () => {},
        );
        return { status: 'running', startedAt: started.at };
      }),

    stop: (id) =>
      guarded(`stopping the job ${id}`, async () => {
        const { directory } = existing(id);
        if (end(directory, 'stopped', 'stopped on request before it began')) {
          staging.get(id)?.abort();
          hint(id);
          return;
        }
        const started = readJson<Started>(join(directory, jobFiles.started));
        if (started === undefined || 'instead' in started || hasEnded(directory)) return;
        writeWhole(join(directory, stopFile), { at: Date.now() }, 'replace');
        signal(started.pid);
      }),

    logs: (id, fromByte, maxBytes) =>
      guarded(`reading the log of the job ${id}`, async () => {
        const { directory } = existing(id);
        const ended = hasEnded(directory); // before the read, so that nothing is missed behind it
        const content = await readPart(join(directory, jobFiles.log), Math.max(0, fromByte), Math.max(0, maxBytes));
        return { content, next: Math.max(0, fromByte) + content.length, ended: ended && content.length < maxBytes };
      }),

    close() {
      clearTimeout(first);
      clearInterval(poll);
    },
  };
}

// Beginning

function storedOf(
  job: Job,
  { directory: root, graceMs = 30_000, maxLogBytes = 64_000_000 }: Options,
  machine: Machine,
): Stored {
  checkJob(job);
  const id = jobId(job);
  const placed = placedOf({ id, job }, root, machine);
  const tree = treeAt(placed.root);
  return {
    id,
    job,
    command: commandOf(job, tree),
    environment: trainingEnvironment(placed),
    directory: tree.code,
    maxRuntimeMs: job.maxRuntimeMs,
    graceMs,
    maxLogBytes,
  };
}

function placedOf({ id, job }: Pick<Stored, 'id' | 'job'>, root: string, machine: Machine): Placed {
  const tree = join(root, id, 'tree');
  // All attempts of a run share them, so they stand outside of the job's own directory.
  const shared = sha256Hex(`${job.project}/${job.checkpoints ?? ''}`).slice(0, 32);
  const checkpoints = job.checkpoints === undefined ? join(root, id, 'checkpoints') : join(root, 'checkpoints', shared);
  return { id, job, root: tree, checkpoints, machine };
}

function checkJob(job: Job): void {
  const refuse = (why: string, mend: string) => new Fault('invalid', `the job ${job.key} ${why}; ${mend}`);
  if (job.command.length === 0 || job.command[0] === '')
    throw refuse('has no command', 'one machine runs commands, not images');
  if (job.compute.nodes > 1)
    throw refuse(`asks for ${job.compute.nodes} nodes`, 'this is one machine: set compute.nodes to 1');
  if (!(job.maxRuntimeMs > 0)) throw refuse(`may run for ${job.maxRuntimeMs} ms`, 'set compute.maxRuntime');
  const names = [...Object.keys(job.channels), ...job.outputs, ...Object.keys(job.hyperparameters)];
  const odd = names.find((name) => !/^[A-Za-z0-9_][\w.-]{0,127}$/.test(name));
  if (odd !== undefined)
    throw refuse(`has a channel, output or hyperparameter ${JSON.stringify(odd)}`, 'use letters, digits, _ . and -');
  for (const { name, regex } of job.metrics) {
    try {
      new RegExp(regex, 'gm');
    } catch (error) {
      throw refuse(`finds its metric ${name} by a regex that is none: ${asFault(error).message}`, 'correct it');
    }
  }
}

/** False when the job is there already. */
function create(root: string, directory: string, stored: Stored): boolean {
  if (mkdirSync(directory, { recursive: true, mode: 0o700 }) !== undefined) syncDirectory(root);
  return writeWhole(join(directory, jobFiles.assignment), stored, 'create');
}

function refuseOther(job: Job, stored: Stored | undefined): void {
  if (stored?.job.key === job.key && stored.job.project === job.project) return;
  const other = `${stored?.job.project}/${stored?.job.key}`;
  throw new Fault('defect', `the job ${job.project}/${job.key} cannot start: its name is taken by ${other}`);
}

function readStored(directory: string): Stored | undefined {
  const file = join(directory, jobFiles.assignment);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Stored; // written by `create`
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new Fault('defect', `the job in ${file} is damaged; restore it from a backup`, { cause: error });
  }
}

/** A tree of an earlier boot may have lost its unsynced files with the power, so it is staged again. */
async function stageTree(placed: Placed, directory: string, stores: Stores, signal: AbortSignal): Promise<void> {
  const boot = bootId();
  if ((await textOf(join(placed.root, bootFile))) === boot) return;
  const stale = (await readdir(directory)).filter((name) => name === 'tree' || name.startsWith('staging-'));
  for (const name of stale) await rm(join(directory, name), { recursive: true, force: true });
  const draft = join(directory, `staging-${process.pid}`);
  try {
    await stage(placed, draft, stores, signal);
    await writeFile(join(draft, bootFile), boot);
    signal.throwIfAborted();
    await rename(draft, placed.root);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Takes the one start of a job away from its runner; false when the runner, or another end, has it. */
const end = (directory: string, instead: 'stopped' | 'failed', reason: string): boolean =>
  writeWhole(join(directory, jobFiles.started), { instead, reason, at: Date.now() } satisfies Started, 'create');

function hasEnded(directory: string): boolean {
  if (existsSync(join(directory, jobFiles.exit))) return true;
  const started = readJson<Started>(join(directory, jobFiles.started));
  return started !== undefined && ('instead' in started || !runnerLives(directory, started));
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It ended meanwhile: a stop of a finished job is no error.
  }
}

const unfinishedIn = (root: string): readonly string[] =>
  readdirSync(root).filter(
    (name) => existsSync(join(root, name, jobFiles.assignment)) && !existsSync(join(root, name, resultFile)),
  );

function thisMachine(inherited: Readonly<Record<string, string>> = {}): Machine {
  const gpus = '/proc/driver/nvidia/gpus';
  return {
    inherited: { PATH: '/usr/local/bin:/usr/bin:/bin', ...inherited },
    cpus: availableParallelism(),
    gpus: existsSync(gpus) ? readdirSync(gpus).length : 0,
  };
}

// Ending

/** What a job that ended came to. Of one whose runner is gone the rest is killed first: it must not go on unseen. */
async function conclusion({ job }: Stored, directory: string): Promise<JobDescription> {
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
    return { status: 'failed', ...startedAt, endedAt: Date.now(), retryable: 'interruption', reason };
  }
  const times = { startedAt: exit.startedAt, endedAt: exit.endedAt };
  if (exit.why === 'stopped') {
    if (existsSync(join(directory, stopFile))) return { status: 'stopped', ...times, reason: 'stopped on request' };
    const reason = `the job was interrupted: its runner was told to end, as at a shutdown${await logEnd(log)}`;
    return { status: 'failed', ...times, retryable: 'interruption', reason };
  }
  const tree = treeAt(join(directory, 'tree'));
  const problem = await problemOf(job, exit, tree.failure);
  if (problem !== undefined) return { status: 'failed', ...times, reason: problem + (await logEnd(log)) };
  try {
    const artifacts = await artifactsOf(job, tree);
    return { status: 'succeeded', ...times, metrics: await metricsOf(job, tree.outputData, log), artifacts };
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'invalid') throw error;
    return { status: 'failed', ...times, reason: error.message };
  }
}

async function problemOf(job: Job, exit: Exit, failureFile: string): Promise<string | undefined> {
  if (exit.why === 'timeout') return `ran longer than ${durationText(job.maxRuntimeMs)}`;
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

async function logEnd(file: string): Promise<string> {
  const lines = (await endOf(file, 4096)).trimEnd().split('\n').slice(-20).join('\n');
  return lines === '' ? '' : `; the end of its log:\n${lines}`;
}

/** Each promised output, made durable and read-only: a model version never changes. */
async function artifactsOf(job: Job, tree: ReturnType<typeof treeAt>): Promise<Record<string, Artifact>> {
  const artifacts: Record<string, Artifact> = {};
  for (const name of job.outputs) {
    const directory = outputDirectory(tree, name);
    const { digest, bytes, files } = existsSync(directory)
      ? await sealed(directory)
      : { digest: '', bytes: 0, files: 0 };
    if (files === 0) throw new Fault('invalid', `the job ended well, but wrote no ${name} into ${directory}`);
    artifacts[name] = { uri: pathToFileURL(directory).href, digest, bytes };
  }
  return artifacts;
}

async function sealed(directory: string) {
  for (const { file } of await filesUnder(directory)) {
    await chmod(file, ((await lstat(file)).mode & 0o555) | 0o400);
    await using handle = await open(file, 'r');
    await handle.sync();
  }
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  for (const folder of [directory, ...folders]) {
    syncDirectory(folder);
    await chmod(folder, 0o555);
  }
  return digestOfDirectory(directory);
}

const maxMetricsBytes = 1024 * 1024;
const logBlockBytes = 256 * 1024;
const maxLineCharacters = 64 * 1024;
const regexMs = 250;
const regexAttempts = 3;

/** `metrics.json` first; what it does not name is looked for in the log. A number that is not finite is `invalid`. */
async function metricsOf(job: Job, outputData: string, log: string): Promise<Record<string, number>> {
  const found = await metricsInFile(join(outputData, 'metrics.json'));
  const rest = job.metrics.filter(({ name }) => !found.has(name));
  for (const [name, text] of await metricsInLog(log, rest)) {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value))
      throw new Fault('invalid', `the metric ${name} is '${text}' in the log, which is no finite number`);
    found.set(name, value);
  }
  return Object.fromEntries(found);
}

async function metricsInFile(file: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  if (!existsSync(file)) return found;
  const put = (name: string, value: unknown) => {
    if (typeof value === 'number' && Number.isFinite(value)) return found.set(name, value);
    // Infinity of 1e999, `null` of JSON.stringify(NaN), or one of Python's words
    if (typeof value !== 'number' && value !== null && !isWord(value)) return undefined;
    throw new Fault(
      'invalid',
      `the metric ${name} is ${isWord(value) ? value.slice(1) : value} in metrics.json, which is no finite number`,
    );
  };
  for (const [name, value] of Object.entries(await parsedMetrics(file))) {
    if (typeof value !== 'object' || value === null) put(name, value);
    // SageMaker's evaluation.json: {"regression_metrics": {"mse": {"value": 4.9, "standard_deviation": 2.2}}}
    else
      for (const [metric, detail] of Object.entries(value))
        if (isObject(detail) && 'value' in detail) put(metric, detail.value);
  }
  return found;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isWord = (value: unknown): value is string => typeof value === 'string' && value.startsWith('\0');

/** JSON as Python writes it: NaN and Infinity are words there, marked here so that they can be named. */
async function parsedMetrics(file: string): Promise<object> {
  if ((await stat(file)).size > maxMetricsBytes)
    throw new Fault('invalid', `metrics.json is larger than ${maxMetricsBytes} bytes`);
  const words = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;
  const text = (await readFile(file, 'utf8')).replace(words, (part) =>
    part.startsWith('"') ? part : `"\\u0000${part}"`,
  );
  try {
    const parsed: unknown = JSON.parse(text);
    if (isObject(parsed) && !Array.isArray(parsed)) return parsed;
  } catch (error) {
    throw new Fault('invalid', `metrics.json is not JSON: ${asFault(error).message}`, { cause: error });
  }
  throw new Fault('invalid', 'metrics.json is not an object of names and numbers');
}

/** The last match of each regex in the log, block by block of whole lines; the text of its first group. */
async function metricsInLog(file: string, metrics: Job['metrics']): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  if (metrics.length === 0 || !existsSync(file)) return found;
  const search = searcher();
  const look = async (text: string) => {
    for (const { name, regex } of metrics) {
      const last = await search(name, regex, text);
      if (last !== undefined) found.set(name, last);
    }
  };
  let rest = '';
  for await (const block of createReadStream(file, { encoding: 'utf8', highWaterMark: logBlockBytes })) {
    const text: string = rest + block;
    const cut = text.lastIndexOf('\n') + 1;
    await look(text.slice(0, cut));
    rest = text.slice(cut).slice(-maxLineCharacters);
  }
  await look(rest);
  return found;
}

/** In a script of its own, because only that can be cut off: a regex that backtracks must not hold the server. */
function searcher(): (name: string, regex: string, text: string) => Promise<string | undefined> {
  const context: { pattern?: RegExp; text?: string } = createContext({});
  const script = new Script(
    '(() => { let last; for (const match of text.matchAll(pattern)) last = match; return last && (last[1] ?? last[0]); })()',
  );
  return async (name, regex, text) => {
    context.pattern = new RegExp(regex, 'gm');
    context.text = text;
    // The limit is wall time: a machine that slept or swapped meanwhile must not cost a trained model.
    for (let attempt = 1; ; attempt += 1) {
      try {
        return script.runInContext(context, { timeout: regexMs }) as string | undefined; // what the script returns
      } catch (error) {
        if (attempt === regexAttempts) {
          const what = `the regex of the metric ${name} takes too long on the log; make it simpler`;
          throw new Fault('invalid', what, { cause: error });
        }
        await setImmediate();
      }
    }
  };
}

// Files

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The last bytes of a file as text; `''` when there is none. */
async function endOf(file: string, maxBytes: number): Promise<string> {
  const size = existsSync(file) ? (await stat(file)).size : 0;
  const content = await readPart(file, Math.max(0, size - maxBytes), maxBytes);
  return content.toString('utf8');
}

async function readPart(file: string, from: number, maxBytes: number): Promise<Buffer> {
  if (!existsSync(file)) return Buffer.alloc(0);
  await using handle = await open(file, 'r');
  const room = Math.min(maxBytes, Math.max(0, (await handle.stat()).size - from));
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(room), 0, room, from);
  return buffer.subarray(0, bytesRead);
}

/** What the work answers, or `undefined` when it takes longer and goes on. */
async function within<Answer>(ms: number, work: Promise<Answer>): Promise<Answer | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([work, patience]);
  } finally {
    clearTimeout(timer);
  }
}

async function guarded<Answer>(doing: string, work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    throw fileFault(error, doing);
  }
}
