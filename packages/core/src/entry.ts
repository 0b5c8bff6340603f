import { applyPatch, canonical, diff, type Json, sha256Hex } from './json.ts';
import type { Actor, Entry, EventBody, Head } from './ports.ts';

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
