import { defined } from '../../base/objects.ts';
import { type Refusal, refuse, type Table } from '../../base/table.ts';
import { durationText, minute, second } from '../../base/time.ts';
import { stepNames, stepPlans } from '../../config/parts.ts';
import type { Effect, ModelSignal, SignalOf } from '../protocol.ts';
import { versionOf } from '../version.ts';
import { type GateVerdict, gateText } from './gate.ts';
import { beginJob, isOver, jobKey, jobOwes, noteJob, noteLook, overdueText, stopJob } from './jobs.ts';
import { beginProfiling, profilingOwes, profilingRow, wantsProfile } from './profiling.ts';
import { type Base, bare, endRun, type JobStatus, type Run, type RunContext, type Working } from './state.ts';
import { judgeRun, nextStep, steps, withData } from './steps.ts';

const jobStatuses = [...new Set(stepNames.flatMap((name) => [stepPlans[name].waiting[0], stepPlans[name].running[0]]))];

export const runTable: Table<Run, ModelSignal, RunContext> = {
  validating: {
    datasetChecked: (run, { at, problems }, context) =>
      problems.length > 0
        ? endRun(run, at, 'failed', `the dataset cannot be used: ${problems.join('; ')}`)
        : wantsProfile(run.plan)
          ? beginProfiling(run, at, context)
          : start({ ...run, checked: true }, at, context),
    slotGranted: (run, signal, context) => refuseSlot(run, signal) ?? start({ ...run, slot: true }, signal.at, context),
    clockTicked: (run, { at }) =>
      at >= run.deadline
        ? endRun(run, at, 'failed', `no free slot within ${durationText(run.plan.train.compute.maxWait)}`)
        : run,
    cancelRequested: (run, signal) =>
      refuseOther(run, signal) ?? endRun(run, signal.at, 'cancelled', cancelText(signal)),
    effectRefused: (run, { at, because }) => endRun(run, at, 'failed', because),
    jobHinted: 'ignore',
    jobDescribed: 'ignore',
    jobStarted: 'ignore',
  },
  profiling: {
    ...profilingRow((run, slot, at, context) => start(profiled(run, slot, at), at, context)),
    slotGranted: (run, signal) => refuseSlot(run, signal) ?? { ...run, slot: true },
    cancelRequested: (run, signal) =>
      refuseOther(run, signal) ?? endRun(run, signal.at, 'cancelled', cancelText(signal)),
    datasetChecked: 'ignore',
    jobHinted: 'ignore',
    jobDescribed: 'ignore',
    jobStarted: 'ignore',
  },
  ...jobRows(),
  registering: {
    versionRegistered: (run, { at }) => succeed(run, at, run.verdict),
    effectRefused: (run, { at, because }) => endRun(run, at, 'failed', `the registry refused the version: ${because}`),
    cancelRequested: refuse(
      'the version is being registered, and the run cannot be cancelled; reject the version or roll it back',
    ),
    clockTicked: 'ignore',
    jobHinted: 'ignore',
    jobDescribed: 'ignore',
    slotGranted: (run, signal) => refuseSlot(run, signal) ?? run,
  },
  stopping: {
    // The start may have been under way when the stop was decided: adopt the job, then stop it.
    jobStarted: (run, { at, job }) => ({ ...run, job: { ...run.job, id: job, lookAt: at } }),
    jobStopAsked: (run, { at }) => ({ ...run, asked: true, job: { ...run.job, lookAt: at + second } }),
    jobDescribed: (run, { at, description }) =>
      isOver(description)
        ? { ...bare(run), status: run.then, endedAt: at, because: run.because }
        : { ...run, job: noteLook(run.job, at) },
    jobHinted: (run, { at }) => ({ ...run, job: { ...run.job, lookAt: at } }),
    // A start that is refused now was never accepted, and a job that was told to stop and cannot be described is gone.
    effectRefused: (run, { at }) =>
      run.job.id === undefined || run.asked
        ? { ...bare(run), status: run.then, endedAt: at, because: run.because }
        : { ...run, asked: true, job: { ...run.job, lookAt: at + minute } },
    cancelRequested: 'ignore',
    clockTicked: 'ignore',
    slotGranted: (run, signal) => refuseSlot(run, signal) ?? run,
  },
  succeeded: over(),
  refused: over(),
  failed: over(),
  cancelled: over(),
};

/** A row per status of a step: all are moved in the same way, and the step says what comes of its job. */
function jobRows() {
  const row = {
    jobStarted: (run: Working, { at, job }: SignalOf<'jobStarted'>): Run => ({
      ...run,
      job: { ...run.job, id: job, lookAt: at },
    }),
    jobDescribed: (run: Working, { at, description }: SignalOf<'jobDescribed'>, context: RunContext): Run =>
      noteJob(run, at, description, (noted, done) => {
        const ended = steps[run.job.part].end(bare(noted), done, context);
        return typeof ended === 'string' ? endRun(noted, at, 'failed', ended) : proceed(ended, at, context);
      }),
    jobHinted: (run: Working, { at }: SignalOf<'jobHinted'>): Run =>
      run.job.id === undefined ? run : { ...run, job: { ...run.job, lookAt: at } },
    clockTicked: (run: Working, { at }: SignalOf<'clockTicked'>): Run =>
      at >= run.job.deadline ? stopJob(run, at, 'failed', overdueText(run)) : run,
    cancelRequested: (run: Working, signal: SignalOf<'cancelRequested'>): Run | Refusal =>
      refuseOther(run, signal) ?? stopJob(run, signal.at, 'cancelled', cancelText(signal)),
    effectRefused: (run: Working, { at, because }: SignalOf<'effectRefused'>): Run => {
      const text = `the ${run.job.part} job could not be used: ${because}`;
      // One that was accepted may still run, and cost.
      return run.job.id === undefined ? endRun(run, at, 'failed', text) : stopJob(run, at, 'failed', text);
    },
    slotGranted: (run: Working, signal: SignalOf<'slotGranted'>): Run | Refusal => refuseSlot(run, signal) ?? run,
    datasetChecked: 'ignore',
  } as const;
  // The statuses are those of the steps, and nothing else.
  return Object.fromEntries(jobStatuses.map((status) => [status, row])) as Readonly<Record<JobStatus, typeof row>>;
}

