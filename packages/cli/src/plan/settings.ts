import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { newTokenText } from '@serin/api/access';
import type { Cloud, CloudFacts } from '@serin/clouds/facts';
import { sha256Hex } from '@serin/core/base/json';
import type { CompiledConfig } from '@serin/core/config/config';
import { writePrivate } from '../contexts.ts';
import { Failure } from '../failure.ts';
import type { Invocation } from '../invocation.ts';
import { version } from '../version.ts';
import { keptOf, type Place, placeOf } from './place.ts';

/** What the file of settings holds, as far as a deployment writes it; infra/<cloud>/topology checks all of it. */
export interface SettingsContent {
  readonly project: string;
  readonly environment: string;
  readonly version: string;
  readonly dataBuckets: readonly string[];
  /** For each environment the hash of its administrator's token; anything, where the owner wrote something else. */
  readonly adminTokenHash: unknown;
}

/** The file of settings: what it holds, and what a deployment makes of it. */
export interface SettingsFile {
  readonly file: string;
  /** What is deployed: what the config says, then all that the owner wrote. */
  readonly settings: SettingsContent;
  /** Fields that a deployment writes: they are missing, or the config says otherwise. */
  readonly changes: readonly string[];
  /** No token was made yet for this environment. */
  readonly wantsToken: boolean;
  /** Where it is deployed to, as far as it is known. */
  readonly place: Place;
}

export const settingsNameOf = (cloud: Cloud): string => `serin.${cloud}.json`;

/** Folders of a file's own and above it, the nearest first. */
export const foldersAbove = (folder: string): readonly string[] =>
  dirname(folder) === folder ? [folder] : [folder, ...foldersAbove(dirname(folder))];

/** The folder that SST deploys from: the nearest one with an `sst.config.ts`. */
export const sstFolder = (directory: string): string | undefined =>
  foldersAbove(directory).find((folder) => existsSync(join(folder, 'sst.config.ts')));

/**
 * The settings of a config's installation: those of the file beside `sst.config.ts`, where SST reads it, or else beside
 * the config; what follows from the config is as the config says. Throws a `Failure` when the file is another project's.
 */
export function settingsFileOf(
  config: CompiledConfig,
  directory: string,
  facts: CloudFacts,
  invocation: Pick<Invocation, 'options' | 'env'>,
): SettingsFile {
  const settingsName = settingsNameOf(facts.cloud);
  const file = join(sstFolder(directory) ?? directory, settingsName);
  const given = existsSync(file) ? readSettings(file) : {};
  if (given.project !== undefined && given.project !== config.project)
    throw new Failure(2, `${file} does not agree with the config`, {
      details: [
        `project is '${given.project}', and '${config.project}' in the config: one of them belongs to another project`,
      ],
      mend: `deploy '${config.project}' from a copy of Serin's repository of its own, or delete ${settingsName} if '${given.project}' was destroyed or never deployed`,
    });
  const place = placeOf(invocation, facts, { ...given });
  const followed = {
    ...keptOf(facts, place),
    project: config.project,
    environment: config.environment,
    version: version(),
    dataBuckets: dataBucketsOf(config),
  };
  const changed = Object.entries(followed).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(given[name as keyof SettingsContent]),
  );
  const hashes = hashesIn(given);
  const wantsToken = hashes !== undefined && !Object.hasOwn(hashes, config.environment);
  const adminTokenHash = wantsToken ? { ...hashes, [config.environment]: notYet } : given.adminTokenHash;
  const made = { ...followed, adminTokenHash };
  return {
    file,
    settings: { ...made, ...given, ...made },
    changes: [...changed.map(([name]) => name), ...(wantsToken ? ['adminTokenHash'] : [])],
    wantsToken,
    place,
  };
}

/** Stands for a hash until there is a token. */
const notYet = '0'.repeat(64);

/** The hashes by environment; `undefined` where the owner wrote something else, which is refused. */
function hashesIn({ adminTokenHash = {} }: Partial<SettingsContent>): Readonly<Record<string, unknown>> | undefined {
  if (typeof adminTokenHash !== 'object' || adminTokenHash === null || Array.isArray(adminTokenHash)) return undefined;
  return { ...adminTokenHash };
}

/**
 * Writes the file whole if anything of it changes, and answers the token of this environment's first administrator if
 * there was none: it is kept nowhere but as its hash. Twice: nothing is written, and the token stays.
 */
export async function writeSettings({
  file,
  settings,
  changes,
  wantsToken,
}: SettingsFile): Promise<string | undefined> {
  if (changes.length === 0) return undefined;
  const token = wantsToken ? newTokenText() : undefined;
  const hashes = {
    ...hashesIn(settings),
    ...(token === undefined ? {} : { [settings.environment]: sha256Hex(token) }),
  };
  await writePrivate(file, `${JSON.stringify({ ...settings, adminTokenHash: hashes }, null, 2)}\n`);
  return token;
}

/** Buckets that data and labels are dropped into: the owner's, never ours. */
export const dataBucketsOf = ({ models }: CompiledConfig): readonly string[] => [
  ...new Set(
    Object.values(models).flatMap(({ data, labels }) => [
      data.bucket,
      ...(labels === undefined ? [] : [labels.bucket]),
    ]),
  ),
];

function readSettings(file: string): Partial<SettingsContent> {
  try {
    const given: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given;
  } catch (error) {
    throw new Failure(2, `cannot read ${file}`, {
      why: error instanceof Error ? error.message : String(error),
      mend: 'correct the file: it is JSON',
    });
  }
  throw new Failure(2, `${file} is not a JSON object`, { mend: 'correct the file' });
}
