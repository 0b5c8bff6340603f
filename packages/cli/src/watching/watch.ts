import type { Document } from '../client.ts';
import type { Invocation } from '../invocation.ts';
import { waitFor } from '../wait.ts';
import { liveScreen } from './live.ts';

/** Something that is looked at until it is over. */
export interface Watched<Seen extends Document> {
  /** What is waited for, if it takes too long. */
  readonly what: string;
  readonly look: () => Promise<Seen>;
  readonly isOver: (seen: Seen) => boolean;
  /** All of it, as it is drawn again and again on a terminal. */
  readonly frame: (seen: Seen, now: number) => string;
  /** On a pipe: a line for each thing that is new since `before`. */
  readonly changes: (seen: Seen, before: Seen | undefined) => string;
  /** It never ends by itself, and there is no time-out. */
  readonly endless?: true;
}

const drawEveryMs = 1_000;

/**
 * Watches to the end: in place on a terminal, with countdowns that go on between two looks; a line for each change on a
 * pipe; with `--json --watch` each state that differs, as NDJSON.
 */
export async function watched<Seen extends Document>(invocation: Invocation, of: Watched<Seen>): Promise<Seen> {
  const { terminal, options } = invocation;
  const live = terminal.width === undefined || terminal.json ? undefined : liveScreen(terminal);
  let seen: Seen | undefined;
  const draw = (): void => {
    if (seen !== undefined) live?.draw(of.frame(seen, Date.now()));
  };
  const timer = setInterval(draw, live === undefined ? 2 ** 30 : drawEveryMs).unref();
  try {
    return await waitFor(
      // The frame says what is waited for.
      { ...invocation, terminal: { ...terminal, redraw: undefined } },
      of.what,
      async () => {
        const before = seen;
        seen = await of.look();
        const isNew = JSON.stringify(seen) !== JSON.stringify(before);
        if (terminal.json && options.watch === true && isNew) terminal.out(`${JSON.stringify(seen)}\n`);
        if (live === undefined && !terminal.json) terminal.out(of.changes(seen, before));
        draw();
        return of.isOver(seen) ? seen : undefined;
      },
      of.endless === true,
    );
  } finally {
    clearInterval(timer);
    live?.end();
  }
}
