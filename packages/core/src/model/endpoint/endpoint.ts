import { canonical } from '../../base/json.ts';
import { defined } from '../../base/objects.ts';
import type { Table } from '../../base/table.ts';
import { day, durationText, minute, second } from '../../base/time.ts';
import type { Deployment, Observation, Operation, Weights } from '../../ports/serving.ts';
import type { Effect, ModelSignal, SignalOf } from '../protocol.ts';
import { versionOfName } from '../version.ts';
import { type Desired, firstOperation, isFulfilled, nextOperation, nothingDesired } from './wish.ts';

interface Base {
  readonly desired: Desired;
  /** When `desired` last changed. */
  readonly since: number;
  /** How often the endpoint was looked at, or written to, since then. */
  readonly looks: number;
  readonly lookAt: number;
  /** The last observation, for people: what really served. */
  readonly weights: Weights;
  /** At the last look the provider was still at it, or a deployment not ready yet. */
  readonly underWay?: true;
  /** Deployments that were not ready at the last look, and why, where that is known. */
  readonly unready?: Readonly<Record<string, string>>;
  /** The last write of an earlier wish that is not known to have ended: until then it may still land. */
  readonly forward?: { readonly key: string; readonly until: number };
}

/** The one owner of calls to Serving. A status names what is waited for. */
export type Endpoint =
  | (Base & { readonly status: 'absent' })
  | (Base & { readonly status: 'converging'; readonly operation?: Operation })
  | (Base & { readonly status: 'converged'; readonly upcoming: readonly number[] })
  | (Base & { readonly status: 'blocked'; readonly operation?: Operation; readonly because: string });

export interface EndpointContext {
  /** The spec of a version's deployment. */
  readonly deployment: (version: number) => Deployment | undefined;
  readonly model: string;
}

/** After the last write the endpoint is looked at again, so that a write that landed late is put right. */
const looksAfter = [minute, 5 * minute, 15 * minute, 60 * minute];
const blockedAfterMs = 15 * minute;
/** On a cloud one change can take half an hour. */
const blockedAtWorkAfterMs = 60 * minute;
const longestPauseMs = 15 * second;
/** No way to a wish takes more looks than this without waiting for the provider. */
const promptLooks = 20;

export const endpointStart = (at: number): Endpoint => ({
  status: 'absent',
  desired: nothingDesired,
  since: at,
  looks: 0,
  lookAt: at,
  weights: {},
});

/**
 * The same endpoint with another wish: `forward` remembers a write that may still land.
 *
 * A revert whose weights are known is written at once and looked at afterwards.
 */
export function wishing(endpoint: Endpoint, desired: Desired, at: number, forward = endpoint.forward): Endpoint {
  if (canonical(endpoint.desired) === canonical(desired)) return endpoint;
  const operation = firstOperation(endpoint, desired);
  return {
    status: 'converging',
    ...{ desired, since: at, looks: 0, lookAt: at, weights: endpoint.weights },
    ...defined({ forward, operation }),
  };
}

export const endpointTable: Table<Endpoint, ModelSignal, EndpointContext> = {
  absent: {
    endpointHinted: 'ignore',
    clockTicked: 'ignore',
    endpointObserved: 'ignore',
    endpointChanged: 'ignore',
    effectRefused: 'ignore',
  },
  converging: {
    endpointObserved: observe,
    endpointChanged: noteAnswer,
    endpointHinted: lookSooner,
    // What was written unseen may be impossible by now: the endpoint is looked at, and what is possible is written.
    effectRefused: (endpoint, { at, because }) =>
      isUnseen(endpoint) ? lookNext(endpoint, at) : block(endpoint, at, because),
    clockTicked: (endpoint, { at }) =>
      at >= blockedAt(endpoint)
        ? block(endpoint, at, `not as wanted after ${durationText(at - endpoint.since)}`, longestPauseMs)
        : endpoint,
  },
  converged: {
    endpointObserved: observe,
    endpointChanged: 'ignore',
    endpointHinted: lookSooner,
    effectRefused: (endpoint, { at }) => ({ ...endpoint, lookAt: at + 15 * minute }),
    clockTicked: 'ignore',
  },
  blocked: {
    endpointObserved: observe,
    endpointChanged: noteAnswer,
    endpointHinted: lookSooner,
    effectRefused: (endpoint, { at, because }) => block(endpoint, at, because),
    clockTicked: 'ignore',
  },
};

