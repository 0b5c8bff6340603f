import { digestOf } from '../../base/json.ts';
import { defined } from '../../base/objects.ts';
import { type Refusal, refuse, type Table } from '../../base/table.ts';
import { durationText, minute, second } from '../../base/time.ts';
import type { JobCompute, ModelPlan, Program } from '../../config/config.ts';
import type { Artifact, Job, JobDescription, Source } from '../../ports/jobs.ts';
import type { Effect } from '../effect.ts';
import type { DatasetVersion, ModelSignal, SignalOf, Trigger } from '../signal.ts';
import { hyperparametersOf } from '../trigger.ts';
import { type Version, type Versions, versionOf } from '../version.ts';
import { comparesWithChampion, type GateVerdict, gateText, judgeGate, type Metrics } from './gate.ts';

/** The one job that a run waits for. */
export interface JobTrack {
  readonly part: 'prepare' | 'train' | 'evaluate' | 'champion';
  readonly attempt: number;
  /** The provider's id; absent until the start was answered. */
  readonly id?: string;
  readonly notBefore: number;
  /** Until then it must run; once it runs: until then it must have ended. */
  readonly deadline: number;
  readonly running?: true;
  readonly looks: number;
  readonly lookAt: number;
}

interface Base {
  readonly id: string;
  readonly trigger: Trigger;
  readonly plan: ModelPlan;
  /** Who released the plan. */
  readonly releasedBy?: readonly string[];
  readonly dataset: DatasetVersion;
  /** Digest of dataset, code and parameters: equal inputs are one run. */
  readonly inputs: string;
  readonly startedAt: number;
  /** What the trainer gets. */
  readonly train?: Source;
  /** What it never gets. */
  readonly holdout?: Source;
  /** How the hold-out was cut. */
  readonly split?: { readonly rule: string; readonly metrics: Metrics };
  readonly trained?: { readonly number: number; readonly artifact: Artifact; readonly metrics: Metrics };
  readonly scored?: Metrics;
  /** The champion that the challenger is compared with, fixed when its score is asked for. */
  readonly against?: number;
  readonly championScore?: Metrics;
  /** By part: which metrics of its job were not taken, and why. */
  readonly unread?: Partial<Record<JobTrack['part'], Readonly<Record<string, string>>>>;
}

type Waiting<Status extends string> = Base & { readonly status: Status; readonly job: JobTrack };

/** From a dataset version to a judged model version. A status names what is waited for. */
export type Run =
  | (Base & {
      readonly status: 'validating';
      readonly checked: boolean;
      readonly slot: boolean;
      readonly deadline: number;
    })
  | Waiting<'preparing'>
  | Waiting<'starting'>
  | Waiting<'training'>
  | Waiting<'evaluating'>
  | (Base & { readonly status: 'registering'; readonly verdict?: GateVerdict })
  | (Waiting<'stopping'> & { readonly because: string; readonly then: 'failed' | 'cancelled'; readonly asked: boolean })
  | (Base & {
      readonly status: 'succeeded';
      readonly endedAt: number;
      readonly verdict?: GateVerdict;
      readonly because: string;
    })
  | (Base & {
      readonly status: 'refused';
      readonly endedAt: number;
      readonly verdict: GateVerdict;
      readonly because: string;
    })
  | (Base & { readonly status: 'failed'; readonly endedAt: number; readonly because: string })
  | (Base & { readonly status: 'cancelled'; readonly endedAt: number; readonly because: string });

export interface RunContext {
  readonly model: string;
  readonly versions: Versions;
  readonly champion?: number;
  readonly nextNumber: number;
}

export const runEnded = (run: Run | undefined): boolean => run === undefined || 'endedAt' in run;

type Job1 = Extract<Run, { job: JobTrack }>;
type Moving = Waiting<'preparing'> | Waiting<'starting'> | Waiting<'training'> | Waiting<'evaluating'>;

