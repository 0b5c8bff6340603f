import { describe, expect, test } from 'vitest';
import { refusedByTables } from './table-limits.ts';

const home = 'https://acme.table.core.windows.net';
const at = (row: string, partition = '07') => `/serin(PartitionKey='${partition}',RowKey='${encodeURIComponent(row)}')`;
const sent = (verb: string, path: string, body = '', query = '') => {
  const answer = refusedByTables({
    ...{ service: 'table', verb, path, headers: {} },
    query: new URLSearchParams(query),
    bytes: Buffer.from(body),
  });
  return answer && { status: answer.status, body: Buffer.from(answer.content).toString() };
};
const put = (properties: object, row = 'a') => sent('PUT', at(row), JSON.stringify(properties));

interface Write {
  readonly url?: string;
  readonly properties?: object;
}
const transacted = (...writes: readonly Write[]) => {
  const parts = writes.map(
    ({ url = `${home}${at('a')}`, properties = {} }) =>
      `--changeset_1\r\nContent-Type: application/http\r\n\r\nPUT ${url} HTTP/1.1\r\n\r\n${JSON.stringify(properties)}\r\n`,
  );
  return sent('POST', '/$batch', `--batch_1\r\n${parts.join('')}`);
};
const text = (characters: number): string => 'x'.repeat(characters);
const properties = (count: number, value: unknown = 1) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, value]));
const binary = (bytes: number) => ({ 'b@odata.type': 'Edm.Binary', b: Buffer.alloc(bytes).toString('base64') });

describe('what Table Storage refuses and Azurite takes', () => {
  test('is nothing of what it takes', () => {
    expect(put({ PartitionKey: '07', RowKey: 'a', ...properties(252) })).toBeUndefined();
    expect(put({}, text(512))).toBeUndefined();
    expect(put(properties(15, text(32_768)))).toBeUndefined();
    expect(put(binary(1_048_000))).toBeUndefined();
    expect(transacted({}, { properties: properties(1) })).toBeUndefined();
    expect(sent('GET', '/serin()', '', '$filter=x&$top=1000')).toBeUndefined();
    expect(sent('POST', '/Tables', '{}')).toBeUndefined();
  });

  test.each([
    ['253 properties', () => put(properties(253)), 'TooManyProperties'],
    ['an entity over 1 MiB, in UTF-16', () => put(properties(16, text(32_768))), 'EntityTooLarge'],
    ['an entity over 1 MiB of bytes', () => put(binary(1_048_576)), 'EntityTooLarge'],
    ['a property with a hyphen', () => put({ 'a-b': 1 }), 'PropertyNameInvalid'],
    ['a property with a long name', () => put({ [text(256)]: 1 }), 'PropertyNameTooLong'],
    ['a key over 1 KiB', () => put({}, text(513)), 'KeyValueTooLarge'],
    ['a slash in a key', () => put({}, 'a/b'), 'OutOfRangeInput'],
    ['a control character in a key', () => put({}, 'a\u0085'), 'OutOfRangeInput'],
  ])('%s', (_, refused, code) => {
    const answer = refused();

    expect(answer?.status).toBe(400);
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ 'odata.error': { code } });
  });

  test.each([
    ['a write that is refused, by its number', [{}, { properties: properties(253) }], /"TooManyProperties".*"1:The/],
    ['a second partition', [{}, { url: `${home}${at('b', '08')}` }], /"CommandsInBatchActOnDifferentPartitions".*"1:/],
    ['a write that names no account', [{ url: at('a') }], /"InvalidInput".*"0:/],
    ['101 writes', Array(101).fill({}), /"InvalidInput".*"100:.*maximum 100/],
  ])('in a transaction: %s', (_, writes, said) => {
    const answer = transacted(...writes);

    expect(answer).toMatchObject({ status: 202, body: expect.stringMatching(said) });
  });

  test('a transaction over 4 MiB, whatever is in it', () => {
    expect(transacted(...Array(5).fill({ properties: { p: text(1_000_000) } }))).toMatchObject({ status: 413 });
    expect(transacted(...Array(4).fill({ properties: { p: text(500_000) } }))).toBeUndefined();
  });

  test('more than 1,000 rows at a time', () => {
    expect(sent('GET', '/serin()', '', '$top=1001')).toMatchObject({ status: 400 });
  });
});
