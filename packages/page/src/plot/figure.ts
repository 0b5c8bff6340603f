import { durationText } from '@serin/core/base/time';
import { html, raw } from 'hono/html';
import type { Html } from '../views.ts';
import { drawPlot } from './draw.ts';
import { clockText, xText } from './readout.ts';
import { drawn } from './shapes.ts';
import type { Format, Layer, Plot, SpansPlot, XyPlot } from './spec.ts';
import { valueText } from './ticks.ts';

/** Nobody reads more rows. */
const mostRows = 40;

/** A plot with its legend, and its numbers as a table. The browser draws it again at the width that it has there. */
export function figure(plot: Plot): Html {
  // Each text in what `drawPlot` answers is escaped by it.
  return html`<figure class="plot" id="${plot.id}" data-plot="${JSON.stringify(plot)}">
<figcaption>${plot.title} <span class="readout" data-own aria-hidden="true"></span></figcaption>
<div class="plot-box" data-own>${raw(drawPlot(plot))}</div>
${plot.kind === 'xy' ? legend(plot) : ''}
<details><summary>Numbers<span class="unseen"> of “${plot.title}”</span></summary><div class="scroll" tabindex="0" role="group" aria-label="Numbers of “${plot.title}”">${tablesOf(plot)}</div></details>
</figure>`;
}

function tablesOf(plot: Plot): Html | readonly Html[] {
  if (plot.kind === 'spans') return spansTable(plot);
  return plot.kind === 'xy' ? valuesTable(plot) : plot.rows.map((row) => valuesTable({ ...row, x: plot.x }));
}

function legend({ layers }: XyPlot): Html | '' {
  const named = layers.filter((layer) => layer.kind !== 'threshold');
  if (named.length < 2) return '';
  return html`<ul class="legend">${named.map((layer) => html`<li>${raw(keyOf(layer))} ${layer.name}</li>`)}</ul>`;
}

/** A small sample of how a layer is drawn. */
function keyOf(layer: Exclude<Layer, { kind: 'threshold' }>): string {
  const at = { x: (x: number) => x, y: (y: number) => y, box: { left: 0, right: 24, top: 0, bottom: 16 } };
  const sample = {
    line: { ...layer, points: [0, 24].map((x) => [x, 8] as const), steps: false },
    band: { ...layer, points: [0, 24].map((x) => [x, 13, 3] as const) },
    marks: { ...layer, points: [[12, 8] as const] },
  }[layer.kind] as typeof layer; // each has the points of its kind
  return `<svg aria-hidden="true" width="24" height="16">${drawn(sample, at)}</svg>`;
}

function valuesTable({ x, y, layers }: Pick<XyPlot, 'x' | 'y' | 'layers'>): Html {
  const columns = layers.flatMap((layer) => columnsOf(layer, y.format));
  const all = [...new Set(columns.flatMap(({ values }) => [...values.keys()]))].sort((a, b) => a - b);
  const every = Math.ceil(all.length / mostRows);
  const shown = all.filter((_, index) => index % every === 0 || index === all.length - 1);
  return html`<table><caption>${y.label}${every > 1 ? `; one row in ${every} of ${all.length}` : ''}</caption>
<thead><tr><th scope="col">${{ time: 'Time (UTC)', count: 'Step', number: 'Value', names: '' }[x.kind]}</th>${columns.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${shown.map((value) => html`<tr><th scope="row">${xText(x, value)}</th>${columns.map(({ name, values }) => html`<td data-label="${name}">${values.get(value) ?? ''}</td>`)}</tr>`)}</tbody></table>`;
}

interface Column {
  readonly name: string;
  readonly values: ReadonlyMap<number, string>;
}

function columnsOf(layer: Layer, format: Format): readonly Column[] {
  const textOf = (value: number | null, open: string) => (value === null ? open : valueText(value, format));
  if (layer.kind === 'threshold') return [];
  if (layer.kind !== 'band')
    return [{ name: layer.name, values: new Map(layer.points.map(([x, y]) => [x, textOf(y, '')])) }];
  return [
    { name: `${layer.name}, from`, values: new Map(layer.points.map(([x, low]) => [x, textOf(low, 'open')])) },
    { name: `${layer.name}, to`, values: new Map(layer.points.map(([x, , high]) => [x, textOf(high, 'open')])) },
  ];
}

function spansTable({ rows }: SpansPlot): Html {
  const all = rows.flatMap(({ name, spans }) => spans.map((span) => ({ name, ...span })));
  return html`<table><thead><tr><th scope="col">What</th><th scope="col"></th><th scope="col">From (UTC)</th><th scope="col">For</th></tr></thead>
<tbody>${all.map(({ name, text, from, to }) => html`<tr><th scope="row">${name}</th><td data-label="">${text}</td><td data-label="From (UTC)">${clockText(from)}</td><td data-label="For">${durationText(to - from)}</td></tr>`)}</tbody></table>`;
}
