import { cursorAfter } from '@serin/core/base/cursor';
import { Fault } from '@serin/core/base/fault';
import { encodeText, sha256Hex } from '@serin/core/base/json';
import { byBytes } from '@serin/core/base/order';
import type { Append } from '@serin/core/ports/journal';
import type { Page } from '@serin/core/ports/page';

/** What there is room for, in bytes of UTF-8. */
interface RowLimits {
  /** The name of a stream. */
  readonly stream: number;
  readonly nameKey: number;
  readonly summary: number;
  /** An entry, and a state, as JSON. */
  readonly text: number;
}

/** The same on every platform: what fits on one fits on all. */
const limits: RowLimits = { stream: 1024, nameKey: 512, summary: 1024, text: 8 * 1024 * 1024 };

/** Rows of a page of `due` and of `names`. */
export const journalPageSize = 200;

export type JournalRows = ReturnType<typeof rowsOf>;

/**
 * All that an append writes, as text. It is taken at the call: later changes of the caller's objects do not count.
 *
 * `invalid`: something is over a limit, or a text is not valid Unicode. A store would keep half a surrogate pair as
 * U+FFFD, and two names would become one.
 */
export function rowsOf({ entry, state, due, name }: Append, most = limits) {
  const { stream, seq, hash } = entry;
  const text = (what: string, value: string, maxBytes: number): string => bounded(value, maxBytes, stream, what);
  if (due !== undefined && !Number.isSafeInteger(due)) throw invalidAppend(stream, `due ${due} is not a whole number`);
  return {
    stream: text('name', stream, most.stream),
    seq,
    hash,
    due,
    name: name && {
      key: text('name key', name.key, most.nameKey),
      summary: text('summary', JSON.stringify(name.summary), most.summary),
    },
    entry: text('entry', JSON.stringify(entry), most.text),
    state: text('state', JSON.stringify(state), most.text),
  };
}

function bounded(text: string, maxBytes: number, stream: string, what: string): string {
  if (!text.isWellFormed() || text === '') throw invalidAppend(stream, `its ${what} is empty or not valid Unicode`);
  const { length } = encodeText(text);
  if (length > maxBytes) throw invalidAppend(stream, `its ${what} has ${length} bytes, more than ${maxBytes}`);
  return text;
}

export const invalidAppend = (stream: string, why: string): Fault =>
  new Fault(
    'invalid',
    `cannot append to ${JSON.stringify(stream.slice(0, 200))}: ${why}; this is a defect of Serin, report it`,
  );

/** The fault of an append that another one came before, or that leaves a gap. */
export const staleAppend = (stream: string, why: string, cause?: unknown): Fault =>
  new Fault('conflict', `cannot append to ${stream}: ${why}; load it and decide again`, { cause });

export function refuseGap(basedOn: number, { stream, seq }: { readonly stream: string; readonly seq: number }): void {
  if (seq !== basedOn + 1) throw staleAppend(stream, `entry ${seq} does not follow ${basedOn}`);
}

/**
 * A stored text as JSON. Text that is not JSON is damage; the error says what is damaged, so that it can be restored.
 */
export function parsed(text: unknown, what: () => string): unknown {
  try {
    return JSON.parse(String(text));
  } catch (error) {
    throw damaged(`${what()} in the journal is damaged: it is not JSON`, error);
  }
}

export const damaged = (what: string, cause: unknown): Fault =>
  new Fault('defect', `${what}; restore the database from a backup`, { cause });

// 16 digits hold every safe integer, and sort as text.
export const sortable = (number: number): string => String(Math.max(0, Math.trunc(number))).padStart(16, '0');

/** Index rows lie in shards, so that no partition of a store is hot. A stream always has the same shard. */
export const shardOf = (stream: string, shards: number): number =>
  Number.parseInt(sha256Hex(stream).slice(0, 8), 16) % shards;

/** The keys under which a head stands in the two indexes; the next append takes them away. */
export interface IndexKeys {
  readonly due?: string;
  readonly name?: string;
}

/**
 * Keys that sort as the indexes do and that differ between streams. `between` stands between the sorted part and the
 * mark of the stream. For names it is a character that sorts before all others and that no name key contains.
 */
export function indexKeys(
  { stream, due, name }: Pick<JournalRows, 'stream' | 'due' | 'name'>,
  between: { readonly due: string; readonly name: string },
): IndexKeys {
  const mark = sha256Hex(stream).slice(0, 16);
  if (name?.key.includes(between.name))
    throw invalidAppend(stream, `its name key contains ${JSON.stringify(between.name)}`);
  return {
    ...(due === undefined ? {} : { due: `${sortable(due)}${between.due}${mark}` }),
    ...(name === undefined ? {} : { name: `${name.key}${between.name}${mark}` }),
  };
}

/** One page from the rows of every shard after the cursor. Each shard gives one row more than a page, if it has it. */
export function mergedPage<Row>(shards: readonly (readonly Row[])[], keyOf: (row: Row) => string): Page<Row> {
  const found = shards.flat().sort((a, b) => byBytes(keyOf(a), keyOf(b)));
  const items = found.slice(0, journalPageSize);
  const last = items.at(-1);
  return found.length > journalPageSize && last !== undefined ? { items, next: cursorAfter(keyOf(last)) } : { items };
}

/** Where a head stands: its seq, and its index rows. */
export interface Place extends IndexKeys {
  readonly seq: number;
}

/** The places of the streams that were used last, so that an append need not read them again. */
export function recentPlaces(count = 1000) {
  const places = new Map<string, Place>();
  return {
    at: (stream: string, seq: number): Place | undefined => {
      const known = places.get(stream);
      return known?.seq === seq ? known : undefined;
    },
    remember(stream: string, place: Place): void {
      places.delete(stream);
      places.set(stream, place);
      const oldest = places.keys().next().value;
      if (places.size > count && oldest !== undefined) places.delete(oldest);
    },
    forget: (stream: string): void => {
      places.delete(stream);
    },
  };
}
