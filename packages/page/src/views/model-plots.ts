import { durationText } from '@serin/core/base/time';
import { championScoreOf, scoreOf } from '@serin/core/model/compare';
import type { Layer, Plot, Point, Span, SpansPlot, Tone, XyPlot } from '../plot/spec.ts';
import type { Criterion, VersionDoc } from './things.ts';

/** The plots of one model. */

/** Hold-out scores by version, with what the gate wants. Versions that it refused are crosses. */
export function metricPlot(metric: string, rule: Criterion | undefined, versions: readonly VersionDoc[]): XyPlot {
  const ordered = [...versions].sort((a, b) => a.number - b.number);
  const points = (read: (version: VersionDoc) => number | undefined): readonly Point[] =>
    ordered.flatMap((version, index): readonly Point[] => {
      const value = read(version);
      return value === undefined ? [] : [[index, value]];
    });
  const refused = ({ verdict }: VersionDoc) => verdict?.passed === false;
  const served = points((version) => (refused(version) ? undefined : scoreOf(version, metric)));
  const crosses = points((version) => (refused(version) ? scoreOf(version, metric) : undefined));
  const rivals = points((version) => championScoreOf(version, metric));
  return {
    ...{ kind: 'xy', id: `metric-${metric}`, title: `${metric} by version`, height: 240 },
    description: `Each version as its own run measured it on its hold-out: ${ordered.map((version) => `v${version.number} ${scoreOf(version, metric) ?? 'not measured'}${refused(version) ? ' (refused)' : ''}`).join(', ')}.`,
    x: { kind: 'names', names: ordered.map(({ number }) => `v${number}`) },
    y: {
      label: `${metric} (${rule?.direction === 'down' ? 'less' : 'more'} is better)`,
      kind: 'linear',
      format: 'number',
    },
    layers: [
      ...boundsOf(rule),
      ...marks('the champion then, on the same hold-out', 'quiet', 'ring', rivals),
      ...marks('passed the gate', 'champion', 'disc', served),
      ...marks('refused by the gate', 'bad', 'cross', crosses),
    ],
  };
}

const marks = (
  name: string,
  tone: Tone,
  mark: 'disc' | 'cross' | 'ring',
  points: readonly Point[],
): readonly Layer[] => (points.length === 0 ? [] : [{ kind: 'marks', name, tone, mark, points }]);

const boundsOf = (rule: Criterion | undefined): readonly Layer[] => [
  ...(rule?.atLeast === undefined ? [] : [threshold(`gate: at least ${rule.atLeast}`, rule.atLeast)]),
  ...(rule?.atMost === undefined ? [] : [threshold(`gate: at most ${rule.atMost}`, rule.atMost)]),
];

const threshold = (name: string, y: number): Layer => ({ kind: 'threshold', name, tone: 'warn', y });

export interface Window {
  readonly from: number;
  readonly to: number;
}

export interface Served {
  readonly at: string;
  readonly version?: number;
  readonly because: string;
}

/** A row of `GET /v1/rollouts`. */
export interface RolloutRow {
  readonly id: string;
  readonly status: string;
  readonly version?: number;
  readonly startedAt: string;
  readonly endedAt?: string;
}

const cycle: readonly Tone[] = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5'];
const toneOf = (version: number | undefined): Tone => cycle[(version ?? 0) % cycle.length] ?? 'c0';

