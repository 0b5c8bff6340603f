import { type Placed, widthOf } from './scale.ts';
import type { Layer, Point } from './spec.ts';

/** Text as it may stand in SVG, whatever is in it. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** One layer as SVG. */
export function drawn(layer: Exclude<Layer, { kind: 'threshold' }>, at: Placed): string {
  switch (layer.kind) {
    case 'line': {
      const paths = runsOf(layer.points).map((run) => pathOf(run, at, layer.steps === true));
      return `<path class="line ${layer.tone}${layer.dashed ? ' dashed' : ''}" d="${paths.join('')}"/>`;
    }
    case 'marks':
      return layer.points.map(([x, y]) => (y === null ? '' : marked(layer, at.x(x), at.y(y)))).join('');
    case 'band':
      return `<path class="band ${layer.tone}" d="${bandOf(layer.points, at)}"/>`;
  }
}

/** Points without gaps between them. */
function runsOf(points: readonly Point[]): readonly (readonly (readonly [number, number])[])[] {
  const runs: [number, number][][] = [[]];
  for (const [x, y] of points) {
    if (y === null) runs.push([]);
    else runs.at(-1)?.push([x, y]);
  }
  return runs.filter((run) => run.length > 0);
}

function pathOf(run: readonly (readonly [number, number])[], at: Placed, steps: boolean): string {
  const [first] = run;
  if (first === undefined) return '';
  const parts = [`M${at.x(first[0])} ${at.y(first[1])}`];
  // A single point would not be seen.
  if (run.length === 1) parts.push('h0.1');
  for (const [x, y] of run.slice(1)) parts.push(steps ? `H${at.x(x)}V${at.y(y)}` : `L${at.x(x)} ${at.y(y)}`);
  return parts.join('');
}

function bandOf(points: Extract<Layer, { kind: 'band' }>['points'], at: Placed): string {
  if (points.length === 0) return '';
  const { top, bottom } = at.box;
  const above = points.map(([x, , high]) => `${at.x(x)} ${high === null ? top : at.y(high)}`);
  const below = points.map(([x, low]) => `${at.x(x)} ${low === null ? bottom : at.y(low)}`).reverse();
  return `M${[...above, ...below].join('L')}Z`;
}

/** Marks differ by shape, not by colour alone. */
function marked({ mark, tone }: Extract<Layer, { kind: 'marks' }>, x: number, y: number): string {
  if (mark === 'cross') return `<path class="mark ${tone}" d="M${x - 4} ${y - 4}l8 8m0 -8l-8 8"/>`;
  return `<circle class="${mark === 'ring' ? 'mark' : 'disc'} ${tone}" cx="${x}" cy="${y}" r="${mark === 'ring' ? 7 : 4}"/>`;
}

const labelHeight = 14;

/** Lines with their labels at the left, each above its line, or below where it would stand on another one or outside. */
export function thresholdsOf(layers: readonly Layer[], at: Placed): string {
  const { left, right, top, bottom } = at.box;
  const taken: number[] = [];
  const isFree = (y: number) =>
    y >= top + labelHeight - 4 && y <= bottom && taken.every((other) => Math.abs(other - y) >= labelHeight);
  return layers
    .filter((layer) => layer.kind === 'threshold')
    .map((layer) => ({ ...layer, line: at.y(layer.y) }))
    .sort((a, b) => a.line - b.line)
    .map(({ name, tone, line, from }) => {
      const below = [1, 2, 3, 4].map((rows) => line + rows * labelHeight - 1);
      const label = [line - 4, ...below].find(isFree) ?? line - 4;
      taken.push(label);
      const begin = from === undefined ? left : at.x(from);
      // Where there is no room beside its line, it is named from the left.
      const x = widthOf(name) > right - begin - 8 ? left : begin;
      const text = fitting(name, right - x - 8);
      return `<path class="threshold ${tone}" d="M${begin} ${line}H${right}"/><text class="label ${tone}" x="${x + 4}" y="${label}">${escaped(text)}</text>`;
    })
    .join('');
}

/** As much of a text as there is room for. */
export function fitting(text: string, pixels: number): string {
  if (widthOf(text) <= pixels) return text;
  const count = Math.max(1, Math.floor((pixels / widthOf(text)) * text.length) - 1);
  return `${text.slice(0, count).trimEnd()}…`;
}
