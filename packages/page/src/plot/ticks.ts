import { grouped, oddsText, percent } from '@serin/core/base/numbers';
import { day, hour, minute, second } from '@serin/core/base/time';
import type { Format } from './spec.ts';

/** Where an axis has its marks, and what stands there. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** 1, 2 or 5 times a power of ten, at most `most` steps. */
export function stepOf(span: number, most: number): number {
  const rough = span / Math.max(1, most);
  const unit = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5].find((factor) => factor * unit >= rough * (1 - 1e-9)) ?? 10) * unit;
}

/** A program may log any number: with those beyond, and with those closer to each other, nothing can be counted any more. */
const farthest = 1e300;
const inReach = (value: number): number => Math.min(farthest, Math.max(-farthest, value));

/** Round values from at most `from` to at least `to`. */
export function linearTicks(least: number, largest: number, most: number, format: Format): readonly Tick[] {
  const [from, to] = [inReach(least), inReach(largest)];
  const span = to > from ? Math.max(to - from, 1 / farthest) : Math.abs(from) || 1;
  const rough = stepOf(span, most);
  const step = format === 'count' ? Math.max(1, rough) : rough;
  const first = Math.floor(from / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(to / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const at = Number(((first + index) * step).toPrecision(12));
    return { at, text: valueText(at, format) };
  });
}

/** Powers of ten, or with 2 and 5 between them where there are few. */
export function logTicks(from: number, to: number, most: number, format: Format): readonly Tick[] {
  const first = Math.floor(Math.log10(from) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(to) - 1e-9));
  const every = Math.ceil((last - first) / most);
  const factors = last - first <= 2 ? [1, 2, 5] : [1];
  const values: number[] = [];
  for (let power = first; power <= last; power += every)
    for (const factor of factors) if (power < last || factor === 1) values.push(factor * 10 ** power);
  const whole = values.map((value) => Number(value.toPrecision(6)));
  // Those beyond the values are not wanted, but for one at each end.
  const lowest = Math.max(
    0,
    whole.findLastIndex((value) => value <= from * (1 + 1e-9)),
  );
  const highest = whole.findIndex((value) => value >= to * (1 - 1e-9));
  return whole
    .slice(lowest, highest < 0 ? undefined : Math.max(highest, lowest + 1) + 1)
    .map((at) => ({ at, text: valueText(at, format) }));
}

/** Odds of powers of ten; values and ticks are natural logarithms. */
export function oddsTicks(from: number, to: number, most: number): readonly Tick[] {
  const first = Math.floor(from / Math.LN10 + 1e-9);
  const last = Math.max(first + 1, Math.ceil(to / Math.LN10 - 1e-9));
  const every = Math.ceil((last - first) / most);
  // Even odds are always there.
  const begin = first < 0 && last > 0 ? -every * Math.ceil(-first / every) : first;
  const count = Math.ceil((last - begin) / every) + 1;
  return Array.from({ length: count }, (_, index) => {
    const at = (begin + index * every) * Math.LN10;
    return { at, text: oddsTick(begin + index * every) };
  });
}

/** A power of ten exactly, also beyond what `oddsText` tells apart. */
const oddsTick = (power: number): string => {
  const side = grouped(10 ** Math.abs(power));
  return power < 0 ? `1 to ${side}` : `${side} to 1`;
};

const timeSteps = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((count) => count * day),
];

/** Round times within the axis, in UTC. */
export function timeTicks(from: number, to: number, most: number): readonly Tick[] {
  const step = timeSteps.find((each) => (to - from) / each <= most) ?? 1000 * day;
  const ticks: Tick[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push({ at, text: timeText(at, step) });
  return ticks;
}

function timeText(at: number, step: number): string {
  const [date = '', clock = ''] = new Date(at).toISOString().split('T');
  if (step >= day || at % day === 0) return `${months[Number(date.slice(5, 7)) - 1]} ${Number(date.slice(8))}`;
  return clock.slice(0, step < minute ? 8 : 5);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A value as a person reads it. */
export function valueText(value: number, format: Format): string {
  switch (format) {
    case 'percent':
      return percent(value);
    case 'odds':
      return oddsText(value);
    case 'count':
      return grouped(Math.round(value));
    case 'ratio':
      return `${shortText(value)}×`;
    case 'number':
      return shortText(value);
  }
}

const shortText = (value: number): string =>
  Math.abs(value) >= 1e5 && Number.isInteger(value) ? grouped(value) : String(Number(value.toPrecision(4)));
