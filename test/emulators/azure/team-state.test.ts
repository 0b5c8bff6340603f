import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { teamState } from '../../../infra/azure/state.ts';
import { emulatedAzure } from '../emulated.ts';
import { newInstallation, type StatePlace, teamStateContract } from '../team-state.contract.ts';
import { accounts, type ServedStorage, startStorage } from './storage.ts';
import { StorageRefusal } from './storage-rules.ts';

/** Stands for the Azure CLI: whoever is logged in gets a token of the identity endpoint. */
const az = `#!${process.execPath}
const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = process.env;
const resource = process.argv[process.argv.indexOf('--resource') + 1];
const query = new URLSearchParams({ resource, 'api-version': '2019-08-01', client_id: 'ada' });
fetch(IDENTITY_ENDPOINT + '?' + query, { headers: { 'X-IDENTITY-HEADER': IDENTITY_HEADER } })
  .then((answer) => answer.json())
  .then(({ access_token }) => process.stdout.write(access_token));
`;

emulatedAzure('the state of SST in the storage account of a team, by Azurite', () => {
  let storage: ServedStorage;
  beforeAll(async () => {
    storage = await startStorage('azure-checks-state');
    await storage.createContainer(accounts.own, 'state');
  });
  afterAll(() => storage?.stop());

  const blob = (path: string) => ({
    service: 'blob' as const,
    name: accounts.own,
    path: `state/${path}`,
    headers: { 'x-ms-version': '2024-11-04' },
  });
  const place = (): StatePlace => ({
    teamState,
    accounts: ['0b1f6471-1bf0-4dda-aec3-cb9272f09590', '1b1f6471-1bf0-4dda-aec3-cb9272f09590'],
    envOf(home) {
      writeFileSync(join(home, 'az'), az);
      chmodSync(join(home, 'az'), 0o755);
      return {
        ...storage.variables,
        PATH: [home, dirname(process.execPath)].join(delimiter),
        // Whatever the account of a team is called, here it is this one.
        SERIN_ENDPOINT_BLOB: storage.variables.SERIN_ENDPOINT_BLOB?.replace('{name}', accounts.own),
      };
    },
    async read(path) {
      try {
        const { content } = await storage.azure.bytes({ ...blob(path), method: 'GET' });
        return Buffer.from(content).toString();
      } catch {
        return undefined;
      }
    },
    remove: (path) => storage.azure.bytes({ ...blob(path), method: 'DELETE' }),
    diedElsewhere:
      /broke off here, and its files are not in https:\/\/serinstate\w+\.blob\.core\.windows\.net\/state yet: run 'serin deploy' for that subscription/,
    removal: /az storage blob delete --account-name serinstate[0-9a-f]{12} --container-name state --name serin-shop/,
  });

  teamStateContract(place);

  test('a lock whose answer was lost is ours when the same command is given again', async () => {
    const { computer, kept } = newInstallation(place());
    const one = computer();
    storage.mood('blob:PutBlob', 'lost');

    await expect(one.begin()).rejects.toThrow('no answer');
    await one.begin();
    one.leaves('app', '{"after":"a loss"}');
    await one.end();

    expect(await kept('app')).toBe('{"after":"a loss"}');
  });

  test('who may not read the state is told which role is missing', async () => {
    storage.mood(
      'blob:PutBlob',
      new StorageRefusal(403, 'AuthorizationPermissionMismatch', 'This request is not authorized.'),
    );

    await expect(newInstallation(place()).computer().begin()).rejects.toThrow(
      /you may not read and write storage account serinstate\w+: ask its owner for the role 'Storage Blob Data Contributor'/,
    );
  });
});
