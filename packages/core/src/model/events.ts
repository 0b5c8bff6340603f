import type { EventType } from '../base/event-types.ts';
import { canonical, type Json } from '../base/json.ts';
import { instant, second } from '../base/time.ts';
import type { EventBody } from '../ports/journal.ts';
import { type Firing, keyOf, type Monitor, ownSender } from './monitor/monitor.ts';
import { ownFiring } from './monitor/own.ts';
import type { ModelSignal, SignalOf } from './protocol.ts';
import { standingOf } from './rollout/standing.ts';
import { isRefusedData } from './run/state.ts';
import type { Model } from './state.ts';
import { hyperparametersOf } from './trigger.ts';
import { versionOfName } from './version.ts';

/** What changed, as CloudEvents: read off the states before and after, so no machine has to remember to emit them. */
export function eventsBetween(before: Model, after: Model, signal: ModelSignal): readonly EventBody[] {
  const events: EventBody[] = [];
  const emit = (type: EventType, data: Record<string, unknown>, subject = `models/${after.model}`) =>
    events.push({
      type: `dev.serin.${type}.v1`,
      subject,
      data: JSON.parse(canonical({ model: after.model, ...data })) as Json,
    });

  // What comes while a drop settles belongs to it.
  if (signal.type === 'dataHinted' && before.intake.status !== 'settling' && after.intake !== before.intake)
    emit('data.seen', {
      bucket: after.plan.data.bucket,
      object: signal.keys[0],
      objects: signal.keys.length,
      settlesAt: after.intake.status === 'settling' ? instant(after.intake.quietUntil) : undefined,
    });
  if (after.intake.dataset?.digest !== before.intake.dataset?.digest)
    emit('dataset.settled', { ...after.intake.dataset });
  // What said nothing new did nothing.
  const heard = signal.type === 'alertRaised' ? heardBetween(before.monitor, after.monitor, signal) : undefined;
  if (heard !== undefined) {
    const { sender, title, kind } = heard;
    emit('alert.received', receivedOf(heard, after));
    if (kind === 'drift') emit('drift.detected', { sender, title });
  }
  for (const firing of foundBetween(before.monitor, after.monitor)) {
    const { sender, fingerprint, title } = firing;
    emit('alert.received', receivedOf(firing, after));
    const found = foundHere[fingerprint];
    if (found !== undefined) emit(found.begins, { sender, title, ...found.data(after) });
  }
  for (const firing of rethoughtBetween(before.monitor, after.monitor))
    emit('alert.received', receivedOf(firing, after));
  for (const { sender, fingerprint, title } of resolvedBetween(before.monitor, after.monitor)) {
    // Nothing got better by it.
    const because = signal.type === 'configReleased' ? 'the config changed' : undefined;
    emit('alert.resolved', { sender, fingerprint, title, because });
    const found = sender === ownSender ? foundHere[fingerprint] : undefined;
    if (found !== undefined) emit(found.ends, { sender, title, because });
  }

  const { run } = after;
  if (run !== undefined && run !== before.run) {
    const common = {
      run: run.id,
      status: run.status,
      trigger: run.trigger.kind,
      dataset: run.dataset.digest,
      version: run.trained?.number,
      because: 'because' in run ? run.because : undefined,
    };
    const params = some(hyperparametersOf(run.plan, run.trigger));
    const begun = { ...common, commit: run.trigger.commit, params };
    if (run.id !== before.run?.id) emit('run.started', begun, `runs/${run.id}`);
    const was = before.run?.id === run.id && 'job' in before.run ? before.run.job : undefined;
    if ('job' in run && (was?.part !== run.job.part || was.attempt !== run.job.attempt))
      emit('step.started', { ...common, step: run.job.part, attempt: run.job.attempt }, `runs/${run.id}`);
    if ('endedAt' in run && (before.run?.id !== run.id || before.run.status !== run.status))
      emit(
        `run.${run.status}`,
        { ...begun, metrics: some({ ...run.trained?.metrics, ...run.scored }) },
        `runs/${run.id}`,
      );
    if (isRefusedData(run) && !isRefusedData(before.run)) {
      const { dataset, data, because } = run;
      emit(
        'dataset.refused',
        { run: run.id, dataset: dataset.digest, rows: data?.rows, report: data?.report, because },
        `runs/${run.id}`,
      );
    }
  }
  if (after.superseded !== undefined && after.superseded !== before.superseded)
    emit('run.superseded', { ...after.superseded });

  for (const version of Object.values(after.versions)) {
    const was = before.versions[String(version.number)];
    const common = { version: version.number, run: version.run, dataset: version.dataset };
    const subject = `models/${after.model}/versions/${version.number}`;
    if (version.registered && !was?.registered)
      emit('version.registered', { ...common, verdict: version.verdict, artifact: version.artifact }, subject);
    const approval = version.approval?.status;
    if (approval === 'pending' && was?.approval?.status !== 'pending') {
      const { expiresAt } = version.approval ?? {};
      emit(
        'approval.requested',
        { ...common, expiresAt: expiresAt === undefined ? undefined : instant(expiresAt) },
        subject,
      );
    }
    if (approval !== undefined && approval !== 'pending' && approval !== was?.approval?.status)
      emit(
        `version.${approval}`,
        { ...common, by: version.approval?.by, note: version.approval?.note, champion: after.champion },
        subject,
      );
    if (version.restored !== undefined && version.restored !== was?.restored)
      emit('version.restored', { ...common, ...version.restored, at: undefined }, subject);
  }

  const { rollout } = after;
  if (rollout !== undefined) {
    const was = before.rollout?.id === rollout.id ? before.rollout : undefined;
    const common = {
      rollout: rollout.id,
      kind: rollout.kind,
      version: rollout.candidate,
      stable: rollout.stable,
      status: rollout.status,
    };
    const subject = `rollouts/${rollout.id}`;
    const standing = rollout === was ? undefined : standingOf(rollout);
    if (was === undefined) emit('rollout.started', common, subject);
    if (rollout.status === 'baking' && (was?.status !== 'baking' || was.step !== rollout.step))
      emit(
        'rollout.shifted',
        { ...common, weight: rollout.steps[rollout.step], until: instant(rollout.until), standing },
        subject,
      );
    if (rollout.status === 'held' && was?.status !== 'held')
      emit('rollout.held', { ...common, because: rollout.because, until: instant(rollout.endsAt), standing }, subject);
    if (rollout.certificate !== undefined && rollout.certificate !== was?.certificate)
      emit('rollout.certified', { ...common, certificate: rollout.certificate }, subject);
    if ('endedAt' in rollout && was?.status !== rollout.status) {
      const because = typeof rollout.because === 'string' ? rollout.because : rollout.because.text;
      emit(
        `rollout.${rollout.status.toLowerCase() as Lowercase<typeof rollout.status>}`,
        { ...common, because, certificate: rollout.certificate, standing, champion: after.champion },
        subject,
      );
    }
  }
  for (const [name, because] of Object.entries(after.endpoint.unready ?? {}))
    if (isLate(after, signal.at) && !(isLate(before, before.at) && before.endpoint.unready?.[name] !== undefined))
      emit('endpoint.unready', { version: versionOfName(name), because }, `endpoints/${after.model}`);
  if (after.endpoint.status === 'blocked' && before.endpoint.status !== 'blocked')
    emit('endpoint.blocked', { because: after.endpoint.because }, `endpoints/${after.model}`);
  return events;
}

