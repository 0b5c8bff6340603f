import { digestOf } from '../../base/json.ts';
import { defined } from '../../base/objects.ts';
import type { ModelPlan, Program } from '../../config/config.ts';
import { type StepName, stepNames } from '../../config/parts.ts';
import type { Artifact, Job, JobDescription, Source } from '../../ports/jobs.ts';
import type { DatasetVersion } from '../intake/protocol.ts';
import { hyperparametersOf } from '../trigger.ts';
import { type Version, versionOf } from '../version.ts';
import { comparesWithChampion, type GateVerdict, judgeGate, type Metrics } from './gate.ts';
import type { Trigger } from './protocol.ts';
import type { Base, RunContext } from './state.ts';

/** What the steps of a run leave in it. */
export interface Results {
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
}

/** A step of a run, as far as the run itself says. */
interface Step {
  /** Whether it is next, once each step before it is done or not needed. */
  readonly isDue: (run: Base, context: RunContext) => boolean;
  /** What the run holds from when the job is asked for. */
  readonly begin?: (run: Base, context: RunContext) => Base;
  readonly channels: (run: Base, context: RunContext) => Job['channels'];
  /** What runs in place of the plan's program. */
  readonly program?: (run: Base, context: RunContext) => Program | undefined;
  /** What the job has that others have not. */
  readonly job?: (run: Base, context: RunContext) => Partial<Job>;
  /** What the run holds once the job has succeeded; a text says why what it left is not enough. */
  readonly end: (run: Base, done: JobDescription, context: RunContext) => Base | string;
}

/** The steps of config/parts.ts, which says their order. */
export const steps: Readonly<Record<StepName, Step>> = {
  prepare: {
    isDue: ({ plan, train, trained }) => plan.split?.kind === 'job' && train === undefined && trained === undefined,
    channels: (run) => ({ data: wholeDataset(run) }),
    end: endPrepare,
  },
  train: {
    isDue: ({ trained }) => trained === undefined,
    channels: (run) => ({ ...(run.train === undefined ? {} : { train: run.train }) }),
    job: ({ plan, trigger, id }, { model }) => ({
      ...(trigger.image === undefined ? {} : { image: trigger.image }),
      hyperparameters: hyperparametersOf(plan, trigger),
      metrics: plan.train.metrics,
      ...(plan.train.checkpoints ? { checkpoints: `${model}/${id}` } : {}),
    }),
    end: (run, { artifacts, metrics = {} }, { nextNumber: number }) =>
      artifacts?.model === undefined
        ? 'the training job succeeded without a model artifact'
        : { ...run, trained: { number, artifact: artifacts.model, metrics } },
  },
  evaluate: {
    isDue: ({ plan, scored }) => plan.evaluate !== undefined && scored === undefined,
    channels: ({ trained, holdout }) => toScore(trained?.artifact, holdout),
    end: (run, { metrics = {} }) => ({ ...run, scored: metrics }),
  },
  champion: {
    // A challenger that fails an absolute bound costs no second job.
    isDue: (run, context) => judgeBounds(run).passed && rivalOf(run, context)?.isScored === false,
    begin: (run, context) => ({ ...run, ...defined({ against: rivalOf(run, context)?.number }) }),
    channels: (run, { versions }) => toScore((versionOf(versions, run.against) ?? run.trained)?.artifact, run.holdout),
    program: (run, { versions }) => versionOf(versions, run.against)?.evaluate,
    end: (run, { metrics = {} }) => ({ ...run, championScore: metrics }),
  },
};

/** `undefined`: nothing more is to be run. */
export const nextStep = (run: Base, context: RunContext): StepName | undefined =>
  stepNames.find((name) => steps[name].isDue(run, context));

/** Where the trainer's data comes from, of a plan that cuts the hold-out without a job. */
export function withData(run: Base): Base {
  const { split } = run.plan;
  if (run.trained !== undefined || split?.kind === 'job') return run;
  const all = wholeDataset(run);
  if (split === undefined) return { ...run, train: all };
  const part = (under: string): Source => ({ ...all, under: run.dataset.prefix + under });
  return {
    ...run,
    train: part(split.train),
    holdout: part(split.holdout),
    split: { rule: `by manifest: ${split.train} and ${split.holdout}`, metrics: {} },
  };
}

