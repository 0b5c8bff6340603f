/** What a plot shows, as plain JSON: the server and the browser draw the same from it. Times: milliseconds since the epoch. */

/** Colours of browser/plots.css. `c0` to `c5` tell series apart that mean nothing by themselves. */
export type Tone =
  | 'champion'
  | 'candidate'
  | 'good'
  | 'bad'
  | 'warn'
  | 'quiet'
  | 'accent'
  | 'c0'
  | 'c1'
  | 'c2'
  | 'c3'
  | 'c4'
  | 'c5';

export type Axis =
  | { readonly kind: 'time'; readonly from: number; readonly to: number }
  /** Whole numbers, such as the steps of a training. */
  | { readonly kind: 'count'; readonly from: number; readonly to: number }
  /** Any numbers, such as the values of a column. */
  | { readonly kind: 'number'; readonly from: number; readonly to: number }
  /** Points stand at 0, 1, 2 ... */
  | { readonly kind: 'names'; readonly names: readonly string[] };

export interface Scale {
  readonly label: string;
  /** `log`: values above 0. `odds`: values are natural logarithms of odds. */
  readonly kind: 'linear' | 'log' | 'odds';
  readonly format: Format;
  /** Where the axis begins and ends at least; absent: at the values. */
  readonly from?: number;
  readonly to?: number;
  /** What lies beyond is drawn at the edge. */
  readonly cut?: boolean;
}

export type Format = 'count' | 'percent' | 'number' | 'odds' | 'ratio';

/** `null`: nothing is known there, and the line has a gap. */
export type Point = readonly [x: number, y: number | null];

export type Layer =
  | {
      readonly kind: 'line';
      readonly name: string;
      readonly tone: Tone;
      readonly points: readonly Point[];
      readonly steps?: boolean;
      readonly dashed?: boolean;
    }
  | {
      readonly kind: 'marks';
      readonly name: string;
      readonly tone: Tone;
      readonly mark: 'disc' | 'cross' | 'ring';
      readonly points: readonly Point[];
    }
  /** `null`: open at this side. */
  | {
      readonly kind: 'band';
      readonly name: string;
      readonly tone: Tone;
      readonly points: readonly (readonly [x: number, low: number | null, high: number | null])[];
    }
  /** `from`: where it begins to count; absent: it always does. */
  | {
      readonly kind: 'threshold';
      readonly name: string;
      readonly tone: Tone;
      readonly y: number;
      readonly from?: number;
    };

interface Told {
  /** Of the figure; unique on its page. */
  readonly id: string;
  readonly title: string;
  /** What somebody who does not see it has to know. */
  readonly description: string;
}

/** Values over time or over names. */
export interface XyPlot extends Told {
  readonly kind: 'xy';
  readonly height?: number;
  readonly x: Axis;
  readonly y: Scale;
  readonly layers: readonly Layer[];
}

/** Values of several scales over the same time, one row below the other. */
export interface StripPlot extends Told {
  readonly kind: 'strip';
  readonly x: Extract<Axis, { kind: 'time' }>;
  /** What held from when to when: named above the first row, and every other one shaded behind all. */
  readonly zoned: string;
  readonly zones: readonly { readonly from: number; readonly to: number; readonly text: string }[];
  readonly rows: readonly Row[];
}

export interface Row {
  /** Before the names of its layers, where these are read outside of it; absent: they say it themselves. */
  readonly name?: string;
  readonly height: number;
  readonly y: Scale;
  readonly layers: readonly Layer[];
}

/** What lasted from when to when, row by row. */
export interface SpansPlot extends Told {
  readonly kind: 'spans';
  readonly from: number;
  readonly to: number;
  readonly rows: readonly { readonly name: string; readonly spans: readonly Span[] }[];
}

export interface Span {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly tone: Tone;
}

export type Plot = XyPlot | StripPlot | SpansPlot;
