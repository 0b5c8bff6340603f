import { isDeepStrictEqual } from 'node:util';
import type { Evidence } from '@serin/core/judge/evidence';
import { candidateWeight, type Rollout } from '@serin/core/model/rollout/state';
import type { LabelTick, Tick } from '@serin/core/ports/telemetry';
import type { MemoryTelemetry } from './fakes/telemetry.ts';
import type { Route } from './fakes/traffic.ts';
import { bet, type Cell, type Counted, noBets, watchedIn } from './formulas.ts';
import { type Said, type Shared, saidBy } from './routed.ts';
import { before, heardOne, heardPairs, pardoned, type Stream } from './weather.ts';

export interface Reality extends Pick<MemoryTelemetry, 'truth' | 'trueLabels' | 'routes'> {
  /** How far off the clock may be that says when a weight was confirmed, where it is off by more than is promised. */
  readonly clockIsOffBy: number;
}

interface Arm {
  readonly requests: number;
  readonly errors: number;
}

/** What the evidence of a rollout has to be, from what really was. */
export interface Account extends Counted {
  readonly closed: number;
  readonly ticks: number;
  readonly candidate: Arm;
  readonly stable: Arm;
  readonly mirrored?: Evidence['mirrored'];
  readonly labels?: { readonly requests: number; readonly labelled: number };
  /** When the first tick began that was read: before it nobody was known. */
  readonly usersSince?: number;
  readonly shared?: Shared;
  /** The streams when a person last let it go on after a hold for its routing. */
  readonly pardonedAt?: Counted['streams'];
}

export const emptyAccount: Account = {
  ...{ closed: 0, ticks: 0, streams: {}, routed: {}, pairs: {}, heard: {}, losses: { harm: noBets, safety: noBets } },
  candidate: { requests: 0, errors: 0 },
  stable: { requests: 0, errors: 0 },
};

/** A promise of the evidence that does not hold. */
export class Wrong extends Error {}

const nameOf = (version: number | undefined): string => `v${version}`;
/** What is slow in this rollout, for p50, p90 and p99. */
export const slowMeasures = ({ latency }: Rollout): readonly string[] =>
  latency === undefined || latency === 'none'
    ? []
    : [latency.p50, latency.p90, latency.p99].map((ms) => `slower than ${ms} ms`);
const percentiles = ['p50', 'p90', 'p99'] as const;

/** The ticks `from <= start < to` of a rollout, each under the weight that really held while it was routed. */
export function withTicks(account: Account, { rollout, endpoint, from, to }: Stretch, telemetry: Reality): Account {
  const tickMs = rollout.plan.tick;
  const usersSince = account.usersSince ?? from;
  const users = rollout.sticky ? { usersSince } : {};
  const query = { endpoint, from, to, tickMs, measures: ['errors', ...slowMeasures(rollout)], ...users };
  return telemetry.truth(query).reduce<Account>(
    (sum, tick) => {
      // Where nobody knows how requests are routed no weight is claimed.
      if (isAstray(rollout)) return withTick(sum, tick, rollout, 'unknown');
      const weight = weightDuring(tick.start, rollout, endpoint, telemetry);
      if (!isCold(tick, rollout)) hasWarmedUp(tick.start, rollout, endpoint, telemetry);
      return withTick(sum, tick, rollout, weight);
    },
    { ...account, usersSince },
  );
}

export interface Stretch {
  /** As it was while it read them. */
  readonly rollout: Rollout;
  readonly endpoint: string;
  readonly from: number;
  readonly to: number;
}

/**
 * The candidate's weight in the whole of a tick. What a write did that nobody knew of is nobody's fault; nor is a tick
 * that a clock which is minutes off takes for one of the weight before or after.
 */
function weightDuring(start: number, rollout: Rollout, endpoint: string, reality: Reality): number {
  const end = start + rollout.plan.tick;
  const routes = reality.routes(endpoint, start, end);
  const weightIn = ({ weights }: Route): number => weights[nameOf(rollout.candidate)] ?? 0;
  const weights = [...new Set(routes.map(weightIn))];
  const wished = candidateWeight(rollout);
  if (weights.length === 1 && weights[0] === wished) return wished;
  if (routes.some(({ isStray }) => isStray)) return wished;
  const around = reality.routes(endpoint, start - reality.clockIsOffBy, end + reality.clockIsOffBy);
  if (reality.clockIsOffBy > 0 && around.some((route) => weightIn(route) === wished)) return wished;
  const text = `the tick of ${new Date(start).toISOString()} is evidence at ${wished} % of v${rollout.candidate}`;
  throw new Wrong(`${text}, and was routed at ${weights.length === 0 ? 'nothing' : `${weights.join(' %, then ')} %`}`);
}

