import { bytesText } from '../../base/numbers.ts';
import { defined, without } from '../../base/objects.ts';
import { durationText, hour } from '../../base/time.ts';
import type { ModelPlan } from '../../config/config.ts';
import { labelToCount } from '../../drift/validate.ts';
import type { Effect, Order, SignalOf } from '../protocol.ts';
import { type DataSeen, versionOf } from '../version.ts';
import { readingStart } from './protocol.ts';
import { type Base, bare, endRun, type Run, type RunContext } from './state.ts';

/** What is found out about a dataset before anything is paid for it. */

export type Profiling = Extract<Run, { status: 'profiling' }>;

/** The dataset of a run is looked at, unless its plan wants nothing to be known of it. */
export const wantsProfile = ({ monitor, validate }: ModelPlan): boolean =>
  monitor.drift !== undefined || validate !== undefined;

/** One thing to find out; the first that is due is next. */
interface Task {
  readonly isDue: (run: Profiling) => boolean;
  readonly order: (run: Profiling, data: DataSeen, context: RunContext) => Order;
  readonly says: string;
}

const isByManifest = ({ plan }: Base): boolean => plan.validate !== undefined && plan.split?.kind === 'manifest';

const tasks = {
  profile: {
    isDue: ({ data }) => data === undefined,
    order: ({ dataset, reading }) => ({ kind: 'profileDataset', dataset, reading }),
    says: 'waits until its dataset is profiled',
  },
  train: {
    isDue: (run) => isByManifest(run) && run.seen.train === undefined,
    order: (run) => profileUnder(run, 'train'),
    says: 'waits until the rows for training are profiled',
  },
  holdout: {
    isDue: (run) => isByManifest(run) && run.seen.holdout === undefined,
    order: (run) => profileUnder(run, 'holdout'),
    says: 'waits until the rows of the hold-out are profiled',
  },
  onFormerCells: {
    isDue: ({ plan, former, seen }) =>
      plan.validate !== undefined && former?.reference !== undefined && seen.onFormerCells === undefined,
    order: ({ dataset, reading, former }) => ({
      ...{ kind: 'countDataset', dataset, reading },
      cells: { reference: former?.reference ?? '' },
    }),
    says: 'waits until the rows of its dataset are counted as those before were',
  },
  // Before the report where each column is counted by the label. It costs one reading of a dataset that is refused then.
  byLabel: {
    isDue: ({ plan, data }) => countedLabel(plan) !== undefined && data !== undefined && data.reference === undefined,
    order: (run, { profile }) => countOnOwnCells(run, profile),
    says: 'waits until the rows of its dataset are counted by their label',
  },
  report: {
    isDue: ({ plan, data }) => plan.validate !== undefined && data?.report === undefined,
    order: ({ plan, changeExpected, dataset, former, seen }, { profile, reference }, { profiled = {} }) => ({
      ...{ kind: 'validateDataset', profile, seen, ...defined({ former, reference }) },
      rules: { ...plan.validate, ...defined({ changeExpected }) },
      rowsBefore: Object.values(without(profiled, dataset.digest)),
    }),
    says: 'waits until its dataset is validated',
  },
  // Else last: a dataset that was refused has no need of it.
  reference: {
    isDue: ({ data }) => data?.reference === undefined,
    order: (run, { profile }) => countOnOwnCells(run, profile),
    says: 'waits until the rows of its dataset are counted',
  },
} as const satisfies Readonly<Record<string, Task>>;

const countOnOwnCells = ({ dataset, reading, plan }: Profiling, profile: string): Order => {
  const { columns = {}, time } = plan.monitor.drift ?? {};
  const by = defined({ time, label: countedLabel(plan) });
  return { kind: 'countDataset', dataset, reading, cells: { profile, columns, ...by } };
};

const countedLabel = ({ validate }: ModelPlan): string | undefined =>
  validate === undefined ? undefined : labelToCount(validate);

const profileUnder = ({ dataset, reading, plan }: Profiling, part: 'train' | 'holdout'): Order => ({
  ...{ kind: 'profileDataset', dataset, reading },
  under: dataset.prefix + (plan.split?.kind === 'manifest' ? plan.split[part] : ''),
  ...defined({ key: plan.validate?.key }),
});

type TaskName = keyof typeof tasks;
// The keys of the table.
const taskNames = Object.keys(tasks) as readonly TaskName[];

const taskOf = (run: Profiling): TaskName | undefined => taskNames.find((name) => tasks[name].isDue(run));

