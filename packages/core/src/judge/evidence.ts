import { Fault } from '../base/fault.ts';
import { errors } from '../base/measures.ts';
import type { Stream } from '../guardrails/guardrail.ts';
import type { Counts, LabelTick, PairCounts, Tick, UserCounts } from '../ports/telemetry.ts';
import { type Bets, betOnHarm, betOnSafety, noBets } from './betting.ts';
import { excessBound } from './budget.ts';
import { checkLabels, checkTick, named } from './checks.ts';
import { type Arm, type Compared, comparedAfter, noneCompared, noRequests, plus } from './compared.ts';
import type { MeasureHistory } from './history.ts';
import { climateOfPairs, evenWeight, pairsOf } from './paired.ts';
import { type Admitted, admit, type Routing, type Split, timesForgiven } from './routing.ts';
import { type Guardrail, measuresOf, type Rules } from './rules.ts';
import { withUnlike } from './safe.ts';
import { type BothArms, togetherAfter } from './together.ts';
import { type Climate, forgiven, independent, type Weather, withHeard } from './weather.ts';

/** Bad requests (sticky: users) of all ticks at one weight. */
export interface Cell {
  /** In ticks in which both arms had requests. */
  readonly candidate: number;
  readonly champion: number;
  /** In ticks in which the other arm had none. The test that would gain from these ticks leaves them out. */
  readonly candidateAlone: number;
  readonly championAlone: number;
  readonly candidateRequests: number;
  readonly championRequests: number;
  /** The bounds of the shares that came, where the evidence does not reckon with the weight. */
  readonly shares?: { readonly low: number; readonly high: number };
}

/** Cells by the candidate's weight in percent. */
export type Cells = Readonly<Record<string, Cell>>;

/** What a rollout has seen of its two arms. */
export interface Evidence {
  /** Ticks that start before were counted. */
  readonly readTo: number;
  /** Ticks that start before are warm-up: they say nothing about latency. */
  readonly from?: number;
  /** If users stay with their model: nothing is known of them before this time. */
  readonly usersSince?: number;
  /** Ticks that were read and served, and those of them that are evidence. */
  readonly closed: number;
  readonly ticks: number;
  /** Since the rollout began, warm-up included. */
  readonly candidate: Arm;
  readonly stable: Arm;
  readonly streams: Readonly<Record<string, Cells>>;
  /** What each stream says, tick by tick. The order of ticks matters. */
  readonly weather: Readonly<Record<string, Weather>>;
  /** The cells when a person last ordered to go on with requests that had not been shared out as configured. */
  readonly forgiven?: Readonly<Record<string, Cells>>;
  /** What was routed, by weight: [to the candidate, to the champion]. */
  readonly routed: Readonly<Record<string, readonly [number, number]>>;
  /** What both arms did, as far as it is ranked against the champion's past. */
  readonly together?: BothArms;
  /** What the numbers of requests say; absent where no share is configured. */
  readonly routing?: Routing;
  /** What the hard limit uses if there is a champion. */
  readonly compared?: Compared;
  /** Mirrored requests of which exactly one answer was bad, by stream: [the candidate's, the champion's]. */
  readonly pairs: Readonly<Record<string, readonly [number, number]>>;
  readonly mirrored?: {
    readonly pairs: number;
    readonly dropped: number;
    readonly higher: number;
    readonly lower: number;
  };
  readonly labels?: {
    readonly readTo: number;
    readonly requests: number;
    readonly labelled: number;
    readonly harm: Bets;
    readonly safety: Bets;
  };
  /** With a harm budget: the least upper bound so far of the candidate's excess share of failures. */
  readonly excess?: number;
  /** Streams in which the champion has been better than its past, see safe.ts. */
  readonly unlike?: readonly string[];
  /** The last ticks that were counted, by start: what came with them, as one number. */
  readonly recent: Readonly<Record<string, number>>;
}

