import { oddsText } from '@serin/core/base/numbers';
import type { EvidenceSeries } from '@serin/core/model/rollout/series';
import { html } from 'hono/html';
import { figure } from '../plot/figure.ts';
import type { Axis, Layer, Point, Row, Scale, StripPlot, Tone, XyPlot } from '../plot/spec.ts';
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
const mostRatios = 8;
const tones: readonly Tone[] = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5'];
const toneAt = (index: number): Tone => tones[index % tones.length] ?? 'c0';

/** What the evidence said over time: each plot that has something to show. */
export function rolloutPlots(drawn: Drawn): Html {
  const { points } = drawn.evidence;
  const isJudged = points.length > 0 && drawn.stable !== undefined;
  const counted = points.length === 0 ? [] : [countsPlot(drawn)];
  const plots = [isJudged ? certificateStrip(drawn) : weightPlot(drawn), ...counted];
  return html`<div class="plots">${plots.map(figure)}</div>
${points.length === 0 ? html`<p>There is no evidence yet: no tick with requests has been read.</p>` : ''}`;
}

const axisOf = ({ from, to }: Drawn): Axis => ({ kind: 'time', from, to: Math.max(to, from + 1000) });

/** `begin`: what it was when nothing was known. */
function pointsOf(
  { evidence, from }: Drawn,
  read: (point: EvidencePoint) => number | null | undefined,
  begin: number | null = 0,
): readonly Point[] {
  const known = kept(evidence.points).map((point): Point => [Date.parse(point.at), rounded(read(point))]);
  return begin === null ? known : [[from, begin], ...known];
}

/** More digits only make the page longer. */
const rounded = (value: number | null | undefined): number | null =>
  value === undefined || value === null ? null : Number(value.toPrecision(6));

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
const [wide, narrow] = [190, 110];

/** Shows all values and what is needed, but at most a thousand to one: nobody tells more apart. */
function oddsScale(label: string, needed: number, lines: readonly Layer[]): Scale {
  const values = lines.flatMap((layer) => (layer.kind === 'line' ? layer.points.flatMap(([, y]) => y ?? []) : []));
  const from = Math.max(-thousand, Math.min(-ten, ...values));
  const to = Math.max(needed, Math.min(thousand, Math.max(ten, ...values)));
  return { label, kind: 'odds', format: 'odds', from, to, cut: true };
}

/**
 * What a certificate rests on, over the steps: the evidence of harm and of safety in odds, then how the candidate
 * compares, stream by stream. Only the last step can show safety.
 */
export function certificateStrip(drawn: Drawn): StripPlot {
  const { alpha = 0.01, beta = 0.05, points } = drawn.evidence;
  const [harm, safety] = [Math.log(1 / alpha), Math.log(1 / beta)];
  const last = points.at(-1);
  return {
    ...{ kind: 'strip', id: 'evidence', title: 'Evidence, step by step' },
    description: `Evidence of harm is now ${oddsText(last?.logE ?? 0)}; traffic goes back at ${oddsText(harm)}. Evidence of safety is ${oddsText((last && leastSafe(last)) ?? 0)}; a promotion needs ${oddsText(safety)} in the last step. Below it is how many times as often something bad happens to the candidate as to the champion: at any time the band holds the ratio with a confidence of ${Number((100 * (1 - alpha)).toFixed(3))} %, if it is constant. What is beyond an axis is drawn at its edge.`,
    x: { kind: 'time', from: drawn.from, to: Math.max(drawn.to, drawn.from + 1000) },
    zoned: 'traffic',
    zones: zonesOf(drawn),
    rows: [familyRow(drawn, harm, safety), ...guardrailRows(drawn, safety), ...ratioRows(drawn)],
  };
}

function zonesOf({ evidence: { weights, points }, to }: Drawn): StripPlot['zones'] {
  return weights.map(({ at, weight }, index) => {
    const [from, end] = [Date.parse(at), Date.parse(weights[index + 1]?.at ?? '') || to];
    const isMirror = weight === 0 && points.some((point) => Date.parse(point.at) > from && Date.parse(point.at) <= end);
    return { from, to: Math.max(from, end), text: isMirror ? 'mirror' : `${weight} %` };
  });
}

function familyRow(drawn: Drawn, harm: number, safety: number): Row {
  const { weights, lastWeight } = drawn.evidence;
  const lastStep = weights.find(({ weight }) => weight === lastWeight)?.at;
  const lines = [
    line(
      'harm',
      'bad',
      pointsOf(drawn, ({ logE }) => logE),
    ),
    line('safety (the weakest)', 'good', pointsOf(drawn, leastSafe, null)),
  ].filter(hasValues);
  return {
    height: wide,
    y: oddsScale('evidence, as odds', Math.max(harm, safety), lines),
    layers: [
      threshold(`taken back at ${oddsText(harm)}`, 'bad', harm),
      ...(lastStep === undefined
        ? []
        : [threshold(`promoted at ${oddsText(safety)}`, 'good', safety, Date.parse(lastStep))]),
      ...lines,
    ],
  };
}

