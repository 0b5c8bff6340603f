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
import { Fault } from '@serin/core/base/fault';
import type { Journal } from '@serin/core/ports/journal';
import { type Place, sortable, staleAppend } from '@serin/platform/journal-rows';
import { type JournalStore, type ShardRange, type StoredRows, shardedJournal } from '@serin/platform/sharded-journal';
import { awsFault, guarded } from '../faults.ts';

interface Options {
  readonly client: DynamoDBClient;
  /** Its keys are `pk` and `sk`, both text; nothing else is asked of it. */
  readonly table: string;
}

type Item = Record<string, AttributeValue>;
type Index = 'due' | 'name';

// An item holds 400 KB, the names of its attributes and its keys included.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const stored = { bytes: 390_000, of: 'an item' };
const between = { due: '#', name: '\0' };

/**
 * A journal in one DynamoDB table: a partition per stream with its head and its entries, and two indexes of small rows, in
 * partitions of which each takes 1,000 writes a second.
 *
 * `append` is one transaction over head, entry and index rows, conditional on the head. A state or an entry that is over
 * 8 MB as text or over 390 KB gzipped is `invalid`. All reads are consistent; there is no secondary index, for its lag
 * would hide what is due.
 */
export const dynamoJournal = (options: Options): Journal => shardedJournal(dynamoStore(options), { stored, between });

function dynamoStore({ client, table }: Options): JournalStore {
  const query = (input: Omit<QueryCommandInput, 'TableName' | 'ConsistentRead'>) =>
    guarded(`reading ${input.ExpressionAttributeValues?.[':pk']?.S} in the journal (table ${table})`, () =>
      client.send(new QueryCommand({ ...input, TableName: table, ConsistentRead: true })),
    );

  async function indexed(index: Index, { shard, after, limit }: ShardRange, condition: string, values: Item) {
    const pk = { S: `${index}#${shard}` };
    const { Items = [] } = await query({
      KeyConditionExpression: `pk = :pk${condition}`,
      ExpressionAttributeValues: { ':pk': pk, ...values },
      Limit: limit,
      // A start key need not exist: it only says where the order goes on.
      ...(after === undefined ? {} : { ExclusiveStartKey: { pk, sk: { S: after } } }),
    });
    return Items.map((item) => ({ item, at: textOf(item.sk), stream: textOf(item.stream) }));
  }

  return {
    async head(stream) {
      const command = new GetItemCommand({ TableName: table, Key: headKey(stream), ConsistentRead: true });
      const doing = `reading ${stream} in the journal (table ${table})`;
      const { Item: item } = await guarded(doing, () => client.send(command));
      return item && { place: placeOf(item), hash: textOf(item.hash), state: item.state?.B };
    },

    async append(rows, before) {
      const { stream, seq } = rows;
      // The SDK repeats a call whose answer was lost under this token; the same append made twice is a conflict.
      const command = new TransactWriteItemsCommand({
        ClientRequestToken: randomUUID(),
        TransactItems: transaction(table, rows, before),
      });
      try {
        await client.send(command);
      } catch (error) {
        if (isContended(error)) throw staleAppend(stream, `it is not at ${seq - 1} any more`, error);
        throw awsFault(throttleIn(error) ?? error, `appending to ${stream} (table ${table})`);
      }
    },

    async entries(stream, before, limit) {
      const items: Item[] = [];
      let start: Item | undefined;
      do {
        const page = await query({
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
          ExpressionAttributeValues: {
            ':pk': { S: `stream#${stream}` },
            ':first': { S: entryKey(0) },
            ':last': { S: entryKey(before - 1) },
          },
          ScanIndexForward: false,
          Limit: limit - items.length,
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        });
        items.push(...(page.Items ?? []));
        start = page.LastEvaluatedKey;
      } while (start !== undefined && items.length < limit);
      return items.map(({ entry, sk }) => ({ seq: Number(textOf(sk).slice(entryPrefix.length)), entry: entry?.B }));
    },

    async due(now, range) {
      const below = { ':below': { S: `${sortable(now)}$` } }; // '$' follows '#'
      const rows = await indexed('due', range, ' AND sk < :below', below);
      return rows.map(({ item, ...row }) => ({ ...row, due: Number(item.due?.N) }));
    },

    async names(prefix, range) {
      const [condition, values] =
        prefix === '' ? ['', {}] : [' AND begins_with(sk, :prefix)', { ':prefix': { S: prefix } }];
      const rows = await indexed('name', range, condition, values);
      return rows.map(({ item, ...row }) => ({
        ...{ ...row, key: textOf(item.key), seq: Number(item.seq?.N), summary: textOf(item.summary) },
      }));
    },
  };
}

function transaction(table: string, rows: StoredRows, before: Place): TransactWriteItem[] {
  const { stream, seq, hash, place, shard } = rows;
  const put = (item: Item, condition?: Omit<NonNullable<TransactWriteItem['Put']>, 'TableName' | 'Item'>) => ({
    Put: { TableName: table, Item: item, ...condition },
  });
  const index = (name: Index, row: Item): TransactWriteItem[] => {
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
const entryPrefix = 'entry#';
const entryKey = (seq: number): string => `${entryPrefix}${sortable(seq)}`;

const textOf = (value: AttributeValue | undefined): string => value?.S ?? '';

const placeOf = ({ seq, dueRow, nameRow }: Item): Place => ({
  seq: Number(seq?.N),
  ...(dueRow?.S === undefined ? {} : { due: dueRow.S }),
  ...(nameRow?.S === undefined ? {} : { name: nameRow.S }),
});

const reasonsIn = (error: unknown): readonly string[] =>
  error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []).map(({ Code = '' }) => Code) : [];

/** Another append came first, or is being made at this moment. */
const isContended = (error: unknown): boolean =>
  reasonsIn(error).some((code) => code === 'ConditionalCheckFailed' || code === 'TransactionConflict');

const throttleIn = (error: unknown): Fault | undefined =>
  reasonsIn(error).some((code) => code === 'ThrottlingError' || code === 'ProvisionedThroughputExceeded')
    ? new Fault('throttled', 'DynamoDB has no capacity for the append now; try again later', { cause: error })
    : undefined;
