import { randomUUID } from 'node:crypto';
import { type Azure, AzureError, type Call, hostsOf } from './azure.ts';
import { type Properties, type Row, typed } from './table-values.ts';

export type Write =
  /** Refused if the row is there: `EntityAlreadyExists`. */
  | { readonly kind: 'insert'; readonly row: string; readonly properties: Properties }
  /** Whatever was there is replaced. */
  | { readonly kind: 'put'; readonly row: string; readonly properties: Properties }
  /** Refused if the row is not there: `isNoEntity`. */
  | { readonly kind: 'delete'; readonly row: string };

/** Rows of a partition in the order of their keys, between two keys that are not among them. */
export interface RowRange {
  readonly partition: string;
  readonly after: string;
  readonly below: string;
  readonly limit: number;
  /** Without names: all properties. */
  readonly select?: readonly string[];
}

/** A refusal of a transaction: nothing of it was written. */
export class TransactionError extends AzureError {
  /** Which of the writes was refused, from 0. */
  readonly at: number;

  constructor(message: string, given: { readonly code: string; readonly status: number }) {
    super(message, given);
    this.at = Number(/^(\d+):/.exec(message)?.[1] ?? Number.NaN);
  }
}

interface Options {
  readonly azure: Azure;
  readonly account: string;
  readonly table: string;
}

// The version that Microsoft's own client (@azure/data-tables 13.3.2) says.
const version = '2020-12-06';
const metadata = 'application/json;odata=nometadata';
// https://learn.microsoft.com/rest/api/storageservices/query-timeout-and-pagination
const mostRows = 1000;

/** One table of Table Storage. What is refused, or not answered, is thrown as an `AzureError`. */
export function tableOf({ azure, account, table }: Options) {
  const call = (given: Omit<Call, 'service' | 'name'>): Call => ({
    service: 'table',
    name: account,
    ...given,
    headers: { accept: metadata, 'x-ms-version': version, DataServiceVersion: '3.0' },
  });
  const keys = (partition: string, row: string): string =>
    `${table}(PartitionKey=${encodeURIComponent(quoted(partition))},RowKey=${encodeURIComponent(quoted(row))})`;

  async function page({ partition, after, below, limit, select = [] }: RowRange, from: Continuation) {
    const $filter = `PartitionKey eq ${quoted(partition)} and RowKey gt ${quoted(after)} and RowKey lt ${quoted(below)}`;
    const query = { $filter, $top: Math.min(limit, mostRows), ...selected(select), ...from };
    const { headers, content } = await azure.bytes(call({ method: 'GET', path: `${table}()`, query }));
    return { rows: rowsIn(content), next: continuationIn(headers) };
  }

  return {
    /** `undefined` where there is none. */
    async row(partition: string, row: string, select: readonly string[] = []): Promise<Row | undefined> {
      try {
        return await azure.json<Row>(call({ method: 'GET', path: keys(partition, row), query: selected(select) }));
      } catch (error) {
        if (isNoEntity(error)) return undefined;
        throw error;
      }
    },

    /** At most `limit`. A page may be empty although others follow: only a page that says no more is the last. */
    async rows(range: RowRange): Promise<readonly Row[]> {
      const found: Row[] = [];
      let from: Continuation | undefined = {};
      while (from !== undefined && found.length < range.limit) {
        const { rows, next }: Paged = await page({ ...range, limit: range.limit - found.length }, from);
        found.push(...rows);
        from = next;
      }
      return found;
    },

    /**
     * All writes or none, to different rows of one partition.
     *
     * https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
     */
    async transact(partition: string, writes: readonly Write[]): Promise<void> {
      const batch = `batch_${randomUUID()}`;
      // The URLs of the writes name the account, whichever way the request takes.
      const home = hostsOf({})('table', account);
      const parts = writes.map((write) => partOf(write, partition, { home, table, keys }));
      const content = batchOf(batch, parts);
      const bytes = { content, type: `multipart/mixed; boundary=${batch}` };
      const answer = await azure.bytes(call({ method: 'POST', path: '$batch', bytes, repeatable: true }));
      refuse(new TextDecoder().decode(answer.content), writes.length);
    },
  };
}

