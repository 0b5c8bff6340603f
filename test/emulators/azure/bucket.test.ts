import { randomUUID } from 'node:crypto';
import { blobBucket } from '@serin/azure/ports/bucket';
import { afterAll, beforeAll } from 'vitest';
import { bucketContract } from '../../contract/bucket.contract.ts';
import { emulatedAzure } from '../emulated.ts';
import { accounts, type ServedStorage, startStorage } from './storage.ts';

emulatedAzure('the bucket in Blob Storage', () => {
  let storage: ServedStorage;
  beforeAll(async () => {
    storage = await startStorage('azure-bucket');
  });
  afterAll(() => storage?.stop());

  /** A container of its own for each case. */
  async function create(account: string = accounts.data) {
    const container = `c-${randomUUID()}`;
    await storage.createContainer(account, container);
    return blobBucket({ azure: storage.azure, account, container });
  }

  bucketContract('Blob Storage (Azurite)', async () => ({
    port: await create(),
    other: await create(),
    absent: blobBucket({ azure: storage.azure, account: accounts.data, container: 'absent' }),
    close: async () => storage.check(),
  }));
}, ['azurite']);
