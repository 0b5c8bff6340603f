import type { Entry } from '@serin/core/ports/journal';
import type { LogLines } from './log-lines.ts';

/** Metrics by the event that they count. */
const counted: ReadonlyMap<string, string> = new Map([
  ['dev.serin.run.started.v1', 'RunsStarted'],
  ['dev.serin.run.succeeded.v1', 'RunsSucceeded'],
  ['dev.serin.run.refused.v1', 'RunsRefused'],
  ['dev.serin.run.failed.v1', 'RunsFailed'],
  ['dev.serin.rollout.started.v1', 'RolloutsStarted'],
  ['dev.serin.rollout.promoted.v1', 'RolloutsPromoted'],
  ['dev.serin.rollout.rolledback.v1', 'RolloutsRolledBack'],
  ['dev.serin.rollout.held.v1', 'RolloutsHeld'],
]);

/** All that is counted. */
export const metricNames: readonly string[] = [
  ...counted.values(),
  'DebtsPutOff',
  'OldestDueSeconds',
  'Ticks',
  'ForeignSignals',
  'DeadLetters',
];

/** What a durable entry says: runs, verdicts and rollouts by its events, and an order that could not be carried out. */
export function countEntry({ stream, signal, events }: Entry, log: LogLines): void {
  for (const { type, subject } of events) {
    const metric = counted.get(type);
    if (metric !== undefined) log.count(metric, { stream, subject });
  }
  const { type, key, because } = signal as { readonly type: string; readonly key?: string; readonly because?: string };
  if (type === 'effectFailed') log.count('DebtsPutOff', { stream, key, because });
}
