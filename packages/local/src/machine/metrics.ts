import { eventTypes } from '@serin/core/base/event-types';
import type { Entry } from '@serin/core/ports/journal';
import type { Standing } from '../ports/serving.ts';
import { type Captures, captureEnds } from './captures.ts';
import type { Counters } from './counters.ts';
import { expose, type Family, type Sample } from './exposition.ts';
import type { Protocol } from './invocation-paths.ts';
import type { JournalGauges, ModelGauge } from './journal-gauges.ts';
import { tallyBoundsMs } from './tally.ts';

/** What the server did since it started, and how it stands. */
export interface Metrics {
  appended(entry: Entry): void;
  fault(): void;
  predicted(endpoint: string, protocol: Protocol): void;
  /** In OpenMetrics text, or in that of Prometheus. */
  text(isOpenMetrics: boolean): Promise<string>;
}

interface Sources {
  readonly version: string;
  readonly now: () => number;
  readonly gauges: JournalGauges;
  readonly counters: Pick<Counters, 'arm'>;
  readonly captures: Pick<Captures, 'ends' | 'bytes'>;
  readonly isCaptured: (endpoint: string) => boolean;
  /** Only these deployments have series; the series of others end. */
  readonly standing: () => readonly Standing[];
}

/** `sources` are asked when somebody looks: they need not be there before. */
export function serverMetrics(sources: () => Sources): Metrics {
  const entries = counts();
  // Each kind is listed from the start with 0, so that its first occurrence shows as an increase.
  const events = counts(eventTypes.map((type) => `dev.serin.${type}.v1`));
  const predictions = new Map<string, ReturnType<typeof counts>>();
  let faults = 0;

  return {
    appended({ signal, events: published }) {
      // Types are the core's own words: a closed set.
      entries.add((signal as { readonly type: string }).type);
      for (const { type } of published) events.add(type);
    },
    fault() {
      faults += 1;
    },
    predicted(endpoint, protocol) {
      const known = predictions.get(endpoint) ?? counts();
      predictions.set(endpoint, known);
      known.add(protocol);
    },
    async text(isOpenMetrics) {
      const { version, now, gauges, counters, standing, captures, isCaptured } = sources();
      const { models, deadLetters } = await gauges.read();
      const live = standing();
      const endpoints = new Set(live.map(({ endpoint }) => endpoint));
      const asked = [...predictions].filter(([endpoint]) => endpoints.has(endpoint));
      const families: readonly Family[] = [
        {
          name: 'serin_build',
          type: 'info',
          help: 'The version of Serin.',
          samples: [{ labels: { version }, value: 1 }],
        },
        ...ofDeployments(live, counters),
        {
          name: 'serin_predictions',
          type: 'counter',
          help: 'Requests for predictions, by how the caller speaks.',
          samples: asked.flatMap(([model, known]) => known.samples('protocol', { model })),
        },
        ...ofCaptures([...endpoints].filter(isCaptured), captures),
        ...ofModels(models, now()),
        gauge('serin_dead_letters', 'Signals that nobody could use, and that wait for a person.', [
          { value: deadLetters },
        ]),
        {
          name: 'serin_entries',
          type: 'counter',
          help: 'Journal entries by signal.',
          samples: entries.samples('signal'),
        },
        { name: 'serin_events', type: 'counter', help: 'CloudEvents by type.', samples: events.samples('type') },
        {
          name: 'serin_faults',
          type: 'counter',
          help: 'Things that went wrong and are tried again.',
          samples: [{ value: faults }],
        },
        {
          ...gauge('serin_resident_memory_bytes', 'Memory of the server that is in RAM.', [
            { value: process.memoryUsage.rss() },
          ]),
          unit: 'bytes',
        },
      ];
      return expose(families, isOpenMetrics);
    },
  };
}

const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name,
  type: 'gauge',
  help,
  samples,
});

function counts(from: readonly string[] = []) {
  const known = new Map<string, number>(from.map((value) => [value, 0]));
  return {
    add: (value: string) => void known.set(value, (known.get(value) ?? 0) + 1),
    samples: (label: string, labels: Readonly<Record<string, string>> = {}): readonly Sample[] =>
      [...known].sort().map(([value, total]) => ({ labels: { ...labels, [label]: value }, value: total })),
  };
}

