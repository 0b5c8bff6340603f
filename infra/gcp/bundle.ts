import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundled } from '../bundle.ts';
import type { FunctionId } from './topology/shapes.ts';

/** The code of each function as it is deployed: a folder, and what names its content. */
export type Code = Readonly<Record<FunctionId, { readonly folder: string; readonly digest: string }>>;

const ids: readonly FunctionId[] = ['signals', 'api', 'clock', 'deadLetters'];

export function bundle(repository?: string): Code {
  const into = bundled('gcp', repository);
  const code = ids.map((id) => [id, { folder: join(into, id), digest: digestOf(join(into, id)) }]);
  // All four ids are there.
  return Object.fromEntries(code) as unknown as Code;
}

/** Of the names and the bytes of all files. */
export function digestOf(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) {
    const content = readFileSync(join(folder, name));
    hash.update(`${name}\n${content.byteLength}\n`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}
