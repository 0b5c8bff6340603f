import type { Entry } from '@serin/core/ports/journal';
import { describe, expect, test } from 'vitest';
import type { CaptureEnd } from './captures.ts';
import type { ModelGauge } from './journal-gauges.ts';
import { serverMetrics } from './metrics.ts';
import { newTally, type Tally } from './tally.ts';

const entry = { signal: { type: 'dataHinted' }, events: [{ type: 'dev.serin.run.started.v1' }] } as unknown as Entry;
const now = 1_000_000;

interface World {
  readonly models?: readonly ModelGauge[];
  readonly tallies?: Readonly<Record<string, Tally>>;
  readonly standing?: readonly { readonly endpoint: string; readonly version: number; readonly weight: number }[];
  readonly deadLetters?: number;
  readonly captured?: Readonly<Record<string, { readonly ends: Record<CaptureEnd, number>; readonly bytes: number }>>;
}

function metricsOf({ models = [], tallies = {}, standing = [], deadLetters = 0, captured = {} }: World) {
  return serverMetrics(() => ({
    version: '1.2.3',
    now: () => now,
    gauges: { appended() {}, read: async () => ({ models, deadLetters }) },
    counters: {
      arm: (endpoint, deployment) => {
        const tally = tallies[`${endpoint} ${deployment}`] ?? newTally();
        const routed = () => ({ second: 0, ended() {} });
        return { tally, routed, unchosen: routed };
      },
    },
    captures: {
      ends: (endpoint) => captured[endpoint]?.ends ?? { kept: 0, unread: 0, tooLarge: 0, busy: 0, full: 0 },
      bytes: (endpoint) => captured[endpoint]?.bytes ?? 0,
    },
    isCaptured: (endpoint) => Object.hasOwn(captured, endpoint),
    standing: () => standing.map((row) => ({ ...row, deployment: `v${row.version}`, isReady: true })),
  }));
}

const idle = { model: 'fraud', firing: 0, approvals: 0 };

