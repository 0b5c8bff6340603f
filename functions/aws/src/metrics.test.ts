import type { Entry, Journal } from '@serin/core/ports/journal';
import { tickDue } from '@serin/platform/clock';
import { logLines } from '@serin/platform/log-lines';
import { countEntry, metricNames } from '@serin/platform/metrics';
import { expect, test } from 'vitest';
import { metrics } from '../../../infra/shared/metrics.ts';
import { memoryJournal } from '../../../test/simulation/fakes/journal.ts';
import { atOnce } from '../../../test/simulation/fakes/sync.ts';
import { embeddedMetric } from './metric-line.ts';

function logged() {
  const lines: string[] = [];
  const log = logLines({
    write: (line) => lines.push(line),
    metric: embeddedMetric({ project: 'shop', environment: 'prod' }, () => 1000),
  });
  const values = () =>
    lines
      .map((line) => JSON.parse(line))
      .flatMap((line) =>
        (line._aws?.CloudWatchMetrics ?? []).flatMap(({ Metrics }: { Metrics: { Name: string; Unit: string }[] }) =>
          Metrics.map(({ Name, Unit }) => [Name, Unit, line[Name]]),
        ),
      );
  return { log, values };
}

const entry = (signal: object, ...events: readonly string[]): Entry =>
  ({
    stream: 'model/fraud',
    signal,
    events: events.map((type) => ({ type: `dev.serin.${type}.v1`, subject: 'runs/1', data: {} })),
  }) as unknown as Entry; // no more of an entry is read

test('runs, verdicts and rollouts are counted once each, by the entry that made them durable', () => {
  const { log, values } = logged();

  countEntry(entry({ type: 'jobDescribed' }, 'run.refused', 'rollout.rolledback', 'dataset.settled'), log);

  expect(values()).toEqual([
    ['RunsRefused', 'Count', 1],
    ['RolloutsRolledBack', 'Count', 1],
  ]);
});

test('an order that could not be carried out is counted each time that it is put off', () => {
  const { log, values } = logged();

  countEntry(entry({ type: 'effectFailed', key: 'run/1', because: 'throttled' }), log);

  expect(values()).toEqual([['DebtsPutOff', 'Count', 1]]);
});

test('the clock counts how long the oldest stream has waited, and nothing when none does', async () => {
  const { log, values } = logged();
  const queue = { tick: noQueue, ticks: async () => {}, send: noQueue };
  const due = (items: readonly { readonly stream: string; readonly due: number }[]) =>
    tickDue({
      journal: { ...atOnce<Journal>(memoryJournal()), due: async () => ({ items }) },
      queue,
      now: () => 900_000,
      log,
      withoutSecrets: (body) => body,
    });

  await due([]);
  expect(values()).toEqual([]);

  await due([
    { stream: 'model/a', due: 890_000 },
    { stream: 'model/b', due: 300_000 },
  ]);
  expect(values()).toEqual([
    ['Ticks', 'Count', 2],
    ['OldestDueSeconds', 'Seconds', 600],
  ]);
});

test('what functions count is what the dashboard shows and the plan prices', () => {
  expect(metrics.map(({ name }) => name).toSorted()).toEqual([...metricNames].toSorted());
});

async function noQueue(): Promise<never> {
  throw new Error('nobody should have asked');
}
