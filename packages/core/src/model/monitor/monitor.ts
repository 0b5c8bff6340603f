import { canonical } from '../../base/json.ts';
import { defined } from '../../base/objects.ts';
import { type Refusal, refuse, type Table } from '../../base/table.ts';
import { day, durationText, instant, minute, momentText } from '../../base/time.ts';
import type { ModelPlan } from '../../config/config.ts';
import type { ModelSignal, OutsideSignal, SignalOf } from '../protocol.ts';
import type { AlertRaised } from './protocol.ts';

/** An alert that fires: a condition that lasts until it is resolved. */
export interface Firing {
  readonly kind: AlertRaised['kind'];
  readonly sender: string;
  readonly fingerprint: string;
  readonly startedAt: string;
  readonly title: string;
  /** Since when it is known here. */
  readonly at: number;
  /** When it was last heard, to the day. */
  readonly heardAt: number;
  readonly did: Action['do'];
  /** The champion that it was heard of. */
  readonly champion?: number;
  /** Of one that waits: not before then it is decided upon anew, if it still fires. */
  readonly until?: number;
}

interface Base {
  /** What fires, by sender and fingerprint. */
  readonly alerts: Readonly<Record<string, Firing>>;
  /** Ends with a time, by the same key: an alert that began before its end is over, however late it is heard. */
  readonly ends: Readonly<Record<string, { readonly at: number; readonly endedAt: string }>>;
  /** When the monitor started runs, within the budget's window and the cooldown. */
  readonly runs: readonly number[];
  /**
   * The version that traffic last went back to, and when: the cooldown protects it, and no other.
   * `since`: it came to serve that way before, and a candidate was taken back last.
   */
  readonly wentBack?: { readonly at: number; readonly to: number; readonly since?: number };
  /** What the alert just taken in asks for; a rule between the machines does it and takes this away. */
  readonly wants?: Wanted;
}

export interface Action {
  readonly do: 'revert' | 'rollback' | 'run' | 'wait' | 'notify' | 'escalate';
  readonly because: string;
}

/** With the alert that it is for: what is done in the end is noted there. */
export interface Wanted extends Action {
  readonly of: string;
}

/** What an alert asks for; a `wait` ends at a time. */
type Answer = (Action & { readonly do: Exclude<Action['do'], 'wait'> }) | (Action & { readonly until: number });

export type Monitor =
  | (Base & { readonly status: 'quiet' })
  | (Base & { readonly status: 'alarmed'; readonly since: number });

export interface MonitorContext {
  readonly plan: ModelPlan;
  /** A release is under way. An alert takes it back, under every policy. */
  readonly releasing: boolean;
  /** Traffic is on its way back already. */
  readonly goingBack?: boolean;
  readonly champion?: number;
}

export const monitorStart: Monitor = { status: 'quiet', alerts: {}, ends: {}, runs: [] };
/** Sends what was found here, and ends it: it is not forgotten. */
export const ownSender = 'serin';
const remembered = 100;
/** An alert that nobody sends again or resolves is forgotten after a week: its sender may have lost it. */
const forgottenAfterMs = 7 * day;

type Alert = Pick<AlertRaised, 'sender' | 'fingerprint'>;
/** Under which it is kept. */
export const keyOf = ({ sender, fingerprint }: Alert): string => canonical([sender, fingerprint]);
/** Of two times of one sender, in any text; a text that is not a time is neither before nor after. */
const isBefore = (one: string, other: string): boolean => Date.parse(one) < Date.parse(other);

const raise = (monitor: Monitor, alert: SignalOf<'alertRaised'>, context: MonitorContext): Monitor | Refusal => {
  const key = keyOf(alert);
  const known = monitor.alerts[key];
  if (isFiring(known, alert)) return heardAgain(monitor, key, alert.at);
  if (unheard(monitor, alert) !== undefined) return monitor;
  const wants = actionFor(alert, monitor, context);
  const others = known === undefined ? roomFor(monitor.alerts, alert, acts(wants, context)) : monitor.alerts;
  if (others === undefined)
    return refuse(
      `${remembered} alerts are firing already, and this one would change nothing; resolve some of them first`,
    );
  const { kind, sender, fingerprint, startedAt, title, at } = alert;
  const firing = { kind, sender, fingerprint, startedAt, title, at, heardAt: at };
  const since = monitor.status === 'alarmed' ? monitor.since : at;
  return asking({ ...monitor, status: 'alarmed', since, alerts: others }, firing, { wants, at }, context);
};

