// What Table Storage refuses and Azurite takes. The server before Azurite (storage.ts) asks this of each request.
import type { Received } from '@serin/platform/wire';
import type { StorageRequest } from './storage-operations.ts';

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const mib = 1024 * 1024;
/** https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model */
const most = { entityBytes: mib, properties: 252, propertyName: 255, key: 512, top: 1000 };
/** https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions */
const mostInTransaction = { bytes: 4 * mib, writes: 100 };

// https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes
const refusals = {
  entity: { status: 400, code: 'EntityTooLarge', message: 'The entity is larger than the maximum size permitted.' },
  properties: { status: 400, code: 'TooManyProperties', message: 'The entity contains more properties than allowed.' },
  name: { status: 400, code: 'PropertyNameInvalid', message: 'The property name is invalid.' },
  nameLength: {
    status: 400,
    code: 'PropertyNameTooLong',
    message: 'The property name exceeds the maximum allowed length.',
  },
  key: { status: 400, code: 'KeyValueTooLarge', message: 'The key value is larger than the maximum size permitted.' },
  keyCharacters: { status: 400, code: 'OutOfRangeInput', message: 'The key has a character that is out of range.' },
  body: { status: 413, code: 'RequestBodyTooLarge', message: 'The request body is too large.' },
  writes: {
    status: 400,
    code: 'InvalidInput',
    message: 'The batch request operation exceeds the maximum 100 changes per change set.',
  },
  partition: {
    status: 400,
    code: 'CommandsInBatchActOnDifferentPartitions',
    message: 'All commands in a batch must operate on same entity group.',
  },
  url: { status: 400, code: 'InvalidInput', message: 'The URL of a write must name the account.' },
  top: { status: 400, code: 'InvalidInput', message: 'One of the request inputs is not valid.' },
} as const satisfies Record<string, Refusal>;

/** The answer of Table Storage to a request that Azurite would take; `undefined`: let Azurite answer. */
export function refusedByTables({ service, verb, path, query, bytes }: StorageRequest): Received | undefined {
  if (service !== 'table') return undefined;
  if (path === '/$batch') return ofTransaction(bytes);
  const refusal =
    Number(query.get('$top') ?? 1) > most.top
      ? refusals.top
      : ofWrite({ method: verb, path, body: new TextDecoder().decode(bytes) });
  return refusal && answered(refusal);
}

const answered = (refusal: Refusal): Received => ({
  status: refusal.status,
  headers: new Headers({ 'content-type': 'application/json;odata=minimalmetadata' }),
  content: Buffer.from(said(refusal, refusal.message)),
});

const said = ({ code }: Refusal, message: string): string =>
  JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value: message } } });

