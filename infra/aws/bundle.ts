import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { FunctionId } from './topology/shapes.ts';

/** The Node that runs this, which can run TypeScript if it came here; SST may run it by Bun, which is no Node. */
const nodeHere = (): string => ('bun' in process.versions ? 'node' : process.execPath);

/** Folders with the code of each function, as it is deployed. */
export type Code = Readonly<Record<FunctionId, string>>;

const ids: readonly FunctionId[] = ['signals', 'api', 'clock', 'deadLetters'];

/**
 * Bundles the functions by the repository's own script, which the emulator suites and the benchmark use as well.
 * Needs what is installed in the root and in functions/aws; no network.
 *
 * As a program of its own, for SST bundles whoever calls this, and esbuild cannot be bundled.
 */
export function bundle(repository = join(import.meta.dirname, '../..')): Code {
  const script = join(repository, 'scripts/bundle.ts');
  if (!existsSync(script))
    throw new Error(`cannot bundle the functions: ${script} is not there; deploy from a copy of Serin's repository`);
  const into = join(repository, 'infra/.build/aws');
  // What an older version left would be taken first: Lambda looks for .js and .mjs before .cjs.
  rmSync(into, { recursive: true, force: true });
  // The script bundles when it is the program that runs, and Node names that without links.
  execFileSync(nodeHere(), [realpathSync(script), 'aws', into], { stdio: ['ignore', 'ignore', 'inherit'] });
  // All four ids are there.
  return Object.fromEntries(ids.map((id) => [id, join(into, id)])) as unknown as Code;
}
