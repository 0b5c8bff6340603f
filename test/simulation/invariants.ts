import { isDeepStrictEqual } from 'node:util';
import { applyPatch } from '@serin/core/base/json';
import type { Rollout } from '@serin/core/model/rollout/state';
import type { Model } from '@serin/core/model/state';
import type { CloudEvent } from '@serin/core/ports/bus';
import { chainProblem } from '@serin/core/ports/entry';
import type { Append, Entry, Head } from '@serin/core/ports/journal';
import type { Registry } from '@serin/core/ports/registry';
import type { Operation, Serving, Weights } from '@serin/core/ports/serving';
import type { Project } from '@serin/core/project/project';
import { createAlertWatch } from './alerts.ts';
import type { MachineClock } from './clocks.ts';
import { createDriftWatch } from './drifts.ts';
import { createEvidenceWatch } from './evidence.ts';
import type { MemoryJobs, ProviderJob } from './fakes/jobs.ts';
import type { MemoryJournal } from './fakes/journal.ts';
import { copyOf, frozen } from './fakes/pages.ts';
import type { Sync } from './fakes/sync.ts';
import type { MemoryTelemetry } from './fakes/telemetry.ts';
import { Wrong } from './ledger.ts';
import { createPerformanceWatch } from './performances.ts';
import { type Sim, Violation } from './world.ts';

/** Planted in the environment of every job: no event and no list row may hold it. */
export const secret = 'canary-7f3a';

/** What is watched. The fakes call the watch, so they are made after it: a getter each. */
export interface Watched {
  readonly sim: Sim;
  readonly journal: MemoryJournal;
  readonly jobs: MemoryJobs;
  readonly registry: Sync<Registry>;
  readonly telemetry: MemoryTelemetry;
  readonly weights: (endpoint: string) => Weights;
  readonly serving: Sync<Serving>;
  /** What an object of the own bucket says. */
  readonly stored: (key: string) => unknown;
  /** One engine that may void the leases of its predecessors. */
  readonly alone: boolean;
  /** Of one machine: what its gateway counts by. */
  readonly clock: () => MachineClock | undefined;
}

export interface Watch {
  /** Checks an append and answers what to keep: as its state the fold of all patches. */
  appended(write: Append, before: Head | undefined): Append;
  jobCreated(job: ProviderJob): void;
  /** A write to an endpoint leaves its process. */
  issued(endpoint: string, operation: Operation): void;
  published(event: CloudEvent): void;
}

const recorded: ReadonlySet<string> = new Set([
  'runRequested',
  'cancelRequested',
  'approvalGiven',
  'restoreRequested',
  'pauseRequested',
  'resumeRequested',
  'promoteRequested',
  'abortRequested',
  'rollbackRequested',
  'alertRaised',
  'alertResolved',
  'releaseRequested',
  'freezeRequested',
  'thawRequested',
]);

const broken = (invariant: string, message: string): never => {
  throw new Violation(invariant, message);
};

/** The share by which a clock that comes back to the wall clock may go faster; and some for rounding. */
const slewed = 0.02;
/** A clock that is off by more may delay and repeat, and take a tick for one of the weight before. */
const promisedSkewMs = 5000;
/** An order may be on its way for as long as its process can take from its append to its call: a lease, less its rest. */
const underWayMs = 60_000;
type Active = { readonly id: string; readonly status: string };
const over = (item: object): boolean => 'endedAt' in item;