const isAstray = (rollout: Rollout): boolean => rollout.status === 'held' && rollout.backTo !== undefined;
const isCold = ({ start }: Tick, { evidence }: Rollout): boolean => start < (evidence.from ?? 0);

/** What is evidence about latency had the same weight for the whole of a warm-up before. */
function hasWarmedUp(start: number, rollout: Rollout, endpoint: string, reality: Reality): void {
  const { warmUp, tick } = rollout.plan;
  const routes = reality.routes(endpoint, start - warmUp * tick, start);
  if (reality.clockIsOffBy > 0 || routes.some(({ isStray }) => isStray)) return;
  const wished = candidateWeight(rollout);
  const others = routes
    .map(({ weights }) => weights[nameOf(rollout.candidate)] ?? 0)
    .filter((weight) => weight !== wished);
  if (others.length > 0)
    throw new Wrong(
      `the tick of ${new Date(start).toISOString()} is evidence of latency, ${warmUp} ticks after ${others[0]} %`,
    );
}

function withTick(account: Account, tick: Tick, rollout: Rollout, weight: number | 'unknown'): Account {
  const candidate = armOf(tick, rollout.candidate);
  const champion = armOf(tick, rollout.stable);
  const next: Account = {
    ...account,
    closed: account.closed + (tick.unserved === true ? 0 : 1),
    candidate: plus(account.candidate, candidate),
    stable: rollout.stable === undefined ? account.stable : plus(account.stable, champion),
  };
  if (rollout.stable === undefined) return next;
  if (weight === 0) return withPairs(next, tick, rollout, account.stable);
  const names = [nameOf(rollout.candidate), nameOf(rollout.stable)];
  const slow = slowMeasures(rollout);
  const isMeasured = names.every((name) =>
    slow.every((by) => (tick.counts[name]?.bad ?? { [by]: 0 })[by] !== undefined),
  );
  const segments = segmentsOf(rollout);
  const arms = names.map((name) =>
    eventsOf(tick, name, { sticky: rollout.sticky, slow: isMeasured ? slow : [], segments }),
  );
  const [ours, theirs] = arms;
  if (ours === undefined || theirs === undefined) return next;
  const said = saidOf(next.shared, tick, rollout, { weight, ours: ours.seen, theirs: theirs.seen });
  const isPardoned = (said?.shared.pardons ?? 0) > (next.shared?.pardons ?? 0);
  const base: Account =
    isPardoned && said !== undefined
      ? { ...next, heard: each(next.heard, pardoned), pardonedAt: next.streams, shared: said.shared }
      : next;
  const known = base.heard;
  if (candidate.requests + champion.requests === 0) return base;
  const isLeftOut = (id: string): boolean => isCold(tick, rollout) && id.startsWith('latency');
  const isOut = said !== undefined && said.against === undefined;
  const heard = heardBy(known, rollout, (id) => ({
    ...{
      weight,
      isCold: isLeftOut(id),
      isOut,
      against: said?.against,
      isFor: said?.isFor ?? true,
      inFavour: said?.inFavour,
    },
    isByChance: !rollout.sticky && said !== undefined && said.shared.row.ticks > 0 && said.shared.row.gap === 0,
    ...{ ours: ours.bad[id] ?? nothing, theirs: theirs.bad[id] ?? nothing },
  }));
  if (weight === 'unknown') return { ...base, heard };
  const streams = Object.entries(ours.bad).reduce((all, [id, bad]) => {
    const other = theirs.bad[id] ?? nothing;
    if (!isLeftOut(id)) return withCell(all, id, weight, { ...bad, other });
    // Measured, and nothing of it counts.
    return bad.of + other.of === 0 ? all : measured(all, id, weight);
  }, next.streams);
  const [before, beforeThem] = next.routed[weight] ?? [0, 0];
  const routed = { ...next.routed, [weight]: [before + ours.seen, beforeThem + theirs.seen] as const };
  const routing = { ...base, routed, heard, ...(said === undefined ? {} : { shared: said.shared }) };
  return isOut ? routing : { ...routing, ticks: next.ticks + 1, streams: only(streams, rollout) };
}

