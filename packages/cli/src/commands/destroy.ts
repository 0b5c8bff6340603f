import { Failure } from '../failure.ts';
import { type Command, type Invocation, show } from '../invocation.ts';
import { type Deployable, deployable, runSst } from '../plan/sst.ts';

/**
 * Takes the backend away by SST, after asking. The history and what jobs left are retained, and endpoints that serve go
 * on serving, as long as their machines do: they are not SST's, but what they run as is.
 */
export const destroy: Command = async (invocation) => {
  const { terminal, options } = invocation;
  const project = await deployable(invocation, 'remove');
  const { stage, directory, sst, prepared, topology } = project;
  const command = [sst, 'remove', '--stage', stage];
  const stays = staysOf(project);
  const document = { project: prepared.compiled.project, stage, directory, command, stays, later: topology.later };
  const linesOf = (lines: readonly string[]): string => lines.map((line) => `  ${line}\n`).join('');
  const staysText = `what stays:\n${linesOf(stays)}later:\n${linesOf(topology.later)}`;
  if (options.dryRun === true) {
    show(
      invocation,
      { dryRun: true, ...document },
      () => `would run in ${directory}:\n  ${command.join(' ')}\n${staysText}`,
    );
    return 0;
  }
  if (options.yes !== true) await ask(invocation, document.project, stage, staysText);
  await runSst(invocation, 'remove', project);
  show(
    invocation,
    document,
    () => `${terminal.paint('green', 'ok')}  destroyed ${document.project}, ${stage}\n${staysText}`,
  );
  return 0;
};

async function ask({ terminal }: Invocation, project: string, stage: string, staysText: string): Promise<void> {
  terminal.say(staysText);
  if (terminal.interactive && (await terminal.confirm(`destroy ${project}, ${stage}?`))) return;
  throw new Failure(1, `did not destroy ${project}, ${stage}`, { mend: 'give --yes, or answer yes' });
}

function staysOf({ topology, prepared, facts }: Deployable): readonly string[] {
  const served = Object.entries(prepared.compiled.models).filter(([, { serve }]) => serve !== 'none');
  return [
    ...topology.stays,
    ...served.map(
      ([model]) =>
        `the endpoint of ${model}, if it serves: it goes on serving, and costs, until you delete it in ${facts.deploys.endpoints}; what it runs as is destroyed, so a machine of it that starts anew cannot fetch the model`,
    ),
  ];
}
