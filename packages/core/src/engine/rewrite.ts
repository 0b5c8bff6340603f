import { asFault } from '../base/fault.ts';
import type { Json } from '../base/json.ts';
import { nextEntry } from '../ports/entry.ts';
import type { Actor, Append, EventBody, Head, Journal } from '../ports/journal.ts';

/** What the next entry of a stream says, and the state after it. */
export interface Next {
  readonly at: number;
  readonly actor: Actor;
  readonly signal: unknown;
  /** Plain JSON: a history is folded into it. */
  readonly state: unknown;
  readonly events?: readonly EventBody[];
  readonly due?: number | undefined;
  readonly name?: Append['name'] | undefined;
}

const triesOnConflict = 6;

/**
 * Reads the head of a stream, decides what comes next, and appends it; durable when it resolves.
 *
 * When another append came first, the new head is read and decided on, up to `tries` appends in all; then the `conflict`
 * is thrown. What `decide` throws is thrown at once. `undefined`: there is nothing to write. Answers what was written.
 */
export async function rewrite<State>(
  journal: Pick<Journal, 'head' | 'append'>,
  stream: string,
  decide: (state: State | undefined, head: Head | undefined) => Next | undefined | Promise<Next | undefined>,
  { tries = triesOnConflict }: { readonly tries?: number } = {},
): Promise<Append | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const head = await journal.head(stream);
    const next = await decide(head?.state as State | undefined, head); // written by an earlier rewrite of the stream
    if (next === undefined) return undefined;
    const { due, name, ...content } = next;
    const write: Append = {
      entry: nextEntry(head, { stream, ...content }),
      state: next.state as Json,
      ...(due === undefined ? {} : { due }),
      ...(name === undefined ? {} : { name }),
    };
    try {
      await journal.append(head?.seq ?? 0, write);
      return write;
    } catch (error) {
      if (asFault(error).retry !== 'now' || attempt >= tries) throw error;
    }
  }
}
