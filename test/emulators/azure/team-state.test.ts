import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { teamState } from '../../../infra/azure/state.ts';
import { emulatedAzure } from '../emulated.ts';
import { accounts, type ServedStorage, startStorage } from './storage.ts';
import { StorageRefusal } from './storage-rules.ts';

const account = '0b1f6471-1bf0-4dda-aec3-cb9272f09590';
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Stands for the Azure CLI: whoever is logged in gets a token of the identity endpoint. */
const az = `#!${process.execPath}
const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = process.env;
const resource = process.argv[process.argv.indexOf('--resource') + 1];
const query = new URLSearchParams({ resource, 'api-version': '2019-08-01', client_id: 'ada' });
fetch(IDENTITY_ENDPOINT + '?' + query, { headers: { 'X-IDENTITY-HEADER': IDENTITY_HEADER } })
  .then((answer) => answer.json())
  .then(({ access_token }) => process.stdout.write(access_token + '\\n'));
`;

emulatedAzure('the state of SST in the storage account of a team, by Azurite', () => {
  let storage: ServedStorage;
  beforeAll(async () => {
    storage = await startStorage('azure-state');
    await storage.createContainer(accounts.own, 'state');
  });
  afterAll(() => storage?.stop());

  let stages = 0;
  /** An installation that nobody has deployed yet, and its computers. */
  function installation() {
    stages += 1;
    const stage = `stage${stages}`;
    const blob = (name: string) => ({
      service: 'blob' as const,
      name: accounts.own,
      path: `state/serin-shop/${stage}/${name}.json`,
      headers: { 'x-ms-version': '2024-11-04' },
    });
    return {
      async kept(name: string): Promise<string | undefined> {
        try {
          const { content } = await storage.azure.bytes({ ...blob(name), method: 'GET' });
          return Buffer.from(content).toString();
        } catch {
          return undefined;
        }
      },
      unlock: () => storage.azure.bytes({ ...blob('lock'), method: 'DELETE' }),
      computer() {
        const home = mkdtempSync(join(tmpdir(), 'serin-state-'));
        folders.push(home);
        writeFileSync(join(home, 'az'), az);
        chmodSync(join(home, 'az'), 0o755);
        const said: string[] = [];
        const to = (subscription: string) =>
          teamState({
            account: subscription,
            app: 'serin-shop',
            stage,
            command: 'deploy',
            env: {
              ...storage.variables,
              PATH: [home, dirname(process.execPath)].join(delimiter),
              XDG_CONFIG_HOME: home,
              // Whatever the account of a team is called, here it is this one.
              SERIN_ENDPOINT_BLOB: storage.variables.SERIN_ENDPOINT_BLOB?.replace('{name}', accounts.own),
            },
            say: (text) => said.push(text),
          });
        const fileOf = (part: string) => join(home, 'sst/state', part, 'serin-shop', `${stage}.json`);
        return {
          said,
          to,
          ...to(account),
          /** As SST does while it runs. */
          leaves(part: 'app' | 'passphrase', text: string): void {
            mkdirSync(dirname(fileOf(part)), { recursive: true });
            writeFileSync(fileOf(part), text);
          },
          forgets: (part: 'app') => rmSync(fileOf(part)),
          has: (part: 'app' | 'passphrase') =>
            existsSync(fileOf(part)) ? readFileSync(fileOf(part), 'utf8') : undefined,
        };
      },
    };
  }

  test('what the first deployment leaves is what the second one finds, on another computer', async () => {
    const { computer } = installation();
    const [first, second] = [computer(), computer()];

    await first.begin();
    first.leaves('app', '{"resources":[1]}');
    first.leaves('passphrase', 'c2VjcmV0');
    await first.end();
    await second.begin();
    const found = [second.has('app'), second.has('passphrase')];
    second.leaves('app', '{"resources":[1,2]}');
    await second.end();
    await first.begin();

    expect(found).toEqual(['{"resources":[1]}', 'c2VjcmV0']);
    expect(first.has('app')).toBe('{"resources":[1,2]}');
    await first.end();
  });

  test('of many that begin at once one goes on, and the others are told who is at it', async () => {
    const { computer } = installation();

    const begun = await Promise.allSettled(Array.from({ length: 6 }, () => computer().begin()));

    const refused = begun.filter((each) => each.status === 'rejected');
    expect(refused).toHaveLength(5);
    for (const { reason } of refused)
      expect(String(reason)).toMatch(
        / holds the state of serin-shop, stage\d+ since .*az storage blob delete --account-name serinstate/,
      );
  });

  test('a deployment that died is gone on with where it was, with its own files, and by nobody else', async () => {
    const { computer, kept } = installation();
    const [dies, other] = [computer(), computer()];

    await dies.begin();
    dies.leaves('app', '{"half":true}');
    await expect(other.begin()).rejects.toThrow('holds the state');
    // The same command again, on the same computer.
    await dies.begin();

    expect([dies.has('app'), dies.said.join('')]).toEqual(['{"half":true}', expect.stringContaining('broke off here')]);
    dies.leaves('app', '{"whole":true}');
    await dies.end();
    expect(await kept('app')).toBe('{"whole":true}');
    expect(await kept('lock')).toBeUndefined();
  });

  test('a deployment that died is not written over by one to another subscription', async () => {
    const { computer } = installation();
    const one = computer();
    await one.begin();
    one.leaves('app', '{"half":true}');

    await expect(one.to('1b1f6471-1bf0-4dda-aec3-cb9272f09590').begin()).rejects.toThrow(
      /broke off here, and its files are not in https:\/\/serinstate\w+\.blob\.core\.windows\.net\/state yet: run 'serin deploy' for that subscription/,
    );

    expect(one.has('app')).toBe('{"half":true}');
  });

  test('a lock whose answer was lost is ours when the same command is given again', async () => {
    const { computer, kept } = installation();
    const one = computer();
    storage.mood('blob:PutBlob', 'lost');

    await expect(one.begin()).rejects.toThrow('no answer');
    await one.begin();
    one.leaves('app', '{"after":"a loss"}');
    await one.end();

    expect(await kept('app')).toBe('{"after":"a loss"}');
  });

  test('past a lock that was taken away by hand nothing is overwritten or taken away', async () => {
    const { computer, kept, unlock } = installation();
    const [first, second] = [computer(), computer()];
    await first.begin();
    first.leaves('app', '{"by":"first"}');
    await first.end();
    await first.begin();
    await unlock();
    await second.begin();
    second.leaves('app', '{"by":"second"}');
    await second.end();

    first.leaves('app', '{"by":"first again"}');
    await expect(first.end()).rejects.toThrow('somebody else has changed the state of serin-shop');
    first.forgets('app');
    await expect(first.end()).rejects.toThrow('somebody else has changed the state of serin-shop');

    expect(await kept('app')).toBe('{"by":"second"}');
  });

  test('once SST has taken all away, nothing of it is found again, but its passphrase is', async () => {
    const { computer, kept } = installation();
    const one = computer();
    await one.begin();
    one.leaves('app', '{"resources":[1]}');
    one.leaves('passphrase', 'c2VjcmV0');
    await one.end();
    await one.begin();
    one.forgets('app');
    await one.end();

    expect([await kept('app'), await kept('passphrase')]).toEqual([undefined, 'c2VjcmV0']);
  });

  test('who may not read the state is told which role is missing', async () => {
    const { computer } = installation();
    storage.mood(
      'blob:PutBlob',
      new StorageRefusal(403, 'AuthorizationPermissionMismatch', 'This request is not authorized.'),
    );

    await expect(computer().begin()).rejects.toThrow(
      /you may not read and write storage account serinstate\w+: ask its owner for the role 'Storage Blob Data Contributor'/,
    );
  });
});
