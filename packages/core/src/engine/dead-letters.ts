import { Fault } from '../base/fault.ts';
import { encodeText, type Json } from '../base/json.ts';
import type { Actor, Journal } from '../ports/journal.ts';
import { type Next, rewrite } from './rewrite.ts';

/** A signal that nobody could use, in a stream of its own: `dead/<signal id>`. */
export interface DeadLetter {
  readonly schema: 1;
  readonly id: string;
  /** Where it was going. */
  readonly stream: string;
  readonly signal: Json;
  readonly because: string;
  readonly at: number;
  readonly status: 'waiting' | 'replayed' | 'discarded';
}

/** Where a message of the platform was going that no stream took: `signal` is `{body}`, as the queue had it. */
export const queueStream = 'queue';

const streamOf = (id: string): string => `dead/${id}`;

/** Buries a signal. Twice: one letter; buried again after a replay, it waits again with the newer reason. */
export async function bury(
  journal: Journal,
  letter: Omit<DeadLetter, 'schema' | 'status'>,
  actor: Actor,
): Promise<void> {
  await rewrite<DeadLetter>(journal, streamOf(letter.id), (known) =>
    known?.status === 'waiting' ? undefined : written({ ...letter, schema: 1, status: 'waiting' }, actor),
  );
}

export async function findDeadLetter(journal: Journal, id: string): Promise<DeadLetter | undefined> {
  return (await journal.head(streamOf(id)))?.state as DeadLetter | undefined;
}

/** Marks what became of a letter. One that is not `waiting` any more is a `conflict`. */
export async function closeDeadLetter(
  journal: Journal,
  id: string,
  status: 'replayed' | 'discarded',
  at: number,
  actor: Actor,
): Promise<void> {
  await rewrite<DeadLetter>(journal, streamOf(id), (letter) => {
    if (letter === undefined)
      throw new Fault('notFound', `there is no dead letter '${id}'; 'serin dead-letters list' shows what there is`);
    if (letter.status !== 'waiting')
      throw new Fault(
        'conflict',
        `the dead letter '${id}' is already ${letter.status}; leave it, or choose another one`,
      );
    return written({ ...letter, status, at }, actor);
  });
}

function written(letter: DeadLetter, actor: Actor): Next {
  const { id, stream, because, at, status } = letter;
  const summary = { id, stream, because: shortened(because), at, status };
  const state = JSON.parse(JSON.stringify(letter)) as Json;
  return { at, actor, signal: { type: status }, state, name: { key: streamOf(id), summary } };
}

/** At most 400 bytes: a summary has its bound in bytes, and a reason may be written in any script. */
function shortened(text: string): string {
  const points = [...text];
  while (encodeText(points.join('')).length > 400) points.length -= Math.ceil(points.length / 10);
  return points.join('');
}
