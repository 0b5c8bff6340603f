import { readFileSync } from 'node:fs';
import type { Entry } from '@serin/core/ports';
import { type Verification, verifyRollout } from '@serin/core/verify';
import { certificateLines } from '../certificate-text.ts';
import { Failure } from '../failure.ts';
import { argument, type Command, clientOf, type Invocation, path, show, textOption } from '../invocation.ts';
import { harmless } from '../terminal.ts';

/** Recomputes the certificate of a rollout: by the server from its journal, or here from an exported stream. */
export const verify: Command = async (invocation) => {
  const id = argument(invocation, 0);
  const found = await verification(invocation, id);
  const { paint } = invocation.terminal;
  show(invocation, found, () => {
    const goes =
      found.status !== undefined && !ended.has(found.status) ? `; it is ${found.status} and has not ended` : '';
    const head = found.verified
      ? `${paint('green', 'verified')}  ${id}: ${found.readings} readings judged again, every count and certificate is the same${goes}`
      : `${paint('red', 'differs')}  ${id}: the record is not what its ticks say`;
    return [
      head,
      ...found.problems.map((problem) => `  ${harmless(problem)}`),
      ...certificateLines(found.recorded),
      '',
    ].join('\n');
  });
  return found.verified ? 0 : 1;
};

async function verification(invocation: Invocation, id: string): Promise<Verification> {
  const file = textOption(invocation, 'file');
  if (file !== undefined) return verifyRollout(entriesOf(file), id);
  const answer = await (await clientOf(invocation)).get(path`/v1/rollouts/${id}/verification`);
  return answer as unknown as Verification; // the server's own schema
}

const ended: ReadonlySet<string> = new Set(['promoted', 'rolledBack', 'aborted']);

/** Lines of an export; `verifyRollout` checks what is in them. */
const entriesOf = (file: string): readonly Entry[] =>
  textOf(file)
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [parsed(line, index + 1)]));

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(2, `cannot read ${file}`, {
      why: error instanceof Error ? error.message : String(error),
      mend: 'name a file that `serin audit export model/<name>` wrote',
      cause: error,
    });
  }
}

function parsed(line: string, number: number): Entry {
  try {
    return JSON.parse(line) as Entry;
  } catch (error) {
    throw new Failure(2, `line ${number} is not JSON`, {
      why: error instanceof Error ? error.message : String(error),
      mend: 'export the stream again: `serin audit export model/<name>`',
      cause: error,
    });
  }
}