function over() {
  const ended = refuse('the run has already ended; start another one');
  return {
    jobDescribed: 'ignore',
    jobStarted: 'ignore',
    jobHinted: 'ignore',
    jobStopAsked: 'ignore',
    datasetChecked: 'ignore',
    versionRegistered: 'ignore',
    slotGranted: ended,
    clockTicked: 'ignore',
    effectRefused: 'ignore',
    cancelRequested: ended,
  } as const;
}

/** What a run owes while it waits. */
export function runOwes(run: Run, now: number, context: RunContext): readonly Effect[] {
  const slot: Effect = {
    key: `run/${run.id}/slot`,
    kind: 'tell',
    stream: 'project',
    id: `${run.id}/slot`,
    signal: { type: 'slotRequested', run: run.id, model: context.model, until: slotUntil(run) },
  };
  switch (run.status) {
    case 'validating':
      return [
        ...(run.checked ? [] : [checkOf(run)]),
        ...(run.checked && !run.slot && now < run.deadline ? [slot] : []),
      ];
    case 'profiling':
      return profilingOwes(run, context);
    case 'registering':
      return [{ key: `run/${run.id}/register`, kind: 'register', version: registration(run, context) }];
    case 'stopping':
      return run.job.id !== undefined && !run.asked
        ? [{ key: `run/${jobKey(run)}/stop`, kind: 'stopJob', id: run.job.id }]
        : jobOwes(run, now, context);
    default:
      return 'job' in run ? jobOwes(run, now, context) : [];
  }
}

export function runWakes(run: Run): number | undefined {
  if (run.status === 'validating' || run.status === 'profiling') return run.deadline;
  if (!('job' in run)) return undefined;
  const next = run.job.id === undefined ? run.job.notBefore : run.job.lookAt;
  return run.status === 'stopping' ? next : Math.min(run.job.deadline, next);
}

const profiled = (run: Base, slot: boolean, at: number): Extract<Run, { status: 'validating' }> => ({
  ...run,
  status: 'validating',
  checked: true,
  slot,
  deadline: at + run.plan.train.compute.maxWait,
});

/** Goes on once the dataset is checked and a slot is reserved. */
function start(run: Extract<Run, { status: 'validating' }>, at: number, context: RunContext): Run {
  return run.checked && run.slot ? proceed(withData(bare(run)), at, context) : run;
}

/** To the next step; after the last one the gate decides. */
function proceed(run: Base, at: number, context: RunContext): Run {
  const next = nextStep(run, context);
  if (next !== undefined) return beginJob(steps[next].begin?.(run, context) ?? run, next, at);
  const { run: judged, verdict } = judgeRun(run, context);
  if (verdict?.passed === false)
    return { ...judged, status: 'refused', endedAt: at, because: gateText(verdict), verdict };
  if (run.trigger.kind === 'rescore') return succeed(judged, at, verdict);
  return { ...judged, status: 'registering', ...defined({ verdict }) };
}

const succeed = (run: Base, at: number, verdict: GateVerdict | undefined): Run => ({
  ...bare(run),
  status: 'succeeded',
  endedAt: at,
  because: verdict === undefined ? 'trained; nothing to gate' : gateText(verdict),
  ...defined({ verdict }),
});

function checkOf(run: Base): Effect {
  const { columns = [], maxBytes } = run.plan.data;
  return { key: `run/${run.id}/check`, kind: 'checkDataset', dataset: run.dataset, columns, ...defined({ maxBytes }) };
}

function registration(run: Extract<Run, { status: 'registering' }>, { model, versions }: RunContext) {
  const version = versionOf(versions, run.trained?.number);
  const { number = 0, artifact = { uri: '', digest: '', bytes: 0 }, metrics = {} } = run.trained ?? {};
  return {
    model,
    number,
    artifact,
    metrics: { ...metrics, ...run.scored },
    approval: run.plan.approval?.required ? ('pending' as const) : ('approved' as const),
    lineage: version?.lineage ?? {},
  };
}

/** A reservation ends by itself, so a run that was lost does not keep its slot. */
const slotUntil = ({ startedAt, plan }: Base): number => {
  const { maxWait, maxRuntime } = plan.train.compute;
  return startedAt + plan.train.attempts * (maxWait + maxRuntime) + 3 * 24 * 60 * minute;
};

/** A slot for a run that is over is given back: the project hears the refusal. */
const refuseSlot = (run: Base, signal: SignalOf<'slotGranted'>): Refusal | undefined =>
  signal.run === run.id ? undefined : refuse(`run ${signal.run} is not active; give its slot back`);

const cancelText = ({ actor }: SignalOf<'cancelRequested'>): string => `cancelled by ${actor.subject}`;

function refuseOther(run: Base, signal: SignalOf<'cancelRequested'>): Refusal | undefined {
  return signal.run === undefined || signal.run === run.id
    ? undefined
    : refuse(`run ${signal.run} is not active; name ${run.id}, which is`);
}