/** `undefined`: no share is configured, or nobody knows which one holds. */
function saidOf(
  known: Shared | undefined,
  { start }: Tick,
  { plan, evidence, sticky }: Rollout,
  { weight, ours, theirs }: { readonly weight: number | 'unknown'; readonly ours: number; readonly theirs: number },
): Said | undefined {
  if (weight === 'unknown' || plan.routing === 'realised') return undefined;
  return saidBy(known, {
    ...{ ours, theirs, start, weight },
    tickMs: plan.tick,
    from: evidence.from,
    isOfUsers: sticky,
  });
}

const nothing: Bad = { bad: 0, of: 0 };

const each = (heard: Account['heard'], change: (stream: Stream) => Stream): Account['heard'] =>
  Object.fromEntries(Object.entries(heard).map(([id, stream]) => [id, change(stream)]));

interface HeardOf {
  readonly weight: number | 'unknown';
  readonly isCold: boolean;
  readonly isOut: boolean;
  readonly against: number | undefined;
  readonly inFavour: number | undefined;
  readonly isFor: boolean;
  readonly isByChance: boolean;
  readonly ours: Bad;
  readonly theirs: Bad;
}

function heardBy(known: Account['heard'], rollout: Rollout, eventsOf: (id: string) => HeardOf): Account['heard'] {
  const next: Record<string, Stream> = { ...known };
  for (const { harms, ...guardrail } of watchedOf(rollout).filter(({ name }) => name !== 'labels'))
    for (const id of harms) {
      const events = eventsOf(id);
      if (events.ours.of + events.theirs.of === 0) continue;
      const rule = {
        ...guardrail,
        ...{ isRealised: rollout.plan.routing === 'realised', isOfUsers: rollout.sticky },
        wished: candidateWeight(rollout),
      };
      next[id] = heardOne(
        next[id],
        {
          ...events,
          isFor: events.isFor && guardrail.promotes.includes(id),
          lastWeight: rollout.steps.at(-1) ?? 0,
        },
        knownBefore(id, rollout),
        rule,
      );
    }
  return next;
}

/** Of users no segment is known. */
const segmentsOf = ({ sticky, plan }: Rollout): readonly string[] => (sticky ? [] : (plan.segments?.values ?? []));

export const watchedOf = (rollout: Rollout) =>
  watchedIn(rollout.plan, {
    ...{ hasLatency: slowMeasures(rollout).length > 0, sticky: rollout.sticky },
    segments: segmentsOf(rollout),
  });

/** What a stream counts as bad. */
export const measureOf = (id: string, rollout: Rollout): string =>
  id === 'errors' ? id : (slowMeasures(rollout)[percentiles.findIndex((name) => id === `latency.${name}`)] ?? '');

/** What is known of a stream before its first tick. */
export function knownBefore(stream: string, rollout: Rollout) {
  const [id = '', segment] = stream.split('@');
  const slow = slowMeasures(rollout);
  const own = measureOf(id, rollout);
  const measures = id === 'errors' ? [own] : [own, ...slow.filter((measure) => measure !== own)];
  const rule = rollout.plan.guardrails[id === 'errors' ? 'errors' : 'latency'];
  return before(rollout, measures, {
    maxBurst: rule === false ? 1 : rule.maxBurst,
    isWhole: !rollout.sticky && segment === undefined,
  });
}

interface Bad {
  readonly bad: number;
  readonly of: number;
}

/**
 * Every row of counts of an arm, whether or not it is watched; and how many requests (users) were shared out. What is
 * unmeasured for either arm says nothing about both.
 */
