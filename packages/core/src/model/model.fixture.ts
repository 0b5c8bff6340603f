import { byMeasure, errors, slowerThan } from '../base/measures.ts';
import { day } from '../base/time.ts';
import type { ModelPlan } from '../config/config.ts';
import { type Config, compile, parseConfig } from '../config/config.ts';
import type { History } from '../judge/history.ts';
import { fold, nextEntry } from '../ports/entry.ts';
import type { Entry, Head } from '../ports/journal.ts';
import { decideModel } from './decide.ts';
import { modelOwes } from './owed.ts';
import type { Effect, ModelSignal, Stamp } from './protocol.ts';
import { readingStart } from './run/protocol.ts';
import type { Model } from './state.ts';

type Given = Config['models'][string];

const smallest = {
  data: { bucket: 'drops', prefix: 'fraud/', settle: { quiet: '10s', atMost: '1m' } },
  split: { holdout: { by: 'time', column: 'day', last: '20%' } },
  train: { code: './src', command: ['node', 'train.mjs'] },
  evaluate: { command: ['node', 'evaluate.mjs'] },
  gate: { auc: { direction: 'up', atLeast: 0.5, noWorseBy: 0.01 } },
  serve: { command: ['node', 'serve.mjs'] },
  rollout: { steps: [10, 50], bake: '2m', guard: '2m', warmUp: 0, guardrails: { latency: false } },
} as const;

/** The plan of a model under a small config, with some parts replaced. */
export function planOf(changes: Partial<Given> = {}): ModelPlan {
  const read = parseConfig({ project: 'test', models: { fraud: { ...smallest, ...changes } } });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const plan = compile(
    read.parsed,
    new Map([
      ['./src', 'code1'],
      ['builtin:splitter', 'split1'],
    ]),
    'local',
  ).models.fraud;
  if (plan === undefined) throw new Error('no plan');
  return plan;
}

type Bare<Known> = Known extends unknown ? Omit<Known, keyof Stamp> : never;
export type Said = Bare<ModelSignal>;

export const human = { subject: 'ann', issuer: 'token', role: 'operator' } as const;

/** One model under test: signals in, states out, every entry kept and chained. */
export function driver(plan = planOf()) {
  let head: Head | undefined;
  let now = Date.UTC(2026, 0, 1);
  let count = 0;
  const entries: Entry[] = [];
  const drive = {
    entries,
    get now() {
      return now;
    },
    get state(): Model {
      if (head === undefined) throw new Error('nothing was decided yet');
      return head.state as unknown as Model;
    },
    skip(ms: number) {
      now += ms;
    },
    wait(ms: number) {
      now += ms;
      return drive.say({ type: 'clockTicked' });
    },
    /** What the signal came to: `moved`, or why not. */
    say(said: Said, by: Stamp['actor'] = human, id = `s${++count}`): string {
      const signal = { ...said, id, at: now, actor: by } as ModelSignal;
      const seq = (head?.seq ?? 0) + 1;
      const decision = decideModel(
        head?.state as unknown as Model | undefined,
        signal,
        { model: 'fraud', seq },
        { self: 'test', dispatches: true, alone: true },
      );
      if (!('moved' in decision)) return Object.entries(decision).flat().join(': ');
      const entry = nextEntry(head, {
        stream: 'model/fraud',
        at: now,
        actor: by,
        signal,
        state: decision.moved,
        events: decision.events,
      });
      entries.push(entry);
      head = { stream: 'model/fraud', seq, hash: entry.hash, state: fold([entry], head?.state ?? {}) as Head['state'] };
      return 'moved';
    },
    owed: (kind?: Effect['kind']): readonly Effect[] =>
      modelOwes(drive.state, now).filter((effect) => kind === undefined || effect.kind === kind),
    /** Answers the one effect of a kind that is owed. */
    answer(kind: Effect['kind'], said: Record<string, unknown>): string {
      const effect = drive.owed(kind)[0];
      if (effect === undefined)
        throw new Error(
          `no '${kind}' is owed; owed: ${drive
            .owed()
            .map((owed) => owed.key)
            .join(', ')}`,
        );
      return drive.say({
        ...said,
        key: effect.key,
        taken: drive.state.debts[effect.key]?.taken ?? 0,
      } as unknown as Said);
    },
  };
  drive.say({ type: 'configReleased', revision: 1, plan });
  return drive;
}

