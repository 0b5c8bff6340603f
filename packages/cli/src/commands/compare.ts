import type { Client, Document } from '../client.ts';
import { Failure } from '../failure.ts';
import { type Command, clientOf, path, show } from '../invocation.ts';
import { type Comparison, compareScreen } from '../screens/compare.ts';
import { versionArgument } from '../version-argument.ts';
import { isDocument } from '../wait.ts';

type Named = ReturnType<typeof versionArgument>;

/** Two versions side by side: scores, what they were made from, and how they served. One alone meets the champion. */
export const compare: Command = async (invocation) => {
  const one = versionArgument(invocation);
  const rest = { args: invocation.args.slice(invocation.args[0]?.includes('@') ? 1 : 2) };
  const client = await clientOf(invocation);
  const model = await client.get(path`/v1/models/${one.model}`);
  const other = otherOf(rest.args, one, model.champion);
  const comparison: Comparison = {
    versions: [await side(client, one), await side(client, other)],
    gate: isDocument(model.plan) ? model.plan.gate : undefined,
  };
  show(invocation, comparison, () => compareScreen(comparison, invocation.terminal));
  return 0;
};

function otherOf(args: readonly string[], one: Named, champion: unknown): Named {
  const [given] = args;
  if (given !== undefined) return versionArgument(/^v?\d+$/.test(given) ? { args: [one.model, given] } : { args });
  if (typeof champion === 'number' && champion !== one.number) return { model: one.model, number: champion };
  const name = `${one.model}@${one.number}`;
  throw new Failure(2, `there is nothing to compare ${name} with`, {
    why: champion === one.number ? `${name} is the champion` : `${one.model} has no champion yet`,
    mend: `name another version: 'serin compare ${name} ${one.model}@<number>'`,
  });
}

/** A version, and the newest rollout in which it was the candidate. */
async function side(client: Client, { model, number }: Named) {
  const version = await client.get(path`/v1/models/${model}/versions/${number}`);
  const rollouts = await client.list('/v1/rollouts', { model }, 200);
  const row = rollouts.items.filter(isDocument).find((rollout) => rollout.version === number);
  const rollout: Document | undefined = row && (await client.get(path`/v1/rollouts/${String(row.id)}`));
  return { version, ...(rollout === undefined ? {} : { rollout }) };
}
