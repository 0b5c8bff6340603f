import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '@serin/core/base/fault';
import { fileFault } from './faults.ts';
import { spawnProblem } from './spawn-problem.ts';

const adoptedPollMs = 500;

/** A process that leads a group and a session of its own, so that it outlives the server that started it. */
export interface ServerProcess {
  readonly pid: number;
  /** With the pid, what tells this process from all others, also after a reboot. */
  readonly born: string;
  /** Resolves with how it ended, in words. */
  readonly exited: Promise<string>;
  hasExited(): boolean;
  /** SIGTERM to the group, SIGKILL after the grace; resolves when the process is gone. Twice: the same. */
  end(graceMs: number): Promise<void>;
}

/**
 * Starts a command without a shell, with exactly this environment, and its output at the end of a log file.
 *
 * A command that cannot be started at all is `invalid`.
 */
export async function launch(what: {
  readonly command: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly log: string;
}): Promise<ServerProcess> {
  const [file = '', ...rest] = what.command;
  const log = openLog(what.log);
  try {
    const child = spawned(file, rest, {
      cwd: what.folder,
      env: { ...what.environment },
      detached: true,
      stdio: ['ignore', log, log],
    });
    const exit = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) =>
        resolve(signal === null ? `it ended with exit code ${code}` : `${signal} ended it`),
      );
    });
    if (child.pid === undefined) {
      const [error] = await once(child, 'error');
      throw notStarted(file, error);
    }
    child.on('error', () => undefined); // a signal that could not be sent; `exit` tells the rest
    child.unref();
    return serverProcess(child.pid, bornOf(child.pid)?.born ?? '', exit);
  } finally {
    closeSync(log);
  }
}

/** Some errors are thrown and some are told by the child. */
function spawned(file: string, rest: readonly string[], options: SpawnOptions): ChildProcess {
  try {
    return spawn(file, rest, options);
  } catch (error) {
    throw notStarted(file, error);
  }
}

const notStarted = (file: string, error: unknown): Fault =>
  new Fault('invalid', `cannot start ${file}; check the command of the deployment: ${spawnProblem(error)}`);

/** Takes back a process of an earlier run of the server; `undefined` when it is gone or its pid is another's now. */
export function adopt(pid: number, born: string): ServerProcess | undefined {
  if (!isAlive(pid, born)) return undefined;
  return serverProcess(pid, born, goneBy(pid, born));
}

/** Ends what is left of the group of a leader that is gone. Never touches a pid that belongs to another process now. */
export function endOrphans(pid: number): void {
  if (bornOf(pid) === undefined) signalGroup(pid, 'SIGKILL');
}

/** Ends the processes whose environment holds `name=value`: started, but never recorded. Only where /proc is. */
export function endMarked(name: string, value: string): void {
  for (const entry of procEntries()) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const marked = readText(`/proc/${entry}/environ`)?.split('\0').includes(`${name}=${value}`);
    if (marked === true) signalGroup(pid, 'SIGKILL');
  }
}

function serverProcess(pid: number, born: string, exit: Promise<string>): ServerProcess {
  let gone = false;
  const exited = exit.then((how) => {
    gone = true;
    endOrphans(pid);
    return how;
  });
  return {
    pid,
    born,
    exited,
    hasExited: () => gone,
    async end(graceMs) {
      if (gone) return;
      const cancel = new AbortController();
      signalGroup(pid, 'SIGTERM');
      await Promise.race([exited, sleep(graceMs, undefined, { signal: cancel.signal }).catch(() => undefined)]);
      cancel.abort();
      if (gone) return;
      signalGroup(pid, 'SIGKILL');
      // Nothing else may keep this process alive until the other one is gone: the child itself does not.
      const wait = setInterval(() => {}, adoptedPollMs);
      await exited.finally(() => clearInterval(wait));
    },
  };
}

async function goneBy(pid: number, born: string): Promise<string> {
  while (isAlive(pid, born)) await sleep(adoptedPollMs, undefined, { ref: false });
  return 'it ended';
}

function isAlive(pid: number, born: string): boolean {
  const found = bornOf(pid);
  return found !== undefined && found.born === born && !found.isZombie;
}

function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already: that is what was wanted.
  }
}

/** When a process began; `undefined` when there is none of that pid. */
function bornOf(pid: number): { readonly born: string; readonly isZombie: boolean } | undefined {
  if (process.platform !== 'linux') return bornByPs(pid);
  // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the name may hold anything, so count from its last `)`.
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const boot = readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  return { born: `${boot} ${fields[19]}`, isZombie: fields[0] === 'Z' || fields[0] === 'X' };
}

function bornByPs(pid: number): ReturnType<typeof bornOf> {
  try {
    const text = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return { born: text.replace(/^\S+\s+/, ''), isZombie: text.startsWith('Z') };
  } catch {
    return undefined;
  }
}

function procEntries(): readonly string[] {
  try {
    return readdirSync('/proc');
  } catch {
    return [];
  }
}

/** `undefined` for a file that is gone or not ours: /proc changes while it is read. */
function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function openLog(file: string): number {
  try {
    return openSync(file, 'a', 0o600);
  } catch (error) {
    throw fileFault(error, `opening ${file}`);
  }
}
