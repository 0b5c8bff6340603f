import type { Document } from '../client.ts';
import {
  argument,
  type Command,
  change,
  clientOf,
  type Invocation,
  outcomeText,
  path,
  show,
  textOption,
} from '../invocation.ts';
import { textOf } from '../table.ts';
import { isDocument, reasonOf, waitFor, waitForEnd } from '../wait.ts';

export const move =
  (verb: 'pause' | 'resume' | 'promote' | 'abort'): Command =>
  async (invocation) => {
    const id = argument(invocation, 0);
    const client = await clientOf(invocation);
    const because = textOption(invocation, 'because');
    const answer = await change(invocation, client, {
      method: 'POST',
      path: path`/v1/rollouts/${id}/${verb}`,
      body: because === undefined ? {} : { because },
      does: `${verb} ${id}`,
      asks: verb === 'abort',
    });
    if (answer === undefined) return 0;
    if (invocation.options.wait === true)
      return ended(invocation, await waitForEnd(invocation, client, 'rollouts', id));
    show(invocation, answer.body, () => outcomeText(`${verb} ${id}`, answer.body, invocation.terminal));
    return 0;
  };

/** Says how a rollout ended: 0 when it was promoted, 7 when it was taken back. */
export function ended(invocation: Invocation, rollout: Document): number {
  const promoted = rollout.status === 'promoted';
  const line = `${invocation.terminal.paint(promoted ? 'green' : 'red', String(rollout.status))}  v${rollout.candidate}: ${reasonOf(rollout)}\n`;
  show(invocation, rollout, () => line);
  return promoted ? 0 : 7;
}

/** Follows a rollout to its end: each line of its timeline once, or with `--json --watch` each state that differs. */
export const watch: Command = async (invocation) => {
  const id = argument(invocation, 0);
  const client = await clientOf(invocation);
  const { terminal, options } = invocation;
  let printedTo = 0;
  let before = '';
  const rollout = await waitFor(invocation, `rollout ${id}`, async () => {
    const now = await client.get(path`/v1/rollouts/${id}`);
    if (terminal.json && options.watch === true && JSON.stringify(now) !== before)
      terminal.out(`${JSON.stringify(now)}\n`);
    before = JSON.stringify(now);
    if (!terminal.json) printedTo = printNew(now, printedTo, invocation);
    return now.endedAt === undefined ? undefined : now;
  });
  if (terminal.json && options.watch === true) return rollout.status === 'promoted' ? 0 : 7;
  return ended(invocation, rollout);
};

/** Prints the lines of the timeline that are newer than the last one printed. */
function printNew(rollout: Document, lastAt: number, { terminal }: Invocation): number {
  const timeline = Array.isArray(rollout.story) ? rollout.story.filter(isDocument) : [];
  const timeOf = ({ at }: Document) => Date.parse(String(at));
  const fresh = timeline.filter((line) => timeOf(line) > lastAt);
  for (const { at, text } of fresh)
    terminal.out(`${terminal.paint('dim', textOf('at', at))}  ${textOf('text', text)}\n`);
  return Math.max(lastAt, ...fresh.map(timeOf));
}
