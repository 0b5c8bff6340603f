import { randomUUID } from 'node:crypto';
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
import { keyIn } from '@serin/core/base/cursor';
import { Fault } from '@serin/core/base/fault';
import type { Append, Entry, Head, Journal, NameRow } from '@serin/core/ports/journal';
import type { Page } from '@serin/core/ports/page';
import {
  indexKeys,
  journalPageSize,
  mergedPage,
  type Place,
  parsed,
  recentPlaces,
  refuseGap,
  rowsOf,
  shardOf,
  sortable,
  staleAppend,
} from '@serin/platform/journal-rows';
import { packed, unpacked } from '@serin/platform/packed';
import { awsFault } from '../faults.ts';

interface Options {
  readonly client: DynamoDBClient;
  /** Its keys are `pk` and `sk`, both text; nothing else is asked of it. */
  readonly table: string;
}

type Item = Record<string, AttributeValue>;
/** The index rows lie in this many partitions, so that no single one is hot (1,000 writes a second each). */
const shards = 16;
const limits = { stream: 1024, nameKey: 512, summary: 1024, text: 8 * 1024 * 1024 };
// An item holds 400 KB, the names of its attributes and its keys included.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const stored = { bytes: 390_000, of: 'an item' };

/**
 * A journal in one DynamoDB table: a partition per stream with its head and its entries, and two indexes of small rows.
 *
 * `append` is one transaction over head, entry and index rows, conditional on the head. States and entries are stored
 * gzipped; one that is over 8 MB as text or over 390 KB gzipped is `invalid`, and nothing is written. All reads are
 * consistent; there is no secondary index, for its lag would hide what is due. A page of an index reads every shard.
 */
