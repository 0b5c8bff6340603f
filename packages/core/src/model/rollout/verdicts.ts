import { Fault } from '../../base/fault.ts';
import { countText, grouped } from '../../base/numbers.ts';
import { type Refusal, refuse } from '../../base/table.ts';
import { durationText, spanText } from '../../base/time.ts';
import type { Evidence } from '../../judge/evidence.ts';
import { fewestMirrored, logHarm, shiftedIn, type Verdict } from '../../judge/judge.ts';
import { type Lack, lacks } from '../../judge/needed.ts';
import { isMisrouted, ticksLeftOut } from '../../judge/routing.ts';
import { evidenceText, lackText } from '../../judge/sentence.ts';
import type { SignalOf } from '../protocol.ts';
import { type Counted, certify, clause, countLabels, countTicks, missingFor, rulesFor } from './evidence.ts';
import { nextAfterPromotion, nextAfterRevert } from './next.ts';
import {
  isHeldGuard,
  labelsFrom,
  lastWeight,
  type Rollout,
  type RolloutContext,
  type Waiting,
  wantsLatency,
} from './state.ts';
import {
  accepted,
  bake,
  endPromoted,
  goForward,
  guard,
  hold,
  holdBack,
  holdBoth,
  note,
  promote,
  revert,
  shift,
  unseenIn,
} from './steps.ts';

/** What evidence comes to in each state that reads it, and what ends a hold. */

type In<Status extends Rollout['status']> = Extract<Rollout, { status: Status }>;
/** Those that read ticks and labels. */
type Reading = In<'baking' | 'paused' | 'held' | 'guarding'>;

export function judgeTicks(rollout: Reading, signal: SignalOf<'ticksRead'>, context: RolloutContext): Rollout {
  if (signal.from !== rollout.evidence.readTo) return rollout;
  const read = weigh(rollout, { at: signal.at, what: 'ticks', count: () => countTicks(rollout, signal) });
  if (!('verdict' in read)) return read;
  const counted = { ...read.counted, until: read.counted.until + unseenMs(rollout, read.counted, signal) };
  return counted.status === 'guarding'
    ? afterGuard(counted, read.verdict, signal)
    : afterVerdict(counted, read.verdict, signal.at, context);
}

export function judgeLabels(rollout: Reading, signal: SignalOf<'labelsRead'>, context: RolloutContext): Rollout {
  if (signal.from !== labelsFrom(rollout)) return rollout;
  const read = weigh(rollout, { at: signal.at, what: 'labels', count: () => countLabels(rollout, signal) });
  return 'verdict' in read ? afterVerdict(read.counted, read.verdict, signal.at, context) : read;
}

/**
 * A bake and a guard last for time in which both models were seen: each tick that was not served, or whose numbers of
 * requests make it no evidence, moves their end by its length.
 */
function unseenMs({ evidence, plan }: Reading, counted: Reading, { ticks, to }: SignalOf<'ticksRead'>): number {
  const isRead = (start: number): boolean => start >= evidence.readTo && start < to;
  const unserved = ticks.filter((tick) => tick.unserved === true && isRead(tick.start));
  const leftOut = leftOutOf(counted.evidence) - leftOutOf(evidence);
  return (new Set(unserved.map(({ start }) => start)).size + leftOut) * plan.tick;
}

const leftOutOf = ({ routing }: Evidence): number => (routing === undefined ? 0 : ticksLeftOut(routing));

/**
 * Where nobody sees the candidate for `maxHold`, waiting is over: what is not served for so long is not judged any more.
 * `undefined`: it was seen. A first version has nobody to go back to.
 */
function unseenText(rollout: In<'baking' | 'guarding'>): string | undefined {
  const { maxHold } = rollout.plan;
  return rollout.stable === undefined || unseenIn(rollout) <= maxHold
    ? undefined
    : `nobody saw the candidate for more than maxHold (${durationText(maxHold)})`;
}

