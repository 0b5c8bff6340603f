import { Fault } from './fault.ts';
import { defined } from './intake.ts';
import type { Evidence } from './judge/evidence.ts';
import { grouped, shiftedIn, type Verdict } from './judge/judge.ts';
import {
  affordableStep,
  certified,
  clause,
  type Heard,
  hearLabels,
  hearTicks,
  missingFor,
  rulesFor,
} from './judged.ts';
import type { Base, Because, Rollout, Waiting } from './rollout.ts';
import type { SignalOf } from './signal.ts';
import { type Refusal, refuse } from './table.ts';
import { durationText, minute, second } from './time.ts';

/**
 * From one state of a rollout to the next: what evidence, a hold and a revert come to. `rolloutTable` says when.
 */

/** Towards the weight of a step, or past the last one to a promotion. */
export function shift(rollout: Waiting, step: number, at: number): Rollout {
  const { steps, stable, kind, plan, candidate } = rollout;
  if (step >= steps.length) {
    const why = kind === 'rollback' ? '' : stable === undefined ? 'a first version' : `strategy ${plan.strategy}`;
    return promote(rollout, at, why === '' ? 'ready' : `ready; ${why} has no step to judge it in`);
  }
  const afforded = affordableStep(rollout, step);
  if ('needs' in afforded)
    return hold(rollout, at, {
      because: `the harm budget of ${plan.harmBudget} failed requests affords no further step; the next would need ${afforded.needs}`,
    });
  const { weight } = afforded;
  const limited = weight === steps[step] ? '' : `, all that the harm budget affords of ${steps[step]} %`;
  const what = weight === 0 ? `${plan.mirror} % mirrored` : `${weight} %`;
  return tell(
    {
      ...base(rollout),
      steps: steps.map((planned, index) => (index === step ? weight : planned)),
      status: 'shifting',
      step,
      deadline: at + plan.readyWithin,
    },
    at,
    `step ${step + 1} of ${steps.length}: ${what} to v${candidate}${limited}`,
  );
}

export function bake(rollout: Base, step: number, at: number, weight: 'newWeight' | 'sameWeight'): Rollout {
  return {
    ...base(rollout),
    evidence: fromNow(rollout, at, weight),
    status: 'baking',
    step,
    since: at,
    until: firstTick(at, rollout.plan.tick) + rollout.plan.bake,
  };
}

/** The first tick whose labels are not read yet. */
export const labelsFrom = ({ evidence, startedAt, plan }: Base): number =>
  evidence.labels?.readTo ?? Math.ceil(startedAt / plan.tick) * plan.tick;

/** Ticks that began before the weight was confirmed are not counted; the first that are counted are warm-up. */
function fromNow(
  { edition = 1, evidence, plan, sticky }: Base,
  at: number,
  weight: 'newWeight' | 'sameWeight',
): Evidence {
  const readTo = Math.max(evidence.readTo, firstTick(at, plan.tick));
  const known = edition > 1 && weight === 'newWeight' ? undefined : evidence.from;
  const users = edition > 1 && sticky ? { usersSince: evidence.usersSince ?? readTo } : {};
  return { ...evidence, readTo, from: known ?? readTo + plan.warmUp * plan.tick, ...users };
}

/**
 * Clocks are off by seconds: what began just before a confirmation may have been routed at the weight before. A sixth of a
 * tick, 10 seconds at most: ticks under a minute are for machines that have one clock.
 */
const clockMarginMs = 10 * second;
const firstTick = (at: number, tick: number): number =>
  Math.ceil((at + Math.min(clockMarginMs, tick / 6)) / tick) * tick;

type Judged = Extract<Rollout, { status: 'baking' | 'paused' | 'held' | 'guarding' }>;
type Watching = Extract<Rollout, { status: 'baking' | 'guarding' }>;
type Next<Here> = (rollout: Here, verdict: Verdict) => Rollout;

