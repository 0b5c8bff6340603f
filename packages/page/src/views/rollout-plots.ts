import { oddsText } from '@serin/core/base/numbers';
import type { EvidenceSeries } from '@serin/core/model/rollout/series';
import { html } from 'hono/html';
import { figure } from '../plot/figure.ts';
import type { Axis, Layer, Point, Scale, Tone, XyPlot } from '../plot/spec.ts';
import type { Html } from '../views.ts';

type Told<Part> = Omit<Part, 'at'> & { readonly at: string };
/** `GET /v1/rollouts/{id}/evidence` */
export type Evidence = Partial<Omit<EvidenceSeries, 'weights' | 'points'>> & {
  readonly weights: readonly Told<EvidenceSeries['weights'][number]>[];
  readonly points: readonly Told<EvidenceSeries['points'][number]>[];
};
type EvidencePoint = Evidence['points'][number];

export interface Drawn {
  readonly evidence: Evidence;
  readonly candidate: string;
  /** Absent: a first version, which is compared with nothing. */
  readonly stable?: string;
  readonly from: number;
  readonly to: number;
}

/** More points than pixels show nothing more. */
const mostPoints = 200;
const mostRatios = 4;
const tones: readonly Tone[] = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5'];
const toneAt = (index: number): Tone => tones[index % tones.length] ?? 'c0';

/** What the evidence said over time: each plot that has something to show. */
export function rolloutPlots(drawn: Drawn): Html {
  const { points } = drawn.evidence;
  const judged =
    points.length === 0 || drawn.stable === undefined ? [] : [evidencePlot(drawn), ...guardrailPlots(drawn)];
  const counted = points.length === 0 ? [] : [...ratioPlots(drawn), countsPlot(drawn)];
  return html`<div class="plots">${[weightPlot(drawn), ...judged, ...counted].map(figure)}</div>
${points.length === 0 ? html`<p>There is no evidence yet: no tick with requests has been read.</p>` : ''}`;
}

const axisOf = ({ from, to }: Drawn): Axis => ({ kind: 'time', from, to: Math.max(to, from + 1000) });

/** `begin`: what it was when nothing was known. */
function pointsOf(
  { evidence, from }: Drawn,
  read: (point: EvidencePoint) => number | null | undefined,
  begin: number | null = 0,
): readonly Point[] {
  const known = kept(evidence.points).map((point): Point => [Date.parse(point.at), read(point) ?? null]);
  return begin === null ? known : [[from, begin], ...known];
}

function kept(points: Evidence['points']): Evidence['points'] {
  const every = Math.ceil(points.length / mostPoints);
  return points.filter((_, index) => index % every === 0 || index === points.length - 1);
}

function weightPlot(drawn: Drawn): XyPlot {
  const { weights } = drawn.evidence;
  const steps: Point[] = weights.map(({ at, weight }) => [Date.parse(at), weight / 100]);
  const last = weights.at(-1);
  if (last !== undefined) steps.push([drawn.to, last.weight / 100]);
  return {
    ...{ kind: 'xy', id: 'weight', title: 'Traffic of the candidate', height: 150 },
    description: `${drawn.candidate} was meant to have ${weights.map(({ weight }) => `${weight} %`).join(', then ') || 'nothing'} of the traffic.`,
    x: axisOf(drawn),
    y: { label: `share of the traffic that ${drawn.candidate} has`, kind: 'linear', format: 'percent', from: 0, to: 1 },
    layers: [{ kind: 'line', name: drawn.candidate, tone: 'candidate', points: steps, steps: true }],
  };
}

const [ten, thousand] = [Math.log(10), Math.log(1000)];

/** Shows all values and what is needed, but at most a thousand to one: nobody tells more apart. */
function oddsScale(label: string, needed: number, lines: readonly Layer[]): Scale {
  const values = lines.flatMap((layer) => (layer.kind === 'line' ? layer.points.flatMap(([, y]) => y ?? []) : []));
  const from = Math.max(-thousand, Math.min(-ten, ...values));
  const to = Math.max(needed, Math.min(thousand, Math.max(ten, ...values)));
  return { label, kind: 'odds', format: 'odds', from, to, cut: true };
}

function evidencePlot(drawn: Drawn): XyPlot {
  const { alpha = 0.01, beta = 0.05, points } = drawn.evidence;
  const [harm, safety] = [Math.log(1 / alpha), Math.log(1 / beta)];
  const last = points.at(-1);
  const lines = [
    line(
      'of harm',
      'bad',
      pointsOf(drawn, ({ logE }) => logE),
    ),
    line('of safety (the weakest)', 'good', pointsOf(drawn, leastSafe, null), true),
  ].filter(hasValues);
  return {
    ...{ kind: 'xy', id: 'evidence', title: 'Evidence', height: 260 },
    description: `Evidence of harm is now ${oddsText(last?.logE ?? 0)}; traffic goes back at ${oddsText(harm)}. Evidence of safety is ${oddsText((last && leastSafe(last)) ?? 0)}; a promotion needs ${oddsText(safety)}. What is beyond the axis is drawn at its edge.`,
    x: axisOf(drawn),
    y: oddsScale('odds', Math.max(harm, safety), lines),
    layers: [
      threshold(`takes back at ${oddsText(harm)}`, 'bad', harm),
      threshold(`may promote at ${oddsText(safety)}`, 'good', safety),
      ...lines,
    ],
  };
}