/** What the endpoint owes while it waits: one operation, or a look. */
export function endpointOwes(
  endpoint: Endpoint,
  now: number,
  { model, deployment }: EndpointContext,
): readonly Effect[] {
  if (endpoint.status === 'absent') return [];
  const key = `${endpoint.since}.${endpoint.looks}`;
  const operation = 'operation' in endpoint ? endpoint.operation : undefined;
  if (operation !== undefined && now >= endpoint.lookAt) {
    const whole =
      operation.kind === 'deploy'
        ? (deployment(versionOfName(operation.deployment.name)) ?? operation.deployment)
        : undefined;
    return [
      {
        key: `endpoint/change/${key}`,
        kind: 'change',
        endpoint: model,
        operation: whole === undefined ? operation : { kind: 'deploy', deployment: whole },
        falling: endpoint.desired.urgent,
      },
    ];
  }
  return now >= endpoint.lookAt ? [{ key: `endpoint/observe/${key}`, kind: 'observe', endpoint: model }] : [];
}

export function endpointWakes(endpoint: Endpoint): number | undefined {
  if (endpoint.status === 'absent') return undefined;
  return endpoint.status === 'converging' ? Math.min(endpoint.lookAt, blockedAt(endpoint)) : endpoint.lookAt;
}

const blockedAt = ({ since, underWay, desired }: Base): number =>
  since + (underWay && !desired.urgent ? blockedAtWorkAfterMs : blockedAfterMs);

const isUnderWay = (observation: Observation | 'absent'): boolean =>
  observation !== 'absent' && (observation.busy || observation.deployments.some(({ status }) => status === 'pending'));

/** What is fulfilled rests; on the way to the wish the next operation is given, or the next look planned. */
function observe(
  endpoint: Exclude<Endpoint, { status: 'absent' }>,
  { at, begunAt, observation }: SignalOf<'endpointObserved'>,
  { deployment }: EndpointContext,
): Endpoint {
  const { forward, desired } = endpoint;
  const mayLand = forward !== undefined && begunAt < forward.until;
  const seen: Base = {
    ...bare(endpoint),
    weights: observation === 'absent' ? {} : observation.weights,
    looks: endpoint.looks + 1,
    lookAt: at,
    ...(mayLand ? { forward } : {}),
    ...(isUnderWay(observation) ? { underWay: true as const } : {}),
    ...unreadyIn(observation),
  };
  if (isFulfilled(observation, desired)) {
    // A write that may still land is waited for, and looked after.
    if (mayLand) return { ...seen, status: 'converging', lookAt: forward.until };
    return converge(endpoint, seen, at, observation === 'absent');
  }
  const changedOutside = endpoint.status === 'converged';
  const state = { ...seen, ...(changedOutside ? { since: at, looks: 1 } : {}) };
  const isBusy = observation !== 'absent' && observation.busy;
  const operation = isBusy ? undefined : nextOperation(observation, desired, deployment);
  const again = at + Math.round(Math.min(longestPauseMs, 250 * 1.5 ** Math.min(endpoint.looks, 12)));
  const next = operation === undefined ? { lookAt: again } : { operation: slim(operation) };
  return endpoint.status === 'blocked'
    ? { ...state, status: 'blocked', because: endpoint.because, ...next }
    : { ...state, status: 'converging', ...next };
}

/**
 * The write of an earlier wish has ended. A look that began before it did may not show what it wrote, so the answer of
 * that look counts for nothing: the next one has another key.
 */