/** Where the ticks were counted: the candidate's weight, confirmed before they began, and who the arms are. */
export interface Place {
  /** Percent; 0: nothing but a mirror. */
  readonly weight: number;
  /** That of the last step: only its ticks speak for a promotion. */
  readonly lastWeight: number;
  readonly candidate: string;
  readonly champion?: string | undefined;
  /** Keeps the bound that a harm budget needs. */
  readonly budgeted?: boolean;
  /** Nobody knows by which weight requests are routed, so no cell counts them. */
  readonly astray?: boolean;
}

export const noEvidence = (readTo: number): Evidence => ({
  readTo,
  closed: 0,
  ticks: 0,
  candidate: noRequests,
  stable: noRequests,
  streams: {},
  weather: {},
  routed: {},
  pairs: {},
  recent: {},
});

/**
 * The evidence with one more tick. A tick that comes again is not counted again.
 *
 * A tick of the warm-up does not count for latency, because a deployment that has just got more traffic has cold
 * caches. Errors count from the first tick on. The ticks of the warm-up are fixed before they begin, so both bounds
 * hold.
 *
 * Impossible counts, and another reading of one of the last ticks, throw a `Fault` (`invalid`) that names them. The
 * evidence that was given is unchanged.
 */
export function withTick(evidence: Evidence, tick: Tick, tickMs: number, place: Place, rules: Rules): Evidence {
  const mark = checkTick(tick, measuresOf(rules));
  const known = evidence.recent[tick.start];
  if (tick.start < evidence.readTo) {
    if (known !== undefined && known !== mark)
      throw new Fault(
        'invalid',
        `${named(tick)} was read again with other counts; keep to the first reading, and correct the source of the counts`,
      );
    return evidence;
  }
  const candidate = tick.counts[place.candidate];
  const champion = place.champion === undefined ? undefined : tick.counts[place.champion];
  const totals = {
    readTo: tick.start + tickMs,
    closed: evidence.closed + (tick.unserved === true ? 0 : 1),
    recent: remembered(evidence.recent, tick.start, mark),
    candidate: plus(evidence.candidate, armOf(candidate)),
    stable: plus(evidence.stable, armOf(champion)),
  };
  const excess = place.budgeted
    ? { excess: Math.min(evidence.excess ?? 1, excessBound(totals.candidate, totals.stable, rules.alpha)) }
    : {};
  const next = {
    ...evidence,
    ...totals,
    ...excess,
    ...withCompared(evidence, tick, tickMs, place, rules),
    ...togetherAfter(evidence, tick, tickMs, place, rules),
  };
  const isCold = tick.start < (evidence.from ?? 0);
  if (place.champion === undefined) return next;
  if (place.weight === 0 && place.astray !== true)
    return withPairs(next, tick, { place, rules, isCold, before: evidence.stable });
  const split = splitOf(tick, place, rules);
  const admitted = admittedBy(evidence, split, { start: tick.start, tickMs }, place, rules);
  const isForgiven = timesForgiven(admitted?.routing) > timesForgiven(evidence.routing);
  const start = isForgiven ? { ...next, ...forgivenIn(next, rules), ...routingOf(admitted) } : next;
  // "No data" speaks neither for the candidate nor against it.
  if ((candidate?.requests ?? 0) + (champion?.requests ?? 0) === 0) return start;
  const found = eventsIn(tick, place, rules, isCold);
  const weather = withWeather(start.weather, found, { place, rules, admitted });
  if (place.astray === true) return { ...start, weather };
  const seen = { ...start, weather, routed: withRouted(next.routed, split, place), ...routingOf(admitted) };
  if (admitted !== undefined && admitted.against === undefined) return seen;
  const streams = withEvents(seen.streams, found, place, rules);
  return withUnlike({ ...seen, ticks: seen.ticks + 1, streams }, rules);
}

/** `undefined`: no weight is configured, or nobody knows by which one requests are routed, and every tick counts. */
function admittedBy(
  { routing, from }: Evidence,
  split: Split,
  tick: { readonly start: number; readonly tickMs: number },
  { weight, astray }: Place,
  rules: Rules,
): Admitted | undefined {
  if (astray === true || rules.routing === 'realised') return undefined;
  return admit(routing, split, { ...tick, share: weight / 100, period: from, unit: rules.unit });
}

