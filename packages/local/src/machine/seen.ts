import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Fault } from '@serin/core/base/fault';
import type { Entry } from '@serin/core/ports/journal';
import { reading } from './faults.ts';

/** How far the journal was seen to go: all entries together, and the newest of them. */
interface Seen {
  readonly entries: number;
  readonly stream: string;
  readonly seq: number;
  readonly hash: string;
}

/** Remembers beside the database how far its journal goes, so that a start notices when a part of it is gone. */
export interface Witness {
  /** An entry is durable. */
  appended(entry: Pick<Entry, 'stream' | 'seq' | 'hash'>): void;
  /** Writes down what was seen last. */
  close(): Promise<void>;
}

const everyMs = 1000;

/**
 * `journal.seen` is written at most once a second, and never before what it tells is durable; it may lag behind by that
 * second, and by what a power cut took of it. A journal that ends before it, or goes on otherwise, is `invalid`.
 */
export function journalWitness(directory: string, database: DatabaseSync): Witness {
  const file = join(directory, 'journal.seen');
  let entries = entriesIn(database);
  refuseLoss(database, file, entries);
  let newest: Seen | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();

  function write(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const seen = newest;
    if (seen === undefined) return writing;
    newest = undefined;
    // A full disk costs this note; the next one may be written again.
    writing = writing.then(() => replace(file, JSON.stringify(seen))).catch(() => undefined);
    return writing;
  }

  return {
    appended({ stream, seq, hash }) {
      entries += 1;
      newest = { entries, stream, seq, hash };
      timer ??= setTimeout(() => void write(), everyMs).unref();
    },
    close: write,
  };
}

async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

// Streams have no gaps, so their numbers add up to their entries.
const entriesIn = (database: DatabaseSync): number =>
  reading(() => Number(database.prepare('SELECT total(seq) AS entries FROM heads').get()?.entries ?? 0));

function refuseLoss(database: DatabaseSync, file: string, entries: number): void {
  const seen = readSeen(file);
  if (seen === undefined) return;
  const refuse = (what: string): Fault => {
    const mend = `restore the data directory from a backup, or delete ${file} to go on without what is missing`;
    return new Fault('invalid', `${what}; ${mend}; nothing was changed`);
  };
  if (entries < seen.entries) throw refuse(`the journal has lost its last ${seen.entries - entries} entries`);
  const select = database.prepare('SELECT entry FROM entries WHERE stream = ? AND seq = ?');
  const found = reading(() => select.get(seen.stream, seen.seq));
  // The hash is the last field that is written of an entry.
  if (String(found?.entry).endsWith(`"hash":"${seen.hash}"}`)) return;
  throw refuse(`entry ${seen.seq} of ${seen.stream} in the journal was changed`);
}

/** Nothing where there is no such file, or a power cut left a part of one: then the database speaks for itself. */
function readSeen(file: string): Seen | undefined {
  try {
    const seen = JSON.parse(readFileSync(file, 'utf8')) as Partial<Seen>;
    return typeof seen.entries === 'number' ? (seen as Seen) : undefined; // written by `replace`
  } catch {
    return undefined;
  }
}
