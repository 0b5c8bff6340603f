import type { Mirror, Weights } from '@serin/core/ports/serving';

/** How an endpoint routes from a time on. */
export interface Route {
  readonly at: number;
  readonly weights: Weights;
  readonly mirror?: Mirror;
  /** Set by a write that its caller had given up: nobody knew of it. */
  readonly isStray: boolean;
}

/** What the models are like. Each is a share of the requests of a deployment, or a factor of its champion's. */
export interface Behaviour {
  readonly perMinute: number;
  readonly failing: (deployment: string, weights: Weights) => number;
  /** How many times as many of its requests are slower than any threshold, so long after the weights were set. */
  readonly slower: (deployment: string, ageMs: number) => number;
  /** `at`: when the tick began, where labels of a tick are asked for. */
  readonly wrong: (deployment: string, at?: number) => number;
  /** Of mirrored requests the share in which its prediction is higher, and the other's is not wrong. */
  readonly higher: (deployment: string) => number;
  /** What a gateway makes of its weights; the weights themselves, as a rule. */
  readonly routed: (weights: Weights) => Weights;
}

/** The requests of one deployment with these numbers, counted since its endpoint began. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What came under one route, by deployment. */
export interface Span {
  readonly route: Route;
  readonly arms: Readonly<Record<string, Range>>;
}

export interface Traffic {
  /** From now on requests are routed so. */
  routed(endpoint: string, route: Route): void;
  spans(endpoint: string, from: number, to: number): readonly Span[];
  /** The parts of a window, each under one route. */
  windows(endpoint: string, from: number, to: number): readonly (Range & { readonly route: Route })[];
  /** What held in any part of a window, in order. */
  routes(endpoint: string, from: number, to: number): readonly Route[];
}

/** Every 1/share-th of them: parts of a window add up, and none is larger than its whole. */
export const part = ({ from, to }: Range, share: number): number => Math.floor(to * share) - Math.floor(from * share);

const stepMs = 1000;

/** Requests that follow from how they were routed: the same window always has the same. */
export function evenTraffic({ perMinute, routed }: Pick<Behaviour, 'perMinute' | 'routed'>): Traffic {
  const changes = new Map<string, Route[]>();
  const secondsIn = (from: number, to: number): number =>
    Math.max(0, Math.ceil(to / stepMs) - Math.ceil(from / stepMs));

  function spans(endpoint: string, from: number, to: number): readonly Span[] {
    const all = changes.get(endpoint) ?? [];
    const come: Record<string, number> = {};
    const found: Span[] = [];
    for (const [index, route] of all.entries()) {
      if (route.at >= to) break;
      const end = Math.min(to, all[index + 1]?.at ?? to);
      const begin = Math.min(end, Math.max(from, route.at));
      const arms: Record<string, Range> = {};
      for (const [name, weight] of Object.entries(routed(route.weights))) {
        const perSecond = (perMinute * weight) / 6000;
        const until = (time: number): number => (come[name] ?? 0) + secondsIn(route.at, time) * perSecond;
        arms[name] = { from: Math.floor(until(begin)), to: Math.floor(until(end)) };
        come[name] = until(end);
      }
      if (begin < end) found.push({ route, arms });
    }
    return found;
  }

  return {
    spans,
    windows(endpoint, from, to) {
      const all = changes.get(endpoint) ?? [];
      return all
        .map((route, index) => ({
          ...{ route, from: Math.max(from, route.at) },
          to: Math.min(to, all[index + 1]?.at ?? to),
        }))
        .filter((window) => window.from < window.to && Object.keys(window.route.weights).length > 0);
    },
    routed(endpoint, route) {
      const all = changes.get(endpoint) ?? [];
      all.push(route);
      changes.set(endpoint, all);
    },
    routes(endpoint, from, to) {
      const all = changes.get(endpoint) ?? [];
      return all.filter(({ at }, index) => at < to && Math.min(to, all[index + 1]?.at ?? to) > Math.max(from, at));
    },
  };
}