type Continuation = Readonly<Record<string, string>>;

interface Paged {
  readonly rows: readonly Row[];
  readonly next: Continuation | undefined;
}

/** There is no such row; the table is there. */
export const isNoEntity = (error: unknown): boolean =>
  error instanceof AzureError && (error.code === 'ResourceNotFound' || error.code === 'EntityNotFound');

const selected = (names: readonly string[]) => (names.length === 0 ? {} : { $select: names.join() });

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function rowsIn(content: Uint8Array): readonly Row[] {
  const text = new TextDecoder().decode(content);
  try {
    const { value } = JSON.parse(text) as { readonly value?: readonly Row[] };
    if (Array.isArray(value)) return value;
  } catch {}
  throw new AzureError(`the answer has no rows: ${text.slice(0, 300)}`, { status: 502 });
}

/** Where the next page begins: a partition, and a row unless it is the first. */
function continuationIn(headers: Headers): Continuation | undefined {
  const keys = ['NextPartitionKey', 'NextRowKey'].flatMap((key) => {
    const value = headers.get(`x-ms-continuation-${key}`);
    return value === null ? [] : [[key, value]];
  });
  return keys.length === 0 ? undefined : Object.fromEntries(keys);
}

interface Names {
  readonly home: string;
  readonly table: string;
  readonly keys: (partition: string, row: string) => string;
}

const line = '\r\n';

/** One write, as a request of HTTP within a request. */
function partOf(write: Write, partition: string, { home, table, keys }: Names): string {
  const at = write.kind === 'insert' ? table : keys(partition, write.row);
  const method = { insert: 'POST', put: 'PUT', delete: 'DELETE' }[write.kind];
  const head = [`${method} ${home}/${at} HTTP/1.1`, `Accept: ${metadata}`, 'DataServiceVersion: 3.0'];
  // A PUT without `If-Match` replaces or inserts.
  if (write.kind === 'delete') return [...head, 'If-Match: *', '', ''].join(line);
  const body = JSON.stringify({ PartitionKey: partition, RowKey: write.row, ...typed(write.properties) });
  return [...head, 'Content-Type: application/json', 'Prefer: return-no-content', '', body].join(line);
}

function batchOf(batch: string, parts: readonly string[]): Uint8Array {
  const changes = `changeset_${randomUUID()}`;
  const each = parts.flatMap((part) => [
    `--${changes}`,
    'Content-Type: application/http',
    'Content-Transfer-Encoding: binary',
    '',
    part,
  ]);
  const begin = [`--${batch}`, `Content-Type: multipart/mixed; boundary=${changes}`, ''];
  return new TextEncoder().encode([...begin, ...each, `--${changes}--`, `--${batch}--`, ''].join(line));
}

/** The answer is 202 whatever became of the writes: one part for each of them, or a single one that says what is wrong. */
function refuse(answer: string, writes: number): void {
  const parts = answer.split(/^HTTP\/1\.1 (?=\d{3}\b)/m).slice(1);
  const refused = parts.find((part) => !part.startsWith('2'));
  if (refused !== undefined) throw refusalIn(refused);
  if (parts.length !== writes)
    throw new AzureError(`${parts.length} of ${writes} writes were answered`, { status: 502 });
}

function refusalIn(part: string): TransactionError {
  const status = Number(part.slice(0, 3));
  const [body = ''] = /\{.*\}/s.exec(part) ?? [];
  const { code = '', message } = errorIn(body);
  return new TransactionError(message?.value ?? `HTTP ${part.slice(0, 300)}`, { code, status });
}

interface Refused {
  readonly code?: string;
  readonly message?: { readonly value?: string };
}

function errorIn(body: string): Refused {
  try {
    return (JSON.parse(body) as { readonly 'odata.error'?: Refused })['odata.error'] ?? {};
  } catch {
    return {};
  }
}
