import { instant } from '@serin/core/base/time';
import type { Axis, Layer, Row, StripPlot, XyPlot } from './spec.ts';
import { valueText } from './ticks.ts';

/** `2026-11-29 22:04:05`, in UTC. */
export const clockText = (at: number): string => instant(at).slice(0, 19).replace('T', ' ');

export const xText = (axis: Axis, value: number): string =>
  axis.kind === 'names'
    ? (axis.names[value] ?? '')
    : axis.kind === 'time'
      ? clockText(value)
      : axis.kind === 'count'
        ? String(value)
        : valueText(value, 'number');

type ReadPlot = Pick<XyPlot, 'x' | 'y' | 'layers'> | Pick<StripPlot, 'x' | 'rows'>;

/** What a plot shows at a place of its lower axis: 0 is its left end, 1 its right end. */
export function readout(plot: ReadPlot, share: number): string {
  const { x } = plot;
  const [from, to] = x.kind === 'names' ? [-0.5, x.names.length - 0.5] : [x.from, x.to];
  const asked = from + Math.min(1, Math.max(0, share)) * (to - from);
  const at = x.kind === 'time' || x.kind === 'number' ? asked : Math.round(asked);
  const rows: readonly Omit<Row, 'height'>[] = 'rows' in plot ? plot.rows : [plot];
  const values = rows.flatMap(({ name, y, layers }) =>
    layers.flatMap((layer) => {
      const known = valueAt(layer, at, x.kind === 'names');
      return known === undefined
        ? []
        : [
            `${name === undefined ? '' : `${name} `}${layer.name} ${known.map((value) => valueText(value, y.format)).join(' to ')}`,
          ];
    }),
  );
  return [x.kind === 'time' ? `${clockText(at)} UTC` : xText(x, at), ...values].join(' · ');
}

/** The value that holds there: that of the last point before it, or of a name just its own. */
function valueAt(layer: Layer, at: number, isExact: boolean): readonly number[] | undefined {
  if (layer.kind === 'threshold') return undefined;
  const points: readonly (readonly [number, ...(number | null)[]])[] = layer.points;
  const found = points.findLast(([x]) => (isExact ? x === at : x <= at));
  const values = found?.slice(1).filter((value) => value !== null);
  return values === undefined || values.length === 0 ? undefined : values;
}
