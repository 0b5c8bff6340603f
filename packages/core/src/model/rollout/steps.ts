import { defined } from '../../base/objects.ts';
import { durationText, minute, second } from '../../base/time.ts';
import { stepsOf } from '../../config/steps.ts';
import { type Evidence, noEvidence } from '../../judge/evidence.ts';
import { idleSteps, idleText, type Traffic, trafficOf } from '../../judge/idle.ts';
import { edition } from '../../judge/rules.ts';
import type { Untested } from '../../judge/sentence.ts';
import { affordableStep, certify, clause, rulesFor } from './evidence.ts';
import { nextAfterPromotion, nextAfterRevert } from './next.ts';
import { type Base, type Because, candidateWeight, type Rollout, type Waiting } from './state.ts';

/** From one state of a rollout to the next: what a step, a hold, a promotion and a revert come to. */

export function beginRollout(
  given: Pick<Base, 'id' | 'kind' | 'candidate' | 'plan' | 'by' | 'sticky'> &
    Partial<Pick<Base, 'stable' | 'championSince' | 'model'>>,
  at: number,
): Rollout {
  const stepwise = given.kind === 'release' && given.stable !== undefined;
  return {
    ...given,
    edition,
    steps: stepwise ? stepsOf(given.plan) : [],
    guardMs: given.kind === 'rollback' || given.plan.strategy === 'allAtOnce' ? 0 : given.plan.guard,
    startedAt: at,
    evidence: noEvidence(at),
    story: [],
    status: 'deploying',
    deadline: at + given.plan.readyWithin,
  };
}

type Held = Extract<Rollout, { status: 'held' }>;

/** To the first step that can show something. */
export function begin(rollout: Waiting, at: number): Rollout {
  const traffic = trafficBefore(rollout);
  if (traffic === undefined) return shift(rollout, 0, at);
  const idle = idleSteps(rollout.steps, rollout.plan, rulesFor(rollout), traffic);
  if (idle.length === 0) return shift(rollout, 0, at);
  const steps = rollout.steps.filter((weight) => !idle.includes(weight));
  return shift(note({ ...rollout, steps }, at, idleText(idle, traffic)), 0, at);
}

/** What the champion's busiest quarter of a day brought, else what the config expects. */
const trafficBefore = ({ history, plan }: Base): Traffic | undefined =>
  (history === undefined || history === 'none' ? undefined : trafficOf(history)) ?? plan.expected;

/**
 * Towards the weight of a step, or past the last one to a promotion. If the harm budget does not afford it, the rollout is
 * held at the weight that it has. After a hold that took weight away nobody has confirmed that one: its step is begun
 * anew, and the budget is asked again after it.
 */
export function shift(rollout: Waiting, step: number, at: number): Rollout {
  const { steps, plan, candidate } = rollout;
  if (step >= steps.length) return promote(rollout, at, untestedText(rollout));
  const afforded = affordableStep(rollout, step);
  if ('needs' in afforded) {
    const because = `the harm budget of ${plan.harmBudget} failed requests affords no further step; the next would need ${afforded.needs}`;
    const isBack = rollout.status === 'held' && rollout.backTo !== undefined;
    return isBack ? shift(note(rollout, at, because), step - 1, at) : hold(rollout, at, { because });
  }
  const { weight } = afforded;
  const limited = weight === steps[step] ? '' : `, all that the harm budget affords of ${steps[step]} %`;
  const what = weight === 0 ? `${plan.mirror} % mirrored` : `${weight} %`;
  return note(
    {
      ...base(left(rollout, at)),
      ...routedBefore(rollout),
      steps: steps.map((planned, index) => (index === step ? weight : planned)),
      status: 'shifting',
      step,
      deadline: at + plan.readyWithin,
    },
    at,
    `step ${step + 1} of ${steps.length}: ${what} to v${candidate}${limited}`,
  );
}

/** What comes late after a hold was routed by the weight of the hold. */
function routedBefore(rollout: Waiting): Pick<Base, 'evidence'> {
  const { evidence } = rollout;
  if (rollout.status !== 'held' || rollout.backTo === undefined || evidence.routing === undefined) return { evidence };
  return { evidence: { ...evidence, routing: { ...evidence.routing, share: rollout.backTo / 100 } } };
}

function untestedText({ kind, stable, plan }: Base): string {
  if (kind === 'rollback') return 'ready';
  return stable === undefined
    ? 'a first version has nothing to be compared with'
    : `strategy ${plan.strategy} has no step in which it is compared with v${stable}`;
}

type Weight = 'newWeight' | 'sameWeight';

export function bake(rollout: Base, step: number, at: number, weight: Weight): Rollout {
  return reached(
    {
      ...base(rollout),
      evidence: fromNow(rollout, at, weight),
      status: 'baking',
      step,
      since: at,
      until: firstTick(at, rollout.plan.tick) + rollout.plan.bake,
    },
    at,
    weight,
  );
}

