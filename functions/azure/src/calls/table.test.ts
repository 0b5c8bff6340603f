import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type Azure, azureClient, hostsOf } from './azure.ts';
import { tableOf } from './table.ts';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}
interface Told {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A table service that gives these answers, one after the other. */
async function answering(...answers: readonly Told[]) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    asked.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    const told = answers[Math.min(asked.length, answers.length) - 1];
    response.writeHead(told?.status ?? 200, told?.headers).end(told?.body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const hosts = hostsOf({ SERIN_ENDPOINT_TABLE: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const patience = { wholeMs: 20_000, onceMs: 8000, pausesMs: [1, 1] };
  const azure: Azure = azureClient({ hosts, tokens: () => async () => 'a-token', patience });
  return { asked, table: tableOf({ azure, account: 'acme', table: 'serin' }) };
}

const range = { partition: '07', after: "a'b", below: 'c', limit: 3 };
const rows = (...keys: readonly string[]): string => JSON.stringify({ value: keys.map((RowKey) => ({ RowKey })) });
const refused = (status: number, code: string, message: string): string =>
  JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value: message } } }).replace(
    /^/,
    `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\n\r\n`,
  );
const batch = (...parts: readonly string[]): Told => ({
  status: 202,
  headers: { 'content-type': 'multipart/mixed; boundary=batchresponse_1' },
  body: [
    '--batchresponse_1\r\nContent-Type: multipart/mixed; boundary=changesetresponse_1\r\n',
    ...parts.map((part) => `--changesetresponse_1\r\nContent-Type: application/http\r\n\r\n${part}\r\n`),
    '--changesetresponse_1--\r\n--batchresponse_1--',
  ].join('\r\n'),
});
const written = 'HTTP/1.1 204 No Content\r\nETag: W/"1"\r\n';
const writes = [
  { kind: 'insert', row: 'a', properties: { text: 'ü', count: 9_007_199_254_740_993n, bytes: new Uint8Array([255]) } },
  { kind: 'put', row: 'b', properties: {} },
  { kind: 'delete', row: "c'd" },
] as const;

describe('rows of a range', () => {
  test('are asked for by their keys, and not more than are wanted', async () => {
    const { asked, table } = await answering({ body: rows('b1', 'b2') });

    const found = await table.rows({ ...range, select: ['RowKey', 'seq'] });

    expect(found).toEqual([{ RowKey: 'b1' }, { RowKey: 'b2' }]);
    const [{ url = '', headers = {} } = {}] = asked;
    const filter = "$filter=PartitionKey eq '07' and RowKey gt 'a''b' and RowKey lt 'c'";
    expect(decodeURIComponent(url)).toBe(`/serin()?${filter}&$top=3&$select=RowKey,seq`);
    expect(headers).toMatchObject({ 'x-ms-version': '2020-12-06', accept: 'application/json;odata=nometadata' });
  });

  test('go on after a page that is empty, and end with the page that says no more', async () => {
    const next = { 'x-ms-continuation-NextPartitionKey': '1!8!MDc-', 'x-ms-continuation-NextRowKey': '1!8!b/+=' };
    const { asked, table } = await answering(
      { body: rows('b1'), headers: next },
      { body: rows(), headers: next },
      { body: rows('b2') },
    );

    const found = await table.rows(range);

    expect(found.map(({ RowKey }) => RowKey)).toEqual(['b1', 'b2']);
    expect(asked.map(({ url }) => new URL(url, 'http://x').searchParams.get('NextRowKey'))).toEqual([
      null,
      '1!8!b/+=',
      '1!8!b/+=',
    ]);
    expect(asked.map(({ url }) => new URL(url, 'http://x').searchParams.get('$top'))).toEqual(['3', '2', '2']);
  });

  test('go on where the next page begins with a partition', async () => {
    const next = { 'x-ms-continuation-NextPartitionKey': '1!8!MDc-' };
    const { asked, table } = await answering({ body: rows(), headers: next }, { body: rows('b1') });

    expect(await table.rows(range)).toHaveLength(1);
    expect(asked[1]?.url).toContain('NextPartitionKey=1%218%21MDc-');
    expect(asked[1]?.url).not.toContain('NextRowKey');
  });

  test('are asked for a thousand at a time', async () => {
    const { asked, table } = await answering({ body: rows() });

    await table.rows({ ...range, limit: 5000 });

    expect(new URL(asked[0]?.url ?? '', 'http://x').searchParams.get('$top')).toBe('1000');
  });

  test('end when there are as many as are wanted, although more follow', async () => {
    const next = { 'x-ms-continuation-NextPartitionKey': '1!8!MDc-' };
    const { asked, table } = await answering({ body: rows('b1', 'b2', 'b3'), headers: next });

    await table.rows(range);

    expect(asked).toHaveLength(1);
  });

  test.each(['{}', '<html></html>', 'null'])('are not read from an answer without rows: %s', async (body) => {
    const { table } = await answering({ body });

    await expect(table.rows(range)).rejects.toMatchObject({ status: 502 });
  });
});

