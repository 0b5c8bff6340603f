import { Fault } from '../../base/fault.ts';
import { type Refusal, refuse } from '../../base/table.ts';
import { durationText } from '../../base/time.ts';
import { grouped, shiftedIn, type Verdict } from '../../judge/judge.ts';
import type { SignalOf } from '../signal.ts';
import { certified, clause, type Heard, hearLabels, hearTicks, missingFor, rulesFor } from './judged.ts';
import type { Rollout, Waiting } from './rollout.ts';
import { bake, hold, holdBack, labelsFrom, promote, revert, shift, tell } from './steps.ts';

/** What evidence comes to in each state that reads it, and what ends a hold. */

type Judged = Extract<Rollout, { status: 'baking' | 'paused' | 'held' | 'guarding' }>;
type Watching = Extract<Rollout, { status: 'baking' | 'guarding' }>;
type Next<Here> = (rollout: Here, verdict: Verdict) => Rollout;

export function judgedTicks<Here extends Judged>(
  rollout: Here,
  signal: SignalOf<'ticksRead'>,
  next: Next<Here>,
): Rollout {
  if (signal.from !== rollout.evidence.readTo) return rollout;
  const hear = () => hearTicks(rollout, signal);
  return judged(rollout, { at: signal.at, what: 'ticks', hear }, (counted, verdict) =>
    next({ ...counted, until: counted.until + unservedMs(rollout, signal) }, verdict),
  );
}

/** A bake and a guard last for time that was served: each tick that was not moves their end by its length. */
function unservedMs({ evidence, plan }: Judged, { ticks }: SignalOf<'ticksRead'>): number {
  const unserved = ticks.filter((tick) => tick.unserved === true && tick.start >= evidence.readTo);
  return new Set(unserved.map(({ start }) => start)).size * plan.tick;
}

export function judgedLabels<Here extends Judged>(
  rollout: Here,
  signal: SignalOf<'labelsRead'>,
  next: Next<Here>,
): Rollout {
  return signal.from === labelsFrom(rollout)
    ? judged(rollout, { at: signal.at, what: 'labels', hear: () => hearLabels(rollout, signal) }, next)
    : rollout;
}

/** Evidence goes to the judge; harm takes the rollout back from any state that reads it. */
function judged<Here extends Judged>(
  rollout: Here,
  { at, what, hear }: { readonly at: number; readonly what: 'ticks' | 'labels'; readonly hear: () => Heard },
  next: Next<Here>,
): Rollout {
  let heard: Heard;
  try {
    heard = hear();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return unreadable(rollout, at, { because: error.message, what });
  }
  const { evidence, verdict } = heard;
  const counted: Here = { ...rollout, evidence };
  if (verdict.kind === 'limit') return revert(counted, at, { kind: 'limit', text: verdict.text });
  if (verdict.kind === 'harmAsCame') return revert(counted, at, { kind: 'routing', text: verdict.text });
  if (verdict.kind === 'harm') {
    const certificate = certified(counted, { verdict: 'rollback' });
    return revert({ ...counted, certificate }, at, { kind: 'evidence', text: clause(certificate) });
  }
  return next(counted, verdict);
}

/**
 * Counts that cannot be read are no harm, and no reason to go on. Without ticks nobody sees what the candidate does;
 * without labels its ticks still tell.
 */
export function unreadable(
  rollout: Waiting,
  at: number,
  { because, what }: { readonly because: string; readonly what: 'ticks' | 'labels' },
): Rollout {
  const text = `its counts cannot be read: ${because}`;
  switch (rollout.status) {
    case 'deploying':
      return { ...rollout, latency: 'none' };
    case 'baking':
      return what === 'labels' ? hold(rollout, at, { because: text }) : holdBack(rollout, at, text);
    case 'paused':
    case 'held':
      return what === 'labels' || rollout.edition === undefined ? rollout : holdBack(rollout, at, text);
    case 'guarding':
      return rollout.edition === undefined ? revert(rollout, at, { kind: 'limit', text }) : holdBack(rollout, at, text);
    default:
      return rollout;
  }
}

/**
 * Ticks that cannot be read for `maxHold` end a rollout that nobody judges any more; `readyWithin` after that was seen
 * first, as it may be this installation that stood still.
 */
export function unread<Here extends Watching>(rollout: Here, at: number): Rollout {
  const { since, evidence, plan, unreadSince = 0 } = rollout;
  const missedAt = Math.max(since, evidence.readTo) + plan.tick + plan.maxHold;
  if (at < missedAt) return rollout;
  if (unreadSince < missedAt) return { ...rollout, unreadSince: at };
  return at < unreadSince + plan.readyWithin
    ? rollout
    : revert(rollout, at, { kind: 'hold', text: `no tick could be read for maxHold (${durationText(plan.maxHold)})` });
}

/** A guard whose evidence is suspended sees nothing. In edition 1 it waited for a person with all the traffic. */
export function blindGuard(
  rollout: Extract<Rollout, { status: 'guarding' }>,
  { at, to }: SignalOf<'ticksRead'>,
  because: string,
): Rollout {
  const text = `the guard saw nothing: ${because}`;
  if (rollout.edition !== undefined) return holdBack(rollout, at, text);
  if (to < rollout.until) return rollout;
  if (at >= rollout.until + rollout.plan.maxHold) return revert(rollout, at, { kind: 'hold', text });
  return rollout.story.some((line) => line.text.startsWith('the guard saw nothing'))
    ? rollout
    : tell(rollout, at, text);
}