export function beginRun(
  given: Pick<Base, 'id' | 'trigger' | 'plan' | 'releasedBy' | 'dataset' | 'inputs'>,
  at: number,
  rescored?: Version,
): Run {
  const known =
    rescored === undefined
      ? {}
      : {
          trained: { number: rescored.number, artifact: rescored.artifact, metrics: rescored.metrics },
          ...defined({ holdout: rescored.holdout }),
        };
  return {
    ...given,
    ...known,
    startedAt: at,
    status: 'validating',
    checked: rescored !== undefined,
    slot: false,
    deadline: at + given.plan.train.compute.maxWait,
  };
}

export const runTable: Table<Run, ModelSignal, RunContext> = {
  validating: {
    datasetChecked: (run, { at, problems }, context) =>
      problems.length > 0
        ? failed(run, at, `the dataset cannot be used: ${problems.join('; ')}`)
        : proceed({ ...run, checked: true }, at, context),
    slotGranted: (run, signal, context) => notOurs(run, signal) ?? proceed({ ...run, slot: true }, signal.at, context),
    clockTicked: (run, { at }) =>
      at >= run.deadline ? failed(run, at, `no free slot within ${durationText(run.plan.train.compute.maxWait)}`) : run,
    cancelRequested: (run, signal) => ours(run, signal) ?? cancelled(run, signal.at, by(signal)),
    effectRefused: (run, { at, because }) => failed(run, at, because),
    jobHinted: 'ignore',
    jobDescribed: 'ignore',
    jobStarted: 'ignore',
  },
  preparing: {
    ...waitingForAJob<'preparing'>(),
    jobDescribed: (run, { at, description }) =>
      described(run, at, description, (noted, done) => prepared(noted, at, done)),
  },
  starting: {
    ...waitingForAJob<'starting'>(),
    jobDescribed: (run, { at, description }, context) =>
      description.status === 'running'
        ? { ...run, status: 'training', job: running(run, at) }
        : described(run, at, description, (noted, done) => trained(noted, at, done, context)),
  },
  training: {
    ...waitingForAJob<'training'>(),
    jobDescribed: (run, { at, description }, context) =>
      described(run, at, description, (noted, done) => trained(noted, at, done, context)),
  },
  evaluating: {
    ...waitingForAJob<'evaluating'>(),
    jobDescribed: (run, { at, description }, context) =>
      described(run, at, description, (noted, done) => scored(noted, at, done.metrics ?? {}, context)),
  },
  registering: {
    versionRegistered: (run, { at }) => ended(run, at, 'succeeded', run.verdict),
    effectRefused: (run, { at, because }) => failed(run, at, `the registry refused the version: ${because}`),
    cancelRequested: refuse('the version is being registered; reject or roll it back instead'),
    clockTicked: 'ignore',
    jobHinted: 'ignore',
    jobDescribed: 'ignore',
    slotGranted: (run, signal) => notOurs(run, signal) ?? run,
  },
  stopping: {
    // The start may have been under way when the stop was decided: adopt the job, then stop it.
    jobStarted: (run, { at, job }) => ({ ...run, job: { ...run.job, id: job, lookAt: at } }),
    jobStopAsked: (run, { at }) => ({ ...run, asked: true, job: { ...run.job, lookAt: at + second } }),
    jobDescribed: (run, { at, description }) =>
      isOver(description)
        ? { ...bare(run), status: run.then, endedAt: at, because: run.because }
        : { ...run, job: lookedAt(run.job, at) },
    jobHinted: (run, { at }) => ({ ...run, job: { ...run.job, lookAt: at } }),
    // A start that is refused now was never accepted, and a job that was told to stop and cannot be described is gone.
    effectRefused: (run, { at }) =>
      run.job.id === undefined || run.asked
        ? { ...bare(run), status: run.then, endedAt: at, because: run.because }
        : { ...run, asked: true, job: { ...run.job, lookAt: at + minute } },
    cancelRequested: 'ignore',
    clockTicked: 'ignore',
    slotGranted: (run, signal) => notOurs(run, signal) ?? run,
  },
  succeeded: over(),
  refused: over(),
  failed: over(),
  cancelled: over(),
};