/** Evidence goes to the judge; harm takes the rollout back from any state that reads it. */
function weigh(
  rollout: Reading,
  { at, what, count }: { readonly at: number; readonly what: 'ticks' | 'labels'; readonly count: () => Counted },
): Rollout | { readonly counted: Reading; readonly verdict: Verdict } {
  let read: Counted;
  try {
    read = count();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return holdUnreadable(rollout, at, { because: error.message, what });
  }
  const { evidence, verdict } = read;
  const counted = { ...rollout, evidence };
  if (verdict.kind === 'limit') return revert(counted, at, { kind: 'limit', text: verdict.text });
  if (verdict.kind === 'harmAsCame') return revert(counted, at, { kind: 'routing', text: verdict.text });
  if (verdict.kind === 'harm') {
    const certificate = certify(counted, { verdict: 'rollback' }, nextAfterRevert(counted));
    return revert({ ...counted, certificate }, at, { kind: 'evidence', text: clause(certificate) });
  }
  return { counted, verdict };
}

/** Without harm: whether the rollout goes on, waits or is held. */
function afterVerdict(rollout: Reading, verdict: Verdict, at: number, { frozen }: RolloutContext): Rollout {
  switch (rollout.status) {
    case 'baking':
      return afterBake(rollout, verdict, at, frozen);
    case 'held':
      return afterHold(rollout, verdict, at, frozen);
    default:
      return rollout;
  }
}

/**
 * Counts that cannot be read are neither harm nor a reason to go on. Without ticks nobody sees what the candidate does;
 * without labels its ticks still count. A first version has nobody to go back to.
 */
export function holdUnreadable(
  rollout: Waiting,
  at: number,
  { because, what }: { readonly because: string; readonly what: 'ticks' | 'labels' },
): Rollout {
  const text = `its counts cannot be read: ${because}`;
  switch (rollout.status) {
    case 'deploying':
      return wantsLatency(rollout) ? { ...rollout, latency: 'none' } : { ...rollout, history: 'none' };
    case 'baking':
      return what === 'labels' ? hold(rollout, at, { because: text }) : holdBack(rollout, at, text);
    case 'paused':
    case 'held':
      return what === 'labels' ? rollout : holdBack(rollout, at, text);
    case 'guarding':
      return what === 'labels' || rollout.stable === undefined ? rollout : holdBack(rollout, at, text);
    default:
      return rollout;
  }
}

/**
 * Ticks that cannot be read for `maxHold` end a rollout that nobody judges any more; `readyWithin` after that was seen
 * first, as it may be this installation that stood still. A first version goes on serving: nothing else would.
 */
export function endUnread(rollout: In<'baking' | 'guarding'>, at: number): Rollout {
  const { since, evidence, plan, unreadSince = 0 } = rollout;
  const missedAt = Math.max(since, evidence.readTo) + plan.tick + plan.maxHold;
  if (at < missedAt) return rollout;
  if (unreadSince < missedAt) return { ...rollout, unreadSince: at };
  if (at < unreadSince + plan.readyWithin) return rollout;
  const text = `no tick could be read for maxHold (${durationText(plan.maxHold)})`;
  return rollout.stable === undefined
    ? endPromoted(note(rollout, at, `the guard is over: ${text}, and there is no version to go back to`), at)
    : revert(rollout, at, { kind: 'hold', text });
}

function afterGuard(rollout: In<'guarding'>, verdict: Verdict, signal: SignalOf<'ticksRead'>): Rollout {
  // A guard whose evidence is suspended sees nothing.
  if (verdict.kind === 'misrouted') return holdBack(rollout, signal.at, `the guard saw nothing: ${verdict.text}`);
  if (verdict.kind === 'together') return holdBoth(rollout, signal.at, verdict.text);
  const unseen = unseenText(rollout);
  if (unseen !== undefined) return holdBack(rollout, signal.at, unseen);
  const { until, guardMs } = rollout;
  if (signal.to < until) return rollout;
  if (!isSuspect(rollout)) return endPromoted(rollout, signal.at);
  if (signal.to < until + guardMs) return goesOn(rollout, signal.at);
  return halfWayToHarm(rollout) >= 1
    ? hold(rollout, signal.at, { because: `the guard is over, and ${harmText(rollout)}` })
    : endPromoted(note(rollout, signal.at, `the guard is over: ${harmText(rollout)}`), signal.at);
}

