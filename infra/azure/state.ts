import { type Azure, AzureError, azureClient, type Call, hostsOf } from '../../functions/azure/src/calls/azure.ts';
import type { StateOf, TeamState } from '../shared/shapes.ts';
import { type StateStore, stateIn } from '../team-state.ts';
import { tokenOf } from './login.ts';
import { refusalOf } from './refusals.ts';
import { stateAccountOf, stateContainer } from './topology/by-hand.ts';

/** The state of one installation in a storage account of its team. */
export function teamState({ account, ...what }: StateOf): TeamState {
  const { env } = what;
  const store = stateAccountOf(account);
  const azure = azureClient({ hosts: hostsOf(env), tokens: (resource) => () => tokenOf(env, resource) });
  const state = stateIn(blobStore(azure, store), what, { account: 'subscription' });
  return {
    begin: () => refusalOf({ account, store: `storage account ${store}` }, () => state.begin()),
    end: () => refusalOf({ account, store: `storage account ${store}` }, () => state.end()),
  };
}

// https://learn.microsoft.com/rest/api/storageservices/versioning-for-the-azure-storage-services
const headers = { 'x-ms-version': '2024-11-04' };

/** The version of a blob is its ETag. */
function blobStore(azure: Azure, account: string): StateStore {
  const blob = (name: string): Pick<Call, 'service' | 'name' | 'path'> => ({
    service: 'blob',
    name: account,
    path: `${stateContainer}/${name.split('/').map(encodeURIComponent).join('/')}`,
  });
  return {
    name: `https://${account}.blob.core.windows.net/${stateContainer}`,
    removal: (name) =>
      `az storage blob delete --account-name ${account} --container-name ${stateContainer} --name ${name} --auth-mode login`,
    async get(name) {
      try {
        const { content, headers: said } = await azure.bytes({ ...blob(name), method: 'GET', headers });
        return { content, version: said.get('etag') ?? '' };
      } catch (error) {
        if (error instanceof AzureError && error.code === 'BlobNotFound') return undefined;
        throw error;
      }
    },
    async put(name, content, version) {
      const condition = version === undefined ? { 'if-none-match': '*' } : { 'if-match': version };
      try {
        await azure.bytes({
          ...blob(name),
          method: 'PUT',
          headers: { ...headers, ...condition, 'x-ms-blob-type': 'BlockBlob' },
          bytes: { content, type: 'application/json' },
        });
        return true;
      } catch (error) {
        if (error instanceof AzureError && (error.status === 409 || error.status === 412)) return false;
        throw error;
      }
    },
    async remove(name, version) {
      await azure.bytes({ ...blob(name), method: 'DELETE', headers: { ...headers, 'if-match': version } });
    },
  };
}
