import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type QueryCommandInput,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { cursorAfter, keyIn } from '@serin/core/base/cursor';
import { Fault } from '@serin/core/base/fault';
import { decodeText, encodeText, sha256Hex } from '@serin/core/base/json';
import { byBytes } from '@serin/core/base/order';
import type { Append, Entry, Head, Journal, NameRow } from '@serin/core/ports/journal';
import type { Page } from '@serin/core/ports/page';
import { awsFault } from '../faults.ts';

interface Options {
  readonly client: DynamoDBClient;
  /** Its keys are `pk` and `sk`, both text; nothing else is asked of it. */
  readonly table: string;
}

type Item = Record<string, AttributeValue>;
/** Which rows of the two indexes belong to a head; an append takes the old ones away. */
interface Place {
  readonly seq: number;
  readonly due?: string;
  readonly name?: string;
}

/** The index rows lie in this many partitions, so that no single one is hot (1,000 writes a second each). */
const shards = 16;
const pageSize = 200;
const maxStreamBytes = 1024;
const maxNameBytes = 512;
const maxSummaryBytes = 1024;
const maxTextBytes = 8 * 1024 * 1024;
// An item holds 400 KB, the names of its attributes and its keys included.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const maxStoredBytes = 390_000;
const placesRemembered = 1000;

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/**
 * A journal in one DynamoDB table: a partition per stream with its head and its entries, and two indexes of small rows.
 *
 * `append` is one transaction over head, entry and index rows, conditional on the head. States and entries are stored
 * gzipped; one that is over 8 MB as text or over 390 KB gzipped is `invalid`, and nothing is written. All reads are
 * consistent; there is no secondary index, for its lag would hide what is due. A page of an index reads every shard.
 */
export function dynamoJournal({ client, table }: Options): Journal {
  const places = new Map<string, Place>();
  const remember = (stream: string, place: Place): void => {
    places.delete(stream);
    places.set(stream, place);
    const oldest = places.keys().next().value;
    if (places.size > placesRemembered && oldest !== undefined) places.delete(oldest);
  };

  const calling = async <Answer>(what: string, call: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await call();
    } catch (error) {
      throw awsFault(error, `${what} in the journal (table ${table})`);
    }
  };

  async function readHead(stream: string): Promise<Item | undefined> {
    if (!stream.isWellFormed() || stream === '') return undefined;
    const command = new GetItemCommand({ TableName: table, Key: headKey(stream), ConsistentRead: true });
    const { Item: item } = await calling(`reading ${stream}`, () => client.send(command));
    if (item !== undefined) remember(stream, placeOf(item));
    return item;
  }

  /** `undefined`: the stream is not at this seq. */
  async function placeAt(stream: string, seq: number): Promise<Place | undefined> {
    if (seq === 0) return { seq };
    const known = places.get(stream);
    if (known?.seq === seq) return known;
    const item = await readHead(stream);
    const read = item === undefined ? undefined : placeOf(item);
    return read?.seq === seq ? read : undefined;
  }

  const query = (input: Omit<QueryCommandInput, 'TableName' | 'ConsistentRead'>) =>
    calling(`reading ${input.ExpressionAttributeValues?.[':pk']?.S}`, () =>
      client.send(new QueryCommand({ ...input, TableName: table, ConsistentRead: true })),
    );

  /** One page of an index: of each shard as much as the page holds, merged in the order of the sort keys. */
  async function indexed(index: 'due' | 'name', condition: string, values: Item, cursor: string | undefined) {
    const after = cursor === undefined ? undefined : keyIn(cursor);
    const answers = await Promise.all(
      Array.from({ length: shards }, (_, shard) => {
        const pk = `${index}#${shard}`;
        return query({
          KeyConditionExpression: `pk = :pk${condition}`,
          ExpressionAttributeValues: { ':pk': { S: pk }, ...values },
          Limit: pageSize + 1,
          // A start key need not exist: it only says where the order goes on.
          ...(after === undefined ? {} : { ExclusiveStartKey: { pk: { S: pk }, sk: { S: after } } }),
        });
      }),
    );
    const found = answers.flatMap(({ Items = [] }) => Items).sort(bySortKey);
    const items = found.slice(0, pageSize);
    const last = items.at(-1);
    return { items, ...(found.length > pageSize && last !== undefined ? { next: cursorAfter(textOf(last.sk)) } : {}) };
  }

  return {
    async head(stream) {
      const item = await readHead(stream);
      return item === undefined ? undefined : headOf(stream, item);
    },

    async append(basedOn, write) {
      const { stream, seq } = write.entry;
      const stale = (why: string, cause?: unknown) =>
        new Fault('conflict', `cannot append to ${stream}: ${why}; load it and decide again`, { cause });
      const rows = await rowsOf(write);
      if (seq !== basedOn + 1) throw stale(`entry ${seq} does not follow ${basedOn}`);
      const before = await placeAt(stream, basedOn);
      if (before === undefined) throw stale(`it is not at ${basedOn}`);
      // The SDK repeats a call whose answer was lost under this token; the same append made twice is a conflict.
      const command = new TransactWriteItemsCommand({
        ClientRequestToken: randomUUID(),
        TransactItems: transaction(table, rows, before),
      });
      try {
        await client.send(command);
      } catch (error) {
        places.delete(stream);
        if (isContended(error)) throw stale(`it is not at ${basedOn} any more`, error);
        throw awsFault(throttleIn(error) ?? error, `appending to ${stream} (table ${table})`);
      }
      remember(stream, rows.place);
    },

    async history(stream, before = Number.MAX_SAFE_INTEGER, limit) {
      const items: Item[] = [];
      let start: Item | undefined;
      if (!stream.isWellFormed() || stream === '' || limit < 1 || before < 2) return [];
      do {
        const page = await query({
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
          ExpressionAttributeValues: {
            ':pk': { S: `stream#${stream}` },
            ':first': { S: entrySortKey(0) },
            ':last': { S: entrySortKey(before - 1) },
          },
          ScanIndexForward: false,
          Limit: Math.trunc(limit) - items.length,
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        });
        items.push(...(page.Items ?? []));
        start = page.LastEvaluatedKey;
      } while (start !== undefined && items.length < Math.trunc(limit));
      return Promise.all(items.map(async ({ entry }) => (await unpacked(entry)) as Entry)); // written by `append`
    },

    async due(now, cursor): Promise<Page<{ readonly stream: string; readonly due: number }>> {
      const below = { ':below': { S: `${sortableTime(now)}$` } }; // '$' follows '#'
      const { items, ...rest } = await indexed('due', ' AND sk < :below', below, cursor);
      return { items: items.map(({ stream, due }) => ({ stream: textOf(stream), due: Number(due?.N) })), ...rest };
    },

    async names(prefix, cursor): Promise<Page<NameRow>> {
      if (!prefix.isWellFormed()) return { items: [] };
      const [condition, values] =
        prefix === '' ? ['', {}] : [' AND begins_with(sk, :prefix)', { ':prefix': { S: prefix } }];
      const { items, ...rest } = await indexed('name', condition, values, cursor);
      return { items: items.map(nameRow), ...rest };
    },
  };
}

