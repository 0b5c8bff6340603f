import { Fault } from '../base/fault.ts';
import { canonical } from '../base/json.ts';
import { placeholder } from '../base/placeholders.ts';
import type { Job, JobDescription } from '../ports/jobs.ts';

/**
 * What the programs of users already speak, the same on every platform: arguments and variables in the form of SageMaker's
 * toolkit (github.com/aws/sagemaker-training-toolkit: ENVIRONMENT_VARIABLES.md, environment.py, mapping.py), Azure ML's
 * placeholders, and the file of metrics.
 */

/**
 * `--name value` for each hyperparameter, as SageMaker's toolkit passes them: sorted, one dash before a single letter,
 * and truth as Python writes it.
 */
export const userArguments = ({ hyperparameters }: Pick<Job, 'hyperparameters'>): readonly string[] =>
  Object.entries(hyperparameters)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => [`${name.length > 1 ? '--' : '-'}${name}`, pythonWords[value] ?? value]);

const pythonWords: Readonly<Record<string, string>> = { true: 'True', false: 'False' };

/** Where a platform puts what a job is given and leaves; `undefined`: there is no such channel or output. */
export interface JobPlaces {
  readonly input: (channel: string) => string | undefined;
  readonly output: (name: string) => string | undefined;
}

/**
 * The command of a job: Azure ML's `${{inputs.x}}` and `${{outputs.y}}` filled in, and for a trainer the arguments.
 * A placeholder that names nothing is `invalid`.
 */
export function commandOf(job: Job, { input, output }: JobPlaces): readonly string[] {
  const own = (name: string) => (Object.hasOwn(job.hyperparameters, name) ? job.hyperparameters[name] : undefined);
  const fill = (whole: string, kind: string, name: string): string => {
    const value = kind === 'inputs' ? (input(name) ?? own(name)) : output(name);
    if (value !== undefined) return value;
    throw new Fault(
      'invalid',
      `the command of ${job.key} names ${whole}, which the job does not have; correct the command`,
    );
  };
  const command = job.command.map((part) => part.replace(placeholder, fill));
  return job.kind === 'train' ? [...command, ...userArguments(job)] : command;
}

/** A job that ended well without a promised output: which, where it was looked for, and what names that place to a program. */
export function missingOutput(name: string, place: string): Fault {
  const variables: Readonly<Record<string, string>> = { model: 'SM_MODEL_DIR', output: 'SM_OUTPUT_DATA_DIR' };
  const variable = variables[name] ?? `SERIN_OUTPUT_${name.toUpperCase()}`;
  const why = `the job ended well, but wrote no ${name} into ${place}`;
  return new Fault('invalid', `${why}; let it write into the folder that ${variable} names`);
}

/** The script, or the module after `-m`: what SageMaker calls the program. */
export const entryPoint = ({ command }: Pick<Job, 'command'>): string =>
  command.slice(1).find((part) => !part.startsWith('-')) ?? command[0] ?? '';

/** Values as the toolkit decodes them: `'10'` is the number 10, what is no JSON stays text. */
export const decodedHyperparameters = ({ hyperparameters }: Pick<Job, 'hyperparameters'>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(hyperparameters).map(([name, text]) => [name, decoded(text)]));

function decoded(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    const exact =
      typeof value !== 'number' ||
      (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)));
    return exact ? value : text;
  } catch {
    return text;
  }
}

/** Where each channel is. What SageMaker's SDK calls a channel without a name, `training`, is `train`, unless there is one. */
export function channelVariables(paths: Readonly<Record<string, string>>): Record<string, string> {
  const { train } = paths;
  return prefixed('SM_CHANNEL_', { ...(train === undefined ? {} : { training: train }), ...paths });
}

/** Variables of a family: names in capitals after the prefix, values as text or JSON. */
export function prefixed(prefix: string, values: Readonly<Record<string, unknown>>): Record<string, string> {
  const text = (value: unknown) => (typeof value === 'string' ? value : canonical(value));
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name.toUpperCase(), text(value)]));
}

/** Of a file of metrics. */
export const maxMetricsBytes = 1024 * 1024;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isWord = (value: unknown): value is string => typeof value === 'string' && value.startsWith('\0');

/** What a job measured. */
export interface Measured {
  readonly metrics: Readonly<Record<string, number>>;
  /** Why a metric, or a whole file of them, was not taken: by name, the first ten. */
  readonly unread: Readonly<Record<string, string>>;
}
export const nothingMeasured: Measured = { metrics: {}, unread: {} };
const keptReasons = 10;

/** The part of a description that says what was measured. */
export const describedBy = ({ metrics, unread }: Measured): Pick<JobDescription, 'metrics' | 'unread'> => ({
  metrics,
  ...(Object.keys(unread).length === 0 ? {} : { unread }),
});

/** Of two sources the first wins. */
export function measuredBy(first: Measured, second: Measured): Measured {
  const unread = Object.entries({ ...second.unread, ...first.unread }).filter(([name]) => !(name in first.metrics));
  return {
    metrics: { ...second.metrics, ...first.metrics },
    unread: Object.fromEntries(unread.slice(0, keptReasons)),
  };
}

/** Names and values as numbers; also of text that is one. Nothing that a gate does not name fails a job that was paid for. */
export function measured(values: Iterable<readonly [string, unknown]>, where: string): Measured {
  const metrics = new Map<string, number>();
  const unread = new Map<string, string>();
  for (const [name, value] of values) {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) metrics.set(name, number);
    else if (unread.size < keptReasons) unread.set(name, `it is ${saidOf(value)} in ${where}`);
  }
  return { metrics: Object.fromEntries(metrics), unread: Object.fromEntries(unread) };
}

function saidOf(value: unknown): string {
  if (isWord(value)) return value.slice(1);
  return typeof value === 'string' ? `the text ${JSON.stringify(value.slice(0, 40))}` : String(value);
}

/** The metrics of a file; of nested objects those in SageMaker's form. What is no such file is said under its name. */
export function metricsIn(file: string, text: string): Measured {
  const values = parsed(text);
  if (typeof values === 'string') return { metrics: {}, unread: { [file]: values } };
  return measured(
    Object.entries(values).flatMap(([name, value]): (readonly [string, unknown])[] => {
      if (!isObject(value)) return [[name, value]];
      // SageMaker's evaluation.json: {"regression_metrics": {"mse": {"value": 4.9, "standard_deviation": 2.2}}}
      return Object.entries(value).flatMap(([metric, detail]) =>
        isObject(detail) && 'value' in detail ? [[metric, detail.value] as const] : [],
      );
    }),
    file,
  );
}

/** JSON as Python writes it: NaN and Infinity are words there, marked here so that they can be named. Else what is wrong. */
function parsed(text: string): object | string {
  const words = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;
  const marked = text.replace(words, (part) => (part.startsWith('"') ? part : `"\\u0000${part}"`));
  let value: unknown;
  try {
    value = JSON.parse(marked);
  } catch (error) {
    return `it is not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  return isObject(value) && !Array.isArray(value) ? value : 'it is not an object of names and numbers';
}
