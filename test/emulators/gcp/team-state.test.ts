import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { teamState } from '../../../infra/gcp/state.ts';
import { emulatedGcp } from '../emulated.ts';
import { type Emulator, startGcs } from '../installed.ts';
import { teamStateContract } from '../team-state.contract.ts';
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

  teamStateContract(() => ({
    teamState,
    accounts: [account, 'other-ml'],
    envOf: () => ({ GOOGLE_OAUTH_ACCESS_TOKEN: 'ya29.x', CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: gcs.url }),
    async read(path) {
      const answer = await fetch(`${gcs.url}/storage/v1/b/${bucket}/o/${encodeURIComponent(path)}?alt=media`);
      return answer.ok ? answer.text() : undefined;
    },
    remove: (path) => fetch(`${gcs.url}/storage/v1/b/${bucket}/o/${encodeURIComponent(path)}`, { method: 'DELETE' }),
    diedElsewhere:
      /broke off here, and its files are not in gs:\/\/serin-state-acme-ml yet: run 'serin deploy' for that Google project/,
    removal: /gcloud storage rm gs:\/\/serin-state-acme-ml\/serin-shop/,
  }));
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