/** What served when, and which candidates were tried. `served`: the newest first. */
export function servedPlot(
  { from, to }: Window,
  served: readonly Served[],
  rollouts: readonly RolloutRow[],
): SpansPlot {
  const champions = served.map(
    ({ at, version }, index): Span => ({
      from: Date.parse(at),
      to: index === 0 ? to : Date.parse(served[index - 1]?.at ?? at),
      text: version === undefined ? 'nothing' : `v${version}`,
      tone: version === undefined ? 'quiet' : toneOf(version),
    }),
  );
  const tried = rollouts.map(({ version, status, startedAt, endedAt }): Span => {
    const harmless = status === 'promoted' ? 'good' : 'bad';
    return {
      from: Date.parse(startedAt),
      to: endedAt === undefined ? to : Date.parse(endedAt),
      text: `v${version ?? 0} ${status === 'rolledBack' ? 'rolled back' : status}`,
      tone: endedAt === undefined ? 'candidate' : harmless,
    };
  });
  const within = (spans: readonly Span[]) =>
    spans
      .filter((span) => span.to > from && span.from < to)
      .map((span) => ({ ...span, from: Math.max(from, span.from), to: Math.min(to, span.to) }))
      .sort((a, b) => a.from - b.from);
  const now = champions[0]?.text ?? 'nothing';
  return {
    ...{ kind: 'spans', id: 'served', title: 'What served when', from, to },
    description: `${now} serves now. In this time ${within(champions).length} champions and ${within(tried).length} rollouts.`,
    rows: [
      { name: 'champion', spans: within(champions) },
      { name: 'rollout', spans: within(tried) },
    ],
  };
}

/** `GET /v1/models/{model}/traffic` */
export interface Traffic {
  readonly from: string;
  readonly to: string;
  readonly tickMs: number;
  readonly latency?: { readonly p50: number; readonly p90: number; readonly p99: number; readonly requests: number };
  readonly slowMs?: number;
  readonly ticks: readonly {
    readonly at: string;
    readonly unserved?: boolean;
    readonly deployments: Readonly<Record<string, Counted>>;
  }[];
  readonly because?: string;
}
interface Counted {
  readonly requests: number;
  readonly errors: number;
  readonly slow?: number;
}

/** Lines beyond these only hide each other. */
const mostDeployments = 6;

/** Requests, failures and slow answers by version; empty where there were none. */
export function trafficPlots(window: Window, { ticks, tickMs, slowMs }: Traffic): readonly Plot[] {
  const names = [...new Set(ticks.flatMap(({ deployments }) => Object.keys(deployments)))]
    .sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)))
    .slice(0, mostDeployments);
  if (names.length === 0) return [];
  const lines = (read: (counted: Counted) => number | undefined): readonly Layer[] =>
    names.map((name, index) => ({
      ...{ kind: 'line', name, tone: toneOf(Number(name.slice(1))) },
      // A step holds until the next, so that a single tick is seen as well.
      points: ticks.flatMap(({ at, deployments }): readonly Point[] => {
        const counted = deployments[name];
        const value = counted === undefined ? null : (read(counted) ?? null);
        return [
          [Date.parse(at), value],
          [Date.parse(at) + tickMs, value],
        ];
      }),
      ...(index > 0 ? { dashed: true } : {}),
    }));
  const plot = (id: string, title: string, y: XyPlot['y'], layers: readonly Layer[]): XyPlot => ({
    ...{ kind: 'xy', id, title, height: 200, y, layers },
    description: `By version, every ${durationText(tickMs)}: ${names.join(', ')}.`,
    x: { kind: 'time', ...window },
  });
  const share = (part: number | undefined, of: number) => (of === 0 || part === undefined ? undefined : part / of);
  const isSlowCounted = ticks.some(({ deployments }) =>
    Object.values(deployments).some(({ slow }) => slow !== undefined),
  );
  return [
    plot(
      'requests',
      'Requests',
      { label: `requests each ${durationText(tickMs)}`, kind: 'linear', format: 'count', from: 0 },
      lines(({ requests }) => requests),
    ),
    plot(
      'errors',
      'Failed requests',
      { label: 'share of the requests that failed', kind: 'linear', format: 'percent', from: 0, to: 0.01 },
      lines(({ errors, requests }) => share(errors, requests)),
    ),
    ...(isSlowCounted && slowMs !== undefined
      ? [
          plot(
            'slow',
            'Slow answers',
            {
              label: `share slower than ${Number(slowMs.toPrecision(3))} ms, the p90 of all`,
              kind: 'linear',
              format: 'percent',
              from: 0,
              to: 0.2,
            },
            lines(({ slow, requests }) => share(slow, requests)),
          ),
        ]
      : []),
  ];
}
