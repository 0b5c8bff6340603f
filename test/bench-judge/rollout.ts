import { slowerThan } from '../../packages/core/src/base/measures.ts';
import { step } from '../../packages/core/src/base/table.ts';
import type { ModelPlan } from '../../packages/core/src/config/config.ts';
import type { History } from '../../packages/core/src/judge/history.ts';
import { planOf } from '../../packages/core/src/model/model.fixture.ts';
import type { Effect, ModelSignal } from '../../packages/core/src/model/protocol.ts';
import { rolloutOwes, rolloutWakes } from '../../packages/core/src/model/rollout/owes.ts';
import { type Because, candidateWeight, type Rollout } from '../../packages/core/src/model/rollout/state.ts';
import { beginRollout } from '../../packages/core/src/model/rollout/steps.ts';
import { rolloutTable } from '../../packages/core/src/model/rollout/table.ts';
import type { Counts, LabelTick, Tick } from '../../packages/core/src/ports/telemetry.ts';
import { thresholds } from './stream.ts';

/**
 * A rollout as a user gets it: the product's own table, fed with the signals that the engine sends it, under a compiled
 * config. Nothing of its rules is repeated here.
 */
export type Plan = ModelPlan['rollout'];
type Given = NonNullable<NonNullable<Parameters<typeof planOf>[0]>['rollout']>;

/** The plan of a config that says this of its rollout; without anything: the shipped default. */
export const planFor = (given: Given = {}): Plan => planOf({ rollout: given }).rollout;

/** Counts of one arm in one minute. Written again each minute. */
export interface ArmCounts {
  requests: number;
  errors: number;
  /** Slower than the champion's p50, p90, p99. */
  readonly slow: [number, number, number];
}

/** Where requests come from. */
export interface Source {
  /** The next minute, with the candidate at this weight in percent. The answer is good until the next call. */
  next(weight: number): Readonly<Record<'candidate' | 'champion', ArmCounts>> & { readonly beside?: Beside };
}

export interface Followed {
  /** Minutes after which nobody looks any more. */
  readonly until: number;
  /** What the champion did before; absent: nobody can say. */
  readonly history?: History | undefined;
  /** Minutes that a platform waits before it tells a tick. */
  readonly settle?: number;
  /** Users stay with their model. */
  readonly sticky?: boolean;
}

/** What a platform tells of a minute beside the counts of its requests. */
export interface Beside extends Pick<Tick, 'users' | 'segments' | 'pairs'> {
  /** Of the requests that were routed in it, as they are known when they have matured. */
  readonly labels?: Omit<LabelTick, 'start'>;
}

/** How a rollout came to its end, or where it was after `until`. */
export interface Ended {
  /**
   * `certified` and `uncertified`: promoted. `held` and `open`: it went on. The others are why it was taken back:
   * `evidence` is the judge's, `limit`, `routing`, `hold` and the like are policy.
   */
  readonly end: Because['kind'] | 'certified' | 'uncertified' | 'held' | 'open';
  /** Minutes from the first request to the candidate. */
  readonly minutes: number;
  /** Requests to the candidate, up to then. */
  readonly exposed: number;
  /** When the candidate got all traffic; its guard may still have taken it back. */
  readonly promotedAt?: number;
  /** It waited on the way, for whatever reason. */
  readonly wasHeld: boolean;
  /** When it was held for what both arms did together. */
  readonly wasHeldTogether?: number;
}

export const minuteMs = 60_000;
export const start = Date.UTC(2026, 0, 8, 12);
export const [candidate, champion] = ['v2', 'v1'];
const [p50 = 0, p90 = 0, p99 = 0] = thresholds;
const [overP50, overP90, overP99] = [slowerThan(p50), slowerThan(p90), slowerThan(p99)];
const actor = { subject: 'engine', issuer: 'engine', role: 'operator' } as const;

