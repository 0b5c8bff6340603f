import { Failure } from './failure.ts';
import { argument, type Invocation, path, wholeNumber } from './invocation.ts';

/** A version as people write it: `fraud 5`, `fraud v5`, `fraud@5` or `fraud@v5`. */
export function versionArgument(
  invocation: Pick<Invocation, 'args'>,
  at = 0,
): { readonly model: string; readonly number: number } {
  const [model = '', joined] = argument(invocation, at).split('@');
  const number = joined ?? argument(invocation, at + 1);
  if (number === '')
    throw new Failure(2, `'${model}' names no version`, { mend: `write it as ${model || '<model>'}@<number>` });
  return { model, number: wholeNumber(number.replace(/^v/, ''), 'the version') };
}

export function versionPath(invocation: Pick<Invocation, 'args'>): string {
  const { model, number } = versionArgument(invocation);
  return path`/v1/models/${model}/versions/${number}`;
}
