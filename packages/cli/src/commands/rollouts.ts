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
import { isDocument, newestOf, reasonOf, waitForEnd } from '../wait.ts';
import { type RolloutDocument, rolloutFrame } from '../watching/rollout-frame.ts';
import { watched } from '../watching/watch.ts';

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

/** Follows a rollout, or the newest one of a model, to its end. */
export const watch: Command = async (invocation) => {
  const client = await clientOf(invocation);
  const { terminal, options } = invocation;
  const id = await newestOf(client, 'rollouts', argument(invocation, 0));
  const rollout = await watched<RolloutDocument>(invocation, {
    what: `rollout ${id}`,
    // As the API answers it.
    look: async () => (await client.get(path`/v1/rollouts/${id}`)) as RolloutDocument,
    isOver: ({ endedAt }) => endedAt !== undefined,
    frame: (seen, now) => rolloutFrame(seen, now, terminal),
    changes: (seen, before) => newLines(seen, before, terminal),
  });
  if (terminal.width !== undefined || (terminal.json && options.watch === true))
    return rollout.status === 'promoted' ? 0 : 7;
  return ended(invocation, rollout);
};

/** The lines of the timeline that are newer than those of before. */
function newLines(rollout: Document, before: Document | undefined, terminal: Invocation['terminal']): string {
  const linesOf = ({ story }: Document) => (Array.isArray(story) ? story.filter(isDocument) : []);
  const timeOf = ({ at }: Document) => Date.parse(String(at));
  const last = Math.max(0, ...(before === undefined ? [] : linesOf(before).map(timeOf)));
  return linesOf(rollout)
    .filter((line) => timeOf(line) > last)
    .map(({ at, text }) => `${terminal.paint('dim', textOf('at', at))}  ${textOf('text', text)}\n`)
    .join('');
}
