import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, realpath } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { Fault } from '@serin/core/base/fault';
import { otherDigest } from '@serin/core/engine/stored';
import type { Source } from '@serin/core/ports/jobs';
import { artifactName } from '@serin/platform/jobs/artifacts';
import { artifactFolder } from '../artifact-folder.ts';
import { digestOfDirectory, filesUnder } from './digest.ts';
import type { Stores } from './stores.ts';

/** What mends an artifact that is not what it was. */
export const again = 'restore it from a backup, or start the run that made it again';

/** A copy, never a hard link: a job that writes into its channel must not change what the registry holds. */
export async function stageArtifact(
  name: string,
  { artifact }: Extract<Source, { kind: 'artifact' }>,
  channel: string,
  stores: Stores,
  signal: AbortSignal,
): Promise<void> {
  const from = await artifactPath(name, artifact.uri, stores.artifacts);
  const single = !(await lstat(from)).isDirectory();
  const files = single ? [''] : (await filesUnder(from)).map(({ path }) => path);
  for (const path of files) {
    signal.throwIfAborted();
    const target = join(channel, single ? (from.split(sep).at(-1) ?? name) : path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(from, path), target, constants.COPYFILE_FICLONE);
    await chmod(target, 0o444);
  }
  const copied = await digestOfDirectory(channel);
  if (copied.digest === artifact.digest) return;
  throw otherDigest(artifactName(name, artifact.uri), artifact.digest, copied.digest, again);
}

async function artifactPath(name: string, uri: string, artifacts: string): Promise<string> {
  const refuse = (why: string, cause?: unknown) =>
    new Fault('invalid', `${artifactName(name, uri)} ${why}; use one that a job of this machine made`, { cause });
  const folder = artifactFolder(uri, artifacts);
  if (folder === undefined) throw refuse('is not a file of this machine');
  try {
    const path = await realpath(folder);
    const inside = relative(await realpath(artifacts), path);
    if (inside !== '' && inside.split(sep)[0] !== '..') return path;
  } catch (error) {
    throw refuse('does not exist any more', error);
  }
  throw refuse('is not in the artifact store');
}