/** How many were chosen and what became of them: never what is in them. */
const ofCaptures = (endpoints: readonly string[], captures: Pick<Captures, 'ends' | 'bytes'>): readonly Family[] => [
  {
    name: 'serin_captures',
    type: 'counter',
    help: 'Requests that were chosen to be captured, by what became of them.',
    samples: endpoints.flatMap((model) => {
      const ends = captures.ends(model);
      return captureEnds.map((end) => ({ labels: { model, end }, value: ends[end] }));
    }),
  },
  {
    ...gauge(
      'serin_captured_bytes',
      'Captured requests on the disk.',
      endpoints.map((model) => ({ labels: { model }, value: captures.bytes(model) })),
    ),
    unit: 'bytes',
  },
];

/** Requests by deployment: those of copies for a mirror, whose answers go to nobody, are not among them. */
function ofDeployments(live: readonly Standing[], counters: Pick<Counters, 'arm'>): readonly Family[] {
  const rows = live.map(({ endpoint, deployment, version, weight, isReady }) => {
    const { tally } = counters.arm(endpoint, deployment);
    const upTo = tally.upTo();
    const requests = upTo.at(-1) ?? 0;
    return { labels: { model: endpoint, version: String(version) }, tally, upTo, requests, weight, isReady };
  });
  const each = (of: (row: (typeof rows)[number]) => number) =>
    rows.map((row) => ({ labels: row.labels, value: of(row) }));
  return [
    {
      name: 'serin_requests',
      type: 'counter',
      help: 'Requests by the version that they were routed to.',
      samples: each(({ requests }) => requests),
    },
    {
      name: 'serin_request_errors',
      type: 'counter',
      help: 'Requests that failed: answers of 500 and more, broken connections, and silence.',
      samples: each(({ tally }) => tally.errors()),
    },
    {
      name: 'serin_request_duration_seconds',
      type: 'histogram',
      help: 'Time from routing to the end of the answer, or to the first byte of a stream.',
      unit: 'seconds',
      samples: rows.flatMap(({ labels, tally, upTo, requests }) => [
        ...upTo.map((value, index) => ({
          suffix: '_bucket',
          labels: { ...labels, le: boundText(tallyBoundsMs[index]) },
          value,
        })),
        { suffix: '_sum', labels, value: tally.sum() },
        { suffix: '_count', labels, value: requests },
      ]),
    },
    {
      ...gauge(
        'serin_deployment_weight_ratio',
        'Share of the requests that a version gets.',
        each(({ weight }) => weight / 100),
      ),
      unit: 'ratio',
    },
    gauge(
      'serin_deployment_ready',
      'Whether all model servers of a version answer.',
      each(({ isReady }) => (isReady ? 1 : 0)),
    ),
  ];
}

/** Numbers as both formats want them: `1.0` and not `1`. */
const boundText = (ms: number | undefined): string => {
  if (ms === undefined) return '+Inf';
  const seconds = String(ms / 1000);
  return seconds.includes('.') ? seconds : `${seconds}.0`;
};

function ofModels(models: readonly ModelGauge[], now: number): readonly Family[] {
  const each = (of: (gauge: ModelGauge) => number) =>
    models.map((known) => ({ labels: { model: known.model }, value: of(known) }));
  const age = (since: number | undefined) => (since === undefined ? 0 : Math.max(0, now - since) / 1000);
  const runs = counts();
  for (const { run } of models) if (run !== undefined) runs.add(run);
  return [
    {
      name: 'serin_champion',
      type: 'info',
      help: 'The version that is the champion.',
      samples: models.flatMap(({ model, champion }) =>
        champion === undefined ? [] : [{ labels: { model, version: String(champion) }, value: 1 }],
      ),
    },
    gauge(
      'serin_rollout_state',
      'The rollout that is under way, by its state: always 1.',
      models.flatMap(({ model, rollout }) =>
        rollout === undefined
          ? []
          : [{ labels: { model, candidate: String(rollout.candidate), state: rollout.status }, value: 1 }],
      ),
    ),
    gauge('serin_runs', 'Runs that are under way, by state.', runs.samples('state')),
    gauge(
      'serin_alerts_firing',
      'Alerts that fire for a model.',
      each(({ firing }) => firing),
    ),
    ...ofDrift(models),
    ...ofPerformance(models),
    gauge(
      'serin_approvals_waiting',
      'Versions that wait for the approval of a person.',
      each(({ approvals }) => approvals),
    ),
    {
      ...gauge(
        'serin_data_waiting_seconds',
        'How long new data has waited for a run.',
        each(({ dataSince }) => age(dataSince)),
      ),
      unit: 'seconds',
    },
    {
      ...gauge(
        'serin_oldest_debt_seconds',
        'How long the oldest call that a model owes has been owed.',
        each(({ owesSince }) => age(owesSince)),
      ),
      unit: 'seconds',
    },
  ];
}

