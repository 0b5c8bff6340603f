import { asFault } from '@serin/core/base/fault';
import { type CheckedStream, checkOn, headProblem, rootOf, uncheckedStream } from '@serin/core/ports/entry';
import type { Entry, Head, Journal } from '@serin/core/ports/journal';
import { ownTurn } from './own-turn.ts';

/** Streams that no index lists. */
export const unlistedStreams = ['project', 'access'];

/** What a whole journal comes to: one hash over all of its streams, when nothing is wrong with any. */
export interface Audit {
  readonly streams: number;
  readonly entries: number;
  readonly root: string;
  /** Each stream, the number of its newest entry, and that entry's hash. */
  readonly heads: readonly (readonly [string, number, string])[];
  readonly problems: readonly string[];
}

/** Reads every entry there is, and checks that each stream is a chain which comes to the state that acts. */
export async function auditJournal(journal: Journal): Promise<Audit> {
  const audited: AuditedStream[] = [];
  for (const stream of unlistedStreams) audited.push(await auditStream(journal, stream));
  for (let cursor: string | undefined; ; ) {
    const { items, next } = await journal.names('', cursor);
    for (const { stream } of items) audited.push(await auditStream(journal, stream));
    if (next === undefined) break;
    cursor = next;
  }
  const heads = audited.flatMap(({ head }) => (head === undefined ? [] : [head]));
  return {
    streams: audited.length,
    entries: audited.reduce((sum, { entries }) => sum + entries, 0),
    root: rootOf(heads),
    heads,
    problems: audited.flatMap(({ problem }) => (problem === undefined ? [] : [problem])),
  };
}

/** Entries that are checked together: read in one go, and worked on in smaller ones. */
const entriesPerPart = 100;
const entriesPerTurn = 20;

/**
 * The entries of a stream up to a head, oldest first and after number `after`, few enough each time to be worked on in one
 * go: others come in between.
 */
export async function* partsTo(
  { stream, seq }: Head,
  journal: Journal,
  after = 0,
): AsyncGenerator<readonly Entry[], void> {
  for (let read = after; read < seq; ) {
    const before = Math.min(read + entriesPerPart, seq) + 1;
    const part = (await journal.history(stream, before, before - 1 - read)).toReversed();
    for (let at = 0; at < part.length; at += entriesPerTurn) {
      await ownTurn();
      yield part.slice(at, at + entriesPerTurn);
    }
    const newest = part.at(-1)?.seq ?? read;
    if (newest <= read) return;
    read = newest;
  }
}

/** What one stream comes to. */
export interface AuditedStream {
  readonly stream: string;
  readonly entries: number;
  /** What the stream comes to, when nothing is wrong with it. */
  readonly head?: readonly [string, number, string];
  readonly problem?: string;
}

/** Checks one stream; an absent one has no entries and no problem. */
export async function auditStream(journal: Journal, stream: string): Promise<AuditedStream> {
  let entries = 0;
  try {
    const head = await journal.head(stream);
    if (head === undefined) return { stream, entries };
    for await (const checked of checkedTo(journal, head)) {
      if ('problem' in checked) return { stream, entries, problem: checked.problem };
      entries = checked.seq;
    }
    return { stream, entries, head: [stream, head.seq, head.hash] };
  } catch (error) {
    // A row that cannot be read is a problem of this stream. A store that cannot be reached is not.
    const fault = asFault(error);
    if (fault.retry !== 'never') throw error;
    return { stream, entries, problem: `${stream}: ${fault.message}` };
  }
}

/** From the first entry to the head, part by part; ends with the first problem, or when the head is what they come to. */
async function* checkedTo(
  journal: Journal,
  head: Head,
): AsyncGenerator<CheckedStream | { readonly problem: string }, void> {
  let checked = uncheckedStream;
  for await (const part of partsTo(head, journal)) {
    const next = checkOn(checked, part);
    if ('problem' in next) return yield next;
    checked = next;
    yield checked;
  }
  const problem = headProblem(head, checked);
  if (problem !== undefined) yield { problem };
}