function waitingForAJob<Status extends Moving['status']>() {
  type Here = Extract<Moving, { status: Status }>;
  return {
    jobStarted: (run: Here, { at, job }: SignalOf<'jobStarted'>) => ({
      ...run,
      job: { ...run.job, id: job, lookAt: at },
    }),
    jobHinted: (run: Here, { at }: SignalOf<'jobHinted'>) =>
      run.job.id === undefined ? run : { ...run, job: { ...run.job, lookAt: at } },
    clockTicked: (run: Here, { at }: SignalOf<'clockTicked'>): Run =>
      at >= run.job.deadline ? stopping(run, at, 'failed', overdue(run)) : run,
    cancelRequested: (run: Here, signal: SignalOf<'cancelRequested'>): Run | Refusal =>
      ours(run, signal) ?? stopping(run, signal.at, 'cancelled', by(signal)),
    effectRefused: (run: Here, { at, because }: SignalOf<'effectRefused'>): Run => {
      const text = `the ${run.job.part} job could not be used: ${because}`;
      // One that was accepted may still run, and cost.
      return run.job.id === undefined ? failed(run, at, text) : stopping(run, at, 'failed', text);
    },
    slotGranted: (run: Here, signal: SignalOf<'slotGranted'>): Run | Refusal => notOurs(run, signal) ?? run,
    datasetChecked: 'ignore',
  } as const;
}

function over() {
  return {
    jobDescribed: 'ignore',
    jobStarted: 'ignore',
    jobHinted: 'ignore',
    jobStopAsked: 'ignore',
    datasetChecked: 'ignore',
    versionRegistered: 'ignore',
    slotGranted: refuse('the run ended already'),
    clockTicked: 'ignore',
    effectRefused: 'ignore',
    cancelRequested: refuse('the run has ended already'),
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
    case 'registering':
      return [{ key: `run/${run.id}/register`, kind: 'register', version: registration(run, context) }];
    case 'preparing':
    case 'starting':
    case 'training':
    case 'evaluating':
      return owedForJob(run, now, context);
    case 'stopping':
      return run.job.id !== undefined && !run.asked
        ? [{ key: `run/${jobKey(run)}/stop`, kind: 'stopJob', id: run.job.id }]
        : owedForJob(run, now, context);
    default:
      return [];
  }
}

export function runWakes(run: Run): number | undefined {
  if (run.status === 'validating') return run.deadline;
  if (!('job' in run)) return undefined;
  const next = run.job.id === undefined ? run.job.notBefore : run.job.lookAt;
  return run.status === 'stopping' ? next : Math.min(run.job.deadline, next);
}

/** The score key: one score per artifact, hold-out and evaluator. */
export const scoreKey = (artifact: Artifact, holdout: Source, evaluate: Program): string =>
  digestOf([
    artifact.digest,
    holdout.kind === 'artifact' ? holdout.artifact.digest : [holdout.key, holdout.under ?? ''],
    evaluate,
  ]).slice(0, 16);

/** Digest of what makes two runs equal: dataset, code and parameters. */
export const inputsOf = (dataset: DatasetVersion, plan: ModelPlan, trigger: Trigger): string =>
  digestOf([
    dataset.digest,
    plan.train,
    plan.split ?? '',
    plan.evaluate ?? '',
    plan.gate ?? '',
    trigger.commit ?? '',
    trigger.image ?? '',
    trigger.hyperparameters ?? '',
    trigger.version ?? '',
  ]).slice(0, 32);

