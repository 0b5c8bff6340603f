import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { teamState } from '../../../infra/gcp/state.ts';
import { emulatedGcp } from '../emulated.ts';
import { type Emulator, startGcs } from '../installed.ts';
import { Refusal, serveGoogle } from './discovery.ts';

const account = 'acme-ml';
const bucket = 'serin-state-acme-ml';
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

emulatedGcp('the state of SST in the bucket of a team, by fake-gcs-server', () => {
  let gcs: Emulator;
  beforeAll(async () => {
    gcs = await startGcs();
    await fetch(`${gcs.url}/storage/v1/b?project=${account}`, {
      method: 'POST',
      body: JSON.stringify({ name: bucket, versioning: { enabled: true } }),
    });
  });
  afterAll(() => gcs?.stop());

  let stages = 0;
  /** An installation that nobody has deployed yet, and its computers. */
  function installation() {
    stages += 1;
    const stage = `stage${stages}`;
    return {
      async object(name: string): Promise<string | undefined> {
        const key = encodeURIComponent(`serin-shop/${stage}/${name}.json`);
        const answer = await fetch(`${gcs.url}/storage/v1/b/${bucket}/o/${key}?alt=media`);
        return answer.ok ? answer.text() : undefined;
      },
      computer() {
        const home = mkdtempSync(join(tmpdir(), 'serin-state-'));
        folders.push(home);
        const said: string[] = [];
        const to = (project: string) =>
          teamState({
            account: project,
            app: 'serin-shop',
            stage,
            command: 'deploy',
            env: {
              XDG_CONFIG_HOME: home,
              GOOGLE_OAUTH_ACCESS_TOKEN: 'ya29.x',
              CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: gcs.url,
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

  test('two deployments at once: the second is refused, is told who is at it, and changes nothing', async () => {
    const { computer, object } = installation();
    const [first, second] = [computer(), computer()];

    await first.begin();
    await expect(second.begin()).rejects.toThrow(
      / on .* holds the state of serin-shop, stage\d+ since .*\(serin deploy\): wait/,
    );
    first.leaves('app', '{"by":"first"}');
    await first.end();

    expect(await object('app')).toBe('{"by":"first"}');
    expect(await object('lock')).toBeUndefined();
    await second.begin();
    expect(second.has('app')).toBe('{"by":"first"}');
    await second.end();
  });

  test('of many that begin at once one goes on', async () => {
    const { computer } = installation();

    const begun = await Promise.allSettled(Array.from({ length: 8 }, () => computer().begin()));

    expect(begun.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('a deployment that died is gone on with where it was, with its own files, and by nobody else', async () => {
    const { computer, object } = installation();
    const [dies, other] = [computer(), computer()];

    await dies.begin();
    dies.leaves('app', '{"half":true}');
    await expect(other.begin()).rejects.toThrow('holds the state');
    // The same command again, on the same computer.
    await dies.begin();

    expect([dies.has('app'), dies.said.join('')]).toEqual(['{"half":true}', expect.stringContaining('broke off here')]);
    dies.leaves('app', '{"whole":true}');
    await dies.end();
    expect(await object('app')).toBe('{"whole":true}');
  });

  test('a deployment that died is not written over by one to another Google project', async () => {
    const { computer } = installation();
    const one = computer();
    await one.begin();
    one.leaves('app', '{"half":true}');

    await expect(one.to('other-ml').begin()).rejects.toThrow(
      /broke off here, and its files are not in gs:\/\/serin-state-acme-ml yet: run 'serin deploy'/,
    );

    expect(one.has('app')).toBe('{"half":true}');
    await one.begin();
    await one.end();
  });

  test('what somebody has brought in past the lock is not overwritten', async () => {
    const { computer, object } = installation();
    const [first, second] = [computer(), computer()];
    await first.begin();
    first.leaves('app', '{"by":"first"}');
    // Somebody takes the lock away by hand, and deploys.
    await fetch(`${gcs.url}/storage/v1/b/${bucket}/o/${encodeURIComponent(`serin-shop/stage${stages}/lock.json`)}`, {
      method: 'DELETE',
    });
    await second.begin();
    second.leaves('app', '{"by":"second"}');
    await second.end();

    await expect(first.end()).rejects.toThrow('somebody else has changed the state of serin-shop');

    expect(await object('app')).toBe('{"by":"second"}');
  });

  test('past a lock that was taken away by hand, nobody takes away what another one holds or has brought in', async () => {
    const { computer, object } = installation();
    const [first, second, third] = [computer(), computer(), computer()];
    const unlock = () =>
      fetch(`${gcs.url}/storage/v1/b/${bucket}/o/${encodeURIComponent(`serin-shop/stage${stages}/lock.json`)}`, {
        method: 'DELETE',
      });
    await first.begin();
    first.leaves('app', '{"by":"first"}');
    await first.end();
    await first.begin();
    await unlock();
    await second.begin();

    await first.end();

    await expect(third.begin()).rejects.toThrow('holds the state');
    second.leaves('app', '{"by":"second"}');
    await unlock();
    await third.begin();
    await unlock();
    await second.end();
    // As SST does when it has destroyed all.
    third.forgets('app');
    await expect(third.end()).rejects.toThrow('somebody else has changed the state of serin-shop');
    expect(await object('app')).toBe('{"by":"second"}');
  });

  test('once SST has taken all away, nothing of it is found again, but its passphrase is', async () => {
    const { computer, object } = installation();
    const one = computer();
    await one.begin();
    one.leaves('app', '{"resources":[1]}');
    one.leaves('passphrase', 'c2VjcmV0');
    await one.end();

    await one.begin();
    one.forgets('app');
    await one.end();

    expect([await object('app'), await object('passphrase')]).toEqual([undefined, 'c2VjcmV0']);
    const next = computer();
    await next.begin();
    expect([next.has('app'), next.has('passphrase')]).toEqual([undefined, 'c2VjcmV0']);
    await next.end();
  });

  test('a file that lay on this computer is not taken for the state of a team that has none', async () => {
    const { computer } = installation();
    const one = computer();
    one.leaves('app', '{"of":"another"}');

    await one.begin();

    expect(one.has('app')).toBeUndefined();
    await one.end();
  });
}, ['fake-gcs-server']);

emulatedGcp('what Google says before anything is deployed', () => {
  const refused = async (refusal: Refusal): Promise<string> => {
    const served = await serveGoogle('gcp-team-state', {
      'storage.objects.insert': () => {
        throw refusal;
      },
    });
    const home = mkdtempSync(join(tmpdir(), 'serin-state-'));
    folders.push(home);
    const env = {
      XDG_CONFIG_HOME: home,
      GOOGLE_OAUTH_ACCESS_TOKEN: 'ya29.x',
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: served.hosts('storage'),
    };
    const state = teamState({ account, app: 'serin-shop', stage: 'prod', command: 'deploy', env, say: () => {} });
    const error = await state.begin().catch((thrown: unknown) => thrown);
    await served.stop();
    return error instanceof Error ? error.message : '';
  };

  test.each([
    [
      'who is not logged in',
      new Refusal('UNAUTHENTICATED', 'Request had invalid authentication credentials.'),
      "run 'gcloud auth application-default login'",
    ],
    [
      'an API that is off',
      new Refusal(
        'PERMISSION_DENIED',
        'Cloud Storage JSON API has not been used in project 1 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/storage-component.googleapis.com/overview',
        { reason: 'SERVICE_DISABLED' },
      ),
      "run 'gcloud services enable ",
    ],
    [
      'billing that is off',
      new Refusal('PERMISSION_DENIED', 'The billing account for the owning project is disabled in state absent'),
      "run 'gcloud billing projects link acme-ml --billing-account=<account>'",
    ],
    [
      'a bucket that is missing',
      new Refusal('NOT_FOUND', 'The specified bucket does not exist.'),
      "there is no bucket serin-state-acme-ml for the state of the team: make it as 'serin plan --cloud gcp' says",
    ],
    [
      'a bucket that is closed',
      new Refusal(
        'PERMISSION_DENIED',
        'dev@acme.example does not have storage.objects.create access to the Google Cloud Storage object.',
      ),
      'ask its owner for roles/storage.objectUser on it',
    ],
  ])('%s is told in words, with the command', async (_, refusal, message) => {
    expect(await refused(refusal)).toContain(message);
  });

  test('without gcloud and without a token it is said how to log in', async () => {
    const home = mkdtempSync(join(tmpdir(), 'serin-state-'));
    folders.push(home);
    const env = { XDG_CONFIG_HOME: home, PATH: '/nowhere' };
    const state = teamState({ account, app: 'serin-shop', stage: 'prod', command: 'deploy', env, say: () => {} });

    await expect(state.begin()).rejects.toThrow('gcloud is not on the PATH');
  });
});