export type Driver = ReturnType<typeof driver>;

export const artifactOf = (name: string) => ({ uri: `file:${name}`, digest: `digest-${name}`, bytes: 10 });

/** From a drop to a dataset that is checked. */
export function dropOne(drive: Driver, digest: string, by: Stamp['actor'] = human): void {
  listOne(drive, digest, by);
  drive.answer('checkDataset', { type: 'datasetChecked', problems: [] });
}

/** From a drop to a run of its dataset. */
export function listOne(drive: Driver, digest: string, by: Stamp['actor'] = human): void {
  drive.say({ type: 'dataHinted', keys: [`fraud/${digest}.csv`] }, by);
  drive.wait(10_000);
  const progress = { chain: digest, chunks: ['c'], objects: 1, bytes: 10, complete: false };
  drive.answer('list', {
    type: 'listingAdvanced',
    progress,
    dataset: {
      digest,
      bucket: 'drops',
      prefix: 'fraud/',
      manifest: `m/${digest}`,
      objects: 1,
      bytes: 10,
      at: drive.now,
    },
  });
}

/** The name of an object in the bucket that a task of the profiling leaves. */
export const seenAs = (task: string): string => task.padEnd(64, '0');

/** Answers what is owed for a dataset until nothing is, and says what that was. */
export function lookThrough(
  drive: Driver,
  { rows = 100, refused }: { rows?: number; refused?: string } = {},
): string[] {
  const asked: string[] = [];
  while (drive.state.run?.status === 'profiling') {
    const effect = drive.owed().find(({ kind }) => /^(profile|count|validate)Dataset$/.test(kind));
    if (effect === undefined) throw new Error('nothing is owed of the dataset');
    const [, , task = '', part] = effect.key.split('/');
    asked.push(`${task}/${part}`);
    const name = seenAs(task);
    const reading = { ...readingStart, parts: Number(part) + 1 };
    if (effect.kind === 'profileDataset')
      drive.answer(effect.kind, { type: 'datasetProfiled', reading, ended: { profile: name, rows } });
    if (effect.kind === 'countDataset')
      drive.answer(effect.kind, { type: 'datasetCounted', reading, ended: { reference: name } });
    if (effect.kind === 'validateDataset') {
      const because = refused ?? 'nothing was found';
      drive.answer(effect.kind, { type: 'datasetValidated', report: name, refused: refused !== undefined, because });
    }
  }
  return asked;
}

/** From a drop to a finished training job. */
export function trainOne(drive: Driver, digest: string, by: Stamp['actor'] = human): void {
  dropOne(drive, digest, by);
  lookThrough(drive);
  drive.say({ type: 'slotGranted', run: drive.state.run?.id ?? '' });
  job(drive, { artifacts: { train: artifactOf(`train-${digest}`), holdout: artifactOf(`holdout-${digest}`) } });
  job(drive, { artifacts: { model: artifactOf(`model-${digest}`) }, metrics: { loss: 1 } });
}

/** The job that is waited for starts, and ends. */
export function job(drive: Driver, end: Record<string, unknown>, status = 'succeeded'): void {
  drive.answer('startJob', { type: 'jobStarted', job: `job-${drive.entries.length}` });
  drive.answer('describeJob', { type: 'jobDescribed', description: { status, ...end } });
}

/** From a trained challenger to a registered version. */
export function score(drive: Driver, challenger: number, champion?: number): void {
  job(drive, { metrics: { auc: challenger } });
  if (champion !== undefined) job(drive, { metrics: { auc: champion } });
  if (drive.owed('register').length > 0) drive.answer('register', { type: 'versionRegistered' });
}

