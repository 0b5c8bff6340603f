import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { calledFrom } from './called.ts';
import { configNames } from './config-file.ts';
import { writeSchema } from './config-schema.ts';
import { Failure } from './failure.ts';
import { type Invocation, show, textOption } from './invocation.ts';
import { mayWrite } from './may-write.ts';
import { settingsFile } from './script-arguments.ts';
import { factsOf, type ScriptFacts } from './script-facts.ts';
import { filesIn, filledIn, type ProjectFile } from './templates.ts';
import { wrappedConfig } from './wrap-config.ts';

const programs: Readonly<Record<string, string>> = {
  '.py': 'python3',
  '.mjs': 'node',
  '.js': 'node',
  '.R': 'Rscript',
  '.jl': 'julia',
  '.sh': 'sh',
};

/** Writes a config beside a script, and what judges and serves its model; the script stays as it is. Says what it assumed. */
export async function writeFrom(
  invocation: Invocation,
  directory: string,
  given: string,
  serves: boolean,
): Promise<number> {
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
  const facts = await readFacts(script);
  await mayWrite(
    invocation,
    configNames.map((name) => join(directory, name)),
  );
  const name = projectName(directory);
  const place = placeOf(inside);
  const target =
    facts.readsRows && facts.model.unclear === undefined
      ? (textOption(invocation, 'target') ?? facts.model.target)
      : undefined;
  const taken = ['evaluate.py', 'rows.py', 'predictor.py', ...(serves ? ['serve.py'] : [])].filter((file) =>
    existsSync(join(dirname(script), file)),
  );
  const judged = program === 'python3' && taken.length === 0 ? target : undefined;
  const config = wrappedConfig({ name, ...place, program, facts, target: judged, serves });
  const files = [
    { path: 'serin.config.yaml', text: config },
    ...(judged === undefined ? [] : await judgeFiles(place, facts, judged, serves)),
    ...ignoreFiles(directory, place.code),
  ];
  for (const { path, text } of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  await writeSchema(join(directory, 'serin.config.yaml'));
  const written = files.map(({ path }) => path);
  const assumptions = assumed({ name, inside, facts, target, taken, isJudged: judged !== undefined, serves });
  const called = calledFrom(directory, invocation.env.PATH);
  show(
    invocation,
    { directory, written, assumptions },
    () =>
      `wrote ${written.map((each) => relative(invocation.cwd, join(directory, each))).join(', ')}, and assumed:\n${assumptions.map((line) => `  - ${line}\n`).join('')}\nnext:\n  ${called} validate\n  ${called} dev\n  # then, in a second terminal: ${called} drop ${name} <file>\n`,
  );
  return 0;
}

async function readFacts(script: string): Promise<ScriptFacts> {
  const text = await readFile(script, 'utf8');
  const file = settingsFile(text);
  if (file === undefined || !existsSync(join(dirname(script), file))) return factsOf(text);
  const { readConfigText } = await import('./config-text.ts');
  const read = readConfigText(await readFile(join(dirname(script), file), 'utf8'), false);
  return factsOf(
    text,
    'value' in read && typeof read.value === 'object' && read.value !== null
      ? (read.value as Record<string, unknown>)
      : {},
  );
}

/** What evaluates and serves the model of a script, beside it. */
async function judgeFiles(
  { code, script }: Place,
  { model }: ScriptFacts,
  target: string,
  serves: boolean,
): Promise<readonly ProjectFile[]> {
  const filled = {
    __SCRIPT__: script,
    __TARGET__: JSON.stringify(target),
    __METRIC__: model.metric ?? 'accuracy',
    __IMPORT__: ['import numpy', ...(model.load?.imports ?? [])].sort().join('\n'),
    __LOAD__: model.load?.line ?? '',
  };
  const server = serves
    ? (await filesIn('python'))
        .filter(({ path }) => path === 'src/serve.py')
        .map((file) => ({ ...file, path: 'serve.py' }))
    : [];
  return [...(await filesIn('script')), ...server].map(({ path, text }) => ({
    path: join(code, path),
    text: filledIn(text, filled),
  }));
}

/** Files that keep out of git and of releases what is not code. Existing files stay as they are. */
function ignoreFiles(directory: string, code: string): readonly ProjectFile[] {
  const files = [
    { path: '.gitignore', text: '.serin/\n.env\n.venv/\n__pycache__/\nnode_modules/\n' },
    {
      path: join(code, '.serinignore'),
      text: '# Files here that are not part of a release. Environments of Python, .env and __pycache__ never are,\n# and a folder data/ that holds only data is not either.\n*.ipynb\n',
    },
  ];
  return files.filter(({ path }) => !existsSync(join(directory, path)));
}

export const projectName = (directory: string): string => nameOf(basename(directory));

const nameOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 63) || 'model';