function afterBake(rollout: In<'baking'>, verdict: Verdict, at: number, frozen: boolean): Rollout {
  const { evidence, until, step, steps, plan } = rollout;
  if (verdict.kind === 'misrouted') return holdBack(rollout, at, verdict.text);
  if (verdict.kind === 'together') return holdBoth(rollout, at, verdict.text);
  const unseen = unseenText(rollout);
  if (unseen !== undefined) return holdBack(rollout, at, unseen);
  if (evidence.readTo < until || frozen) return rollout;
  const isInTime = evidence.readTo < until - plan.bake + plan.atMost;
  if (isInTime && isSuspect(rollout)) return goesOn(rollout, at);
  const shifted = shiftAt(rollout);
  if (shifted !== undefined) {
    if (plan.onPredictionShift === 'hold') return hold(rollout, at, { because: shifted });
    return shift(note(rollout, at, `noted: ${shifted}`), step + 1, at);
  }
  const missing = missingAt(rollout);
  if (missing === undefined) return goOn(rollout, at);
  if (isInTime) return rollout;
  const because = `inconclusive after ${spanText(plan.atMost)}: ${missing()}`;
  if (plan.onInconclusive === 'promote' && step < steps.length - 1)
    return shift(note(rollout, at, `${because}; goes on by policy`), step + 1, at);
  if (plan.onInconclusive === 'promote') return promote(rollout, at, `${because}; onInconclusive is 'promote'`);
  if (plan.onInconclusive === 'rollBack')
    return revert(rollout, at, {
      kind: 'inconclusive',
      text: `${because}; onInconclusive is 'rollBack'`,
    });
  return hold(rollout, at, { because, gathering: true });
}

/** How far the evidence of harm is, in logarithms: 1 is half of the way to a rollback, 10 to 1 by default. */
const halfWayToHarm = (rollout: Rollout): number =>
  logHarm(rollout.evidence, rulesFor(rollout)) / (Math.log(1 / rollout.plan.alpha) / 2);

/** A quarter of the way: 3 to 1 by default. Weights may follow from the evidence. */
const isSuspect = (rollout: Rollout): boolean => halfWayToHarm(rollout) >= 1 / 2;

const harmText = (rollout: Rollout): string =>
  `the evidence of harm is ${evidenceText(logHarm(rollout.evidence, rulesFor(rollout)))} (a rollback needs ${evidenceText(-Math.log(rollout.plan.alpha))})`;

/** A suspect gets no more traffic, but time in which it shows what it is. */
function goesOn<Kind extends In<'baking' | 'guarding'>>(rollout: Kind, at: number): Kind {
  if (rollout.story.at(-1)?.text.startsWith('goes on')) return rollout;
  return note(rollout, at, `goes on at this weight: ${harmText(rollout)}`);
}

/** Predictions of a mirror that are systematically higher or lower. */
const shiftAt = (rollout: In<'baking' | 'held'>): string | undefined =>
  rollout.steps[rollout.step] === 0 ? shiftedIn(rollout.evidence, rulesFor(rollout)) : undefined;

type AtAStep = In<'baking' | 'held'>;

const isLast = ({ step, steps }: AtAStep): boolean => step >= steps.length - 1;

const goOn = (rollout: AtAStep, at: number): Rollout =>
  isLast(rollout) ? promoteCertified(rollout, at) : shift(rollout, rollout.step + 1, at);

/** What a step lacks before the next, as text once somebody asks: it takes longer to say than to find out. */
type Lacking = () => string;

/** A suspect lacks what clears it. */
const missingAt = (rollout: AtAStep): Lacking | undefined =>
  isSuspect(rollout) ? () => harmText(rollout) : lackAt(rollout);

/** The last step needs a certificate, a mirror that it was judged at all. `undefined`: nothing is missing. */
function lackAt(rollout: AtAStep): Lacking | undefined {
  if (isLast(rollout)) return lackOf(rollout);
  const { steps, step, evidence, plan } = rollout;
  if (steps[step] !== 0) return undefined;
  const { pairs, dropped } = evidence.mirrored ?? { pairs: 0, dropped: 0 };
  const fewest = plan.limits.errors.minRequests;
  if (pairs < fewest) return () => `no data: ${requestsText(pairs)} mirrored to the candidate, of at least ${fewest}`;
  const ticks = Math.min(fewestMirrored(rulesFor(rollout)), Math.floor(plan.atMost / plan.tick));
  if (evidence.ticks < ticks)
    return () => `${countText(evidence.ticks, 'tick')} mirrored, and a mirror finds no harm in fewer than ${ticks}`;
  return dropped > pairs
    ? () =>
        `${grouped(dropped)} of ${requestsText(pairs + dropped)} were never copied, for the queue was full; mirror a smaller share`
    : undefined;
}

