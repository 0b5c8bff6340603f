import type { LabelAnswer } from '../../ports/telemetry.ts';

/** What the files of labels hear from outside, what they order, and what answers. */
export interface LabelsProtocol {
  /** New files of labels; without keys anything may have come. */
  readonly signal: { readonly type: 'labelsHinted'; readonly keys: readonly string[] };
  readonly order: /** Looks for files of labels that were not imported yet. */
    | {
        readonly kind: 'findLabels';
        readonly model: string;
        readonly bucket: string;
        readonly prefix: string;
        readonly cursor?: string;
        readonly after?: string;
      }
    /** Records the labels of a file, from a byte (and line) on. */
    | {
        readonly kind: 'importLabels';
        readonly model: string;
        readonly bucket: string;
        readonly file: string;
        readonly version?: string;
        readonly offset: number;
        readonly line: number;
        readonly counts: LabelCounts;
      };
  readonly answer:
    | { readonly type: 'labelsFound'; readonly found: LabelsFound }
    | { readonly type: 'labelsImported'; readonly progress: LabelsImported };
}

/** What became of the labels of a file; `bad` lines are none, with the reasons of the first three. */
export interface LabelCounts extends Readonly<Record<LabelAnswer | 'bad', number>> {
  readonly reasons: readonly string[];
}

/** How far a file of labels was read: the next byte, the lines before it, and all counts so far. */
export interface LabelProgress {
  readonly version: string;
  readonly offset: number;
  readonly line: number;
  readonly counts: LabelCounts;
  readonly ended: boolean;
}
export type LabelsImported = LabelProgress | 'busy' | 'gone';

/** Files of labels that were not read yet, and where the look goes on. */
export type LabelsFound =
  | { readonly files: readonly string[]; readonly cursor?: string; readonly after?: string; readonly ended: boolean }
  | 'busy';