interface Place {
  readonly code: string;
  readonly script: string;
}

function placeOf(inside: string): Place {
  const parts = inside.split(sep);
  return parts.length === 1
    ? { code: '.', script: inside }
    : { code: `./${parts.slice(0, -1).join('/')}`, script: parts.at(-1) ?? inside };
}

interface Assumed {
  readonly name: string;
  readonly inside: string;
  readonly facts: ScriptFacts;
  readonly target: string | undefined;
  /** Files of the names that evaluate.py and its like would have. */
  readonly taken: readonly string[];
  readonly isJudged: boolean;
  readonly serves: boolean;
}

function assumed({ name, inside, facts, target, taken, isJudged, serves }: Assumed): string[] {
  const names = Object.keys(facts.hyperparameters);
  const others = facts.channels.filter((channel) => !['train', 'training'].includes(channel));
  const given = [...facts.variables, ...facts.places].filter((part) => /\{(?:train|model)\}/.test(part));
  return [
    `new data arrives in the bucket 'drops' under '${name}/'`,
    names.length === 0
      ? `${inside} has no flags with a default: no hyperparameters`
      : `hyperparameters with the script's own defaults: ${names.join(', ')}`,
    ...(given.length === 0 ? [] : [`it gets ${[...facts.variables, ...facts.places].join(' ')}`]),
    ...(facts.before.length + facts.after.length === 0
      ? []
      : [`its own paths lead to a job's: ${[...facts.before, ...facts.after].join('; ')}`]),
    ...facts.fixed.map((path) => `${inside} has yet to take ${path} from outside: a job has no such file`),
    ...(facts.readsData
      ? []
      : [
          `${inside} has yet to read its data from the folder os.environ['SM_CHANNEL_TRAIN']: as it is, it knows nothing of what is dropped`,
        ]),
    ...(facts.savesModel
      ? []
      : [`${inside} has yet to save its model into the folder os.environ['SM_MODEL_DIR']: without it a run fails`]),
    ...(others.length === 0
      ? []
      : [
          `the script also reads ${others.map((channel) => `SM_CHANNEL_${channel.toUpperCase()}`).join(', ')}: give a 'split' whose prepare command writes it`,
        ]),
    ...(isJudged
      ? [
          `the model predicts the column ${target}; evaluate.py and rows.py say so, correct them if it does not`,
          `a version is judged by ${facts.model.metric} on a fifth of the rows${serves ? ', and served by serve.py' : ''}`,
        ]
      : [`a person approves each version (approval.required), and nothing is served: ${whyNot(inside, facts, taken)}`]),
  ];
}

/** Why nothing judges the model by itself, and what would change it. */
function whyNot(inside: string, { readsRows, model }: ScriptFacts, taken: readonly string[]): string {
  if (!readsRows) return `${inside} reads no CSV, so nobody can hold rows out for it; write an evaluate.py`;
  if (model.unclear !== undefined) return `${model.unclear}; write an evaluate.py and a serve.py for it`;
  if (taken.length > 0)
    return `${taken.join(', ')} ${taken.length === 1 ? 'is' : 'are'} there already; name what is yours in the config`;
  return 'nothing says which column the model predicts; name it with --target';
}