/** Forwards once the dataset is checked and a slot is reserved. */
function proceed(run: Extract<Run, { status: 'validating' }>, at: number, context: RunContext): Run {
  if (!run.checked || !run.slot) return run;
  const { checked: _, slot: __, deadline: ___, status: ____, ...base } = run;
  if (run.trigger.kind === 'rescore') return evaluateNext(base, at, context);
  const all: Source = { kind: 'manifest', bucket: 'serin', key: run.dataset.manifest };
  const { split } = run.plan;
  if (split === undefined) return begun({ ...base, train: all }, 'starting', 'train', at);
  if (split.kind === 'job') return begun(base, 'preparing', 'prepare', at);
  const part = (under: string): Source => ({ ...all, under: run.dataset.prefix + under });
  return begun(
    {
      ...base,
      train: part(split.train),
      holdout: part(split.holdout),
      split: { rule: `by manifest: ${split.train} and ${split.holdout}`, metrics: {} },
    },
    'starting',
    'train',
    at,
  );
}

function prepared(run: Base, at: number, done: JobDescription): Run {
  const { train, holdout } = done.artifacts ?? {};
  if (train === undefined || holdout === undefined)
    return failed(run, at, 'the prepare job left no train or no holdout channel');
  const rule = run.plan.split?.kind === 'job' ? run.plan.split.rule : '';
  const split = { rule, metrics: done.metrics ?? {} };
  return begun(
    { ...run, train: { kind: 'artifact', artifact: train }, holdout: { kind: 'artifact', artifact: holdout }, split },
    'starting',
    'train',
    at,
  );
}

function trained(run: Moving, at: number, done: JobDescription, context: RunContext): Run {
  const artifact = done.artifacts?.model;
  if (artifact === undefined) return failed(run, at, 'the training job succeeded without a model artifact');
  return evaluateNext(
    { ...bare(run), trained: { number: context.nextNumber, artifact, metrics: done.metrics ?? {} } },
    at,
    context,
  );
}

function scored(run: Waiting<'evaluating'>, at: number, metrics: Metrics, context: RunContext): Run {
  const base = bare(run);
  return run.job.part === 'champion'
    ? evaluateNext({ ...base, championScore: metrics }, at, context)
    : evaluateNext({ ...base, scored: metrics }, at, context);
}

/** The next thing that the gate needs, or its verdict. A challenger that fails an absolute bound costs no second job. */
function evaluateNext(run: Base, at: number, { versions, champion: current }: RunContext): Run {
  const { evaluate, gate = {} } = run.plan;
  if (evaluate === undefined) return passed(run, at);
  if (run.scored === undefined) return begun(run, 'evaluating', 'evaluate', at);
  const challenger = { metrics: run.scored, unread: run.unread?.evaluate };
  const absolute = judgeGate(gate, challenger);
  if (!absolute.passed) return ended(run, at, 'refused', absolute);
  const champion = versionOf(versions, run.against ?? current);
  if (champion === undefined || champion.number === run.trained?.number || !comparesWithChampion(gate))
    return passed(run, at, absolute);
  const known =
    run.championScore ??
    (run.holdout === undefined
      ? undefined
      : champion.scores[scoreKey(champion.artifact, run.holdout, champion.evaluate ?? evaluate)]);
  if (known === undefined) return begun({ ...run, against: champion.number }, 'evaluating', 'champion', at);
  const other = { version: champion.number, metrics: known, unread: run.unread?.champion };
  const verdict = judgeGate(gate, challenger, other);
  const compared = { ...run, against: champion.number, championScore: known };
  return verdict.passed ? passed(compared, at, verdict) : ended(compared, at, 'refused', verdict);
}

function passed(run: Base, at: number, verdict?: GateVerdict): Run {
  return run.trigger.kind === 'rescore'
    ? ended(run, at, 'succeeded', verdict)
    : { ...run, status: 'registering', ...defined({ verdict }) };
}

function ended(run: Base, at: number, status: 'succeeded' | 'refused', verdict: GateVerdict | undefined): Run {
  const because = verdict === undefined ? 'trained; nothing to gate' : gateText(verdict);
  if (status === 'refused' && verdict !== undefined) return { ...bare(run), status, endedAt: at, because, verdict };
  return { ...bare(run), status: 'succeeded', endedAt: at, because, ...defined({ verdict }) };
}

