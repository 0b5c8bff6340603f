import { commandOf, quoted, shellWords } from './command.ts';
import { allVariables, type Placed } from './environment.ts';
import { isArchive } from './layout.ts';

/** The program of the code archive that SageMaker's toolkit runs. */
export const toolkitProgram = 'serin-start.sh';
/** Code points: half of SageMaker's limit for the value of a variable (botocore: TrainingEnvironmentValue, 512). */
const maxValue = 256;

/**
 * Runs the command that `commandVariables` wrote down, whatever the toolkit passes: its `.sh` call goes through two
 * shells and loses quotes (sagemaker-training-toolkit, process.py `_create_command` and `run_async`).
 */
export const toolkitScript = `#!/bin/sh
command= piece=0
while eval "part=\\\${SERIN_COMMAND_$piece-}" && [ -n "$part" ]; do
  command=$command$part piece=$((piece + 1))
done
case "\${SM_CURRENT_HOST-}" in
  algo-*) RANK=\${RANK-$((\${SM_CURRENT_HOST#algo-} - 1))} && export RANK ;;
esac
eval "exec $command"
`;

/** The command as shell words, cut into the pieces that SageMaker takes. */
export function commandVariables(command: readonly string[]): Readonly<Record<string, string>> {
  const text = [...shellWords(command)];
  const pieces: string[] = [];
  for (let from = 0; from < text.length; from += maxValue) pieces.push(text.slice(from, from + maxValue).join(''));
  return Object.fromEntries(pieces.map((piece, index) => [`SERIN_COMMAND_${index}`, piece]));
}

/** Channels of our own, in the containers that we start. */
export const codeChannel = 'serin-code';
export const startChannel = 'serin-start';
export const startFile = 'start.sh';

/**
 * What a container runs that SageMaker's toolkit does not start: it unpacks the code and the archives among the
 * channels, and becomes the command, with every variable of the contract. The image needs `sh`, `env`, and where there
 * is something to unpack `tar` and `gzip`.
 *
 * In a file and not in the request, where a variable has at most 256 characters and no hyphen in its name.
 */
export function startScript(placed: Placed, codeArchive: string | undefined): string {
  const { job, layout } = placed;
  const variables = Object.entries(allVariables(placed));
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
    'exec env \\',
    ...variables.map(([name, value]) => `  ${quoted(`${name}=${value}`)} \\`),
    ...(job.compute.nodes > 1 ? ['  "SM_CURRENT_HOST=$host" "RANK=$rank" \\'] : []),
    `  ${shellWords(commandOf(job, layout))}`,
    '',
  ].join('\n');
}

const unpacking = (archive: string, directory: string): string =>
  `mkdir -p ${directory} && tar -xzf ${archive} -C ${directory}`;

const hostLines = (resourceConfig: string): readonly string[] => [
  `host=$(sed -n 's/.*"current_host" *: *"\\([^"]*\\)".*/\\1/p' ${resourceConfig})`,
  'rank=$(($(echo "$host" | tr -dc 0-9) - 1))',
];