export function endForward(endpoint: Endpoint, at: number): Endpoint {
  const { forward: _, ...rest } = endpoint;
  const looksAgain = endpoint.status !== 'absent' && !('operation' in endpoint);
  // The compiler loses which status has what once a field is taken out of the union.
  return (looksAgain ? { ...rest, looks: endpoint.looks + 1, lookAt: at } : rest) as Endpoint;
}

/** An operation is given as soon as it is decided: what a hint brings forward is a look. */
function lookSooner<Here extends Endpoint>(endpoint: Here, { at }: SignalOf<'endpointHinted'>): Here {
  return endpoint.lookAt > at ? { ...endpoint, lookAt: at } : endpoint;
}

/** Whether what is to be written was decided without a look. */
const isUnseen = ({ looks, operation }: Extract<Endpoint, { status: 'converging' }>): boolean =>
  looks === 0 && operation !== undefined;

/** Drops the operation, done or not: the next thing is a look. */
function lookNext(endpoint: Extract<Endpoint, { status: 'converging' | 'blocked' }>, at: number): Endpoint {
  const { operation: _, ...rest } = endpoint;
  // The compiler loses which status has a reason once a field is taken out of the union.
  return { ...rest, looks: endpoint.looks + 1, lookAt: at } as Endpoint;
}

const longestReason = 500;

function unreadyIn(observation: Observation | 'absent'): Pick<Base, 'unready'> {
  if (observation === 'absent') return {};
  const reasons = observation.deployments.flatMap(({ name, status, reason }) =>
    status === 'ready' || reason === undefined ? [] : [[name, reason.slice(0, longestReason)] as const],
  );
  return reasons.length === 0 ? {} : { unready: Object.fromEntries(reasons) };
}

/** In words, for people: one line each. */
export const unreadyText = ({ unready = {} }: Endpoint): readonly string[] =>
  Object.entries(unready).map(([name, reason]) => `${name} is not ready: ${reason.replaceAll(/\s+/g, ' ').trim()}`);

function noteAnswer(
  endpoint: Extract<Endpoint, { status: 'converging' | 'blocked' }>,
  { at, answer }: SignalOf<'endpointChanged'>,
): Endpoint {
  // Orders that are accepted and change nothing are given with growing pauses.
  const pause = answer === 'busy' ? second : endpoint.looks < promptLooks ? 0 : longestPauseMs;
  return lookNext(endpoint, at + pause);
}

function converge(before: Endpoint, base: Base, at: number, isAbsent: boolean): Endpoint {
  const upcoming =
    before.status === 'converged' ? before.upcoming.filter((time) => time > at) : looksAfter.map((after) => at + after);
  if (isAbsent && base.desired.versions.length === 0 && upcoming.length === 0) return { ...base, status: 'absent' };
  return { ...base, status: 'converged', upcoming, lookAt: upcoming[0] ?? at + day };
}

/** It is retried and announced. After a refusal the pauses grow. */
function block(
  endpoint: Extract<Endpoint, { status: 'converging' | 'blocked' }>,
  at: number,
  because: string,
  pause = Math.min(15 * minute, 30 * second * 2 ** Math.min(endpoint.looks, 5)),
): Endpoint {
  return {
    ...bare(endpoint),
    ...defined({ forward: endpoint.forward }),
    status: 'blocked',
    because,
    looks: endpoint.looks + 1,
    lookAt: at + pause,
  };
}

const bare = ({ desired, since, looks, lookAt, weights }: Base): Base => ({ desired, since, looks, lookAt, weights });

/** A stored deploy order holds only the name; the whole spec is in the version. */
function slim(operation: Operation): Operation {
  if (operation.kind !== 'deploy') return operation;
  const { name, version, artifact } = operation.deployment;
  return { kind: 'deploy', deployment: { ...emptyDeployment, name, version, artifact } };
}

const emptyDeployment = {
  command: [],
  environment: {},
  instances: { min: 1, max: 1 },
  compute: { nodes: 1, spot: false },
  readyTimeoutMs: 0,
};
