import { Fault } from '../base/fault.ts';
import { canonical } from '../base/json.ts';
import { defined } from '../base/objects.ts';
import { instant } from '../base/time.ts';
import type { CompiledConfig, ModelPlan } from '../config/config.ts';
import type { Profiler } from '../drift/profiler.ts';
import { checkLabels, checkTick } from '../judge/checks.ts';
import type { Answer, Effect, Order } from '../model/protocol.ts';
import type { Spread } from '../model/streams.ts';
import { schema } from '../model/upgrade.ts';
import { engineActor } from '../ports/actors.ts';

import type { Ports } from '../ports/ports.ts';
import type { LabelTick } from '../ports/telemetry.ts';
import { listDataset } from './dataset.ts';
import { checkDataset } from './dataset-check.ts';
import { countCaptured, judgeDrift } from './drift.ts';
import { readHistory } from './history.ts';
import { findLabels, importLabels } from './label-file.ts';
import type { Outcome } from './outcome.ts';
import { countLabels } from './performance.ts';
import { countDataset, profileDataset, validate } from './profile.ts';
import { notify, publish } from './published.ts';
import { rewrite } from './rewrite.ts';

import { readConfig } from './stored.ts';

type Body<Known> = Known extends unknown ? Omit<Known, 'key' | 'taken'> : never;
export type AnswerBody = Body<Answer> | { readonly type: 'spreadAdvanced'; readonly cursor?: string };

export interface Surroundings {
  readonly ports: Ports;
  readonly now: () => number;
  readonly stream: string;
  readonly source: string;
  readonly tell: (stream: string, signal: Record<string, unknown> & { readonly id: string }) => Promise<Outcome>;
}

interface Performing extends Surroundings {
  readonly profiler: () => Promise<Profiler>;
}

type Performers = {
  readonly [Kind in Order['kind']]: (order: Extract<Order, { kind: Kind }>, around: Performing) => Promise<AnswerBody>;
};

/** Each order, and the port call that carries it out. A fault is the caller's: it knows what to do with its `retry`. */
const performers: Performers = {
  list: async (order, { ports, now }) => ({ type: 'listingAdvanced', ...(await listDataset(order, ports, now())) }),
  checkDataset: async (order, { ports }) => ({ type: 'datasetChecked', problems: await checkDataset(order, ports) }),
  profileDataset: async (order, around) => ({ type: 'datasetProfiled', ...(await profileDataset(order, around)) }),
  validateDataset: async (order, { ports }) => ({ type: 'datasetValidated', ...(await validate(order, ports)) }),
  countDataset: async (order, around) => ({ type: 'datasetCounted', ...(await countDataset(order, around)) }),
  findLabels: async (order, { ports }) => ({ type: 'labelsFound', found: await findLabels(order, ports) }),
  importLabels: async (order, { ports }) => ({ type: 'labelsImported', progress: await importLabels(order, ports) }),
  startJob: async ({ job }, { ports }) => ({ type: 'jobStarted', job: (await ports.jobs.start(job)).id }),
  describeJob: async ({ id }, { ports }) => ({ type: 'jobDescribed', description: await ports.jobs.describe(id) }),
  stopJob: async ({ id }, { ports }) => {
    await ports.jobs.stop(id);
    return { type: 'jobStopAsked' };
  },
  register: async ({ version }, { ports }) => {
    await ports.registry.register(version);
    return { type: 'versionRegistered' };
  },
  mirrorApproval: async ({ model, number, approval }, { ports }) => {
    await ports.registry.setApproval(model, number, approval);
    return { type: 'approvalMirrored' };
  },
  mirrorAliases: async ({ model, aliases }, { ports }) => {
    await ports.registry.setAliases?.(model, aliases);
    return { type: 'aliasesMirrored' };
  },
  change: async ({ endpoint, operation, on = 'endpoint' }, { ports }) => ({
    type: 'endpointChanged',
    answer: await ports.serving(on).change(endpoint, operation),
  }),
  observe: async ({ endpoint, on = 'endpoint' }, { ports, now }) => {
    const begunAt = now();
    return { type: 'endpointObserved', begunAt, observation: await ports.serving(on).observe(endpoint) };
  },
  readTicks: async ({ kind: _, on = 'endpoint', endpoint, from, to, tickMs, ...query }, { ports }) => {
    const ticks = await ports.telemetry(on).ticks({ endpoint, from, to, tickMs, ...query });
    for (const tick of ticks) checkTick(tick, query.measures);
    return { type: 'ticksRead', from, to: endOf(ticks, tickMs, endpoint, from), ticks };
  },
  readLabels: async ({ endpoint, from, to, tickMs, maturityMs, truths, compared }, { ports }) => {
    const query = { endpoint, from, to, tickMs, maturityMs, ...defined({ truths, compared }) };
    const ticks = withinEntry(await ports.labels.labels(query));
    for (const tick of ticks) checkLabels(tick);
    return { type: 'labelsRead', from, to: endOf(ticks, tickMs, endpoint, from), ticks };
  },
  readLatency: async ({ endpoint, from, to, on = 'endpoint' }, { ports }) => {
    const percentiles = await ports.telemetry(on).latency(endpoint, from, to);
    return { type: 'latencyRead', ...(percentiles === undefined ? {} : { percentiles }) };
  },
  readHistory: async (order, { ports, now }) => {
    const history = await readHistory(order, ports.telemetry(order.on ?? 'endpoint'), now);
    return { type: 'historyRead', ...(history === undefined ? {} : { history }) };
  },
  countCaptured: async (order, { ports }) => ({ type: 'capturedCounted', ...(await countCaptured(order, ports)) }),
  judgeDrift: async (order, { ports, profiler }) => ({
    type: 'driftJudged',
    ...(await judgeDrift(order, ports, profiler)),
  }),
  countLabels: async (order, { ports }) => ({ type: 'labelsCounted', ...(await countLabels(order, ports)) }),
  tell: async ({ stream, id, signal }, { tell }) => {
    const outcome = await tell(stream, { ...signal, id });
    if (outcome.kind === 'refused') throw new Fault('invalid', outcome.because);
    return { type: 'told' };
  },
  record: async (order, around) => {
    await writeRecord(order, around);
    return { type: 'recorded' };
  },
  publish: async ({ from, to }, around) => {
    await publish(from, to, around);
    return { type: 'announced', upTo: to };
  },
  notify: async (order, around) => ({ type: 'notified', ...(await notify(order, around)) }),
  spread: (order, around) => spread(order, around),
};

