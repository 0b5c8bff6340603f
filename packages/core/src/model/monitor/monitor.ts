import { canonical } from '../../base/json.ts';
import { type Refusal, refuse, type Table } from '../../base/table.ts';
import { day, durationText, instant, minute } from '../../base/time.ts';
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
}

interface Base {
  /** What fires, by sender and fingerprint. */
  readonly alerts: Readonly<Record<string, Firing>>;
  /** Ends with a time, by the same key: an alert that began before its end is over, however late it is heard. */
  readonly ends: Readonly<Record<string, { readonly at: number; readonly endedAt: string }>>;
  /** When the monitor started runs, within the budget's window. */
  readonly runs: readonly number[];
  /** The version that traffic last went back to, and when: the cooldown protects it, and no other. */
  readonly wentBack?: { readonly at: number; readonly to: number };
  /** What the alert just taken in asks for; a rule between the machines does it and takes this away. */
  readonly wants?: Wanted;
}

export interface Action {
  readonly do: 'revert' | 'rollback' | 'run' | 'notify' | 'escalate';
  readonly because: string;
}

/** With the alert that it is for: what is done in the end is noted there. */
export interface Wanted extends Action {
  readonly of: string;
}

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
const keyOf = ({ sender, fingerprint }: Alert): string => canonical([sender, fingerprint]);
/** Of two times of one sender, in any text; a text that is not a time is neither before nor after. */
const isBefore = (one: string, other: string): boolean => Date.parse(one) < Date.parse(other);

const raise = (monitor: Monitor, alert: SignalOf<'alertRaised'>, context: MonitorContext): Monitor | Refusal => {
  const key = keyOf(alert);
  const known = monitor.alerts[key];
  if (isFiring(known, alert)) return heardAgain(monitor, key, alert.at);
  if (unheard(monitor, alert) !== undefined) return monitor;
  const { plan } = context;
  const runs = monitor.runs.filter((at) => at > alert.at - plan.monitor.retrainBudget.per);
  const wants = actionFor(alert, { ...monitor, runs }, context);
  const others = known === undefined ? roomFor(monitor.alerts, alert, acts(wants, context)) : monitor.alerts;
  if (others === undefined)
    return refuse(
      `${remembered} alerts are firing already, and this one would change nothing; resolve some of them first`,
    );
  const { kind, sender, fingerprint, startedAt, title, at } = alert;
  const firing = { kind, sender, fingerprint, startedAt, title, at, heardAt: at, did: wants.do };
  return {
    ...monitor,
    status: 'alarmed',
    since: monitor.status === 'alarmed' ? monitor.since : at,
    alerts: { ...others, [key]: firing },
    runs: wants.do === 'run' ? [...runs, at] : runs,
    wants: { ...wants, of: key },
  };
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

export function monitorWakes(monitor: Monitor): number | undefined {
  const others = Object.values(monitor.alerts).filter(({ sender }) => sender !== ownSender);
  const oldest = Math.min(...others.map(({ heardAt }) => heardAt));
  return Number.isFinite(oldest) ? oldest + forgottenAfterMs : undefined;
}

/** An alert reverts an active release; else the policy speaks, within cooldown and budget. */
function actionFor(
  alert: SignalOf<'alertRaised'>,
  monitor: Monitor,
  { plan, releasing, champion }: MonitorContext,
): Action {
  const said = `${alert.kind} from ${alert.sender}: ${alert.title}`;
  if (releasing && alert.kind === 'alert') return { do: 'revert', because: said };
  const { cooldown, retrainBudget } = plan.monitor;
  const policy = alert.isNotice ? 'notify' : policyOf(plan)[alert.kind];
  const { wentBack } = monitor;
  if (policy === 'rollback' && wentBack?.to === champion && alert.at < (wentBack?.at ?? 0) + cooldown) {
    // One incident fires many alerts: the second must not take back what the first went back to.
    return {
      do: 'escalate',
      because: `${said}; traffic went back to v${champion} within the cooldown of ${durationText(cooldown)}`,
    };
  }
  if (policy !== 'run') return { do: policy, because: said };
  if (monitor.runs.length >= retrainBudget.runs) {
    return {
      do: 'escalate',
      because: `${said}; the retrainBudget of ${retrainBudget.runs} runs per ${durationText(retrainBudget.per)} is spent`,
    };
  }
  const last = Math.max(...monitor.runs, Number.NEGATIVE_INFINITY);
  return alert.at < last + cooldown
    ? { do: 'notify', because: `${said}; no run within the cooldown of ${durationText(cooldown)}` }
    : { do: 'run', because: said };
}

const policyOf = ({ monitor, alerts }: ModelPlan) =>
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
  return firing === undefined ? monitor : { ...monitor, alerts: { ...monitor.alerts, [of]: { ...firing, did } } };
}

/** What holds a new candidate back. Drift does not: a new version is what mends it. */
export const holding = ({ alerts }: Monitor, { whileFiring }: ModelPlan['alerts']): readonly Firing[] =>
  whileFiring === 'ignore' ? [] : Object.values(alerts).filter(({ kind }) => kind === 'alert');

/** What fires, since when and from whom, in one line; '' when nothing does. */
export function firingText({ alerts }: Monitor, verb = ''): string {
  const [first, ...more] = Object.values(alerts);
  if (first === undefined) return '';
  const others = more.length === 0 ? '' : `, and ${more.length} more`;
  const short = { ...first, title: first.title.slice(0, 100), sender: first.sender.slice(0, 100) };
  return `${firingName(short)}${verb} since ${instant(first.at)}${others}`;
}

export const firingName = ({ title, sender }: Firing): string => `'${title}' (${sender})`;

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
