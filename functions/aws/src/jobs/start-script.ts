import { commandOf, quoted, shellWords } from './command.ts';
import { allVariables, type Placed, variablesBesideToolkit } from './environment.ts';
import { isArchive, trainingLayout } from './layout.ts';

/** The program of the code archive that SageMaker's toolkit runs. */
export const toolkitProgram = 'serin-start.sh';

/** Channels of our own, in the containers that we start. */
export const codeChannel = 'serin-code';
export const startChannel = 'serin-start';
export const startFile = 'start.sh';

/**
 * Hands over to the script of the job, whatever the toolkit passes: its call of a `.sh` goes through two shells
 * (sagemaker-training-toolkit, process.py `_create_command` and `run_async`), so no hyperparameter may be in it.
 */
export const toolkitScript = `#!/bin/sh
exec /bin/sh ${trainingLayout.channel(startChannel)}/${startFile}
`;

/** The script of a job that SageMaker's toolkit has begun, in the folder of the code and with the toolkit's variables. */
export const scriptBesideToolkit = (placed: Placed): string =>
  [
    '#!/bin/sh',
    'set -eu',
    `case "\${SM_CURRENT_HOST-}" in`,
    `  algo-*) RANK=\${RANK-$((\${SM_CURRENT_HOST#algo-} - 1))} && export RANK ;;`,
    'esac',
    ...becoming(commandOf(placed.job, placed.layout), variablesBesideToolkit(placed)),
  ].join('\n');

/**
 * What a container runs that SageMaker's toolkit does not start: it unpacks the code and the archives among the
 * channels, and becomes the command, with every variable of the contract. The image needs `sh`, `env`, and where there
 * is something to unpack `tar` and `gzip`.
 *
 * In a file and not in the request, where a variable has at most 256 characters and no hyphen in its name.
 */
export function startScript(placed: Placed, codeArchive: string | undefined): string {
  const { job, layout } = placed;
  const directories = [
    layout.code,
    layout.model,
    layout.output,
    layout.outputData,
    ...job.outputs.map(layout.outputOf),
  ];
  const unpack = Object.entries(job.channels).flatMap(([name, source]) =>
    isArchive(source) ? [unpacking(`${layout.channel(name)}/*.tar.gz`, layout.found(name, source))] : [],
  );
  const code = codeArchive === undefined ? [] : [unpacking(`${layout.channel(codeChannel)}/*.tar.gz`, layout.code)];
  return [
    '#!/bin/sh',
    'set -eu',
    `mkdir -p ${shellWords([...new Set(directories)])}`,
    ...(layout.exitMessage === undefined ? [] : [`ln -sf ${layout.exitMessage} ${layout.output}/failure`]),
    ...unpack,
    ...code,
    `cd ${layout.code}`,
    ...(job.compute.nodes > 1 ? hostLines(layout.resourceConfig) : []),
    ...becoming(
      commandOf(job, layout),
      allVariables(placed),
      job.compute.nodes > 1 ? ['  "SM_CURRENT_HOST=$host" "RANK=$rank" \\'] : [],
    ),
  ].join('\n');
}

const becoming = (
  command: readonly string[],
  variables: Readonly<Record<string, string>>,
  more: readonly string[] = [],
): readonly string[] => [
  'exec env \\',
  ...Object.entries(variables).map(([name, value]) => `  ${quoted(`${name}=${value}`)} \\`),
  ...more,
  `  ${shellWords(command)}`,
  '',
];

const unpacking = (archive: string, directory: string): string =>
  `mkdir -p ${directory} && tar -xzf ${archive} -C ${directory}`;

const hostLines = (resourceConfig: string): readonly string[] => [
  `host=$(sed -n 's/.*"current_host" *: *"\\([^"]*\\)".*/\\1/p' ${resourceConfig})`,
  'rank=$(($(echo "$host" | tr -dc 0-9) - 1))',
];
