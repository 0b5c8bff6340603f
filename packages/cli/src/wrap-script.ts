import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { configNames } from './config-file.ts';
import { Failure } from './failure.ts';
import { type Invocation, show } from './invocation.ts';
import { mayWrite } from './may-write.ts';
import { factsOf, type ScriptFacts } from './script-facts.ts';

const programs: Readonly<Record<string, string>> = {
  '.py': 'python3',
  '.mjs': 'node',
  '.js': 'node',
  '.R': 'Rscript',
  '.jl': 'julia',
  '.sh': 'sh',
};

/** Writes a config beside a script and copies nothing. It says what it assumed. */
export async function writeFrom(invocation: Invocation, directory: string, given: string): Promise<number> {
  const script = resolve(invocation.cwd, given);
  if (!existsSync(script)) throw new Failure(3, `there is no script ${given}`, { mend: 'name a file that is there' });
  const program = programs[extname(script)];
  if (program === undefined)
    throw new Failure(2, `${given} is not a script that init knows`, {
      mend: `name a file that ends in ${Object.keys(programs).join(', ')}, or write the config by hand`,
    });
  const inside = relative(directory, script);
  if (inside.startsWith('..'))
    throw new Failure(2, `${given} is not inside ${directory}`, {
      why: "a config's code lies beside it",
      mend: `run 'serin init --from ${given} ${relative(invocation.cwd, dirname(script)) || '.'}'`,
    });
  const facts = factsOf(await readFile(script, 'utf8'));
  await mayWrite(
    invocation,
    configNames.map((name) => join(directory, name)),
  );
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'serin.config.ts');
  const name = projectName(directory);
  await writeFile(file, configText(name, program, inside, facts));
  const written = ['serin.config.ts', ...(await ignoreFile(directory))];
  const assumptions = assumed(name, inside, facts);
  show(
    invocation,
    { directory, written, assumptions },
    () =>
      `wrote ${written.map((each) => relative(invocation.cwd, join(directory, each))).join(', ')}, and assumed:\n${assumptions.map((line) => `  - ${line}\n`).join('')}\nnext: serin validate, then serin dev\n`,
  );
  return 0;
}

/** What the server keeps, and what never belongs to a repository; a file that is there stays as it is. */
async function ignoreFile(directory: string): Promise<readonly string[]> {
  const file = join(directory, '.gitignore');
  if (existsSync(file)) return [];
  await writeFile(file, '.serin/\n.env\n.venv/\n__pycache__/\nnode_modules/\n');
  return ['.gitignore'];
}

export const projectName = (directory: string): string => nameOf(basename(directory));

const nameOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 63) || 'model';

function placeOf(inside: string): { readonly code: string; readonly script: string } {
  const parts = inside.split(sep);
  return parts.length === 1
    ? { code: '.', script: inside }
    : { code: `./${parts.slice(0, -1).join('/')}`, script: parts.at(-1) ?? inside };
}

function configText(name: string, program: string, inside: string, { hyperparameters, places }: ScriptFacts): string {
  const { code, script } = placeOf(inside);
  const flags = Object.entries(hyperparameters).map(
    ([key, value]) =>
      `${/^[A-Za-z_]\w*$/.test(key) ? key : quote(key)}: ${typeof value === 'number' ? value : quote(value)}`,
  );
  const evaluate = `evaluate${extname(script)}`;
  return `import { defineConfig } from 'serin';

export default defineConfig({
  project: '${name}',
  models: {
    '${name}': {
      // Files that arrive under this prefix are the next dataset, once nothing was added for two minutes.
      data: { bucket: 'drops', prefix: '${name}/' },
      train: {
        code: ${quote(code)},
        command: [${[program, script, ...places].map(quote).join(', ')}],
        hyperparameters: {${flags.length === 0 ? '' : ` ${flags.join(', ')} `}},
      },
      // Nothing judges the model yet, so a person does. Better: rows that training never sees, a script that reads them
      // from SM_CHANNEL_HOLDOUT and the model from SM_CHANNEL_MODEL, and writes {"auc": 0.9} into metrics.json in
      // SM_OUTPUT_DATA_DIR, and a bound for it:
      // split: { holdout: { by: 'rows', share: '20%' } },
      // evaluate: { command: ['${program}', ${quote(evaluate)}] },
      // gate: { auc: { direction: 'up', atLeast: 0.8, noWorseBy: 0.01 } },
      approval: { required: true },
      serve: 'none',
    },
  },
});
`;
}

const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function assumed(
  name: string,
  inside: string,
  { hyperparameters, places, channels, savesModel }: ScriptFacts,
): string[] {
  const names = Object.keys(hyperparameters);
  const others = channels.filter((channel) => channel !== 'train');
  const given = places.filter((place) => place.startsWith('${{'));
  const getsData = given.some((place) => place.includes('inputs.'));
  return [
    `new data arrives in the bucket 'drops' under '${name}/'`,
    names.length === 0
      ? `${inside} has no flags with a default: no hyperparameters`
      : `hyperparameters with the script's own defaults: ${names.join(', ')}`,
    ...(given.length === 0
      ? []
      : [`it gets ${places.join(' ')}: the folder of the dropped files, and that of the model`]),
    ...given
      .filter((place) => /^\$\{\{inputs\.train\}\}\//.test(place))
      .map((place) => `among the dropped files is one called ${place.split('}}/')[1]}`),
    ...(getsData ? [] : [dataText(inside, channels)]),
    ...(savesModel
      ? []
      : [`${inside} has yet to save its model into the folder os.environ['SM_MODEL_DIR']: without it a run fails`]),
    ...(others.length === 0
      ? []
      : [
          `the script also reads ${others.map((channel) => `SM_CHANNEL_${channel.toUpperCase()}`).join(', ')}: give a 'split' whose prepare command writes it`,
        ]),
    'a person approves each version (approval.required), because nothing evaluates it',
    "nothing is served (serve: 'none')",
  ];
}

const dataText = (inside: string, channels: readonly string[]): string =>
  channels.includes('train')
    ? 'the script reads its data from SM_CHANNEL_TRAIN'
    : `${inside} has yet to read its data from the folder os.environ['SM_CHANNEL_TRAIN']: as it is, it knows nothing of what is dropped`;
