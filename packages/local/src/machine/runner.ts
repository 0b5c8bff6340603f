import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isFull, readJson, syncTree, writeJson } from './durable.ts';
import { spawnProblem } from './spawn-problem.ts';

/**
 * The process beside each job: `node runner.js run-job <job directory>`.
 *
 * It outlives the server, so it is the runner that keeps the time limit, answers a stop and writes down how the job
 * ended. Imported, it does nothing. Its imports are few because one of it runs per job.
 */

/** What `job.json` holds for the runner. */
export interface Assignment {
  readonly command: readonly string[];
  /** The whole environment of the command. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where the command runs. */
  readonly directory: string;
  readonly maxRuntimeMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number;
  readonly maxLogBytes: number;
}

/** One process for ever: a pid may come again, with another start. `''` where the machine does not tell starts. */
export interface ProcessMark {
  readonly pid: number;
  readonly start: string;
}

/** Who took the one start of a job: its runner, or whoever ended it before it began. */
export type Started = (ProcessMark & { readonly at: number }) | Ended;
export interface Ended {
  readonly instead: 'stopped' | 'failed';
  readonly reason: string;
  readonly at: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly why: 'exited' | 'timeout' | 'stopped' | 'spawnFailed';
  readonly message: string;
  /** Of its disk, when the command ended: whatever it failed of, it may go well once there is room. */
  readonly diskFull?: true;
}

export const jobFiles = {
  assignment: 'job.json',
  started: 'started.json',
  child: 'child.json',
  heartbeat: 'heartbeat',
  log: 'log.txt',
  exit: 'exit.json',
} as const;

/** Where a job leaves what is read after its end. */
const jobLeaves = ['tree/model', 'tree/output', jobFiles.log] as const;

/** Set for the runner: variables of the command that stand in no file, as JSON. */
export const jobSecrets = 'SERIN_JOB_SECRETS';

/** Set for the command, so that each of its descendants can be told, also one that left the process group. */
export const jobMark = 'SERIN_JOB_DIRECTORY';

export const heartbeatMs = 2000;
/** How long output may still come through a pipe that an escaped descendant holds open. */
const drainMs = 1000;
const longestTimerMs = 2 ** 31 - 1;

function runJob(directory: string): void {
  let ending: 'timeout' | 'stopped' | undefined;
  let child: ChildProcess | undefined;
  let graceMs = 0;

  const end = (why: 'timeout' | 'stopped') => {
    if (ending !== undefined) return;
    ending = why;
    if (child?.pid === undefined) return;
    const { pid } = child;
    signalGroup(pid, 'SIGTERM');
    setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs);
  };

  // Before the start is taken: a server that sees the start may send SIGTERM at once.
  process.on('SIGTERM', () => end('stopped'));
  for (const signal of ['SIGHUP', 'SIGINT'] as const) process.on(signal, () => {});

  const startedAt = Date.now();
  const mark = { pid: process.pid, start: processStart(process.pid) ?? '' };
  if (!writeJson(join(directory, jobFiles.started), { ...mark, at: startedAt }, 'create')) return;
  announce();
  beat(directory, () => end('stopped'));

  const assignment = readJson<Assignment>(join(directory, jobFiles.assignment));
  if (assignment === undefined)
    throw new Error(`${join(directory, jobFiles.assignment)} is missing or damaged; start the run again`);
  graceMs = assignment.graceMs;
  const finish: Finish = (exit) => {
    killLeftovers(directory);
    void writeExit(directory, { why: ending ?? 'exited', ...exit, startedAt, endedAt: Date.now() });
  };

  // One turn for a SIGTERM that came while the start was taken.
  setImmediate(() => {
    if (ending !== undefined) return finish({ code: null, signal: null, message: 'stopped before the command began' });
    child = begin(directory, assignment, finish);
    after(assignment.maxRuntimeMs, () => end('timeout'));
  });
}

type Finish = (exit: Omit<Exit, 'why' | 'startedAt' | 'endedAt'> & { readonly why?: Exit['why'] }) => void;

