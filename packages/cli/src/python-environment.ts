import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Invocation } from './invocation.ts';
import type { Prepared } from './release.ts';

const folder = '.venv';

/**
 * Where one machine looks for `python3` before `PATH`: in the environment beside the config, unless somebody chose another
 * one. It may be made while the server runs.
 */
export const pythonPrograms = (directory: string, env: Invocation['env']): { readonly programs?: string } =>
  env.VIRTUAL_ENV ? {} : { programs: join(directory, folder, 'bin') };

/** Packages that the code of a release names, and no environment that would have them. */
export function missingEnvironment({ config, folders }: Prepared, env: Invocation['env']): readonly string[] {
  if (env.VIRTUAL_ENV || env.CONDA_PREFIX || existsSync(join(config.directory, folder))) return [];
  const named = [...folders.values()].flatMap(({ files }) => files.filter(({ path }) => path === 'requirements.txt'));
  return named.map(({ source }) => {
    const file = relative(config.directory, source);
    return `${file} names packages, and there is no ${folder} beside the config: python3 -m venv ${folder} && ${folder}/bin/pip install -r ${file}`;
  });
}