export function profilingText(run: Profiling): string {
  const { reading, dataset } = run;
  const read = `about ${bytesText(Math.min(reading.bytes, dataset.bytes))} of ${bytesText(dataset.bytes)} are read`;
  return `${tasks[taskOf(run) ?? 'profile'].says}: ${read}`;
}

export function beginProfiling(
  run: Extract<Run, { status: 'validating' }>,
  at: number,
  context: RunContext,
): Profiling {
  const former = formerOf(context);
  const changeExpected = run.trigger.kind === 'drift' || context.drift?.incident !== undefined;
  return {
    ...{ ...bare(run), status: 'profiling', slot: run.slot, seen: {}, reading: readingStart },
    ...{ deadline: deadlineOf(run, at), ...defined({ former }) },
    ...(changeExpected ? { changeExpected } : {}),
  };
}

/** What the champion was trained on; where nothing is known of that, what the newest version was that is known. */
function formerOf({ versions, champion }: RunContext): DataSeen | undefined {
  const known = Object.values(versions).toSorted((one, other) => other.number - one.number);
  return versionOf(versions, champion)?.data ?? known.find(({ data }) => data !== undefined)?.data;
}

type GoOn = (run: Base, slot: boolean, at: number, context: RunContext) => Run;

/** A part was read, or something was found out; the rest of the run begins once nothing more is due. */
export const profilingRow = (goOn: GoOn) => ({
  datasetProfiled: (run: Profiling, { at, reading, ended }: SignalOf<'datasetProfiled'>, context: RunContext): Run =>
    ended === undefined ? readOn(run, reading, at) : next(withProfile(run, ended), at, context, goOn),
  datasetCounted: (run: Profiling, { at, reading, ended }: SignalOf<'datasetCounted'>, context: RunContext): Run =>
    ended === undefined ? readOn(run, reading, at) : next(withReference(run, ended.reference), at, context, goOn),
  datasetValidated(
    run: Profiling,
    { at, report, refused, because }: SignalOf<'datasetValidated'>,
    context: RunContext,
  ): Run {
    const validated = withData(run, { report });
    return refused
      ? { ...bare(validated), status: 'refused', endedAt: at, because }
      : next(validated, at, context, goOn);
  },
  clockTicked: (run: Profiling, { at }: SignalOf<'clockTicked'>): Run =>
    at >= run.deadline ? endRun(run, at, 'failed', overdueText(run)) : run,
  effectRefused: (run: Profiling, { at, because }: SignalOf<'effectRefused'>): Run =>
    endRun(run, at, 'failed', `the dataset cannot be used: ${because}`),
});

function next(run: Profiling, at: number, context: RunContext, goOn: GoOn): Run {
  const now = readOn(run, readingStart, at);
  return taskOf(now) === undefined ? goOn(bare(now), now.slot, at, context) : now;
}

function withProfile(run: Profiling, ended: Pick<DataSeen, 'profile' | 'rows'>): Profiling {
  const task = taskOf(run);
  return task === 'train' || task === 'holdout'
    ? { ...run, seen: { ...run.seen, [task]: ended.profile } }
    : { ...run, data: ended };
}

const withReference = (run: Profiling, reference: string): Profiling =>
  taskOf(run) === 'onFormerCells'
    ? { ...run, seen: { ...run.seen, onFormerCells: reference } }
    : withData(run, { reference });

const withData = (run: Profiling, more: Partial<DataSeen>): Profiling =>
  run.data === undefined ? run : { ...run, data: { ...run.data, ...more } };

const readOn = (run: Profiling, reading: Profiling['reading'], at: number): Profiling => ({
  ...{ ...run, reading },
  deadline: deadlineOf(run, at),
});

/** A dataset of any size is read to its end, as long as each part is. */
const deadlineOf = (run: Base, at: number): number => at + patienceOf(run);
const patienceOf = ({ plan }: Base): number => Math.max(hour, plan.train.compute.maxWait);

const overdueText = (run: Profiling): string =>
  `part ${run.reading.parts + 1} of its dataset was not read within ${durationText(patienceOf(run))}; start another run once the bucket answers`;

/** The next part, under a key of its own: an answer to another one says nothing. */
export function profilingOwes(run: Profiling, context: RunContext): readonly Effect[] {
  const name = taskOf(run);
  if (name === undefined) return [];
  const order = (tasks[name] as Task).order(run, run.data ?? { profile: '', rows: 0 }, context);
  return [{ key: `run/${run.id}/${name}/${run.reading.parts}`, ...order }];
}
