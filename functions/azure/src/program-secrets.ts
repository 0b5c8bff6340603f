import { oneByOne, type ProgramSecrets, programSecrets } from '@serin/platform/jobs/program-secrets';
import { secretIn, storing, type Vault } from './calls/secret.ts';

interface Options extends Vault {
  /** Before each name. Names of a vault have letters, digits and hyphens, and 127 characters at most. */
  readonly prefix: string;
}

/** Key Vault takes 4,000 reads in ten seconds. https://learn.microsoft.com/azure/key-vault/general/service-limits */
const atOnce = 10;

/** Secrets by name, each the newest version of a secret of Key Vault. */
export const keyVaultSecrets = ({ prefix, ...place }: Options): ProgramSecrets =>
  programSecrets({
    atOnce,
    creation: (name) =>
      `${storing(place, `${prefix}${name}`)}, or bring back one that was deleted by \`az keyvault secret recover\``,
    read: oneByOne((name) => secretIn(place, `${prefix}${name}`)),
  });
