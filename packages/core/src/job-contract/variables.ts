import { Fault } from '../base/fault.ts';
import { canonical } from '../base/json.ts';
import type { Job } from '../ports/jobs.ts';

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

/** A job that ended well without a promised output: which, where it was looked for, and what names that place to a program. */
export function missingOutput(name: string, place: string): Fault {
  const variables: Readonly<Record<string, string>> = { model: 'SM_MODEL_DIR', output: 'SM_OUTPUT_DATA_DIR' };
  const variable = variables[name] ?? `SERIN_OUTPUT_${name.toUpperCase()}`;
  const why = `the job ended well, but wrote no ${name} into ${place}`;
  return new Fault('invalid', `${why}; let it write into the folder that ${variable} names`);
}
