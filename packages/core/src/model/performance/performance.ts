import { canonical } from '../../base/json.ts';
import { defined, without } from '../../base/objects.ts';
import type { Table } from '../../base/table.ts';
import { momentText } from '../../base/time.ts';
import type { ModelPlan } from '../../config/config.ts';
import { maturityOf, predictionIn, truthRuleOf } from '../../config/performance.ts';
import { isWorse, type LossEvidence, logWorse, lossLimit, noLosses, withWindow } from '../../drift/losses.ts';
import { addOutcomes, lacksIn, leastCoverage, lossOf, noOutcomes, type Outcomes } from '../../drift/outcomes.ts';
import { labelsKeptMs } from '../../guardrails/labels.ts';
import type { Effect, ModelSignal } from '../protocol.ts';
import { deploymentName } from '../version.ts';
import { followLoss, type LossIncident } from './incident.ts';
import type { Bets } from './protocol.ts';

/** A window that was judged. */
export interface LossWindow extends Outcomes {
  readonly from: number;
  readonly to: number;
  readonly version: number;
  /** Absent: it is one of those that tell the limit. */
  readonly limit?: number;
  /** Absent: none was gathered, for an incident is open. */
  readonly evidence?: number;
  readonly isAlarm?: true;
}

interface Base {
  readonly version: number;
  /** Counts the orders, so that each has a key of its own. */
  readonly turn: number;
  /** The window that is open, how far its labels are read, and what they came to so far. */
  readonly from: number;
  readonly until: number;
  readonly readTo: number;
  readonly outcomes: Outcomes;
  /** Of all windows of the version that were judged, and with the bets on the open one. */
  readonly evidence: LossEvidence;
  readonly betting?: LossEvidence;
  /** The first labels of the version. */
  readonly first: Outcomes;
  /** The last 60 that were judged, the newest last. */
  readonly windows: readonly LossWindow[];
  readonly incident?: LossIncident;
  /** Why nothing is said of the last window. */
  readonly because?: string;
}

/** Labels of the champion that come late, window by window. A status names what is waited for. */
export type Performance =
  | (Base & {
      readonly status: 'maturing';
      /** When the labels of the window have come. */
      readonly dueAt: number;
    })
  | (Base & { readonly status: 'counting' });

interface Context {
  readonly model: string;
  readonly plan: ModelPlan;
}

const keptWindows = 60;
const maxTicksPerReading = 240;
/** The first labels of a version say how wrong it is; so many tell it to about 2 points. */
export const firstLabels = 1000;

/** The last window that was judged of the version that is; `undefined`: none was yet. */
export function lastWindow({ windows, version }: Pick<Base, 'windows' | 'version'>): LossWindow | undefined {
  const last = windows.at(-1);
  return last?.version === version ? last : undefined;
}

type Maturing = Extract<Performance, { status: 'maturing' }>;

interface Rules extends NonNullable<ModelPlan['monitor']['performance']> {
  readonly tickMs: number;
  readonly maturityMs: number;
}

const rulesOf = (plan: ModelPlan): Rules | undefined =>
  plan.monitor.performance && {
    ...plan.monitor.performance,
    tickMs: plan.rollout.tick,
    maturityMs: maturityOf(plan),
  };

/** The machine of a champion: a new one begins anew, but for the incident that is open. */
export function beginPerformance(
  before: Performance | undefined,
  version: number,
  at: number,
  plan: ModelPlan,
): Performance {
  const { turn = 0, windows = [], incident } = before ?? {};
  const known = { version, turn, windows, ...defined({ incident }), evidence: noLosses, first: noOutcomes };
  return openWindow(known, at, plan);
}

type Known = Omit<Base, 'from' | 'until' | 'readTo' | 'outcomes' | 'betting'>;

/** A window of whole ticks from a time on. Nothing that was read of an earlier one is in it. */
function openWindow(known: Known, at: number, plan: ModelPlan): Maturing {
  const from = Math.ceil(at / plan.rollout.tick) * plan.rollout.tick;
  const { version, turn, windows, evidence, first, incident, because } = known;
  const kept = { version, windows, evidence, first, ...defined({ incident, because }) };
  return mature({ ...kept, turn: turn + 1, from, until: from, readTo: from, outcomes: noOutcomes }, plan);
}