interface SentWrite {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

function ofTransaction(body: Uint8Array): Received | undefined {
  if (body.length > mostInTransaction.bytes) return answered(refusals.body);
  const writes = writesIn(new TextDecoder().decode(body));
  if (writes.length > mostInTransaction.writes) return withinAnswer(refusals.writes, mostInTransaction.writes);
  const partitions = new Set<string | undefined>();
  for (const [at, write] of writes.entries()) {
    const refusal = write.path === '' ? refusals.url : ofWrite(write);
    if (refusal !== undefined) return withinAnswer(refusal, at);
    partitions.add(keysOf(write).partition);
    if (partitions.size > 1) return withinAnswer(refusals.partition, at);
  }
  return undefined;
}

/** The writes of a change set; one whose URL names no account has no path. */
const writesIn = (text: string): readonly SentWrite[] =>
  text
    .split(/^(?=(?:POST|PUT|MERGE|PATCH|DELETE) \S+ HTTP\/1\.1\r?$)/m)
    .slice(1)
    .map((part) => {
      const [, method = '', url = ''] = /^(\S+) (\S+)/.exec(part) ?? [];
      const path = /^https:\/\/[a-z0-9]+\.table\.core\.windows\.net(\/.+)$/.exec(url)?.[1] ?? '';
      return { method, path, body: /\{.*\}/.exec(part)?.[0] ?? '' };
    });

/** As Table Storage says that a transaction was refused: an answer of 202 with one part, which begins with a number. */
function withinAnswer(refusal: Refusal, at: number): Received {
  const message = `${at}:${refusal.message}\nRequestId:00000000-0002-0000-0000-000000000000\nTime:2026-01-01T00:00:00.0000000Z`;
  const lines = [
    ...['--batchresponse_1', 'Content-Type: multipart/mixed; boundary=changesetresponse_1', ''],
    ...['--changesetresponse_1', 'Content-Type: application/http', 'Content-Transfer-Encoding: binary', ''],
    ...[`HTTP/1.1 ${refusal.status} Refused`, 'Content-Type: application/json', '', said(refusal, message)],
    ...['--changesetresponse_1--', '--batchresponse_1--', ''],
  ];
  return {
    status: 202,
    headers: new Headers({ 'content-type': 'multipart/mixed; boundary=batchresponse_1' }),
    content: Buffer.from(lines.join('\r\n')),
  };
}

type Entity = Readonly<Record<string, unknown>>;

function ofWrite(write: SentWrite): Refusal | undefined {
  if (write.method === 'GET' || /^\/Tables\b/.test(write.path)) return undefined;
  const { partition, row } = keysOf(write);
  for (const key of [partition, row]) {
    if (key === undefined) continue;
    if (key.length > most.key) return refusals.key;
    if (/[/\\#?\p{Cc}]/u.test(key)) return refusals.keyCharacters;
  }
  return write.body === '' ? undefined : ofEntity(entityIn(write));
}

function ofEntity(entity: Entity): Refusal | undefined {
  const names = Object.keys(entity).filter((name) => !name.includes('@') && !/^(PartitionKey|RowKey)$/.test(name));
  if (names.length > most.properties) return refusals.properties;
  if (names.some((name) => name.length > most.propertyName)) return refusals.nameLength;
  if (names.some((name) => !/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name))) return refusals.name;
  return bytesOf(entity, names) > most.entityBytes ? refusals.entity : undefined;
}

// Microsoft's own account of it; the sum is compared with 1 MiB.
// http://blogs.msdn.com/b/avkashchauhan/archive/2011/11/30/how-the-size-of-an-entity-is-caclulated-in-windows-azure-table-storage.aspx
function bytesOf(entity: Entity, names: readonly string[]): number {
  const keys = `${entity.PartitionKey ?? ''}${entity.RowKey ?? ''}`;
  const values = names.map((name) => 8 + 2 * name.length + bytesOfValue(entity[name], entity[`${name}@odata.type`]));
  return values.reduce((sum, bytes) => sum + bytes, 4 + 2 * keys.length);
}

function bytesOfValue(value: unknown, type: unknown): number {
  if (typeof value !== 'string') return 8;
  if (type === 'Edm.Binary') return 4 + Buffer.byteLength(value, 'base64');
  return type === undefined || type === 'Edm.String' ? 4 + 2 * value.length : 16;
}

function entityIn({ body }: SentWrite): Entity {
  try {
    return (JSON.parse(body) ?? {}) as Entity;
  } catch {
    return {};
  }
}

/** Those of the path, or of the entity that is inserted. */
function keysOf(write: SentWrite): { readonly partition?: string; readonly row?: string } {
  const path = /\(PartitionKey='(.*)',\s*RowKey='(.*)'\)/.exec(decodeURIComponent(write.path));
  if (path !== null) return { partition: unquoted(path[1]), row: unquoted(path[2]) };
  const { PartitionKey: partition, RowKey: row } = write.body === '' ? {} : entityIn(write);
  return { ...(typeof partition === 'string' ? { partition } : {}), ...(typeof row === 'string' ? { row } : {}) };
}

const unquoted = (text = ''): string => text.replaceAll("''", "'");