/** A promotion needs all of them. Before the last step none is counted. */
function leastSafe({ streams }: EvidencePoint): number | undefined {
  const logs = Object.values(streams).flatMap(({ logSafe }) => (logSafe === undefined ? [] : [logSafe]));
  return logs.length === 0 || logs.every((log) => log === 0) ? undefined : Math.min(...logs);
}

function guardrailPlots(drawn: Drawn): readonly XyPlot[] {
  const { guardrails = [], beta = 0.05, points } = drawn.evidence;
  const needed = Math.log(1 / beta);
  const promoting = Object.entries(points.at(-1)?.streams ?? {}).filter(([, { logSafe }]) => logSafe !== undefined);
  const harms = guardrails.map(({ name, alphaShare }, index) =>
    line(
      alphaShare === 0 ? `${name} (dry run, decides nothing)` : name,
      toneAt(index),
      pointsOf(drawn, (point) => point.guardrails[name]),
      index > 0,
    ),
  );
  const safeties = promoting.map(([id], index) =>
    line(
      id,
      toneAt(index),
      pointsOf(drawn, ({ streams }) => streams[id]?.logSafe || null, null),
      index > 0,
    ),
  );
  const harm: XyPlot = {
    ...{ kind: 'xy', id: 'harm', title: 'Evidence of harm, by guardrail', height: 240 },
    description: 'Guardrails share the evidence that takes traffic back.',
    x: axisOf(drawn),
    y: oddsScale('odds', 0, harms),
    layers: harms,
  };
  const safety: XyPlot = {
    ...{ kind: 'xy', id: 'safety', title: 'Evidence of safety, by stream', height: 240 },
    description: `A promotion needs ${oddsText(needed)} in each of them, from requests of the last step.`,
    x: axisOf(drawn),
    y: oddsScale('odds', needed, safeties),
    layers: [threshold(`needed: ${oddsText(needed)}`, 'good', needed), ...safeties],
  };
  const isShown = promoting.length > 1 && safeties.some(hasValues);
  return [...(guardrails.length > 1 ? [harm] : []), ...(isShown ? [safety] : [])];
}

function ratioPlots(drawn: Drawn): readonly XyPlot[] {
  const { guardrails = [], points, alpha = 0.01 } = drawn.evidence;
  const counted = guardrails.flatMap(({ streams, ...rule }) => streams.map((stream) => ({ ...stream, ...rule })));
  return counted.slice(0, mostRatios).flatMap(({ id, events, toleratedRatio, margin }): readonly XyPlot[] => {
    const band = kept(points).flatMap((point) => {
      const { low, high } = point.streams[id]?.ratio ?? { low: 0 };
      // An interval that says nothing yet would only hide the rest.
      if (low === 0 && high === undefined) return [];
      return [[Date.parse(point.at), low > 0.01 ? low : null, high === undefined || high > 100 ? null : high] as const];
    });
    if (band.length < 2) return [];
    return [
      {
        ...{ kind: 'xy', id: `ratio-${id}`, title: `How the candidate compares: ${id}`, height: 200 },
        description: `The ratio of the shares of ${events}, candidate to champion: with a confidence of ${Number((100 * (1 - alpha)).toFixed(3))} % it is in the band, at every time together. Open where nothing bounds it.`,
        x: axisOf(drawn),
        y: { label: `${events}: candidate ÷ champion`, kind: 'log', format: 'ratio', from: 0.5, to: 2 },
        layers: [
          { kind: 'band', name: 'ratio', tone: 'accent', points: band },
          threshold(`as bad as tolerated: ${toleratedRatio}×`, 'bad', toleratedRatio),
          ...(margin === toleratedRatio
            ? []
            : [threshold(`ruled out before it is promoted: ${margin}×`, 'good', margin)]),
        ],
      },
    ];
  });
}

function countsPlot(drawn: Drawn): XyPlot {
  const { candidate, stable, evidence } = drawn;
  const last = evidence.points.at(-1);
  const arm = (name: string, tone: Tone, of: 'candidate' | 'stable'): readonly Layer[] => [
    line(
      `${name}: requests`,
      tone,
      pointsOf(drawn, (point) => point[of].requests),
    ),
    line(
      `${name}: failed`,
      tone,
      pointsOf(drawn, (point) => point[of].errors),
      true,
    ),
  ];
  return {
    ...{ kind: 'xy', id: 'counts', title: 'Requests since it began', height: 220 },
    description: `${candidate}: ${last?.candidate.requests ?? 0} requests, ${last?.candidate.errors ?? 0} failed.${stable === undefined ? '' : ` ${stable}: ${last?.stable.requests ?? 0} requests, ${last?.stable.errors ?? 0} failed.`}`,
    x: axisOf(drawn),
    y: { label: 'requests', kind: 'linear', format: 'count', from: 0 },
    layers: [
      ...arm(candidate, 'candidate', 'candidate'),
      ...(stable === undefined ? [] : arm(stable, 'champion', 'stable')),
    ],
  };
}

const hasValues = (layer: Layer): boolean => layer.kind === 'line' && layer.points.some(([, y]) => y !== null);
const threshold = (name: string, tone: Tone, y: number): Layer => ({ kind: 'threshold', name, tone, y });
const line = (name: string, tone: Tone, points: readonly Point[], dashed = false): Layer => ({
  ...{ kind: 'line', name, tone, points },
  ...(dashed ? { dashed } : {}),
});
