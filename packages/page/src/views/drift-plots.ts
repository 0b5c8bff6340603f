import { answersName, columnLabel } from '@serin/core/drift/answers';
import type { Layer, Point, StripPlot, XyPlot } from '../plot/spec.ts';

/** A column of `GET /v1/models/{model}/drift`. */
export interface ColumnDoc {
  readonly name: string;
  readonly size?: number;
  readonly evidence: number;
  readonly missing: readonly [before: number, now: number];
  /** Share of the rows of the last window with a value outside the range of before. */
  readonly outside?: number;
  readonly histogram?: {
    readonly bounds?: readonly number[];
    readonly values?: readonly string[];
    readonly reference: readonly number[];
    readonly live: readonly number[];
  };
}

/** A window of the same. */
export interface WindowDoc {
  readonly from: string;
  readonly to: string;
  readonly rows: number;
  readonly evidence: number;
  readonly threshold: number;
  readonly size: number;
  readonly alarms: readonly string[];
}

/** The training data and the last window side by side; `undefined` for a column of which only missing values count. */
export function columnPlot({ name, size, outside = 0, histogram }: ColumnDoc): XyPlot | undefined {
  if (histogram === undefined) return undefined;
  const { bounds, values, reference, live } = histogram;
  const label = columnLabel(name);
  const before = name === answersName ? 'first answers' : 'training data';
  const told = {
    kind: 'xy',
    id: `drift-${idOf(name)}`,
    height: 200,
    title: `${label}${size === undefined ? '' : `, difference ${size.toFixed(2)}`}${outside === 0 ? '' : `; ${percentText(outside)} outside the range of before, in the first and last bar`}`,
    y: { label: 'share of the rows', kind: 'linear', format: 'percent', from: 0 },
  } as const;
  if (bounds !== undefined)
    return {
      ...told,
      description: `Values of ${label} in the ${before} and in the last window, ${reference.length} bars from ${bounds[0]} to ${bounds.at(-1)}.`,
      x: { kind: 'number', from: bounds[0] ?? 0, to: bounds.at(-1) ?? 1 },
      layers: [
        {
          kind: 'band',
          name: before,
          tone: 'quiet',
          points: outline(bounds, reference).map(([x, y]) => [x, 0, y]),
        },
        { kind: 'line', name: 'last window', tone: 'candidate', points: outline(bounds, live) },
      ],
    };
  return {
    ...told,
    description: `Values of ${label}: ${(values ?? []).map((value, index) => `${value} ${percentText(reference[index])} in the ${before}, ${percentText(live[index])} now`).join('; ')}.`,
    x: { kind: 'names', names: values ?? [] },
    layers: [marks(before, 'ring', reference), marks('last window', 'disc', live)],
  };
}

/** The upper edge of the bars: two points a bar. */
const outline = (bounds: readonly number[], shares: readonly number[]): readonly Point[] =>
  shares.flatMap((share, index): readonly Point[] => [
    [bounds[index] ?? 0, share],
    [bounds[index + 1] ?? 0, share],
  ]);

const marks = (name: string, mark: 'ring' | 'disc', shares: readonly number[]): Layer => ({
  ...{ kind: 'marks', name, mark, tone: mark === 'ring' ? 'quiet' : 'candidate' },
  points: shares.map((share, index) => [index, share]),
});

const percentText = (share = 0): string => `${(share * 100).toFixed(1)} %`;
/** Names of columns may be any text. */
const idOf = (name: string): string =>
  Array.from(name, (character) => (/[\w-]/.test(character) ? character : `-${character.codePointAt(0)}-`)).join('');

/** Size and evidence of each window, and from where on they are an alarm together. */
export function windowsPlot(
  windows: readonly WindowDoc[],
  { notice, major }: { readonly notice: number; readonly major: number },
): StripPlot {
  const ends = windows.map(({ to }) => Date.parse(to));
  const points = (read: (window: WindowDoc) => number): readonly Point[] =>
    windows.map((window, index) => [ends[index] ?? 0, read(window)]);
  const alarms = windows.flatMap(({ alarms, size }, index): readonly Point[] =>
    alarms.length === 0 ? [] : [[ends[index] ?? 0, size]],
  );
  const first = Date.parse(windows[0]?.from ?? '');
  return {
    ...{ kind: 'strip', id: 'drift-windows', title: 'Windows', zones: [], zoned: '' },
    description: `${windows.length} windows, ${alarms.length} of them with an alarm; the last has size ${windows.at(-1)?.size.toFixed(3)} and evidence ${windows.at(-1)?.evidence.toPrecision(2)}.`,
    x: { kind: 'time', from: first, to: ends.at(-1) ?? first + 1 },
    rows: [
      {
        name: 'Size',
        height: 130,
        y: {
          label: 'largest difference of a column, 0 to 1',
          kind: 'linear',
          format: 'number',
          from: 0,
          to: major * 1.2,
        },
        layers: [
          { kind: 'line', name: 'size', tone: 'candidate', points: points(({ size }) => size) },
          ...(alarms.length === 0
            ? []
            : [{ kind: 'marks', name: 'alarm', tone: 'bad', mark: 'cross', points: alarms } as const]),
          ...(notice === major ? [] : [{ kind: 'threshold', name: 'notice', tone: 'quiet', y: notice } as const]),
          { kind: 'threshold', name: 'major', tone: 'warn', y: major },
        ],
      },
      {
        name: 'Evidence',
        height: 130,
        y: {
          label: 'evidence of a change; drifted columns are left out',
          kind: 'log',
          format: 'number',
          from: 0.1,
          to: 1e6,
          cut: true,
        },
        layers: [
          {
            kind: 'line',
            name: 'evidence',
            tone: 'accent',
            points: points(({ evidence }) => Math.min(1e6, Math.max(0.1, evidence))),
          },
          { kind: 'threshold', name: 'alarm', tone: 'warn', y: windows.at(-1)?.threshold ?? 365 },
        ],
      },
    ],
  };
}
