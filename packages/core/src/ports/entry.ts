import { applyPatch, canonical, diff, digestOf, type Json, sha256Hex } from '../base/json.ts';
import type { Actor, Entry, EventBody, Head } from './journal.ts';

/** The next entry of a stream: what turns the head's state into `state`, chained to the entry before. */
export function nextEntry(
  head: Head | undefined,
  given: {
    readonly stream: string;
    readonly at: number;
    readonly actor: Actor;
    readonly signal: unknown;
    readonly state: unknown;
    readonly events?: readonly EventBody[];
  },
): Entry {
  const body = {
    stream: given.stream,
    seq: (head?.seq ?? 0) + 1,
    at: given.at,
    actor: given.actor,
    signal: JSON.parse(JSON.stringify(given.signal)) as Json,
    patch: diff(head?.state ?? {}, given.state) ?? {},
    events: given.events ?? [],
    previousHash: head?.hash ?? '',
  };
  return { ...body, hash: sha256Hex(canonical(body)) };
}

/** The state after some entries (oldest first), from a state before them. */
export const fold = (entries: readonly Entry[], from: unknown = {}): unknown =>
  entries.reduce((state, entry) => applyPatch(state, entry.patch), from);

/** A stream as far as it was checked: its entries form a chain, and they fold to this state. */
export interface CheckedStream {
  readonly seq: number;
  readonly hash: string;
  readonly state: unknown;
}

export const uncheckedStream: CheckedStream = { seq: 0, hash: '', state: {} };

/** Checks the entries (oldest first) that follow; answers what is wrong with the first bad one. */
export function checkOn(
  before: CheckedStream,
  entries: readonly Entry[],
): CheckedStream | { readonly problem: string } {
  const problem = chainProblem(entries, before.hash, before.seq);
  const last = entries.at(-1);
  if (problem !== undefined) return { problem };
  return last === undefined ? before : { seq: last.seq, hash: last.hash, state: fold(entries, before.state) };
}

/** What is wrong with a head, compared with the entries that were checked. The machines act on the head. */
export function headProblem(head: Head, checked: CheckedStream): string | undefined {
  const { stream, seq } = head;
  if (seq !== checked.seq) return `${stream}: entry ${checked.seq + 1} is missing`;
  if (head.hash !== checked.hash) return `${stream}: entry ${seq} is not the one that its head names`;
  const change = diff(checked.state, head.state);
  if (change === undefined) return undefined;
  const where = Object.keys(Object(change)).slice(0, 5).join(', ');
  return `${stream}: the state that acts is not what its ${seq} entries come to; it differs in ${where}`;
}

/**
 * One hash over all streams, each as [stream, seq, hash]. With it one can show later that nothing before it changed.
 */
export const rootOf = (heads: readonly (readonly [string, number, string])[]): string =>
  digestOf([...heads].sort(([a], [b]) => (a < b ? -1 : 1)));

/** What is wrong with a chain of entries (oldest first), or nothing. `after` is the hash before the first. */
export function chainProblem(entries: readonly Entry[], after = '', seqAfter = 0): string | undefined {
  let [hash, seq] = [after, seqAfter];
  for (const entry of entries) {
    const { hash: written, ...body } = entry;
    if (entry.seq !== seq + 1) return `${entry.stream}: entry ${entry.seq} follows ${seq}: there is a gap`;
    if (entry.previousHash !== hash) return `${entry.stream}: entry ${entry.seq} does not chain to the entry before it`;
    if (sha256Hex(canonical(body)) !== written)
      return `${entry.stream}: entry ${entry.seq} was changed after it was written`;
    [hash, seq] = [written, entry.seq];
  }
  return undefined;
}
