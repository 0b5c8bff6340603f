import { randomBytes } from 'node:crypto';
import type { JournalField } from '@serin/clouds/gcp/journal';
import { Refusal } from './discovery.ts';
import { demandIndexes, projected, type Query, type Stored, selected } from './firestore-queries.ts';
import {
  documentSize,
  type Fields,
  idsIn,
  kindOf,
  sameTime,
  valueAt,
  valueSize,
  valuesIn,
  withValue,
} from './firestore-values.ts';

export interface Write {
  readonly update?: { readonly name: string; readonly fields?: Fields };
  readonly delete?: string;
  readonly updateMask?: { readonly fieldPaths?: readonly string[] };
  readonly currentDocument?: { readonly exists?: boolean; readonly updateTime?: string };
}

interface Transaction {
  readonly isReadOnly: boolean;
  /** What was read, and how it is found again: it must be the same at the commit. */
  readonly reads: { readonly again: () => string; readonly seen: string }[];
}

interface Options {
  /** `projects/P/databases/D`: those that are there. */
  readonly databases: readonly string[];
  /** Other fields are indexed in both orders, as without any setting. */
  readonly fields?: readonly JournalField[];
}

export type FirestoreStore = ReturnType<typeof firestoreStore>;

/**
 * Documents, with the conditions, the atomic commits, the transactions and the limits that Google documents. Each call is
 * one step that nothing interrupts, so commits are serial. A transaction is optimistic: it ends with ABORTED if what it
 * read was changed; the real one may let others wait instead.
 */
export function firestoreStore({ databases, fields: settings = [] }: Options) {
  const documents = new Map<string, Stored>();
  const transactions = new Map<string, Transaction>();
  const clock = microseconds();

  function demandDatabase(name: string): void {
    const [, project = ''] = name.split('/');
    const database = name.split('/').slice(0, 4).join('/');
    if (!databases.includes(database))
      throw new Refusal(
        'NOT_FOUND',
        `The database ${database.split('/')[3]} does not exist for project ${project} Please visit https://console.cloud.google.com/datastore/setup?project=${project} to add a Cloud Datastore or Cloud Firestore database.`,
      );
  }

  function transactionOf(id: string | undefined): Transaction | undefined {
    if (id === undefined || id === '') return undefined;
    const found = transactions.get(id);
    if (found === undefined)
      throw new Refusal('INVALID_ARGUMENT', 'The referenced transaction has expired or is no longer valid.');
    return found;
  }

  function begin(database: string, options?: { readonly readOnly?: unknown }): string {
    demandDatabase(database);
    const id = randomBytes(12).toString('base64');
    transactions.set(id, { isReadOnly: options?.readOnly !== undefined, reads: [] });
    return id;
  }

  function noted<Answer>(transaction: Transaction | undefined, read: () => Answer, seenIn: (answer: Answer) => string) {
    const answer = read();
    transaction?.reads.push({ again: () => seenIn(read()), seen: seenIn(answer) });
    return answer;
  }

  function written(write: Write, old: Stored | undefined, time: string): Stored | undefined {
    if (write.delete !== undefined) return undefined;
    const { name, fields = {} } = write.update ?? { name: '' };
    const mask = write.updateMask?.fieldPaths;
    const next =
      mask === undefined
        ? fields
        : mask.reduce((put, path) => withValue(put, path, valueAt(fields, path)), old?.fields ?? {});
    demandLimits(name, next);
    return { name, fields: next, createTime: old?.createTime ?? time, updateTime: time };
  }

  return {
    documents,
    begin,

    rollback(id: string): void {
      transactionOf(id);
      transactions.delete(id);
    },

    /** All writes or none, each on its condition; those of one document are made one after the other. */
    commit(database: string, writes: readonly Write[] = [], id?: string) {
      demandDatabase(database);
      const transaction = transactionOf(id);
      if (id !== undefined) transactions.delete(id);
      if (transaction?.isReadOnly && writes.length > 0)
        throw new Refusal('INVALID_ARGUMENT', 'Cannot modify entities in a read-only transaction.');
      if (transaction?.reads.some(({ again, seen }) => again() !== seen))
        throw new Refusal(
          'ABORTED',
          'Aborted due to cross-transaction contention. This occurs when multiple transactions attempt to access the same data, requiring Firestore to abort at least one in order to enforce serializability.',
        );
      const time = clock();
      const changed = new Map<string, Stored | undefined>();
      for (const write of writes) {
        const name = write.delete ?? write.update?.name;
        if (name === undefined) throw new Refusal('UNIMPLEMENTED', 'this Firestore has updates and deletes only');
        demandName(name, database);
        const old = changed.has(name) ? changed.get(name) : documents.get(name);
        demandCondition(write, name, old);
        changed.set(name, written(write, old, time));
      }
      for (const [name, document] of changed)
        if (document === undefined) documents.delete(name);
        else documents.set(name, document);
      const results = writes.map((write) => (write.delete === undefined ? { updateTime: time } : {}));
      return { writeResults: results, commitTime: time };
    },

    batchGet(database: string, names: readonly string[] = [], id?: string) {
      demandDatabase(database);
      const transaction = transactionOf(id);
      const readTime = clock();
      return names.map((name) => {
        demandName(name, database);
        const found = noted(
          transaction,
          () => documents.get(name),
          (document) => document?.updateTime ?? '',
        );
        return found === undefined ? { missing: name, readTime } : { found, readTime };
      });
    },

    runQuery(parent: string, query: Query, id?: string) {
      demandDatabase(parent);
      demandIndexes(query, settings);
      const run = () => selected(parent, query, documents.values());
      const found = noted(transactionOf(id), run, (all) =>
        JSON.stringify(all.map(({ name, updateTime }) => [name, updateTime])),
      );
      const readTime = clock();
      const masked = found.map((document) => ({ document: projected(document, query.select?.fields), readTime }));
      // What finds nothing is answered all the same, with the time.
      return masked.length === 0 ? [{ readTime }] : masked;
    },
  };
}

