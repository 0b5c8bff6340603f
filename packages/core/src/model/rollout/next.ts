import { shortId } from '../../base/ids.ts';
import { momentText, spanText } from '../../base/time.ts';
import { candidateWeight, type Rollout } from './state.ts';

/** What is to be done once a rollout was decided, as sentences for a person, without the last full stop. */

/** Traffic goes to the candidate. */
export function nextAfterPromotion({ candidate, stable, guardMs, plan }: Rollout): string {
  const alone = `v${candidate} gets all traffic. Watch its errors yourself: nothing compares it with`;
  if (stable === undefined) return `${alone} another version`;
  if (guardMs === 0) return `${alone} v${stable} any more`;
  return `the candidate, v${candidate}, gets ${100 - plan.guardShare} % of the traffic for ${spanText(guardMs)}, while the champion, v${stable}, keeps ${plan.guardShare} % to compare with. Then it gets all. If harm shows before that, it is rolled back. You do not need to do anything`;
}

type Held = Extract<Rollout, { status: 'held' }>;

/** It waits at a weight: what ends that by itself, and what each command of a person does. */
export function nextInHold(held: Held): string {
  const { candidate, stable, endsAt, gathering, passing, frozen, backTo, step, steps, plan } = held;
  const by = momentText(endsAt);
  const [promote, abort, resume] = (['promote', 'abort', 'resume'] as const).map(
    (verb) => `serin rollouts ${verb} ${shortId(held.id)}`,
  );
  const end = `${promote} (v${candidate} gets all traffic) or ${abort} (v${stable} gets all traffic)`;
  const goesOn = step < steps.length - 1 ? 'it goes on' : `v${candidate} is promoted`;
  if (frozen)
    return `it goes on by itself once the freeze ends (serin thaw). If that is not by ${by}, after ${spanText(plan.maxHold)} of waiting, v${candidate} is rolled back. To end it: ${abort} (v${stable} gets all traffic)`;
  if (gathering)
    return `${goesOn} by itself as soon as there is enough evidence. If it is not enough by ${by}, after ${spanText(plan.maxHold)} of waiting, v${candidate} is rolled back. You do not need to do anything. To end it sooner: ${end}`;
  if (passing === 'byPerson')
    return `look at what both models use. If v${candidate} is not to blame for it: ${resume} (goes on at once). To end it: ${end}. If you do nothing, v${candidate} is rolled back on ${by}`;
  if (passing)
    return `it goes on by itself once that is over. If it is not over by ${by}, v${candidate} is rolled back. Look at what both models use. If something else than v${candidate} is to blame: ${resume} (goes on at once). To end it: ${end}`;
  const cure =
    backTo === undefined
      ? `look into it. If v${candidate} is as it should be: ${resume} (tests v${candidate} again)`
      : `fix how requests are shared out (a cache, retries, direct calls) or counted (telemetry), then: ${resume} (tests v${candidate} again)`;
  return `${cure}. To end it: ${end}. If you do nothing, v${candidate} is rolled back on ${by}`;
}

/** Traffic goes back. No version that was taken back serves again by itself. */
export function nextAfterRevert(rollout: Rollout): string {
  const { candidate, stable, model = '<model>' } = rollout;
  const again = `The candidate, v${candidate}, stays off; to offer it for another rollout: serin versions restore ${model} ${candidate} --because '<why>'`;
  if (stable === undefined) return `nothing serves, so release another version. ${again}`;
  const goes = `the champion, v${stable}, ${candidateWeight(rollout) === 0 ? 'keeps all traffic' : 'gets all traffic again'}`;
  return `${goes}. You do not need to do anything. ${again}`;
}
