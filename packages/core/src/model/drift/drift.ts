import { canonical } from '../../base/json.ts';
import { defined, own, without } from '../../base/objects.ts';
import type { Table } from '../../base/table.ts';
import { hour, momentText } from '../../base/time.ts';
import type { ModelPlan } from '../../config/config.ts';
import { follow, type Incident } from '../../drift/incident.ts';
import type { Effect, ModelSignal, SignalOf } from '../protocol.ts';
import type { Versions } from '../version.ts';
import { type Answers, answersAfter, answersAsked, answersJudged } from './answers.ts';
import { type EstimateSeen, estimateAfter, probabilitiesAsked } from './estimate.ts';
import type { Counted, Judged } from './protocol.ts';

/** A window that was judged, in short. */
export interface WindowSeen {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly evidence: number;
  readonly threshold: number;
  /** The largest difference of a column. */
  readonly size: number;
  readonly alarms: readonly string[];
  /** Absent: none was made. */
  readonly estimate?: EstimateSeen;
}

interface Base {
  /** The version whose training data live requests are compared with, and the digest of that reference. */
  readonly version: number;
  readonly reference: string;
  /** Counts the orders, so that each has a key of its own. */
  readonly turn: number;
  /** Where the window that is open begins. */
  readonly from: number;
  /** Digest of what the detector knows; absent: it begins anew. */
  readonly detector?: string;
  /** The last 60 that were judged, the newest last. */
  readonly windows: readonly WindowSeen[];
  /** Of the last one; `counts` is the digest of its counts. */
  readonly counts?: string;
  readonly columns?: Judged['columns'];
  readonly uncalibrated?: string;
  /** Absent: none was captured yet, or the config has them off. */
  readonly answers?: Answers;
  readonly incident?: Incident;
  /** Rows of the window so far, where they were too few to be judged at its first end. */
  readonly few?: number;
  /** Captured requests of the window that was counted last which could not be read. */
  readonly unread?: Counted['unread'];
  /** Captured fields that are not compared: the training data does not have them. */
  readonly absent?: readonly string[];
  /** Why the last window could not be judged. */
  readonly because?: string;
  /** Why nothing was estimated of it, where the config asks for that. */
  readonly unestimated?: string;
}

/** Live requests of one model, window by window. A status names what is waited for. */
export type Drift =
  | (Base & { readonly status: 'collecting'; readonly until: number })
  | (Base & {
      readonly status: 'counting';
      readonly until: number;
      readonly counted?: Counted;
      readonly cursor?: string;
    })
  | (Base & { readonly status: 'judging'; readonly until: number; readonly counted: Counted });

export interface DriftContext {
  readonly model: string;
  readonly plan: ModelPlan;
  readonly versions: Versions;
}

const keptWindows = 60;
/** A window with fewer rows goes on, and is judged together with the next one. */
export const fewestRows = 50;

/** The machine of a champion whose reference is known; the incident that is open stays so. */
export function beginDrift(
  before: Drift | undefined,
  { version, reference }: { readonly version: number; readonly reference: string },
  at: number,
  plan: ModelPlan,
): Drift {
  const { turn = 0, windows = [], incident } = before ?? {};
  const begun = { version, reference, turn: turn + 1, windows, ...defined({ incident }), from: at };
  return { ...begun, status: 'collecting', until: endOf(at, plan) };
}

/**
 * Under other `fields` the window begins anew: on a cloud they name the values of requests when those are read, and on one
 * machine what was not among them was not kept. So no window has requests of both. Where only the probabilities are
 * elsewhere in answers, a window that is being counted is counted anew, and what was estimated before is forgotten.
 */
export function planDrift(
  drift: Drift | undefined,
  { plan, before, at }: { readonly plan: ModelPlan; readonly before: ModelPlan; readonly at: number },
): Drift | undefined {
  if (drift === undefined || plan.monitor.drift === undefined) return undefined;
  if (fieldsIn(plan) !== fieldsIn(before)) {
    const because = `monitor.capture.fields changed, so requests count from ${momentText(at)} on`;
    return { ...collect({ ...(without(drift, 'few', 'unread') as Drift), from: at }, at, plan), because };
  }
  return placeIn(plan) === placeIn(before) ? drift : withoutEstimates(drift);
}

function withoutEstimates({ unestimated: _, ...drift }: Drift): Drift {
  const windows = drift.windows.map((window) => without(window, 'estimate'));
  if (drift.status === 'counting')
    return { ...(without(drift, 'counted', 'cursor') as typeof drift), windows, turn: drift.turn + 1 };
  if (drift.status === 'judging') return { ...drift, windows, counted: without(drift.counted, 'probabilities') };
  return { ...drift, windows };
}

const fieldsIn = ({ monitor }: ModelPlan): string => canonical(monitor.capture?.fields ?? []);
const placeIn = ({ monitor }: ModelPlan): string => canonical(monitor.estimate ?? {});

/** Windows end at multiples of their length, so that days are days; the first is at least half of one. */
function endOf(from: number, { monitor }: ModelPlan): number {
  const windowMs = monitor.drift?.window ?? 0;
  return Math.ceil((from + windowMs / 2) / windowMs) * windowMs;
}