export function afterTicks(
  rollout: Extract<Rollout, { status: 'baking' }>,
  verdict: Verdict,
  at: number,
  frozen: boolean,
): Rollout {
  const { evidence, until, step, steps, plan } = rollout;
  if (verdict.kind === 'misrouted') return holdBack(rollout, at, verdict.text);
  if (evidence.readTo < until || frozen) return rollout;
  const shifted = shiftAt(rollout);
  if (shifted !== undefined) {
    if (plan.onPredictionShift === 'hold') return hold(rollout, at, { because: shifted });
    return shift(tell(rollout, at, `noted: ${shifted}`), step + 1, at);
  }
  const missing = lackAt(rollout);
  if (missing === undefined) return goOn(rollout, at);
  if (evidence.readTo < until - plan.bake + plan.atMost) return rollout;
  const because = `inconclusive after ${durationText(plan.atMost)}: ${missing}`;
  if (plan.onInconclusive === 'promote' && step < steps.length - 1)
    return shift(tell(rollout, at, `${because}; goes on by policy`), step + 1, at);
  if (plan.onInconclusive === 'promote')
    return promote(rollout, at, `${because}; promoted by policy, without certificate`);
  if (plan.onInconclusive === 'rollBack')
    return revert(rollout, at, {
      kind: 'inconclusive',
      text: `${because}; rolled back by policy, without certificate`,
    });
  return hold(rollout, at, { because, gathering: true });
}

/** Predictions of a mirror that are systematically higher or lower. */
const shiftAt = (rollout: Extract<Rollout, { status: 'baking' | 'held' }>): string | undefined =>
  rollout.steps[rollout.step] === 0 ? shiftedIn(rollout.evidence, rulesFor(rollout)) : undefined;

type AtAStep = Extract<Rollout, { status: 'baking' | 'held' }>;

const isLast = ({ step, steps }: AtAStep): boolean => step >= steps.length - 1;

const goOn = (rollout: AtAStep, at: number): Rollout =>
  isLast(rollout) ? certifiedPromotion(rollout, at) : shift(rollout, rollout.step + 1, at);

/** What a step has to show before the next: the last one a certificate, a mirror that it mirrors at all. */
function lackAt(rollout: AtAStep): string | undefined {
  if (isLast(rollout)) return lackOf(rollout);
  const { steps, step, evidence, plan } = rollout;
  if (steps[step] !== 0) return undefined;
  const { pairs, dropped } = evidence.mirrored ?? { pairs: 0, dropped: 0 };
  const fewest = plan.limits.errors.minRequests;
  if (pairs < fewest) return `no data: ${requestsText(pairs)} mirrored to the candidate, of at least ${fewest}`;
  return dropped > pairs
    ? `${grouped(dropped)} of ${requestsText(pairs + dropped)} were never copied, for the queue was full; mirror a smaller share`
    : undefined;
}

/** What is still to be shown in the last step, as text. */
function lackOf(rollout: Rollout): string | undefined {
  const { evidence, plan } = rollout;
  const missing = missingFor(rollout);
  const fewest = plan.limits.errors.minRequests;
  if (missing === undefined)
    return evidence.candidate.requests >= fewest
      ? undefined
      : `no data: ${requestsText(evidence.candidate.requests)} to the candidate, of at least ${fewest}`;
  if (missing.length === 0) return undefined;
  const needed = Math.log(1 / plan.beta);
  const parts = missing.map(({ stream, logE }) => `${stream} has ${Math.max(0, Math.round((100 * logE) / needed))} %`);
  const [counted = 0] = evidence.routed[String(rollout.steps.at(-1))] ?? [];
  const seen = rollout.sticky
    ? `${requestsText(evidence.candidate.requests)} to the candidate`
    : `${requestsText(counted)} to the candidate at this step`;
  return `${parts.join(', ')} of the evidence that a promotion needs, with ${seen}`;
}

const requestsText = (count: number): string => (count === 1 ? '1 request' : `${grouped(count)} requests`);

type Held = Extract<Rollout, { status: 'held' }>;

/** What was missing may have come while it was held. */
export function afterHold(rollout: Held, verdict: Verdict, at: number, frozen: boolean): Rollout {
  if (verdict.kind === 'misrouted' && rollout.edition !== undefined) return holdBack(rollout, at, verdict.text);
  return rollout.gathering && verdict.kind === 'none' && !frozen && lackAt(rollout) === undefined
    ? goOn(rollout, at)
    : rollout;
}

/** A person wants a hold to end: it bakes again at the weight of its step, which it may have to get back first. */
export function resumed(
  held: Held,
  { at, by }: { readonly at: number; readonly by: string },
  frozen: boolean,
): Rollout | Refusal {
  const rollout = tell(held, at, `resumed by ${by}`);
  const { step, steps, backTo, evidence, until } = rollout;
  if (backTo !== undefined && frozen)
    return refuse('its weight would rise, and the model is frozen: end the freeze first, or abort it');
  if (backTo !== undefined && step >= steps.length) return promote(rollout, at, `resumed by ${by}`);
  if (backTo !== undefined) return shift(rollout, step, at);
  // A shift of the predictions does not go away by mirroring more: somebody has looked at it.
  const looked = !frozen && evidence.readTo >= until && shiftAt(rollout) !== undefined;
  return looked ? shift(rollout, step + 1, at) : bake(rollout, step, at, 'sameWeight');
}

function certifiedPromotion(rollout: Waiting, at: number): Rollout {
  if (missingFor(rollout) === undefined)
    return promote(rollout, at, 'the last step baked without harm; no guardrail decides, so there is no certificate');
  const certificate = certified(rollout, { verdict: 'promotion' });
  return promote({ ...rollout, certificate }, at, clause(certificate));
}
