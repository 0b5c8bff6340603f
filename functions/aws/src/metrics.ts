import type { Entry } from '@serin/core/ports/journal';
import type { Facts } from './facts.ts';

/** Metrics by the event that tells of what they count; infra/aws/topology/metrics.ts shows and prices them. */
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

/** All that a function may count. */
export const metricNames: readonly string[] = [
  ...counted.values(),
  'DebtsPutOff',
  'OldestDueSeconds',
  'Ticks',
  'ForeignSignals',
  'DeadLetters',
];

/** What a durable entry tells: runs, verdicts and rollouts by its events, and an order that could not be carried out. */
export function countEntry({ stream, signal, events }: Entry, facts: Facts): void {
  for (const { type, subject } of events) {
    const metric = counted.get(type);
    if (metric !== undefined) facts.count(metric, { stream, subject });
  }
  const { type, key, because } = signal as { readonly type: string; readonly key?: string; readonly because?: string };
  if (type === 'effectFailed') facts.count('DebtsPutOff', { stream, key, because });
}
