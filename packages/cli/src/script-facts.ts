import { type Argument, argumentsIn, callsOf } from './script-arguments.ts';
import { type KeptModel, modelIn } from './script-model.ts';

/** What a script says about itself, as far as reading its text tells. */
export interface ScriptFacts {
  readonly hyperparameters: Readonly<Record<string, string | number>>;
  /** Arguments of the command that say where data are and where the model goes, with placeholders as values. */
  readonly places: readonly string[];
  /** `NAME=value` before the command, likewise. */
  readonly variables: readonly string[];
  /** What a shell does before and after the command, for paths that stand in the script itself. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Paths in the script that no folder of a job can have. */
  readonly fixed: readonly string[];
  /** Channels it reads, lower case, from `SM_CHANNEL_*`. */
  readonly channels: readonly string[];
  readonly readsData: boolean;
  /** It writes its model where it is told. */
  readonly savesModel: boolean;
  /** It reads CSV, whose rows can be held out. */
  readonly readsRows: boolean;
  readonly model: KeptModel;
}

const setting = (name: string): string => `\${{inputs.${name}}}`;

/** Reads a script; `settings` are what the file of Hydra or OmegaConf beside it says. */
export function factsOf(text: string, settings: Readonly<Record<string, unknown>> = {}): ScriptFacts {
  const code = text.replace(/^[ \t]*#[^\n]*$/gm, '');
  const readsRows = /read_csv|\bcsv\.(?:DictReader|reader)|loadtxt|genfromtxt|\.csv\b/.test(
    code + JSON.stringify(settings),
  );
  const told = argumentsIn(code, settings).map((argument) => ({
    argument,
    place: placeOf(argument, { rows: readsRows, folder: /\br?glob\(|listdir\(|iterdir\(/.test(code) }),
  }));
  const placed = told.flatMap(({ argument, place }) => (place === undefined ? [] : [{ ...argument, place }]));
  const free = told.flatMap(({ argument: { name, fallback, positional, fromJob, given }, place }) =>
    place !== undefined || fallback === undefined || positional || fromJob || saysNothing(fallback)
      ? []
      : [{ name, fallback, given }],
  );
  const flags = placed.filter(({ given }) => given === 'flag');
  const overrides = [
    ...placed.filter(({ given }) => given === 'override'),
    ...free.filter(({ given }) => given === 'override').map((one) => ({ ...one, place: setting(one.name) })),
  ];
  const places = [
    ...flags.flatMap(({ name, positional, place }) => (positional ? [place] : [`--${name}`, place])),
    ...overrides.map(({ name, place }) => `${name}=${place}`),
  ];
  const variables = [
    ...placed.filter(({ given }) => given === 'variable'),
    ...free.filter(({ given }) => given === 'variable').map((one) => ({ ...one, place: setting(one.name) })),
  ].map(({ name, place }) => `${name}=${place}`);
  const channels = [...code.matchAll(/\bSM_CHANNEL_([A-Z0-9_]+)/g)].map(([, name = '']) => name.toLowerCase());
  const all = [...places, ...variables];
  const own = ownPaths(code, {
    data: !channels.includes('train') && !all.some((place) => place.includes('{train}')),
    model: !/\b(?:SM|AIP)_MODEL_DIR\b/.test(code) && !all.some((place) => place.includes('{model}')),
  });
  return {
    hyperparameters: Object.fromEntries(free.map(({ name, fallback }) => [name, fallback])),
    ...{ places, variables, before: own.before, after: own.after, fixed: own.fixed, readsRows },
    channels: [...new Set(channels)],
    readsData: channels.includes('train') || all.some((place) => place.includes('{train}')) || own.readsData,
    savesModel:
      /\b(?:SM|AIP)_MODEL_DIR\b/.test(code) || all.some((place) => place.includes('{model}')) || own.after.length > 0,
    model: modelIn(
      code,
      told.map(({ argument }) => argument),
    ),
  };
}

const saysNothing = (fallback: string | number): boolean => fallback === '';

const dataNames =
  /^(?:train(?:ing)?|test|valid(?:ation)?|val|eval|holdout|data|dataset|input|csv)(?:[-_](?:data|set|dir|directory|folder|root|path|file|csv))*$/i;
const modelNames =
  /^(?:(?:model|output|out|save|artifacts?|checkpoint)(?:[-_](?:data|model|dir|directory|folder|root|path|file|out|output|save|to|name))*|dest(?:ination)?)$/i;
/** Words that are a path, beside what has a slash or an ending. */
const isPath = (text: string): boolean =>
  /[/\\]|\.[A-Za-z]\w{0,9}$/.test(text) ||
  /^(?:\.|data|datasets?|input|train|models?|out|outputs?|artifacts?|results?)$/i.test(text);
const saysPath = (name: string): boolean => /[-_](?:dir|directory|folder|root|path|file)$/i.test(name);

/**
 * Where a job has what an argument asks for. A default that names a file asks for one: of rows, which are held out by
 * Serin, that is `train.csv`. A `--model` whose default is not a path names a kind of model.
 */
function placeOf({ name, fallback, positional, fromJob }: Argument, reads: Reads): string | undefined {
  if (fromJob || typeof fallback === 'number') return undefined;
  const label = name.replaceAll('.', '-');
  if (fallback === undefined ? !(positional || saysPath(label)) : !(isPath(fallback) || saysPath(label)))
    return undefined;
  const file = /([^/\\]+\.[A-Za-z]\w{0,9})$/.exec(fallback ?? '')?.[1];
  const mayBeFile = fallback === undefined && /(?:path|file|csv)$/i.test(label);
  if (modelNames.test(label)) return inFolder('{model}', file ?? (mayBeFile ? 'model' : undefined));
  if (!dataNames.test(label)) return undefined;
  const isTable = reads.rows && (file === undefined ? mayBeFile && !reads.folder : file.endsWith('.csv'));
  return inFolder('{train}', isTable ? 'train.csv' : file);
}

const inFolder = (folder: string, file: string | undefined): string =>
  file === undefined ? folder : `${folder}/${file}`;

/** What the script reads: rows of CSV, and whether it looks for files in a folder. */
interface Reads {
  readonly rows: boolean;
  readonly folder: boolean;
}

/** Calls that read data, and calls that keep a model, by what they are given. */
const reads = ['read_csv', 'open', 'loadtxt', 'genfromtxt'];
const keeps = /\b(?:dump|save|save_model|save_pretrained|to_pickle|write_bytes|open)\(/;

/** Paths that stand in the script: what leads to them, and what takes the model from them. */
function ownPaths(code: string, wanted: { readonly data: boolean; readonly model: boolean }) {
  const literals = [...code.matchAll(/(['"])((?:\.{0,2}\/)?[\w./ -]+\.(\w{2,8}))\1/g)];
  const paths = [...new Map(literals.map((match) => [match[2] ?? '', match])).values()];
  const data = wanted.data ? paths.filter((match) => /^(?:csv|tsv)$/i.test(match[3] ?? '') && isRead(code, match)) : [];
  const models = wanted.model
    ? paths.filter(
        (match) =>
          /^(?:pkl|pickle|joblib|pt|pth|h5|keras|onnx|bst|ubj|model|txt|json|bin)$/i.test(match[3] ?? '') &&
          isKept(code, match),
      )
    : [];
  const [data_, model_] = [data, models].map((found) => found.map((match) => (match[2] ?? '').replace(/^\.\//, '')));
  const all = [...(data_ ?? []), ...(model_ ?? [])];
  const fixed = all.filter((path) => path.startsWith('/') || path.split('/').includes('..'));
  const usable = (list: readonly string[] | undefined) => (list ?? []).filter((path) => !fixed.includes(path));
  const folders = [
    ...new Set([...usable(data_), ...usable(model_)].map((path) => path.split('/').slice(0, -1).join('/'))),
  ].filter((folder) => folder !== '');
  return {
    fixed,
    readsData: usable(data_).length > 0,
    before: [
      ...(folders.length === 0 ? [] : [`mkdir -p ${folders.map(quoted).join(' ')}`]),
      ...usable(data_).map((path) => `ln -sf "{train}/train.csv" ${quoted(path)}`),
    ],
    after: usable(model_).map((path) => `cp ${quoted(path)} "{model}/"`),
  };
}

const quoted = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `"${path}"`);

/** The literal stands in a call that reads, or in a constant that such a call is given. */
function isRead(code: string, match: RegExpExecArray): boolean {
  const constant = constantOf(code, match);
  return reads.some((call) =>
    callsOf(code, call).some(
      (given) => given.includes(match[0]) || (constant !== undefined && new RegExp(`\\b${constant}\\b`).test(given)),
    ),
  );
}

function isKept(code: string, match: RegExpExecArray): boolean {
  const constant = constantOf(code, match);
  return code
    .split('\n')
    .some(
      (line) =>
        keeps.test(line) &&
        !/\bload\b|['"]rb?['"]/.test(line) &&
        (line.includes(match[0]) ||
          (constant !== undefined && new RegExp(`\\b${constant}\\b`).test(line.replace(/^\s*\w+\s*=/, '')))),
    );
}

const constantOf = (code: string, { index }: RegExpExecArray): string | undefined =>
  /^(\w+)\s*(?::[^=\n]*)?=\s*(?:(?:pathlib\.)?Path\()?\s*$/.exec(
    code.slice(code.lastIndexOf('\n', index) + 1, index),
  )?.[1];
