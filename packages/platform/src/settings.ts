import { Fault } from '@serin/core/base/fault';

/** The environment variables of a process, as its deployment sets them. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The text of a variable that must be there. */
export function required(variables: Variables, name: string): string {
  const value = variables[name];
  if (value !== undefined && value !== '') return value;
  throw new Fault('invalid', `the environment variable ${name} is not set; deploy again with \`serin deploy\``);
}

/** A list in a variable: its parts are separated by commas. */
export const listOf = (text = ''): readonly string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