/** The lines of a family, without what begins with `#`. */
const of = (text: string, name: string): readonly string[] =>
  text.split('\n').filter((line) => line.startsWith(name) && /^[_a-z]*(\{|\s)/.test(line.slice(name.length)));

describe('the metrics of a server', () => {
  test.each([
    [true, 'serin_entries', 'serin_champion', 'info', /# EOF\n$/],
    [false, 'serin_entries_total', 'serin_champion_info', 'gauge', /serin_resident_memory_bytes \d+\n$/],
  ])(
    'have a help and a type each, under the name that its format wants (OpenMetrics: %s)',
    async (isOpen, entries, champion, info, end) => {
      const metrics = metricsOf({ models: [{ ...idle, champion: 7 }] });
      metrics.appended(entry);
      metrics.fault();

      const text = await metrics.text(isOpen);

      expect(text).toContain(`# TYPE ${entries} counter\n`);
      expect(text).toContain('serin_entries_total{signal="dataHinted"} 1\n');
      expect(text).toContain('serin_events_total{type="dev.serin.run.started.v1"} 1\n');
      expect(text).toContain('serin_faults_total 1\n');
      expect(text).toContain(`# TYPE ${champion} ${info}\nserin_champion_info{model="fraud",version="7"} 1\n`);
      expect(text).toContain('serin_build_info{version="1.2.3"} 1\n');
      expect(text).toMatch(end);
      const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
      expect([...text.matchAll(/^# HELP (\S+)/gm)].map(([, name]) => name)).toEqual(names);
      expect(new Set(names).size).toBe(names.length);
    },
  );

  test('say units only where they are asked for, under names that end in them', async () => {
    const metrics = metricsOf({});

    const units = [...(await metrics.text(true)).matchAll(/^# UNIT (\S+) (\S+)$/gm)];

    expect(units.length).toBeGreaterThan(4);
    for (const [, name = '', unit] of units) expect(name.endsWith(`_${unit}`)).toBe(true);
    expect(await metrics.text(false)).not.toContain('# UNIT');
  });

  test('tell of each version that stands its share, its requests, its errors and its latencies', async () => {
    const tally = newTally();
    for (const ms of [1, 2.5, 2.6, 700, 40_000]) tally.add(ms, ms === 700);
    const metrics = metricsOf({
      tallies: { 'fraud v7': tally },
      standing: [{ endpoint: 'fraud', version: 7, weight: 25 }],
    });

    const text = await metrics.text(false);

    const labels = 'model="fraud",version="7"';
    expect(of(text, 'serin_requests')).toEqual([`serin_requests_total{${labels}} 5`]);
    expect(of(text, 'serin_request_errors')).toEqual([`serin_request_errors_total{${labels}} 1`]);
    expect(of(text, 'serin_deployment_weight')).toEqual([`serin_deployment_weight_ratio{${labels}} 0.25`]);
    expect(of(text, 'serin_deployment_ready')).toEqual([`serin_deployment_ready{${labels}} 1`]);
    const buckets = of(text, 'serin_request_duration_seconds').map((line) => line.replace(`{${labels}`, '{'));
    expect(buckets).toContain('serin_request_duration_seconds_bucket{,le="0.0025"} 2');
    expect(buckets).toContain('serin_request_duration_seconds_bucket{,le="0.005"} 3');
    expect(buckets).toContain('serin_request_duration_seconds_bucket{,le="1.0"} 4');
    expect(buckets).toContain('serin_request_duration_seconds_bucket{,le="30.0"} 4');
    expect(buckets.slice(-3)).toEqual([
      'serin_request_duration_seconds_bucket{,le="+Inf"} 5',
      'serin_request_duration_seconds_sum{} 40.7061',
      'serin_request_duration_seconds_count{} 5',
    ]);
  });

  test('tell nothing of a version that does not stand any more, nor of a model that is not there', async () => {
    const metrics = metricsOf({
      tallies: { 'fraud v6': newTally() },
      standing: [{ endpoint: 'fraud', version: 7, weight: 100 }],
    });
    metrics.predicted('fraud', 'v2');
    metrics.predicted('gone', 'v2');

    const text = await metrics.text(false);

    expect(text).not.toContain('version="6"');
    expect(of(text, 'serin_predictions')).toEqual(['serin_predictions_total{model="fraud",protocol="v2"} 1']);
  });

  test('tell of captured requests how many there are, and only where they are captured', async () => {
    const standing = ['fraud', 'quiet'].map((endpoint) => ({ endpoint, version: 7, weight: 100 }));
    const ends = { kept: 5, unread: 4, tooLarge: 3, busy: 2, full: 1 };
    const text = await metricsOf({ standing, captured: { fraud: { ends, bytes: 700 } } }).text(false);

    expect(of(text, 'serin_captures')).toEqual(
      Object.entries(ends).map(([end, count]) => `serin_captures_total{model="fraud",end="${end}"} ${count}`),
    );
    expect(of(text, 'serin_captured_bytes')).toEqual(['serin_captured_bytes{model="fraud"} 700']);
  });

  test('tell what a model waits for, and for how long', async () => {
    const busy: ModelGauge = {
      ...{ ...idle, run: 'training', rollout: { status: 'baking', candidate: 8 } },
      ...{ firing: 2, approvals: 1, dataSince: now - 90_000, owesSince: now - 1500 },
    };
    const text = await metricsOf({ models: [busy, { ...idle, model: 'quiet' }], deadLetters: 3 }).text(false);

    const lines = (name: string) => of(text, name).map((line) => line.slice(name.length));
    expect(lines('serin_rollout_state')).toEqual(['{model="fraud",candidate="8",state="baking"} 1']);
    expect(lines('serin_runs')).toEqual(['{state="training"} 1']);
    expect(lines('serin_alerts_firing')).toEqual(['{model="fraud"} 2', '{model="quiet"} 0']);
    expect(lines('serin_approvals_waiting')).toEqual(['{model="fraud"} 1', '{model="quiet"} 0']);
    expect(lines('serin_data_waiting_seconds')).toEqual(['{model="fraud"} 90', '{model="quiet"} 0']);
    expect(lines('serin_oldest_debt_seconds')).toEqual(['{model="fraud"} 1.5', '{model="quiet"} 0']);
    expect(lines('serin_dead_letters')).toEqual([' 3']);
  });

  test('tell of drift what the last window came to, and only where it is looked for', async () => {
    const models: readonly ModelGauge[] = [
      { ...idle, drift: { isOpen: true, last: { evidence: 900, size: 0.25 } } },
      { ...idle, model: 'new', drift: { isOpen: false } },
      { ...idle, model: 'quiet' },
    ];
    const text = await metricsOf({ models }).text(false);

    expect(of(text, 'serin_drift_evidence')).toEqual(['serin_drift_evidence{model="fraud"} 900']);
    expect(of(text, 'serin_drift_size_ratio')).toEqual(['serin_drift_size_ratio{model="fraud"} 0.25']);
    expect(of(text, 'serin_drift_open')).toEqual([
      'serin_drift_open{model="fraud"} 1',
      'serin_drift_open{model="new"} 0',
    ]);
    expect(of(text, 'serin_performance_estimate_ratio')).toEqual([]);
  });

  test('tell what is expected without labels by a name that says so, and only what is known of it', async () => {
    const last = { evidence: 1, size: 0.01 };
    const models: readonly ModelGauge[] = [
      {
        ...idle,
        drift: { isOpen: false, last: { ...last, estimate: { accuracy: 0.9, precision: 0.75, recall: 0.5 } } },
      },
      { ...idle, model: 'rare', drift: { isOpen: false, last: { ...last, estimate: { accuracy: 0.99 } } } },
      { ...idle, model: 'unknown', drift: { isOpen: false, last } },
    ];
    const text = await metricsOf({ models }).text(false);

    expect(of(text, 'serin_performance_estimate_ratio')).toEqual([
      'serin_performance_estimate_ratio{model="fraud",measure="accuracy"} 0.9',
      'serin_performance_estimate_ratio{model="fraud",measure="precision"} 0.75',
      'serin_performance_estimate_ratio{model="fraud",measure="recall"} 0.5',
      'serin_performance_estimate_ratio{model="rare",measure="accuracy"} 0.99',
    ]);
  });

  test('tell of labels what was lost, from where on it is worse, and whether it is', async () => {
    const models: readonly ModelGauge[] = [
      { ...idle, performance: { isOpen: true, limit: 0.1, last: { loss: 0.25, evidence: 900 } } },
      { ...idle, model: 'new', performance: { isOpen: false } },
      { ...idle, model: 'quiet' },
    ];
    const text = await metricsOf({ models }).text(false);

    expect(of(text, 'serin_performance_loss_ratio')).toEqual(['serin_performance_loss_ratio{model="fraud"} 0.25']);
    expect(of(text, 'serin_performance_limit_ratio')).toEqual(['serin_performance_limit_ratio{model="fraud"} 0.1']);
    expect(of(text, 'serin_performance_evidence')).toEqual(['serin_performance_evidence{model="fraud"} 900']);
    expect(of(text, 'serin_performance_open')).toEqual([
      'serin_performance_open{model="fraud"} 1',
      'serin_performance_open{model="new"} 0',
    ]);
  });

  test('tell of a class or of numbers what the last window of labels says, and nothing where it says too little', async () => {
    const last = { loss: 0.1 };
    const models: readonly ModelGauge[] = [
      { ...idle, performance: { isOpen: false, last: { ...last, precision: 0.8, recall: 0.7 } } },
      { ...idle, model: 'never', performance: { isOpen: false, last: { ...last, recall: 0 } } },
      { ...idle, model: 'price', performance: { isOpen: false, last: { ...last, mae: 12.5, rmse: 20 } } },
      { ...idle, model: 'rare', performance: { isOpen: false, last } },
    ];
    const text = await metricsOf({ models }).text(false);

    const sample = (name: string) => of(text, `serin_performance_${name}`);
    expect(sample('precision_ratio')).toEqual(['serin_performance_precision_ratio{model="fraud"} 0.8']);
    expect(sample('recall_ratio')).toEqual([
      'serin_performance_recall_ratio{model="fraud"} 0.7',
      'serin_performance_recall_ratio{model="never"} 0',
    ]);
    expect(sample('mae')).toEqual(['serin_performance_mae{model="price"} 12.5']);
    expect(sample('rmse')).toEqual(['serin_performance_rmse{model="price"} 20']);
  });

  test('write a name that is hostile as one label', async () => {
    const model = 'a"} 1\n# EOF\nserin_faults_total 99\\ <b> \u202e\ud800';

    const text = await metricsOf({ models: [{ ...idle, model }] }).text(false);

    expect(of(text, 'serin_alerts_firing')).toEqual([
      'serin_alerts_firing{model="a\\"} 1\\n# EOF\\nserin_faults_total 99\\\\ <b> \u202e\ufffd"} 0',
    ]);
    expect(of(text, 'serin_faults_total')).toEqual(['serin_faults_total 0']);
  });
});
