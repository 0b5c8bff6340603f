import { byMeasure, errors, thresholdOf } from '@serin/core/base/measures';
import type { CapturedRow } from '@serin/core/ports/captured';
import type { Weights } from '@serin/core/ports/serving';
import type {
  Counts,
  Labels,
  LabelTick,
  PairCounts,
  Telemetry,
  Tick,
  TickQuery,
  UserCounts,
} from '@serin/core/ports/telemetry';
import { type Asking, capturedIn, rowsAsked } from './captured.ts';
import { type MemoryLabels, memoryLabels } from './labels.ts';
import { type People, type Request, requestsIn } from './people.ts';
import { type Counting, countsIn, type Met, metIn, nobody, pairsIn, segmentsIn, usersIn } from './people-counts.ts';
import type { Sync } from './sync.ts';
import { type Behaviour, evenTraffic, part, type Route, type Span } from './traffic.ts';

export interface TelemetryOptions extends Behaviour {
  readonly now: () => number;
  /** A tick is closed so long after its end: until then an outcome of it may be missing. */
  readonly outcomesTakeMs: number;
  /** Share of the labels that come at all, and how long the last of them takes. */
  readonly labelled: { readonly share: number; readonly takeMs: number };
  /** What the platform tells instead of a tick. */
  readonly told: (tick: Tick) => readonly Tick[];
  /** The same of labels. */
  readonly toldLabels?: (tick: LabelTick) => readonly LabelTick[];
  /** Who sends the requests of an endpoint, one by one; absent: even arrivals, and nobody is known. */
  readonly people?: (endpoint: string) => People | undefined;
  /** What the platform counts of what happened; everything, as a rule. */
  readonly counted?: (tick: Tick) => Tick;
  /** A tick that began then is told so long after its end at the earliest. */
  readonly toldAfterMs?: (start: number) => number;
  /** Failures are told that are the platform's own. */
  readonly tellsItsOwn?: boolean;
  /** Who asks the endpoints whose requests are captured; absent: nothing is. */
  readonly asking?: (endpoint: string) => Asking | undefined;
  /** Percentiles of a window can be told; they can, as a rule. */
  readonly hasLatency?: boolean;
}

export interface MemoryTelemetry extends Sync<Telemetry & Labels> {
  /** From now on requests are routed so. */
  routed(endpoint: string, route: Route): void;
  /** A deployment is off or on its way back, and the platform answers its requests with failures of its own. */
  away(deployment: string, from: number, to: number): void;
  /** What held in any part of a window, in order. */
  routes(endpoint: string, from: number, to: number): readonly Route[];
  /** What really was, whether or not it has closed, and whatever is told of it. */
  truth(query: TickQuery): readonly Tick[];
  trueLabels: MemoryLabels['truth'];
  /** The rows that were asked for in a window, where requests are captured. */
  asked(endpoint: string, from: number, to: number): readonly CapturedRow[];
  /** The requests that were served in a window, where they are drawn one by one. */
  requests(endpoint: string, from: number, to: number): readonly Request[] | undefined;
}

/** Of requests to the champion the share that is bad by a measure of latency. */
const shareSlower = (measure: string): number => Math.min(1, 10 / (thresholdOf(measure) ?? Number.POSITIVE_INFINITY));

