import { type Handlers, Refusal } from './discovery.ts';
import type { Query } from './firestore-queries.ts';
import type { FirestoreStore, Write } from './firestore-store.ts';

type Method = 'commit' | 'batchGet' | 'runQuery' | 'beginTransaction' | 'rollback';

/** What goes wrong in one call: before its work is done, or after it. */
interface Trouble {
  readonly method: Method;
  readonly when: 'before' | 'after';
  readonly error: Error;
}

// https://docs.cloud.google.com/firestore/quotas
const mostRequestBytes = 10 * 1024 * 1024;

/** The methods of Firestore over REST. `next` says what goes wrong in the next call of a method; more are taken in turn. */
export function fakeFirestore(store: FirestoreStore): { readonly handlers: Handlers; next(trouble: Trouble): void } {
  const troubles: Trouble[] = [];

  function befall(method: Method, when: Trouble['when']): void {
    const at = troubles.findIndex((trouble) => trouble.method === method);
    if (troubles[at]?.when !== when) return;
    const [trouble] = troubles.splice(at, 1);
    if (trouble !== undefined) throw trouble.error;
  }

  const handlers = Object.entries(methodsOf(store)).map(([method, answer]): [string, Handlers[string]] => [
    `firestore.projects.databases.documents.${method}`,
    (request) => {
      befall(method as Method, 'before');
      if (request.bytes.length > mostRequestBytes)
        throw new Refusal('INVALID_ARGUMENT', `Request payload size exceeds the limit: ${mostRequestBytes} bytes.`);
      const answered = answer(request.params, request.body);
      befall(method as Method, 'after');
      return answered;
    },
  ]);
  return { handlers: Object.fromEntries(handlers), next: (trouble) => void troubles.push(trouble) };
}

interface Body {
  readonly writes?: readonly Write[];
  readonly documents?: readonly string[];
  readonly structuredQuery: Query;
  readonly transaction?: string;
  readonly newTransaction?: { readonly readOnly?: unknown };
  readonly options?: { readonly readOnly?: unknown };
}

type Answer = (params: Readonly<Record<string, string>>, body: Body) => unknown;

/** Also what the gRPC front answers, in the JSON of the protos. */
export function methodsOf(store: FirestoreStore): Readonly<Record<Method, Answer>> {
  /** A read may begin the transaction in which it is made; its id is the first part of the answer. */
  const within = (
    database: string,
    { transaction, newTransaction }: Body,
    read: (id?: string) => readonly unknown[],
  ) => {
    if (newTransaction === undefined) return read(transaction);
    const id = store.begin(database, newTransaction);
    return [{ transaction: id }, ...read(id)];
  };
  const databaseIn = (name = ''): string => name.split('/').slice(0, 4).join('/');
  return {
    commit: ({ database = '' }, { writes, transaction }) => store.commit(database, writes, transaction),
    batchGet: ({ database = '' }, body) => within(database, body, (id) => store.batchGet(database, body.documents, id)),
    runQuery: ({ parent = '' }, body) =>
      within(databaseIn(parent), body, (id) => store.runQuery(parent, body.structuredQuery, id)),
    beginTransaction: ({ database = '' }, { options }) => ({ transaction: store.begin(database, options) }),
    rollback: (_, { transaction = '' }) => {
      store.rollback(transaction);
      return {};
    },
  };
}
