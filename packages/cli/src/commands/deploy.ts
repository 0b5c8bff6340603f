import { basename } from 'node:path';
import { calledFrom } from '../called.ts';
import { type Command, type Invocation, show } from '../invocation.ts';
import { byHandText } from '../plan/by-hand.ts';
import { type SettingsFile, writeSettings } from '../plan/settings.ts';
import { addressOf, type Deployable, deployable, runSst } from '../plan/sst.ts';

/**
 * Sets up or updates the backend by SST, after the settings of the installation are written. Nothing is written or run
 * while anything is missing.
 */
export const deploy: Command = async (invocation) => {
  const { terminal, options } = invocation;
  const project = await deployable(invocation, 'deploy');
  const { stage, directory, sst, prepared, settings, topology } = project;
  const command = [sst, 'deploy', '--stage', stage];
  const { file, changes, wantsToken: newToken } = settings;
  const document = {
    project: prepared.compiled.project,
    stage,
    directory,
    command,
    settings: { file, changes, newToken },
  };
  if (options.dryRun === true) {
    show(invocation, { dryRun: true, ...document }, () => wouldText(document.settings, directory, command));
    return 0;
  }
  await tellToken(invocation, settings);
  await runSst(invocation, 'deploy', project);
  const address = await addressOf(project);
  const next = nextOf(project, calledFrom(invocation.cwd, invocation.env.PATH), address);
  show(invocation, { ...document, ...(address === undefined ? {} : { address }), next, byHand: topology.byHand }, () =>
    [
      `${terminal.paint('green', 'ok')}  deployed ${document.project} as ${stage}`,
      address === undefined
        ? `SST left no address in ${directory}/.sst/outputs.json: take the one that it printed above`
        : `its API: ${address}`,
      '',
      'next (paste the token, then Ctrl-D)',
      ...next.map((line) => `  ${line}`),
      '',
      byHandText(topology),
    ].join('\n'),
  );
  return 0;
};

function wouldText(
  {
    file,
    changes,
    newToken,
  }: { readonly file: string; readonly changes: readonly string[]; readonly newToken: boolean },
  directory: string,
  command: readonly string[],
): string {
  const writes = changes.length === 0 ? `${file} is up to date` : `would write ${file}: ${changes.join(', ')}`;
  const token = newToken ? ', and show a new token of its administrator once' : '';
  return `${writes}${token}\nwould run in ${directory}:\n  ${command.join(' ')}\n`;
}

/** Before anything is deployed: a token that is shown at the end would be lost with a deployment that breaks off. */
async function tellToken({ terminal }: Invocation, settings: SettingsFile): Promise<void> {
  const token = await writeSettings(settings);
  const name = basename(settings.file);
  if (settings.changes.length > 0) terminal.say(`serin: wrote ${settings.file}: ${settings.changes.join(', ')}\n`);
  if (token === undefined) return;
  terminal.say(
    `serin: the token of the administrator of ${settings.settings.environment}, shown this once; ${name} keeps only its hash, so commit that file:\n  ${token}\n`,
  );
}

/** From a deployment to a first release, where an address that nobody knows stands as a placeholder. */
function nextOf({ prepared, stage }: Deployable, serin: string, address = '<address>'): readonly string[] {
  const name = `${prepared.compiled.project}-${stage}`;
  return [`${serin} context add ${name} --url ${address} --token-stdin`, `${serin} release --context ${name}`];
}
