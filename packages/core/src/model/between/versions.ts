import { defined } from '../../base/objects.ts';
import type { Run } from '../run/state.ts';
import { scoreKey } from '../run/steps.ts';
import type { Model, Moment } from '../state.ts';
import { hyperparametersOf } from '../trigger.ts';
import { type Version, versionOf } from '../version.ts';

export const withVersion = (model: Model, version: Version): Model => ({
  ...model,
  versions: { ...model.versions, [String(version.number)]: version },
});

/** A version's number is given when its training succeeds. */
export function numberTrained(model: Model, { at }: Moment): Model {
  const { run } = model;
  if (
    run?.trained === undefined ||
    run.trigger.kind === 'rescore' ||
    model.versions[String(run.trained.number)] !== undefined
  )
    return model;
  const { number, artifact, metrics } = run.trained;
  const { evaluate, serve } = run.plan;
  const version: Version = {
    number,
    run: run.id,
    at,
    dataset: run.dataset.digest,
    artifact,
    metrics,
    scores: {},
    serve,
    lineage: lineageOf(run),
    ...defined({ evaluate, holdout: run.holdout, data: run.data }),
  };
  const versions = { ...model.versions, [String(number)]: version };
  return { ...model, nextNumber: number + 1, versions: prune(versions, model, number) };
}

/** The newest twenty versions, and those that are still in use. */
function prune(versions: Model['versions'], model: Model, newest: number): Model['versions'] {
  const inUse = new Set([
    newest,
    model.champion,
    model.offered?.version,
    model.rollout?.candidate,
    model.rollout?.stable,
    ...model.lastGood.slice(-2),
  ]);
  return Object.fromEntries(
    Object.entries(versions).filter(([, { number }]) => number > newest - 20 || inUse.has(number)),
  );
}

function lineageOf(run: Run): Version['lineage'] {
  const { trigger, plan, dataset } = run;
  const lineage = {
    run: run.id,
    trigger: trigger.kind,
    dataset: dataset.digest,
    manifest: dataset.manifest,
    code: plan.train.code?.digest,
    image: trigger.image ?? plan.train.image,
    startedBy: trigger.by,
    releasedBy: run.releasedBy?.join(', '),
    droppedBy: dataset.by?.join(', '),
    fourEyes: plan.approval?.fourEyes ? 'wanted' : undefined,
    commit: trigger.commit,
    split: run.split?.rule,
    hyperparameters: JSON.stringify(hyperparametersOf(plan, trigger)),
  };
  return defined(lineage) as Version['lineage'];
}

export function keepScores(model: Model): Model {
  const { run } = model;
  const { evaluate } = run?.plan ?? {};
  if (run?.holdout === undefined || evaluate === undefined || model.settledRun === run.id) return model;
  const holdout = run.holdout;
  const keep = (
    into: Model,
    number: number | undefined,
    metrics: Readonly<Record<string, number>> | undefined,
  ): Model => {
    const version = versionOf(into.versions, number);
    if (version === undefined || metrics === undefined) return into;
    const key = scoreKey(version.artifact, holdout, version.evaluate ?? evaluate);
    if (version.scores[key] !== undefined) return into;
    return withVersion(into, { ...version, scores: withScore(version, key, metrics) });
  };
  return keep(keep(model, run.trained?.number, run.scored), run.against, run.championScore);
}

/** The first is kept: a version is scored first on the hold-out of its own training. */
function withScore({ scores }: Version, key: string, metrics: Version['metrics']): Version['scores'] {
  const [first, ...later] = Object.entries({ ...scores, [key]: metrics });
  return Object.fromEntries(first === undefined ? [] : [first, ...later.slice(-2)]);
}
