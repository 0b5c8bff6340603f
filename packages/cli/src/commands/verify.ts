import { type Verification, verifyRollout } from '@serin/core/model/rollout/verify';
import type { Entry } from '@serin/core/ports/journal';
import { certificateLines } from '../certificate-text.ts';
import { argument, type Command, clientOf, type Invocation, path, show, textOption } from '../invocation.ts';
import { linesOf } from '../ndjson.ts';
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
  // `verifyRollout` checks what is in the lines.
  if (file !== undefined)
    return verifyRollout(linesOf(file, 'serin audit export model/<name>') as readonly Entry[], id);
  const answer = await (await clientOf(invocation)).get(path`/v1/rollouts/${id}/verification`);
  return answer as unknown as Verification; // the server's own schema
}

const ended: ReadonlySet<string> = new Set(['promoted', 'rolledBack', 'aborted']);