/** A promotion needs all of them. Before the last step none is counted. */
function leastSafe({ streams }: EvidencePoint): number | undefined {
  const logs = Object.values(streams).flatMap(({ logSafe }) => (logSafe === undefined ? [] : [logSafe]));
  return logs.length === 0 || logs.every((log) => log === 0) ? undefined : Math.min(...logs);
}

/** Guardrails share the evidence that takes traffic back; of safety each stream has its own. */
function guardrailRows(drawn: Drawn, needed: number): readonly Row[] {
  const { guardrails = [], points } = drawn.evidence;
  const promoting = Object.entries(points.at(-1)?.streams ?? {}).filter(([, { logSafe }]) => logSafe !== undefined);
  const harms = guardrails.map(({ name, alphaShare }, index) =>
    line(
      alphaShare === 0 ? `${name} (dry run, decides nothing)` : name,
      toneAt(index),
      pointsOf(drawn, (point) => point.guardrails[name]),
    ),
  );
  const safeties = promoting.map(([id], index) =>
    line(
      id,
      toneAt(index),
      pointsOf(drawn, ({ streams }) => streams[id]?.logSafe || null, null),
    ),
  );
  const isShown = promoting.length > 1 && safeties.some(hasValues);
  return [
    ...(guardrails.length > 1
      ? [{ name: 'harm', height: narrow, y: oddsScale('harm by guardrail', 0, harms), layers: harms }]
      : []),
    ...(isShown
      ? [
          {
            name: 'safety',
            height: narrow,
            y: oddsScale('safety in the last step', needed, safeties),
            layers: [threshold(`needed in each: ${oddsText(needed)}`, 'good', needed), ...safeties],
          },
        ]
      : []),
  ];
}

function ratioRows(drawn: Drawn): readonly Row[] {
  const { guardrails = [], points } = drawn.evidence;
  const counted = guardrails.flatMap(({ streams, ...rule }) => streams.map((stream) => ({ ...stream, ...rule })));
  const lowest = (id: string): number => points.at(-1)?.streams[id]?.ratio.low ?? 0;
  const isWhole = (id: string): boolean => !id.includes('@');
  return counted
    .map((stream) => ({ ...stream, band: bandOf(kept(points), stream.id) }))
    .filter(({ band }) => band.length > 1)
    .toSorted(
      (a, b) => Number(isWhole(b.id)) - Number(isWhole(a.id)) || (isWhole(a.id) ? 0 : lowest(b.id) - lowest(a.id)),
    )
    .slice(0, mostRatios)
    .map((stream) => ({ ...stream, tolerated: toleratedAt(points.at(-1)?.streams[stream.id], stream.toleratedRatio) }))
    .map(({ id, events, tolerated, margin, band }, index) => ({
      name: 'ratio',
      height: narrow,
      y: ratioScale(`${events}: times the champion's`, band, margin),
      layers: [
        { kind: 'band', name: id, tone: 'accent', points: band },
        threshold(index > 0 ? `${tolerated}×` : `tolerated: ${tolerated}×`, 'bad', tolerated),
        threshold(index > 0 ? '' : `ruled out by a promotion: ${margin}×`, 'good', margin),
      ],
    }));
}

/** With what an arm's own noise adds, as known at the end. */
const toleratedAt = (stream: EvidencePoint['streams'][string] | undefined, toleratedRatio: number): number =>
  Number((stream?.tolerated ?? toleratedRatio).toPrecision(3));

type Band = Extract<Layer, { kind: 'band' }>['points'];

function bandOf(points: Evidence['points'], id: string): Band {
  return points.flatMap((point) => {
    const { low, high } = point.streams[id]?.ratio ?? { low: 0 };
    // An interval that says nothing yet would only hide the rest.
    if (low === 0 && high === undefined) return [];
    const [bottom, top] = [low > 0.01 ? low : null, high === undefined || high > 100 ? null : high];
    return [[Date.parse(point.at), rounded(bottom), rounded(top)] as const];
  });
}

/** Holds what is known at the end. The beginning, which is wide, is cut. */
function ratioScale(label: string, band: Band, margin: number): Scale {
  const [, low, high] = band.at(-1) ?? [0, null, null];
  const from = Math.min(0.5, low ?? 0.5);
  const to = Math.max(2, margin, high ?? (low ?? 0) * 2);
  return { label, kind: 'log', format: 'ratio', from, to, cut: true };
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
const threshold = (name: string, tone: Tone, y: number, from?: number): Layer => ({
  ...{ kind: 'threshold', name, tone, y },
  ...(from === undefined ? {} : { from }),
});
const line = (name: string, tone: Tone, points: readonly Point[], dashed = false): Layer => ({
  ...{ kind: 'line', name, tone, points },
  ...(dashed ? { dashed } : {}),
});
