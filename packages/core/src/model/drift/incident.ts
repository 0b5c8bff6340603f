import { defined } from '../../base/objects.ts';
import { cleanWindowsToResolve } from '../../drift/incident.ts';
import type { Judged } from './protocol.ts';

/** Drift that has not ended: one for all columns of a model. */
export interface Incident {
  /** A notice is only told; a major one may start a run or take traffic back. */
  readonly level: 'notice' | 'major';
  /** Where the window begins in which it was first seen, and when that was judged. */
  readonly since: number;
  readonly at: number;
  /** When it was last news: seen first, grown to a major one, or seen against the data of another version. */
  readonly newsAt: number;
  /** The version whose training data it was last seen against. */
  readonly version: number;
  /** Columns that alarmed, in the order in which they did; at most 20. */
  readonly columns: readonly string[];
  /** The largest difference of any window. */
  readonly size: number;
  /** Clean windows since the last one of drift. */
  readonly clean: number;
}

const keptColumns = 20;

/** The incident after one more window; three clean ones end it. */
export function followIncident(
  open: Incident | undefined,
  { alarms, level, columns }: Pick<Judged, 'alarms' | 'level' | 'columns'>,
  { from, at, version }: { readonly from: number; readonly at: number; readonly version: number },
): Incident | undefined {
  if (level === undefined) {
    if (open === undefined || open.clean + 1 >= cleanWindowsToResolve) return undefined;
    return { ...open, clean: open.clean + 1 };
  }
  const sizes = columns.flatMap(({ name, size }) => (alarms.includes(name) ? (size ?? 0) : []));
  const isNews = open === undefined || open.version !== version || (level === 'major' && open.level === 'notice');
  return {
    ...{ since: from, at, newsAt: at, ...defined({ ...open }) },
    ...(isNews ? { newsAt: at } : {}),
    level: open?.level === 'major' ? 'major' : level,
    version,
    columns: [...new Set([...(open?.columns ?? []), ...alarms])].slice(0, keptColumns),
    size: Math.max(open?.size ?? 0, ...sizes),
    clean: 0,
  };
}
