/** What a script says about itself, as far as reading its text tells. */
export interface ScriptFacts {
  readonly hyperparameters: Readonly<Record<string, string | number>>;
  /** Arguments of the command that say where data are and where the model goes, with placeholders as values. */
  readonly places: readonly string[];
  /** Channels it reads, lower case, from `SM_CHANNEL_*`. */
  readonly channels: readonly string[];
  /** It writes its model where `SM_MODEL_DIR` says. */
  readonly savesModel: boolean;
}

interface Argument {
  readonly name: string;
  /** `undefined`: none, or one that is computed. */
  readonly fallback: string | number | undefined;
  readonly positional: boolean;
  /** It takes its value from the environment of a training job by itself. */
  readonly fromJob: boolean;
}

/** Reads arguments of argparse and click, and the names of channels. Flags whose default is computed are left out. */
export function factsOf(text: string): ScriptFacts {
  const found = ['add_argument', 'option', 'argument'].flatMap((call) => argumentsOf(text, call)).flatMap(argumentIn);
  const told = found.map((argument) => ({ argument, place: placeOf(argument) }));
  const hyperparameters = told.flatMap(({ argument: { name, fallback, positional, fromJob }, place }) =>
    place !== undefined || fallback === undefined || positional || fromJob ? [] : [[name, fallback] as const],
  );
  const places = told.flatMap(({ argument, place }) =>
    place === undefined ? [] : argument.positional ? [place] : [`--${argument.name}`, place],
  );
  const channels = [...text.matchAll(/\bSM_CHANNEL_([A-Z0-9_]+)/g)].map(([, name = '']) => name.toLowerCase());
  return {
    hyperparameters: Object.fromEntries(hyperparameters),
    places,
    channels: [...new Set(channels)],
    savesModel: /\bSM_MODEL_DIR\b/.test(text) || places.some((place) => place.includes('outputs.model')),
  };
}

function argumentIn(call: string): readonly Argument[] {
  const [, , dashes = '', name] = /(['"])(--|)([A-Za-z][\w-]*)\1/.exec(call) ?? [];
  if (name === undefined) return [];
  const [, number, , quoted] =
    /\bdefault\s*=\s*(?:(-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|(?:Path\(|pathlib\.Path\()?(['"])(.*?)\2\)?)\s*(?:,|$)/.exec(
      call,
    ) ?? [];
  const fallback = number === undefined ? quoted : Number(number);
  return [{ name, fallback, positional: dashes === '', fromJob: /\bSM_[A-Z]/.test(call) }];
}

const dataNames =
  /^(?:train|test|validation|holdout|data|dataset|input|csv)(?:[-_](?:data|dir|directory|folder|root|path|file|csv))*$/i;
const modelNames =
  /^(?:(?:model|output|out|save|artifacts?)(?:[-_](?:data|model|dir|directory|folder|root|path|file|out|output|to))*|dest(?:ination)?)$/i;
/** Words that are a path, beside what has a slash or an ending. */
const isPath = (text: string): boolean =>
  /[/\\]|\.[A-Za-z]\w{0,9}$/.test(text) ||
  /^(?:\.|data|datasets?|input|train|models?|out|outputs?|artifacts?|results?)$/i.test(text);
const saysPath = (name: string): boolean => /[-_](?:dir|directory|folder|root|path|file)$/i.test(name);

/** Filled in by the platform when the job starts. */
const place = (name: string): string => `\${{${name}}}`;

/**
 * Where a job has what an argument asks for. A default that names a file asks for one: of the dropped files the one of
 * that name. A `--model` whose default is no path is the kind of a model.
 */
function placeOf({ name, fallback, positional, fromJob }: Argument): string | undefined {
  if (fromJob || typeof fallback === 'number') return undefined;
  if (fallback === undefined ? !(positional || saysPath(name)) : !(isPath(fallback) || saysPath(name)))
    return undefined;
  const folder = modelNames.test(name)
    ? place('outputs.model')
    : dataNames.test(name)
      ? place('inputs.train')
      : undefined;
  const file = /([^/\\]+\.[A-Za-z]\w{0,9})$/.exec(fallback ?? '')?.[1];
  return folder === undefined || file === undefined ? folder : `${folder}/${file}`;
}

/** What stands between the parentheses of each call of a function; strings may hold parentheses. */
function argumentsOf(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`(?<!\\w)${name}\\(`, 'g'))].map(({ 0: call, index }) => {
    const from = index + call.length;
    let depth = 1;
    for (const { 0: token, index: at } of text.slice(from).matchAll(/"[^"\n]*"|'[^'\n]*'|[()]/g)) {
      depth += token === '(' ? 1 : token === ')' ? -1 : 0;
      if (depth === 0) return text.slice(from, from + at);
    }
    return '';
  });
}