/** The monitor with a firing that asks for something. */
function asking(
  monitor: Monitor,
  { did: _, until: __, champion: ___, ...firing }: Omit<Firing, 'did'> & Partial<Firing>,
  { wants, at }: { readonly wants: Answer; readonly at: number },
  { plan, champion }: MonitorContext,
): Monitor {
  const { do: did, because } = wants;
  const of = keyOf(firing);
  const { cooldown, retrainBudget } = plan.monitor;
  const runs = monitor.runs.filter((run) => run > at - Math.max(retrainBudget.per, cooldown));
  const asks = { ...firing, did, ...defined({ champion, until: 'until' in wants ? wants.until : undefined }) };
  return {
    ...monitor,
    alerts: { ...monitor.alerts, [of]: asks },
    runs: did === 'run' ? [...runs, at] : runs,
    wants: { do: did, because, of },
  };
}

/** What has waited is decided upon as if it came now. */
export const askAgain = (monitor: Monitor, firing: Firing, at: number, context: MonitorContext): Monitor =>
  asking(monitor, firing, { wants: actionFor({ ...firing, at }, monitor, context), at }, context);

/** What waits to start a run. */
export const waiting = ({ alerts }: Monitor): readonly Waiting[] => Object.values(alerts).filter(isWaiting);
const isWaiting = (firing: Firing): firing is Waiting => firing.until !== undefined;
export type Waiting = Firing & { readonly until: number };

/** The same, and it waits at least until then, for what is heard of this champion. */
export const waitUntil = (monitor: Monitor, firing: Firing, until: number, champion = firing.champion): Monitor => ({
  ...monitor,
  alerts: { ...monitor.alerts, [keyOf(firing)]: { ...firing, did: 'wait', until, ...defined({ champion }) } },
});

/** Under other rules what waits is decided upon anew. */
export function planMonitor(
  monitor: Monitor,
  { plan, before, at }: { readonly plan: ModelPlan; readonly before: ModelPlan; readonly at: number },
): Monitor {
  if (rulesIn(plan) === rulesIn(before)) return monitor;
  return waiting(monitor).reduce((known, firing) => waitUntil(known, firing, Math.min(firing.until, at)), monitor);
}

const rulesIn = (plan: ModelPlan): string => {
  const { cooldown, retrainBudget } = plan.monitor;
  return canonical({ ...policyOf(plan), cooldown, retrainBudget });
};

/**
 * What is remembered beside one more alert; `undefined`: it would do nothing, and is not taken.
 *
 * The oldest drift makes room for an alert, which holds new candidates. For an alert that takes traffic back, or starts
 * a run, anything does: what still fires is sent again.
 * What was found here is not sent again: it stays, and has room however many others there are.
 */
function roomFor(alerts: Base['alerts'], { kind, sender }: AlertRaised, acts: boolean): Base['alerts'] | undefined {
  const others = Object.entries(alerts).filter(([, firing]) => firing.sender !== ownSender);
  if (others.length < remembered || sender === ownSender) return alerts;
  const known = others.sort(([, one], [, other]) => one.heardAt - other.heardAt);
  const drift = kind === 'alert' || acts ? known.find(([, firing]) => firing.kind === 'drift') : undefined;
  const gone = drift ?? (acts ? known[0] : undefined);
  return gone && Object.fromEntries(Object.entries(alerts).filter(([key]) => key !== gone[0]));
}

const acts = (wants: Action, { goingBack = false, releasing }: MonitorContext): boolean =>
  wants.do === 'revert' || wants.do === 'run' || (wants.do === 'rollback' && !goingBack && !releasing);

/** Why an alert says nothing new; `undefined`: it is a new firing. */
export function unheard({ alerts, ends }: Monitor, alert: AlertRaised): string | undefined {
  const key = keyOf(alert);
  const [known, end] = [alerts[key], ends[key]];
  if (alert.over) return 'its end was told with it';
  if (isFiring(known, alert)) return 'it fires already';
  if (known !== undefined && isBefore(alert.startedAt, known.startedAt)) return 'a later firing of it is known';
  return end === undefined || isBefore(end.endedAt, alert.startedAt) || Number.isNaN(Date.parse(alert.startedAt))
    ? undefined
    : `it ended at ${end.endedAt}`;
}

const isFiring = (known: Firing | undefined, { over, startedAt }: AlertRaised): boolean =>
  !over && known?.startedAt === startedAt;

