import type { Fault } from '@serin/core/base/fault';
import { canonical, decodeText, encodeText, sha256Hex } from '@serin/core/base/json';
import { type CompiledConfig, compile, parseConfig } from '@serin/core/config/config';
import type { Outcome } from '@serin/core/engine/outcome';
import { configKey } from '@serin/core/engine/stored';
import { route, routesOf } from '@serin/core/inbound/route';
import type { Model } from '@serin/core/model/state';
import { engineActor } from '@serin/core/ports/actors';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Bus, CloudEvent } from '@serin/core/ports/bus';
import type { Job, Jobs } from '@serin/core/ports/jobs';
import type { Actor, Journal } from '@serin/core/ports/journal';
import type { Notify } from '@serin/core/ports/notify';
import type { Ports } from '@serin/core/ports/ports';
import type { Registry } from '@serin/core/ports/registry';
import type { Deployment, Operation, Serving, Weights } from '@serin/core/ports/serving';
import type { Labels, LabelTick, Telemetry, Tick } from '@serin/core/ports/telemetry';
import type { Project } from '@serin/core/project/project';
import type { MachineClock } from './clocks.ts';
import { absentBucket, memoryBucket } from './fakes/bucket.ts';
import { type MemoryBus, memoryBus } from './fakes/bus.ts';
import type { Asking } from './fakes/captured.ts';
import { type Fate, type MemoryJobs, memoryJobs, type ProviderJob } from './fakes/jobs.ts';
import { type MemoryJournal, memoryJournal } from './fakes/journal.ts';
import { labelledJobs } from './fakes/labelled-jobs.ts';
import type { People } from './fakes/people.ts';
import { putJobs } from './fakes/put-jobs.ts';
import { putServing } from './fakes/put-serving.ts';
import { memoryRegistry } from './fakes/registry.ts';
import { type MemoryServing, memoryServing, type ServingFate } from './fakes/serving.ts';
import { countedBy, hintsOf, type Shape, type Span, toldAfterMs } from './fakes/shapes.ts';
import { type MemorySinks, memorySinks } from './fakes/sinks.ts';
import { portOf, type Sync } from './fakes/sync.ts';
import { type MemoryTelemetry, memoryTelemetry } from './fakes/telemetry.ts';
import type { Behaviour } from './fakes/traffic.ts';
import { createWatch, type Watch } from './invariants.ts';
import { type Body, createPlatform, type Platform, type PlatformBugs } from './processes.ts';
import type { About, Process, Sim } from './world.ts';

/** How the outside behaves in a scenario; what is absent goes well. */
export interface Outside {
  readonly fateOf?: (job: Job, fakes: Fakes) => Partial<Fate> | undefined;
  readonly deploymentOf?: (deployment: Deployment, fakes: Fakes) => Partial<ServingFate> | undefined;
  readonly operationMs?: number;
  /** The provider takes a change of weights back by itself, for this reason. */
  readonly takesBack?: (weights: Weights) => string | undefined;
  /** What the models are like; all alike, failing one request in 200. */
  readonly models?: Partial<Behaviour>;
  /** The provider refuses this change, for this reason. */
  readonly refuses?: (operation: Operation, fakes: Fakes) => string | undefined;
  readonly outcomesTakeMs?: number;
  readonly labelled?: { readonly share: number; readonly takeMs: number };
  /** Who sends the requests, one by one, drawn from the seed; absent: even arrivals, and nobody is known. */
  readonly people?: Omit<People, 'seed'>;
  /** Who asks, where requests are captured: of a seed always the same. */
  readonly asking?: (seed: number) => Asking;
  /** What the platform counts of a tick; everything, as a rule. */
  readonly counted?: (tick: Tick) => Tick;
  /** What the platform tells instead of a tick. */
  readonly told?: (tick: Tick) => readonly Tick[];
  /** The same of labels. */
  readonly toldLabels?: (tick: LabelTick) => readonly LabelTick[];
  /** Why a sink does not take an event now. */
  readonly sinkAnswers?: (sink: string, event: CloudEvent, now: number) => Fault | undefined;
}