export const driftTable: Table<Drift, ModelSignal, DriftContext> = {
  collecting: {
    clockTicked: (drift, { at }, context) => (at >= drift.until ? count(drift, at, context) : drift),
    capturedCounted: 'ignore',
    driftJudged: 'ignore',
    effectRefused: 'ignore',
  },
  counting: {
    capturedCounted: (drift, { counted, cursor }, context) => {
      const rest = without(drift, 'counted', 'cursor') as Open;
      const turn = drift.turn + 1;
      if (cursor !== undefined) return { ...rest, status: 'counting', turn, counted, cursor };
      const whole = { ...(without(rest, 'unread') as Open), ...defined({ unread: counted.unread }) };
      return counted.rows < fewestRows
        ? goOn({ ...whole, turn, few: counted.rows }, context)
        : { ...whole, status: 'judging', turn, counted };
    },
    effectRefused: (drift, { because }, context) => skip(drift, because, context),
    clockTicked: 'ignore',
    driftJudged: 'ignore',
  },
  judging: {
    driftJudged: (drift, answer, context) => note(drift, answer, context),
    effectRefused: (drift, { because }, context) => skip(drift, because, context),
    clockTicked: 'ignore',
    capturedCounted: 'ignore',
  },
};

type Open = Base & { readonly until: number };
type Collecting = Extract<Drift, { status: 'collecting' }>;

/** So long after it was asked for a window is read: copies come late, and a platform may be away. */
const readWithin = (keepMs: number): number => Math.min(2 * hour, keepMs / 100);

/** The window that has ended is counted, but for what is not kept any more when it is read. */
function count(drift: Collecting, at: number, context: DriftContext): Drift {
  const { keep = 0 } = context.plan.monitor.capture ?? {};
  const oldest = at - keep + readWithin(keep);
  if (drift.until <= oldest) {
    const later = collect({ ...drift, from: oldest }, oldest, context.plan);
    // What is due already is no time to wait for.
    return at >= later.until ? count(later, at, context) : later;
  }
  return { ...drift, status: 'counting', turn: drift.turn + 1, from: Math.max(drift.from, oldest) };
}

const collect = (drift: Base, after: number, plan: ModelPlan): Collecting => ({
  ...(without(drift as Base & { readonly counted?: Counted; readonly cursor?: string }, 'counted', 'cursor') as Base),
  status: 'collecting',
  until: endOf(after, plan),
});

/** Too few rows: they are counted again with those of the next window. */
const goOn = (drift: Open, context: DriftContext): Drift => collect(drift, drift.until, context.plan);
/** To the next window. */
const next = (drift: Open, context: DriftContext): Drift =>
  goOn({ ...(without(drift, 'few') as Open), from: drift.until }, context);

const skip = (drift: Open, because: string, context: DriftContext): Drift => ({
  ...next(drift, context),
  because: because.slice(0, 500),
});

function note(
  drift: Extract<Drift, { status: 'judging' }>,
  { detector, judged, answers: made, at }: SignalOf<'driftJudged'>,
  context: DriftContext,
): Drift {
  const { evidence, threshold, columns, alarms, level, isSilent, uncalibrated } = judged;
  const { from, until, counted, version, windows, incident: open } = drift;
  const size = Math.max(0, ...columns.map(({ size = 0 }) => size));
  const drifted = columns.flatMap(({ name, size }) => (alarms.includes(name) ? (size ?? 0) : []));
  const found = { columns: alarms, size: Math.max(0, ...drifted), ...defined({ level, isSilent }) };
  const incident = follow(open, found, { from, at, version });
  const isOpen = incident !== undefined;
  const answers = answersAfter(drift, counted.answers, { isOpen, made, plan: context.plan });
  const { estimate, unestimated } = estimateAfter({ version, isOpen }, counted.probabilities, context);
  const told = { from, to: until, rows: counted.rows, evidence, threshold, size, alarms: alarms.slice(0, 10) };
  const seen = { ...told, ...defined({ estimate }) };
  return {
    ...(without(next(drift, context), ...ofOneWindow) as Drift),
    detector,
    counts: counted.counts,
    columns,
    windows: [...windows, seen].slice(-keptWindows),
    ...defined({ incident, uncalibrated, absent: absentFields(judged, context), answers, unestimated }),
  };
}

/** What the next window says anew, or leaves out. */
const ofOneWindow = ['because', 'incident', 'uncalibrated', 'absent', 'answers', 'unestimated'] as const;

/** But for the one that a request is named by: nobody expects it. */
function absentFields({ absent = [] }: Judged, { plan: { monitor } }: DriftContext): readonly string[] | undefined {
  const others = absent.filter((name) => name !== monitor.capture?.id);
  return others.length === 0 ? undefined : others;
}

/** What it owes while it waits. */
export function driftOwes(drift: Drift, { model, plan }: DriftContext): readonly Effect[] {
  const { drift: rules, capture } = plan.monitor;
  if (rules === undefined || capture === undefined || drift.status === 'collecting') return [];
  const { turn, from, until: to, reference, detector, incident } = drift;
  const key = `drift/${turn}`;
  if (drift.status === 'counting') {
    const asked = { answers: answersAsked(drift, plan), probabilities: probabilitiesAsked(drift.version, plan) };
    const begun = defined({ ...asked, counted: drift.counted, cursor: drift.cursor });
    return [{ key, kind: 'countCaptured', endpoint: model, from, to, fields: capture.fields, reference, ...begun }];
  }
  const { notice, major, quietFor, columns } = rules;
  return [
    {
      ...{ key, kind: 'judgeDrift', reference, counted: drift.counted, from, to },
      ...{ fields: capture.fields.filter((name) => own(columns, name) !== 'off'), rules: { notice, major, quietFor } },
      ...defined({ detector, answers: answersJudged(drift, drift.counted.answers, plan) }),
      ...(incident === undefined ? {} : { isOpen: true }),
    },
  ];
}

export const driftWakes = (drift: Drift): number | undefined =>
  drift.status === 'collecting' ? drift.until : undefined;
