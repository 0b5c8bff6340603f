import type { Axis, Layer, Scale, XyPlot } from './spec.ts';
import { linearTicks, logTicks, oddsTicks, type Tick, timeTicks } from './ticks.ts';

/** A rectangle in pixels in which values are drawn. */
export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** From values to pixels. */
export interface Placed {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly box: Box;
}

/** Both ends of an axis. */
type Domain = readonly [from: number, to: number];

const textWidth = 7.3;
/** About how wide a text of 12 px is. */
export const widthOf = (text: string): number => Math.ceil(text.length * textWidth);

/** The marks of the axis of values; its ends are the first and the last. */
export function yTicks({ y, layers }: Pick<XyPlot, 'y' | 'layers'>, height: number): readonly Tick[] {
  const [from, to] = domainOf(y, layers);
  const most = Math.max(2, Math.floor(height / 36));
  if (y.kind === 'odds') return oddsTicks(from, to, most);
  return y.kind === 'log' ? logTicks(from, to, most, y.format) : linearTicks(from, to, most, y.format);
}

/** The values of all layers, and what the scale says itself. */
function domainOf({ from, to, cut, kind }: Scale, layers: readonly Layer[]): Domain {
  const fits = (value: number | null): value is number => value !== null && (kind !== 'log' || value > 0);
  const values = layers.flatMap(valuesOf).filter(fits);
  const low = cut && from !== undefined ? from : Math.min(from ?? Number.POSITIVE_INFINITY, ...values);
  const high = cut && to !== undefined ? to : Math.max(to ?? Number.NEGATIVE_INFINITY, ...values);
  if (!(low <= high)) return kind === 'log' ? [0.1, 10] : [0, 1];
  return [low, high];
}

function valuesOf(layer: Layer): readonly (number | null)[] {
  if (layer.kind === 'threshold') return [layer.y];
  return layer.kind === 'band' ? layer.points.flatMap(([, low, high]) => [low, high]) : layer.points.map(([, y]) => y);
}

export function xTicks(axis: Axis, width: number): readonly Tick[] {
  if (axis.kind === 'time') return timeTicks(axis.from, axis.to, Math.max(2, Math.floor(width / 90)));
  if (axis.kind !== 'names')
    return linearTicks(axis.from, axis.to, Math.max(2, Math.floor(width / 70)), axis.kind).filter(
      ({ at }) => at >= axis.from && at <= axis.to,
    );
  const widest = Math.max(...axis.names.map(widthOf), 1) + 10;
  const every = Math.max(1, Math.ceil((axis.names.length * widest) / width));
  return axis.names.map((text, at) => ({ at, text })).filter(({ at }) => at % every === 0);
}

export function placed({ x, y }: Pick<XyPlot, 'x' | 'y'>, ticks: readonly Tick[], box: Box): Placed {
  // Names stand in the middle of their part of the axis.
  const [from, to] = x.kind === 'names' ? [-0.5, Math.max(0.5, x.names.length - 0.5)] : [x.from, x.to];
  const [low, high] = [ticks.at(0)?.at ?? 0, ticks.at(-1)?.at ?? 1].map((at) => inside(at, y)) as [number, number];
  const share = (value: number, begin: number, end: number) =>
    Math.min(1, Math.max(0, end > begin ? (value - begin) / (end - begin) : 0.5));
  return {
    box,
    x: (value) => rounded(box.left + share(value, from, to) * (box.right - box.left)),
    y: (value) => rounded(box.bottom - share(inside(value, y), low, high) * (box.bottom - box.top)),
  };
}

/** Where the scale itself is even. */
const inside = (value: number, { kind }: Scale): number =>
  kind === 'log' ? Math.log10(Math.max(value, Number.MIN_VALUE)) : value;

export const rounded = (pixels: number): number => Math.round(pixels * 10) / 10;
