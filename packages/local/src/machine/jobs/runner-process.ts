import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { jobFiles, jobSecrets } from '../runner.ts';
import { endOf } from './logs.ts';

interface Options {
  /** The file of machine/runner.ts, or of its bundle. */
  readonly runner: string;
  /** The job. */
  readonly directory: string;
  /** Where Node keeps the runner compiled. */
  readonly compiled: string;
  readonly inherited: Readonly<Record<string, string>>;
  /** Variables of the command that are written nowhere. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly onEnd: () => void;
}

/**
 * Spawns the runner of a job, which outlives this process, and waits until the start of the job is taken. Answers why
 * it is not, when the runner ended without. Twice: the second runner finds the start taken and leaves.
 */
export async function spawnRunner(options: Options): Promise<string | undefined> {
  const { runner, directory, compiled, inherited, secrets, onEnd } = options;
  const errors = join(directory, 'runner.txt');
  const output = openSync(errors, 'a', 0o600);
  const child = spawn(process.execPath, ['--max-semi-space-size=1', runner, 'run-job', directory], {
    cwd: directory,
    detached: true,
    // A runner that Node has compiled before starts in half the time, with a third less memory.
    env: { ...inherited, NODE_COMPILE_CACHE: compiled, [jobSecrets]: JSON.stringify(secrets) },
    stdio: ['ignore', 'pipe', output],
  });
  closeSync(output);
  child.unref();
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  void ended.then(onEnd);
  await Promise.race([child.stdout === null ? ended : once(child.stdout, 'data'), ended]);
  child.stdout?.destroy();
  if (existsSync(join(directory, jobFiles.started))) return undefined;
  return `the runner ${runner} did not start: ${await endOf(errors, 1024)}`;
}