/** The gate's verdict on what was scored, and what it was compared with; without a verdict there is nothing to gate. */
export function judgeRun(run: Base, context: RunContext): { readonly run: Base; readonly verdict?: GateVerdict } {
  if (run.plan.evaluate === undefined) return { run };
  const verdict = judgeBounds(run);
  const rival = verdict.passed ? rivalOf(run, context) : undefined;
  if (rival?.isScored !== true) return { run, verdict };
  const champion = { version: rival.number, metrics: rival.score, unread: run.unread?.champion };
  return {
    run: { ...run, against: rival.number, championScore: rival.score },
    verdict: judgeGate(run.plan.gate ?? {}, challengerOf(run), champion),
  };
}

/**
 * Digest of what makes two runs equal: dataset, code and parameters, and what would refuse the dataset, which is less for a
 * run that an alert asks for.
 */
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
    // A plan without it keeps its digest.
    ...(plan.validate === undefined ? [] : [plan.validate]),
    ...(plan.validate !== undefined && trigger.kind === 'drift' ? ['drift'] : []),
  ]).slice(0, 32);

/** The runs that a finished run makes needless: its data was not refused, so a drop would train the same as an alert. */
export const equalInputs = ({ dataset, plan, trigger }: Base): readonly string[] =>
  (['drift', 'data'] as const).map((kind) => inputsOf(dataset, plan, { ...trigger, kind }));

/** The score key: one score per artifact, hold-out and evaluator. */
export const scoreKey = (artifact: Artifact, holdout: Source, evaluate: Program): string =>
  digestOf([
    artifact.digest,
    holdout.kind === 'artifact' ? holdout.artifact.digest : [holdout.key, holdout.under ?? ''],
    evaluate,
  ]).slice(0, 16);

/** What the evaluate job of a version measured on the hold-out of its own training. */
export const ownScore = ({ artifact, holdout, evaluate, scores }: Version): Metrics | undefined =>
  holdout && evaluate && scores[scoreKey(artifact, holdout, evaluate)];

function endPrepare(run: Base, done: JobDescription): Base | string {
  const { train, holdout } = done.artifacts ?? {};
  if (train === undefined || holdout === undefined) return 'the prepare job left no train or no holdout channel';
  const rule = run.plan.split?.kind === 'job' ? run.plan.split.rule : '';
  return {
    ...run,
    train: { kind: 'artifact', artifact: train },
    holdout: { kind: 'artifact', artifact: holdout },
    split: { rule, metrics: done.metrics ?? {} },
  };
}

const wholeDataset = ({ dataset }: Base): Extract<Source, { kind: 'manifest' }> => ({
  kind: 'manifest',
  bucket: 'serin',
  key: dataset.manifest,
});

const toScore = (artifact: Artifact | undefined, holdout: Source | undefined): Job['channels'] => ({
  ...(artifact === undefined ? {} : { model: { kind: 'artifact', artifact } as const }),
  ...(holdout === undefined ? {} : { holdout }),
});

const challengerOf = ({ scored = {}, unread }: Base) => ({ metrics: scored, unread: unread?.evaluate });
/** The bounds that need no champion. */
const judgeBounds = (run: Base): GateVerdict => judgeGate(run.plan.gate ?? {}, challengerOf(run));

type Rival = { readonly number: number } & (
  | { readonly isScored: true; readonly score: Metrics }
  | { readonly isScored: false }
);

/** The champion that the challenger is compared with, and its score on the same hold-out where that is known. */
function rivalOf(run: Base, { versions, champion: current }: RunContext): Rival | undefined {
  const { evaluate, gate = {} } = run.plan;
  const champion = versionOf(versions, run.against ?? current);
  if (evaluate === undefined || champion === undefined || !comparesWithChampion(gate)) return undefined;
  const { number, artifact, scores } = champion;
  if (number === run.trained?.number) return undefined;
  const key = run.holdout === undefined ? '' : scoreKey(artifact, run.holdout, champion.evaluate ?? evaluate);
  const score = run.championScore ?? scores[key];
  return score === undefined ? { number, isScored: false } : { number, isScored: true, score };
}
