import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** The files of the project that `init` writes. */
export const starterFolder = join(here, 'starter');

/** The built-in splitter: beside this file in the published package, in the workspace of `local` in the repository. */
export const splitterCode =
  [join(here, 'splitter'), join(here, '..', '..', 'local', 'src', 'splitter')].find((folder) => existsSync(folder)) ??
  '';

/** The bundled job runner of the published package; in the repository `local` finds its own. */
export const runnerFile = [join(here, 'runner.js')].find((file) => existsSync(file));