const failed = (run: Base, at: number, because: string): Run => ({
  ...bare(run),
  status: 'failed',
  endedAt: at,
  because,
});
const cancelled = (run: Base, at: number, because: string): Run => ({
  ...bare(run),
  status: 'cancelled',
  endedAt: at,
  because,
});

function stopping(run: Job1, at: number, then: 'failed' | 'cancelled', because: string): Run {
  // The next attempt is still to come: there is no job, and none is bought to be stopped.
  if (at < run.job.notBefore) return { ...bare(run), status: then, endedAt: at, because };
  return { ...bare(run), status: 'stopping', job: { ...run.job, lookAt: at }, then, because, asked: false };
}

/** Only what every state has. */
function bare(run: Base): Base {
  const {
    id,
    trigger,
    plan,
    releasedBy,
    dataset,
    inputs,
    startedAt,
    train,
    holdout,
    split,
    trained,
    scored,
    against,
    championScore,
    unread,
  } = run;
  return {
    id,
    trigger,
    plan,
    dataset,
    inputs,
    startedAt,
    ...defined({ releasedBy, train, holdout, split, trained, scored, against, championScore, unread }),
  };
}

function begun(
  run: Base,
  status: Moving['status'],
  part: JobTrack['part'],
  at: number,
  attempt = 1,
  notBefore = at,
): Run {
  const wait = computeOf(run.plan, part).maxWait;
  return {
    ...bare(run),
    status,
    job: { part, attempt, notBefore, deadline: notBefore + wait, looks: 0, lookAt: notBefore },
  };
}

/** A description of the job that is waited for: still going, gone wrong, worth another attempt, or done. */
function described<Here extends Moving>(
  run: Here,
  at: number,
  description: JobDescription,
  done: (run: Here, description: JobDescription) => Run,
): Run {
  if (!isOver(description))
    return { ...run, job: description.status === 'running' ? running(run, at) : lookedAt(run.job, at) };
  const { part, attempt } = run.job;
  if (description.status === 'succeeded') {
    const { unread = {} } = description;
    const noted = Object.keys(unread).length === 0 ? run : { ...run, unread: { ...run.unread, [part]: unread } };
    return done(noted, description);
  }
  const because = `the ${part} job ${description.status}: ${description.reason ?? 'without a reason'}`;
  if (description.retryable === undefined || attempt >= run.plan.train.attempts)
    return failed(run, at, attempt > 1 ? `${because} (attempt ${attempt})` : because);
  const pause = (description.retryable === 'capacity' ? 5 * minute : 10 * second) * 2 ** (attempt - 1);
  return begun(run, run.status === 'training' ? 'starting' : run.status, part, at, attempt + 1, at + pause);
}

const isOver = ({ status }: JobDescription): boolean =>
  status === 'succeeded' || status === 'failed' || status === 'stopped';

function running(run: Moving, at: number): JobTrack {
  const job = lookedAt(run.job, at);
  // Grace beyond the provider's own bound: it should end the job itself, with a better reason than ours.
  return job.running
    ? job
    : { ...job, running: true, deadline: at + computeOf(run.plan, job.part).maxRuntime + 5 * minute };
}

const lookedAt = (job: JobTrack, at: number): JobTrack => ({
  ...job,
  looks: job.looks + 1,
  lookAt: at + Math.min(minute, second * 2 ** Math.min(job.looks, 6)),
});

function overdue({ plan, job }: Job1): string {
  const { maxRuntime, maxWait } = computeOf(plan, job.part);
  return job.running
    ? `the ${job.part} job ran longer than maxRuntime (${durationText(maxRuntime)})`
    : `the ${job.part} job did not start within maxWait (${durationText(maxWait)})`;
}

