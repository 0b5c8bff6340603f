import type { DatabaseSync } from 'node:sqlite';
import type { Counters } from './counters.ts';
import { reading } from './faults.ts';
import { bucketOf } from './latency.ts';

const tables = `
  CREATE TABLE IF NOT EXISTS gateway_users (
    endpoint TEXT NOT NULL, second INTEGER NOT NULL, deployment TEXT NOT NULL, users BLOB NOT NULL,
    PRIMARY KEY (endpoint, second, deployment)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS gateway_users_second ON gateway_users (second);
`;

export const keepUsersSeconds = 3 * 24 * 3600;
const recordBytes = 8;

/**
 * The worst that a user met: the latency bucket, and whether there was an error, as one small number.
 *
 * Small numbers lie in a Map without a box each; there is one for each user.
 */
export type Worst = number;

const errorBit = 0x8000;
export const worstOf = (bucket: number, isError: boolean): Worst => bucket | (isError ? errorBit : 0);
export const hasError = (worst: Worst): boolean => (worst & errorBit) !== 0;
export const bucketIn = (worst: Worst): number => worst & ~errorBit;
export const worse = (one: Worst, other: Worst): Worst =>
  worstOf(Math.max(bucketIn(one), bucketIn(other)), hasError(one) || hasError(other));

/** The users of one deployment of one endpoint. */
export interface UserArm {
  /** A request of a user that was routed in a second; the answer is its outcome, exactly once. */
  routed(second: number, user: number): (latencyMs: number, isError: boolean) => void;
}

/** Who sent requests to a deployment in a second, and the worst that each met in it. */
export interface UserRow {
  readonly second: number;
  readonly deployment: string;
  readonly users: Iterable<readonly [number, Worst]>;
}

/** Users by endpoint, deployment and second, for 3 days: 8 bytes for each. Final with the counts. */
export interface Users {
  arm(endpoint: string, deployment: string): UserArm;
  /** Durable rows with `from <= second < to`, ascending by second. */
  rows(endpoint: string, from: number, to: number): Iterable<UserRow>;
}

export function gatewayUsers({ database, counters }: { database: DatabaseSync; counters: Counters }): Users {
  const store = openStore(database);
  const arms = new Map<string, UserArm>();
  let pending: readonly UserSecond[] = [];

  counters.add({
    firstOpen: () => undefined,
    write(until) {
      for (const it of pending) if (it.second < until) store.insert(it);
    },
    written(until) {
      pending = pending.filter(({ second }) => second >= until);
    },
    prune: (second) => store.prune(second - keepUsersSeconds),
  });

  function newArm(endpoint: string, deployment: string): UserArm {
    let current: UserSecond | undefined;
    return {
      routed(second, user) {
        if (current?.second !== second) {
          current = { endpoint, deployment, second, users: new Map() };
          pending = [...pending, current];
        }
        const { users } = current;
        users.set(user, users.get(user) ?? 0);
        return (latencyMs, isError) =>
          void users.set(user, worse(users.get(user) ?? 0, worstOf(bucketOf(latencyMs), isError)));
      },
    };
  }

  return {
    arm(endpoint, deployment) {
      const key = JSON.stringify([endpoint, deployment]);
      const arm = arms.get(key) ?? newArm(endpoint, deployment);
      arms.set(key, arm);
      return arm;
    },
    rows: store.rows,
  };
}

interface UserSecond {
  readonly endpoint: string;
  readonly deployment: string;
  readonly second: number;
  readonly users: Map<number, Worst>;
}

function openStore(database: DatabaseSync) {
  database.exec(tables);
  const insert = database.prepare('INSERT OR REPLACE INTO gateway_users VALUES (?, ?, ?, ?)');
  const select = database.prepare(
    'SELECT second, deployment, users FROM gateway_users WHERE endpoint = ? AND second >= ? AND second < ? ORDER BY second',
  );
  const forget = database.prepare('DELETE FROM gateway_users WHERE second < ?');
  return {
    insert: ({ endpoint, second, deployment, users }: UserSecond) =>
      void insert.run(endpoint, second, deployment, packed(users)),
    prune: (before: number) => void forget.run(before),
    rows: (endpoint: string, from: number, to: number): readonly UserRow[] =>
      reading(() => select.all(endpoint, from, to)).map((row) => ({
        second: Number(row.second),
        deployment: String(row.deployment),
        // A BLOB, as `insert` wrote it.
        users: unpacked(row.users as Uint8Array),
      })),
  };
}

function packed(users: ReadonlyMap<number, Worst>): Uint8Array {
  const bytes = Buffer.alloc(users.size * recordBytes);
  let offset = 0;
  for (const [user, worst] of users) {
    bytes.writeUIntBE(user, offset, 6);
    bytes.writeUInt16BE(worst, offset + 6);
    offset += recordBytes;
  }
  return bytes;
}

function* unpacked(blob: Uint8Array): Iterable<readonly [number, Worst]> {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  for (let offset = 0; offset < bytes.length; offset += recordBytes) {
    yield [bytes.readUIntBE(offset, 6), bytes.readUInt16BE(offset + 6)];
  }
}
