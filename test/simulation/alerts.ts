import type { AlertRaised, AlertResolved } from '@serin/core/model/monitor/protocol';
import type { Model } from '@serin/core/model/state';
import type { Entry } from '@serin/core/ports/journal';
import { Wrong } from './ledger.ts';

/** What was told of a model's alerts, kept by other means than the monitor's. */
interface Told {
  /** When the model was told that it fires. */
  readonly firing: Map<string, { readonly startedAt: string; readonly at: number }>;
  /** The latest end that came with a time. */
  readonly ends: Map<string, string>;
  /** What a run was started for, and under which champion. */
  readonly ran: Set<string>;
}

const wrong = (message: string): never => {
  throw new Wrong(message);
};

/** Reads the alerts in the journal, and what became of rollouts and runs while they fired (25). */
export function createAlertWatch() {
  const known = new Map<string, Told>();

  return {
    appended(before: Model | undefined, after: Model, { signal, at }: Entry, due: number | undefined): void {
      const told = known.get(after.model) ?? { firing: new Map(), ends: new Map(), ran: new Set<string>() };
      known.set(after.model, told);
      const said = signal as unknown as AlertRaised | AlertResolved; // any signal: its type is looked at first
      const over = said.type === 'alertRaised' && isOver(told, said);
      hear(told, said, at);
      reverted(before, after, over);
      const holds = after.plan.alerts.whileFiring === 'hold' ? [...told.firing.values()] : [];
      started(before, after, holds.length);
      promoted(before, after, holds);
      ran(told, before, after);
      waits(after, due);
    },
  };
}

/** One thing that fires starts one run for each champion. */
function ran(told: Told, before: Model | undefined, after: Model): void {
  for (const [key, { did, startedAt, title }] of Object.entries(after.monitor.alerts)) {
    const was = before?.monitor.alerts[key];
    if (did !== 'run' || (was?.did === 'run' && was.startedAt === startedAt)) continue;
    const what = `${key} ${startedAt} v${after.champion} ${after.served.length}`;
    if (told.ran.has(what)) wrong(`'${title}' starts a second run under v${after.champion}`);
    told.ran.add(what);
    const { run } = before ?? {};
    if (run !== undefined && !('endedAt' in run)) wrong(`'${title}' starts a run while ${run.id} is going`);
  }
}

/** What waits for the cooldown starts a run, or asks somebody, as soon as that has ended and nothing else is on its way. */
function waits(after: Model, due: number | undefined): void {
  const { monitor, plan, at, champion, run, offered, queued, rollout, freeze, retired } = after;
  const isGoing = [run, rollout].some((item) => item !== undefined && !('endedAt' in item));
  const isBusy = isGoing || offered || queued || freeze || retired;
  const ends = Math.max(0, ...monitor.runs) + plan.monitor.cooldown;
  for (const { did, kind, sender, title, champion: of, isNotice } of Object.values(monitor.alerts).map(
    withNotice(after),
  )) {
    const policy = { drift: plan.monitor.onDrift, performance: plan.monitor.onPerformance, alert: plan.alerts.onAlert }[
      kind
    ];
    if (policy !== 'run' || of !== champion || sender !== 'serin') continue;
    if (did === 'notify' && !isNotice) wrong(`'${title}' is only told`);
    if (did === 'wait' && at >= ends && !isBusy) wrong(`'${title}' waits, and the cooldown ended at ${ends}`);
    if (did === 'wait' && at < ends && (due ?? Number.POSITIVE_INFINITY) > ends)
      wrong(`'${title}' waits until ${ends}, and nothing wakes its model`);
  }
}

/** What was found here and is small, or is so of a second version, is only told. */
const withNotice =
  ({ drift, performance }: Model) =>
  (firing: Model['monitor']['alerts'][string]) => ({
    ...firing,
    isNotice:
      firing.kind === 'drift'
        ? drift?.incident?.level === 'notice'
        : performance?.incident?.newsAt !== performance?.incident?.at,
  });

const keyOf = ({ sender, fingerprint }: AlertRaised | AlertResolved) => JSON.stringify([sender, fingerprint]);
const isOver = ({ ends }: Told, alert: AlertRaised): boolean =>
  alert.over === true || (ends.get(keyOf(alert)) ?? '') >= alert.startedAt;

function hear(told: Told, signal: AlertRaised | AlertResolved, at: number): void {
  const { firing, ends } = told;
  if (signal.type === 'alertRaised' && signal.kind === 'alert' && !isOver(told, signal)) {
    const known = firing.get(keyOf(signal));
    if (known?.startedAt !== signal.startedAt) firing.set(keyOf(signal), { startedAt: signal.startedAt, at });
  }
  if (signal.type !== 'alertResolved') return;
  const endedAt = signal.endedAt === undefined ? undefined : noLater(signal.endedAt, at);
  if (endedAt !== undefined && endedAt > (ends.get(keyOf(signal)) ?? '')) ends.set(keyOf(signal), endedAt);
  if (endedAt === undefined || endedAt >= (firing.get(keyOf(signal))?.startedAt ?? '')) firing.delete(keyOf(signal));
}

/** An end that is said for a time to come, by more than clocks may be off, is one of now. */
const clockMarginMs = 5 * 60_000;
const noLater = (time: string, at: number): string =>
  Date.parse(time) > at + clockMarginMs ? new Date(at + clockMarginMs).toISOString() : time;

function started(before: Model | undefined, after: Model, firing: number): void {
  const { rollout } = after;
  if (rollout?.kind !== 'release' || rollout.id === before?.rollout?.id || firing === 0) return;
  const isOverridden = rollout.story.some(({ text }) => text.startsWith('starts although'));
  if (!isOverridden) wrong(`the rollout of v${rollout.candidate} starts while ${firing} alerts fire`);
}

function promoted(before: Model | undefined, after: Model, firing: readonly { readonly at: number }[]): void {
  const { rollout } = after;
  if (after.champion === before?.champion || rollout?.kind !== 'release') return;
  if (firing.some(({ at }) => at > rollout.startedAt))
    wrong(`v${rollout.candidate} was promoted while an alert fired that came after its start`);
}

function reverted(before: Model | undefined, after: Model, isOver: boolean): void {
  const { rollout } = after;
  if (!isOver || rollout?.status !== 'reverting' || before?.rollout?.status === 'reverting') return;
  if (rollout.because.kind === 'alert') wrong(`v${rollout.candidate} is taken back by an alert that is over`);
}
