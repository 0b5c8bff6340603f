import { expect, test } from 'vitest';
import { readSettings, settingsOf, topology } from '../topology.ts';
import { closed, fileOf, plain, where } from './settings.ts';

/** All that is wrong with these settings, as who deploys them is told. */
function refused(changes: object): string {
  try {
    topology({ ...plain, ...changes }, where);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return '';
}

test.each([
  ['a field in another case', { kmskey: closed.kmsKey }, 'kmskey is no field: there are project, environment'],
  [
    'a key of another region',
    { kmsKey: closed.kmsKey?.replace('europe-west4', 'us-central1') },
    'kmsKey is a key in us-central1: name one in europe-west4',
  ],
  ['a key by its version', { kmsKey: `${closed.kmsKey}/cryptoKeyVersions/1` }, 'and no version of it'],
  [
    'a network by the id of its project',
    { network: { ...closed.network, network: 'projects/acme/global/networks/ml' } },
    'network.network is',
  ],
  ['a network without a connector', { network: { network: closed.network?.network } }, 'network.connector is missing'],
  ['a network that is a text', { network: 'isolated' }, 'network is "isolated": it must be {network, connector}'],
  ['an API for some', { api: 'private' }, "api is \"private\": it must be 'public' or 'internal'"],
  [
    'a Google project by its number',
    { googleProject: '123456789012' },
    'googleProject is "123456789012": it must be the id',
  ],
  ['a zone', { region: 'europe-west4-a' }, 'region is "europe-west4-a": it must be a region'],
  ['an address that is none', { alertEmail: 'oncall' }, 'alertEmail is "oncall"'],
  ['a topic to notify', { notify: 'projects/acme/topics/t' }, 'it must be a notification channel'],
  ['logs for ever', { logDays: 0 }, 'logDays is 0: it must be a whole number from 1 to 3650'],
  ['an API that nobody may call', { apiInstances: 0 }, 'apiInstances is 0'],
  ['all buckets for data', { dataBuckets: ['*'] }, 'dataBuckets is ["*"]'],
  ['a text that is not true', { createDataBuckets: 'false' }, 'createDataBuckets is "false": it must be true or false'],
  ['an environment with a hyphen', { environment: 'eu-prod' }, "the environment 'eu-prod' must be"],
  ['a project that looks like Google', { project: 'my-goog1e' }, "must not contain 'google'"],
  ['names that are too long', { project: 'p'.repeat(22) }, 'has 26 characters'],
])('%s is refused, with what is allowed', (_, changes, message) => {
  expect(refused(changes)).toContain(message);
});

test('all that is wrong is told at once, and no hash is told', () => {
  const message = refused({ environment: 'Prod', api: 'open', kmskey: 'x', adminTokenHash: 'srn_secret' });

  expect(message.split('\n')).toHaveLength(5);
  expect(message).not.toContain('srn_secret');
});

test('the settings of an environment are those of its file, with its own hash', () => {
  expect(settingsOf('serin.gcp.json', fileOf(plain), 'prod')).toEqual(plain);
  expect(readSettings(fileOf(plain), 'dev')).toEqual({
    problems: [expect.stringContaining('adminTokenHash has none for dev, but for prod')],
  });
});