const routingOf = (admitted: Admitted | undefined): Pick<Evidence, 'routing'> =>
  admitted === undefined ? {} : { routing: admitted.routing };

/** What the hard limit uses, with one more tick. */
function withCompared(
  { compared = noneCompared }: Evidence,
  tick: Tick,
  tickMs: number,
  place: Place,
  { unit }: Rules,
): Pick<Evidence, 'compared'> {
  if (place.champion === undefined || place.weight === 0) return {};
  const events = eventsOf({ measure: errors }, tick, place, unit);
  if (events === undefined || requestsOf(events) === 0) return {};
  const candidate = { requests: events.candidateRequests, errors: events.candidate };
  const champion = { requests: events.championRequests, errors: events.champion };
  return { compared: comparedAfter(compared, { candidate, champion }, { weight: place.weight, tickMs, unit }) };
}

interface Found {
  readonly stream: Stream;
  readonly guardrail: Guardrail;
  readonly events: Events;
  /** They are no evidence: caches are cold. */
  readonly isCold: boolean;
}

function eventsIn(tick: Tick, place: Place, { guardrails, unit }: Rules, isCold: boolean): readonly Found[] {
  const found: Found[] = [];
  for (const guardrail of guardrails) {
    if (guardrail.clock !== 'ticks') continue;
    for (const stream of guardrail.streams) {
      const events = eventsOf(stream, tick, place, unit);
      if (events === undefined) continue;
      found.push({ stream, guardrail, events, isCold: isCold && guardrail.warmsUp });
    }
  }
  return found;
}

function withEvents(
  streams: Evidence['streams'],
  found: readonly Found[],
  { weight }: Place,
  rules: Rules,
): Evidence['streams'] {
  const next: Record<string, Cells> = { ...streams };
  for (const {
    stream: { id },
    events,
    isCold,
  } of found)
    next[id] =
      // An empty cell says that the stream is measured.
      isCold && requestsOf(events) > 0
        ? { ...next[id], [weight]: next[id]?.[weight] ?? noEvents }
        : withCell(next[id], weight, events, rules);
  return next;
}

/** Labels come later than what they are of, so those of that time still count. */
function forgivenIn(
  { weather, streams: cells }: Evidence,
  { guardrails }: Rules,
): Pick<Evidence, 'weather' | 'forgiven'> {
  const next: Record<string, Weather> = { ...weather };
  for (const { clock, climates, streams } of guardrails)
    for (const { id } of clock === 'ticks' ? streams : []) {
      const known = weather[id];
      if (known !== undefined) next[id] = forgiven(known, climates[id] ?? independent);
    }
  return { weather: next, forgiven: cells };
}

/** Nobody knows by which weight requests were routed: then the share that came is all that there is. */
function withWeather(
  weather: Evidence['weather'],
  found: readonly Found[],
  given: { readonly place: Place; readonly rules: Rules; readonly admitted: Admitted | undefined },
): Evidence['weather'] {
  const { weight, lastWeight, astray = false } = given.place;
  const { admitted } = given;
  const isLeftOut = admitted !== undefined && admitted.against === undefined;
  // Of users nobody knows whether it is chance: those who are at risk are not those who come.
  const isAlone = given.rules.unit === 'request' && admitted?.routing.alone?.told === 0;
  const next: Record<string, Weather> = { ...weather };
  const against = admitted?.against === undefined ? {} : { against: admitted.against };
  const shares = admitted === undefined ? {} : { ...against, inFavour: admitted.inFavour };
  for (const { stream, guardrail, events, isCold } of found) {
    if (requestsOf(events) === 0) continue;
    const { id } = stream;
    const isLast = weight === lastWeight && (admitted?.isFor ?? true);
    const heard = { weight, events, isCold, isLast, isLeftOut, isAlone, ...shares };
    next[id] = withHeard(next[id], heard, { ...limitsOf(stream, guardrail, given.rules), isAstray: astray });
  }
  return next;
}

