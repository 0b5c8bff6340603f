import { setTimeout as sleep } from 'node:timers/promises';
import { asFault } from '@serin/core/base/fault';
import type { Engine } from '@serin/core/engine/engine';
import type { Journal } from '@serin/core/ports/journal';

/** The entry points of one machine: what dispatches when a stream owes something, and the clock. */
export interface Dispatcher {
  /**
   * A stream owes something: that is performed soon. Twice: once more after the
   * dispatch under way, or beside it when it takes long.
   */
  nudge(stream: string): void;
  /** A stream waits for a time; the last word counts. `undefined`: it waits for none. */
  planned(stream: string, due: number | undefined): void;
  /** Looks through the index for whatever is due and not planned; called on start and every minute. */
  sweep(): Promise<void>;
  /** Nothing new is begun; resolves when what is under way has ended. */
  stop(): Promise<void>;
}

interface Options {
  readonly engine: Engine;
  readonly journal: Journal;
  readonly now: () => number;
  readonly onFault: (stream: string, error: unknown) => void;
}

const longestTimerMs = 2 ** 31 - 1;
const pauseAfterFaultMs = 1000;
const sweepMs = 60_000;
const patienceAtStopMs = 5000;
/** What is owed since is not kept waiting any longer by a call under way: leases keep the two apart. */
const patienceMs = 250;

interface Dispatch {
  again: boolean;
  patience?: NodeJS.Timeout;
}

export function createDispatcher({ engine, journal, now, onFault }: Options): Dispatcher {
  const dispatching = new Map<string, Dispatch>();
  const underWay = new Set<Promise<void>>();
  const timers = new Map<string, NodeJS.Timeout>();
  let stopped = false;

  function nudge(stream: string): void {
    if (stopped) return;
    const current = dispatching.get(stream);
    if (current !== undefined) {
      current.again = true;
      current.patience ??= setTimeout(() => leave(stream, current), patienceMs).unref();
      return;
    }
    const dispatch = { again: false };
    dispatching.set(stream, dispatch);
    const done = dispatchOnce(stream, dispatch).finally(() => underWay.delete(done));
    underWay.add(done);
  }

  function leave(stream: string, dispatch: Dispatch): void {
    clearTimeout(dispatch.patience);
    if (dispatching.get(stream) !== dispatch) return;
    dispatching.delete(stream);
    if (dispatch.again) nudge(stream);
  }

  async function dispatchOnce(stream: string, dispatch: Dispatch): Promise<void> {
    // Yields first, so that the entry of the map is there when the dispatch ends.
    await Promise.resolve();
    try {
      await engine.dispatch(stream);
    } catch (error) {
      onFault(stream, error);
      planned(stream, now() + (asFault(error).retry === 'never' ? sweepMs : pauseAfterFaultMs));
    }
    leave(stream, dispatch);
  }

  function planned(stream: string, due: number | undefined): void {
    clearTimeout(timers.get(stream));
    timers.delete(stream);
    if (due === undefined || stopped) return;
    // A timer may fire before its time by a fraction of a millisecond, and holds 24.8 days at most: it looks again.
    const fire = () => (now() >= due ? nudge(stream) : planned(stream, due));
    const timer = setTimeout(fire, Math.min(Math.max(0, due - now()), longestTimerMs));
    timers.set(stream, timer.unref());
  }

  async function sweep(): Promise<void> {
    let cursor: string | undefined;
    do {
      const page = await journal.due(now(), cursor);
      for (const { stream } of page.items) nudge(stream);
      cursor = page.next;
    } while (cursor !== undefined && !stopped);
  }

  const clock = setInterval(() => void sweep().catch((error) => onFault('clock', error)), sweepMs).unref();

  return {
    nudge,
    planned,
    sweep,
    async stop() {
      stopped = true;
      clearInterval(clock);
      for (const timer of timers.values()) clearTimeout(timer);
      // A call that hangs is left behind: its lease ends by itself, and the next server takes it over.
      await Promise.race([Promise.allSettled([...underWay]), sleep(patienceAtStopMs, undefined, { ref: false })]);
    },
  };
}
