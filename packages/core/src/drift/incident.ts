import type { Cause, Level, Span, Verdict } from './verdict.ts';

/** Drift that is open, one per cause. */
export interface Incident {
  readonly cause: Cause;
  readonly level: Level;
  /** The window that opened it, and the last that was judged. */
  readonly first: Span;
  readonly last: Span;
  /** Each column that passed both gates since: its largest size and evidence, and the window it did so first. */
  readonly columns: Readonly<Record<string, DriftedColumn>>;
  /** Windows in a row that were clean for all its columns. */
  readonly cleanWindows: number;
}

export interface DriftedColumn {
  readonly since: Span;
  readonly size: number;
  readonly evidence: number;
}

/** So many clean windows in a row resolve an incident. */
export const cleanWindowsToResolve = 3;

/**
 * The incident after a verdict; `undefined`: none is open. A window in which a drifted column has no row is neither clean
 * nor not. A verdict that was followed already changes nothing.
 */
export function follow(cause: Cause, incident: Incident | undefined, verdict: Verdict): Incident | undefined {
  if (incident !== undefined && verdict.window.end <= incident.last.end) return incident;
  const alarms = verdict.columns.filter((column) => column.cause === cause && column.alarm !== undefined);
  if (alarms.length === 0) return incident && rested(incident, verdict);
  const columns: Record<string, DriftedColumn> = Object.assign(Object.create(null), incident?.columns);
  for (const { name, size, evidence } of alarms) {
    const before = columns[name];
    columns[name] = {
      since: before?.since ?? verdict.window,
      size: Math.max(size, before?.size ?? 0),
      evidence: Math.max(evidence, before?.evidence ?? 0),
    };
  }
  const isMajor = incident?.level === 'major' || alarms.some(({ alarm }) => alarm === 'major');
  return {
    cause,
    level: isMajor ? 'major' : 'notice',
    first: incident?.first ?? verdict.window,
    last: verdict.window,
    columns: Object.setPrototypeOf(columns, Object.prototype),
    cleanWindows: 0,
  };
}

function rested(incident: Incident, { columns, window }: Verdict): Incident | undefined {
  const isSilent = columns.some(({ name, rows }) => rows === 0 && Object.hasOwn(incident.columns, name));
  const cleanWindows = incident.cleanWindows + (isSilent ? 0 : 1);
  return cleanWindows >= cleanWindowsToResolve ? undefined : { ...incident, last: window, cleanWindows };
}