/** Everything that an append writes, taken at the call: later changes of the caller's objects do not count. */
async function rowsOf({ entry, state, due, name }: Append) {
  const { stream, seq, hash } = entry;
  if (due !== undefined && !Number.isSafeInteger(due)) throw invalid(stream, `due ${due} is not a whole number`);
  bounded(stream, maxStreamBytes, stream, 'name');
  const key = name === undefined ? undefined : bounded(name.key, maxNameBytes, stream, 'name key');
  if (key?.includes('\0')) throw invalid(stream, 'its name key contains a NUL');
  const summary =
    name === undefined ? undefined : bounded(JSON.stringify(name.summary), maxSummaryBytes, stream, 'summary');
  const texts = [JSON.stringify(entry), JSON.stringify(state)] as const;
  const mark = sha256Hex(stream).slice(0, 16);
  const place: Place = {
    seq,
    ...(due === undefined ? {} : { due: `${sortableTime(due)}#${mark}` }),
    ...(key === undefined ? {} : { name: `${key}\0${mark}` }),
  };
  const [packedEntry, packedState] = await Promise.all([
    packed(texts[0], stream, 'entry'),
    packed(texts[1], stream, 'state'),
  ]);
  return {
    stream,
    seq,
    hash,
    due,
    key,
    summary,
    place,
    shard: shardOf(stream),
    entry: packedEntry,
    state: packedState,
  };
}