function limitsOf(
  { id, promotes, segment }: Stream,
  { clock, toleratedRatio, margin, maxBurst, climates }: Guardrail,
  { routing, unit }: Rules,
) {
  const climate = climates[id] ?? independent;
  const cameToo = clock === 'ticks' && segment === undefined;
  return { toleratedRatio, margin, maxBurst, climate, routing, unit, promotes, cameToo };
}

/** Bad requests and requests of both arms in one tick. */
export interface Events {
  readonly candidate: number;
  readonly champion: number;
  readonly candidateRequests: number;
  readonly championRequests: number;
}

const requestsOf = ({ candidateRequests, championRequests }: Events): number => candidateRequests + championRequests;

function withCell(
  cells: Cells | undefined,
  weight: number,
  events: Events,
  { routing, unit }: Pick<Rules, 'routing' | 'unit'>,
): Cells {
  const { candidate, champion, candidateRequests, championRequests } = events;
  if (requestsOf(events) === 0) return cells ?? {};
  const cell = cells?.[weight] ?? noEvents;
  const both = candidateRequests > 0 && championRequests > 0;
  const share = candidateRequests / requestsOf(events);
  const { low, high } = cell.shares ?? { low: 1, high: 0 };
  return {
    ...cells,
    [weight]: {
      candidate: cell.candidate + (both ? candidate : 0),
      champion: cell.champion + (both ? champion : 0),
      candidateAlone: cell.candidateAlone + (both ? 0 : candidate),
      championAlone: cell.championAlone + (both ? 0 : champion),
      candidateRequests: cell.candidateRequests + candidateRequests,
      championRequests: cell.championRequests + championRequests,
      ...(routing === 'realised' || unit === 'user'
        ? { shares: { low: Math.min(low, share), high: Math.max(high, share) } }
        : {}),
    },
  };
}

const noEvents: Cell = {
  candidate: 0,
  champion: 0,
  candidateAlone: 0,
  championAlone: 0,
  candidateRequests: 0,
  championRequests: 0,
};

type Counted = Pick<Stream, 'measure' | 'segment'>;

/** `undefined`: this tick has no such counts, for either arm. */
function eventsOf(stream: Counted, tick: Tick, place: Place, unit: Rules['unit']): Events | undefined {
  const { segment } = stream;
  const counts = segment === undefined ? tick.counts : (tick.segments?.[segment] ?? {});
  const read = (deployment: string | undefined) => {
    if (deployment === undefined) return none;
    return unit === 'user' ? usersOf(stream, tick.users?.[deployment]) : badOf(stream, counts[deployment]);
  };
  if (unit === 'user' && tick.users === undefined) return undefined;
  const candidate = read(place.candidate);
  const champion = read(place.champion);
  if (candidate === undefined || champion === undefined) return undefined;
  return {
    candidate: candidate.bad,
    champion: champion.bad,
    candidateRequests: candidate.of,
    championRequests: champion.of,
  };
}

const none = { bad: 0, of: 0 };

function badOf({ measure }: Counted, counts: Counts | undefined): typeof none | undefined {
  if (counts === undefined || counts.requests === 0) return none;
  const bad = counts.bad[measure];
  return bad === undefined ? undefined : { bad, of: counts.requests };
}

function usersOf({ measure }: Counted, users: UserCounts | undefined): typeof none | undefined {
  if (users === undefined) return none;
  const first = users.bad[measure];
  return first === undefined ? undefined : { bad: first.bad, of: first.atRisk };
}

/** Requests, or users seen for the first time. */
function splitOf({ counts, users }: Tick, { candidate, champion }: Place, { unit }: Rules): Split {
  const read = (deployment: string | undefined) => {
    if (deployment === undefined) return 0;
    return (unit === 'user' ? users?.[deployment]?.assigned : counts[deployment]?.requests) ?? 0;
  };
  return { candidate: read(candidate), champion: read(champion) };
}

