import { canonical, encodeText } from '../base/json.ts';

const names = /^[A-Za-z_][\w.-]{0,255}$/;
// The smallest limits of all platforms, so that a config runs on each of them.
const most = 100;
const longest = 2500;
// Of the toolkit whose form job-contract has: in an image that brings it, they choose what code runs.
const reserved = 'sagemaker_';
// A job gets all of them in one variable, too, and Linux takes 128 KiB in a variable (execve(2): MAX_ARG_STRLEN).
const mostBytes = 32_000;

/** What is wrong with the hyperparameters of a job, or nothing. */
export function hyperparameterProblem(given: Readonly<Record<string, string | number | boolean>>): string | undefined {
  const entries = Object.entries(given);
  const shown = (name: string) => JSON.stringify(name.length > 60 ? `${name.slice(0, 59)}…` : name);
  if (entries.length > most)
    return `a job takes at most ${most} hyperparameters, not ${entries.length}: put some into a file of the code`;
  for (const [name, value] of entries) {
    if (!names.test(name))
      return `the hyperparameter ${shown(name)} cannot have this name: use letters, digits, _ . and -, a letter or _ first, at most 256 characters`;
    if (name.startsWith(reserved))
      return `the hyperparameter ${shown(name)} has a name that SageMaker keeps for itself: use another name`;
    const text = String(value);
    if (text.length > longest)
      return `the hyperparameter ${shown(name)} has ${text.length} characters, more than ${longest}: put it into a file of the code`;
    if (text.includes('\0'))
      return `the hyperparameter ${shown(name)} has a NUL character, which a program cannot be given: remove it`;
  }
  const bytes = encodeText(canonical(given)).length;
  return bytes > mostBytes
    ? `the hyperparameters are ${bytes} bytes in all, more than ${mostBytes}: put them into a file of the code`
    : undefined;
}
