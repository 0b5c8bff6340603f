import { defined, lastOf, withLast, without } from '../../base/objects.ts';
import { machineRules } from '../machines.ts';
import { markRecords } from '../records.ts';
import type { Because } from '../rollout/state.ts';
import { isRefusedData, type Run, runEnded } from '../run/state.ts';
import { equalInputs } from '../run/steps.ts';
import type { Model, Moment } from '../state.ts';
import { versionOf } from '../version.ts';
import { goBack, noteStay, promoteChampion, quarantine } from './champion.ts';
import { passOnConverged, wishForEndpoint } from './endpoint-wish.ts';
import { expireApproval, offerPassed, rescoreOffer, startRollout } from './offer.ts';
import { startRun } from './runs.ts';
import { keepScores, numberTrained, withVersion } from './versions.ts';

type Rule = (model: Model, moment: Moment, before: Model | undefined) => Model;

/**
 * Between the machines: what one machine's state means for another. Each rule looks at the state alone and answers the
 * same object when it has nothing to say, so the rules run until all are content, in any order in which signals came. A
 * rule that is about one machine stands in its row of `machines.ts`.
 */
const rules: readonly Rule[] = [
  numberTrained,
  keepScores,
  endRun,
  endRollout,
  ...machineRules,
  startRun,
  expireApproval,
  rescoreOffer,
  startRollout,
  wishForEndpoint,
  passOnConverged,
];

const mostRounds = 20;

export function applyRules(model: Model, moment: Moment, before: Model | undefined): Model {
  let next = model;
  for (let round = 0; round < mostRounds; round += 1) {
    const start = next;
    for (const rule of rules) next = rule(next, moment, before);
    if (next === start) return markRecords(before, next, moment);
  }
  throw new Error(
    `the rules between the machines of ${model.model} do not agree after ${mostRounds} rounds; this is a defect of Serin, report it`,
  );
}

/** A passing run offers its version; a newer offer supersedes an older one. */
function endRun(model: Model, moment: Moment): Model {
  const { run } = model;
  if (run === undefined || !runEnded(run) || model.settledRun === run.id) return model;
  const released = { ...model.tells, [`${run.id}/released`]: { type: 'slotReleased', run: run.id } as const };
  const conclusive = run.status === 'succeeded' || run.status === 'refused';
  const noted: Model = {
    ...model,
    settledRun: run.id,
    tells: released,
    finished: conclusive ? withFinished(model.finished, run) : model.finished,
    ...(run.data === undefined
      ? {}
      : { profiled: withLast(model.profiled ?? {}, [run.dataset.digest, run.data.rows], 14) }),
  };
  const version = versionOf(model.versions, run.trained?.number);
  if (version === undefined) return noted;
  if (run.status === 'succeeded') return offerPassed(noted, version, run, moment);
  const judged =
    run.status === 'refused' ? withVersion(noted, { ...version, ...defined({ verdict: run.verdict }) }) : noted;
  return judged.offered?.version === version.number ? without(judged, 'offered') : judged;
}

const withFinished = (finished: Model['finished'], run: Run): Model['finished'] => {
  const inputs = isRefusedData(run) ? [run.inputs] : equalInputs(run);
  return lastOf({ ...finished, ...Object.fromEntries(inputs.map((each) => [each, run.id])) }, 100);
};

/** On `promoted` the champion moves; a rollback quarantines. */
function endRollout(model: Model, { at }: Moment): Model {
  const { rollout } = model;
  if (rollout === undefined || !('endedAt' in rollout) || model.settledRollout === rollout.id) return model;
  const noted: Model = { ...model, settledRollout: rollout.id };
  if (rollout.status === 'promoted')
    return rollout.kind === 'rollback'
      ? goBack(noted, rollout.candidate, at, rollout.by)
      : promoteChampion(noted, rollout.candidate, at, `promoted: ${rollout.because}`);
  // A rollback that did not get there says nothing against the version that it went to.
  if (rollout.status === 'aborted' || rollout.kind === 'rollback') return noted;
  const { kind, text } = rollout.because;
  const back = harmfulKinds.includes(kind) ? noteStay(noted, rollout.stable, at) : noted;
  return quarantine(back, rollout.candidate, at, text);
}

/** Reasons that speak of harm: they take traffic back because of an incident. */
const harmfulKinds: readonly Because['kind'][] = ['evidence', 'limit', 'routing', 'alert', 'rollback'];
