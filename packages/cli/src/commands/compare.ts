import type { Client, Document } from '../client.ts';
import { type Command, clientOf, path, show } from '../invocation.ts';
import { type Comparison, compareScreen } from '../screens/compare.ts';
import { versionArgument } from '../version-argument.ts';
import { isDocument } from '../wait.ts';

/** Two versions side by side: scores, what they were made from, and how they served. */
export const compare: Command = async (invocation) => {
  const one = versionArgument(invocation);
  const rest = { args: invocation.args.slice(invocation.args[0]?.includes('@') ? 1 : 2) };
  const other = versionArgument(/^v?\d+$/.test(rest.args[0] ?? '') ? { args: [one.model, rest.args[0] ?? ''] } : rest);
  const client = await clientOf(invocation);
  const model = await client.get(path`/v1/models/${one.model}`);
  const comparison: Comparison = {
    versions: [await side(client, one), await side(client, other)],
    gate: isDocument(model.plan) ? model.plan.gate : undefined,
  };
  show(invocation, comparison, () => compareScreen(comparison, invocation.terminal));
  return 0;
};

/** A version, and the newest rollout in which it was the candidate. */
async function side(client: Client, { model, number }: { readonly model: string; readonly number: number }) {
  const version = await client.get(path`/v1/models/${model}/versions/${number}`);
  const rollouts = await client.list('/v1/rollouts', { model }, 200);
  const row = rollouts.items.filter(isDocument).find((rollout) => rollout.version === number);
  const rollout: Document | undefined = row && (await client.get(path`/v1/rollouts/${String(row.id)}`));
  return { version, ...(rollout === undefined ? {} : { rollout }) };
}