/** Live requests against the training data: what the last window that was judged came to. */
function ofDrift(models: readonly ModelGauge[]): readonly Family[] {
  const each = (of: (drift: NonNullable<ModelGauge['drift']>) => number | undefined) =>
    models.flatMap(({ model, drift }) => {
      const value = drift === undefined ? undefined : of(drift);
      return value === undefined ? [] : [{ labels: { model }, value }];
    });
  return [
    gauge(
      'serin_drift_evidence',
      'Evidence of the last window of requests that they drifted from the training data; an alarm needs monitor.drift.quietFor.',
      each(({ last }) => last?.evidence),
    ),
    {
      ...gauge(
        'serin_drift_size_ratio',
        'The largest difference of a column between the last window of requests and the training data, 0 to 1.',
        each(({ last }) => last?.size),
      ),
      unit: 'ratio',
    },
    gauge(
      'serin_drift_open',
      'Whether an incident of drift is open.',
      each(({ isOpen }) => (isOpen ? 1 : 0)),
    ),
    {
      ...gauge(
        'serin_performance_estimate_ratio',
        'What is expected of the predictions of the last window of requests without labels, 0 to 1: estimated, not measured.',
        models.flatMap(({ model, drift }) =>
          estimated.flatMap((measure) => {
            const value = drift?.last?.estimate?.[measure];
            return value === undefined ? [] : [{ labels: { model, measure }, value }];
          }),
        ),
      ),
      unit: 'ratio',
    },
  ];
}

const estimated = ['accuracy', 'precision', 'recall'] as const;

/** Predictions against their labels: what the last window that was judged came to. */
function ofPerformance(models: readonly ModelGauge[]): readonly Family[] {
  const each = (of: (performance: NonNullable<ModelGauge['performance']>) => number | undefined) =>
    models.flatMap(({ model, performance }) => {
      const value = performance === undefined ? undefined : of(performance);
      return value === undefined ? [] : [{ labels: { model }, value }];
    });
  return [
    {
      ...gauge(
        'serin_performance_loss_ratio',
        'The mean loss of the last window of labels, 0 to 1: the share of wrong predictions where labels say right or wrong.',
        each(({ last }) => last?.loss),
      ),
      unit: 'ratio',
    },
    {
      ...gauge(
        'serin_performance_limit_ratio',
        'The mean loss above which the champion is worse.',
        each(({ limit }) => limit),
      ),
      unit: 'ratio',
    },
    gauge(
      'serin_performance_evidence',
      'Evidence that predictions got worse; an alarm needs monitor.performance.quietFor.',
      each(({ last }) => last?.evidence),
    ),
    {
      ...gauge(
        'serin_performance_precision_ratio',
        'Of the predictions of monitor.performance.positive in the last windows of labels, the share that was right.',
        each(({ last }) => last?.precision),
      ),
      unit: 'ratio',
    },
    {
      ...gauge(
        'serin_performance_recall_ratio',
        'Of the truths that are monitor.performance.positive in the last windows of labels, the share that was predicted.',
        each(({ last }) => last?.recall),
      ),
      unit: 'ratio',
    },
    gauge(
      'serin_performance_mae',
      'The mean absolute error of the last windows of labels, in units of the prediction.',
      each(({ last }) => last?.mae),
    ),
    gauge(
      'serin_performance_rmse',
      'The root mean square error of the last windows of labels, in units of the prediction.',
      each(({ last }) => last?.rmse),
    ),
    gauge(
      'serin_performance_open',
      'Whether an incident of performance is open.',
      each(({ isOpen }) => (isOpen ? 1 : 0)),
    ),
  ];
}
