import { existsSync } from 'node:fs';
import { join, normalize, resolve } from 'node:path';
import type { CloudFacts } from '@serin/clouds/facts';
import type { CompiledConfig } from '@serin/core/config/config';
import { forecastText, rolloutWarnings } from '@serin/core/judge/forecast';
import { proposalFields, proposalFor, proposalText } from '@serin/core/judge/proposal';
import { findConfig, loadConfig } from '../config-file.ts';
import { configJsonSchema } from '../config-json-schema.ts';
import { missingSecrets } from '../hook-secrets.ts';
import { type Command, type Invocation, show, textOption } from '../invocation.ts';
import { namedCloud, prepareFor } from '../plan/for-cloud.ts';
import { instancesOf, instancesText, quotasOf } from '../plan/instances.ts';
import { missingEnvironment } from '../python-environment.ts';
import { dataLeftOut, type Prepared, prepareRelease } from '../release.ts';
import { retiredSdk } from '../retired-sdk.ts';

/**
 * Checks what a release would check, without a server: the config, its code folders, and the scripts it names; with
 * `--cloud` also what that cloud cannot do, and which instances it would take.
 */
export const validate: Command = async (invocation) => {
  const file = findConfig(invocation.cwd, textOption(invocation, 'config'));
  const facts = namedCloud(invocation);
  const prepared = facts === undefined ? await prepareRelease(file) : await prepareFor(file, facts);
  const onCloud = facts === undefined ? undefined : explained(prepared.compiled, facts);
  const served = Object.entries(prepared.compiled.models).filter(([, plan]) => plan.serve !== 'none');
  const warnings = [
    ...missingScripts(prepared),
    ...(await retiredSdk(prepared.folders)),
    ...dataLeftOut(prepared),
    ...(facts === undefined ? ofThisMachine(prepared, invocation) : []),
    ...served.flatMap(([model, { rollout, serve }]) =>
      rolloutWarnings(rollout, serve !== 'none' && serve.stickyBy !== undefined).map(
        (warning) => `models.${model}.rollout: ${warning}`,
      ),
    ),
  ];
  const forecasts = Object.fromEntries(served.map(([model, { rollout }]) => [model, forecastText(rollout)]));
  const proposals = Object.fromEntries(
    served.flatMap(([model, { rollout }]) => {
      const proposal = proposalFor(rollout);
      const said = proposal && { write: proposalFields(proposal), because: proposalText(proposal) };
      return said === undefined ? [] : [[model, said] as const];
    }),
  );
  const code = Object.fromEntries([...prepared.folders].map(([name, { digest }]) => [name, digest]));
  const models = Object.keys(prepared.compiled.models);
  for (const warning of warnings) invocation.terminal.say(`serin: ${warning}\n`);
  const document = { valid: true, config: file, digest: prepared.digest, models, code, warnings, forecasts, proposals };
  show(invocation, { ...document, ...onCloud }, () =>
    [
      `${invocation.terminal.paint('green', 'ok')}  ${file}: ${models.join(', ')}`,
      ...Object.entries(forecasts).flatMap(([model, text]) => [`  ${model}: ${text}`, ...proposed(proposals[model])]),
      ...(facts === undefined || onCloud === undefined ? [] : ['', instancesText(onCloud, facts)]),
      '',
    ].join('\n'),
  );
  return 0;
};

const proposed = (proposal: { readonly write: string; readonly because: string } | undefined): readonly string[] =>
  proposal === undefined
    ? []
    : ['    to end sooner, write into its rollout:', `      ${proposal.write}`, `    then ${proposal.because}`];

const ofThisMachine = (prepared: Prepared, { env }: Invocation): readonly string[] => [
  ...missingSecrets(prepared.compiled, env),
  ...missingEnvironment(prepared, env),
];

function explained(config: CompiledConfig, facts: CloudFacts) {
  const machines = instancesOf(config, facts);
  return { cloud: facts.cloud, machines, quotas: quotasOf(machines, config) };
}

/** Scripts that a command names and its folder does not have; an image may bring them, so this is not an error. */
function missingScripts({ config, folders }: Prepared): string[] {
  return Object.entries(config.parsed.models).flatMap(([model, { train, evaluate, serve }]) =>
    Object.entries({ train, evaluate, serve: serve === 'none' ? undefined : serve }).flatMap(([part, program]) => {
      const folder = program?.code ?? train.code;
      const script = program?.command.slice(1).find((word) => /\.(py|mjs|js|ts|sh|R|jl)$/.test(word));
      const found = folders.get(folder ?? '');
      if (program === undefined || folder === undefined || script === undefined || found === undefined) return [];
      if (script.startsWith('/') || found.files.some(({ path }) => path === normalize(script))) return [];
      const isThere = existsSync(join(resolve(config.directory, folder), script));
      const because = isThere ? `which an ignore file leaves out of ${folder}` : `which is not in ${folder}`;
      return [`models.${model}.${part}.command names ${script}, ${because}`];
    }),
  );
}

export const print: Command = async (invocation) => {
  const { parsed } = await loadConfig(findConfig(invocation.cwd, textOption(invocation, 'config')));
  show(invocation, parsed, () => `${JSON.stringify(parsed, null, 2)}\n`);
  return 0;
};

export const schema: Command = async (invocation) => {
  const document = configJsonSchema();
  show(invocation, document, () => `${JSON.stringify(document, null, 2)}\n`);
  return 0;
};