/** What is sent again still fires. A day is exact enough: each time would be an entry. */
export const isNews = ({ alerts }: Monitor, alert: AlertRaised, at: number): boolean => {
  const known = alerts[keyOf(alert)];
  return known !== undefined && isFiring(known, alert) && at >= known.heardAt + day;
};

function heardAgain(monitor: Monitor, key: string, at: number): Monitor {
  const known = monitor.alerts[key];
  return known === undefined || at < known.heardAt + day
    ? monitor
    : { ...monitor, alerts: { ...monitor.alerts, [key]: { ...known, heardAt: at } } };
}

/** A clock may be off by as much. An end in the future would silence what has not begun. */
const clockMarginMs = 5 * minute;
const noLater = (time: string, at: number): string =>
  Date.parse(time) > at + clockMarginMs ? instant(at + clockMarginMs) : time;

const resolve = (monitor: Monitor, alert: SignalOf<'alertResolved'>): Monitor => {
  const { at, endedAt } = alert;
  const key = keyOf(alert);
  const known = monitor.alerts[key];
  const ended = endedAt === undefined ? monitor : withEnd(monitor, key, { at, endedAt: noLater(endedAt, at) });
  // The end of an earlier firing, heard late.
  if (known === undefined || (endedAt !== undefined && isBefore(endedAt, known.startedAt))) return ended;
  return without(ended, (other) => other === key);
};

function withEnd(monitor: Monitor, key: string, end: Monitor['ends'][string]): Monitor {
  const known = monitor.ends[key];
  if (known !== undefined && !isBefore(known.endedAt, end.endedAt)) return monitor;
  const others = Object.entries(monitor.ends).filter(([other]) => other !== key);
  return { ...monitor, ends: Object.fromEntries([...others, [key, end]].slice(-remembered)) };
}

export const monitorTable: Table<Monitor, ModelSignal, MonitorContext> = {
  quiet: { alertRaised: raise, alertResolved: resolve, clockTicked: forget },
  alarmed: { alertRaised: raise, alertResolved: resolve, clockTicked: forget },
};

function forget(monitor: Monitor, { at }: { readonly at: number }): Monitor {
  const past = at - forgottenAfterMs;
  const ends = Object.fromEntries(Object.entries(monitor.ends).filter(([, end]) => end.at > past));
  const kept = Object.keys(ends).length === Object.keys(monitor.ends).length ? monitor : { ...monitor, ends };
  return without(kept, (key) => isForgotten(kept.alerts[key], past));
}

const isForgotten = (alert: Firing | undefined, past: number): boolean =>
  alert !== undefined && alert.sender !== ownSender && alert.heardAt <= past;

/** What has waited until before `at` and still waits, waits for no time. */
export function monitorWakes(monitor: Monitor, at: number): number | undefined {
  const others = Object.values(monitor.alerts).filter(({ sender }) => sender !== ownSender);
  const times = [
    ...others.map(({ heardAt }) => heardAt + forgottenAfterMs),
    ...waiting(monitor).flatMap(({ until }) => (until > at ? [until] : [])),
  ];
  return times.length === 0 ? undefined : Math.min(...times);
}

/** An alert reverts an active release; else the policy speaks, within cooldown and budget. */
function actionFor(alert: Said, monitor: Monitor, context: MonitorContext): Answer {
  const { plan, releasing, champion } = context;
  const said = saidBy(alert);
  if (releasing && alert.kind === 'alert') return { do: 'revert', because: said };
  const { cooldown } = plan.monitor;
  const policy = alert.isNotice ? 'notify' : policyOf(plan)[alert.kind];
  const { wentBack } = monitor;
  if (policy === 'rollback' && wentBack?.to === champion && alert.at < (wentBack?.at ?? 0) + cooldown) {
    // One incident fires many alerts: the second must not take back what the first went back to.
    return {
      do: 'escalate',
      because: `${said}; traffic went back to v${champion} within the cooldown of ${durationText(cooldown)}`,
    };
  }
  return policy === 'run' ? runFor(alert, monitor, context) : { do: policy, because: said };
}

