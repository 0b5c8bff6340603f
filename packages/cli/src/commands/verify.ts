import { type Verification, verifyRollout } from '@serin/core/model/rollout/verify';
import type { Entry } from '@serin/core/ports/journal';
import { certificateLines } from '../certificate-text.ts';
import { argument, type Command, clientOf, type Invocation, path, show, textOption } from '../invocation.ts';
import { linesOf } from '../ndjson.ts';
import { valueAt } from '../table.ts';
import { harmless } from '../terminal.ts';

/** Recomputes the certificate of a rollout: by the server from its journal, or here from an exported stream. */
export const verify: Command = async (invocation) => {
  const { id, found } = await verification(invocation, argument(invocation, 0));
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

async function verification(invocation: Invocation, begin: string): Promise<{ id: string; found: Verification }> {
  const file = textOption(invocation, 'file');
  if (file === undefined) {
    const answer = await (await clientOf(invocation)).get(path`/v1/rollouts/${begin}/verification`);
    return { id: begin, found: answer as unknown as Verification }; // the server's own schema
  }
  // `verifyRollout` checks what is in the lines.
  const entries = linesOf(file, 'serin audit export model/<name>') as readonly Entry[];
  const id = wholeId(entries, begin);
  return { id, found: verifyRollout(entries, id) };
}

/** The rollout of the export whose id begins so; of several or none the beginning itself, which is then not found. */
function wholeId(entries: readonly Entry[], begin: string): string {
  const ids = new Set(entries.map((entry) => String(valueAt(entry, 'patch.rollout.id') ?? '')));
  const [id, other] = [...ids].filter((each) => each.startsWith(begin) || each.startsWith(`ro_${begin}`));
  return id === undefined || other !== undefined || begin.length < 4 ? begin : id;
}

const ended: ReadonlySet<string> = new Set(['promoted', 'rolledBack', 'aborted']);