function lackOf(rollout: AtAStep): Lacking | undefined {
  const { evidence, plan } = rollout;
  const missing = missingFor(rollout);
  const fewest = plan.limits.errors.minRequests;
  const { requests } = evidence.candidate;
  if (missing === undefined)
    return requests >= fewest
      ? undefined
      : () => `no data: ${requestsText(requests)} to the candidate, of at least ${fewest}`;
  if (missing.length === 0) return undefined;
  return () => {
    const rules = rulesFor(rollout);
    const found = lacks(evidence, lastWeight(rollout), rules).map((lack) => ({
      ...lack,
      moreMs: moreMs(rollout, lack),
    }));
    return lackText(found, rules, plan.tick);
  };
}

/** How much longer the last step takes at the traffic of this rollout until a stream has its evidence. */
function moreMs(rollout: AtAStep, { times, cell, stream }: Lack): number | undefined {
  const { evidence, plan, sticky, since } = rollout;
  if (times === undefined) return undefined;
  const { candidate, stable, closed, readTo } = evidence;
  const atStep = ((candidate.requests + stable.requests) * lastWeight(rollout)) / 100 / Math.max(1, closed);
  // What counts of users and of labels comes at another pace than requests.
  const isPaced = !sticky && stream.measure !== 'labels' && atStep > 0 && cell !== undefined;
  const until = isPaced ? (cell.candidateRequests / atStep) * plan.tick : readTo - since;
  return (times - 1) * until;
}

const requestsText = (count: number): string => countText(count, 'request');

/** What was missing may have come while it was held, and what both arms did together may be over. */
function afterHold(rollout: In<'held'>, verdict: Verdict, at: number, frozen: boolean): Rollout {
  if (verdict.kind === 'misrouted') return holdBack(rollout, at, verdict.text);
  if (verdict.kind === 'together') return holdBoth(rollout, at, verdict.text);
  if (rollout.passing === 'byItself') {
    if (frozen) return awaitThaw(rollout, at, 'both models are as they were before');
    const over = 'both models are as they were before, and the rollout goes on';
    return goForward(note(rollout, at, over), at, over);
  }
  if (!rollout.gathering) return rollout;
  const missing = missingAt(rollout);
  if (missing === undefined) return frozen ? awaitThaw(rollout, at, 'nothing is missing any more') : goOn(rollout, at);
  return rollout.frozen ? hold(rollout, at, { because: missing(), gathering: true }) : rollout;
}

/** What it was held for is over, and only a freeze keeps it: it waits anew for the end of that. */
function awaitThaw(rollout: In<'held'>, at: number, over: string): In<'held'> {
  if (rollout.frozen) return rollout;
  const text = `${over}, and the rollout waits for the end of the freeze`;
  const endsAt = at + rollout.plan.maxHold;
  return { ...note(rollout, at, text), frozen: true, because: `${rollout.because}; ${text}`, endsAt };
}

/** A person ends a hold. The rollout bakes again at the weight of its step, after it has got that weight back. */
export function resume(
  held: In<'held'>,
  { at, by }: { readonly at: number; readonly by: string },
  frozen: boolean,
): Rollout | Refusal {
  const { routing } = held.evidence;
  const anew = routing !== undefined && isMisrouted(routing) ? '; how requests are shared out is looked at anew' : '';
  const because = `resumed by ${by}`;
  const rollout = note(accepted(held), at, `${because}${anew}`);
  const { step, backTo, evidence, until } = rollout;
  if (backTo !== undefined && frozen)
    return refuse(
      'the project is frozen, and the weight of the candidate would rise; end the freeze first, or abort the rollout',
    );
  if (backTo !== undefined) return goForward(rollout, at, because);
  if (isHeldGuard(rollout)) return guard(rollout, at, 'sameWeight');
  // A shift of the predictions does not go away by mirroring more: somebody has looked at it.
  const looked = !frozen && evidence.readTo >= until && shiftAt(rollout) !== undefined;
  return looked ? shift(rollout, step + 1, at) : bake(rollout, step, at, 'sameWeight');
}

function promoteCertified(rollout: Waiting, at: number): Rollout {
  if (missingFor(rollout) === undefined)
    return promote(rollout, at, 'the last step baked without harm, and no guardrail decides');
  const certificate = certify(rollout, { verdict: 'promotion' }, nextAfterPromotion(rollout));
  return promote({ ...rollout, certificate }, at, clause(certificate));
}