/** Switches that break the platform, or what a process sees of its ports, on purpose. */
export interface Bugs extends PlatformBugs {
  /** The gateway counts what it answered itself, in the place of a deployment that was on its way back. */
  readonly countsItsOwn?: boolean;
  readonly ports?: (ports: Ports, process: Process, fakes: Fakes) => Ports;
}

export interface Fakes {
  readonly sim: Sim;
  /** The cloud that this universe is like; absent: a machine. */
  readonly shape: Shape | undefined;
  readonly journal: MemoryJournal;
  readonly jobs: MemoryJobs;
  readonly bus: MemoryBus;
  readonly sinks: MemorySinks;
  readonly registry: ReturnType<typeof memoryRegistry>;
  readonly serving: MemoryServing;
  readonly telemetry: MemoryTelemetry;
  readonly buckets: Readonly<Record<'drops' | 'serin', Sync<Bucket>>>;
  readonly watch: Watch;
}

interface Named {
  readonly stream: string;
  readonly id: string;
  readonly type: string;
}

/** One project under simulation: its fakes, its processes, and what its users do. */
export interface Universe extends Fakes {
  readonly platform: Platform;
  /** Signals with an id that were answered with success, and those that the queue took in. */
  readonly answered: readonly Named[];
  readonly accepted: readonly Named[];
  readonly models: () => readonly string[];
  model(name?: string): Model | undefined;
  project(): Project | undefined;
  released(): CompiledConfig | undefined;
  release(config: unknown): Promise<Outcome | undefined>;
  /** Puts an object into the bucket of drops; the store tells of it, as a rule. */
  drop(key: string, content?: string): void;
  /** Over HTTP, until it is answered. */
  ask(
    body: Body,
    options?: { readonly stream?: string; readonly by?: string; readonly id?: string },
  ): Promise<Outcome | undefined>;
  /** Over the queue. */
  tell(body: Body, options?: { readonly stream?: string; readonly id?: string }): void;
  sleep(ms: number): Promise<void>;
  /** Waits until something holds; `false` when it did not within that time (twelve hours). */
  when(holds: (model: Model) => boolean, model?: string, withinMs?: number): Promise<boolean>;
  /** Called after each step of the world. */
  look(): void;
}

const hour = 3_600_000;
const person = (subject: string): Actor => ({ subject, issuer: 'token', role: 'admin' });

export interface Setting {
  readonly outside: Outside;
  /** One engine for everything, as on one machine. */
  readonly one: boolean;
  readonly shape?: Shape | undefined;
  readonly bugs?: Bugs | undefined;
}