const keptWeights = 50;

/** Its weight was confirmed. It is remembered for those who will read labels. */
function reached(rollout: Rollout, at: number, weight: Weight): Rollout {
  const { weighed = [], plan } = rollout;
  if (weight === 'sameWeight' || plan.guardrails.labels === undefined) return rollout;
  const now = { weight: candidateWeight(rollout), from: firstTick(at, plan.tick) };
  return { ...rollout, weighed: [...weighed, now].slice(-keptWeights) };
}

/** It is about to have another weight. */
function left<Kind extends Base>(rollout: Kind, at: number): Kind {
  const { weighed = [], plan } = rollout;
  const last = weighed.at(-1);
  if (last === undefined || last.until !== undefined) return rollout;
  return { ...rollout, weighed: [...weighed.slice(0, -1), { ...last, until: at - clockMargin(plan.tick) }] };
}

/**
 * Ticks that began before the weight was confirmed are not counted; the first that are counted are warm-up. At the weight
 * that it had, each tick counts that was not read yet.
 */
function fromNow({ evidence, plan, sticky }: Base, at: number, weight: Weight): Evidence {
  if (weight === 'sameWeight') return evidence;
  const readTo = Math.max(evidence.readTo, firstTick(at, plan.tick));
  const users = sticky ? { usersSince: evidence.usersSince ?? readTo } : {};
  return { ...evidence, readTo, from: readTo + plan.warmUp * plan.tick, ...users };
}

/**
 * Clocks are off by seconds: what began just before a confirmation may have been routed at the weight before. A sixth of a
 * tick, 10 seconds at most: ticks under a minute are for machines that have one clock.
 */
const clockMarginMs = 10 * second;
const clockMargin = (tick: number): number => Math.min(clockMarginMs, tick / 6);
const firstTick = (at: number, tick: number): number => Math.ceil((at + clockMargin(tick)) / tick) * tick;

/**
 * A candidate that nobody can judge is not left with its weight, nor anywhere for longer than this. Two ticks are the
 * least in which anything can be seen of it.
 */
const maxBlindMs = 30 * minute;
const blindMs = ({ atMost, maxHold, tick }: Base['plan']): number =>
  Math.max(2 * tick, Math.min(maxBlindMs, atMost, maxHold));

/** How long a hold may last, as text. */
export const holdText = ({ plan, backTo, frozen }: Held): string =>
  backTo === undefined || frozen ? `maxHold (${durationText(plan.maxHold)})` : durationText(blindMs(plan));

/**
 * Nobody can say what the candidate does: its requests are not shared out as configured, or its ticks cannot be read.
 * The safe side of that doubt is the champion: back to the weight of the step before, 0 % from the first, and not for
 * long. What comes is still read, and takes it back.
 */
export function holdBack(
  rollout: Extract<Rollout, { since: number; until: number }>,
  at: number,
  because: string,
): Rollout {
  if (rollout.status === 'held' && rollout.backTo !== undefined) return rollout;
  const { plan, steps, since, until } = rollout;
  const step = stepOf(rollout);
  const backTo = steps[step - 1] ?? 0;
  const endsAt = at + blindMs(plan);
  return note(
    { ...base(left(rollout, at)), status: 'held', step, since, until, endsAt, because, backTo },
    at,
    `held, back at ${backTo} %: ${because}`,
  );
}

/**
 * Both arms got worse together, and nobody can say whether the candidate is to blame: back, as above. If that ends it,
 * the rollout goes on once; if it comes back then, it came with the candidate's weight, and that is enough. One that was
 * held for a person before goes on by that person alone.
 */
export function holdBoth(
  rollout: Extract<Rollout, { status: 'baking' | 'held' | 'guarding' }>,
  at: number,
  because: string,
): Rollout {
  if (rollout.status === 'held' && rollout.backTo !== undefined)
    return rollout.frozen ? passAgain(rollout, at, because) : rollout;
  if (rollout.together === 'held') return revert(rollout, at, { kind: 'together', text: `it came back: ${because}` });
  const asks = rollout.status === 'held' && !rollout.gathering;
  const held = holdBack(rollout, at, asks ? `${rollout.because}; then ${because}` : because);
  return held.status === 'held' ? { ...held, together: 'held', passing: asks ? 'byPerson' : 'byItself' } : held;
}

/** It comes again while the candidate waits for the end of a freeze: not with its weight. */
function passAgain({ frozen: _, ...held }: Held, at: number, because: string): Rollout {
  return note({ ...held, because, endsAt: at + blindMs(held.plan) }, at, `waits again: ${because}`);
}

/** A person lets a rollout go on that was held for what both arms did: that does not hold it again. */
export const accepted = (held: Held): Held => (held.passing === undefined ? held : { ...held, together: 'accepted' });

