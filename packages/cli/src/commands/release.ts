import { canonical, type Json } from '@serin/core/base/json';
import type { ModelPlan } from '@serin/core/config/config';
import type { Client } from '../client.ts';
import { findConfig } from '../config-file.ts';
import { asFailure } from '../failure.ts';
import { type Command, change, clientOf, type Invocation, outcomeText, path, show, textOption } from '../invocation.ts';
import { progressOn } from '../progress.ts';
import { dataLeftOut, type Prepared, platformOf, prepareRelease, uploadCode } from '../release.ts';
import { waitFor } from '../wait.ts';

export const release: Command = async (invocation) => {
  const { terminal, options, cwd } = invocation;
  const file = findConfig(cwd, textOption(invocation, 'config'));
  const client = await clientOf(invocation);
  const prepared = await prepareRelease(file, await platformOf(client));
  for (const line of dataLeftOut(prepared)) terminal.say(`serin: ${line}\n`);
  if (options.dryRun === true) return dryRun(invocation, client, prepared);
  const progress = progressOn(terminal);
  const stored = await uploadCode(client, prepared.folders.values(), (line, done, total) =>
    terminal.redraw === undefined ? terminal.say(`${line}\n`) : progress.bytes(done, total),
  ).finally(progress.end);
  const does = `release ${prepared.digest.slice(0, 12)} of ${prepared.compiled.project} (${summary(prepared)})`;
  const answer = await change(invocation, client, {
    method: 'POST',
    path: '/v1/releases',
    body: { config: prepared.compiled },
    does,
  });
  if (answer === undefined) return 0;
  if (options.wait === true) await spreadOf(invocation, client, prepared);
  const document = { ...answer.body, digest: prepared.digest, stored };
  show(invocation, document, () => outcomeText(does, answer.body, terminal));
  return 0;
};

const summary = ({ compiled }: Prepared): string => {
  const names = Object.keys(compiled.models);
  return names.length === 1 ? `the model ${names[0]}` : `${names.length} models`;
};

async function dryRun(
  invocation: Invocation,
  client: Client,
  { compiled, digest, folders }: Prepared,
): Promise<number> {
  const code = Object.fromEntries(
    [...folders].map(([name, folder]) => [
      name,
      {
        digest: folder.digest,
        files: folder.files.length,
        bytes: folder.files.reduce((sum, { bytes }) => sum + bytes, 0),
      },
    ]),
  );
  const document = {
    dryRun: true,
    method: 'POST',
    path: '/v1/releases',
    digest,
    models: Object.keys(compiled.models),
    code,
  };
  show(invocation, document, () => {
    const lines = Object.entries(code).map(([name, { files, bytes }]) => `  ${name}: ${files} files, ${bytes} bytes`);
    return [
      `would release ${digest.slice(0, 12)} of ${compiled.project} to ${client.server.url}: ${Object.keys(compiled.models).join(', ')}`,
      ...lines,
      '',
    ].join('\n');
  });
  return 0;
}

/** Until every model has its part of the config. */
function spreadOf(invocation: Invocation, client: Client, { compiled }: Prepared): Promise<true> {
  const waiting = new Map(Object.entries(compiled.models).map(([model, plan]) => [model, canonical(asShown(plan))]));
  return waitFor(invocation, 'the release', async () => {
    for (const [model, plan] of waiting) {
      const told = await planOf(client, model);
      if (canonical(told) !== plan) return undefined;
      waiting.delete(model);
    }
    return true;
  });
}

/** Of a model that was not told anything yet: `undefined`. */
async function planOf(client: Client, model: string): Promise<Json | undefined> {
  try {
    return (await client.get(path`/v1/models/${model}`)).plan;
  } catch (error) {
    if (asFailure(error).exit === 3) return undefined;
    throw error;
  }
}

/** As the API shows a plan: of the environments of programs only the names. */
const asShown = (plan: ModelPlan): unknown =>
  JSON.parse(
    JSON.stringify(plan, (key, part: unknown) =>
      key === 'environment' && typeof part === 'object' && part !== null ? Object.keys(part) : part,
    ),
  );