export function createUniverse(sim: Sim, { outside, one, shape, bugs = {} }: Setting): Universe {
  const made: { platform?: Platform } = {};
  const clock = (): MachineClock | undefined => made.platform?.clock;
  const fakes = createFakes(sim, { outside, one, shape, bugs }, { job: tellOfJob, operation: tellOfOperation, clock });
  const { journal, buckets, serving } = fakes;
  const intents = new Map<string, { readonly at: number }>();
  const platform = createPlatform(
    sim,
    (process) => {
      const ports = portsOf(fakes, process, intents);
      return bugs.ports?.(ports, process, fakes) ?? ports;
    },
    one,
    bugs,
  );
  made.platform = platform;
  const waiters = new Set<() => boolean>();
  const [answered, accepted]: Named[][] = [[], []];
  let config: CompiledConfig | undefined;
  let count = 0;
  const nextId = (type: string): string => `${type}-${++count}`;

  function hint(model: string, body: Body): void {
    platform.send({ id: nextId('hint'), stream: `model/${model}`, body, actor: engineActor }, 'hint');
  }

  function tellOfJob({ job, startsAt, endsAt, fate }: ProviderJob): void {
    for (const at of [startsAt, endsAt]) {
      const failed = at === endsAt && fate.status !== 'succeeded';
      const delays = shape === undefined ? [sim.random.between(0, 3000)] : hintsOf(shape, 'jobs', failed, sim.random);
      for (const delay of delays) sim.after(at - sim.now + delay, () => hint(job.model, { type: 'jobHinted' }));
    }
  }

  function tellOfOperation(endpoint: string, { at, failed }: { readonly at: number; readonly failed: boolean }): void {
    if (shape === undefined) return;
    for (const delay of hintsOf(shape, 'endpoints', failed, sim.random))
      sim.after(at - sim.now + delay, () => hint(endpoint, { type: 'endpointHinted' }));
  }

  return {
    ...fakes,
    platform,
    answered: answered ?? [],
    accepted: accepted ?? [],
    models: () =>
      journal
        .streams()
        .filter((stream) => stream.startsWith('model/'))
        .map((stream) => stream.slice(6)),
    model: (name = 'fraud') => journal.head(`model/${name}`)?.state as unknown as Model | undefined,
    project: () => journal.head('project')?.state as unknown as Project | undefined,
    released: () => config,
    async release(given) {
      const compiled = compiledOf(shape === undefined ? given : patient(given));
      const text = canonical(compiled);
      const digest = sha256Hex(text);
      buckets.serin.write(configKey(digest), encodeText(text));
      config = compiled;
      const { project, concurrentRuns } = compiled;
      return this.ask({ type: 'releaseRequested', digest, project, concurrentRuns }, { stream: 'project' });
    },
    drop(key, content = key) {
      sim.note(`drop ${key}`);
      buckets.drops.write(key, encodeText(content));
      if (config === undefined) return;
      const routes = routesOf(config);
      for (const model of route(routes, { kind: 'object', bucket: 'drops', key }))
        hint(model, { type: 'dataHinted', keys: [key] });
      for (const model of route(routes, { kind: 'labels', bucket: 'drops', key }))
        hint(model, { type: 'labelsHinted', keys: [key] });
    },
    async ask(body, { stream = 'model/fraud', by = 'ann', id = nextId(body.type) } = {}) {
      const outcome = await platform.request(stream, body, person(by), id);
      if (outcome !== undefined && outcome.kind !== 'refused') answered?.push({ stream, id, type: body.type });
      return outcome;
    },
    tell(body, { stream = 'model/fraud', id = nextId(body.type) } = {}) {
      accepted?.push({ stream, id, type: body.type });
      platform.send({ id, stream, body, actor: person('monitoring') }, 'signal');
    },
    sleep: (ms) => new Promise((resolve) => sim.after(ms, resolve)),
    when(holds, model = 'fraud', withinMs = 12 * hour) {
      return new Promise((resolve) => {
        const check = (): boolean => {
          const state = journal.head(`model/${model}`)?.state as unknown as Model | undefined;
          if (state === undefined || !holds(state)) return false;
          waiters.delete(check);
          resolve(true);
          return true;
        };
        if (check()) return;
        waiters.add(check);
        sim.after(withinMs, () => {
          if (waiters.delete(check)) resolve(false);
        });
      });
    },
    look() {
      for (const check of waiters) check();
      for (const name of this.models()) serving.weights(name);
    },
  };
}

const withSeed = (people: Omit<People, 'seed'>, seed: number) => (): People => ({ ...people, seed });

const always =
  <Value>(value: Value) =>
  (): Value =>
    value;

interface Tellers {
  readonly clock: () => MachineClock | undefined;
  readonly job: (job: ProviderJob) => void;
  readonly operation: (endpoint: string, ends: { readonly at: number; readonly failed: boolean }) => void;
}

