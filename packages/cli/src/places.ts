import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** The files of the project that `init` writes. */
export const starterFolder = join(here, 'starter');

/** What starts this command, in the repository and in the published package. */
export const binFile = join(here, '..', 'bin', 'serin.js');

/** The files of the projects in Python that `init` writes. */
export const templatesFolder = join(here, 'templates');

/** The built-in splitter: one folder of the published package; in the repository the core's part lies in the core. */
export const splitterFiles: readonly string[] = filesOf(
  existsSync(join(here, 'splitter'))
    ? [join(here, 'splitter')]
    : [join(here, '..', '..', 'local', 'src', 'splitter'), join(here, '..', '..', 'core', 'src', 'base')],
);

function filesOf(folders: readonly string[]): readonly string[] {
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.mjs'))
      .map((name) => join(folder, name)),
  );
}

/** The bundled job runner of the published package; in the repository `local` finds its own. */
export const runnerFile = [join(here, 'runner.js')].find((file) => existsSync(file));