/** Waits for the labels until the next multiple of the length of a window; half a window is the least. */
function mature(performance: Base, plan: ModelPlan): Maturing {
  const { window: windowMs = 0, maturityMs = 0 } = rulesOf(plan) ?? {};
  const until = Math.ceil((performance.until + windowMs / 2) / windowMs) * windowMs;
  return { ...performance, until, status: 'maturing', dueAt: until + maturityMs };
}

interface Planned {
  readonly plan: ModelPlan;
  readonly before: ModelPlan;
  readonly at: number;
}

/**
 * Under another plan the open window is read again; where ids of requests are read from another place, it begins anew. Where
 * predictions are, all does: one machine reads them when they are recorded, and what was read elsewhere tells no limit.
 */
export function planPerformance(performance: Performance | undefined, planned: Planned): Performance | undefined {
  const { plan, before, at } = planned;
  const known = underRules(performance, planned);
  if (known === undefined) return undefined;
  const anew = (what: string, kept: Known) =>
    openWindow({ ...kept, because: `${what}, so they count from ${momentText(at)} on` }, at, plan);
  if (predictionIn(plan) !== predictionIn(before))
    return anew('predictions stand elsewhere in answers', ofOtherLosses(known));
  if (isIdElsewhere(plan, before)) return anew('the ids of requests stand elsewhere in monitor.capture.fields', known);
  return known;
}

/** On a cloud that is where it is looked for in requests without names, also in those of before. */
function isIdElsewhere({ monitor: { capture } }: ModelPlan, before: ModelPlan): boolean {
  const was = before.monitor.capture;
  if (capture?.id === undefined || capture.id !== was?.id || capture.fields.length !== was.fields.length) return false;
  return capture.fields.indexOf(capture.id) !== was.fields.indexOf(capture.id);
}

/** Bets against another limit are void, and another class is counted anew. */
function underRules(performance: Performance | undefined, { plan, before }: Planned): Performance | undefined {
  const [now, was] = [rulesOf(plan), rulesOf(before)];
  if (performance === undefined || now === undefined) return undefined;
  if (canonical(now) === canonical(was ?? {})) return performance;
  const isSameLimit = now.limit === was?.limit && now.tolerance === was?.tolerance;
  const { from, windows } = performance;
  const known = {
    ...performance,
    ...(isSameLimit ? {} : { evidence: noLosses }),
    ...(now.positive === was?.positive ? {} : { windows: windows.map((window) => without(window, 'classes')) }),
  };
  return openWindow(now.scale === was?.scale ? known : ofOtherLosses(known), from, plan);
}

/** A loss is another thing now: no window, no limit, no evidence and no incident of before says anything of it. */
const ofOtherLosses = <State extends Known>(performance: State) => ({
  ...without(performance, 'incident'),
  windows: [],
  evidence: noLosses,
  first: noOutcomes,
});

export const performanceTable: Table<Performance, ModelSignal, Context> = {
  maturing: {
    clockTicked: (performance, { at }, { plan }) =>
      at >= performance.dueAt ? count(performance, at, plan) : performance,
    labelsCounted: 'ignore',
    effectRefused: 'ignore',
  },
  counting: {
    labelsCounted: (performance, { readTo, outcomes, evidence, at }, { plan }) => {
      const { betting: _, ...rest } = performance;
      const read = { ...rest, turn: performance.turn + 1, readTo, outcomes, ...defined({ betting: evidence }) };
      return readTo + plan.rollout.tick > performance.until ? note(read, at, plan) : read;
    },
    effectRefused: (performance, { because }, { plan }) => pass(performance, because.slice(0, 500), plan),
    clockTicked: 'ignore',
  },
};

/** The labels of the window have come, but for requests that are not known any more. */
function count({ dueAt: _, ...performance }: Maturing, at: number, plan: ModelPlan): Performance {
  const oldest = at - labelsKeptMs;
  if (performance.until <= oldest) {
    const later = openWindow(performance, oldest, plan);
    // What is due already is no time to wait for.
    return at >= later.dueAt ? count(later, at, plan) : later;
  }
  return { ...performance, status: 'counting', turn: performance.turn + 1 } as const;
}