function createFakes(sim: Sim, { outside, one, shape, bugs }: Setting, tellers: Tellers): Fakes {
  const now = (): number => sim.now;
  // The gateway of one machine counts by the machine's clock.
  const counted = (): number => tellers.clock()?.now() ?? sim.now;
  const within = ([least, most]: Span): number => sim.random.between(least, most);
  const perhaps = (ms: number): number =>
    sim.random.chance(0.1) ? 10 * ms : sim.random.between(Math.ceil(ms / 2), 2 * ms);
  const made: { fakes?: Fakes } = {};
  const fakes = (): Fakes => {
    if (made.fakes === undefined) throw new Error('a fake was used before all were made');
    return made.fakes;
  };
  const watch = createWatch({
    sim,
    alone: one,
    clock: tellers.clock,
    get journal() {
      return fakes().journal;
    },
    get jobs() {
      return fakes().jobs;
    },
    get registry() {
      return fakes().registry;
    },
    get telemetry() {
      return fakes().telemetry;
    },
    weights: (endpoint) => fakes().serving.weights(endpoint),
    stored(key) {
      const object = fakes().buckets.serin.read({ key, maxBytes: 1e9 });
      return object === undefined ? undefined : JSON.parse(decodeText(object.content));
    },
    get serving() {
      return fakes().serving;
    },
  });
  const telemetry = memoryTelemetry({
    now: counted,
    tellsItsOwn: bugs?.countsItsOwn === true,
    perMinute: 6000,
    failing: () => 0.005,
    slower: () => 1,
    wrong: () => 0.1,
    higher: () => 0,
    routed: (weights) => weights,
    ...outside.models,
    outcomesTakeMs: outside.outcomesTakeMs ?? 5000,
    labelled: outside.labelled ?? { share: 0.8, takeMs: 60_000 },
    told: outside.told ?? ((tick) => [tick]),
    ...(outside.counted === undefined ? {} : { counted: outside.counted }),
    ...(outside.toldLabels === undefined ? {} : { toldLabels: outside.toldLabels }),
    ...(outside.asking === undefined ? {} : { asking: always(outside.asking(sim.seed)) }),
    ...(outside.people === undefined ? {} : { people: withSeed(outside.people, sim.seed) }),
    ...(shape === undefined
      ? {}
      : {
          counted: (tick: Tick) => countedBy(shape, tick),
          toldAfterMs: (start: number) => toldAfterMs(shape, start),
          hasLatency: shape.telemetry.hasLatency,
        }),
  });
  made.fakes = {
    sim,
    shape,
    watch,
    telemetry,
    journal: memoryJournal(watch.appended),
    buckets: { drops: memoryBucket(), serin: memoryBucket() },
    registry: memoryRegistry(),
    bus: memoryBus(watch.published),
    sinks: memorySinks({ now, answer: (sink, event) => outside.sinkAnswers?.(sink, event, sim.now) }),
    jobs: memoryJobs({
      now,
      fateOf: (job) => ({
        waitMs: perhaps(5000),
        runMs: perhaps(30_000),
        status: 'succeeded',
        metrics: { auc: 0.9 },
        ...outside.fateOf?.(job, fakes()),
      }),
      onCreate(job) {
        watch.jobCreated(job);
        tellers.job(job);
      },
      ...(shape === undefined
        ? {}
        : {
            keyed: shape.jobs.by !== 'label',
            unseenMs: () => (shape.jobs.by === 'label' ? 0 : within(shape.jobs.unseenMs)),
          }),
    }),
    serving: memoryServing({
      now,
      ...(shape === undefined ? {} : { shape: shape.serving }),
      fateOf: (_, deployment) => {
        const usual: ServingFate = { readyMs: perhaps(10_000), becomes: 'ready' };
        const fate = { ...usual, ...outside.deploymentOf?.(deployment, fakes()) };
        if (shape === undefined) return fate;
        const { deployMs, givesUpMs } = shape.serving;
        return { ...fate, readyMs: fate.becomes === 'pending' ? givesUpMs : within(deployMs) };
      },
      operationMs: (_, { kind }) =>
        shape === undefined
          ? perhaps(outside.operationMs ?? 2000)
          : within(kind === 'weigh' ? shape.serving.weighMs : shape.serving.retireMs),
      onOperation(endpoint, ends) {
        sim.after(ends.at - sim.now, () => {});
        tellers.operation(endpoint, ends);
      },
      ...(outside.takesBack === undefined
        ? {}
        : { takesBack: (_: string, weights: Weights) => outside.takesBack?.(weights) }),
      refuses: (operation) => outside.refuses?.(operation, fakes()),
      isStray: () => sim.lands,
      onRoute: (endpoint, route) => telemetry.routed(endpoint, { ...route, at: route.at + counted() - sim.now }),
    }),
  };
  return made.fakes;
}