function begin(directory: string, assignment: Assignment, finish: Finish): ChildProcess | undefined {
  const { command, environment, maxLogBytes } = assignment;
  const [program = '', ...rest] = command;
  const log = openLog(join(directory, jobFiles.log), maxLogBytes);
  const failed = (error: unknown) =>
    finish({ code: null, signal: null, why: 'spawnFailed', message: spawnProblem(error) });
  try {
    const secrets = JSON.parse(process.env[jobSecrets] ?? '{}');
    const env = { ...environment, ...secrets, [jobMark]: directory };
    const child = spawn(program, rest, {
      cwd: assignment.directory,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', log);
    child.stderr.on('data', log);
    child.on('error', (error) => (child.pid === undefined ? failed(error) : undefined));
    child.on('exit', (code, signal) => {
      const disk = isFull(directory) ? { diskFull: true as const } : {};
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
      killLeftovers(directory); // whoever holds the pipe open would keep it from closing
      let finished = false;
      const once = () => {
        if (!finished) finish({ code, signal, message: '', ...disk });
        finished = true;
      };
      child.on('close', once);
      setTimeout(once, drainMs);
    });
    noteChild(directory, child.pid);
    return child;
  } catch (error) {
    failed(error);
    return undefined;
  }
}

/** For a server that finds no runner any more. A full disk costs this note, not the job. */
function noteChild(directory: string, pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    writeJson(join(directory, jobFiles.child), { pid, start: processStart(pid) ?? '' }, 'replace');
  } catch {
    // The descendants are still found by their mark.
  }
}

function openLog(file: string, maxBytes: number): (chunk: Buffer) => void {
  const descriptor = openSync(file, 'a', 0o600);
  let left = maxBytes;
  return (chunk) => {
    if (left <= 0) return;
    const part = chunk.subarray(0, left);
    left -= part.length;
    try {
      writeFileSync(descriptor, part);
      if (left === 0) writeFileSync(descriptor, `\n[the log is cut here: it has more than ${maxBytes} bytes]\n`);
    } catch {
      // A full disk costs the log, not the job.
    }
  };
}

/** The server that spawned the runner may wait for this byte; one that has gone is no trouble. */
function announce(): void {
  try {
    writeFileSync(1, '.');
  } catch {
    // Nobody listens.
  }
}

function beat(directory: string, deserted: () => void): void {
  const write = () => {
    try {
      writeFileSync(join(directory, jobFiles.heartbeat), String(Date.now()));
    } catch {
      // A full disk may be mended; a directory that was deleted leaves nobody to work for.
      if (!existsSync(directory)) deserted();
    }
  };
  write();
  setInterval(write, heartbeatMs);
}

/** A timer that may be longer than the 24 days of `setTimeout`; it does not count the time a laptop sleeps. */
function after(ms: number, then: () => void): void {
  const part = Math.min(ms, longestTimerMs);
  setTimeout(() => (part < ms ? after(ms - part, then) : then()), part);
}

/**
 * What the job left is durable before its end is written down: who sees the end believes the outputs.
 *
 * A runner that cannot write how the job ended stays, and tries again: gone, it would look like an interruption.
 */
async function writeExit(directory: string, exit: Exit): Promise<void> {
  try {
    for (const left of jobLeaves) await syncTree(join(directory, left));
    writeJson(join(directory, jobFiles.exit), exit, 'replace');
    process.exit(0);
  } catch {
    if (!existsSync(directory)) process.exit(1);
    setTimeout(() => void writeExit(directory, exit), heartbeatMs);
  }
}

function signalGroup(group: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-group, signal);
  } catch {
    // Nobody is left in it.
  }
}

/** Differs between two boots of the machine; `''` where that is not told. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** When a process began, exact enough to tell two that had one pid; `undefined` when there is none (or only a zombie). */
export function processStart(pid: number): string | undefined {
  if (existsSync('/proc/self/stat')) return startOnLinux(pid);
  try {
    const environment = { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' };
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      env: environment,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text.toString().trim() || undefined;
  } catch {
    return undefined;
  }
}

function startOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc(5): field 2 is the name in parentheses and may hold anything; 3 is the state, 22 the start in clock ticks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${bootId()}/${fields[19]}`;
  } catch {
    return undefined;
  }
}

/** Whether the very process runs; by its heartbeat where the machine does not tell starts. */
export function runnerLives(directory: string, { pid, start }: ProcessMark): boolean {
  if (start !== '') return processStart(pid) === start;
  const beatAt = Number(readJson<number>(join(directory, jobFiles.heartbeat)) ?? 0);
  return Date.now() - beatAt < 10 * heartbeatMs;
}

/** Kills what is left of a job's command: its process group and, on Linux, whoever carries the job's mark. */
export function killLeftovers(directory: string): void {
  const group = readJson<ProcessMark>(join(directory, jobFiles.child));
  // After a reboot, or when the pid was given to another process, the group is not ours.
  const leader = group === undefined ? undefined : processStart(group.pid);
  const ours = leader === undefined ? group?.start.split('/')[0] === bootId() : leader === group?.start;
  if (group !== undefined && ours) signalGroup(group.pid, 'SIGKILL');
  // A process that is just forking may be missed by one look.
  for (let look = 0; look < 5; look += 1) {
    const pids = marked(directory);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It went by itself.
  }
}

function marked(directory: string): number[] {
  if (!existsSync('/proc/self/environ')) return [];
  const mark = `\0${jobMark}=${directory}\0`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => environmentOf(pid).includes(mark))
    .map(Number);
}

function environmentOf(pid: string): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}\0`;
  } catch {
    return ''; // another user's, or gone
  }
}

const [, , verb, jobDirectory] = process.argv;
if (verb === 'run-job' && jobDirectory !== undefined) runJob(jobDirectory);