function eventsOf(
  tick: Tick,
  name: string,
  { sticky, slow, segments }: { sticky: boolean; slow: readonly string[]; segments: readonly string[] },
) {
  const counts = tick.counts[name] ?? { requests: 0, bad: { errors: 0 } };
  const users = tick.users?.[name];
  const rows = (read: (measure: string) => Bad | undefined): Readonly<Record<string, Bad>> => ({
    errors: read('errors') ?? nothing,
    ...Object.fromEntries(percentiles.map((p, index) => [`latency.${p}`, read(slow[index] ?? '') ?? nothing])),
  });
  const { requests: of } = counts;
  const requestsIn = (found: typeof counts) =>
    rows((by) => ({ bad: found.bad[by] ?? 0, of: by === '' ? 0 : found.requests }));
  const parts = segments.flatMap((segment) => {
    const found = tick.segments?.[segment]?.[name] ?? { requests: 0, bad: {} };
    return Object.entries(requestsIn(found)).map(([id, bad]) => [`${id}@${segment}`, bad] as const);
  });
  if (!sticky) return { seen: of, bad: { ...requestsIn(counts), ...Object.fromEntries(parts) } };
  return {
    seen: users?.assigned ?? 0,
    bad: rows((by) => {
      const first = users?.bad[by];
      return first && { bad: first.bad, of: first.atRisk };
    }),
  };
}

/** Only what the plan watches. */
function only(streams: Counted['streams'], rollout: Rollout): Counted['streams'] {
  const { errors, latency } = rollout.plan.guardrails;
  const isWatched = (id: string): boolean =>
    id.startsWith('errors')
      ? errors !== false
      : id.startsWith('labels') || (latency !== false && slowMeasures(rollout).length > 0);
  return Object.fromEntries(Object.entries(streams).filter(([id]) => isWatched(id)));
}

function withCell(
  streams: Counted['streams'],
  id: string,
  weight: number,
  { bad, of, other }: Bad & { readonly other: Bad },
): Counted['streams'] {
  if (of + other.of === 0) return streams;
  const cell = streams[id]?.[weight] ?? noCell;
  const isShared = of > 0 && other.of > 0;
  const grown: Cell = {
    candidate: cell.candidate + (isShared ? bad : 0),
    champion: cell.champion + (isShared ? other.bad : 0),
    candidateAlone: cell.candidateAlone + (isShared ? 0 : bad),
    championAlone: cell.championAlone + (isShared ? 0 : other.bad),
    candidateRequests: cell.candidateRequests + of,
    championRequests: cell.championRequests + other.of,
  };
  return { ...streams, [id]: { ...streams[id], [weight]: grown } };
}

const measured = (streams: Counted['streams'], id: string, weight: number): Counted['streams'] => ({
  ...streams,
  [id]: { ...streams[id], [weight]: streams[id]?.[weight] ?? noCell },
});

const noCell: Cell = {
  ...{ candidate: 0, champion: 0, candidateAlone: 0, championAlone: 0 },
  candidateRequests: 0,
  championRequests: 0,
};

function withPairs(account: Account, tick: Tick, rollout: Rollout, usual: Arm): Account {
  const found = tick.pairs?.[nameOf(rollout.candidate)];
  if (found === undefined) return account;
  const rows = ['errors', ...slowMeasures(rollout)].map(
    (measure, index) => [index === 0 ? 'errors' : `latency.${percentiles[index - 1]}`, found.bad[measure]] as const,
  );
  const { errors, latency } = rollout.plan.guardrails;
  const pairs: Record<string, readonly [number, number]> = { ...account.pairs };
  const heard: Record<string, Stream> = { ...account.heard };
  for (const [id, bad] of rows) {
    if (bad === undefined || (id === 'errors' ? errors : latency) === false) continue;
    const { mirror, served } = bad;
    const [ours, theirs] = pairs[id] ?? [0, 0];
    const isTaught = id !== 'errors' && isCold(tick, rollout);
    if (!isTaught) pairs[id] = [ours + mirror, theirs + served];
    const guardrail = watchedOf(rollout).find(({ harms }) => harms.includes(id));
    if (found.pairs === 0 || guardrail === undefined) continue;
    const usually = id === 'errors' ? usuallyFails(rollout, usual) : usuallySlow[id];
    const of = { mirror, served, pairs: found.pairs, isCold: isTaught, share: usually ?? 0 };
    heard[`${id}.mirror`] = heardPairs(heard[`${id}.mirror`], of, knownBefore(id, rollout), guardrail);
  }
  const { higher, lower } = found.predictions;
  const was = account.mirrored ?? { pairs: 0, dropped: 0, higher: 0, lower: 0 };
  const mirrored = {
    ...{ pairs: was.pairs + found.pairs, dropped: was.dropped + found.dropped },
    ...{ higher: was.higher + higher, lower: was.lower + lower },
  };
  return { ...account, ticks: account.ticks + 1, pairs, heard, mirrored };
}

