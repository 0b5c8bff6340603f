import { derivedId } from '../../base/ids.ts';
import { defined } from '../../base/objects.ts';
import { type Refusal, refuse } from '../../base/table.ts';
import { keepForRecord } from '../records.ts';
import { beginRollout } from '../rollout/steps.ts';
import type { Model, Moment } from '../state.ts';
import { servable, type Version, versionOf } from '../version.ts';
import { withVersion } from './versions.ts';

/** The champion alias moves; the old champion is where a rollback goes. */
export function promoteChampion(model: Model, number: number, at: number, because: string): Model {
  const old = model.champion;
  const others = model.lastGood.filter((known) => known !== number && known !== old);
  return {
    ...model,
    champion: number,
    lastGood: [...others, ...(old === undefined ? [] : [old])].slice(-10),
    served: [...model.served, { at, version: number, because }].slice(-50),
  };
}

export function quarantine(model: Model, number: number, at: number, because: string): Model {
  const version = versionOf(model.versions, number);
  return version === undefined ? model : withVersion(model, { ...version, quarantined: { at, because } });
}

/** An incident took traffic back: its other alerts are not about the version that traffic went back to. */
const noteReturn = (model: Model, wentBack: NonNullable<Model['monitor']['wentBack']>): Model => ({
  ...model,
  monitor: { ...model.monitor, wentBack },
});

/** A candidate was taken back, and the champion stayed; how that one came to serve is as it was. */
export function noteStay(model: Model, champion: number | undefined, at: number): Model {
  if (champion === undefined) return model;
  const since = cameBack(model) ? model.served.at(-1)?.at : undefined;
  return noteReturn(model, { at, to: champion, ...defined({ since }) });
}

/** The champion serves since traffic went back to it. */
export const cameBack = ({ monitor: { wentBack }, champion, served }: Model): boolean =>
  wentBack !== undefined && wentBack.to === champion && served.at(-1)?.at === (wentBack.since ?? wentBack.at);

/** A rollback has arrived: an earlier version serves again, and the one that it replaced is not to. */
export function goBack(model: Model, to: number, at: number, by: string): Model {
  const old = model.champion;
  const back = noteReturn(promoteChampion(model, to, at, `serves again: rolled back by ${by}`), { at, to });
  if (old === undefined) return back;
  const lastGood = back.lastGood.filter((number) => number !== old);
  return quarantine({ ...back, lastGood }, old, at, `taken back by ${by}`);
}

/** Back to the last champion that does no harm: a rollout of its own, without a gate. */
export function rollBack(
  model: Model,
  to: number | undefined,
  { at, seq, by }: Moment,
  because: string | undefined,
): Model | Refusal {
  const good = [...model.lastGood]
    .reverse()
    .filter((number) => number !== model.champion && servable(versionOf(model.versions, number)));
  const target = to ?? good[0];
  if (target === undefined)
    return refuse('every earlier version is quarantined; restore one with serin versions restore');
  const version = versionOf(model.versions, target);
  if (version === undefined)
    return refuse(
      `there is no version ${target} of ${model.model} any more; name one of 'serin versions list ${model.model}'`,
    );
  if (target === model.champion) return refuse(`v${target} is already the champion; name another version`);
  if (!servable(version))
    return refuse(
      `v${target} may not serve: ${version.quarantined === undefined ? 'it was never registered or approved; name another one' : `quarantined, ${version.quarantined.because}; 'serin versions restore ${model.model} ${target}' ends that`}`,
    );
  const said = because === undefined ? by : `${by}: ${because}`;
  if (version.serve === 'none') return goBack(model, target, at, said);
  const given = {
    id: derivedId('ro', at, model.model, seq, 'rollback'),
    kind: 'rollback',
    candidate: target,
    plan: model.plan.rollout,
    by: said,
    sticky: isSticky(version),
    ...defined({ stable: servingChampion(model) }),
  } as const;
  return { ...keepForRecord(model, 'rollout'), rollout: beginRollout(given, at) };
}

/** What a revert restores: a champion that was released without an endpoint has never served there. */
export const servingChampion = ({ versions, champion }: Model): number | undefined =>
  versionOf(versions, champion)?.serve === 'none' ? undefined : champion;

export const isSticky = ({ serve }: Version): boolean => serve !== 'none' && serve.stickyBy !== undefined;
