import { shortId } from '../../base/ids.ts';
import { without } from '../../base/objects.ts';
import { rollBack } from '../between/champion.ts';
import { finishedWith, requestRun } from '../between/runs.ts';
import { intakeNews, lookForDrift } from '../intake/intake.ts';
import { rolloutEnded } from '../rollout/state.ts';
import type { Model, Moment } from '../state.ts';
import { didInstead, type MonitorContext, ownSender, type Wanted, withoutRun } from './monitor.ts';

/** Does what an alert asked for. */
export function obeyMonitor(model: Model, moment: Moment): Model {
  const { wants } = model.monitor;
  if (wants === undefined) return model;
  const { of: _, ...asked } = wants;
  const heard: Model = { ...model, monitor: without(model.monitor, 'wants') as Model['monitor'], did: asked };
  const instead = (what: 'notify' | 'escalate', why: string): Model => ({
    ...heard,
    monitor: didInstead(heard.monitor, wants, what),
    did: { do: what, because: `${wants.because}; ${why}` },
  });
  if (wants.do === 'run') {
    const intake = lookForDrift(model.intake, moment.at, model.plan);
    if (intake !== undefined) return { ...heard, intake };
    const known = finishedWith(model, { kind: 'drift' });
    if (known === undefined) return requestRun(heard, { kind: 'drift' }, moment);
    const asBefore = instead('escalate', `no run: ${asBeforeText(model, known)}`);
    return { ...asBefore, monitor: withoutRun(asBefore.monitor) };
  }
  if (wants.do !== 'rollback') return heard;
  const { goingBack, releasing } = monitorContext(model);
  if (goingBack) return instead('notify', 'traffic is going back already');
  if (releasing)
    return instead(
      'escalate',
      `v${model.rollout?.candidate} is being released, and only an alert takes a release back: abort the rollout, or wait for its end`,
    );
  if (driftsThereToo(model, wants))
    return instead(
      'escalate',
      `traffic went back to v${model.champion} because of it already, and it drifts there as well: train a version on newer data`,
    );
  const back = rollBack(heard, undefined, { ...moment, by: `an ${wants.because}` }, undefined);
  return 'refused' in back ? instead('escalate', back.refused) : back;
}

/** An earlier version that drifts as well is no cure, and one before it hardly is: each would be quarantined in its turn. */
function driftsThereToo({ monitor, champion, drift }: Model, { of }: Wanted): boolean {
  const { wentBack, alerts } = monitor;
  if (wentBack === undefined || drift?.incident === undefined || alerts[of]?.kind !== 'drift') return false;
  return alerts[of].sender === ownSender && wentBack.to === champion && drift.incident.at < wentBack.at;
}

const asBeforeText = ({ plan }: Model, run: string): string =>
  `${shortId(run)} had the same dataset, code and parameters; put newer data into ${plan.data.bucket}/${plan.data.prefix}`;

/**
 * What was looked for before a run that drift asks for has ended, and there is nothing that the run `known` did not have:
 * somebody has to bring data. It costs nothing of the budget.
 */
export function foundNothingNewer(model: Model, known: string, { at }: Moment): Model {
  const looked = ['looked for newer data and found none', ...intakeNews(model.intake)].join('; ');
  const because = `${looked}; ${asBeforeText(model, known)}`;
  const skipped = { trigger: 'drift', at, because };
  const asked = Object.entries(model.monitor.alerts).findLast(([, { did }]) => did === 'run');
  if (asked === undefined) return { ...model, skipped };
  const [of, { kind, sender, title }] = asked;
  const told = { do: 'escalate', because: `${kind} from ${sender}: ${title}; ${because}` } as const;
  return { ...model, skipped, did: told, monitor: withoutRun(didInstead(model.monitor, { ...told, of }, 'escalate')) };
}

/** What the monitor may know of the rest of the model. */
export function monitorContext(model: Model): MonitorContext {
  const { plan, rollout, champion } = model;
  const releasing = !rolloutEnded(rollout) && rollout?.kind === 'release' && rollout.status !== 'reverting';
  return {
    plan,
    releasing,
    goingBack: !rolloutEnded(rollout) && !releasing,
    ...(champion === undefined ? {} : { champion }),
  };
}