/** Observes until the endpoint is as wanted, carrying out what it orders. The champion's past was calm. */
export function converge(drive: Driver, endpoint: FakeEndpoint): void {
  for (let round = 0; round < 30 && drive.state.endpoint.status === 'converging'; round += 1) {
    const [order] = drive.owed('readHistory');
    if (order?.kind === 'readHistory')
      drive.answer('readHistory', { type: 'historyRead', history: calmHistory(order.measures) });
    else if (drive.owed('change').length > 0) {
      const effect = drive.owed('change')[0];
      if (effect?.kind === 'change') endpoint.apply(effect.operation);
      drive.answer('change', { type: 'endpointChanged', answer: 'accepted' });
    } else if (drive.owed('observe').length > 0)
      drive.answer('observe', { type: 'endpointObserved', begunAt: drive.now, observation: endpoint.observe() });
    else drive.wait(1000);
  }
}

/** An endpoint that does at once what it is told, and knows which versions never get ready. */
export function fakeEndpoint() {
  const deployments = new Map<string, { name: string; version: number; status: 'ready' | 'pending' | 'failed' }>();
  let weights: Readonly<Record<string, number>> = {};
  let mirror: Extract<Extract<Effect, { kind: 'change' }>['operation'], { kind: 'weigh' }>['mirror'];
  const log: string[] = [];
  return {
    log,
    status: 'ready' as 'ready' | 'pending' | 'failed',
    apply(operation: Extract<Effect, { kind: 'change' }>['operation']) {
      if (operation.kind === 'deploy')
        deployments.set(operation.deployment.name, {
          name: operation.deployment.name,
          version: operation.deployment.version,
          status: this.status,
        });
      if (operation.kind === 'weigh') {
        weights = operation.weights;
        mirror = operation.mirror;
      }
      if (operation.kind === 'retire') deployments.delete(operation.deployment);
      log.push(
        operation.kind === 'deploy'
          ? `deploy ${operation.deployment.name}`
          : operation.kind === 'weigh'
            ? `weigh ${JSON.stringify(operation.weights)}${mirror === undefined ? '' : ` mirror ${mirror.deployment} ${mirror.percent}`}`
            : `retire ${operation.deployment}`,
      );
    },
    observe: () =>
      deployments.size === 0 && Object.keys(weights).length === 0
        ? ('absent' as const)
        : { deployments: [...deployments.values()], weights, busy: false, ...(mirror === undefined ? {} : { mirror }) },
  };
}
export type FakeEndpoint = ReturnType<typeof fakeEndpoint>;

/** What comes in a minute, and how it is answered, by deployment. */
export interface Traffic {
  readonly perMinute: number;
  /** How many of so many that are expected come, at most `of`; absent: just these. */
  readonly draw?: (expected: number, of?: number) => number;
  /** Share of the requests that fail, whose label is wrong, and their loss. */
  readonly failing?: Readonly<Record<string, number>>;
  readonly wrong?: Readonly<Record<string, number>>;
  readonly loss?: Readonly<Record<string, number>>;
  /** The platform does not record by which weight a request was routed. */
  readonly hidesWeights?: boolean;
  /** Of each deployment's requests a half each is of `de` and of `fr`; the share that fails in `de`. */
  readonly failingInDe?: Readonly<Record<string, number>>;
  /** Users stay with their model: so many new ones come in a minute, and each is at risk in the minute of its first. */
  readonly newUsers?: number;
  /** Factor of the shares 1/2, 1/10 and 1/100 that are slower than the champion's p50, p90 and p99. */
  readonly slower?: Readonly<Record<string, number>>;
  /** The machine is off, or a deployment on its way back: nothing is counted. */
  readonly isUnserved?: boolean;
  /** The candidate gets so many times the share that was configured. */
  readonly skew?: number;
  /** Discordant pairs of a mirrored minute. */
  readonly pairs?: {
    readonly dropped?: number;
    readonly mirror: number;
    readonly served: number;
    readonly higher?: number;
    readonly lower?: number;
  };
}
export const healthy: Traffic = { perMinute: 6000 };

