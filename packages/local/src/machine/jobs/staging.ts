import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appearWhole } from '../durable.ts';
import { configFiles } from '../training-environment.ts';
import { stageArtifact } from './artifact.ts';
import { stageCode } from './code.ts';
import { stageManifest } from './dataset.ts';
import type { Stores } from './stores.ts';
import { outputDirectory, type Placed, type Tree, treeAt } from './tree.ts';

/** A tree that is there was staged whole, also before a power cut. Twice: nothing. */
export async function stageTree(placed: Placed, directory: string, stores: Stores, signal: AbortSignal): Promise<void> {
  if (existsSync(placed.root)) return;
  const stale = (await readdir(directory)).filter((name) => name.startsWith('staging-'));
  for (const name of stale) await rm(join(directory, name), { recursive: true, force: true });
  const draft = join(directory, `staging-${process.pid}`);
  try {
    await stage(placed, draft, stores, signal);
    signal.throwIfAborted();
    await appearWhole(draft, placed.root);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/**
 * Lays out everything a job needs under `draft`, which becomes `placed.root` when the caller renames it.
 *
 * Too big: it takes as long as the copying does, and ends between two files when `signal` aborts. What can never be
 * staged (a missing object, a changed one, an unsafe path) is a Fault that is never retried.
 */
async function stage(placed: Placed, draft: string, stores: Stores, signal: AbortSignal): Promise<void> {
  const tree = treeAt(draft);
  const { job, checkpoints } = placed;
  const { checkpoints: link, failure: _, root: __, ...directories } = tree;
  for (const directory of Object.values(directories)) await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const name of job.outputs) await mkdir(outputDirectory(tree, name), { recursive: true });
  await mkdir(checkpoints, { recursive: true, mode: 0o700 });
  await symlink(checkpoints, link);
  await writeConfig(placed, tree);
  if (job.code !== undefined) await stageCode(job.code.digest, tree.code, stores, signal);
  for (const [name, source] of Object.entries(job.channels)) {
    const channel = join(tree.data, name);
    await mkdir(channel, { recursive: true });
    if (source.kind === 'manifest') await stageManifest(source, channel, stores, signal);
    else await stageArtifact(name, source, channel, stores, signal);
  }
}

async function writeConfig(placed: Placed, tree: Tree): Promise<void> {
  const { input, config, output } = configFiles(placed);
  const write = (name: string, content: unknown) =>
    writeFile(join(tree.config, `${name}.json`), JSON.stringify(content));
  await write('hyperparameters', placed.job.hyperparameters);
  await write('inputdataconfig', input);
  await write('resourceconfig', config);
  if (output !== undefined) await write('checkpointconfig', output);
}
