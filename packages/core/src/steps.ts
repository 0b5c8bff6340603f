import { Fault } from './fault.ts';
import { defined } from './intake.ts';
import { grouped } from './judge/certificate.ts';
import type { Evidence } from './judge/evidence.ts';
import { shiftedIn, type Verdict } from './judge/judge.ts';
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
import { durationText, second } from './time.ts';

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

export function bake(rollout: Base, step: number, at: number): Rollout {
  return {
    ...base(rollout),
    evidence: fromNow(rollout, at),
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
function fromNow({ evidence, plan }: Base, at: number): Evidence {
  const readTo = Math.max(evidence.readTo, firstTick(at, plan.tick));
  return { ...evidence, readTo, from: evidence.from ?? readTo + plan.warmUp * plan.tick };
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
    ? judged(rollout, signal.at, () => hearTicks(rollout, signal), next)
    : rollout;
}

export function judgedLabels<Here extends Judged>(
  rollout: Here,
  signal: SignalOf<'labelsRead'>,
  next: Next<Here>,
): Rollout {
  return signal.from === labelsFrom(rollout)
    ? judged(rollout, signal.at, () => hearLabels(rollout, signal), next)
    : rollout;
}

/** Evidence goes to the judge; harm takes the rollout back from any state that reads it. */
function judged<Here extends Judged>(rollout: Here, at: number, hear: () => Heard, next: Next<Here>): Rollout {
  let heard: Heard;
  try {
    heard = hear();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return unreadable(rollout, at, error.message);
  }
  const { evidence, verdict } = heard;
  const counted: Here = { ...rollout, evidence };
  if (verdict.kind === 'limit') return revert(counted, at, { kind: 'limit', text: verdict.text });
  if (verdict.kind === 'harm') {
    const certificate = certified(counted, { verdict: 'rollback' });
    return revert({ ...counted, certificate }, at, { kind: 'evidence', text: clause(certificate) });
  }
  return next(counted, verdict);
}

/** Counts that cannot be read are no harm, and no reason to go on. With all traffic already there is only one way. */
export function unreadable(rollout: Waiting, at: number, because: string): Rollout {
  const text = `its counts cannot be read: ${because}`;
  switch (rollout.status) {
    case 'deploying':
      return { ...rollout, latency: 'none' };
    case 'baking':
      return hold(rollout, at, { because: text });
    case 'guarding':
      return revert(rollout, at, { kind: 'limit', text });
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

/** A guard whose evidence is suspended saw nothing: like a hold it waits for a person, and ends by `maxHold` in a revert. */
export function blindGuard(rollout: Extract<Rollout, { status: 'guarding' }>, at: number, because: string): Rollout {
  const text = `the guard saw nothing: ${because}`;
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
  if (verdict.kind === 'misrouted') return hold(rollout, at, { because: verdict.text });
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
  const pairs = evidence.mirrored?.pairs ?? 0;
  const fewest = plan.limits.errors.minRequests;
  return steps[step] === 0 && pairs < fewest
    ? `no data: ${requestsText(pairs)} mirrored to the candidate, of at least ${fewest}`
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

/** What was missing may have come while it was held. */
export const afterHold = (
  rollout: Extract<Rollout, { status: 'held' }>,
  verdict: Verdict,
  at: number,
  frozen: boolean,
): Rollout =>
  rollout.gathering && verdict.kind === 'none' && !frozen && lackAt(rollout) === undefined
    ? goOn(rollout, at)
    : rollout;

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
    evidence: fromNow(rollout, at),
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
  const { stable, championSince, latency, certificate } = rollout;
  return {
    ...{ id, kind, candidate, plan, sticky, steps, guardMs, startedAt, by, evidence, story },
    ...defined({ stable, championSince, latency, certificate }),
  };
}
