import { shortId } from '../../base/ids.ts';
import { momentText, spanText } from '../../base/time.ts';
import { type Because, candidateWeight, type Rollout } from './state.ts';

/** What is to be done once a rollout was decided, as a clause for a person. */

/** Traffic goes to the candidate. */
export function nextAfterPromotion({ candidate, stable, guardMs, plan }: Rollout): string {
  if (stable === undefined)
    return `v${candidate} gets all traffic; watch its errors yourself, because nothing compares them`;
  if (guardMs === 0) return `v${candidate} gets all traffic, and nothing needs to be done`;
  return `v${candidate} gets all traffic but ${plan.guardShare} %, which stay with v${stable} for ${spanText(guardMs)} to compare with; nothing needs to be done`;
}

/** It waits at a weight: what ends that by itself, and how a person can. */
export function nextInHold({
  id,
  candidate,
  endsAt,
  gathering,
  passing,
  backTo,
}: Extract<Rollout, { status: 'held' }>): string {
  const byHand = `serin rollouts promote|abort|resume ${shortId(id)}`;
  if (gathering)
    return `it is promoted as soon as there is enough evidence, and taken back on ${momentText(endsAt)} if there is not; nothing needs to be done, but a person may end it: ${byHand}`;
  if (passing)
    return `it goes on by itself once that is over, and is taken back on ${momentText(endsAt)} if it is not; look at what both models use, and if something else than v${candidate} is to blame, let it go on: ${byHand}`;
  const cure = backTo === undefined ? 'look into it' : 'mend how requests are shared out or counted';
  return `${cure}, then end it: ${byHand}; without a person it is taken back on ${momentText(endsAt)}`;
}

/** Traffic goes back. `abort` leaves the version as good as it was; all others keep it from serving. */
export function nextAfterRevert(rollout: Rollout, kind: Because['kind']): string {
  const { candidate, stable } = rollout;
  const goes = candidateWeight(rollout) === 0 ? `v${stable} keeps all traffic` : `all traffic goes back to v${stable}`;
  const back = stable === undefined ? 'nothing serves; release another version' : goes;
  if (kind === 'abort') return stable === undefined ? back : `${back}, and nothing needs to be done`;
  const out = `v${candidate} gets no traffic until somebody restores it (serin versions restore)`;
  return stable === undefined ? `${back}, for ${out}` : `${back}, and nothing needs to be done; ${out}`;
}
