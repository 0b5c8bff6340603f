import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundled } from '../bundle.ts';
import type { FunctionId } from './topology/shapes.ts';
import { zipOf } from './zip.ts';

/** The code of each function as it is deployed: a zip of its folder, with its `host.json`. */
export type Code = Readonly<Record<FunctionId, Uint8Array>>;

const ids: readonly FunctionId[] = ['signals', 'api', 'clock', 'deadLetters'];

export function bundle(repository?: string): Code {
  const into = bundled('azure', repository);
  // All four ids are there.
  return Object.fromEntries(ids.map((id) => [id, packed(join(into, id))])) as unknown as Code;
}

function packed(folder: string): Uint8Array {
  const names = readdirSync(folder).sort();
  if (!names.includes('host.json')) throw new Error(`${folder} has no host.json: bundle it by scripts/bundle.ts`);
  return zipOf(names.map((name) => ({ name, content: readFileSync(join(folder, name)) })));
}
