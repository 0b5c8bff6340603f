import { shortId } from '../../base/ids.ts';
import { without } from '../../base/objects.ts';
import { agoText, momentText } from '../../base/time.ts';
import { engineActor } from '../../ports/actors.ts';
import { cameBack, rollBack } from '../between/champion.ts';
import { finishedWith, requestRun } from '../between/runs.ts';
import { intakeNews, lookForDrift } from '../intake/intake.ts';
import { rolloutEnded } from '../rollout/state.ts';
import { runEnded } from '../run/state.ts';
import type { Model, Moment } from '../state.ts';
import { versionOf } from '../version.ts';
import {
  type Action,
  askAgain,
  didInstead,
  type Firing,
  keyOf,
  type MonitorContext,
  ownSender,
  policyOf,
  type Waiting,
  waiting,
  waitUntil,
  withoutRun,
} from './monitor.ts';

/** Does what an alert asked for, now or when it has waited. */
export const obeyMonitor = (model: Model, moment: Moment): Model =>
  waiting(model.monitor).reduce((state, firing) => endWait(state, firing, moment), obey(model, moment));

function obey(model: Model, moment: Moment): Model {
  const { wants } = model.monitor;
  if (wants === undefined) return model;
  const heard: Model = { ...model, monitor: without(model.monitor, 'wants') as Model['monitor'], did: wants };
  const instead = (what: Action['do'], why: string): Model => ({
    ...heard,
    monitor: didInstead(heard.monitor, wants, what),
    did: { ...wants, do: what, because: `${wants.because}; ${why}` },
  });
  if (wants.do === 'run') {
    const firing = heard.monitor.alerts[wants.of];
    const before = firing && onItsWay(model, firing);
    if (firing !== undefined && before !== undefined) {
      const waits = instead('wait', `no run before ${before}`);
      return { ...waits, monitor: withoutRun(waitUntil(waits.monitor, firing, moment.at)) };
    }
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
  // The release may be what was wrong. What is wrong with the version before came from outside, and each earlier one would
  // be quarantined in turn.
  if (heard.monitor.alerts[wants.of]?.kind !== 'alert' && cameBack(model))
    return instead(
      'escalate',
      `traffic went back to v${model.champion} already, and no version was released since: an earlier one is no cure for what comes in, so train a version on newer data`,
    );
  const by = wants.because.replace(/^alert /, 'an alert ');
  const back = rollBack(heard, undefined, { ...moment, by }, undefined);
  return 'refused' in back ? instead('escalate', back.refused) : back;
}

/**
 * What waits is decided upon once its time has come and nothing is on its way that may mend it; under a policy that starts
 * no run, at once.
 *
 * Another champion may have mended it. What was found here is judged anew, and is news if it is seen of that one as well;
 * a sender outside has a cooldown to say that it is over.
 */
function endWait(model: Model, { sender, fingerprint }: Waiting, moment: Moment): Model {
  const firing = waiting(model.monitor).find((each) => each.sender === sender && each.fingerprint === fingerprint);
  if (firing === undefined || model.retired) return model;
  if (isOfAnother(model, firing)) {
    if (sender === ownSender) return model;
    const until = moment.at + model.plan.monitor.cooldown;
    return { ...model, monitor: waitUntil(model.monitor, firing, until, model.champion) };
  }
  const startsRun = policyOf(model.plan)[firing.kind] === 'run';
  if (moment.at < firing.until || (startsRun && onItsWay(model, firing) !== undefined)) return model;
  const asked = { ...model, monitor: askAgain(model.monitor, firing, moment.at, monitorContext(model)) };
  // Whoever's signal it is that ends the wait, nobody asked for this run.
  return obey(asked, { ...moment, by: engineActor.subject });
}

const isOfAnother = ({ champion }: Model, firing: Firing): boolean => firing.champion !== champion;

/** What comes before a run: that one may start, and the end of what may mend it, a run or the version of one since it fires. */
function onItsWay(model: Model, { at }: Firing): string | undefined {
  const { run, queued, offered, rollout, versions, freeze, retired } = model;
  if (retired) return 'the model is in the config again';
  if (freeze !== undefined) return 'the end of the freeze';
  if (run !== undefined && !runEnded(run)) return `the end of run ${shortId(run.id)}`;
  if (queued !== undefined) return `the run by ${queued.trigger.kind} that was asked for`;
  const candidate = rolloutEnded(rollout) ? offered?.version : rollout?.candidate;
  return (versionOf(versions, candidate)?.at ?? 0) > at ? `it is known what becomes of v${candidate}` : undefined;
}

/** What an alert that waits will do, and when; `undefined`: it does not wait. */
export function waitsText(model: Model, firing: Firing, now: number): string | undefined {
  const { until, sender, kind } = firing;
  if (until === undefined) return undefined;
  if (model.retired) return 'it is decided upon when the model is in the config again, if it still fires then';
  if (isOfAnother(model, firing) && sender === ownSender)
    return `${policyOf(model.plan)[kind] === 'run' ? 'a run starts' : 'it is decided upon'} if it is seen of v${model.champion} as well`;
  const isFrozen = model.freeze !== undefined && (model.freeze.until ?? Number.POSITIVE_INFINITY) > until;
  if (until > now && !isFrozen)
    return `a run starts ${agoText(until, now)}, at ${momentText(until)}, if it still fires then`;
  return `a run starts after ${onItsWay(model, firing) ?? 'this'}, if it still fires then`;
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
  const asked = Object.values(model.monitor.alerts).filter(({ did }) => did === 'run');
  // What asked last is known by `did`, unless another alert was told meanwhile.
  const last = asked.find((firing) => keyOf(firing) === model.did?.of) ?? asked.at(-1);
  if (last === undefined) return { ...model, skipped };
  const { kind, sender, title } = last;
  const of = keyOf(last);
  const told = { do: 'escalate', because: `${kind} from ${sender}: ${title}; ${because}`, of } as const;
  return { ...model, skipped, did: told, monitor: withoutRun(didInstead(model.monitor, told, 'escalate')) };
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
