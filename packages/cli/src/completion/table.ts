import type { CommandSpec, OptionSpec } from '../commands.ts';

/**
 * What may stand at a place: a list that the server has (`models`, `runs`), `files`, words that are known (`=aws gcp`),
 * or nothing that anybody could propose (`''`).
 */
export type Kind = string;

export interface CompletedOption {
  /** With its dashes. */
  readonly flag: string;
  readonly does: string;
  /** Absent: it takes no value. */
  readonly value?: Kind;
}

/** A command as a shell completes it. */
export interface Completed {
  readonly words: readonly string[];
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** In order; the last one goes on where it `repeats`. */
  readonly args: readonly Kind[];
  readonly repeats: boolean;
}

const byArgument: Readonly<Record<string, Kind>> = {
  model: 'models',
  digest: 'datasets',
  version: 'versions',
  number: 'versions',
  other: 'versions',
  stream: 'streams',
  directory: 'files',
  files: 'files',
  input: 'files',
  labels: 'files',
  shell: '=bash zsh fish',
};

const byOption: Readonly<Record<string, Kind>> = {
  '--model': 'models',
  '--context': 'contexts',
  '--config': 'files',
  '--file': 'files',
  '--against': 'files',
  '--directory': 'files',
  '--cloud': '=aws gcp azure',
  '--role': '=predictor viewer operator approver admin',
  '--job': '=prepare train evaluate champion',
  '--to': 'versions',
};

/** What an id or a name is of, by the first word of its command. */
const byNoun: Readonly<Record<string, Kind>> = {
  why: 'things',
  logs: 'served',
  endpoints: 'models',
  context: 'contexts',
};

export const completedOf = (commands: readonly CommandSpec[]): readonly Completed[] =>
  commands.map(({ name, summary, args = '', options = [] }) => {
    const words = name.split(' ');
    const given = args.split(' ').filter((part) => part !== '');
    return {
      ...{ words, summary },
      options: [
        ...options.map((option) => completedOption(option, words)),
        { flag: '--json', does: 'one JSON document on standard output' },
      ],
      args: given.map((part) => argumentKind(part.replace(/[<>[\].]/g, ''), words)),
      repeats: given.at(-1)?.includes('...') ?? false,
    };
  });

function completedOption({ flags, does }: OptionSpec, [noun = '']: readonly string[]): CompletedOption {
  const [flag = '', value] = flags.split(' ');
  if (value === undefined) return { flag, does };
  if (flag === '--status') return { flag, does, value: `statuses-${noun}` };
  if (value === '<script>') return { flag, does, value: 'files' };
  return { flag, does, value: byOption[flag] ?? '' };
}

const argumentKind = (name: string, [noun = '', verb]: readonly string[]): Kind =>
  name === 'id' || name === 'what' || (name === 'name' && verb !== 'add' && verb !== 'create')
    ? (byNoun[noun] ?? noun)
    : (byArgument[name] ?? '');

/** First words, each with what it is about. */
export function firstWords(
  all: readonly Completed[],
  nouns: Readonly<Record<string, string>>,
): readonly (readonly [string, string])[] {
  const words = new Map<string, string>();
  for (const {
    words: [first = '', second],
    summary,
  } of all)
    if (!words.has(first)) words.set(first, second === undefined ? summary : (nouns[first] ?? ''));
  return [...words];
}

/** Second words of those that have some, each with what it does. */
export function secondWords(all: readonly Completed[]): ReadonlyMap<string, readonly (readonly [string, string])[]> {
  const verbs = all.filter(({ words }) => words.length > 1);
  return new Map(
    [...Map.groupBy(verbs, ({ words }) => words[0] ?? '')].map(([first, own]) => [
      first,
      own.map(({ words, summary }) => [words[1] ?? '', summary] as const),
    ]),
  );
}

/** A text between single quotes of a shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
