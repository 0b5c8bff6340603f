import { commandOf } from '@serin/core/job-contract/command';
import { variablesOf } from '@serin/core/job-contract/variables';
import type { StartFile } from '@serin/platform/code/archive';
import type { Contained } from '@serin/platform/jobs/layout';
import { becoming, startChannel, startFile } from '@serin/platform/jobs/start-script';
import { trainingLayout } from './layout.ts';

/**
 * The program of the code archive that SageMaker's toolkit runs. It hands over to the script of the job, whatever the toolkit passes: its call of a `.sh` goes through two shells
 * (sagemaker-training-toolkit, process.py `_create_command` and `run_async`), so no hyperparameter may be in it.
 */
export const toolkitStart: StartFile = {
  path: 'serin-start.sh',
  text: `#!/bin/sh
exec /bin/sh ${trainingLayout.channel(startChannel)}/${startFile}
`,
};

/** The script of a job that SageMaker's toolkit has begun, in the folder of the code and with the toolkit's variables. */
export const scriptBesideToolkit = (placed: Contained): string =>
  [
    '#!/bin/sh',
    'set -eu',
    `case "\${SM_CURRENT_HOST-}" in`,
    `  algo-*) RANK=\${RANK-$((\${SM_CURRENT_HOST#algo-} - 1))} && export RANK ;;`,
    'esac',
    ...becoming(commandOf(placed.job, placed.places), variablesOf(placed, 'toolkit')),
  ].join('\n');