export function follow(plan: Plan, source: Source, { until, history, settle = 0, sticky = false }: Followed): Ended {
  let now = start;
  let count = 0;
  let rollout: Rollout = beginRollout(
    { id: 'r1', kind: 'release', candidate: 2, stable: 1, plan, sticky, by: 'bench', championSince: 0 },
    start,
  );
  let waiting: Tick[] = [];
  const labels: LabelTick[] = [];
  let exposed = 0;
  let promotedAt: number | undefined;
  let wasHeld = false;
  let wasHeldTogether: number | undefined;
  const say = (said: Said) => {
    count += 1;
    const read = step(rolloutTable, rollout, { ...said, id: `s${count}`, at: now, actor } as ModelSignal, context);
    if ('moved' in read) rollout = read.moved;
  };
  const converge = () => {
    while (rollout.status in converging) {
      const before = rollout;
      say({ type: 'endpointConverged' });
      if (rollout === before) break;
    }
  };
  const pay = () => {
    for (const effect of rolloutOwes(rollout, now - settle * minuteMs, 'endpoint'))
      say(answerTo(effect, { waiting, labels, history }));
    if ((rolloutWakes(rollout) ?? Number.POSITIVE_INFINITY) <= now) say({ type: 'clockTicked' });
  };
  // The champion's latency, its history, and whatever else is asked before the first step.
  for (let asked = rollout; ; asked = rollout) {
    pay();
    converge();
    if (rollout === asked || rollout.status !== 'deploying') break;
  }
  const ended = (minutes: number): Ended => ({
    end: endOf(rollout),
    minutes,
    exposed,
    wasHeld,
    ...(promotedAt === undefined ? {} : { promotedAt }),
    ...(wasHeldTogether === undefined ? {} : { wasHeldTogether }),
  });
  for (let minute = 1; minute <= until; minute += 1) {
    const { beside: { labels: told, ...beside } = {}, ...counts } = source.next(candidateWeight(rollout));
    exposed += counts.candidate.requests;
    if (told !== undefined) labels.push({ start: now, ...told });
    waiting.push({
      ...{ start: now, ...beside },
      counts: { [candidate]: countsOf(counts.candidate), [champion]: countsOf(counts.champion) },
    });
    now += minuteMs;
    pay();
    if (waiting.length > 10) waiting = waiting.filter((tick) => tick.start >= rollout.evidence.readTo);
    if (rollout.status === 'held') wasHeld = true;
    if (rollout.together === 'held') wasHeldTogether ??= minute;
    if (rollout.status === 'promoting') promotedAt = minute;
    converge();
    if ('endedAt' in rollout) return ended(minute);
  }
  return ended(until);
}

type Said = { readonly type: ModelSignal['type'] | 'endpointConverged' } & Readonly<Record<string, unknown>>;
const context = { frozen: false };
const converging = { deploying: true, shifting: true, promoting: true, reverting: true };

interface Known {
  readonly waiting: readonly Tick[];
  readonly labels: readonly LabelTick[];
  readonly history: History | undefined;
}

/** What a platform answers. */
function answerTo(effect: Effect, { waiting, labels, history }: Known): Said {
  switch (effect.kind) {
    case 'readLatency':
      return { type: 'latencyRead', percentiles: { p50, p90, p99, requests: 1_000_000 } };
    case 'readHistory':
      return { type: 'historyRead', ...(history === undefined ? {} : { history }) };
    case 'readTicks': {
      const { from, to } = effect;
      return { type: 'ticksRead', from, to, ticks: waiting.filter((tick) => tick.start >= from && tick.start < to) };
    }
    case 'readLabels': {
      const { from, to } = effect;
      return { type: 'labelsRead', from, to, ticks: labels.filter((tick) => tick.start >= from && tick.start < to) };
    }
    default:
      throw new Error(`the benchmark answers no '${effect.kind}'`);
  }
}

export const countsOf = ({ requests, errors, slow }: ArmCounts): Counts => ({
  requests,
  bad: { errors, [overP50]: slow[0], [overP90]: slow[1], [overP99]: slow[2] },
});

function endOf(rollout: Rollout): Ended['end'] {
  if (rollout.status === 'promoted') return rollout.certificate?.verdict === 'promotion' ? 'certified' : 'uncertified';
  if (rollout.status === 'rolledBack' || rollout.status === 'aborted') return rollout.because.kind;
  return rollout.status === 'held' ? 'held' : 'open';
}