function withRouted(routed: Evidence['routed'], split: Split, { weight }: Place): Evidence['routed'] {
  const [candidate, champion] = routed[weight] ?? [0, 0];
  return { ...routed, [weight]: [candidate + split.candidate, champion + split.champion] };
}

interface PairedIn {
  readonly place: Place;
  readonly rules: Rules;
  readonly isCold: boolean;
  /** What the champion served before this tick. */
  readonly before: Arm;
}

function withPairs(evidence: Evidence, tick: Tick, { place, rules, isCold, before }: PairedIn): Evidence {
  const found = tick.pairs?.[place.candidate];
  if (found === undefined) return evidence;
  const pairs: Record<string, readonly [number, number]> = { ...evidence.pairs };
  const weather: Record<string, Weather> = { ...evidence.weather };
  for (const guardrail of rules.guardrails) {
    if (guardrail.clock !== 'ticks') continue;
    const isTaught = isCold && guardrail.warmsUp;
    for (const { id, measure, segment, expectedShare } of guardrail.streams) {
      const bad = segment === undefined ? found.bad[measure] : undefined;
      if (bad === undefined) continue;
      if (!isTaught) pairs[id] = withBad(pairs[id], bad);
      if (found.pairs === 0) continue;
      const known = weather[pairsOf(id)];
      const share = expectedShare ?? shareBefore(rules.history?.measures[measure], before);
      const expected = { share, pairs: found.pairs / guardrail.maxBurst, usual: known?.typical };
      const climate = climateOfPairs(guardrail.climates[id] ?? independent, expected);
      weather[pairsOf(id)] = withPaired(known, { ...bad, of: found.pairs, isCold: isTaught, climate }, guardrail);
    }
  }
  return { ...evidence, ticks: evidence.ticks + 1, pairs, weather, mirrored: withMirrored(evidence.mirrored, found) };
}

/** An outage of both during the rollout would make them look as if they often failed together. */
const shareBefore = (known: MeasureHistory | undefined, { errors, requests }: Arm): number =>
  known === undefined ? errors / Math.max(requests, 1) : known.bad / known.requests;

const withMirrored = (
  { pairs, dropped, higher, lower }: NonNullable<Evidence['mirrored']> = { pairs: 0, dropped: 0, higher: 0, lower: 0 },
  found: PairCounts,
): NonNullable<Evidence['mirrored']> => ({
  pairs: pairs + found.pairs,
  dropped: dropped + found.dropped,
  higher: higher + found.predictions.higher,
  lower: lower + found.predictions.lower,
});

/** Pairs of one tick with exactly one bad answer, and how many pairs there were. */
interface Paired {
  readonly mirror: number;
  readonly served: number;
  readonly of: number;
  readonly isCold: boolean;
  readonly climate: Climate;
}

/** All ticks of a mirror come before the last step, and all of them may speak for a promotion. */
function withPaired(
  known: Weather | undefined,
  { mirror, served, of, isCold, climate }: Paired,
  { toleratedRatio, margin, maxBurst }: Guardrail,
): Weather {
  const events = { candidate: mirror, champion: served, candidateRequests: of, championRequests: of };
  const heard = { weight: evenWeight, events, isCold, isLast: true };
  const limits = { toleratedRatio, margin, maxBurst, climate, routing: 'configured', unit: 'request' } as const;
  return withHeard(known, heard, { ...limits, promotes: true, cameToo: false });
}

const withBad = (
  [ours, theirs]: readonly [number, number] = [0, 0],
  { mirror, served }: { readonly mirror: number; readonly served: number },
): readonly [number, number] => [ours + mirror, theirs + served];

/**
 * The evidence with the labels of one tick whose maturity window has closed. Each request counts at the weight under
 * which it was routed, and only those of the last step speak for a promotion.
 */