function transaction(table: string, rows: Awaited<ReturnType<typeof rowsOf>>, before: Place): TransactWriteItem[] {
  const { stream, seq, hash, place, shard } = rows;
  const put = (item: Item, condition?: Omit<NonNullable<TransactWriteItem['Put']>, 'TableName' | 'Item'>) => ({
    Put: { TableName: table, Item: item, ...condition },
  });
  const index = (name: 'due' | 'name', row: Item): TransactWriteItem[] => {
    const [old, sk] = [before[name], place[name]];
    const pk = { S: `${name}#${shard}` };
    return [
      ...(sk === undefined ? [] : [put({ pk, sk: { S: sk }, stream: { S: stream }, ...row })]),
      ...(old === undefined || old === sk ? [] : [{ Delete: { TableName: table, Key: { pk, sk: { S: old } } } }]),
    ];
  };
  const atBase =
    before.seq === 0
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : { ConditionExpression: 'seq = :seq', ExpressionAttributeValues: { ':seq': { N: String(before.seq) } } };
  const head: Item = {
    ...headKey(stream),
    seq: { N: String(seq) },
    hash: { S: hash },
    state: { B: rows.state },
    ...(place.due === undefined ? {} : { dueRow: { S: place.due } }),
    ...(place.name === undefined ? {} : { nameRow: { S: place.name } }),
  };
  const entry: Item = { ...headKey(stream), sk: { S: entrySortKey(seq) }, entry: { B: rows.entry } };
  return [
    put(head, atBase),
    put(entry, { ConditionExpression: 'attribute_not_exists(pk)' }),
    ...index('due', { due: { N: String(rows.due) } }),
    ...index('name', { key: { S: rows.key ?? '' }, seq: { N: String(seq) }, summary: { S: rows.summary ?? '' } }),
  ];
}

const headKey = (stream: string): Item => ({ pk: { S: `stream#${stream}` }, sk: { S: 'head' } });
// 16 digits hold every safe integer, and sort as text.
const entrySortKey = (seq: number): string => `entry#${String(seq).padStart(16, '0')}`;
const sortableTime = (time: number): string => String(Math.max(0, Math.trunc(time))).padStart(16, '0');
const shardOf = (stream: string): number => Number.parseInt(sha256Hex(stream).slice(0, 8), 16) % shards;

const textOf = (value: AttributeValue | undefined): string => value?.S ?? '';
const bySortKey = (a: Item, b: Item): number => byBytes(textOf(a.sk), textOf(b.sk));

const placeOf = ({ seq, dueRow, nameRow }: Item): Place => ({
  seq: Number(seq?.N),
  ...(dueRow?.S === undefined ? {} : { due: dueRow.S }),
  ...(nameRow?.S === undefined ? {} : { name: nameRow.S }),
});

const headOf = async (stream: string, { seq, hash, state }: Item): Promise<Head> => ({
  stream,
  seq: Number(seq?.N),
  hash: textOf(hash),
  state: (await unpacked(state)) as Head['state'], // written by `append`
});

const nameRow = ({ key, stream, seq, summary }: Item): NameRow => ({
  key: textOf(key),
  stream: textOf(stream),
  seq: Number(seq?.N),
  summary: JSON.parse(textOf(summary)),
});

async function packed(text: string, stream: string, what: string): Promise<Uint8Array> {
  bounded(text, maxTextBytes, stream, what);
  const bytes = await pack(text);
  if (bytes.length > maxStoredBytes)
    throw invalid(stream, `its ${what} has ${bytes.length} bytes gzipped, more than the ${maxStoredBytes} of an item`);
  return bytes;
}

const unpacked = async (value: AttributeValue | undefined): Promise<unknown> =>
  JSON.parse(decodeText(await unpack(value?.B ?? new Uint8Array())));

function bounded(text: string, maxBytes: number, stream: string, what: string): string {
  if (!text.isWellFormed() || text === '') throw invalid(stream, `its ${what} is empty or not valid Unicode`);
  const { length } = encodeText(text);
  if (length > maxBytes) throw invalid(stream, `its ${what} has ${length} bytes, more than ${maxBytes}`);
  return text;
}

const invalid = (stream: string, why: string) =>
  new Fault('invalid', `cannot append to ${JSON.stringify(stream.slice(0, 200))}: ${why}`);

const reasonsIn = (error: unknown): readonly string[] =>
  error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []).map(({ Code = '' }) => Code) : [];

/** Another append came first, or is being made at this moment. */
const isContended = (error: unknown): boolean =>
  reasonsIn(error).some((code) => code === 'ConditionalCheckFailed' || code === 'TransactionConflict');

const throttleIn = (error: unknown): Fault | undefined =>
  reasonsIn(error).some((code) => code === 'ThrottlingError' || code === 'ProvisionedThroughputExceeded')
    ? new Fault('throttled', 'DynamoDB has no capacity for the append at this moment', { cause: error })
    : undefined;
