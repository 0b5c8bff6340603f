import type { ModelPlan } from './config.ts';
import type { ModelSignal } from './signal.ts';
import type { Table } from './table.ts';
import { day, durationText } from './time.ts';

interface Base {
  /** Alerts that were acted on and are not resolved, by (sender, fingerprint, start): each acts once. */
  readonly alerts: Readonly<
    Record<string, { readonly at: number; readonly title: string; readonly did: Action['do'] }>
  >;
  /** When the monitor started runs, within the budget's window. */
  readonly runs: readonly number[];
  /** When an alert last took traffic back. */
  readonly tookBackAt?: number;
  /** What the alert just taken in asks for; `model.ts` does it and takes it away. */
  readonly wants?: Action;
}

export interface Action {
  readonly do: 'revert' | 'rollback' | 'run' | 'notify' | 'escalate';
  readonly because: string;
}

export type Monitor =
  | (Base & { readonly status: 'quiet' })
  | (Base & { readonly status: 'alarmed'; readonly since: number });

export interface MonitorContext {
  readonly plan: ModelPlan;
  /** A release is under way: an alert takes it back, whatever the policy says. */
  readonly releasing: boolean;
}

export const monitorStart: Monitor = { status: 'quiet', alerts: {}, runs: [] };
const remembered = 100;
/** An alert that nobody resolved is forgotten after a week, so that its next firing acts again. */
const forgottenAfterMs = 7 * day;

const alerted = (
  monitor: Monitor,
  alert: Extract<ModelSignal, { type: 'alertRaised' }>,
  { plan, releasing }: MonitorContext,
): Monitor => {
  const key = `${alert.sender}|${alert.fingerprint}|${alert.startedAt}`;
  if (Object.hasOwn(monitor.alerts, key)) return monitor;
  const runs = monitor.runs.filter((at) => at > alert.at - plan.monitor.retrainBudget.per);
  const wants = actionFor(alert, { ...monitor, runs }, plan, releasing);
  const newest = Object.entries({
    ...monitor.alerts,
    [key]: { at: alert.at, title: alert.title, did: wants.do },
  }).slice(-remembered);
  return {
    status: 'alarmed',
    since: monitor.status === 'alarmed' ? monitor.since : alert.at,
    alerts: Object.fromEntries(newest),
    runs: wants.do === 'run' ? [...runs, alert.at] : runs,
    ...tookBack(monitor, wants, alert.at),
    wants,
  };
};

export const monitorTable: Table<Monitor, ModelSignal, MonitorContext> = {
  quiet: { alertRaised: alerted, alertResolved: 'ignore', clockTicked: 'ignore' },
  alarmed: {
    alertRaised: alerted,
    alertResolved: (monitor, { sender, fingerprint }) =>
      without(monitor, (key) => key.startsWith(`${sender}|${fingerprint}|`)),
    clockTicked: (monitor, { at }) =>
      without(monitor, (key) => (monitor.alerts[key]?.at ?? at) <= at - forgottenAfterMs),
  },
};

export function monitorWakes(monitor: Monitor): number | undefined {
  const oldest = Math.min(...Object.values(monitor.alerts).map(({ at }) => at));
  return monitor.status === 'alarmed' && Number.isFinite(oldest) ? oldest + forgottenAfterMs : undefined;
}

/** An alert reverts an active release; else the policy speaks, within cooldown and budget. */
function actionFor(
  alert: Extract<ModelSignal, { type: 'alertRaised' }>,
  monitor: Monitor,
  plan: ModelPlan,
  releasing: boolean,
): Action {
  const said = `${alert.kind} from ${alert.sender}: ${alert.title}`;
  if (releasing && alert.kind === 'alert') return { do: 'revert', because: said };
  const { cooldown, retrainBudget } = plan.monitor;
  const policy = alert.kind === 'drift' ? plan.monitor.onDrift : plan.alerts.onAlert;
  if (policy === 'rollback' && alert.at < (monitor.tookBackAt ?? Number.NEGATIVE_INFINITY) + cooldown) {
    // One incident fires many alerts: the second must not take back what the first went back to.
    return {
      do: 'escalate',
      because: `${said}; traffic was taken back within the cooldown of ${durationText(cooldown)}`,
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

function tookBack(monitor: Monitor, wants: Action, at: number): { readonly tookBackAt?: number } {
  if (wants.do === 'revert' || wants.do === 'rollback') return { tookBackAt: at };
  return monitor.tookBackAt === undefined ? {} : { tookBackAt: monitor.tookBackAt };
}

function without(monitor: Extract<Monitor, { status: 'alarmed' }>, gone: (key: string) => boolean): Monitor {
  const kept = Object.fromEntries(Object.entries(monitor.alerts).filter(([key]) => !gone(key)));
  if (Object.keys(kept).length === Object.keys(monitor.alerts).length) return monitor;
  return Object.keys(kept).length === 0
    ? {
        status: 'quiet',
        alerts: {},
        runs: monitor.runs,
        ...(monitor.tookBackAt === undefined ? {} : { tookBackAt: monitor.tookBackAt }),
      }
    : { ...monitor, alerts: kept };
}
