import { Fault } from './fault.ts';
import { canonical } from './json.ts';
import type { Job } from './ports.ts';

/**
 * What the programs of users already speak, the same on every platform: arguments and variables in the form of SageMaker's
 * toolkit (github.com/aws/sagemaker-training-toolkit: ENVIRONMENT_VARIABLES.md, environment.py, mapping.py), Azure ML's
 * placeholders, and the file of metrics.
 */

/** `--name value` for each hyperparameter, as SageMaker's toolkit passes them: sorted, one dash before a single letter. */
export const userArguments = ({ hyperparameters }: Pick<Job, 'hyperparameters'>): readonly string[] =>
  Object.entries(hyperparameters)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => [`${name.length > 1 ? '--' : '-'}${name}`, value]);

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
  const command = job.command.map((part) => part.replace(/\$\{\{\s*(inputs|outputs)\.([\w.-]+)\s*\}\}/g, fill));
  return job.kind === 'train' ? [...command, ...userArguments(job)] : command;
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

/** Variables of a family: names in capitals after the prefix, values as text or JSON. */
export function prefixed(prefix: string, values: Readonly<Record<string, unknown>>): Record<string, string> {
  const text = (value: unknown) => (typeof value === 'string' ? value : canonical(value));
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name.toUpperCase(), text(value)]));
}

/** Of a file of metrics. */
export const maxMetricsBytes = 1024 * 1024;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isWord = (value: unknown): value is string => typeof value === 'string' && value.startsWith('\0');

/** Numbers by name; text is left out. A number that is not finite is `invalid`, by its name. */
export function metricsIn(file: string, text: string): Readonly<Record<string, number>> {
  const found = new Map<string, number>();
  const put = (name: string, value: unknown) => {
    if (typeof value === 'number' && Number.isFinite(value)) found.set(name, value);
    // Infinity of 1e999, `null` of JSON.stringify(NaN), or one of Python's words
    else if (typeof value === 'number' || value === null || isWord(value)) throw notFinite(name, value, `in ${file}`);
  };
  for (const [name, value] of Object.entries(parsed(file, text))) {
    if (!isObject(value)) put(name, value);
    // SageMaker's evaluation.json: {"regression_metrics": {"mse": {"value": 4.9, "standard_deviation": 2.2}}}
    else
      for (const [metric, detail] of Object.entries(value))
        if (isObject(detail) && 'value' in detail) put(metric, detail.value);
  }
  return Object.fromEntries(found);
}

export function notFinite(name: string, value: unknown, where: string): Fault {
  const said = isWord(value) ? value.slice(1) : String(value);
  return new Fault('invalid', `the metric ${name} is ${said} ${where}, which is no finite number`);
}

/** JSON as Python writes it: NaN and Infinity are words there, marked here so that they can be named. */
function parsed(file: string, text: string): object {
  const words = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;
  const marked = text.replace(words, (part) => (part.startsWith('"') ? part : `"\\u0000${part}"`));
  let value: unknown;
  try {
    value = JSON.parse(marked);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Fault('invalid', `${file} is not JSON: ${why}`, { cause: error });
  }
  if (isObject(value) && !Array.isArray(value)) return value;
  throw new Fault('invalid', `${file} is not an object of names and numbers`);
}
