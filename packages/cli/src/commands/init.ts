import { existsSync } from 'node:fs';
import { cp, mkdir, readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { configNames } from '../config-file.ts';
import { Failure } from '../failure.ts';
import { type Command, type Invocation, show, textOption } from '../invocation.ts';
import { starterFolder } from '../places.ts';
import { writeFrom } from '../wrap-script.ts';

/** Writes the project of `starter/`, or with `--from` a config around a script. No file is overwritten unasked. */
export const init: Command = async (invocation) => {
  const directory = resolve(invocation.cwd, invocation.args[0] ?? '.');
  const script = textOption(invocation, 'from');
  if (script !== undefined) return writeFrom(invocation, directory, script);
  const files = (await readdir(starterFolder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(starterFolder, join(entry.parentPath, entry.name)))
    .sort();
  // npm leaves a file of the name .gitignore out of a package.
  const targets = files.map((file) => ({
    from: join(starterFolder, file),
    to: join(directory, file === 'gitignore' ? '.gitignore' : file),
  }));
  await mayWrite(invocation, targets.map(({ to }) => to).concat(configNames.map((name) => join(directory, name))));
  for (const { from, to } of targets) {
    await mkdir(dirname(to), { recursive: true });
    await cp(from, to);
  }
  const written = targets.map(({ to }) => relative(directory, to));
  const place = relative(invocation.cwd, directory);
  show(invocation, { directory, written }, () => {
    const next = [
      ...(place === '' ? [] : [`cd ${place}`]),
      'npx serin dev',
      '# then, in a second terminal: cp sample/first.csv .serin/buckets/drops/line/',
    ];
    return `wrote ${written.join(', ')}\n\n${next.map((line) => `  ${line}`).join('\n')}\n\nREADME.md goes on from there.\n`;
  });
  return 0;
};

/** A file that is there is a conflict; with `--force` a person is asked, and `--yes` has answered. */
export async function mayWrite({ options, terminal, cwd }: Invocation, files: readonly string[]): Promise<void> {
  const there = [...new Set(files)].filter((file) => existsSync(file)).map((file) => relative(cwd, file));
  if (there.length === 0) return;
  const list = there.join(', ');
  if (options.force !== true)
    throw new Failure(4, `${list} ${there.length === 1 ? 'is' : 'are'} there already`, {
      why: 'init overwrites nothing',
      mend: 'name another folder, or give --force',
    });
  if (options.yes === true || (terminal.interactive && (await terminal.confirm(`overwrite ${list}?`)))) return;
  throw new Failure(4, `did not overwrite ${list}`, { mend: 'give --yes as well' });
}
