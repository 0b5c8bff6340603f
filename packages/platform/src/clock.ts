import type { Journal } from '@serin/core/ports/journal';
import type { LogLines } from './log-lines.ts';
import type { Queue } from './queue.ts';

/** What the clock and the dead letters need: only the journal and the queue. */
export interface Clockwork {
  readonly journal: Journal;
  readonly queue: Queue;
  readonly now: () => number;
  readonly log: LogLines;
  /** A message of the platform without the variables of a job, which may hold secrets. */
  readonly withoutSecrets: (body: string) => string;
}

const clockEveryMs = 60_000;

/** Sends a tick to the queue for each stream that is due. Twice, or late: a tick with nothing to do changes nothing. */
export async function tickDue({ journal, queue, now, log }: Clockwork): Promise<void> {
  let ticked = 0;
  let oldest = now();
  let cursor: string | undefined;
  do {
    const page = await journal.due(now(), cursor);
    await queue.ticks(page.items.map(({ stream }) => stream));
    ticked += page.items.length;
    oldest = Math.min(oldest, ...page.items.map(({ due }) => due));
    cursor = page.next;
  } while (cursor !== undefined);
  // A metric costs for each hour in which it has a value, so a zero is not written.
  if (ticked === 0) return;
  log.count('Ticks', {}, ticked);
  log.count('OldestDueSeconds', {}, Math.round((now() - oldest) / 1000));
}

/**
 * A stream that waits for less than the clock's minute is ticked in time. Only what was appended is told here, so a
 * tick that finds nothing to do leaves no further one behind.
 */
export async function wakeSoon(
  { queue, now, log }: Pick<Clockwork, 'queue' | 'now' | 'log'>,
  due: ReadonlyMap<string, number>,
): Promise<void> {
  const soon = [...due].filter(([, at]) => at - now() < clockEveryMs);
  await Promise.all(
    soon.map(([stream, at]) =>
      queue
        .tick(stream, Math.max(1, Math.ceil((at - now()) / 1000)))
        .catch((error: unknown) => log.fault(`waking ${stream}`, error)),
    ),
  );
}
