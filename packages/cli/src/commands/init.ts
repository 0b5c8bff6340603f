import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { cloudStarter } from '../cloud-starter.ts';
import { configNames } from '../config-file.ts';
import { Failure } from '../failure.ts';
import { type Command, show, textOption } from '../invocation.ts';
import { mayWrite } from '../may-write.ts';
import { starterFolder } from '../places.ts';
import { knownClouds } from '../plan/for-cloud.ts';
import { writeFrom } from '../wrap-script.ts';

/**
 * Writes the project of `starter/`, or with `--from` a config around a script. With `--cloud` its config fits these clouds as
 * well. No file is overwritten unasked.
 */
export const init: Command = async (invocation) => {
  const directory = resolve(invocation.cwd, invocation.args[0] ?? '.');
  const script = textOption(invocation, 'from');
  const clouds = knownClouds(invocation);
  if (script !== undefined && clouds !== undefined)
    throw new Failure(2, 'init --from writes no images of a cloud', {
      why: 'nobody knows what the script needs in its image',
      mend: "leave out --cloud, name an image for each cloud in the config, and ask 'serin validate --cloud <cloud>'",
    });
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
  if (clouds !== undefined) await writeFile(join(directory, 'serin.config.ts'), cloudStarter(clouds));
  const written = targets.map(({ to }) => relative(directory, to));
  const place = relative(invocation.cwd, directory);
  show(invocation, { directory, written }, () => {
    const next = [
      ...(place === '' ? [] : [`cd ${place}`]),
      'npx serin dev',
      '# then, in a second terminal: cp sample/first.csv .serin/buckets/drops/line/',
      ...(clouds ?? []).map(({ cloud }) => `npx serin validate --cloud ${cloud}`),
    ];
    return `wrote ${written.join(', ')}\n\n${next.map((line) => `  ${line}`).join('\n')}\n\nREADME.md goes on from there.\n`;
  });
  return 0;
};