/** A run now, or when the cooldown has ended. It is the budget of that time that counts; where it is spent a person is asked. */
function runFor(alert: Said, monitor: Monitor, { plan, champion }: MonitorContext): Answer {
  const { cooldown, retrainBudget } = plan.monitor;
  const { runs, alerts } = monitor;
  const said = saidBy(alert);
  const from = Math.max(alert.at, ...runs.map((run) => run + cooldown));
  const spent = runs.filter((run) => run > from - retrainBudget.per);
  if (spent.length >= retrainBudget.runs) {
    return {
      do: 'escalate',
      because: `${said}; the retrainBudget of ${retrainBudget.runs} runs per ${durationText(retrainBudget.per)} is spent`,
    };
  }
  if (from <= alert.at) return { do: 'run', because: said };
  const none = `${said}; no run within the cooldown of ${durationText(cooldown)}`;
  // One thing that is wrong may fire many alerts of one tool: they had their run. Those of before name no champion.
  const acted = Object.values(alerts).find(
    ({ did, kind, sender, fingerprint, champion: of = champion }) =>
      did === 'run' &&
      kind === alert.kind &&
      sender === alert.sender &&
      fingerprint !== alert.fingerprint &&
      of === champion,
  );
  return acted === undefined
    ? { do: 'wait', because: `${none}, which ends at ${momentText(from)}`, until: from }
    : { do: 'notify', because: `${none}: one was started for ${firingName(acted)}, which still fires` };
}

type Said = Pick<SignalOf<'alertRaised'>, 'kind' | 'sender' | 'fingerprint' | 'title' | 'isNotice' | 'at'>;
const saidBy = ({ kind, sender, title }: Said): string => `${kind} from ${sender}: ${title}`;

export const policyOf = ({ monitor, alerts }: ModelPlan) =>
  ({ alert: alerts.onAlert, drift: monitor.onDrift, performance: monitor.onPerformance }) as const;

function without(monitor: Monitor, gone: (key: string) => boolean): Monitor {
  const alerts = Object.fromEntries(Object.entries(monitor.alerts).filter(([key]) => !gone(key)));
  const left = Object.keys(alerts).length;
  if (left === Object.keys(monitor.alerts).length) return monitor;
  if (left > 0 || monitor.status === 'quiet') return { ...monitor, alerts };
  const { since: _, ...rest } = monitor;
  return { ...rest, status: 'quiet', alerts };
}

/** The last run was not started, and costs nothing of the budget. */
export const withoutRun = (monitor: Monitor): Monitor => ({ ...monitor, runs: monitor.runs.slice(0, -1) });

/** What was wanted could not be done, or was not needed any more. */
export function didInstead(monitor: Monitor, { of }: Wanted, did: Action['do']): Monitor {
  const firing = monitor.alerts[of];
  if (firing === undefined) return monitor;
  const { until: _, ...rest } = firing;
  return { ...monitor, alerts: { ...monitor.alerts, [of]: { ...rest, did } } };
}

/** What holds a new candidate back. Drift does not: a new version is what mends it. */
export const holding = ({ alerts }: Monitor, { whileFiring }: ModelPlan['alerts']): readonly Firing[] =>
  whileFiring === 'ignore' ? [] : Object.values(alerts).filter(({ kind }) => kind === 'alert');

/** What fires, since when and from whom, in one line; '' when nothing does. */
export function firingText({ alerts }: Monitor, verb = ''): string {
  const [first, ...more] = Object.values(alerts);
  if (first === undefined) return '';
  const others = more.length === 0 ? '' : `, and ${more.length} more`;
  return `${shortName(first)}${verb} since ${instant(first.at)}${others}`;
}

export const firingName = ({ title, sender }: Pick<Firing, 'title' | 'sender'>): string => `'${title}' (${sender})`;
export const shortName = ({ title, sender }: Firing): string =>
  firingName({ title: title.slice(0, 100), sender: sender.slice(0, 100) });

/** One firing, and not the next one of the same alert. */
export const firingId = ({ sender, fingerprint, at }: Firing): string => canonical([sender, fingerprint, at]);

/** Marks each alert whose end follows in the same batch as over; the batch is in the order in which it happened. */
export function withKnownEnds<Said extends { readonly signal: OutsideSignal }>(
  batch: readonly Said[],
  streamOf: (said: Said) => string,
): readonly Said[] {
  const lastEnds = new Map<string, number>();
  const keyIn = (said: Said, alert: Alert) => canonical([streamOf(said), keyOf(alert)]);
  for (const [index, said] of batch.entries())
    if (said.signal.type === 'alertResolved') lastEnds.set(keyIn(said, said.signal), index);
  return batch.map((said, index) =>
    said.signal.type === 'alertRaised' && (lastEnds.get(keyIn(said, said.signal)) ?? -1) > index
      ? { ...said, signal: { ...said.signal, over: true } }
      : said,
  );
}
