import type { Run } from '@serin/core/model/run/state';
import { hyperparametersOf } from '@serin/core/model/trigger';
import { experimentOf, recordOf } from './experiments.ts';
import type { Pair, Point } from './fields.ts';
import type { Seen } from './search.ts';
import type { Item, Store } from './store.ts';

/** A run as clients read it. */
export type RunView = ReturnType<typeof clientRun>;

/** Where the files of a run are, below the folder of artifacts. */
export const runRoot = (run: string): string => `runs/${run}/artifacts`;

/** The step that scores the champion once more: what it logs is not about the model of its run. */
const rival = 'champion';
const isRival = (scope: string): boolean => scope.startsWith(`${rival}/`);

const byTime = (a: Point, b: Point): number => a.step - b.step || a.timestamp - b.timestamp;

/** The last value of each metric that was logged, by name; those of the champion's evaluation begin with `champion/`. */
function loggedPoints(store: Store, run: string): readonly Point[] {
  const last = new Map<string, Point>();
  for (const scope of store.scopes(run))
    for (const found of store.lastPoints(run, scope)) {
      const point = isRival(scope) ? { ...found, key: `${rival}/${found.key}` } : found;
      const known = last.get(point.key);
      if (known === undefined || byTime(known, point) <= 0) last.set(point.key, point);
    }
  return [...last.values()];
}

/** All values of a metric of a run, the oldest first. */
export function historyOf(store: Store, run: string, key: string): readonly Point[] {
  return store
    .scopes(run)
    .flatMap((scope) => {
      const name = isRival(scope) ? key.slice(rival.length + 1) : key;
      if (isRival(scope) !== key.startsWith(`${rival}/`)) return [];
      return store.history(run, scope, name).map((point) => ({ ...point, key }));
    })
    .toSorted(byTime);
}

/** What Serin recorded of a run. What its hold-out says wins over what its training said, as in its version. */
function recordedMetrics({ trained, scored, championScore }: Run): Readonly<Record<string, number>> {
  const ofRival = Object.entries(championScore ?? {}).map(([name, value]) => [`${rival}/${name}`, value] as const);
  return { ...trained?.metrics, ...scored, ...Object.fromEntries(ofRival) };
}

/** What is in a run: what its program logged, and over it what Serin recorded and decided by. */
export function serinPoints(store: Store, run: Run): readonly Point[] {
  const logged = new Map(loggedPoints(store, run.id).map((point) => [point.key, point]));
  const timestamp = 'endedAt' in run ? run.endedAt : run.startedAt;
  for (const [key, value] of Object.entries(recordedMetrics(run))) {
    const known = logged.get(key);
    if (known?.value !== value) logged.set(key, { key, value, timestamp, step: known?.step ?? 0 });
  }
  return [...logged.values()];
}

/** Every other status means that the run works. A run that the gate refused has finished. */
const statuses: Partial<Readonly<Record<Run['status'], string>>> = {
  validating: 'SCHEDULED',
  succeeded: 'FINISHED',
  refused: 'FINISHED',
  failed: 'FAILED',
  cancelled: 'KILLED',
};

/** A run of Serin, with what its program logged. */
export function serinRun(store: Store, run: Run, model: string): RunView {
  const { id, trigger, plan, dataset } = run;
  const number = run.trained?.number;
  const facts = {
    'serin.run': id,
    'serin.model': model,
    'serin.status': run.status,
    'serin.trigger': trigger.kind,
    'serin.dataset': dataset.digest,
    'mlflow.user': trigger.by ?? 'serin',
    'mlflow.source.type': 'PROJECT',
    'mlflow.source.name': plan.train.command.join(' '),
    'mlflow.runName': number === undefined ? id : `v${number}`,
    ...(number === undefined ? {} : { 'serin.version': String(number) }),
    ...(trigger.commit === undefined ? {} : { 'mlflow.source.git.commit': trigger.commit }),
    ...('because' in run ? { 'serin.because': run.because } : {}),
  };
  const logged = (kind: 'tag' | 'param') =>
    recordOf(store.texts(kind, `run/${id}`).filter(({ scope }) => !isRival(scope)));
  const tags = { ...facts, ...logged('tag') };
  const params = { ...hyperparametersOf(plan, trigger), ...logged('param') };
  const trained = {
    tags: [{ key: 'mlflow.data.context', value: 'training' }],
    dataset: {
      name: `${dataset.bucket}/${dataset.prefix}`,
      digest: dataset.digest.slice(0, 36),
      source_type: 'serin',
      source: JSON.stringify({ manifest: dataset.manifest, digest: dataset.digest }),
    },
  };
  return view(store, {
    info: {
      ...idsOf(id, experimentOf(model), tags),
      status: statuses[run.status] ?? 'RUNNING',
      start_time: run.startedAt,
      ...('endedAt' in run ? { end_time: run.endedAt } : {}),
      lifecycle_stage: 'active',
    },
    data: { metrics: serinPoints(store, run), params: pairsOf(params), tags: pairsOf(tags) },
    inputs: [trained],
  });
}

/** A run that a client made. */
export function clientRun(store: Store, { id, parent, body }: Item<'run'>) {
  const tags = { 'mlflow.user': body.user, ...recordOf(store.texts('tag', `run/${id}`)) };
  return view(store, {
    info: {
      ...idsOf(id, parent, tags),
      status: body.status,
      start_time: body.startedAt,
      ...(body.endedAt === undefined ? {} : { end_time: body.endedAt }),
      lifecycle_stage: body.isDeleted === true ? 'deleted' : 'active',
    },
    data: {
      metrics: loggedPoints(store, id),
      params: pairsOf(recordOf(store.texts('param', `run/${id}`))),
      tags: pairsOf(tags),
    },
    inputs: [],
  });
}

interface Info extends ReturnType<typeof idsOf> {
  readonly status: string;
  readonly start_time: number;
  readonly end_time?: number;
  readonly lifecycle_stage: string;
}

interface Given {
  readonly info: Info;
  readonly data: {
    readonly metrics: readonly Point[];
    readonly params: readonly Pair[];
    readonly tags: readonly Pair[];
  };
  readonly inputs: readonly unknown[];
}

const view = (store: Store, { info, data, inputs }: Given) => ({
  info,
  data,
  inputs: {
    dataset_inputs: [
      ...inputs,
      ...store.texts('input', `run/${info.run_id}`).map(({ value }): unknown => JSON.parse(value)),
    ],
  },
  outputs: {
    model_outputs: store.below('model', `run/${info.run_id}`).map(({ id }) => ({ model_id: id, step: 0 })),
  },
});

const idsOf = (id: string, experiment: string, tags: Readonly<Record<string, string>>) => ({
  run_id: id,
  run_uuid: id,
  run_name: tags['mlflow.runName'] ?? id,
  experiment_id: experiment,
  user_id: tags['mlflow.user'] ?? '',
  artifact_uri: `mlflow-artifacts:/${runRoot(id)}`,
});

const pairsOf = (record: Readonly<Record<string, string>>): readonly Pair[] =>
  Object.entries(record).map(([key, value]) => ({ key, value }));

/** What a search of runs looks at. */
export const seenRun = ({ info, data }: RunView): Seen => ({
  attributes: { end_time: undefined, ...info },
  metrics: Object.fromEntries(data.metrics.map(({ key, value }) => [key, value])),
  params: recordOf(data.params),
  tags: recordOf(data.tags),
});
