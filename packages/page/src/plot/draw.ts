import { type Box, type Placed, placed, rounded, widthOf, xTicks, yTicks } from './scale.ts';
import { drawn, escaped, fitting, thresholdsOf } from './shapes.ts';
import type { Plot, Row, SpansPlot, StripPlot, XyPlot } from './spec.ts';
import { type Tick, timeTicks } from './ticks.ts';

/** How wide a plot is until a browser has measured its place. */
const usualWidth = 640;

const axisHeight = 22;
const rowHeight = 30;

const labelHeight = 22;
/** Between two rows of a strip. */
const gap = 16;

/** A plot as SVG for a place of so many pixels, with text of 12 px at any width. The text is safe to put into a page. */
export function drawPlot(plot: Plot, width: number = usualWidth): string {
  switch (plot.kind) {
    case 'xy':
      return drawRows(
        plot,
        { rows: [{ ...plot, height: (plot.height ?? 220) - axisHeight }], zones: [], zoned: '' },
        width,
      );
    case 'strip':
      return drawRows(plot, plot, width);
    case 'spans':
      return drawSpans(plot, width);
  }
}

/** Rows one below the other over one lower axis. The height of a row includes the line that names its unit. */
function drawRows(
  plot: XyPlot | StripPlot,
  { rows, zones, zoned }: Pick<StripPlot, 'rows' | 'zones' | 'zoned'>,
  width: number,
): string {
  const head = zones.length === 0 ? 0 : labelHeight - 4;
  const all = rows.map((row) => ({ row, ticks: yTicks(row, row.height - labelHeight) }));
  const widest = Math.max(...all.flatMap(({ ticks }) => ticks.map(({ text }) => widthOf(text))));
  const [left, right] = [widest + 8, width - 12];
  let top = head;
  const drawnRows = all.map(({ row, ticks }) => {
    const box = { left, right, top: top + labelHeight, bottom: top + row.height };
    top = box.bottom + gap;
    return {
      box,
      svg: rowOf(row, ticks, placed({ x: plot.x, y: row.y }, ticks, box), { width, isKeyed: zones.length > 0 }),
    };
  });
  const bottom = top - gap;
  const box: Box = { left, right, top: head, bottom };
  const at = placed({ x: plot.x, y: rows[0]?.y ?? noScale }, [], box);
  const names = xTicks(plot.x, right - left).map(({ at: value, text }) => xLabel(at.x(value), text, box, width));
  const shades = zones.map((zone, index) => zoneOf(zone, index, at));
  const name = zones.length === 0 ? [] : [`<text x="0" y="12">${escaped(fitting(zoned, left))}</text>`];
  const parts = [...name, ...shades, ...drawnRows.map(({ svg }) => svg), ...names];
  return framed(plot, box, { width, height: bottom + axisHeight }, parts);
}

const noScale = { label: '', kind: 'linear', format: 'number' } as const;

/** `isKeyed`: its layers are named beside its unit, in their colours, and not in a legend. */
function rowOf(
  { y, layers }: Row,
  ticks: readonly Tick[],
  at: Placed,
  { width, isKeyed }: { readonly width: number; readonly isKeyed: boolean },
): string {
  const { left, right, top } = at.box;
  const lines = ticks.map(
    ({ at: value, text }) =>
      `<path class="grid" d="M${left} ${at.y(value)}H${right}"/><text x="${left - 6}" y="${at.y(value) + 4}" text-anchor="end">${escaped(text)}</text>`,
  );
  const named = layers.filter(({ kind }) => kind !== 'threshold');
  const keyed = isKeyed && named.length > 1 ? named : [];
  const keys = keyed.map(({ name, tone }) => `<tspan class="${tone}" dx="10">${escaped(name)}</tspan>`);
  // The names tell more than the unit does.
  const room = Math.max(80, width - keyed.reduce((sum, { name }) => sum + widthOf(name) + 10, 0));
  const unit = `<text x="${0}" y="${top - 10}">${escaped(fitting(y.label, room))}${keys.join('')}</text>`;
  const drawnLayers = layers.map((layer) => (layer.kind === 'threshold' ? '' : drawn(layer, at)));
  return [unit, ...lines, ...drawnLayers, thresholdsOf(layers, at)].join('');
}

/** Named where there is room. */
function zoneOf({ from, to, text }: StripPlot['zones'][number], index: number, at: Placed): string {
  const [left, right] = [at.x(from), at.x(to)];
  const { top, bottom } = at.box;
  const shade =
    index % 2 === 0
      ? ''
      : `<rect class="zone" x="${left}" y="${top}" width="${rounded(right - left)}" height="${bottom - top}"/>`;
  const label =
    widthOf(text) > right - left
      ? ''
      : `<text x="${rounded((left + right) / 2)}" y="12" text-anchor="middle">${escaped(text)}</text>`;
  return `<g><title>${escaped(text)}</title>${shade}${label}</g>`;
}

/** A mark of the lower axis; the outermost labels stay inside. */
function xLabel(x: number, text: string, { bottom }: Box, width: number): string {
  const half = widthOf(text) / 2;
  const middle = Math.min(Math.max(x, half), width - half);
  return `<path class="grid" d="M${x} ${bottom}v4"/><text x="${rounded(middle)}" y="${bottom + 17}" text-anchor="middle">${escaped(text)}</text>`;
}

function drawSpans(plot: SpansPlot, width: number): string {
  const { rows, from, to } = plot;
  const widest = Math.min(Math.max(...rows.map(({ name }) => widthOf(name)), 0), width / 3);
  const box: Box = { left: Math.ceil(widest) + 10, right: width - 8, top: 4, bottom: 4 + rows.length * rowHeight };
  const x = (time: number) =>
    rounded(box.left + (Math.min(Math.max(time - from, 0), to - from) / (to - from || 1)) * (box.right - box.left));
  const marks = timeTicks(from, to, Math.max(2, Math.floor((box.right - box.left) / 90))).map(
    ({ at, text }) => `<path class="grid" d="M${x(at)} ${box.top}V${box.bottom}"/>${xLabel(x(at), text, box, width)}`,
  );
  const bars = rows.map(({ name, spans }, index) => {
    const y = box.top + index * rowHeight;
    const label = `<text x="${box.left - 8}" y="${y + 19}" text-anchor="end">${escaped(fitting(name, widest))}</text>`;
    return label + spans.map((span) => bar(span, x(span.from), x(span.to), y)).join('');
  });
  return framed(plot, box, { width, height: box.bottom + axisHeight }, [...marks, ...bars]);
}

function bar({ text, tone }: SpansPlot['rows'][number]['spans'][number], from: number, to: number, y: number): string {
  const wide = rounded(Math.max(to - from, 3));
  const shown = wide > 24 ? fitting(text, wide - 8) : '';
  const label = shown.length < 2 ? '' : `<text class="on" x="${from + 4}" y="${y + 19}">${escaped(shown)}</text>`;
  return `<g><title>${escaped(text)}</title><rect class="bar ${tone}" x="${from}" y="${y + 3}" width="${wide}" height="${rowHeight - 6}" rx="3"/>${label}</g>`;
}

function framed(
  { id, title, description }: Plot,
  { left, right }: Box,
  { width, height }: { readonly width: number; readonly height: number },
  parts: readonly string[],
): string {
  const [named, told] = [`${escaped(id)}-title`, `${escaped(id)}-told`];
  return `<svg role="img" aria-labelledby="${named} ${told}" data-left="${left}" data-right="${right}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><title id="${named}">${escaped(title)}</title><desc id="${told}">${escaped(description)}</desc>${parts.join('')}</svg>`;
}
