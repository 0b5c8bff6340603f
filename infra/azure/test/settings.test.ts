import { expect, test } from 'vitest';
import { readSettings, settingsOf, topology } from '../topology.ts';
import { closed, fileOf, given, plain, where } from './settings.ts';

/** All that is wrong with these settings, as who deploys them is told. */
function refused(changes: object): string {
  try {
    topology({ ...plain, ...changes }, where);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return '';
}
const elsewhere = '99999999-1bf0-4dda-aec3-cb9272f09590';

test.each([
  ['a field in another case', { kmskey: closed.kmsKey }, 'kmskey is no field: there are project, environment'],
  ['a subscription by its name', { subscription: 'Acme Production' }, 'it must be the id of a subscription, a GUID'],
  ['a region as the portal names it', { region: 'West Europe' }, 'region is "West Europe": it must be a region'],
  ['a group with a period last', { resourceGroup: 'serin.' }, 'resourceGroup is "serin.": it must be the name'],
  [
    'a workspace by its name',
    { workspace: 'acme-ws' },
    'workspace is "acme-ws": it must be the resource id of an Azure ML',
  ],
  [
    'a workspace that is an account',
    { workspace: given.dataAccount },
    'it must be the resource id of an Azure ML workspace',
  ],
  [
    'a storage account whose name Azure does not take',
    { dataAccount: given.dataAccount?.replace('acmemldata', 'Acme-ML') },
    'whose name has 3 to 24 lower-case letters and digits',
  ],
  [
    'a workspace of another subscription',
    { workspace: given.workspace?.replace(where.account, elsewhere) },
    `workspace is in another subscription than ${where.account}`,
  ],
  [
    'a subnet of another subscription',
    { network: { ...closed.network, functions: closed.network?.functions.replace(where.account, elsewhere) } },
    'network.functions is in another subscription',
  ],
  ['a network with one subnet', { network: { functions: closed.network?.functions } }, 'network.endpoints is missing'],
  ['a cluster of our own workspace', { cluster: 'gpu' }, 'cluster says nothing without workspace'],
  ['a topic of our own account', { dataTopic: 'topic' }, 'dataTopic says nothing without dataAccount'],
  ['an API that nobody reaches', { api: 'internal' }, 'api "internal" says nothing without network'],
  ['a key that nobody may use', { kmsKey: closed.kmsKey }, 'kmsKey says nothing without kmsIdentity'],
  ['a key by its version', { kmsKey: `${closed.kmsKey}/0123456789abcdef` }, 'and no version of it'],
  ['an API for some', { api: 'private' }, "api is \"private\": it must be 'public' or 'internal'"],
  ['an API with few instances', { apiInstances: 5 }, 'apiInstances is 5: it must be a whole number from 40 to 1000'],
  ['a replication that there is not', { replication: 'RAGRS' }, 'replication is "RAGRS": it must be'],
  ['logs for a day', { logDays: 1 }, 'logDays is 1: it must be a whole number from 30 to 730'],
  ['an address that is none', { alertEmail: 'oncall' }, 'alertEmail is "oncall"'],
  [
    'an application without a tenant',
    { alarms: { audience: 'api://x', object: closed.alarms?.object } },
    'alarms.tenant is missing',
  ],
  ['a container in capitals', { dataBuckets: ['Raw'] }, 'dataBuckets is ["Raw"]'],
  ['an environment with a hyphen', { environment: 'eu-prod' }, "the environment 'eu-prod' must be"],
  ['names that are too long', { project: 'p'.repeat(24) }, 'has 28 characters'],
])('%s is refused, with what is allowed', (_, changes, message) => {
  expect(refused(changes)).toContain(message);
});

test('all that is wrong is told at once, and no hash is told', () => {
  const message = refused({ environment: 'Prod', api: 'open', kmskey: 'x', adminTokenHash: 'srn_secret' });

  expect(message.split('\n')).toHaveLength(5);
  expect(message).not.toContain('srn_secret');
});

test('the settings of an environment are those of its file, with its own hash', () => {
  expect(settingsOf('serin.azure.json', fileOf(plain), 'prod')).toEqual(plain);
  expect(readSettings(fileOf(plain), 'dev')).toEqual({
    problems: [expect.stringContaining('adminTokenHash has none for dev, but for prod')],
  });
});
