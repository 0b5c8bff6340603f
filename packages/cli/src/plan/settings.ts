import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CompiledConfig } from '@serin/core/config';
import { Failure } from '../failure.ts';
import { version } from '../version.ts';

/** What `infra/topology.ts` wants to know of an installation: its `Settings`. The rest of them goes through unread. */
export interface Settings {
  readonly project: string;
  readonly environment: string;
  readonly version: string;
  readonly adminTokenHash: string;
  readonly dataBuckets: readonly string[];
}

export const settingsName = 'serin.aws.json';

/** Folders of a file's own and above it, the nearest first. */
export const foldersAbove = (folder: string): readonly string[] =>
  dirname(folder) === folder ? [folder] : [folder, ...foldersAbove(dirname(folder))];

/** The folder that SST deploys from: the nearest one with an `sst.config.ts`. */
export const sstFolder = (directory: string): string | undefined =>
  foldersAbove(directory).find((folder) => existsSync(join(folder, 'sst.config.ts')));

/**
 * The settings of a config's installation: `serin.aws.json` beside `sst.config.ts`, as SST reads it, or without one what
 * the config says. Throws a `Failure` when the two do not agree.
 */
export function settingsOf(config: CompiledConfig, directory: string): Settings {
  const file = join(sstFolder(directory) ?? directory, settingsName);
  if (!existsSync(file)) return settingsFrom(config);
  const given = readSettings(file);
  const { dataBuckets = [] } = given;
  const unnamed = dataBucketsOf(config).filter((bucket) => !dataBuckets.includes(bucket));
  const wrong = [
    ...(given.project === config.project
      ? []
      : [`project is '${given.project}', and '${config.project}' in the config: one of them is another's`]),
    ...(unnamed.length === 0
      ? []
      : [
          `dataBuckets lacks ${unnamed.join(', ')}: the functions could neither read nor hear of what is dropped there`,
        ]),
  ];
  if (wrong.length > 0) throw new Failure(2, `${file} does not agree with the config`, { details: wrong });
  return { ...settingsFrom(config), ...given, environment: config.environment };
}

/** What the file would hold for a config: all but the hash follows from it. */
export const settingsFrom = (config: CompiledConfig): Settings => ({
  project: config.project,
  environment: config.environment,
  version: version(),
  adminTokenHash: '0'.repeat(64),
  dataBuckets: dataBucketsOf(config),
});

/** Buckets that data and labels are dropped into: the owner's, never ours. */
export const dataBucketsOf = ({ models }: CompiledConfig): readonly string[] => [
  ...new Set(
    Object.values(models).flatMap(({ data, labels }) => [
      data.bucket,
      ...(labels === undefined ? [] : [labels.bucket]),
    ]),
  ),
];

function readSettings(file: string): Partial<Settings> {
  try {
    const given: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof given === 'object' && given !== null) return given;
  } catch (error) {
    throw new Failure(2, `cannot read ${file}`, { why: error instanceof Error ? error.message : String(error) });
  }
  throw new Failure(2, `${file} holds no object`);
}