/** Of a champion whose counts scatter by chance alone: evidence against its challenger comes in few ticks. */
export const calmHistory = (measures: readonly string[]): History => ({
  ...{ from: 0, to: 7 * day, ticks: 1440 },
  measures: byMeasure(measures, () => ({
    bad: 300,
    requests: 600_000,
    parts: [],
    typical: 30,
    dispersion: 1,
    calm: true,
  })),
});

/** Answers what is owed, shared out by the weights that hold, until the bake, hold or guard under way ends. */
export function serveTicks(drive: Driver, traffic: Traffic, most = 10): void {
  const { status } = drive.state.rollout ?? {};
  for (let round = 0; round < most && drive.state.rollout?.status === status; round += 1) {
    const weights = routedIn.get(drive) ?? new Map();
    routedIn.set(drive, weights.set(Math.floor(drive.now / 60_000), drive.state.endpoint.weights));
    drive.wait(60_000);
    const order = drive.owed('readTicks')[0];
    if (order?.kind === 'readTicks' && order.to > order.from)
      drive.answer('readTicks', {
        type: 'ticksRead',
        from: order.from,
        to: order.to,
        ticks: startsOf(order).map((start) => ({ start, ...tickOf(drive, traffic) })),
      });
    const labels = drive.owed('readLabels')[0];
    if (labels?.kind === 'readLabels' && labels.to > labels.from)
      drive.answer('readLabels', {
        type: 'labelsRead',
        from: labels.from,
        to: labels.to,
        ticks: startsOf(labels).map((start) => ({ start, ...labelsOf(drive, traffic, start) })),
      });
  }
}

const startsOf = ({ from, to, tickMs }: { readonly from: number; readonly to: number; readonly tickMs: number }) =>
  Array.from({ length: (to - from) / tickMs }, (_, index) => from + index * tickMs);

function shared(
  drive: Driver,
  { perMinute, skew = 1, draw = Math.round }: Traffic,
  weights = drive.state.endpoint.weights,
): readonly (readonly [string, number, number])[] {
  const candidate = `v${drive.state.rollout?.candidate}`;
  const ours = (weights[candidate] ?? 0) * skew;
  return Object.entries(weights).map(([name, weight]) => {
    const share = name === candidate ? ours : Object.keys(weights).length > 1 ? 100 - ours : weight;
    return [name, draw((perMinute * share) / 100), weight] as const;
  });
}

/** Of a champion's requests the share that is slow, by measure. */
function slowIn({ rollout }: Model): Readonly<Record<string, number>> {
  const latency = rollout?.latency;
  if (latency === undefined || latency === 'none') return {};
  return { [slowerThan(latency.p50)]: 0.5, [slowerThan(latency.p90)]: 0.1, [slowerThan(latency.p99)]: 0.01 };
}

function tickOf(drive: Driver, traffic: Traffic) {
  const { failing = {}, slower = {}, pairs, draw = Math.round } = traffic;
  if (traffic.isUnserved) return { counts: {}, unserved: true } as const;
  const slow = slowIn(drive.state);
  const counts = shared(drive, traffic).map(([name, requests]) => {
    const bad = byMeasure([errors, ...Object.keys(slow)], (measure) =>
      measure === errors
        ? draw(requests * (failing[name] ?? 0), requests)
        : draw(requests * (slow[measure] ?? 0) * (slower[name] ?? 1), requests),
    );
    return [name, { requests, bad }];
  });
  const mirrored = {
    pairs: traffic.perMinute,
    dropped: pairs?.dropped ?? 0,
    bad: { errors: { mirror: draw(pairs?.mirror ?? 0), served: draw(pairs?.served ?? 0) } },
    predictions: { higher: pairs?.higher ?? 0, lower: pairs?.lower ?? 0, equal: 0 },
  };
  return {
    counts: Object.fromEntries(counts),
    ...(traffic.failingInDe === undefined ? {} : { segments: segmentsOf(drive, traffic) }),
    ...(traffic.newUsers === undefined ? {} : { users: usersOf(drive, traffic, traffic.newUsers) }),
    ...(pairs === undefined ? {} : { pairs: { [`v${drive.state.rollout?.candidate}`]: mirrored } }),
  };
}