/** From a hold at a lower weight back to the weight of its step, or on to the promotion that was under way. */
export const goForward = (held: Held, at: number, because: string): Rollout =>
  held.step >= held.steps.length ? promote(held, at, because) : shift(held, held.step, at);

/**
 * How long nobody saw the candidate since its weight was confirmed: so much longer its bake or its guard lasts than is
 * configured.
 */
export function unseenIn(rollout: Extract<Rollout, { status: 'baking' | 'guarding' }>): number {
  const { status, since, until, plan, guardMs } = rollout;
  return until - firstTick(since, plan.tick) - (status === 'baking' ? plan.bake : guardMs);
}

export function hold(
  rollout: Waiting,
  at: number,
  { because, gathering }: Pick<Held, 'because' | 'gathering'>,
): Rollout {
  const step = stepOf(rollout);
  const { since = at, until = at } = rollout as { readonly since?: number; readonly until?: number };
  const endsAt = at + rollout.plan.maxHold;
  return note(
    { ...base(rollout), status: 'held', step, since, until, endsAt, because, ...defined({ gathering }) },
    at,
    `held: ${because}`,
  );
}

/** Past the last one under the guard. */
function stepOf(rollout: Waiting): number {
  if ('step' in rollout) return rollout.step;
  return rollout.status === 'guarding' ? rollout.steps.length : 0;
}

/** Without a certificate of its evidence a promotion is policy, and its certificate says so. */
export const promote = (rollout: Waiting, at: number, because: string): Rollout =>
  note(
    {
      ...base(left(rollout, at)),
      ...routedBefore(rollout),
      ...(rollout.certificate?.verdict === 'promotion'
        ? {}
        : withCertificate(
            rollout,
            { by: rollout.steps.length === 0 ? 'noSteps' : 'unproved', because },
            nextAfterPromotion(rollout),
          )),
      status: 'promoting',
      deadline: at + rollout.plan.readyWithin,
    },
    at,
    `all traffic to v${rollout.candidate}: ${because}`,
  );

const withCertificate = (
  rollout: Waiting,
  decided: { readonly by: Untested; readonly because: string },
  now: string,
): Partial<Pick<Base, 'certificate'>> =>
  rollout.kind === 'rollback' ? {} : { certificate: certify(rollout, { verdict: 'none', ...decided }, now) };

export function guard(rollout: Waiting, at: number, weight: Weight): Rollout {
  if (rollout.guardMs === 0) return endPromoted(rollout, at);
  return reached(
    {
      ...base(rollout),
      evidence: fromNow(rollout, at, weight),
      status: 'guarding',
      since: at,
      until: firstTick(at, rollout.plan.tick) + rollout.guardMs,
    },
    at,
    weight,
  );
}

export function endPromoted(rollout: Waiting, at: number): Rollout {
  const because = promotedBecause(rollout);
  return note({ ...base(rollout), status: 'promoted', endedAt: at, because }, at, `promoted: ${because}`);
}

function promotedBecause({ kind, by, candidate, certificate, evidence }: Waiting): string {
  if (kind === 'rollback') return `v${candidate} serves again: rolled back by ${by}`;
  if (certificate === undefined) return `v${candidate} serves again`;
  if (certificate.verdict === 'promotion') return clause(certificate);
  const { requests, errors } = evidence.candidate;
  return `${requests} requests, ${errors} failed; ${clause(certificate)}`;
}

export function revert(rollout: Waiting, at: number, because: Because): Rollout {
  const back = rollout.stable === undefined ? 'nothing is served' : `all traffic back to v${rollout.stable}`;
  const { kind, text } = because;
  const certificate =
    kind === 'evidence' ? {} : withCertificate(rollout, { by: kind, because: text }, nextAfterRevert(rollout));
  return note(
    { ...base(rollout), ...certificate, status: 'reverting', since: at, because },
    at,
    `${because.text}; ${back}`,
  );
}

export const endReverted = (rollout: Extract<Rollout, { status: 'reverting' }>, at: number): Rollout => ({
  ...base(rollout),
  status: rollout.because.kind === 'abort' ? 'aborted' : 'rolledBack',
  endedAt: at,
  because: rollout.because,
});

export const note = <Kind extends Base>(rollout: Kind, at: number, text: string): Kind => ({
  ...rollout,
  story: [...rollout.story, { at, text }].slice(-20),
});

/** Only what every state has. */
function base(rollout: Base): Base {
  const { id, kind, candidate, plan, sticky, steps, guardMs, startedAt, by, evidence, story } = rollout;
  const { model, edition, stable, championSince, latency, history, together, certificate, weighed } = rollout;
  return {
    ...{ id, kind, candidate, plan, sticky, steps, guardMs, startedAt, by, evidence, story },
    ...defined({ model, edition, stable, championSince, latency, history, together, certificate, weighed }),
  };
}
