import { step } from '@serin/core/base/table';
import type { CompiledConfig, ModelPlan } from '@serin/core/config/config';
import { stepPlan } from '@serin/core/config/parts';
import { deploymentOf } from '@serin/core/model/between/endpoint-wish';
import { withVersion } from '@serin/core/model/between/versions';
import type { DatasetVersion } from '@serin/core/model/intake/protocol';
import type { ModelSignal } from '@serin/core/model/protocol';
import type { Criteria } from '@serin/core/model/run/gate';
import { beginRun, type Run, type RunContext } from '@serin/core/model/run/state';
import { runOwes, runTable } from '@serin/core/model/run/table';
import { modelStart } from '@serin/core/model/state';
import type { Ask, ModelAsks } from '@serin/core/ports/ask';
import { ownBucket } from '@serin/core/ports/bucket';
import type { Artifact } from '@serin/core/ports/jobs';
import type { RegisteredVersion } from '@serin/core/ports/registry';
import type { Deployment } from '@serin/core/ports/serving';

const longestWalk = 50;
const runId = 'run_00000000-0000-7000-8000-000000000000';

/**
 * Everything that the first run of each model and its first deployment ask of a provider, in order.
 *
 * The real machine of a run walks here, and is told that everything went well. What is only known then stands as zeros or in
 * angle brackets: the run's id and so the hashes of names, the dataset, where a job leaves its files.
 */
export function firstAsks(config: CompiledConfig): readonly ModelAsks[] {
  return Object.entries(config.models).map(([model, plan]) => {
    const asks = askedByRun(model, plan);
    const version = asks.find((ask) => ask.kind === 'version')?.version;
    const deployment = version === undefined ? undefined : firstDeployment(model, plan, version);
    return {
      model,
      asks: deployment === undefined ? asks : [...asks, { kind: 'deploy', deployment }],
    };
  });
}

/** The dataset of the walk: no object of it exists. */
export const datasetOf = ({ data }: ModelPlan): DatasetVersion => ({
  digest: '<dataset>',
  bucket: data.bucket,
  prefix: data.prefix,
  manifest: 'datasets/<dataset>.json',
  objects: 1,
  bytes: 1,
  at: 0,
});

function askedByRun(model: string, plan: ModelPlan): readonly Ask[] {
  const context: RunContext = { model, versions: {}, nextNumber: 1 };
  const trigger = { kind: 'data' } as const;
  let run: Run = beginRun({ id: runId, trigger, plan, dataset: datasetOf(plan), inputs: '<inputs>' }, 0);
  const asks: Ask[] = [];
  for (let at = 1; at < longestWalk && !('endedAt' in run); at += 1) {
    const [owed] = runOwes(run, at, context);
    const told = owed === undefined ? undefined : answerTo(owed, run);
    if (told === undefined) break;
    if (told.ask !== undefined) asks.push(told.ask);
    const stamp = { id: `walk-${at}`, at, actor: { subject: 'plan', issuer: 'plan', role: 'system' } as const };
    const moved: ReturnType<typeof step<Run, ModelSignal, RunContext>> = step(
      runTable,
      run,
      { ...stamp, key: owed?.key ?? '', taken: 0, ...told.signal } as ModelSignal,
      context,
    );
    if (!('moved' in moved)) break;
    run = moved.moved;
  }
  return asks;
}

/** The best answer that an effect of a run can get. */
function answerTo(
  owed: ReturnType<typeof runOwes>[number],
  run: Run,
): { readonly signal: { readonly type: ModelSignal['type'] }; readonly ask?: Ask } | undefined {
  const told = <Signal extends { readonly type: ModelSignal['type'] }>(signal: Signal, ask?: Ask) => ({
    signal,
    ...(ask === undefined ? {} : { ask }),
  });
  switch (owed.kind) {
    case 'checkDataset':
      return told({ type: 'datasetChecked', problems: [] });
    case 'tell':
      return told({ type: 'slotGranted', run: run.id });
    case 'startJob':
      return told({ type: 'jobStarted', job: `${owed.job.kind}/<job>` }, { kind: 'job', job: owed.job });
    case 'describeJob':
      return told({
        type: 'jobDescribed',
        description: { status: 'succeeded', metrics: passing(run.plan.gate ?? {}), artifacts: leftBy(run) },
      });
    case 'register':
      return told({ type: 'versionRegistered' }, { kind: 'version', version: owed.version });
    default:
      return undefined;
  }
}

const left = (what: string): Artifact => ({
  uri: `s3://${ownBucket}/jobs/<job>/${what}`,
  digest: '0'.repeat(64),
  bytes: 1,
});
/** A trainer leaves an archive, other jobs a folder for each output. */
function leftBy(run: Run): Readonly<Record<string, Artifact>> {
  if (!('job' in run)) return {};
  const { kind, outputs } = stepPlan(run.job.part);
  const place = (output: string) => (kind === 'train' ? `output/${output}.tar.gz` : `output/${output}/`);
  return Object.fromEntries(outputs.map((output) => [output, left(place(output))]));
}

const passing = (gate: Criteria): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(gate).map(([name, { atLeast, atMost }]) => [name, atLeast ?? atMost ?? 0]));

function firstDeployment(model: string, plan: ModelPlan, registered: RegisteredVersion): Deployment | undefined {
  const { number, artifact, metrics, lineage } = registered;
  const version = {
    number,
    run: runId,
    at: 0,
    dataset: '<dataset>',
    artifact,
    metrics,
    scores: {},
    serve: plan.serve,
    lineage,
  };
  return deploymentOf(withVersion(modelStart(model, plan, 1, 0), version), number);
}