/** Times of Firestore have microseconds, and no two commits have the same. */
function microseconds(): () => string {
  let last = 0n;
  return () => {
    const now = BigInt(Date.now()) * 1000n;
    last = now > last ? now : last + 1n;
    const fraction = String(last % 1_000_000n).padStart(6, '0');
    return `${new Date(Number(last / 1000n)).toISOString().slice(0, 19)}.${fraction}Z`;
  };
}

// https://docs.cloud.google.com/firestore/quotas
const mostBytes = { id: 1500, name: 6 * 1024, field: 1500, value: 1_048_487, document: 1_048_576 };

function demandName(name: string, database: string): void {
  const ids = idsIn(name);
  const bad = (why: string) => new Refusal('INVALID_ARGUMENT', `Invalid document name "${name}": ${why}`);
  if (!name.startsWith(`${database}/documents/`)) throw bad('it is not in the database of the request');
  if (ids.length === 0 || ids.length % 2 !== 0 || ids.length > 200) throw bad('it is not pairs of collection and id');
  for (const id of ids) {
    if (id === '' || id === '.' || id === '..' || /^__.*__$/.test(id)) throw bad(`no id may be "${id}"`);
    if (Buffer.byteLength(id) > mostBytes.id) throw bad('an id is longer than 1500 bytes');
  }
  if (Buffer.byteLength(name) > mostBytes.name) throw bad('it is longer than 6 KiB');
}

function demandLimits(name: string, fields: Fields): void {
  const refuse = (why: string) => new Refusal('INVALID_ARGUMENT', why);
  for (const [field, value] of valuesIn(fields)) {
    if (Object.keys(value).length !== 1 || kindOf(value) < 0)
      throw refuse(`"${field}" has not exactly one known value`);
    if (Buffer.byteLength(field) > mostBytes.field || /^__.*__$/.test(field))
      throw refuse(`no field may be "${field}"`);
    if (value.mapValue === undefined && valueSize(value) > mostBytes.value)
      throw refuse(`The value of property "${field}" is longer than ${mostBytes.value} bytes.`);
  }
  const size = documentSize(name, fields);
  if (size > mostBytes.document)
    throw refuse(
      `Document '${name}' cannot be written because its size (${size.toLocaleString('en')} bytes) exceeds the maximum allowed size of 1,048,576 bytes.`,
    );
}

// The codes are those of live databases: 409 and NOT_FOUND for `exists`, FAILED_PRECONDITION for a time.
// https://github.com/firebase/firebase-admin-node/issues/2587
function demandCondition({ currentDocument = {} }: Write, name: string, old: Stored | undefined): void {
  const { exists, updateTime } = currentDocument;
  if (exists === true && old === undefined) throw new Refusal('NOT_FOUND', `No document to update: ${name}`);
  if (exists === false && old !== undefined) throw new Refusal('ALREADY_EXISTS', `Document already exists: ${name}`);
  if (updateTime !== undefined && !sameTime(old?.updateTime, updateTime))
    throw new Refusal(
      'FAILED_PRECONDITION',
      `the stored version (${old?.updateTime}) does not match the required base version (${updateTime})`,
    );
}