/** Counts that follow from how requests were routed: even arrivals, so the same window always has the same numbers. */
export function memoryTelemetry(options: TelemetryOptions): MemoryTelemetry {
  const { now, outcomesTakeMs, told, failing, slower, counted = (tick) => tick } = options;
  const { toldAfterMs = () => 0, hasLatency = true } = options;
  const traffic = evenTraffic(options);
  const absences: { readonly deployment: string; readonly from: number; readonly to: number }[] = [];
  const isAway = (from: number, to: number): boolean => absences.some((away) => away.from < to && away.to > from);
  // To draw them again is what takes most of the time of a simulation.
  const lately = new Map<string, readonly Request[]>();
  const requests: MemoryTelemetry['requests'] = (endpoint, from, to) => {
    const people = options.people?.(endpoint);
    if (people === undefined) return undefined;
    const windows = traffic.windows(endpoint, from, to);
    const key = JSON.stringify([endpoint, windows.map((window) => [window.from, window.to, window.route.at])]);
    const drawing = { people, behaviour: options, labelled: options.labelled };
    const drawn =
      lately.get(key) ?? windows.flatMap(({ route, ...window }) => requestsIn(route, window.from, window.to, drawing));
    lately.delete(key);
    lately.set(key, drawn);
    for (const old of lately.keys()) if (lately.size > remembered) lately.delete(old);
    return drawn;
  };
  const { labels, label, labelTotals, truth: trueLabels } = memoryLabels({ ...options, traffic, requests });
  const metUsers = new Map<string, readonly Meeting[]>();

  /** Whom the endpoint knew at a time, of those since another. A tick that was not served is nobody's. */
  function metUntil(endpoint: string, { usersSince = 0, tickMs, ...asked }: TickQuery, time: number): Met {
    const key = JSON.stringify([endpoint, usersSince, tickMs, asked.measures]);
    const known = metUsers.get(key) ?? [];
    let { until, met } = known.findLast((meeting) => meeting.until <= time) ?? { until: usersSince, met: nobody };
    const counting: Counting = { measures: asked.measures, shareSlower };
    for (; until < time; until = nextTick(until, tickMs)) {
      const to = nextTick(until, tickMs);
      if (!isAway(until, to)) met = metIn(met, requests(endpoint, until, to) ?? [], counting);
    }
    if (time <= now() && known.every((meeting) => meeting.until !== until))
      metUsers.set(key, [...known, { until, met }].slice(-remembered));
    return met;
  }

  function drawnTick(query: TickQuery, start: number, found: readonly Request[]): Tick {
    const counting: Counting = { measures: query.measures, shareSlower };
    const [segments, pairs] = [segmentsIn(found, counting), pairsIn(found, counting)];
    const isKnown = query.usersSince !== undefined && start >= query.usersSince;
    return {
      ...{ start, counts: countsIn(found, counting) },
      ...(Object.keys(segments).length === 0 ? {} : { segments }),
      ...(Object.keys(pairs).length === 0 ? {} : { pairs }),
      ...(query.usersSince === undefined
        ? {}
        : { users: isKnown ? usersIn(metUntil(query.endpoint, query, start), found, counting) : {} }),
    };
  }

  function countsOf(name: string, spans: readonly Span[], measures: readonly string[], start: number): Counts {
    const sum = (share: (span: Span) => number): number =>
      spans.reduce((total, span) => total + part(span.arms[name] ?? none, share(span)), 0);
    return {
      requests: sum(() => 1),
      bad: byMeasure(measures, (measure) =>
        sum(({ route }) =>
          measure === errors
            ? failing(name, route.weights)
            : Math.min(1, shareSlower(measure) * slower(name, start - route.at)),
        ),
      ),
    };
  }

  function tickOf(query: TickQuery, start: number): Tick {
    const { endpoint, tickMs, measures, usersSince } = query;
    const found = requests(endpoint, start, start + tickMs);
    if (found !== undefined) return drawnTick(query, start, found);
    const spans = traffic.spans(endpoint, start, start + tickMs);
    const names = [...new Set(spans.flatMap(({ arms }) => Object.keys(arms)))];
    const counts = Object.fromEntries(
      names
        .map((name) => [name, countsOf(name, spans, measures, start)] as const)
        .filter(([, { requests }]) => requests > 0),
    );
    const pairs = pairsOf(spans, measures, { ...options, slower: (name) => slower(name, Number.POSITIVE_INFINITY) });
    return {
      start,
      counts,
      ...(usersSince === undefined ? {} : { users: usersOf(counts) }),
      ...(Object.keys(pairs).length === 0 ? {} : { pairs }),
    };
  }

  /** A tick in which a deployment was away says nothing of any, and was not served. */
  function evidenceOf(tick: Tick, tickMs: number, isTold: boolean): Tick {
    const away = absences.filter(({ from, to }) => from < tick.start + tickMs && to > tick.start);
    if (away.length === 0) return tick;
    if (!isTold || options.tellsItsOwn !== true) return { start: tick.start, counts: {}, unserved: true };
    const failed = away.map(({ deployment }) => [deployment, tick.counts[deployment]] as const);
    const counts = failed.flatMap(([name, own]) =>
      own === undefined ? [] : [[name, { ...own, bad: { ...own.bad, errors: own.requests } }]],
    );
    return { ...tick, counts: { ...tick.counts, ...Object.fromEntries(counts) } };
  }

  function ticksOf(query: TickQuery, isTold: boolean): readonly Tick[] {
    const { from, to, tickMs } = query;
    const ticks: Tick[] = [];
    for (let start = Math.ceil(from / tickMs) * tickMs; start + tickMs <= to; start += tickMs)
      ticks.push(evidenceOf(counted(tickOf(query, start)), tickMs, isTold));
    return ticks;
  }
  const truth = (query: TickQuery): readonly Tick[] => ticksOf(query, false);

  return {
    ticks(query) {
      const over = ticksOf({ ...query, to: Math.min(query.to, now() - outcomesTakeMs) }, true);
      const open = over.findIndex(({ start }) => now() < start + query.tickMs + toldAfterMs(start));
      return (open < 0 ? over : over.slice(0, open)).flatMap(told);
    },
    latency(endpoint, from, to) {
      if (!hasLatency) return undefined;
      const requests = traffic
        .spans(endpoint, from, to)
        .flatMap(({ arms }) => Object.values(arms))
        .reduce((sum, range) => sum + part(range, 1), 0);
      return requests === 0 ? undefined : { p50: 20, p90: 100, p99: 1000, requests };
    },
    captured: (query) => capturedIn(options.asking?.(query.endpoint), query, now()),
    label,
    labels,
    labelTotals,
    routed: traffic.routed,
    routes: traffic.routes,
    away: (deployment, from, to) => void absences.push({ deployment, from, to }),
    truth,
    trueLabels,
    asked(endpoint, from, to) {
      const known = options.asking?.(endpoint);
      return known === undefined ? [] : rowsAsked(known, from, to);
    },
    requests,
  };
}

