import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Runs some work with a directory that is gone afterwards. */
export async function withDirectory<Answer>(work: (directory: string) => Promise<Answer>): Promise<Answer> {
  const directory = mkdtempSync(join(tmpdir(), 'serin-bench-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export interface Child {
  readonly pid: number;
  /** The JSON of its first line. */
  readonly said: unknown;
  /** Asks it to end, and resolves when it has. */
  stop(): Promise<void>;
}

/** `SERIN_PROFILE=<folder>` writes a CPU profile of each server there. */
const profile = (): string[] =>
  process.env.SERIN_PROFILE === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${process.env.SERIN_PROFILE}`];

/** Starts one of the scripts of this folder and waits for its first line. */
export async function startScript(name: string, args: readonly string[]): Promise<Child> {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const child = spawn(process.execPath, [...profile(), file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  return started(child, await firstLine(child));
}

export function started(child: ChildProcess, said: unknown): Child {
  const exited = once(child, 'exit');
  return {
    pid: child.pid ?? 0,
    said,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

export async function firstLine(child: ChildProcess): Promise<unknown> {
  if (child.stdout === null) throw new Error('the child has no standard output');
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, 'line', { signal: AbortSignal.timeout(120_000) }),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the child ended with ${code} before it spoke`))),
  ]);
  return JSON.parse(String(line));
}

/** CPU time that a process has used so far, in milliseconds (to 10 ms); Linux only. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory of a process in bytes; Linux only. */
export function rssOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(kilobytes) * 1024;
}