export function judgedTicks<Here extends Judged>(
  rollout: Here,
  signal: SignalOf<'ticksRead'>,
  next: Next<Here>,
): Rollout {
  return signal.from === rollout.evidence.readTo
    ? judged(rollout, { at: signal.at, what: 'ticks', hear: () => hearTicks(rollout, signal) }, next)
    : rollout;
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
export const shiftAt = (rollout: Extract<Rollout, { status: 'baking' | 'held' }>): string | undefined =>
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
  const seen = rollout.sticky ? evidence.candidate.requests : counted;
  return `${parts.join(', ')} of the evidence that a promotion needs, with ${requestsText(seen)} to the candidate`;
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

/** A candidate that nobody can judge is not left with its weight, nor anywhere for longer than this. */
const maxBlindMs = 30 * minute;
const blindMs = ({ atMost, maxHold }: Base['plan']): number => Math.min(maxBlindMs, atMost, maxHold);

/** How long a hold may last, as text. */
export const holdText = ({ plan, backTo }: Held): string =>
  backTo === undefined ? `maxHold (${durationText(plan.maxHold)})` : durationText(blindMs(plan));

/**
 * Nobody can say what the candidate does: its requests are not shared out as configured, or its ticks cannot be read.
 * The safe side of that doubt is the champion: back to the weight of the step before, 0 % from the first, and not for
 * long. What comes is still read, and takes it back.
 */
function holdBack(rollout: Extract<Rollout, { since: number; until: number }>, at: number, because: string): Rollout {
  if (rollout.edition === undefined) return hold(rollout, at, { because });
  if (rollout.status === 'held' && rollout.backTo !== undefined) return rollout;
  const { plan, steps, since, until } = rollout;
  const step = 'step' in rollout ? rollout.step : steps.length;
  const backTo = steps[step - 1] ?? 0;
  const endsAt = at + blindMs(plan);
  return tell(
    { ...base(rollout), status: 'held', step, since, until, endsAt, because, backTo },
    at,
    `held, back at ${backTo} %: ${because}`,
  );
}

function certifiedPromotion(rollout: Waiting, at: number): Rollout {
  if (missingFor(rollout) === undefined)
    return promote(rollout, at, 'the last step baked without harm; no guardrail decides, so there is no certificate');
  const certificate = certified(rollout, { verdict: 'promotion' });
  return promote({ ...rollout, certificate }, at, clause(certificate));
}

function hold(
  rollout: Waiting,
  at: number,
  { because, gathering }: { readonly because: string; readonly gathering?: true },
): Rollout {
  const step = 'step' in rollout ? rollout.step : 0;
  const { since = at, until = at } = rollout as { readonly since?: number; readonly until?: number };
  const endsAt = at + rollout.plan.maxHold;
  return tell(
    { ...base(rollout), status: 'held', step, since, until, endsAt, because, ...defined({ gathering }) },
    at,
    `held: ${because}`,
  );
}

/** Without a certificate of its evidence a promotion is policy, and its certificate says so. */
export const promote = (rollout: Waiting, at: number, because: string): Rollout =>
  tell(
    {
      ...base(rollout),
      ...withCertificate(rollout, rollout.certificate?.verdict === 'promotion' ? undefined : because),
      status: 'promoting',
      deadline: at + rollout.plan.readyWithin,
    },
    at,
    `all traffic to v${rollout.candidate}: ${because}`,
  );

const withCertificate = (rollout: Waiting, because: string | undefined): Partial<Pick<Base, 'certificate'>> =>
  rollout.kind === 'rollback' || because === undefined
    ? {}
    : { certificate: certified(rollout, { verdict: 'none', because }) };

export function guard(rollout: Waiting, at: number): Rollout {
  if (rollout.guardMs === 0) return promoted(rollout, at);
  return {
    ...base(rollout),
    evidence: fromNow(rollout, at, 'newWeight'),
    status: 'guarding',
    since: at,
    until: firstTick(at, rollout.plan.tick) + rollout.guardMs,
  };
}

export function promoted(rollout: Waiting, at: number): Rollout {
  const because = promotedBecause(rollout);
  return tell({ ...base(rollout), status: 'promoted', endedAt: at, because }, at, `promoted: ${because}`);
}

function promotedBecause({ kind, candidate, certificate, evidence }: Waiting): string {
  if (kind === 'rollback' || certificate === undefined) return `v${candidate} serves again`;
  if (certificate.verdict === 'promotion') return clause(certificate);
  const { requests, errors } = evidence.candidate;
  return `${requests} requests, ${errors} failed; ${clause(certificate)}`;
}

export function revert(rollout: Waiting, at: number, because: Because): Rollout {
  const back = rollout.stable === undefined ? 'nothing is served' : `all traffic back to v${rollout.stable}`;
  const certificate = because.kind === 'evidence' ? {} : withCertificate(rollout, because.text);
  return tell(
    { ...base(rollout), ...certificate, status: 'reverting', since: at, because },
    at,
    `${because.text}; ${back}`,
  );
}

export const reverted = (rollout: Extract<Rollout, { status: 'reverting' }>, at: number): Rollout => ({
  ...base(rollout),
  status: rollout.because.kind === 'abort' || rollout.because.kind === 'retired' ? 'aborted' : 'rolledBack',
  endedAt: at,
  because: rollout.because,
});

export const tell = <Kind extends Base>(rollout: Kind, at: number, text: string): Kind => ({
  ...rollout,
  story: [...rollout.story, { at, text }].slice(-20),
});

export const deploymentName = (version: number): string => `v${version}`;
export const versionOfName = (name: string): number => Number(name.slice(1));

/** Only what every state has. */
function base(rollout: Base): Base {
  const { id, kind, candidate, plan, sticky, steps, guardMs, startedAt, by, evidence, story } = rollout;
  const { edition, stable, championSince, latency, certificate } = rollout;
  return {
    ...{ id, kind, candidate, plan, sticky, steps, guardMs, startedAt, by, evidence, story },
    ...defined({ edition, stable, championSince, latency, certificate }),
  };
}