/** A tenth of the requests of a tick are of users who have met nothing bad yet; half of these are new. */
function usersOf(counts: Tick['counts']): Readonly<Record<string, UserCounts>> {
  return Object.fromEntries(
    Object.entries(counts).map(([name, { requests, bad }]) => {
      const of = (count: number) => ({ atRisk: Math.ceil(requests / 10), bad: Math.floor(count / 10) });
      return [
        name,
        { assigned: Math.round(requests / 20), bad: byMeasure(Object.keys(bad), (by) => of(bad[by] ?? 0)) },
      ];
    }),
  );
}

/** The copies of what the deployments with weight answered; both sides fail independently. */
function pairsOf(
  spans: readonly Span[],
  measures: readonly string[],
  { failing, slower, wrong, higher: shifted }: Behaviour,
): Readonly<Record<string, PairCounts>> {
  const found: Record<string, PairCounts> = {};
  for (const mirror of new Set(spans.flatMap(({ route }) => route.mirror?.deployment ?? []))) {
    const sum = (share: (served: string, weights: Weights) => number): number =>
      spans.reduce((total, { route, arms }) => {
        const copied = route.mirror?.deployment === mirror ? route.mirror.percent / 100 : 0;
        const parts = Object.entries(arms).map(([served, range]) => part(range, copied * share(served, route.weights)));
        return total + parts.reduce((all, one) => all + one, 0);
      }, 0);
    const pairs = sum(() => 1);
    const discordant = (bad: (name: string, weights: Weights) => number) => {
      const ours = sum((served, weights) => bad(mirror, weights) * (1 - bad(served, weights)));
      const theirs = sum((served, weights) => bad(served, weights) * (1 - bad(mirror, weights)));
      return { mirror: ours, served: Math.min(theirs, pairs - ours) };
    };
    const higher = sum((served) => (wrong(mirror) + wrong(served)) / 4 + shifted(mirror));
    const lower = sum((served) => (wrong(mirror) + wrong(served)) / 4);
    found[mirror] = {
      ...{ pairs, dropped: 0 },
      bad: byMeasure(measures, (measure) =>
        discordant((name, weights) =>
          measure === errors
            ? failing(name, weights)
            : (1 - failing(name, weights)) * Math.min(1, shareSlower(measure) * slower(name, 0)),
        ),
      ),
      predictions: { higher, lower, equal: Math.max(0, pairs - higher - lower) },
    };
  }
  return found;
}

/** Who had been met when. */
interface Meeting {
  readonly until: number;
  readonly met: Met;
}
/** Windows and meetings. */
const remembered = 60;

const none = { from: 0, to: 0 };
const nextTick = (time: number, tickMs: number): number => (Math.floor(time / tickMs) + 1) * tickMs;
