import { Fault } from '@serin/core/base/fault';
import { guarded } from '../faults.ts';
import { type Azure, AzureError } from './azure.ts';

export interface Vault {
  readonly azure: Azure;
  /** Its name: `<name>.vault.azure.net`. */
  readonly vault: string;
}

/** The command that stores a secret. */
export const storing = ({ vault }: Pick<Vault, 'vault'>, secret: string): string =>
  `\`az keyvault secret set --vault-name ${vault} --name ${secret} --file <file>\``;

/**
 * The text in the newest version of a secret; `undefined` where there is no such secret, or one that was deleted and can
 * still be recovered. The text stands in no error.
 *
 * https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret
 */
export const secretIn = ({ azure, vault }: Vault, secret: string): Promise<string | undefined> =>
  guarded(`reading the secret ${secret} of the vault ${vault}`, async () => {
    const path = `secrets/${encodeURIComponent(secret)}`;
    const query = { 'api-version': '7.6' };
    try {
      const { value } = await azure.json<{ readonly value?: string }>({
        ...{ service: 'vault', name: vault, method: 'GET', path, query },
      });
      return value ?? '';
    } catch (error) {
      if (!(error instanceof AzureError)) throw error;
      if (error.code === 'SecretNotFound') return undefined;
      // The same status and code as of a missing role: only the words differ.
      if (!error.message.startsWith('Operation get is not allowed on')) throw error;
      const mend = `enable its newest version, or add one with ${storing({ vault }, secret)}`;
      const what = `the secret ${secret} of the vault ${vault} is closed`;
      throw new Fault('invalid', `${what}; ${mend}: ${error.message}`, { cause: error });
    }
  });
