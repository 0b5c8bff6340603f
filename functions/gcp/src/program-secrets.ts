import { oneByOne, type ProgramSecrets, programSecrets } from '@serin/platform/jobs/program-secrets';
import type { Google } from './calls/google.ts';
import { secretAt } from './calls/secret.ts';

interface Place {
  readonly googleProject: string;
  /** Before each name: `serin_<project>_<environment>_`. No name of ours has an underscore, so no two ids are the same. */
  readonly prefix: string;
}

interface Options extends Place {
  readonly google: Google;
}

/** Where the secret of a name is: `projects/<p>/secrets/<s>`. */
export const programSecret = ({ googleProject, prefix }: Place, name: string): string =>
  `projects/${googleProject}/secrets/${prefix}${name}`;

/** How many requests are under way, each for one secret. */
const atOnce = 10;

/** Secrets by name, each the newest version of a secret of Secret Manager. */
export function secretManagerSecrets({ google, ...place }: Options): ProgramSecrets {
  return programSecrets({
    atOnce,
    creation: (name) =>
      `\`gcloud secrets create ${place.prefix}${name} --project=${place.googleProject} --data-file=<file>\``,
    read: oneByOne((name) => secretAt(google, programSecret(place, name))),
  });
}
