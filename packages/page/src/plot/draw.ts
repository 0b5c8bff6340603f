import { type Box, placed, rounded, widthOf, xTicks, yTicks } from './scale.ts';
import { drawn, escaped, fitting, thresholdsOf } from './shapes.ts';
import type { Plot, SpansPlot, XyPlot } from './spec.ts';
import { timeTicks } from './ticks.ts';

/** How wide a plot is until a browser has measured its place. */
const usualWidth = 640;

const axisHeight = 22;
const rowHeight = 30;

/** A plot as SVG for a place of so many pixels, with text of 12 px at any width. The text is safe to put into a page. */
export function drawPlot(plot: Plot, width: number = usualWidth): string {
  return plot.kind === 'xy' ? drawXy(plot, width) : drawSpans(plot, width);
}

function drawXy(plot: XyPlot, width: number): string {
  const { height = 220 } = plot;
  const [top, bottom] = [22, height - axisHeight];
  const values = yTicks(plot, bottom - top);
  const box: Box = { left: Math.max(...values.map(({ text }) => widthOf(text))) + 8, right: width - 12, top, bottom };
  const at = placed(plot, values, box);
  const lines = values.map(
    ({ at: value, text }) =>
      `<path class="grid" d="M${box.left} ${at.y(value)}H${box.right}"/><text x="${box.left - 6}" y="${at.y(value) + 4}" text-anchor="end">${escaped(text)}</text>`,
  );
  const names = xTicks(plot.x, box.right - box.left).map(({ at: value, text }) =>
    xLabel(at.x(value), text, box, width),
  );
  const layers = plot.layers.map((layer) => (layer.kind === 'threshold' ? '' : drawn(layer, at)));
  const unit = `<text x="${0}" y="12">${escaped(fitting(plot.y.label, width))}</text>`;
  return framed(plot, box, { width, height }, [unit, ...lines, ...names, ...layers, thresholdsOf(plot.layers, at)]);
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
