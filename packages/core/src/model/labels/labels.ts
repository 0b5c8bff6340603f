import { defined, withLast } from '../../base/objects.ts';
import type { Table } from '../../base/table.ts';
import { minute, second } from '../../base/time.ts';
import type { ModelPlan } from '../../config/config.ts';
import type { Effect, ModelSignal } from '../protocol.ts';
import { noLabels } from './label.ts';
import type { LabelCounts } from './protocol.ts';

/** A file of labels that was read to its end, or could not be. */
export interface LabelFile extends LabelCounts {
  readonly file: string;
  readonly version?: string;
  readonly at: number;
  /** Why it could not be read. */
  readonly because?: string;
}

interface Base {
  /** Keys of files that wait, the first to come first. */
  readonly waiting: readonly string[];
  /**
   * Keys that could not be read at that moment; read again with the next look. The look itself passes over a file whose
   * labels are recorded, and the answer to that may have been lost.
   */
  readonly busy?: readonly string[];
  /** The prefix is to be looked through, from a page and a key on it on; `again`: and once more from its beginning. */
  readonly look?: { readonly cursor?: string; readonly after?: string; readonly again?: true };
  /** When it is looked through although nothing was heard: a lost hint is a late file, not a lost one. */
  readonly lookAt: number;
  /** Counts the orders, so that each has a key of its own. */
  readonly turn: number;
  /** The last 50, by the turn in which they ended. */
  readonly files: Readonly<Record<string, LabelFile>>;
}

/**
 * Files of labels of one model: found by hints and by looking, read one after the other. A status names what is waited
 * for.
 */
export type LabelFiles =
  | (Base & { readonly status: 'idle' })
  | (Base & { readonly status: 'looking' })
  | (Base & {
      readonly status: 'importing';
      readonly file: string;
      readonly version?: string;
      readonly offset: number;
      readonly line: number;
      readonly counts: LabelCounts;
    });

interface Context {
  readonly model: string;
  readonly plan: ModelPlan;
}

/** More keys than this are not remembered: the prefix is looked through instead. */
const maxWaiting = 100;
const keptFiles = 50;
/** The pause before another look for a file that is being written, and before another listing with such files. */
const settlingMs = 5 * second;
const lookAgainMs = 10 * second;

/**
 * The files of a model under a plan: nothing without `labels`; a new place begins anew, and keeps what is known of old
 * files.
 */
export function planLabels(
  known: LabelFiles | undefined,
  before: ModelPlan | undefined,
  plan: ModelPlan,
  at: number,
): { readonly labels?: LabelFiles } {
  const { labels } = plan;
  if (labels === undefined) return {};
  if (known !== undefined && before?.labels?.bucket === labels.bucket && before.labels.prefix === labels.prefix)
    return { labels: { ...known, lookAt: Math.min(known.lookAt, at + plan.data.rescan) } };
  const { turn, files } = known ?? { turn: 0, files: {} };
  return { labels: { status: 'idle', waiting: [], lookAt: at, turn, files } };
}

export const labelsTable: Table<LabelFiles, ModelSignal, Context> = {
  idle: {
    labelsHinted: (files, { keys, at }, context) => next(takeHint(files, keys, context), at, context),
    clockTicked: (files, { at }, context) => (at >= files.lookAt ? next({ ...files, look: {} }, at, context) : files),
    labelsFound: 'ignore',
    labelsImported: 'ignore',
    effectRefused: 'ignore',
  },
  looking: {
    labelsHinted: (files, { keys }, context) => takeHint(files, keys, context),
    clockTicked: 'ignore',
    labelsFound: ({ look, ...files }, { at, found }, context) => {
      const isFull = files.waiting.length > maxWaiting;
      if (found === 'busy' || isFull) return soon(next(files, at, context), at + lookAgainMs);
      const { files: names, ended, ...place } = found;
      const waiting = [...new Set([...files.waiting, ...names])];
      const again = look?.again === true;
      if (ended) return next({ ...files, waiting, ...(again ? { look: {} } : {}) }, at, context);
      return next({ ...files, waiting, look: { ...place, ...(again ? { again } : {}) } }, at, context);
    },
    // Most likely the bucket is not there yet.
    effectRefused: ({ look: _, ...files }, { at }, context) =>
      soon(next(files, at, context), at + Math.min(context.plan.data.rescan, 15 * minute)),
  },
  importing: {
    labelsHinted: (files, { keys }, context) => takeHint(files, keys, context),
    clockTicked: 'ignore',
    labelsFound: 'ignore',
    labelsImported: (files, { at, progress }, context) => {
      if (progress === 'busy') {
        const busy = [...new Set([...(files.busy ?? []), files.file])];
        return soon(next({ ...idle(files), busy }, at, context), at + settlingMs);
      }
      // A folder that was moved in whole, or an object that was replaced or deleted: looked for, but not at once again.
      if (progress === 'gone') return soon(next(idle(files), at, context), at + lookAgainMs);
      const { ended, ...done } = progress;
      if (!ended) return { ...files, ...done, turn: files.turn + 1 };
      const known = Object.values(files.files).some(
        ({ file, version }) => file === files.file && version === done.version,
      );
      const { version, counts } = done;
      return next(known ? idle(files) : withFile(files, { file: files.file, version, at, ...counts }), at, context);
    },
    effectRefused: (files, { at, because }, context) =>
      next(withFile(files, { file: files.file, at, ...files.counts, because: because.slice(0, 500) }), at, context),
  },
};

