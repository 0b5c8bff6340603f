import { join } from 'node:path';
import { bundled } from '../bundle.ts';
import type { FunctionId } from './topology/shapes.ts';

/** Folders with the code of each function, as it is deployed. */
export type Code = Readonly<Record<FunctionId, string>>;

const ids: readonly FunctionId[] = ['signals', 'api', 'clock', 'deadLetters'];

export function bundle(repository?: string): Code {
  const into = bundled('aws', repository);
  // All four ids are there.
  return Object.fromEntries(ids.map((id) => [id, join(into, id)])) as unknown as Code;
}
