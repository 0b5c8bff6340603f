import type { Certificate } from '@serin/core/judge/certificate';
import type { Evidence } from '@serin/core/judge/evidence';
import { candidateWeight, type Rollout } from '@serin/core/model/rollout/state';
import type { Model } from '@serin/core/model/state';
import type { Entry } from '@serin/core/ports/journal';
import { logAsCame, logHarm, logSafe, type Watched } from './formulas.ts';
import {
  type Account,
  differenceFrom,
  emptyAccount,
  knownBefore,
  measureOf,
  type Reality,
  Wrong,
  watchedOf,
  withLabels,
  withTicks,
} from './ledger.ts';
import { againstPast, fromPairs } from './past.ts';
import { besideIn, isOff } from './routed.ts';

/** Holds what rollouts count, and what they decide by it, against what really was. Throws `Wrong`. */
export interface EvidenceWatch {
  appended(before: Model | undefined, after: Model, entry: Entry): void;
}

const wrong = (text: string): never => {
  throw new Wrong(text);
};
const rounding = 1e-9;
/** The limit of a champion's past is integrated here. */
const nearly = 1e-5;

export function createEvidenceWatch(telemetry: Reality, now: () => number): EvidenceWatch {
  const accounts = new Map<string, Account>();

  /** Each tick once, with its own numbers, under its own weight; nothing that was counted is lost. */
  function counted(was: Rollout, is: Rollout, entry: Entry, endpoint: string): Account {
    const known = accounts.get(is.id) ?? emptyAccount;
    const [from, to] = [was.evidence, is.evidence];
    if (from === to) return known;
    if (to.readTo < from.readTo) wrong('ticks would be read again');
    const isWarmUp = to.from === to.readTo + is.plan.warmUp * is.plan.tick;
    if (from.from !== to.from && !isWarmUp) wrong('the warm-up was moved');
    const { type } = entry.signal as { readonly type?: string };
    const stretch = { rollout: was, endpoint };
    let account = isBack(was, is) ? routedAt(known, candidateWeight(was)) : known;
    if (type === 'ticksRead' && to.closed !== from.closed) {
      if (to.readTo > now()) wrong('a tick was counted that is not over');
      account = withTicks(known, { ...stretch, from: from.readTo, to: to.readTo }, telemetry);
    }
    const labelsTo = to.labels?.readTo;
    if (type === 'labelsRead' && labelsTo !== undefined && labelsTo !== from.labels?.readTo) {
      const { labels } = is.plan.guardrails;
      const begin = from.labels?.readTo ?? Math.ceil(is.startedAt / is.plan.tick) * is.plan.tick;
      account = withLabels(known, { ...stretch, from: begin, to: labelsTo }, telemetry);
      if (labelsTo + (labels?.maturity ?? 0) > now()) wrong('labels were counted that may still come');
    }
    shrunk(from, to);
    const difference = differenceFrom(account, is);
    if (difference !== undefined) wrong(difference);
    accounts.set(is.id, account);
    return account;
  }

  return {
    appended(before, after, entry) {
      const [was, is] = [before?.rollout, after.rollout];
      if (was === undefined || is === undefined || was.id !== is.id || was === is) return;
      risen(was, is);
      const account = counted(was, is, entry, after.model);
      // Realised shares are of each tick, and formulas.ts has the configured ones alone.
      const isConfigured = is.plan.routing === 'configured';
      if (was.kind === 'release' && was.stable !== undefined && isConfigured) decided(was, is, account, entry);
    },
  };
}

/** More traffic is a step that waits for the endpoint to take it, or the end of a guard. */
function risen(was: Rollout, is: Rollout): void {
  const [from, to] = [was, is].map(candidateWeight);
  if ((to ?? 0) > (from ?? 0) && !['shifting', 'baking', 'promoting', 'guarding', 'promoted'].includes(is.status))
    wrong(`${is.status} has ${to} % of the traffic, after ${from} % while ${was.status}`);
  if (is.status === 'baking' && is.evidence.from === was.evidence.from && (to ?? 0) > (from ?? 0))
    wrong(`it bakes at ${to} %, after ${from} %, and nobody has confirmed that`);
}