/** Every deployment takes a moment. */
const lateAfterMs = 15 * second;
const isLate = ({ endpoint }: Model, at: number): boolean => at - endpoint.since >= lateAfterMs;
/** Buses take events of some 100 KB: of many entries an event has the first. */
function some<Value>(record: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> | undefined {
  const entries = Object.entries(record).filter(([key, value]) => `${key}${String(value)}`.length <= 500);
  return entries.length === 0 ? undefined : Object.fromEntries(entries.slice(0, 100));
}

/** What is found here, by fingerprint: the events of its beginning and its end, and what the first one says of it. */
const foundHere: Readonly<
  Record<
    string,
    { readonly begins: EventType; readonly ends: EventType; readonly data: (model: Model) => Record<string, unknown> }
  >
> = {
  drift: {
    begins: 'drift.detected',
    ends: 'drift.resolved',
    data({ drift }) {
      const { level, version, columns, size, since = 0 } = drift?.incident ?? {};
      return { level, version, columns, size, since: instant(since) };
    },
  },
  performance: {
    begins: 'performance.lost',
    ends: 'performance.recovered',
    data({ performance }) {
      const { version, loss, limit, since = 0 } = performance?.incident ?? {};
      return { version, loss, limit, since: instant(since) };
    },
  },
};

/** What an alert did; the reason is known of the last one that asked for something. */
function receivedOf({ sender, fingerprint, title, did }: Firing, { did: last }: Model): Record<string, unknown> {
  const because = last?.of === keyOf({ sender, fingerprint }) ? last.because : undefined;
  return { sender, fingerprint, title, did, because };
}

/** The alert that was just told, where that was news. */
function heardBetween(before: Monitor, after: Monitor, alert: SignalOf<'alertRaised'>): Firing | undefined {
  const firing = after.alerts[keyOf(alert)];
  const isNew = firing !== undefined && before.alerts[keyOf(alert)]?.startedAt !== firing.startedAt;
  return isNew ? firing : undefined;
}

/** What was just found here, as the monitor has it. */
const foundBetween = (before: Monitor, after: Monitor) =>
  before === after
    ? []
    : Object.values(after.alerts).filter(
        ({ sender, fingerprint, startedAt }) =>
          sender === ownSender && ownFiring(before, fingerprint)?.startedAt !== startedAt,
      );

const resolvedBetween = (before: Monitor, after: Monitor) =>
  before === after ? [] : Object.entries(before.alerts).flatMap(([key, alert]) => (key in after.alerts ? [] : [alert]));

/** Alerts of which something else was done in the end than was told when they came. */
const rethoughtBetween = (before: Monitor, after: Monitor) =>
  before === after
    ? []
    : Object.entries(after.alerts).flatMap(([key, alert]) => {
        const known = before.alerts[key];
        return known === undefined || known.startedAt !== alert.startedAt || known.did === alert.did ? [] : [alert];
      });
