import type { Client } from '../client.ts';
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
  wholeNumber,
} from '../invocation.ts';
import { isDocument, reasonOf, waitForEnd } from '../wait.ts';

export const rollback: Command = async (invocation) => {
  const model = argument(invocation, 0);
  const client = await clientOf(invocation);
  const to = textOption(invocation, 'to')?.replace(/^v/, '');
  const because = textOption(invocation, 'because');
  const body = {
    ...(to === undefined ? {} : { to: wholeNumber(to, '--to') }),
    ...(because === undefined ? {} : { because }),
  };
  const does = `roll back ${model}${to === undefined ? ' to its last good version' : ` to v${to}`}`;
  const answer = await change(invocation, client, {
    method: 'POST',
    path: path`/v1/models/${model}/rollback`,
    body,
    does,
    asks: true,
  });
  if (answer === undefined) return 0;
  if (invocation.options.wait === true && answer.body.outcome === 'accepted') return settled(invocation, client, model);
  show(invocation, answer.body, () => outcomeText(does, answer.body, invocation.terminal));
  return 0;
};

/**
 * A rollback either takes the active rollout back or begins one of its own: in both cases what was asked for is done
 * when the model's rollout is over. Exit code 7 when the rollback was itself taken back.
 */
async function settled(invocation: Invocation, client: Client, model: string): Promise<number> {
  const { rollout: begun } = await client.get(path`/v1/models/${model}`);
  const rollout = isDocument(begun) ? await waitForEnd(invocation, client, 'rollouts', String(begun.id)) : {};
  const { champion = null } = await client.get(path`/v1/models/${model}`);
  const serving = champion === null ? 'nothing is served' : `v${champion} serves`;
  show(invocation, { ...rollout, champion }, () => `${model}: ${serving}; ${reasonOf(rollout)}\n`);
  return rollout.kind === 'rollback' && rollout.status !== 'promoted' ? 7 : 0;
}