/** What it owes while it waits. */
export function labelsOwes(files: LabelFiles | undefined, { model, plan }: Context): readonly Effect[] {
  if (files === undefined || plan.labels === undefined || files.status === 'idle') return [];
  const { bucket, prefix } = plan.labels;
  const key = `labels/${files.turn}`;
  if (files.status === 'looking') {
    const { again: _, ...place } = files.look ?? {};
    return [{ key, kind: 'findLabels', model, bucket, prefix, ...place }];
  }
  const { file, version, offset, line, counts } = files;
  const begun = version === undefined ? {} : { version };
  return [{ key, kind: 'importLabels', model, bucket, file, ...begun, offset, line, counts }];
}

export const labelsWakes = (files: LabelFiles | undefined): number | undefined =>
  files?.status === 'idle' ? files.lookAt : undefined;

/**
 * Remembers the keys of a hint; without keys, with a folder above the prefix, or with too many, it looks for itself.
 */
function takeHint<Files extends LabelFiles>(files: Files, keys: readonly string[], { plan }: Context): Files {
  const prefix = plan.labels?.prefix ?? '';
  const { look, status, busy = [] } = files;
  // All of it is still to be looked through.
  const isBegun = status === 'looking' || look?.cursor !== undefined || look?.after !== undefined;
  if (look !== undefined && (!isBegun || look.again === true)) return files;
  // The look that is due in a moment finds them as well.
  if (status === 'idle' && busy.length >= maxWaiting) return files;
  const fresh = keys.filter((key) => key.startsWith(prefix) && !files.waiting.includes(key));
  const waiting = [...files.waiting, ...fresh];
  const isWhole =
    keys.length > 0 && keys.every((key) => key.startsWith(prefix)) && waiting.length + busy.length <= maxWaiting;
  if (isWhole) return fresh.length === 0 ? files : { ...files, waiting };
  return { ...files, look: look === undefined ? {} : { ...look, again: true } };
}

/** Files that wait first, then the look, then rest. */
function next(files: LabelFiles, at: number, { plan }: Context): LabelFiles {
  const { busy, look, lookAt, turn, files: done } = files;
  const base = { turn: turn + 1, files: done, ...defined({ look }) };
  const [file, ...waiting] = files.waiting;
  if (file !== undefined) {
    const begun = { file, offset: 0, line: 0, counts: noLabels };
    return { ...base, ...defined({ busy }), status: 'importing', waiting, lookAt, ...begun };
  }
  if (look !== undefined) return { ...base, status: 'looking', waiting: busy ?? [], lookAt: at + plan.data.rescan };
  return { ...base, ...defined({ busy }), turn, status: 'idle', waiting: [], lookAt };
}

const soon = (files: LabelFiles, lookAt: number): LabelFiles => ({ ...files, lookAt: Math.min(files.lookAt, lookAt) });

const idle = ({ waiting, busy, look, lookAt, turn, files }: LabelFiles): LabelFiles => ({
  status: 'idle',
  waiting,
  ...defined({ busy, look }),
  lookAt,
  turn,
  files,
});

const withFile = (files: LabelFiles, file: LabelFile): LabelFiles =>
  idle({ ...files, files: withLast(files.files, [String(files.turn), file], keptFiles) });