/** The ports as one process sees them: every method goes through the choke point. */
function portsOf(fakes: Fakes, process: Process, intents: Map<string, { readonly at: number }>): Ports {
  const { sim, shape, journal, jobs, registry, serving, telemetry, bus, sinks, buckets, watch } = fakes;
  const through = <Port extends object>(port: string, fake: Sync<NoInfer<Port>>): Port =>
    portOf<Port>(fake, (name, apply, given) => {
      const [endpoint, operation] = given;
      if (port === 'serving' && name === 'change')
        sim.check(() => watch.issued(endpoint as string, operation as Operation));
      // A change is of an endpoint, and is an operation.
      const about = name === 'change' ? ({ endpoint, operation } as About) : undefined;
      return sim.call(process, `${port}.${name}`, apply, about);
    });
  const { head, append, history, due, names } = journal;
  const { start, describe, stop } = jobs;
  const { change, observe } = serving;
  const { ticks, latency, captured, label, labels, labelTotals } = telemetry;
  const endpoints =
    shape?.serving.isPut === true ? asPut(fakes, process) : through<Serving>('serving', { change, observe });
  const counts = through<Telemetry>('telemetry', { ticks, latency, captured });
  const store = through<Journal>('journal', { head, append, history, due, names });
  const stores: Readonly<Record<string, Bucket>> = {
    drops: through<Bucket>('drops', buckets.drops),
    serin: through<Bucket>('serin', buckets.serin),
  };
  return {
    journal: store,
    bucket: (name) => stores[name] ?? through<Bucket>(name, absentBucket(name)),
    jobs: jobsOf(fakes, process, intents) ?? through<Jobs>('jobs', { start, describe, stop }),
    registry: through<Registry>('registry', registry),
    serving: () => endpoints,
    telemetry: () => counts,
    labels: through<Labels>('telemetry', { label, labels, labelTotals }),
    bus: through<Bus>('bus', { publish: bus.publish }),
    notify: through<Notify>('notify', { deliver: sinks.deliver }),
  };
}

/** The port over a provider that takes no key, or over jobs that are put; absent: each of its methods is one call. */
function jobsOf({ sim, shape, jobs }: Fakes, process: Process, intents: Map<string, { readonly at: number }>) {
  if (shape?.jobs.by === 'name')
    return putJobs({ provider: jobs, call: (name, apply) => sim.call(process, name, apply) });
  if (shape?.jobs.by !== 'label') return undefined;
  return labelledJobs({
    ...{ provider: jobs, intents },
    now: () => sim.now,
    unseenMs: ({ id }) => lagOf(id, shape.jobs.unseenMs),
    call: (name, apply) => sim.call(process, name, apply, { landsWithinMs: 9 * 60_000, freezesForMs: 30 * 60_000 }),
  });
}

/** The port over an endpoint that is put: its calls are under way one by one. */
function asPut({ sim, serving, watch }: Fakes, process: Process): Serving {
  const port = (endpoint: string): Serving =>
    putServing({
      provider: serving,
      now: () => sim.now,
      call(name, apply, operation) {
        if (operation === undefined) return sim.call(process, name, apply);
        sim.check(() => watch.issued(endpoint, operation));
        return sim.call(process, name, apply, { endpoint, operation });
      },
    });
  return {
    change: (endpoint, operation) => port(endpoint).change(endpoint, operation),
    observe: (endpoint) => port(endpoint).observe(endpoint),
  };
}

/** Half an hour is too short where a deployment takes 20 minutes and a write may be refused. */
const patient = (given: unknown): unknown =>
  JSON.parse(JSON.stringify(given).replaceAll('"readyWithin":"30m"', '"readyWithin":"1h"'));

/** Of one job always the same. */
const lagOf = (id: string, [least, most]: Span): number =>
  least + (Number.parseInt(id.slice(0, 8), 16) % (most - least + 1));

function compiledOf(given: unknown): CompiledConfig {
  const read = parseConfig(given);
  if ('problems' in read) throw new Error(`the scenario's config: ${JSON.stringify(read.problems)}`);
  const digests = new Map([
    ['./src', 'c'.repeat(64)],
    ['builtin:splitter', 'd'.repeat(64)],
  ]);
  return compile(read.parsed, digests, 'local');
}