/** A weight comes back, or all of the traffic, after a hold at a lower one. */
const isBack = (was: Rollout, is: Rollout): boolean =>
  was.status === 'held' && was.backTo !== undefined && (is.status === 'shifting' || is.status === 'promoting');

const routedAt = (account: Account, weight: number): Account =>
  account.shared === undefined ? account : { ...account, shared: { ...account.shared, weight } };

/** What was counted stays counted. */
function shrunk(from: Evidence, to: Evidence): void {
  const walk = (a: unknown, b: unknown, path: string): void => {
    if (typeof a === 'number' && (typeof b !== 'number' || b < a)) wrong(`${path} fell from ${a} to ${b}`);
    if (typeof a !== 'object' || a === null) return;
    for (const [key, value] of Object.entries(a))
      walk(value, (b as Record<string, unknown> | undefined)?.[key], `${path}.${key}`);
  };
  const counts = ({ closed, ticks, candidate, stable, routed, pairs }: Evidence) => ({
    ...{ closed, ticks, candidate, stable, routed, pairs },
  });
  walk(counts(from), counts(to), 'evidence');
  for (const [id, cells] of Object.entries(from.streams))
    for (const [weight, { shares: _, ...cell }] of Object.entries(cells))
      walk(cell, to.streams[id]?.[weight], `evidence.streams.${id}.${weight}`);
}

/** A decision by evidence has the evidence, by formulas that are not the judge's own; harm that is found is acted upon. */
function decided(was: Rollout, is: Rollout, account: Account, entry: Entry): void {
  const { plan } = is;
  const watched = watchedOf(is);
  const harm = watched.some(({ part }) => part > 0) ? logHarm(account, plan, watched) : 0;
  const { shared } = account;
  const isMisrouted = shared !== undefined && shared.from === is.evidence.from && isOff(shared);
  const { type } = entry.signal as { readonly type?: string };
  const isSure = harm >= Math.log(1 / plan.alpha);
  const asCame = logAsCame(account, watched);
  const isRead = type === 'ticksRead' || type === 'labelsRead';
  if (isRead && was.evidence !== is.evidence && isMisrouted)
    notShielded(was, is, { at: entry.at, isHarmful: asCame >= Math.log(1 / plan.alpha) });

  if (is.status === 'reverting' && was.status !== 'reverting') {
    const { kind, text } = is.because;
    if (kind === 'evidence' && !isSure) wrong(`rolled back by evidence of log E = ${harm}`);
    if (kind === 'evidence' && isMisrouted) wrong('rolled back by evidence that was routed otherwise');
    if (kind === 'routing' && asCame < Math.log(1 / plan.alpha) - rounding)
      wrong(`rolled back by the requests that came, with log E = ${asCame}`);
    if (kind === 'evidence') certificateIs(is, 'rollback', harm);
    else if (is.certificate?.verdict !== 'none') wrong(`'${text}' has a certificate of ${is.certificate?.verdict}`);
  } else if (isRead && isSure && !isMisrouted && was.evidence !== is.evidence && is.status !== 'reverting')
    wrong(`harm with log E = ${harm} was found, and it went on ${is.status}`);

  if (is.status === 'promoting' && was.status !== 'promoting') {
    const by = promotedBy(was, is, type, watched);
    if (by === undefined) wrong('promoted by itself, without a certificate, and no policy says so');
    if (by === 'evidence') {
      if (isMisrouted) wrong('promoted by evidence that was routed otherwise');
      for (const missing of missingOf(is, account, watched)) wrong(`promoted without a certificate of ${missing}`);
      certificateIs(is, 'promotion', harm);
    } else if (is.certificate?.verdict !== 'none') wrong(`${by} has a certificate of ${is.certificate?.verdict}`);
  }
}

