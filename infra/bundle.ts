import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/** The Node that runs this, which can run TypeScript if it came here; SST may run it by Bun, which is no Node. */
const nodeHere = (): string => ('bun' in process.versions ? 'node' : process.execPath);

/**
 * Bundles the functions of a cloud by the repository's own script, which the emulator suites and the benchmark use as
 * well, and answers the folder in which each has one of its own. Needs what is installed in the root and in
 * functions/<cloud>; no network.
 *
 * As a program of its own, for SST bundles whoever calls this, and esbuild cannot be bundled.
 */
export function bundled(cloud: string, repository = join(import.meta.dirname, '..')): string {
  const script = join(repository, 'scripts', 'bundle.ts');
  if (!existsSync(script))
    throw new Error(`cannot bundle the functions: ${script} is not there; deploy from a copy of Serin's repository`);
  const into = join(repository, 'infra/.build', cloud);
  // What an older version left might be deployed with it.
  rmSync(into, { recursive: true, force: true });
  // The script bundles when it is the program that runs, and Node names that without links.
  execFileSync(nodeHere(), [realpathSync(script), cloud, into], { stdio: ['ignore', 'ignore', 'inherit'] });
  return into;
}
