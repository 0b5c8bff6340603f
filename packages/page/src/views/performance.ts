import { html } from 'hono/html';
import { command, type Part, section } from '../parts.ts';
import { figure } from '../plot/figure.ts';
import type { Point, Tone, XyPlot } from '../plot/spec.ts';

/** What `GET /v1/models/{model}/drift` says of labels. */
export interface PerformanceDoc {
  readonly sentence: string;
  /** The class whose precision and recall are shown. */
  readonly positive?: string;
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
  /** Of a class, or of numbers; none of them where too little is known. */
  readonly truths?: {
    readonly precision?: Measured;
    readonly recall?: Measured;
    readonly mae?: Measured;
    readonly rmse?: Measured;
  };
}

interface Measured {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** How good the predictions are by the labels that came later. */
export function performancePart(model: string, { sentence, positive, windows }: PerformanceDoc): Part {
  const plots = windows.length === 0 ? [] : [lossPlot(windows), ...truthPlots(windows, positive)];
  return section(
    'performance',
    'Predictions against their labels',
    html`<p>${sentence}.</p>`,
    plots.length === 0 ? '' : html`<div class="plots">${plots.map(figure)}</div>`,
    command(`serin drift ${model}`),
  );
}

type Truths = NonNullable<LossWindowDoc['truths']>;
type TruthLine = readonly [name: string, tone: Tone, of: (truths: Truths) => Measured | undefined];

/** What truths say of a class, and how far off numbers are: each where a window says it. */
function truthPlots(windows: readonly LossWindowDoc[], positive: string | undefined): readonly XyPlot[] {
  const share: XyPlot['y'] = { label: 'share', kind: 'linear', format: 'percent', from: 0, to: 1 };
  const units: XyPlot['y'] = { label: 'in units of the prediction', kind: 'linear', format: 'number', from: 0 };
  const plots = [
    truthPlot(windows, { id: 'performance-class', title: `Precision and recall of “${positive}”`, y: share }, [
      ['precision', 'c0', ({ precision }) => precision],
      ['recall', 'c1', ({ recall }) => recall],
    ]),
    truthPlot(windows, { id: 'performance-errors', title: 'Errors of numbers', y: units }, [
      ['mean absolute error', 'c0', ({ mae }) => mae],
      ['root mean square error', 'c1', ({ rmse }) => rmse],
    ]),
  ];
  return plots.filter((plot) => plot !== undefined);
}

function truthPlot(
  windows: readonly LossWindowDoc[],
  told: Pick<XyPlot, 'id' | 'title' | 'y'>,
  lines: readonly TruthLine[],
): XyPlot | undefined {
  const known = lines.map(([name, tone, of]) => ({
    ...{ name, tone },
    values: windows.map(({ to, truths }) => ({ x: Date.parse(to), of: truths && of(truths) })),
  }));
  const last = known.flatMap(({ name, values }) => {
    const value = values.findLast(({ of }) => of !== undefined)?.of;
    return value === undefined
      ? []
      : [`${name} ${textOf(value.value)} (${textOf(value.low)} to ${textOf(value.high)})`];
  });
  if (last.length === 0) return undefined;
  const ends = windows.map(({ to }) => Date.parse(to));
  const first = Date.parse(windows[0]?.from ?? '');
  return {
    ...{
      kind: 'xy',
      height: 200,
      ...told,
      description: `${windows.length} windows; what was known last: ${last.join(', ')}.`,
    },
    x: { kind: 'time', from: first, to: ends.at(-1) ?? first + 1 },
    layers: [
      ...known.map(({ name, tone, values }) => ({
        ...{ kind: 'band' as const, name: `95 % limits of ${name}`, tone },
        points: values.flatMap(({ x, of }) => (of === undefined ? [] : [[x, of.low, of.high] as const])),
      })),
      ...known.map(({ name, tone, values }) => ({
        ...{ kind: 'line' as const, name, tone },
        points: values.map(({ x, of }): Point => [x, of?.value ?? null]),
      })),
    ],
  };
}

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
