import { html } from 'hono/html';
import { command, type Part, section } from '../parts.ts';
import { figure } from '../plot/figure.ts';
import type { Point, XyPlot } from '../plot/spec.ts';

/** What `GET /v1/models/{model}/drift` says of what is expected without labels. */
export interface EstimateDoc {
  readonly sentence: string;
  readonly windows: readonly EstimateWindowDoc[];
}

interface EstimateWindowDoc {
  readonly from: string;
  readonly to: string;
  readonly accuracy: number;
  readonly precision?: number;
  readonly recall?: number;
  readonly error: number;
  readonly drifted: boolean;
}

/** What the probabilities of the model promise. Nothing of it is measured, and it looks as if it were not. */
export const estimatePart = (model: string, { sentence, windows }: EstimateDoc): Part =>
  section(
    'estimate',
    'Estimated, no labels',
    html`<p class="quiet">${sentence.charAt(0).toUpperCase() + sentence.slice(1)}.</p>`,
    windows.length === 0 ? '' : html`<div class="plots">${figure(estimatePlot(windows))}</div>`,
    command(`serin drift ${model}`),
  );

/** Dashed lines, for nothing was measured, and a ring where requests had drifted. */
export function estimatePlot(windows: readonly EstimateWindowDoc[]): XyPlot {
  const ends = windows.map(({ to }) => Date.parse(to));
  const points = (of: (window: EstimateWindowDoc) => number | undefined): readonly Point[] =>
    windows.map((window, index) => [ends[index] ?? 0, of(window) ?? null]);
  const line = (name: 'accuracy' | 'precision' | 'recall', tone: 'c0' | 'c1' | 'c2') => ({
    ...({ kind: 'line', name: `estimated ${name}`, tone, dashed: true } as const),
    points: points((window) => window[name]),
  });
  const drifted = points(({ drifted, accuracy }) => (drifted ? accuracy : undefined)).filter(([, y]) => y !== null);
  const last = windows.at(-1);
  const first = Date.parse(windows[0]?.from ?? '');
  return {
    ...{ kind: 'xy', id: 'estimate-windows', height: 200, title: 'Windows as they are estimated, not measured' },
    description: `${windows.length} windows, in ${drifted.length} of them requests had drifted; of the last the estimated accuracy is ${textOf(last?.accuracy)}, the estimated precision ${textOf(last?.precision)} and the estimated recall ${textOf(last?.recall)}.`,
    x: { kind: 'time', from: first, to: ends.at(-1) ?? first + 1 },
    y: { label: 'estimated share', kind: 'linear', format: 'percent', to: 1 },
    layers: [
      {
        ...{ kind: 'band', name: 'error of calibration', tone: 'quiet' },
        points: windows.map(({ accuracy, error }, index) => [
          ...([ends[index] ?? 0, Math.max(0, accuracy - error), Math.min(1, accuracy + error)] as const),
        ]),
      },
      line('accuracy', 'c0'),
      line('precision', 'c1'),
      line('recall', 'c2'),
      ...(drifted.length === 0
        ? []
        : [{ kind: 'marks', name: 'may be wrong: drift', tone: 'warn', mark: 'ring', points: drifted } as const]),
    ],
  };
}

const textOf = (share: number | undefined): string => share?.toFixed(3) ?? 'not known';