/** Nothing is said of this window. */
const pass = (performance: Base, because: string, plan: ModelPlan): Performance =>
  openWindow({ ...performance, because }, performance.until, plan);

/** The window is read to its end. With too few labels it goes on; labels of less than half of it may not speak for all. */
function note(performance: Base, at: number, plan: ModelPlan): Performance {
  const { outcomes } = performance;
  const lacks = lacksIn(outcomes);
  if (lacks === 'labels') return mature(performance, plan);
  if (lacks === undefined) return judge(performance, at, plan);
  const because = `labels came for ${outcomes.labels} of its ${outcomes.predictions} predictions, and nothing is said below ${leastCoverage * 100} %`;
  return pass(performance, because, plan);
}

function judge({ because: _, ...performance }: Base, at: number, plan: ModelPlan): Performance {
  const { version, from, until, outcomes, incident: open, betting, windows } = performance;
  const limit = limitOf(performance, plan);
  const { quietFor = 0 } = rulesOf(plan) ?? {};
  const isAlarm = betting !== undefined && isWorse(betting, quietFor);
  const isLoss = outcomes.losses > 0 ? { isLoss: true as const } : {};
  const judged = { loss: lossOf(outcomes).value, ...isLoss, ...(isAlarm ? defined({ exceeds: limit }) : {}) };
  const incident = followLoss(open, judged, { from, at, version });
  // What was gathered before an incident says nothing of what comes after it.
  const isAnew = isAlarm || (open !== undefined && incident === undefined);
  const evidence = isAnew ? noLosses : (betting ?? performance.evidence);
  const seen: LossWindow = {
    ...{ from, to: until, version, ...outcomes, ...defined({ limit }) },
    ...(betting === undefined ? {} : { evidence: shown(logWorse(betting)) }),
    ...(isAlarm ? { isAlarm } : {}),
  };
  const first = limit === undefined ? addOutcomes(performance.first, outcomes) : performance.first;
  const next = {
    ...without(performance, 'incident'),
    evidence,
    first,
    windows: [...windows, seen].slice(-keptWindows),
  };
  return openWindow({ ...next, ...defined({ incident }) }, until, plan);
}

/** Beyond it nobody asks how much. */
const mostEvidence = 1e9;
const shown = (log: number): number => Number(Math.min(mostEvidence, Math.exp(log)).toPrecision(4));

/** The mean loss above which it is worse; `undefined`: the first labels of the version have not told it yet. */
export function limitOf({ first }: Pick<Base, 'first'>, plan: ModelPlan): number | undefined {
  const { limit, tolerance } = rulesOf(plan) ?? {};
  if (limit !== undefined) return limit;
  return first.labels < firstLabels ? undefined : lossLimit({ sum: first.lost, labels: first.labels }, tolerance);
}

/** No bet is made before the limit is known, and none against a version whose incident is open. */
function betsOf(performance: Performance, plan: ModelPlan): Bets | undefined {
  const { incident, version, evidence, betting } = performance;
  const limit = limitOf(performance, plan);
  if (limit === undefined || incident?.version === version) return undefined;
  return { limit, evidence: betting ?? withWindow(evidence) };
}

/** What it owes while it waits. */
export function performanceOwes(performance: Performance, { model, plan }: Context): readonly Effect[] {
  const rules = rulesOf(plan);
  if (rules === undefined || performance.status === 'maturing') return [];
  const { turn, version, readTo: from, until, outcomes } = performance;
  const { tickMs, maturityMs } = rules;
  return [
    {
      ...{ key: `performance/${turn}`, kind: 'countLabels', endpoint: model, deployment: deploymentName(version) },
      ...{ from, to: Math.min(until, from + maxTicksPerReading * tickMs), tickMs, maturityMs, outcomes },
      ...defined({ truths: truthRuleOf(rules), bets: betsOf(performance, plan) }),
    },
  ];
}

export const performanceWakes = (performance: Performance): number | undefined =>
  performance.status === 'maturing' ? performance.dueAt : undefined;
