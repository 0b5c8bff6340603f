import { readFileSync } from 'node:fs';
import { Failure } from './failure.ts';

/** The values of a file with one JSON value on each line; `wroteBy` is the command that writes such a file. */
export const linesOf = (file: string, wroteBy: string): readonly unknown[] =>
  textOf(file, wroteBy)
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [parsed(line, `line ${index + 1} of ${file}`, wroteBy)]));

function textOf(file: string, wroteBy: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(2, `cannot read ${file}`, {
      why: error instanceof Error ? error.message : String(error),
      mend: `name a file that \`${wroteBy}\` wrote`,
      cause: error,
    });
  }
}

function parsed(line: string, what: string, wroteBy: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Failure(2, `${what} is not JSON`, {
      why: error instanceof Error ? error.message : String(error),
      mend: `export the stream again: \`${wroteBy}\``,
      cause: error,
    });
  }
}
