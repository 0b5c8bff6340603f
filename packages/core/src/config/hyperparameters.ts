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
  if (entries.length > most) return `${entries.length} hyperparameters are more than the ${most} that a job takes`;
  for (const [name, value] of entries) {
    if (!names.test(name))
      return `the hyperparameter ${shown(name)} is not named by letters, digits, _ . and -, 256 at most, a letter or _ first`;
    if (name.startsWith(reserved))
      return `the hyperparameter ${shown(name)} is one of SageMaker's own, which choose what code runs: use another name`;
    const text = String(value);
    if (text.length > longest)
      return `the hyperparameter ${shown(name)} has ${text.length} characters, more than ${longest}: put it into a file of the code`;
    if (text.includes('\0'))
      return `the hyperparameter ${shown(name)} has a NUL character in it, which no program can be given`;
  }
  const bytes = encodeText(canonical(given)).length;
  return bytes > mostBytes
    ? `the hyperparameters are ${bytes} bytes in all, more than ${mostBytes}: put them into a file of the code`
    : undefined;
}