function owedForJob(run: Job1, now: number, context: RunContext): readonly Effect[] {
  const { job } = run;
  const key = `run/${jobKey(run)}`;
  if (job.id !== undefined)
    return now >= job.lookAt ? [{ key: `${key}/describe`, kind: 'describeJob', id: job.id }] : [];
  return now >= job.notBefore ? [{ key: `${key}/start`, kind: 'startJob', job: jobOf(run, context) }] : [];
}

const jobKey = ({ id, job }: Job1): string => `${id}/${job.part}/${job.attempt}`;

const parts = {
  prepare: { kind: 'prepare', outputs: ['train', 'holdout'] },
  train: { kind: 'train', outputs: ['model'] },
  evaluate: { kind: 'evaluate', outputs: [] },
  champion: { kind: 'evaluate', outputs: [] },
} as const;

function jobOf(run: Job1, { model, versions }: RunContext): Job {
  const { part } = run.job;
  const compute = computeOf(run.plan, part);
  const { train } = run.plan;
  const common = {
    key: jobKey(run),
    ...parts[part],
    project: run.plan.project,
    model,
    maxRuntimeMs: compute.maxRuntime,
    maxWaitMs: compute.maxWait,
    compute: { nodes: compute.nodes, spot: compute.spot, ...defined({ accelerator: compute.accelerator }) },
  };
  const quiet = { hyperparameters: {}, metrics: [] };
  const evaluated = part === 'champion' ? versionOf(versions, run.against) : undefined;
  const artifact = evaluated?.artifact ?? run.trained?.artifact;
  switch (part) {
    case 'prepare':
      return {
        ...common,
        ...quiet,
        ...programOf(run.plan.split),
        channels: { data: { kind: 'manifest', bucket: 'serin', key: run.dataset.manifest } },
      };
    case 'train':
      return {
        ...common,
        ...programOf(train),
        ...(run.trigger.image === undefined ? {} : { image: run.trigger.image }),
        hyperparameters: hyperparametersOf(run.plan, run.trigger),
        channels: { ...(run.train === undefined ? {} : { train: run.train }) },
        metrics: train.metrics,
        ...(train.checkpoints ? { checkpoints: `${model}/${run.id}` } : {}),
      };
    default:
      return {
        ...common,
        ...quiet,
        ...programOf(evaluated?.evaluate ?? run.plan.evaluate),
        channels: {
          ...(artifact === undefined ? {} : { model: { kind: 'artifact', artifact } as const }),
          ...(run.holdout === undefined ? {} : { holdout: run.holdout }),
        },
      };
  }
}

function programOf(program: ModelPlan['split'] | Program | undefined): Program {
  if (program === undefined || !('command' in program)) return { command: [], environment: {} };
  const { code, image, command, environment } = program;
  return { command, environment, ...defined({ code, image }) };
}

function computeOf(plan: ModelPlan, part: JobTrack['part']): JobCompute {
  if (part === 'train') return plan.train.compute;
  if (part === 'prepare') return plan.split?.kind === 'job' ? plan.split.compute : plan.train.compute;
  return plan.evaluate?.compute ?? plan.train.compute;
}

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

/** A reservation expires by itself, so a run that was lost cannot hold a slot for ever. */
const slotUntil = ({ startedAt, plan }: Base): number => {
  const { maxWait, maxRuntime } = plan.train.compute;
  return startedAt + plan.train.attempts * (maxWait + maxRuntime) + 3 * 24 * 60 * minute;
};

/** A slot for a run that is over is given back: the project hears the refusal. */
const notOurs = (run: Base, signal: SignalOf<'slotGranted'>): Refusal | undefined =>
  signal.run === run.id ? undefined : refuse(`run ${signal.run} is not active`);

const by = ({ actor }: SignalOf<'cancelRequested'>): string => `cancelled by ${actor.subject}`;

function ours(run: Base, signal: SignalOf<'cancelRequested'>): Refusal | undefined {
  return signal.run === undefined || signal.run === run.id
    ? undefined
    : refuse(`run ${signal.run} is not active; ${run.id} is`);
}