/** Its week says it, or, of a champion that nobody knows, what it served in this rollout. */
function usuallyFails({ history }: Rollout, { errors, requests }: Arm): number {
  const week = history === undefined || history === 'none' ? undefined : history.measures.errors;
  return week === undefined ? errors / Math.max(1, requests) : week.bad / week.requests;
}

/** The champion's frozen percentiles say how many of its requests are slow. */
const usuallySlow: Readonly<Record<string, number>> = { 'latency.p50': 0.5, 'latency.p90': 0.1, 'latency.p99': 0.01 };

/** The labels of requests that were routed in `from <= start < to` and had matured. */
export function withLabels(account: Account, { rollout, endpoint, from, to }: Stretch, telemetry: Reality): Account {
  const { labels } = rollout.plan.guardrails;
  if (labels === undefined) return account;
  const query = { endpoint, from, to, tickMs: rollout.plan.tick, maturityMs: labels.maturity };
  return telemetry.trueLabels(query).reduce((sum, tick) => withLabelTick(sum, tick, rollout), account);
}

function withLabelTick(account: Account, tick: LabelTick, rollout: Rollout): Account {
  const { candidate, stable, plan } = rollout;
  const { pairs, losses } = tick;
  const rows = tick.rows.map((row) => ({ weight: 0, ...row }));
  const ours = rows.filter(({ deployment }) => deployment === nameOf(candidate));
  const theirs = rows.filter(({ deployment }) => deployment === nameOf(stable));
  const isWorst = plan.guardrails.labels?.missing === 'worst';
  let { streams } = account;
  // The candidate's weight when each of its requests was routed; the champion had the rest.
  for (const weight of new Set([...ours.map((row) => row.weight), ...theirs.map((row) => 100 - row.weight)])) {
    if (weight === 0 || weight === 100) continue;
    const one = ours.find((row) => row.weight === weight) ?? noRow;
    const other = theirs.find((row) => row.weight === 100 - weight) ?? noRow;
    const of = isWorst ? ('requests' as const) : ('labelled' as const);
    const missing = (row: typeof noRow): number => (isWorst ? row.requests - row.labelled : 0);
    const champion = { bad: other.wrong + missing(other), of: other[of] };
    streams = withCell(streams, 'labels', weight, { bad: one.wrong, of: one[of], other: champion });
    if (isWorst)
      streams = withCell(streams, 'labels.worst', weight, {
        ...{ bad: one.wrong + missing(one), of: one[of] },
        other: { bad: other.wrong, of: other[of] },
      });
  }
  const apart = pairs[nameOf(candidate)];
  const [before, beforeThem] = account.pairs.labels ?? [0, 0];
  const known = account.labels ?? { requests: 0, labelled: 0 };
  const isLoss = plan.guardrails.labels?.kind === 'loss';
  const ourLosses = losses.filter(({ deployment }) => [candidate, stable].map(nameOf).includes(deployment));
  const sum = (field: 'requests' | 'labelled'): number =>
    [...ours, ...theirs].reduce((total, row) => total + row[field], known[field]);
  return {
    ...account,
    streams,
    labels: { requests: sum('requests'), labelled: isLoss ? known.labelled + ourLosses.length : sum('labelled') },
    losses: lossesAfter(account.losses, losses, rollout),
    pairs:
      apart === undefined
        ? account.pairs
        : { ...account.pairs, labels: [before + apart.mirror, beforeThem + apart.served] },
  };
}

/** Losses in the order of their requests, each under the weight by which it was routed. */
function lossesAfter(known: Account['losses'], losses: LabelTick['losses'], rollout: Rollout): Account['losses'] {
  const { kind, tolerated = 0, marginLoss = 0 } = rollout.plan.guardrails.labels ?? {};
  if (kind !== 'loss') return known;
  return losses.reduce(({ harm, safety }, { deployment, weight = 0, loss }) => {
    const isOurs = deployment === nameOf(rollout.candidate);
    const ours = isOurs ? weight : 100 - weight;
    if ((!isOurs && deployment !== nameOf(rollout.stable)) || ours <= 0 || ours >= 100) return { harm, safety };
    const share = ours / 100;
    const worth = isOurs ? loss / share : -loss / (1 - share);
    return {
      harm: bet(harm, worth, tolerated, -1 / (1 - share)),
      safety: ours === rollout.steps.at(-1) ? bet(safety, -worth, -marginLoss, -1 / share) : safety,
    };
  }, known);
}