/** A candidate that is routed otherwise than configured loses weight, soon all of it, and at once if it does harm (28). */
function notShielded(
  was: Rollout,
  is: Rollout,
  { at, isHarmful }: { readonly at: number; readonly isHarmful: boolean },
): void {
  if (is.status === 'reverting') return;
  if (isHarmful) wrong(`28: harm by the requests that came was found, and it went on ${is.status}`);
  if (was.status !== 'baking' && was.status !== 'guarding') return;
  if (is.status !== 'held') {
    wrong(`28: it was routed otherwise, and it went on ${is.status}`);
    return;
  }
  if (candidateWeight(is) >= candidateWeight(was)) wrong(`28: it is held with its weight of ${candidateWeight(is)} %`);
  if (is.endsAt - at > Math.max(mostBlindMs, 2 * is.plan.tick)) wrong(`28: it is held for ${is.endsAt - at} ms`);
}

const mostBlindMs = 30 * 60_000;

/** What promoted it: its evidence, a person, or a rule of the plan. */
function promotedBy(was: Rollout, is: Rollout, type: string | undefined, watched: readonly Watched[]) {
  if (is.certificate?.verdict === 'promotion') return 'evidence';
  if (type === 'promoteRequested') return 'a person';
  if (is.steps.length === 0) return 'a strategy without steps';
  if (!watched.some(({ part }) => part > 0)) return 'a plan without guardrails';
  return is.plan.onInconclusive === 'promote' && was.status === 'baking' ? 'onInconclusive' : undefined;
}

/**
 * The rows that have to be certified, and are not, in the ticks of the last step. Users go by shares of each tick; a
 * platform that measured no slow request of both arms at once has nothing to certify of them.
 */
function missingOf(
  rollout: Rollout,
  { streams, heard, losses, shared, pardonedAt }: Account,
  watched: readonly Watched[],
): readonly string[] {
  const { steps, plan, sticky } = rollout;
  const togetherIn = (id: string) => (heard[id] === undefined ? 1 : knownBefore(id, rollout).together);
  const last = steps.at(-1) ?? 0;
  const shownIn = (id: string, { name, maxBurst }: Watched) => ({
    early: name === 'labels' ? undefined : pardonedAt?.[id]?.[last],
    ...{ cell: streams[id]?.[last], heard: heard[id], together: togetherIn(id) },
    past: name === 'labels' ? undefined : againstPast(rollout, { id, measure: measureOf(id, rollout), maxBurst }),
    start: name === 'labels' ? 0 : fromPairs(rollout, heard[`${id}.mirror`]),
    beside: name === 'labels' || shared?.weight !== last ? 0 : besideIn(shared, last),
  });
  if (sticky) return [];
  const isLoss = ({ name }: Watched): boolean => name === 'labels' && plan.guardrails.labels?.kind === 'loss';
  return watched
    .filter(
      (guardrail) =>
        guardrail.part > 0 && (isLoss(guardrail) || guardrail.harms.some((id) => streams[id] !== undefined)),
    )
    .flatMap((guardrail) =>
      guardrail.promotes
        .map((id) => ({
          id,
          log: isLoss(guardrail) ? losses.safety.log : logSafe(shownIn(id, guardrail), last, guardrail),
        }))
        .filter(({ log }) => log < Math.log(1 / plan.beta) - nearly)
        .map(({ id, log }) => `${id}, with log E' = ${log}`),
    );
}

function certificateIs({ certificate }: Rollout, verdict: Certificate['verdict'], harm: number): void {
  if (certificate?.verdict !== verdict) wrong(`a ${verdict} has a certificate of ${certificate?.verdict}`);
  const said = certificate?.logE ?? Number.NaN;
  if (!(Math.abs(said - harm) <= rounding * Math.max(1, Math.abs(harm))))
    wrong(`the certificate says log E = ${said}, it is ${harm}`);
}
