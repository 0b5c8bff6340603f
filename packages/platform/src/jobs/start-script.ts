import { commandOf } from '@serin/core/job-contract/command';
import { variablesOf } from '@serin/core/job-contract/variables';
import { quoted, shellWords } from './command.ts';
import { type Contained, isArchive } from './layout.ts';

/** Channels of our own, in the containers that we start. */
export const codeChannel = 'serin-code';
export const startChannel = 'serin-start';
export const startFile = 'start.sh';

/** What a cloud does not do by itself before a command runs. */
interface Beforehand {
  /** Bring the files of the channels, and of `resourceConfig`. */
  readonly lines?: readonly string[];
  /** Variables by what the shell makes of these words. */
  readonly variables?: Readonly<Record<string, string>>;
}

/**
 * The script that a container runs if no toolkit of its image starts the command. It unpacks the code and the archives
 * among the channels, and becomes the command, with every variable of the contract. The image needs `sh`, `env` and, if
 * there is something to unpack, `tar` and `gzip`.
 *
 * It is a file, because each cloud limits the variables of a request.
 */
export function startScript(
  placed: Contained,
  codeArchive: string | undefined,
  { lines = [], variables = {} }: Beforehand = {},
): string {
  const { job, places } = placed;
  const directories = [
    places.code,
    places.model,
    places.output,
    places.outputData,
    ...job.outputs.map(places.outputOf),
  ];
  const unpack = Object.entries(job.channels).flatMap(([name, source]) =>
    isArchive(source) ? unpacking(`${places.channel(name)}/*.tar.gz`, places.found(name, source)) : [],
  );
  const code = codeArchive === undefined ? [] : unpacking(`${places.channel(codeChannel)}/*.tar.gz`, places.code);
  const atStart = { ...(job.compute.nodes > 1 ? { SM_CURRENT_HOST: '$host', RANK: '$rank' } : {}), ...variables };
  return [
    '#!/bin/sh',
    'set -eu',
    ...lines,
    `mkdir -p ${shellWords([...new Set(directories)])}`,
    ...(places.exitMessage === undefined ? [] : [`ln -sf ${places.exitMessage} ${places.output}/failure`]),
    ...unpack,
    ...code,
    `cd ${places.code}`,
    ...(job.compute.nodes > 1 ? hostLines(places.resourceConfig) : []),
    ...becoming(
      commandOf(job, places),
      variablesOf(placed),
      Object.entries(atStart).map(([name, words]) => `  "${name}=${words}" \\`),
    ),
  ].join('\n');
}

/** The last lines of a script: the command takes its place, with these variables. */
export const becoming = (
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

/** Two lines: what fails before an `&&` does not end a script under `set -e`. */
const unpacking = (archive: string, directory: string): readonly string[] => [
  `mkdir -p ${directory}`,
  `tar -xzf ${archive} -C ${directory}`,
];

/** Lines that write down, for a cloud that does not, which of several nodes it is: the shell's `$number`, from 1. */
export function hostFile(nodes: number, resourceConfig: string): readonly string[] {
  const hosts = Array.from({ length: nodes }, (_, index) => `"algo-${index + 1}"`).join(',');
  return [
    `mkdir -p ${quoted(resourceConfig.replace(/\/[^/]*$/, ''))}`,
    `printf '{"current_host":"algo-%s","hosts":[${hosts}]}' "$number" > ${quoted(resourceConfig)}`,
  ];
}

const hostLines = (resourceConfig: string): readonly string[] => [
  `host=$(sed -n 's/.*"current_host" *: *"\\([^"]*\\)".*/\\1/p' ${resourceConfig})`,
  'rank=$(($(echo "$host" | tr -dc 0-9) - 1))',
];