const noRow = { requests: 0, labelled: 0, wrong: 0 };

const armOf = ({ counts }: Tick, version: number | undefined): Arm => {
  const { requests = 0, bad } = counts[nameOf(version)] ?? {};
  return { requests, errors: bad?.errors ?? 0 };
};
const plus = (a: Arm, b: Arm): Arm => ({ requests: a.requests + b.requests, errors: a.errors + b.errors });

/** Where the evidence of a rollout is not what really was. */
export function differenceFrom(account: Account, { evidence }: Rollout): string | undefined {
  const cells = ({ shares: _, ...cell }: Evidence['streams'][string][string]): Cell => cell;
  // A stream of ticks without any request may be there, and empty.
  const streams = Object.fromEntries(
    Object.entries(evidence.streams)
      .filter(([, weights]) => Object.keys(weights).length > 0)
      .map(([id, weights]) => [
        id,
        Object.fromEntries(Object.entries(weights).map(([weight, cell]) => [weight, cells(cell)])),
      ]),
  );
  const { closed, ticks, candidate, stable, routed, pairs, mirrored, labels } = evidence;
  const told = labels === undefined ? undefined : { requests: labels.requests, labelled: labels.labelled };
  const said: Account = {
    ...{ closed, ticks, candidate, stable, routed, pairs },
    ...(mirrored === undefined ? {} : { mirrored }),
    ...(told === undefined ? {} : { labels: told }),
    streams,
    heard: account.heard,
    losses: account.losses,
    ...(account.usersSince === undefined ? {} : { usersSince: account.usersSince }),
    ...(account.shared === undefined ? {} : { shared: account.shared }),
  };
  for (const part of new Set([...Object.keys(said), ...Object.keys(account)])) {
    const [mine, theirs] = [account[part as keyof Account], said[part as keyof Account]];
    if (!isDeepStrictEqual(plain(mine), plain(theirs)))
      return `${part} are ${JSON.stringify(theirs)}, and really were ${JSON.stringify(mine)}`;
  }
  const bets = ['harm', 'safety'] as const;
  const lost = bets.find((of) => isApart(account.losses[of].log, labels?.[of].logK ?? 0));
  if (lost !== undefined)
    return `what losses say of ${lost} is ${labels?.[lost].logK}, and really was ${account.losses[lost].log}`;
  const far = Object.entries(account.heard).find(([id, stream]) => isFar(id, stream, evidence.weather[id]));
  return far === undefined
    ? undefined
    : `what the ticks say of ${far[0]} is ${JSON.stringify(evidence.weather[far[0]])}, and really was ${JSON.stringify({ ...far[1], rows: [] })}`;
}

/** Nothing is kept of what came of a segment, or of copies. Zeros need not be. */
function isFar(
  id: string,
  { start, won, came, safe, later, usual, noise }: Stream,
  said: Evidence['weather'][string] | undefined,
): boolean {
  if (said === undefined) return true;
  const apart = (mine: readonly number[], theirs: readonly number[] = []) =>
    mine.length !== theirs.length ||
    mine.some((log, index) => Math.abs(log - (theirs[index] ?? Number.NaN)) > rounding * Math.max(1, Math.abs(log)));
  return (
    apart(start, said.harm) ||
    apart(won, said.waiting ?? won.map(() => 0)) ||
    (/@|[.]mirror$/.test(id) ? said.came !== undefined : apart(came, said.came ?? came.map(() => 0))) ||
    apart(safe, said.safe ?? safe.map(() => 0)) ||
    apart(later.logs ?? [], said.since) ||
    apart([noise.sum, noise.weight], said.noise) ||
    apart(
      usual === undefined || said.typical === undefined ? [] : [usual],
      said.typical === undefined ? [] : [said.typical],
    )
  );
}

const isApart = (mine: number, theirs: number): boolean =>
  !(Math.abs(mine - theirs) <= rounding * Math.max(1, Math.abs(mine)));
const rounding = 1e-9;
const plain = (value: unknown): unknown => (value === undefined ? {} : JSON.parse(JSON.stringify(value)));
