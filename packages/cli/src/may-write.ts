import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { Failure } from './failure.ts';
import type { Invocation } from './invocation.ts';

/** A file that is there is a conflict; with `--force` a person is asked, and `--yes` has answered. */
export async function mayWrite({ options, terminal, cwd }: Invocation, files: readonly string[]): Promise<void> {
  const there = [...new Set(files)].filter((file) => existsSync(file)).map((file) => relative(cwd, file));
  if (there.length === 0) return;
  const list = there.join(', ');
  if (options.force !== true)
    throw new Failure(4, `${list} already ${there.length === 1 ? 'exists' : 'exist'}`, {
      why: 'init overwrites nothing',
      mend: 'name another folder, or give --force',
    });
  if (options.yes === true || (terminal.interactive && (await terminal.confirm(`overwrite ${list}?`)))) return;
  throw new Failure(4, `did not overwrite ${list}`, { mend: 'give --yes as well' });
}