export function withLabels(evidence: Evidence, tick: LabelTick, tickMs: number, place: Place, rules: Rules): Evidence {
  const known = evidence.labels ?? { readTo: tick.start, requests: 0, labelled: 0, harm: noBets, safety: noBets };
  const guardrail = rules.guardrails.find(({ clock }) => clock === 'labels');
  if (tick.start < known.readTo || guardrail === undefined) return evidence;
  checkLabels(tick);
  const isChampion = (deployment: string) => deployment === place.champion;
  const ours = tick.rows.filter(({ deployment }) => deployment === place.candidate || isChampion(deployment));
  // Without a weight it is as one without traffic of both.
  const weightOf = ({ deployment, weight = 0 }: { readonly deployment: string; readonly weight?: number }) =>
    isChampion(deployment) ? 100 - weight : weight;
  const weights = [...new Set(ours.map(weightOf))].filter((weight) => weight > 0 && weight < 100);
  let { streams, pairs, weather } = evidence;
  for (const weight of weights) {
    const rows = ours.filter((row) => weightOf(row) === weight);
    const sum = (champion: boolean, field: 'requests' | 'labelled' | 'wrong') =>
      rows.reduce((total, row) => total + (isChampion(row.deployment) === champion ? row[field] : 0), 0);
    const missing = (champion: boolean) => sum(champion, 'requests') - sum(champion, 'labelled');
    const worst = guardrail.streams.length > 1;
    for (const stream of guardrail.streams) {
      const { id, harm } = stream;
      // A request without a label counts against the decision that the stream may make.
      const events: Events = {
        candidate: sum(false, 'wrong') + (worst && !harm ? missing(false) : 0),
        champion: sum(true, 'wrong') + (worst && harm ? missing(true) : 0),
        candidateRequests: sum(false, worst ? 'requests' : 'labelled'),
        championRequests: sum(true, worst ? 'requests' : 'labelled'),
      };
      const byRequest = { ...rules, unit: 'request' } as const;
      streams = { ...streams, [id]: withCell(streams[id], weight, events, byRequest) };
      if (requestsOf(events) === 0) continue;
      const heard = { weight, events, isCold: false, isLast: weight === place.lastWeight };
      weather = { ...weather, [id]: withHeard(weather[id], heard, limitsOf(stream, guardrail, byRequest)) };
    }
  }
  const discordant = tick.pairs[place.candidate];
  if (discordant !== undefined) {
    const told = { ...discordant, of: discordant.mirror + discordant.served, isCold: false, climate: independent };
    pairs = { ...pairs, labels: withBad(pairs.labels, discordant) };
    weather = { ...weather, [pairsOf('labels')]: withPaired(weather[pairsOf('labels')], told, guardrail) };
  }
  let { harm, safety } = known;
  let losses = 0;
  for (const row of tick.losses) {
    const weight = weightOf(row);
    const isOurs = row.deployment === place.candidate || isChampion(row.deployment);
    if (isOurs) losses += 1;
    if (!isOurs || weight <= 0 || weight >= 100 || guardrail.loss === undefined) continue;
    const loss = { candidate: !isChampion(row.deployment), share: weight / 100, loss: row.loss };
    harm = betOnHarm(harm, loss, guardrail.loss.tolerated);
    if (weight === place.lastWeight) safety = betOnSafety(safety, loss, guardrail.loss.margin);
  }
  const total = (field: 'requests' | 'labelled') => ours.reduce((sum, row) => sum + row[field], 0);
  const labels = {
    readTo: tick.start + tickMs,
    requests: known.requests + total('requests'),
    // A label that is a loss says neither right nor wrong.
    labelled: known.labelled + (guardrail.loss === undefined ? total('labelled') : losses),
    harm,
    safety,
  };
  return { ...evidence, streams, weather, pairs, labels };
}

const armOf = (counts: Counts | undefined): Arm =>
  counts === undefined ? noRequests : { requests: counts.requests, errors: counts.bad[errors] ?? 0 };

const remembers = 10;

/** The last ten are enough: a second delivery comes soon. */
function remembered(recent: Evidence['recent'], start: number, mark: number): Evidence['recent'] {
  const kept: Record<string, number> = {};
  const starts = Object.keys(recent);
  for (const known of starts.length < remembers ? starts : starts.slice(1 - remembers))
    kept[known] = recent[known] ?? 0;
  kept[start] = mark;
  return kept;
}
