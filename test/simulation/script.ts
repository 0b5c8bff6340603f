import type { Config } from '@serin/core/config/config';
import type { Model } from '@serin/core/model/state';
import type { Job } from '@serin/core/ports/jobs';
import { secret } from './invariants.ts';
import type { Outside, Universe } from './universe.ts';

export interface Scenario {
  readonly name: string;
  /** Few enough calls to die at each of them in every run of the checks. */
  readonly brief?: true;
  /** It is about one machine, and no cloud has it. */
  readonly one?: true;
  readonly outside?: Outside;
  /** What the users do. */
  readonly act: (universe: Universe) => Promise<void>;
  /** What must be at rest. `calm`: nothing failed but, at most, one process died. */
  readonly expect: (universe: Universe, calm: boolean) => void;
}

export type Given = Config['models'][string];
export const minute = 60_000;

export const given: Given = {
  data: { bucket: 'drops', prefix: 'fraud/', settle: { quiet: '10s', atMost: '1m' } },
  split: { holdout: { by: 'time', column: 'day', last: '20%' } },
  train: { code: './src', command: ['node', 'train.mjs'], environment: { TOKEN: secret } },
  evaluate: { command: ['node', 'evaluate.mjs'] },
  gate: { auc: { direction: 'up', atLeast: 0.5, noWorseBy: 0.01 } },
  serve: { command: ['node', 'serve.mjs'] },
  rollout: { steps: [10, 50], bake: '2m', guard: '2m', readyWithin: '30m', warmUp: 1 },
};

export const churn: Given = { ...given, data: { ...given.data, prefix: 'churn/' } };
export const onlyChurn: Config = { project: 'sim', models: { churn } };

export const configOf = (changes: Partial<Given> = {}, project: Partial<Config> = {}): Config => ({
  project: 'sim',
  models: { fraud: { ...given, ...changes } },
  ...project,
});

export class Unexpected extends Error {}

export function must(holds: boolean, text: string): void {
  if (!holds) throw new Unexpected(`the scenario: ${text}`);
}

/** What the model came to, for messages. */
export const textOf = (model: Model | undefined): string =>
  JSON.stringify({
    champion: model?.champion,
    run: [model?.run?.status, model?.run !== undefined && 'because' in model.run ? model.run.because : ''],
    rollout: [
      model?.rollout?.status,
      model?.rollout !== undefined && 'because' in model.rollout ? model.rollout.because : '',
    ],
    offered: model?.offered,
    skipped: model?.skipped,
  });

export const champion = (universe: Universe, number: number | undefined, name = 'fraud'): void =>
  must(universe.model(name)?.champion === number, `v${number} should be the champion: ${textOf(universe.model(name))}`);

export const runIs = (universe: Universe, status: string): void =>
  must(universe.model()?.run?.status === status, `the run should have ${status}: ${textOf(universe.model())}`);

export const rolloutIs = (universe: Universe, status: string): void =>
  must(universe.model()?.rollout?.status === status, `the rollout should be ${status}: ${textOf(universe.model())}`);

/** What a scenario ends with when nothing failed, and what must hold whatever failed. */
export const ends =
  (
    end: { readonly champion?: number; readonly run?: string; readonly rollout?: string },
    always: (universe: Universe) => void = () => {},
  ): Scenario['expect'] =>
  (universe, calm) => {
    always(universe);
    if (calm && end.champion !== undefined) champion(universe, end.champion);
    if (calm && end.run !== undefined) runIs(universe, end.run);
    if (calm && end.rollout !== undefined) rolloutIs(universe, end.rollout);
  };

export const nothingServes = (universe: Universe): void => champion(universe, undefined);

export const neverServesSecond = (universe: Universe): void =>
  must(universe.model()?.champion !== 2, `v2 serves: ${textOf(universe.model())}`);

/** Where there was a first version; a second without one is a first, and nothing judges it. */
export const keepsFirst = (universe: Universe): void => {
  if (hadChampion(universe)) neverServesSecond(universe);
};

export const ended = (item: object | undefined): boolean => item !== undefined && 'endedAt' in item;
export const settled = (model: Model): boolean =>
  ended(model.run) &&
  (model.rollout === undefined || ended(model.rollout)) &&
  model.offered === undefined &&
  model.queued === undefined;
export const serves = (number: number) => (model: Model) => model.champion === number && settled(model);
/** The rollout of this version is over. */
export const over = (number: number) => (model: Model) => model.rollout?.candidate === number && ended(model.rollout);

/** Whether there was a first version to compare a second with: without faults there is. */
export const hadChampion = (universe: Universe): boolean =>
  universe.model()?.served.some(({ version }) => version === 1) ?? false;

/** A released project whose first version serves. */
export async function first(universe: Universe, config = configOf(), until = serves(1)): Promise<void> {
  await universe.release(config);
  await universe.when(() => true);
  universe.drop('fraud/1.csv');
  await universe.when(until);
}

/** As above, and a second version on its way out. */
export async function second(universe: Universe, config = configOf()): Promise<void> {
  await first(universe, config);
  universe.drop('fraud/2.csv');
  await universe.when((model) => model.run?.trained?.number === 2);
}

/** Nothing but a second version on its way out, until it has come there. */
export const secondUntil =
  (until: (model: Model) => boolean, config = configOf()): Scenario['act'] =>
  async (universe) => {
    await second(universe, config);
    await universe.when(until);
  };

/** A second version that an alert takes back; false: it never came so far that one could. */
export async function takenBack(universe: Universe, config = configOf(), status = 'baking'): Promise<boolean> {
  await second(universe, config);
  if (!(await universe.when(at(status)))) return false;
  universe.tell(alert());
  await universe.when((model) => ended(model.rollout) && Object.keys(model.monitor.alerts).length > 0);
  return true;
}

export const at =
  (...statuses: readonly string[]) =>
  (model: Model) =>
    model.rollout?.candidate === 2 && statuses.includes(model.rollout.status);
export const runAt =
  (...statuses: readonly string[]) =>
  (model: Model) =>
    statuses.includes(model.run?.status ?? '');

/** The n-th training job of the project. */
export const trainings = (universe: Pick<Universe, 'jobs'>): number =>
  universe.jobs.created().filter(({ job }) => job.kind === 'train').length;
export const attempts = (job: Job): number => Number(job.key.split('/').at(-1));
export const alert = (fingerprint = 'f1') =>
  ({
    type: 'alertRaised',
    kind: 'alert',
    sender: 'grafana',
    fingerprint,
    startedAt: '2026-01-05T09:00:00Z',
    title: 'errors are high',
  }) as const;
export const drift = (fingerprint = 'd1') =>
  ({ ...alert(fingerprint), kind: 'drift', title: 'the data moved' }) as const;
export const bad = (deployment: string): number => (deployment === 'v2' ? 0.4 : 0.005);
