import { join } from 'node:path';
import { hasEnded, unfinishedIn } from './record.ts';

interface Options {
  /** The directory of all jobs. */
  readonly root: string;
  readonly pollMs: number;
  readonly onChange: (id: string) => void;
}

/** Tells of each job once that it may have ended, also of one that another process spawned. */
export function endHints({ root, pollMs, onChange }: Options) {
  const unfinished = new Set(unfinishedIn(root));
  const hinted = new Set<string>();
  const hint = (id: string) => {
    if (hinted.has(id)) return;
    hinted.add(id);
    onChange(id);
  };
  const look = () => {
    for (const id of unfinished) if (!hinted.has(id) && hasEnded(join(root, id))) hint(id);
  };
  const poll = setInterval(look, pollMs).unref();
  // What ended while no server ran is told at once, so that servers that live shortly still hear of it.
  const first = setTimeout(look, 0).unref();

  return {
    hint,
    /** Looks for the end of a job from now on. */
    watch: (id: string): void => void unfinished.add(id),
    forget: (id: string): void => void unfinished.delete(id),
    /** Ends the polling. Twice: the same as once. */
    close(): void {
      clearTimeout(first);
      clearInterval(poll);
    },
  };
}
