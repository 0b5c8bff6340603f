import { html } from 'hono/html';
import { command, type Part, section } from '../parts.ts';
import { figure } from '../plot/figure.ts';
import type { Point, XyPlot } from '../plot/spec.ts';

/** What `GET /v1/models/{model}/drift` says of labels. */
export interface PerformanceDoc {
  readonly sentence: string;
  readonly windows: readonly LossWindowDoc[];
}

interface LossWindowDoc {
  readonly from: string;
  readonly to: string;
  readonly losses: number;
  readonly loss: number;
  readonly low: number;
  readonly high: number;
  readonly limit?: number;
  readonly alarm: boolean;
}

/** How good the predictions are by the labels that came later. */
export const performancePart = (model: string, { sentence, windows }: PerformanceDoc): Part =>
  section(
    'performance',
    'Predictions against their labels',
    html`<p>${sentence}.</p>`,
    windows.length === 0 ? '' : html`<div class="plots">${figure(lossPlot(windows))}</div>`,
    command(`serin drift ${model}`),
  );

/** The loss of each window with its limits, and the limit above which it is worse. */
export function lossPlot(windows: readonly LossWindowDoc[]): XyPlot {
  const ends = windows.map(({ to }) => Date.parse(to));
  const points = (of: (window: LossWindowDoc) => number | undefined): readonly Point[] =>
    windows.map((window, index) => [ends[index] ?? 0, of(window) ?? null]);
  const alarms = points(({ alarm, loss }) => (alarm ? loss : undefined)).filter(([, loss]) => loss !== null);
  const last = windows.at(-1);
  const isLoss = windows.some(({ losses }) => losses > 0);
  const name = isLoss ? 'mean loss' : 'wrong predictions';
  const first = Date.parse(windows[0]?.from ?? '');
  return {
    ...{ kind: 'xy', id: 'performance-windows', height: 200, title: 'Windows by their labels' },
    description: `${windows.length} windows, ${alarms.length} of them with an alarm; the last has ${textOf(last?.loss)} (${textOf(last?.low)} to ${textOf(last?.high)})${last?.limit === undefined ? '' : `, and the limit is ${textOf(last.limit)}`}.`,
    x: { kind: 'time', from: first, to: ends.at(-1) ?? first + 1 },
    y: { label: name, kind: 'linear', format: isLoss ? 'number' : 'percent', from: 0 },
    layers: [
      {
        ...{ kind: 'band', name: '95 % limits', tone: 'quiet' },
        points: windows.map(({ low, high }, index) => [ends[index] ?? 0, low, high]),
      },
      { kind: 'line', name, tone: 'candidate', points: points(({ loss }) => loss) },
      { kind: 'line', name: 'limit', tone: 'warn', dashed: true, steps: true, points: points(({ limit }) => limit) },
      ...(alarms.length === 0
        ? []
        : [{ kind: 'marks', name: 'alarm', tone: 'bad', mark: 'cross', points: alarms } as const]),
    ],
  };
}

const textOf = (loss = 0): string => loss.toFixed(3);
