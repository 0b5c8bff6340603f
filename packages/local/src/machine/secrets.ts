import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '@serin/core/base/fault';
import { type Secrets, secretText } from '@serin/core/base/variables';
import { isMissing } from './faults.ts';

/**
 * Secrets of this machine by name: the variable `SERIN_SECRET_<NAME>` of the server, or the file `secrets/<name>` of its
 * data directory, without the line break at its end. Looked up each time, so a changed file counts from the next start on.
 * One that no program can be given is refused here, where its name is known and its text is not told.
 */
export function secretsIn(directory: string, environment: Readonly<Record<string, string | undefined>>): Secrets {
  return (name) => {
    const variable = `SERIN_SECRET_${name.toUpperCase().replaceAll('-', '_')}`;
    const file = join(directory, 'secrets', name);
    const text = environment[variable] ?? textOf(file);
    if (text?.includes('\0'))
      throw new Fault(
        'invalid',
        `the secret '${name}' in ${file} has a NUL byte, which a program cannot be given; write it as plain text, such as base64`,
      );
    if (text !== undefined) return text;
    throw new Fault(
      'invalid',
      `there is no secret '${name}'; write it into ${file}, or set ${variable} for the server and start it again`,
    );
  };
}

function textOf(file: string): string | undefined {
  try {
    return secretText(readFileSync(file, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new Fault('invalid', `the secret in ${file} cannot be read; correct the rights of the file`, {
      cause: error,
    });
  }
}
