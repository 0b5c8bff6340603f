import { errors } from '@serin/core/base/measures';
import type { Behaviour, Route } from './traffic.ts';

/** Who sends the requests of an endpoint, where they are drawn one by one. */
export interface People {
  /** The same seed draws the same requests. */
  readonly seed: number;
  /** How many users there are; a few of them send most of the requests. */
  readonly users: number;
  /** A user is sent where its bucket belongs, at every weight; else each request is routed by a coin of its own. */
  readonly sticky?: boolean;
  /** Share of the requests by segment; the rest is of no known segment. */
  readonly segments?: Readonly<Record<string, number>>;
  /** The share of the requests of a deployment that fail; absent: as the models have it. */
  readonly failing?: (deployment: string, sender: Sender) => number;
  /** Of the failures of one answer to a mirrored request, the share that is the other's as well. */
  readonly sharedFailures?: number;
  /** The share of the requests of a deployment that gets a label; absent: as `labelled` has it. */
  readonly labelled?: (deployment: string) => number;
  /** The loss that a label tells, in [0, 1], from an even number in [0, 1); absent: labels say right or wrong. */
  readonly loss?: (deployment: string, drawn: number) => number;
}

interface Sender {
  /** Of 0 to 1: a constant of the user, evenly spread. */
  readonly trait: number;
  readonly segment?: string;
}

/** What one model made of a request. */
export interface Answer {
  readonly fails: boolean;
  /** The smaller, the slower: it is slower than any threshold whose share of the champion's requests is above it. */
  readonly place: number;
  readonly wrong: boolean;
}

/** One request, and all that ever happens to it. */
export interface Request extends Answer {
  readonly at: number;
  readonly user: number;
  readonly segment?: string;
  readonly deployment: string;
  /** Percent of that deployment when the request was routed. */
  readonly weight: number;
  /** When its label is told; absent: never. */
  readonly labelAt?: number;
  readonly loss?: number;
  readonly mirror?: Answer & { readonly deployment: string };
}

export interface Drawing {
  readonly people: People;
  readonly behaviour: Behaviour;
  readonly labelled: { readonly share: number; readonly takeMs: number };
}

/** The requests that came in `[from, to)` under one route. The same window always has the same. */
export function requestsIn(route: Route, from: number, to: number, drawing: Drawing): readonly Request[] {
  const { perMinute } = drawing.behaviour;
  const numberAt = (time: number): number => Math.ceil((time / minuteMs) * perMinute);
  const found: Request[] = [];
  for (let number = numberAt(from); number < numberAt(to); number += 1)
    found.push(requestOf(number, (number * minuteMs) / perMinute, route, drawing));
  return found;
}

const minuteMs = 60_000;

/** What is drawn of a request and of a user, each from a number of its own. */
const draws = {
  ...{ user: 1, coin: 2, segment: 3, fails: 4, place: 5, wrong: 6, label: 7, delay: 8, loss: 9, copy: 10, shared: 11 },
  ...{ mirrorFails: 12, mirrorPlace: 13, mirrorWrong: 14, bucket: 15, trait: 16 },
} as const;

function requestOf(number: number, at: number, route: Route, { people, behaviour, labelled }: Drawing): Request {
  const draw = (what: keyof typeof draws, of = number): number => drawn(people.seed, of, draws[what]);
  const user = Math.floor(people.users * draw('user') ** 2);
  const deployment = routedTo(behaviour.routed(route.weights), people.sticky ? draw('bucket', user) : draw('coin'));
  const segment = segmentAt(people.segments, draw('segment'));
  const sender = { trait: draw('trait', user), ...(segment === undefined ? {} : { segment }) };
  const answer = (name: string, { fails, place, wrong }: Record<'fails' | 'place' | 'wrong', number>): Answer => ({
    fails: fails < (people.failing?.(name, sender) ?? behaviour.failing(name, route.weights)),
    place: place / behaviour.slower(name, at - route.at),
    wrong: wrong < behaviour.wrong(name),
  });
  const own = { fails: draw('fails'), place: draw('place'), wrong: draw('wrong') };
  const isCopied = route.mirror !== undefined && draw('copy') < route.mirror.percent / 100;
  const isShared = draw('shared') < (people.sharedFailures ?? 0);
  const other = isShared ? own : { fails: draw('mirrorFails'), place: draw('mirrorPlace'), wrong: draw('mirrorWrong') };
  return {
    ...{ at, user, deployment, weight: route.weights[deployment] ?? 0 },
    ...(segment === undefined ? {} : { segment }),
    ...answer(deployment, own),
    ...(draw('label') < (people.labelled?.(deployment) ?? labelled.share)
      ? { labelAt: at + labelled.takeMs * draw('delay') }
      : {}),
    ...(people.loss === undefined ? {} : { loss: people.loss(deployment, draw('loss')) }),
    ...(isCopied && route.mirror !== undefined
      ? { mirror: { deployment: route.mirror.deployment, ...answer(route.mirror.deployment, other) } }
      : {}),
  };
}

/** The newest deployments have the lowest buckets, so a user goes to the candidate once, when its weight rises. */
function routedTo(weights: Route['weights'], bucket: number): string {
  let left = bucket * Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const names = Object.keys(weights).sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)));
  for (const name of names) {
    left -= weights[name] ?? 0;
    if (left < 0) return name;
  }
  return names.at(-1) ?? '';
}

function segmentAt(segments: People['segments'] = {}, place: number): string | undefined {
  let left = place;
  for (const [name, share] of Object.entries(segments)) {
    left -= share;
    if (left < 0) return name;
  }
  return undefined;
}

export const isBad = ({ fails, place }: Answer, measure: string, shareSlower: (measure: string) => number): boolean =>
  measure === errors ? fails : place < shareSlower(measure);

/** In [0, 1), as even as it gets: of the same numbers always the same. */
function drawn(seed: number, number: number, what: number): number {
  let mixed =
    Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35) ^ Math.imul(what, 0x27d4eb2f);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32;
}
