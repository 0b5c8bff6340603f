import type { Call } from '@serin/azure/calls/azure';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { emulatedAzure } from '../emulated.ts';
import { accounts, type ServedStorage, startStorage } from './storage.ts';
import { StorageRefusal } from './storage-rules.ts';

emulatedAzure('Blob and Table Storage for tests', () => {
  let storage: ServedStorage;
  beforeAll(async () => {
    storage = await startStorage('azure-checks');
    await storage.createContainer(accounts.data, 'drops');
    await storage.createTable(accounts.own, 'journal');
  });
  afterAll(() => storage?.stop());

  const headers = { 'x-ms-version': '2023-11-03' };
  const inBlob = (method: Call['method'], path: string, more: Partial<Call> = {}): Call => ({
    ...{ service: 'blob', name: accounts.data, method, path: `drops/${path}`, ...more },
    headers: { ...headers, ...(method === 'PUT' ? { 'x-ms-blob-type': 'BlockBlob' } : {}), ...more.headers },
  });
  const put = (path: string, text: string) =>
    storage.azure.bytes(inBlob('PUT', path, { bytes: { content: Buffer.from(text), type: 'text/plain' } }));
  const get = async (path: string, more: Partial<Call> = {}) =>
    Buffer.from((await storage.azure.bytes(inBlob('GET', path, more))).content).toString();
  const list = async (prefix = '') => {
    const query = { restype: 'container', comp: 'list', prefix };
    const { content } = await storage.azure.bytes({ ...inBlob('GET', '', { query }), path: 'drops' });
    return Buffer.from(content).toString();
  };
  const inTable = (method: Call['method'], path: string, more: Partial<Call> = {}): Call => ({
    ...{ service: 'table', name: accounts.own, method, path, ...more },
    headers: { ...headers, accept: 'application/json', ...more.headers },
  });
  const entity = (row: string) => `journal(PartitionKey='p',RowKey='${row}')`;
  const callsOf = (id: string, from: number) => storage.calls.slice(from).filter((call) => call.id === id);

  test('takes a token of its identity for each account, and signs for Azurite', async () => {
    await put('a%2Fb', 'hello');
    await storage.azure.bytes(inTable('PUT', entity('r'), { body: { n: 1 } }));

    expect(await get('a%2Fb')).toBe('hello');
    expect(await storage.azure.json(inTable('GET', entity('r')))).toMatchObject({ n: 1 });
    await expect(storage.azure.bytes({ ...inBlob('GET', 'a%2Fb'), name: accounts.own })).rejects.toMatchObject({
      status: 404,
      code: 'ContainerNotFound',
    });
  });

  test('passes on a transaction whose calls name the URLs of Azure', async () => {
    const url = `https://${accounts.own}.table.core.windows.net/${entity('t')}`;
    const call = ['Content-Type: application/http', 'Content-Transfer-Encoding: binary', '', `PUT ${url} HTTP/1.1`];
    const lines = [
      ...['--batch_1', 'Content-Type: multipart/mixed; boundary=changeset_1', ''],
      ...['--changeset_1', ...call, 'Content-Type: application/json', 'Accept: application/json', '', '{"n":7}', ''],
      ...['--changeset_1--', '--batch_1--', ''],
    ];
    const bytes = { content: Buffer.from(lines.join('\r\n')), type: 'multipart/mixed; boundary=batch_1' };

    const { status, content } = await storage.azure.bytes(inTable('POST', '$batch', { bytes }));

    expect([status, Buffer.from(content).toString()]).toEqual([202, expect.stringContaining('HTTP/1.1 204')]);
    expect(await storage.azure.json(inTable('GET', entity('t')))).toMatchObject({ n: 7 });
  });

  test('loses an answer after the effect', async () => {
    const from = storage.calls.length;
    storage.mood('blob:PutBlob', 'lost');

    await expect(put('lost', 'stored')).rejects.toMatchObject({ name: 'AzureError', status: 0 });

    expect(await get('lost')).toBe('stored');
    expect(callsOf('blob:PutBlob', from).map(({ status }) => status)).toEqual([0]);
  });

  test('takes a token no longer, so that another one must be got', async () => {
    const from = storage.calls.length;
    storage.mood('blob:PutBlob', 'token');

    await put('again', 'x');

    const calls = callsOf('blob:PutBlob', from);
    expect(calls.map(({ status }) => status)).toEqual([401, 201]);
    expect(calls[0]?.headers.authorization).not.toBe(calls[1]?.headers.authorization);
  });

  test('is busy for a while, in the words of either service', async () => {
    const later = { headers: { 'retry-after': '7' } };
    storage.mood('blob:GetBlob', ...Array(3).fill(new StorageRefusal(503, 'ServerBusy', 'The server is busy.', later)));
    storage.mood('table:QueryEntities', ...Array(3).fill(new StorageRefusal(503, 'ServerBusy', 'Busy.', later)));

    const busy = { status: 503, code: 'ServerBusy', retryAfterSeconds: 7 };
    await expect(get('again')).rejects.toMatchObject({ ...busy, message: 'The server is busy.' });
    await expect(storage.azure.json(inTable('GET', entity('r')))).rejects.toMatchObject({ ...busy, message: 'Busy.' });
  });

  test('holds a call back, and changes an answer', async () => {
    const hold = Promise.withResolvers<void>();
    storage.mood('blob:GetBlob', hold.promise, (answer) => ({ ...answer, content: Buffer.from('other') }));

    const first = get('again');
    const second = await get('again');
    hold.resolve();

    expect([await first, second]).toEqual(['x', 'other']);
  });

  test.each([
    ['a name of 1,025 characters', 'x'.repeat(1025)],
    ['a name of 255 parts', encodeURIComponent(`${'x/'.repeat(254)}x`)],
  ])('refuses %s, which Azurite takes', async (_, name) => {
    await expect(put(name, 'x')).rejects.toMatchObject({ status: 400, code: 'InvalidResourceName' });
  });

  test('refuses each range of a blob without a byte', async () => {
    await put('empty', '');

    const read = get('empty', { headers: { 'x-ms-range': 'bytes=0-9' } });

    await expect(read).rejects.toMatchObject({ status: 416, code: 'InvalidRange' });
  });

  test('lists a name that XML cannot hold percent-encoded, and finds it by its beginning', async () => {
    for (const name of ['odd/\u0001', 'odd/\uffff', 'odd/\uf8ff', 'odd/plain'])
      await put(encodeURIComponent(name), 'x');

    const listed = [...(await list('odd/')).matchAll(/<Name.*?<\/Name>/g)].map(([name]) => name);

    expect(listed.toSorted()).toEqual([
      '<Name Encoded="true">odd%2F%01</Name>',
      '<Name Encoded="true">odd%2F%EF%A3%BF</Name>',
      '<Name Encoded="true">odd%2F%EF%BF%BF</Name>',
      '<Name>odd/plain</Name>',
    ]);
    expect(await list('odd/\u0001')).toContain('odd%2F%01');
  });

  test.each([
    [
      'a call without x-ms-version',
      () => inBlob('GET', 'again', { headers: { 'x-ms-version': '' } }),
      /takes no token/,
    ],
    [
      'an operation that no adapter needs',
      () => inBlob('GET', 'again', { query: { comp: 'tags' } }),
      /no adapter of ours/,
    ],
  ])('is against %s, and says so at the end', async (_, call, said) => {
    await expect(storage.azure.bytes(call())).rejects.toMatchObject({ status: 400 });

    expect(storage.check).toThrow(said);
  });
}, ['azurite']);
