import { type Command, show } from '../invocation.ts';
import { dataBucketsOf } from '../plan/settings.ts';
import { deployable, outputsOf, runSst } from '../plan/sst.ts';

import { facts } from '../table.ts';

/** Sets up or updates the backend by SST. Nothing is run while anything is missing. */
export const deploy: Command = async (invocation) => {
  const { terminal, options } = invocation;
  const project = await deployable(invocation);
  const { stage, directory, sst, prepared } = project;
  const command = [sst, 'deploy', '--stage', stage];
  const document = { project: prepared.compiled.project, stage, directory, command };
  if (options.dryRun === true) {
    show(invocation, { dryRun: true, ...document }, () => `would run in ${directory}:\n  ${command.join(' ')}\n`);
    return 0;
  }
  await runSst(invocation, 'deploy', project);
  const outputs = await outputsOf(project);
  const buckets = dataBucketsOf(prepared.compiled);
  show(invocation, { ...document, outputs }, () =>
    [
      `${terminal.paint('green', 'ok')}  deployed ${document.project} as ${stage}`,
      facts(outputs, terminal).trimEnd(),
      `next: save its address by 'serin context add', then 'serin release'; ${buckets.join(', ')} must send events to EventBridge ('serin plan' says how)`,
      '',
    ].join('\n'),
  );
  return 0;
};
