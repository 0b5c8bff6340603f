/** What functions count, by log lines (packages/platform/src/metrics.ts). */
export interface Metric {
  readonly name: string;
  readonly statistic: 'Sum' | 'Maximum';
  /** The graph of the dashboard that shows it. */
  readonly graph: 'runs' | 'rollouts' | 'debts' | 'signals';
}

const sums = (graph: Metric['graph'], ...names: readonly string[]): readonly Metric[] =>
  names.map((name) => ({ name, statistic: 'Sum', graph }));

export const metrics: readonly Metric[] = [
  ...sums('runs', 'RunsStarted', 'RunsSucceeded', 'RunsRefused', 'RunsFailed'),
  ...sums('rollouts', 'RolloutsStarted', 'RolloutsPromoted', 'RolloutsRolledBack', 'RolloutsHeld'),
  { name: 'OldestDueSeconds', statistic: 'Maximum', graph: 'debts' },
  ...sums('debts', 'DebtsPutOff'),
  ...sums('signals', 'Ticks', 'ForeignSignals', 'DeadLetters'),
];