/** Losses are recorded one by one, and an entry of the journal has its bounds: about 50 bytes each. */
const lossesPerEntry = 2000;

/** The first ticks that fit. Of a first tick that does not fit by itself, the first losses in the order of requests. */
function withinEntry(ticks: readonly LabelTick[]): readonly LabelTick[] {
  let losses = 0;
  const fitting = ticks.filter((tick, index) => {
    losses += tick.losses.length;
    return index === 0 || losses <= lossesPerEntry;
  });
  return fitting.map((tick) => ({ ...tick, losses: tick.losses.slice(0, lossesPerEntry) }));
}

function endOf(ticks: readonly { readonly start: number }[], tickMs: number, endpoint: string, from: number): number {
  const last = ticks.at(-1);
  if (last === undefined)
    throw new Fault('unavailable', `no tick of ${endpoint} since ${instant(from)} has ended yet; try again later`);
  return last.start + tickMs;
}

export function perform(effect: Effect, around: Performing): Promise<AnswerBody> {
  // The table pairs each kind with its own order; the compiler cannot follow the pair through the look-up.
  const performer = performers[effect.kind] as (order: Order, around: Performing) => Promise<AnswerBody>;
  return performer(effect, around);
}

/** An older revision never replaces a newer one. */
async function writeRecord(order: Extract<Order, { kind: 'record' }>, { ports, now }: Surroundings): Promise<void> {
  const { stream, record, revision, name } = order;
  await rewrite<{ readonly revision?: number }>(ports.journal, stream, (known) => {
    if ((known?.revision ?? 0) >= revision) return undefined;
    const state = { schema, ...Object(record), revision };
    return { at: now(), actor: engineActor, signal: { type: 'recorded', revision }, state, name };
  });
}

const modelsPerSpread = 100;

/** A model may have the name of something that every object inherits. */
const planIn = ({ models }: CompiledConfig, name: string): ModelPlan | undefined =>
  Object.hasOwn(models, name) ? models[name] : undefined;

/** Tells the models whose part changed, in name order; a lower revision is ignored by the model itself. */
async function spread(order: Spread, { ports, tell }: Surroundings): Promise<AnswerBody> {
  const [to, ...from] = await Promise.all([order.to, ...order.from].map((digest) => readConfig(digest, ports)));
  const configs = to === undefined ? from : [to, ...from];
  const names = [...new Set(configs.flatMap(({ models }) => Object.keys(models)))].sort();
  const target = (name: string) => (to === undefined ? undefined : planIn(to, name));
  const changed = names.filter(
    (name) =>
      order.everyone ||
      from.length === 0 ||
      from.some((config) => canonical(planIn(config, name)) !== canonical(target(name))),
  );
  const next = changed.filter((name) => order.cursor === undefined || name > order.cursor).slice(0, modelsPerSpread);
  const freeze = order.freeze === undefined ? {} : { freeze: order.freeze };
  const planOf = (name: string): { readonly plan?: ModelPlan; readonly was?: ModelPlan } => {
    const plan = target(name);
    const was = from.map((config) => planIn(config, name)).findLast((earlier) => earlier !== undefined);
    return plan === undefined ? { ...(was === undefined ? {} : { was }) } : { plan };
  };
  const released = (name: string) => ({
    type: 'configReleased',
    id: `release/${order.revision}`,
    revision: order.revision,
    by: order.by ?? [],
    ...planOf(name),
    ...freeze,
  });
  await Promise.all(next.map((name) => tell(`model/${name}`, released(name))));
  const last = next.at(-1);
  return { type: 'spreadAdvanced', ...(next.length < modelsPerSpread || last === undefined ? {} : { cursor: last }) };
}
