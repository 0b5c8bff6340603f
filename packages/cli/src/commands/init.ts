import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { asCalled } from '../called.ts';
import { cloudStarter } from '../cloud-starter.ts';
import { configNames } from '../config-file.ts';
import { writeSchema } from '../config-schema.ts';
import { Failure } from '../failure.ts';
import { askedWish, type Wish } from '../init-questions.ts';
import { type Command, type Invocation, show, textOption } from '../invocation.ts';
import { mayWrite } from '../may-write.ts';
import { starterFolder } from '../places.ts';
import { knownClouds } from '../plan/for-cloud.ts';
import { type ProjectFile, templateFiles, templates } from '../templates.ts';
import { projectName, writeFrom } from '../wrap-script.ts';

/**
 * Writes a project: that of a template, or with `--from` a config around a script. At a terminal it asks which, unless an
 * option says so. Without either it is `starter/`, in JavaScript; with `--cloud` its config fits these clouds as well. No
 * file is overwritten unasked.
 */
export const init: Command = async (invocation) => {
  const directory = resolve(invocation.cwd, invocation.args[0] ?? '.');
  const clouds = knownClouds(invocation);
  const { script, template, serves } = await wishOf(invocation, directory);
  if (template !== undefined && template !== 'node' && !Object.hasOwn(templates, template))
    throw new Failure(2, `there is no template ${template}`, {
      mend: `use ${Object.keys(templates).join(', ')} or node`,
    });
  if (clouds !== undefined && (script !== undefined || (template ?? 'node') !== 'node'))
    throw new Failure(2, `init ${script === undefined ? '--template' : '--from'} writes no images of a cloud`, {
      why: 'nobody knows what the script needs in its image',
      mend: "leave out --cloud, name an image for each cloud in the config, and ask 'serin validate --cloud <cloud>'",
    });
  if (script !== undefined) return writeFrom(invocation, directory, script, serves);
  if (template !== undefined && template !== 'node') return writeTemplate(invocation, directory, template, serves);
  if (!serves)
    throw new Failure(2, 'the template node has a server of its model', {
      mend: "leave out --no-serve, or use --template sklearn; serve: 'none' in a config is a model without one",
    });
  return writeStarter(invocation, directory, clouds);
};

function wishOf(invocation: Invocation, directory: string): Wish | Promise<Wish> {
  const { options, terminal } = invocation;
  const given = {
    script: textOption(invocation, 'from'),
    template: textOption(invocation, 'template'),
    serves: options.serve !== false,
  };
  if (given.script !== undefined && given.template !== undefined)
    throw new Failure(2, '--from and --template are two ways to begin', { mend: 'give one of them' });
  const isOpen = given.script === undefined && given.template === undefined && options.cloud === undefined;
  const mayAsk = terminal.interactive && !terminal.json && options.yes !== true && options.force !== true;
  return isOpen && mayAsk ? askedWish(terminal, directory, given.serves) : given;
}

async function writeTemplate(
  invocation: Invocation,
  directory: string,
  template: string,
  serves: boolean,
): Promise<number> {
  const { env } = invocation;
  const files = await templateFiles(template, projectName(directory), serves);
  await mayWrite(invocation, targetsIn(directory, files));
  await writeFiles(
    directory,
    files.map(({ path, text }) => ({ path, text: path === 'README.md' ? asCalled(text, directory, env.PATH) : text })),
  );
  await writeSchema(join(directory, 'serin.config.yaml'));
  wrote(
    invocation,
    directory,
    files.map(({ path }) => path),
    [
      'python3 -m venv .venv && .venv/bin/pip install -r src/requirements.txt',
      'npx serin dev',
      '# then, in a second terminal: npx serin drop churn sample/first.csv',
    ],
  );
  return 0;
}

async function writeStarter(
  invocation: Invocation,
  directory: string,
  clouds: ReturnType<typeof knownClouds>,
): Promise<number> {
  const files = (await readdir(starterFolder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(starterFolder, join(entry.parentPath, entry.name)))
    .sort();
  // npm leaves a file of the name .gitignore out of a package.
  const targets = files.map((file) => ({
    from: join(starterFolder, file),
    path: file === 'gitignore' ? '.gitignore' : file,
  }));
  await mayWrite(invocation, targetsIn(directory, targets));
  for (const { from, path } of targets) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await cp(from, join(directory, path));
  }
  const readme = join(directory, 'README.md');
  await writeFile(readme, asCalled(await readFile(readme, 'utf8'), directory, invocation.env.PATH));
  if (clouds !== undefined) await writeFile(join(directory, 'serin.config.ts'), cloudStarter(clouds));
  const paths = targets.map(({ path }) => path);
  wrote(invocation, directory, paths, [
    'npx serin dev',
    '# then, in a second terminal: cp sample/first.csv .serin/buckets/drops/line/',
    ...(clouds ?? []).map(({ cloud }) => `npx serin validate --cloud ${cloud}`),
  ]);
  return 0;
}

const targetsIn = (directory: string, files: readonly Pick<ProjectFile, 'path'>[]): readonly string[] =>
  [...files.map(({ path }) => path), ...configNames].map((name) => join(directory, name));

async function writeFiles(directory: string, files: readonly ProjectFile[]): Promise<void> {
  for (const { path, text } of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}

function wrote(invocation: Invocation, directory: string, written: readonly string[], next: readonly string[]): void {
  const place = relative(invocation.cwd, directory);
  show(invocation, { directory, written }, () => {
    const lines = [...(place === '' ? [] : [`cd ${place}`]), ...next].map(
      (line) => `  ${asCalled(line, directory, invocation.env.PATH)}`,
    );
    return `wrote ${written.join(', ')}\n\n${lines.join('\n')}\n\nREADME.md goes on from there.\n`;
  });
}
