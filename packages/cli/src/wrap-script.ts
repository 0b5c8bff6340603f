import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { mayWrite } from './commands/init.ts';
import { configNames } from './config-file.ts';
import { Failure } from './failure.ts';
import { type Invocation, show } from './invocation.ts';

/** What a script says about itself, as far as reading its text tells. */
export interface ScriptFacts {
  readonly hyperparameters: Readonly<Record<string, string | number>>;
  /** Channels it reads, lower case, from `SM_CHANNEL_*`. */
  readonly channels: readonly string[];
}

const programs: Readonly<Record<string, string>> = {
  '.py': 'python3',
  '.mjs': 'node',
  '.js': 'node',
  '.R': 'Rscript',
  '.jl': 'julia',
  '.sh': 'sh',
};
/** Flags that the training contract itself fills. */
const contractFlags =
  /^(model[-_]dir|output[-_]data[-_]dir|train|test|validation|holdout|hosts|current[-_]host|num[-_]gpus|data[-_]dir)$/;

/** Reads argparse flags with a default, and the names of channels. Flags whose default is computed are left out. */
export function factsOf(text: string): ScriptFacts {
  const hyperparameters = argumentsOf(text, 'add_argument').flatMap((call): [string, string | number][] => {
    const name = /(['"])--([A-Za-z][\w-]*)\1/.exec(call)?.[2];
    const [, number, , quoted] =
      /\bdefault\s*=\s*(?:(-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|(['"])(.*?)\2)\s*(?:,|$)/.exec(call) ?? [];
    if (name === undefined || contractFlags.test(name)) return [];
    if (number !== undefined) return [[name, Number(number)]];
    return quoted === undefined ? [] : [[name, quoted]];
  });
  const channels = [...text.matchAll(/\bSM_CHANNEL_([A-Z0-9_]+)/g)].map(([, name = '']) => name.toLowerCase());
  return { hyperparameters: Object.fromEntries(hyperparameters), channels: [...new Set(channels)] };
}

/** What stands between the parentheses of each call of a function; strings may hold parentheses. */
function argumentsOf(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`\\b${name}\\(`, 'g'))].map(({ 0: call, index }) => {
    const from = index + call.length;
    let depth = 1;
    for (const { 0: token, index: at } of text.slice(from).matchAll(/"[^"\n]*"|'[^'\n]*'|[()]/g)) {
      depth += token === '(' ? 1 : token === ')' ? -1 : 0;
      if (depth === 0) return text.slice(from, from + at);
    }
    return '';
  });
}

/** Writes a config beside a script and copies nothing. It says what it assumed. */
export async function writeFrom(invocation: Invocation, directory: string, given: string): Promise<number> {
  const script = resolve(invocation.cwd, given);
  if (!existsSync(script)) throw new Failure(3, `there is no script ${given}`);
  const program = programs[extname(script)];
  if (program === undefined)
    throw new Failure(2, `${given} is no script that init knows`, {
      mend: `one of ${Object.keys(programs).join(', ')}; or write the config by hand`,
    });
  const inside = relative(directory, script);
  if (inside.startsWith('..'))
    throw new Failure(2, `${given} is not inside ${directory}`, {
      why: "a config's code lies beside it",
      mend: `serin init --from ${given} ${relative(invocation.cwd, dirname(script)) || '.'}`,
    });
  const facts = factsOf(await readFile(script, 'utf8'));
  await mayWrite(
    invocation,
    configNames.map((name) => join(directory, name)),
  );
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'serin.config.ts');
  const name = nameOf(basename(directory));
  await writeFile(file, configText(name, program, inside, facts));
  const assumptions = assumed(name, inside, facts);
  show(
    invocation,
    { directory, written: ['serin.config.ts'], assumptions },
    () =>
      `wrote ${relative(invocation.cwd, file)}, and assumed:\n${assumptions.map((line) => `  - ${line}\n`).join('')}\nnext: serin validate, then serin dev\n`,
  );
  return 0;
}

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

function configText(name: string, program: string, inside: string, { hyperparameters }: ScriptFacts): string {
  const { code, script } = placeOf(inside);
  const flags = Object.entries(hyperparameters).map(
    ([key, value]) =>
      `${/^[A-Za-z_]\w*$/.test(key) ? key : quote(key)}: ${typeof value === 'number' ? value : quote(value)}`,
  );
  return `import { defineConfig } from 'serin';

export default defineConfig({
  project: '${name}',
  models: {
    '${name}': {
      // Files that arrive under this prefix are the next dataset, once nothing was added for two minutes.
      data: { bucket: 'drops', prefix: '${name}/' },
      train: {
        code: ${quote(code)},
        command: ['${program}', ${quote(script)}],
        hyperparameters: {${flags.length === 0 ? '' : ` ${flags.join(', ')} `}},
      },
      // Nothing judges the model yet, so a person does. Better: 'split', 'evaluate' and a 'gate'.
      approval: { required: true },
      serve: 'none',
    },
  },
});
`;
}

const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function assumed(name: string, inside: string, { hyperparameters, channels }: ScriptFacts): string[] {
  const names = Object.keys(hyperparameters);
  const others = channels.filter((channel) => channel !== 'train');
  return [
    `new data arrives in the bucket 'drops' under '${name}/'`,
    names.length === 0
      ? `${inside} has no flags with a default: no hyperparameters`
      : `hyperparameters with the script's own defaults: ${names.join(', ')}`,
    channels.includes('train')
      ? 'the script reads its data from SM_CHANNEL_TRAIN'
      : 'the script will find its data in SM_CHANNEL_TRAIN, which it does not read yet',
    ...(others.length === 0
      ? []
      : [
          `the script also reads ${others.map((channel) => `SM_CHANNEL_${channel.toUpperCase()}`).join(', ')}: give a 'split' whose prepare command writes it`,
        ]),
    'a person approves each version (approval.required), because nothing evaluates it',
    "nothing is served (serve: 'none')",
  ];
}
