import type { Json } from '../base/json.ts';
import type { Page } from './page.ts';

/** Who caused an entry. `issuer` is where the identity comes from (`token`, `github`, `clock`, `engine`). */
export interface Actor {
  readonly subject: string;
  readonly issuer: string;
  readonly role: 'predictor' | 'viewer' | 'operator' | 'approver' | 'admin' | 'system';
}

/** One decided signal. The state of a stream is the fold of its patches (RFC 7396), from `{}`. */
export interface Entry {
  readonly stream: string;
  /** 1, 2, 3 ... without a gap. */
  readonly seq: number;
  readonly at: number;
  readonly actor: Actor;
  readonly signal: Json;
  readonly patch: Json;
  /** CloudEvents to publish: `{type, subject, data}`; ids derive from (stream, seq, index). */
  readonly events: readonly EventBody[];
  /** `hash` of the entry before; `''` for the first. */
  readonly previousHash: string;
  /** SHA-256 of the canonical JSON of all other fields. */
  readonly hash: string;
}

export interface EventBody {
  readonly type: string;
  readonly subject: string;
  readonly data: Json;
}

export interface Head {
  readonly stream: string;
  readonly seq: number;
  readonly hash: string;
  readonly state: Json;
}

export interface Append {
  readonly entry: Entry;
  /** The state after the entry. */
  readonly state: Json;
  /** When the stream wants `clockTicked`; absent: it does not wait for time. */
  readonly due?: number;
  /** The row that lists the stream: a key that sorts (at most 512 bytes) and a summary under 1 KB of JSON. */
  readonly name?: { readonly key: string; readonly summary: Json };
}

/** Streams of entries, each with a head, and two indexes over the heads. */
export interface Journal {
  /** The newest head, consistent with every append that was answered before; `undefined` when the stream is empty. */
  head(stream: string): Promise<Head | undefined>;
  /**
   * One atomic conditional write of entry, head and both index rows; nothing of a failed append is ever seen.
   *
   * Twice or stale: `conflict` unless the head's seq is `basedOn` (0: the stream must be empty) and `entry.seq` is
   * `basedOn + 1`. Concurrently: exactly one of two appends on the same base succeeds. Durable when it resolves.
   * Too big: a state over the store's limit throws `invalid` and nothing is written.
   */
  append(basedOn: number, write: Append): Promise<void>;
  /** Entries with `seq < before` (`undefined`: from the head), newest first, at most `limit`. */
  history(stream: string, before: number | undefined, limit: number): Promise<readonly Entry[]>;
  /** Streams whose `due <= now`, in any order. Each due stream is on one of the pages if nothing moves it meanwhile. */
  due(now: number, cursor?: string): Promise<Page<{ readonly stream: string; readonly due: number }>>;
  /** Name rows whose key starts with `prefix`, ascending by key (UTF-8 bytes), up to 200 a page. */
  names(prefix: string, cursor?: string): Promise<Page<NameRow>>;
}

export interface NameRow {
  readonly key: string;
  readonly stream: string;
  readonly seq: number;
  readonly summary: Json;
}