export function dynamoJournal({ client, table }: Options): Journal {
  const places = recentPlaces();

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
    if (item !== undefined) places.remember(stream, placeOf(item));
    return item;
  }

  /** `undefined`: the stream is not at this seq. */
  async function placeAt(stream: string, seq: number): Promise<Place | undefined> {
    if (seq === 0) return { seq };
    const known = places.at(stream, seq);
    if (known !== undefined) return known;
    const item = await readHead(stream);
    const read = item === undefined ? undefined : placeOf(item);
    return read?.seq === seq ? read : undefined;
  }

  const query = (input: Omit<QueryCommandInput, 'TableName' | 'ConsistentRead'>) =>
    calling(`reading ${input.ExpressionAttributeValues?.[':pk']?.S}`, () =>
      client.send(new QueryCommand({ ...input, TableName: table, ConsistentRead: true })),
    );

  /** One page of an index: of each shard as much as the page holds. */
  async function indexed(index: 'due' | 'name', condition: string, values: Item, cursor: string | undefined) {
    const after = cursor === undefined ? undefined : keyIn(cursor);
    const answers = await Promise.all(
      Array.from({ length: shards }, (_, shard) => {
        const pk = `${index}#${shard}`;
        return query({
          KeyConditionExpression: `pk = :pk${condition}`,
          ExpressionAttributeValues: { ':pk': { S: pk }, ...values },
          Limit: journalPageSize + 1,
          // A start key need not exist: it only says where the order goes on.
          ...(after === undefined ? {} : { ExclusiveStartKey: { pk: { S: pk }, sk: { S: after } } }),
        });
      }),
    );
    return mergedPage(
      answers.map(({ Items = [] }) => Items),
      ({ sk }) => textOf(sk),
    );
  }

  return {
    async head(stream) {
      const item = await readHead(stream);
      return item === undefined ? undefined : headOf(stream, item);
    },

    async append(basedOn, write) {
      const rows = await storedRows(write);
      const { stream } = rows;
      refuseGap(basedOn, rows);
      const before = await placeAt(stream, basedOn);
      if (before === undefined) throw staleAppend(stream, `it is not at ${basedOn}`);
      // The SDK repeats a call whose answer was lost under this token; the same append made twice is a conflict.
      const command = new TransactWriteItemsCommand({
        ClientRequestToken: randomUUID(),
        TransactItems: transaction(table, rows, before),
      });
      try {
        await client.send(command);
      } catch (error) {
        places.forget(stream);
        if (isContended(error)) throw staleAppend(stream, `it is not at ${basedOn} any more`, error);
        throw awsFault(throttleIn(error) ?? error, `appending to ${stream} (table ${table})`);
      }
      places.remember(stream, rows.place);
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
            ':first': { S: entryKey(0) },
            ':last': { S: entryKey(before - 1) },
          },
          ScanIndexForward: false,
          Limit: Math.trunc(limit) - items.length,
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        });
        items.push(...(page.Items ?? []));
        start = page.LastEvaluatedKey;
      } while (start !== undefined && items.length < Math.trunc(limit));
      // Written by `append`.
      return Promise.all(
        items.map(async ({ entry, sk }) => (await unpacked(entry?.B, () => `${textOf(sk)} of ${stream}`)) as Entry),
      );
    },

    async due(now, cursor): Promise<Page<{ readonly stream: string; readonly due: number }>> {
      const below = { ':below': { S: `${sortable(now)}$` } }; // '$' follows '#'
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

/** What an append writes, in the form in which the table keeps it. */
async function storedRows(write: Append) {
  const { entry, state, ...rows } = rowsOf(write, limits);
  const place: Place = { seq: rows.seq, ...indexKeys(rows, { due: '#', name: '\0' }) };
  const [packedEntry, packedState] = await Promise.all([
    packed(entry, rows.stream, 'entry', stored),
    packed(state, rows.stream, 'state', stored),
  ]);
  return { ...rows, place, shard: shardOf(rows.stream, shards), entry: packedEntry, state: packedState };
}

function transaction(table: string, rows: Awaited<ReturnType<typeof storedRows>>, before: Place): TransactWriteItem[] {
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
  const entry: Item = { ...headKey(stream), sk: { S: entryKey(seq) }, entry: { B: rows.entry } };
  return [
    put(head, atBase),
    put(entry, { ConditionExpression: 'attribute_not_exists(pk)' }),
    ...index('due', { due: { N: String(rows.due) } }),
    ...index('name', {
      key: { S: rows.name?.key ?? '' },
      seq: { N: String(seq) },
      summary: { S: rows.name?.summary ?? '' },
    }),
  ];
}

const headKey = (stream: string): Item => ({ pk: { S: `stream#${stream}` }, sk: { S: 'head' } });
const entryKey = (seq: number): string => `entry#${sortable(seq)}`;

const textOf = (value: AttributeValue | undefined): string => value?.S ?? '';
const placeOf = ({ seq, dueRow, nameRow }: Item): Place => ({
  seq: Number(seq?.N),
  ...(dueRow?.S === undefined ? {} : { due: dueRow.S }),
  ...(nameRow?.S === undefined ? {} : { name: nameRow.S }),
});

const headOf = async (stream: string, { seq, hash, state }: Item): Promise<Head> => ({
  stream,
  seq: Number(seq?.N),
  hash: textOf(hash),
  state: (await unpacked(state?.B, () => `the state of ${stream}`)) as Head['state'], // written by `append`
});

const nameRow = ({ key, stream, seq, summary }: Item): NameRow => ({
  key: textOf(key),
  stream: textOf(stream),
  seq: Number(seq?.N),
  summary: parsed(textOf(summary), () => `the row that lists ${textOf(stream)}`) as NameRow['summary'],
});

const reasonsIn = (error: unknown): readonly string[] =>
  error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []).map(({ Code = '' }) => Code) : [];

/** Another append came first, or is being made at this moment. */
const isContended = (error: unknown): boolean =>
  reasonsIn(error).some((code) => code === 'ConditionalCheckFailed' || code === 'TransactionConflict');

const throttleIn = (error: unknown): Fault | undefined =>
  reasonsIn(error).some((code) => code === 'ThrottlingError' || code === 'ProvisionedThroughputExceeded')
    ? new Fault('throttled', 'DynamoDB has no capacity for the append at this moment', { cause: error })
    : undefined;
