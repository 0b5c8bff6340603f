import { defined } from '../base/objects.ts';
import type { Level } from './verdict.ts';

/** Something of a model is not as it was, and that has not ended. It outlives a change of champion. */
export interface Incident {
  /** A notice is only told; a major one may start a run or take traffic back. */
  readonly level: Level;
  /** Where the window begins in which it was first seen, and when that was judged. */
  readonly since: number;
  readonly at: number;
  /** When it was last news: seen first, grown to a major one, or seen of another version. */
  readonly newsAt: number;
  /** The version of which it was last seen. */
  readonly version: number;
  /** What changed, in the order in which it was seen; at most 20 names. */
  readonly columns: readonly string[];
  /** The largest change of any window. */
  readonly size: number;
  /** Clean windows since the last one that was not. */
  readonly clean: number;
}

/** What was judged of a window. */
export interface Seen {
  /** Absent: nothing changed. */
  readonly level?: Level;
  /** What had changed could not be looked at: nothing says that it is as before. */
  readonly isSilent?: true;
  readonly columns: readonly string[];
  readonly size: number;
}

/** So many clean windows in a row end an incident. */
export const cleanWindowsToResolve = 3;

const keptColumns = 20;

/**
 * The incident after one more window; `undefined`: none is open. The caller sees to it that each window is followed once.
 *
 * This is the only rule of when it opens, is news and ends. What judges the windows is told that one is open, so that it
 * learns nothing meanwhile of what changed, and starts that anew afterwards.
 */
export function follow(
  open: Incident | undefined,
  { level, isSilent, columns, size }: Seen,
  { from, at, version }: { readonly from: number; readonly at: number; readonly version: number },
): Incident | undefined {
  if (level === undefined) return open && (isSilent ? open : rested(open));
  const isNews = open === undefined || open.version !== version || (level === 'major' && open.level === 'notice');
  return {
    ...{ since: from, at, newsAt: at, ...defined({ ...open }) },
    ...(isNews ? { newsAt: at } : {}),
    level: open?.level === 'major' ? 'major' : level,
    version,
    columns: [...new Set([...(open?.columns ?? []), ...columns])].slice(0, keptColumns),
    size: Math.max(open?.size ?? 0, size),
    clean: 0,
  };
}

const rested = (open: Incident): Incident | undefined =>
  open.clean + 1 >= cleanWindowsToResolve ? undefined : { ...open, clean: open.clean + 1 };
