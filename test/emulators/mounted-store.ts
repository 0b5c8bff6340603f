import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import process from 'node:process';
import type { Bucket } from '@serin/core/ports/bucket';

interface World {
  bucket(name: string): Bucket;
  put(name: string, key: string, content: string | Uint8Array): Promise<unknown>;
}

/** Buckets as folders, as a cloud that mounts them shows them to a container. */
export function mountedStore(folder: string, world: World) {
  const lost = new Set<string>();
  return {
    folder,
    /** An object, by `<bucket>/<key>`, that the mount does not have. */
    lose: (object: string): void => void lost.add(object),

    async bring(name: string): Promise<void> {
      mkdirSync(join(folder, name), { recursive: true });
      for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
        const { items, next } = await world.bucket(name).list('', cursor);
        for (const { key } of items.filter(({ key }) => !key.endsWith('/') && !lost.has(`${name}/${key}`))) {
          const found = await world.bucket(name).read({ key, maxBytes: 1e8 });
          mkdirSync(dirname(join(folder, name, key)), { recursive: true });
          writeFileSync(join(folder, name, key), found?.content ?? '');
        }
        cursor = next;
      }
    },

    /** What jobs left goes back, with a marker for each folder. */
    async takeBack(name: string): Promise<void> {
      for (const entry of readdirSync(join(folder, name), { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        const key = relative(join(folder, name), path);
        if (!/^(jobs|checkpoints)\//.test(key)) continue;
        if (statSync(path).isDirectory()) await world.put(name, `${key}/`, '');
        else await world.put(name, key, readFileSync(path));
      }
    },
  };
}

export interface Ended {
  readonly status: number;
  readonly output: string;
}

/** Runs a command as a container would, with nothing of this process's environment but the PATH. */
export function runContained(
  [program = '', ...words]: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  const child = spawn(program, words, { env: { PATH: process.env.PATH ?? '', ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (output += part));
  return new Promise((resolve) => child.once('close', (code) => resolve({ status: code ?? 137, output })));
}