/** The promises that hold after every step, checked where it happens. Each names its number in the design. */
export function createWatch(watched: Watched): Watch {
  const { sim, weights, alone } = watched;
  const known = new Map<string, string>();
  const terminal = new Map<string, string>();
  const digests = new Map<string, string>();
  const recent = new Map<string, { readonly at: number; readonly state: Model }[]>();
  const judged = createEvidenceWatch(
    {
      truth: (query) => watched.telemetry.truth(query),
      trueLabels: (query) => watched.telemetry.trueLabels(query),
      routes: (...window) => watched.telemetry.routes(...window),
      get clockIsOffBy() {
        return sim.faults.skewMs > promisedSkewMs ? 2 * sim.faults.skewMs : 0;
      },
    },
    () => watched.clock()?.now() ?? sim.now,
  );
  const bakes = new Map<string, number>();
  const alarms = createAlertWatch();
  const drifts = createDriftWatch({
    asked: (...window) => watched.telemetry.asked(...window),
    stored: (key) => watched.stored(key),
  });
  const performances = createPerformanceWatch({ trueLabels: (query) => watched.telemetry.trueLabels(query) });
  let mostSlots = 1;

  function stateNow(model: string): Model | undefined {
    return watched.journal.head(`model/${model}`)?.state as unknown as Model | undefined;
  }

  /** The states that were current within the time an order may be under way, the newest last. */
  function lately(model: string): readonly Model[] {
    const states = recent.get(model) ?? [];
    const since = sim.now - underWayMs - 2 * sim.faults.skewMs;
    const first = states.findLastIndex(({ at }) => at <= since);
    return states.slice(Math.max(0, first)).map(({ state }) => state);
  }

  function modelAppended(before: Model | undefined, after: Model, entry: Entry, write: Append): void {
    const name = `model/${after.model} ${entry.seq}`;
    for (const what of ['run', 'rollout'] as const) {
      const [was, now]: readonly (Active | undefined)[] = [before?.[what], after[what]];
      const settled = what === 'run' ? after.settledRun : after.settledRollout;
      if (was !== undefined && was.id !== now?.id && !over(was) && settled !== was.id)
        broken('2', `${name}: ${what} ${was.id} was replaced while ${was.status}`);
      if (now === undefined) continue;
      const ended = terminal.get(now.id);
      if (ended !== undefined && ended !== now.status)
        broken('16 and 19', `${name}: ${now.id} went from ${ended} to ${now.status}`);
      if (over(now)) terminal.set(now.id, now.status);
    }
    progress(before, after, name);
    champion(before, after, name);
    evidence(before, after, entry, name);
    alerts(before, after, entry, write, name);
    drift(before, after, entry, name);
    performance(before, after, entry, name);
    leases(before, after, entry, name);
    stale(before, entry, name);
    if (after.versions !== before?.versions) {
      for (const { number, artifact } of Object.values(after.versions)) {
        const key = `${after.model}@${number}`;
        if ((digests.get(key) ?? artifact.digest) !== artifact.digest) broken('9', `${key} has two artifacts`);
        digests.set(key, artifact.digest);
      }
    }
    const waits =
      [after.run, after.rollout].some((item) => item !== undefined && !over(item)) ||
      Object.keys(after.debts).length > 0;
    if (waits && write.due === undefined) broken('18', `${name} waits for something and has no wake-up`);
    if (
      after.run?.status === 'succeeded' &&
      after.run.verdict?.against !== undefined &&
      after.run.verdict.against === after.run.trained?.number
    )
      broken('21', `${name}: the gate compared v${after.run.verdict.against} with itself`);
    if (after.monitor.runs.length > Math.max(after.plan.monitor.retrainBudget.runs, before?.monitor.runs.length ?? 0))
      broken('20', `${name}: more retrains than the budget`);
    const states = recent.get(after.model) ?? [];
    const since = states.findLastIndex(({ at }) => at <= sim.now - 2_000_000);
    recent.set(after.model, [...states.slice(Math.max(0, since)), { at: sim.now, state: after }]);
  }

  function progress(before: Model | undefined, after: Model, name: string): void {
    const [was, now] = [before?.run, after.run];
    if (
      was !== undefined &&
      now?.id === was.id &&
      'job' in was &&
      'job' in now &&
      was.job.part === now.job.part &&
      now.job.attempt < was.job.attempt
    )
      broken('19', `${name}: the attempt of ${now.id} decreased`);
    const [from, to] = [before?.rollout, after.rollout];
    baked(from, to, name);
    if (from === undefined || to?.id !== from.id) {
      if (to !== undefined && to.stable !== before?.champion)
        broken('6', `${name}: ${to.id} would restore v${to.stable}, the champion is v${before?.champion}`);
      return;
    }
    if ('step' in from && 'step' in to && to.step < from.step) broken('19', `${name}: the step of ${to.id} decreased`);
    if (from.stable !== to.stable || from.candidate !== to.candidate)
      broken('6', `${name}: ${to.id} changed its versions`);
    if (from.status === 'reverting' && over(to)) forwardLanded(after.model, to.candidate, to.stable, name);
  }

  /** On one machine a bake takes its time, whatever is done to the wall clock meanwhile. */
  function baked(from: Rollout | undefined, to: Rollout | undefined, name: string): void {
    const clock = watched.clock();
    if (to === undefined || to === from || clock?.isEven !== true) return;
    // A process may stand still between the stamp of a signal and its append.
    if (to.status === 'baking' && !(from?.status === 'baking' && from.since === to.since))
      bakes.set(to.id, clock.saidAt(to.since));
    const begun = bakes.get(to.id);
    if (from?.status !== 'baking' || to.status === 'baking' || begun === undefined) return;
    const goesOn = to.status === 'promoting' ? to.certificate?.verdict === 'promotion' : to.status === 'shifting';
    const spanMs = sim.now - begun;
    if (goesOn && spanMs < from.plan.bake * (1 - slewed))
      broken('26', `${name}: ${to.id} baked for ${spanMs} ms, of ${from.plan.bake}`);
  }

  /** A revert ends when no forward write can land any more, save one that the provider itself delays. */
  function forwardLanded(model: string, candidate: number, stable: number | undefined, name: string): void {
    for (const { about, issuedAt } of sim.inFlight) {
      const { endpoint, operation } = about ?? {};
      if (
        endpoint === model &&
        operation?.kind === 'weigh' &&
        (operation.weights[`v${candidate}`] ?? 0) > 0 &&
        candidate !== stable
      )
        broken('14', `${name}: the revert ended while a forward write was under way since ${sim.now - issuedAt} ms`);
    }
    const real = weights(model);
    if (sim.faults.late === 0 && (real[`v${candidate}`] ?? 0) > 0)
      broken('6', `${name}: the revert ended with ${JSON.stringify(real)}`);
  }

  function champion(before: Model | undefined, after: Model, name: string): void {
    if (after.champion === before?.champion) return;
    const { rollout } = after;
    const version = after.versions[String(after.champion)];
    if (version?.serve === 'none') return;
    if (rollout?.status !== 'promoted' || rollout.candidate !== after.champion)
      broken('5', `${name}: v${after.champion} became the champion without a rollout that promoted it`);
    const from = before?.rollout?.status ?? '';
    if (!['promoting', 'guarding'].includes(from) && rollout?.id === before?.rollout?.id)
      broken('5', `${name}: promoted from '${from}'`);
  }

  function evidence(before: Model | undefined, after: Model, entry: Entry, name: string): void {
    try {
      judged.appended(before, after, entry);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      broken('15', `${name}: of ${after.rollout?.id} ${error.message}`);
    }
  }

  function alerts(before: Model | undefined, after: Model, entry: Entry, { due }: Append, name: string): void {
    try {
      alarms.appended(before, after, entry, due);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      broken('25', `${name}: ${error.message}`);
    }
    const [last = 0, one = Number.NEGATIVE_INFINITY] = after.monitor.runs.slice(-2).reverse();
    if (after.monitor.runs !== before?.monitor.runs && last - one < after.plan.monitor.cooldown)
      broken('20', `${name}: two retrains within the cooldown`);
  }

  function drift(before: Model | undefined, after: Model, entry: Entry, name: string): void {
    try {
      drifts.appended(before, after, entry);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      broken('30', `${name}: ${error.message}`);
    }
  }

  function performance(before: Model | undefined, after: Model, entry: Entry, name: string): void {
    try {
      performances.appended(before, after, entry);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      broken('31', `${name}: ${error.message}`);
    }
  }

  /** What says that a debt was paid has to come from whoever has it. A late answer about a write only ends its danger. */
  function stale(before: Model | undefined, entry: Entry, name: string): void {
    const { type, key, taken } = entry.signal as {
      readonly type?: string;
      readonly key?: string;
      readonly taken?: number;
    };
    if (key === undefined || type === 'endpointChanged' || before?.debts[key]?.taken === taken) return;
    broken('17', `${name}: a stale answer to '${key}' was accepted`);
  }

  function leases(before: Model | undefined, after: Model, entry: Entry, name: string): void {
    const signal = entry.signal as { readonly key?: string; readonly taken?: number };
    for (const [key, debt] of Object.entries(after.debts)) {
      const was = before?.debts[key];
      if (was?.taken === undefined || debt.taken === undefined || was.taken === debt.taken) continue;
      const answered = signal.key === key && signal.taken === was.taken;
      const falling = key.startsWith('endpoint/change/') && after.endpoint.desired.urgent;
      if (!answered && !falling && !alone && was.until > entry.at)
        broken('17', `${name}: the lease of '${key}' was taken from ${was.by}`);
    }
  }

  function projectAppended(after: Project, name: string): void {
    mostSlots = Math.max(mostSlots, after.config?.concurrentRuns ?? 1);
    if (Object.keys(after.slots).length > mostSlots) broken('20', `${name}: more slots than concurrentRuns`);
  }

  return {
    appended(write, head) {
      const { entry } = write;
      const name = `${entry.stream} ${entry.seq}`;
      if (entry.previousHash !== (head?.hash ?? '')) broken('8', `${name} was decided on another head than it follows`);
      const folded = frozen(applyPatch(head?.state ?? {}, frozen(entry).patch));
      if (!sameJson(folded, write.state))
        broken('10', `${name}: the state is not the fold of its patches: ${difference(folded, write.state)}`);
      const { type = '', id = '' } = entry.signal as { readonly type?: string; readonly id?: string };
      if (recorded.has(type) && id !== '') {
        const key = `${entry.stream} ${type} ${id}`;
        if (known.has(key)) broken('12', `${name}: ${type} '${id}' was decided already by ${known.get(key)}`);
        known.set(key, name);
      }
      if (JSON.stringify([entry.events, write.name]).includes(secret)) broken('22', `${name} tells a secret`);
      if (entry.stream.startsWith('model/'))
        modelAppended(head?.state as unknown as Model | undefined, folded as Model, entry, write);
      if (entry.stream === 'project') projectAppended(folded as Project, name);
      return { ...write, state: folded as Head['state'] };
    },
    jobCreated({ job }) {
      const all = watched.jobs
        .created()
        .filter((other) => other.job.key === job.key && other.job.project === job.project);
      if (all.length > 1) broken('1', `${job.key} was paid for twice`);
      const record = watched.journal.head(`run/${job.key.split('/')[0]}`)?.state as
        | { readonly endedAt?: number }
        | undefined;
      if (record?.endedAt !== undefined) broken('1', `${job.key} came after its run had ended, and nobody stops it`);
      const active = watched.jobs.active();
      const run = (key: string): string => key.split('/')[0] ?? '';
      const ofRun = new Set(active.filter((other) => run(other.job.key) === run(job.key)).map(({ job }) => job.key));
      if (ofRun.size > 1) broken('1', `two jobs of ${run(job.key)} at once`);
      const runs = new Set(active.map((other) => run(other.job.key)));
      if (runs.size > mostSlots) broken('20', `${runs.size} runs hold a machine, of at most ${mostSlots}`);
      const holdout = stateNow(job.model)?.run?.holdout;
      if (job.kind === 'train' && Object.values(job.channels).some((source) => isDeepStrictEqual(source, holdout)))
        broken('21', `${job.key} was given the hold-out`);
      if (job.kind !== 'evaluate') return;
      const others = watched.jobs
        .created()
        .filter(
          (other) => other.job.kind === 'evaluate' && run(other.job.key) === run(job.key) && other.job.key !== job.key,
        );
      for (const other of others) {
        if (!isDeepStrictEqual(other.job.channels.holdout, job.channels.holdout))
          broken('21', `${job.key} is scored on another hold-out`);
        const part = (key: string): string => key.split('/')[1] ?? '';
        if (part(other.job.key) !== part(job.key) && isDeepStrictEqual(other.job.channels.model, job.channels.model))
          broken('21', `${job.key} scores the challenger against itself`);
      }
    },
    issued(endpoint, operation) {
      const states = lately(endpoint);
      const text = JSON.stringify(operation.kind === 'deploy' ? { deploy: operation.deployment.name } : operation);
      if (!states.some((state) => 'operation' in state.endpoint && isSame(state.endpoint.operation, operation)))
        broken('17', `${endpoint}: nobody has ordered ${text} lately`);
      if (operation.kind !== 'weigh') return;
      const shares = Object.values(operation.weights);
      if (
        shares.length > 0 &&
        (shares.reduce((sum, share) => sum + share, 0) !== 100 ||
          shares.some((share) => !Number.isInteger(share) || share < 0))
      )
        broken('3', `${endpoint}: ${text} does not sum to 100`);
      const now = weights(endpoint);
      for (const [name, weight] of Object.entries(operation.weights)) {
        if (weight <= (now[name] ?? 0)) continue;
        const seen = watched.serving.observe(endpoint);
        const status =
          seen === 'absent' ? undefined : seen.deployments.find((deployment) => deployment.name === name)?.status;
        if (status === 'pending' && sim.faults.late === 0)
          broken('4', `${endpoint}: ${text} gives traffic to ${name} before it is ready`);
        const number = Number(name.slice(1));
        const may = states.some((state) => {
          const version = state.versions[String(number)];
          return version?.registered && version.quarantined === undefined && version.approval?.status === 'approved';
        });
        if (!may) broken('4 and 7', `${endpoint}: ${text} gives traffic to ${name}, which may not serve`);
        if (watched.registry.get(endpoint, number) === undefined)
          broken('4', `${endpoint}: ${name} was never registered`);
      }
    },
    published(event) {
      const at = event.id.lastIndexOf('/');
      const seqAt = event.id.lastIndexOf('/', at - 1);
      const entry = watched.journal.entries(event.id.slice(0, seqAt))[Number(event.id.slice(seqAt + 1, at)) - 1];
      const body = entry?.events[Number(event.id.slice(at + 1))];
      if (body === undefined || !isDeepStrictEqual(body.data, copyOf(event.data)))
        broken('10', `the event ${event.id} is in no entry`);
    },
  };
}

/** Equal plain JSON: no `undefined` and no `null` that the other does not have. Parts that are one object are not walked. */
function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>];
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  for (const key of keys) if (!Object.hasOwn(right, key) || !sameJson(left[key], right[key])) return false;
  return true;
}

function isSame(ordered: Operation | undefined, operation: Operation): boolean {
  if (ordered?.kind !== operation.kind) return false;
  if (ordered.kind === 'deploy')
    return operation.kind === 'deploy' && ordered.deployment.name === operation.deployment.name;
  return isDeepStrictEqual(copyOf(ordered), copyOf(operation));
}

function difference(a: unknown, b: unknown, path = ''): string {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return `${path}: ${JSON.stringify(a)} against ${JSON.stringify(b)}`;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const key = [...new Set([...Object.keys(left), ...Object.keys(right)])].find(
    (name) => !isDeepStrictEqual(left[name], right[name]),
  );
  return key === undefined ? `${path}: kinds differ` : difference(left[key], right[key], `${path}/${key}`);
}

/** The hash chain and the gaplessness of every stream (10). */
export function checkChains(journal: MemoryJournal): void {
  for (const stream of journal.streams()) {
    const problem = chainProblem(journal.entries(stream));
    if (problem !== undefined) broken('10', problem);
  }
}