describe('a row', () => {
  test('that is not there is told from a table that is not there', async () => {
    const missing = (code: string): Told => ({ status: 404, body: JSON.stringify({ 'odata.error': { code } }) });
    const { table } = await answering(missing('ResourceNotFound'), missing('EntityNotFound'), missing('TableNotFound'));

    expect(await table.row('07', 'a')).toBeUndefined();
    expect(await table.row('07', 'a')).toBeUndefined();
    await expect(table.row('07', 'a')).rejects.toMatchObject({ code: 'TableNotFound' });
  });

  test('has its keys in the path, in quotation marks', async () => {
    const { asked, table } = await answering({ body: '{}' });

    await table.row('07', "it's", ['seq']);

    expect(decodeURIComponent(asked[0]?.url ?? '')).toBe("/serin(PartitionKey='07',RowKey='it''s')?$select=seq");
  });
});

describe('a transaction', () => {
  test('is one request with one change set, in which each write names the account', async () => {
    const { asked, table } = await answering(batch(written, written, written));

    await table.transact('07', writes);

    const [{ body = '', headers = {}, url = '' } = {}] = asked;
    expect(url).toBe('/$batch');
    const boundary = /^multipart\/mixed; boundary=(batch_[\w-]+)$/.exec(String(headers['content-type']))?.[1];
    expect(body.startsWith(`--${boundary}\r\nContent-Type: multipart/mixed; boundary=changeset_`)).toBe(true);
    expect(body.endsWith(`--\r\n--${boundary}--\r\n`)).toBe(true);
    expect(body.match(/^(POST|PUT|DELETE) .*(?=\r$)/gm)?.map(decodeURIComponent)).toEqual([
      'POST https://acme.table.core.windows.net/serin HTTP/1.1',
      "PUT https://acme.table.core.windows.net/serin(PartitionKey='07',RowKey='b') HTTP/1.1",
      "DELETE https://acme.table.core.windows.net/serin(PartitionKey='07',RowKey='c''d') HTTP/1.1",
    ]);
    expect(body.match(/^\{.*\}(?=\r$)/gm)?.map((json) => JSON.parse(json))).toEqual([
      {
        PartitionKey: '07',
        RowKey: 'a',
        text: 'ü',
        'count@odata.type': 'Edm.Int64',
        count: '9007199254740993',
        'bytes@odata.type': 'Edm.Binary',
        bytes: '/w==',
      },
      { PartitionKey: '07', RowKey: 'b' },
    ]);
    // Only a delete has to say that any version will do.
    expect(body.match(/If-Match: \*/g)).toHaveLength(1);
  });

  test('that is refused says which write, by which word', async () => {
    const message = '1:The specified entity already exists.\nRequestId:1\nTime:2';
    const { table } = await answering(batch(refused(409, 'EntityAlreadyExists', message)));

    await expect(table.transact('07', writes)).rejects.toMatchObject({
      at: 1,
      code: 'EntityAlreadyExists',
      status: 409,
      message,
    });
  });

  test('is made again while the service is not available, and is not while it is refused', async () => {
    const { asked, table } = await answering(
      { status: 503 },
      { status: 429 },
      batch(refused(400, 'EntityTooLarge', '0:x')),
    );

    await expect(table.transact('07', writes)).rejects.toMatchObject({ code: 'EntityTooLarge' });
    expect(asked).toHaveLength(3);
    expect(new Set(asked.map(({ body }) => body)).size).toBe(1);
  });

  test.each([
    ['ends early', batch(written, written)],
    ['is empty', { status: 202 }],
    ['is a web page', { status: 200, body: '<html>' }],
  ])('is not taken for done when its answer %s', async (_, answer) => {
    const { table } = await answering(answer);

    await expect(table.transact('07', writes)).rejects.toMatchObject({ status: 502 });
  });

  test('that the service has no time for is not done, in whatever words it says so', async () => {
    const { table } = await answering(batch('HTTP/1.1 500 Internal Server Error\r\n\r\nOperation timed out'));

    await expect(table.transact('07', writes)).rejects.toMatchObject({ status: 500, code: '' });
  });
});
