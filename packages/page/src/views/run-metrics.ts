import { own } from '@serin/core/base/objects';
import { html } from 'hono/html';
import { type Part, table } from '../parts.ts';
import { figure } from '../plot/figure.ts';
import type { Tone, XyPlot } from '../plot/spec.ts';
import { type RunDoc, valueText } from './things.ts';

/** `GET /v1/runs/{id}/metrics` */
export interface Logged {
  readonly job: string;
  readonly attempt: number;
  readonly name: string;
  readonly points: readonly { readonly step: number; readonly value: number }[];
}

const mostPlots = 8;
const tones: readonly Tone[] = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5'];

/** What changed while a job ran: a single value stands in the table. */
export function loggedPlots(metrics: readonly Logged[]): Part {
  const moving = metrics.filter(({ points }) => points.length > 1);
  if (moving.length === 0) return '';
  const names = [...new Set(moving.map(({ name }) => name))];
  const plots = names.slice(0, mostPlots).map((name): XyPlot => {
    const own = moving.filter((metric) => metric.name === name);
    const steps = own.flatMap(({ points }) => points.map(({ step }) => step));
    return {
      ...{ kind: 'xy', id: `logged-${name}`, title: name, height: 180 },
      description: `As the jobs logged it: ${own.map(({ job, points }) => `${points.length} values of ${job}, ${valueText(points[0]?.value)} to ${valueText(points.at(-1)?.value)}`).join('; ')}.`,
      x: { kind: 'count', from: Math.min(...steps), to: Math.max(...steps, Math.min(...steps) + 1) },
      y: { label: `${name} by step`, kind: 'linear', format: 'number' },
      layers: own.map(({ job, attempt, points }, index) => ({
        ...{ kind: 'line', name: attempt === 1 ? job : `${job}, attempt ${attempt}`, tone: tones[index % 6] ?? 'c0' },
        points: points.map(({ step, value }) => [step, value] as const),
      })),
    };
  });
  const more = names.length - plots.length;
  return html`<h3>While it ran</h3><div class="plots">${plots.map(figure)}</div>${more > 0 ? html`<p class="quiet">${more} more metrics are in the API.</p>` : ''}`;
}

interface Measured {
  readonly metric: string;
  readonly trained?: number | undefined;
  readonly scored?: number | undefined;
  readonly champion?: number | undefined;
}

export function metricsTable({ trained, scored = {}, championScore = {}, split, against, unread = {} }: RunDoc): Part {
  const before = trained?.metrics ?? {};
  const names = [...new Set([...Object.keys(scored), ...Object.keys(before)])];
  const notTaken = Object.entries(unread).flatMap(([step, each]) =>
    Object.entries(each).map(([name, because]) => html`<li>${name} of ${step}: ${because}</li>`),
  );
  const cut = Object.entries(split?.metrics ?? {}).map(([name, value]) => `${name} ${valueText(value)}`);
  return html`${table<Measured>('metrics-table', 'On the hold-out, and as the trainer measured them', {
    rows: names.map((metric) => ({
      metric,
      trained: own(before, metric),
      scored: own(scored, metric),
      champion: own(championScore, metric),
    })),
    empty: 'Nothing has been measured yet.',
    columns: [
      { name: 'Metric', show: ({ metric }) => metric },
      { name: 'Hold-out', show: (row) => valueText(row.scored) },
      { name: against === undefined ? 'Champion' : `Champion v${against}`, show: (row) => valueText(row.champion) },
      { name: 'Training', show: (row) => valueText(row.trained) },
    ],
  })}${cut.length === 0 ? '' : html`<p class="quiet">The hold-out: ${cut.join(', ')}</p>`}${notTaken.length === 0 ? '' : html`<p>Metrics that were not taken:</p><ul>${notTaken}</ul>`}`;
}