function segmentsOf(drive: Driver, { failing = {}, failingInDe = {}, ...traffic }: Traffic) {
  const { draw = Math.round } = traffic;
  const half = (failed: Readonly<Record<string, number>>) =>
    Object.fromEntries(
      shared(drive, traffic).map(([name, requests]) => [
        name,
        { requests: Math.round(requests / 2), bad: { [errors]: draw((requests / 2) * (failed[name] ?? 0)) } },
      ]),
    );
  return { de: half(failingInDe), fr: half(failing) };
}

function usersOf(drive: Driver, { failing = {}, draw = Math.round }: Traffic, perMinute: number) {
  return Object.fromEntries(
    shared(drive, { perMinute, draw }).map(([name, assigned]) => [
      name,
      { assigned, bad: { [errors]: { bad: draw(assigned * (failing[name] ?? 0), assigned), atRisk: assigned } } },
    ]),
  );
}

/** The weights that held at the beginning of the last tick that was served in a minute. */
const routedIn = new WeakMap<Driver, Map<number, Readonly<Record<string, number>>>>();

/** Labels of a minute at the weights that hold now; where those are hidden, at the weights that held then. */
function labelsOf(drive: Driver, traffic: Traffic, start: number) {
  const { wrong = {}, loss = {}, hidesWeights = false, draw = Math.round } = traffic;
  const held = hidesWeights ? routedIn.get(drive)?.get(Math.floor(start / 60_000)) : undefined;
  const arms = shared(drive, traffic, held);
  const routed = (deployment: string, weight: number) => ({ deployment, ...(hidesWeights ? {} : { weight }) });
  const rows = arms.map(([deployment, requests, weight]) => ({
    ...routed(deployment, weight),
    requests,
    labelled: requests,
    wrong: draw(requests * (wrong[deployment] ?? 0), requests),
  }));
  const losses = Array.from({ length: 50 }, (_, index) => arms[index % arms.length]).flatMap((arm) =>
    arm === undefined || loss[arm[0]] === undefined ? [] : [{ ...routed(arm[0], arm[2]), loss: loss[arm[0]] }],
  );
  return { rows, losses, pairs: {} };
}

/** A champion v1 that serves everything. */
export function withChampion(plan = planOf()): { drive: Driver; endpoint: FakeEndpoint } {
  const drive = driver(plan);
  const endpoint = fakeEndpoint();
  trainOne(drive, 'one');
  score(drive, 0.8);
  converge(drive, endpoint);
  converge(drive, endpoint);
  serveTicks(drive, healthy);
  converge(drive, endpoint);
  return { drive, endpoint };
}

/** A second version that bakes at its first step. */
export function withCanary(plan = planOf()) {
  const { drive, endpoint } = withChampion(plan);
  trainOne(drive, 'two');
  score(drive, 0.82, 0.8);
  converge(drive, endpoint);
  converge(drive, endpoint);
  return { drive, endpoint };
}

/** Serves healthy traffic until the rollout under way has ended. */
export function serveToTheEnd(drive: Driver, endpoint: FakeEndpoint): void {
  for (let step = 0; step < 6 && drive.state.rollout !== undefined && !('endedAt' in drive.state.rollout); step += 1) {
    serveTicks(drive, healthy);
    converge(drive, endpoint);
  }
  converge(drive, endpoint);
}
