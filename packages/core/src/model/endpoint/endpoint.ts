import { canonical } from '../../base/json.ts';
import type { Table } from '../../base/table.ts';
import { day, durationText, minute, second } from '../../base/time.ts';
import type { Deployment, Mirror, Observation, Operation, Weights } from '../../ports/serving.ts';
import type { Effect } from '../effect.ts';
import type { ModelSignal, SignalOf } from '../signal.ts';
import { deploymentName, versionOfName } from '../version.ts';

/** What the endpoint should be: derived from rollout and champion, never stored by hand. */
export interface Desired {
  /** Versions that must have capacity. */
  readonly versions: readonly number[];
  /** Percent by version; `{}`: nothing is served. */
  readonly weights: Readonly<Record<string, number>>;
  /** A version without weight that gets a copy of some requests. */
  readonly mirror?: { readonly version: number; readonly percent: number };
  /** While a rollout is under way other deployments are left alone. */
  readonly extras: 'keep' | 'retire';
  /** A revert is done when the weights are, whatever capacity is still there. */
  readonly urgent: boolean;
  /** Versions that must be ready before the wish is fulfilled. */
  readonly needs: readonly number[];
}

interface Base {
  readonly desired: Desired;
  /** When `desired` last changed. */
  readonly since: number;
  readonly looks: number;
  readonly lookAt: number;
  /** The last observation, for people: what really served. */
  readonly weights: Weights;
  /** At the last look the provider was still at it, or a deployment not ready yet. */
  readonly underWay?: true;
  /** Deployments that were not ready at the last look, and why, where that is known. */
  readonly unready?: Readonly<Record<string, string>>;
  /** The last forward write that is not known to have ended: until then it may still land. */
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

export const nothingDesired: Desired = { versions: [], weights: {}, extras: 'retire', urgent: false, needs: [] };
export const endpointStart = (at: number): Endpoint => ({
  status: 'absent',
  desired: nothingDesired,
  since: at,
  looks: 0,
  lookAt: at,
  weights: {},
});

/** The same endpoint with another wish: `forward` remembers a write that may still land. */
export function wishing(endpoint: Endpoint, desired: Desired, at: number, forward?: Base['forward']): Endpoint {
  if (canonical(endpoint.desired) === canonical(desired)) return endpoint;
  return {
    status: 'converging',
    desired,
    since: at,
    looks: 0,
    lookAt: at,
    weights: endpoint.weights,
    ...keep(forward ?? endpoint.forward),
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
    endpointObserved: observed,
    endpointChanged: changed,
    endpointHinted: (endpoint, { at }) =>
      endpoint.operation === undefined && endpoint.lookAt > at ? { ...endpoint, lookAt: at } : endpoint,
    effectRefused: (endpoint, { at, because }) => blocked(endpoint, at, because),
    clockTicked: (endpoint, { at }) =>
      at >= blockedAt(endpoint)
        ? blocked(endpoint, at, `not as wanted after ${durationText(at - endpoint.since)}`, longestPauseMs)
        : endpoint,
  },
  converged: {
    endpointObserved: observed,
    endpointChanged: 'ignore',
    endpointHinted: (endpoint, { at }) => (endpoint.lookAt > at ? { ...endpoint, lookAt: at } : endpoint),
    effectRefused: (endpoint, { at }) => ({ ...endpoint, lookAt: at + 15 * minute }),
    clockTicked: 'ignore',
  },
  blocked: {
    endpointObserved: observed,
    endpointChanged: changed,
    endpointHinted: (endpoint, { at }) => (endpoint.lookAt > at ? { ...endpoint, lookAt: at } : endpoint),
    effectRefused: (endpoint, { at, because }) => blocked(endpoint, at, because),
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

/**
 * The one next operation on the way from what is to what should be; `undefined`: nothing to do, or wait.
 *
 * Capacity before weight (only a weight that rises needs a ready deployment); weight zero before retire; nothing is retired while a canary holds weight. Pure, so every
 * walk from any observation ends at the wish (a test walks them).
 */
export function nextOperation(
  observation: Observation | 'absent',
  desired: Desired,
  deployment: (version: number) => Deployment | undefined,
): Operation | undefined {
  const seen = observation === 'absent' ? nothingSeen : observation;
  const status = (version: number) => seen.deployments.find(({ name }) => name === deploymentName(version))?.status;
  const wanted = namedWeights(desired);
  const rising = Object.keys(wanted).filter((name) => (wanted[name] ?? 0) > (seen.weights[name] ?? 0));
  const mirror = namedMirror(desired);
  const mirrored = mirror === undefined || status(desired.mirror?.version ?? 0) === 'ready';
  if (!asRouted(seen, desired) && mirrored && rising.every((name) => status(versionOfName(name)) === 'ready')) {
    return { kind: 'weigh', weights: wanted, ...(mirror === undefined ? {} : { mirror }) };
  }
  const missing = desired.versions.find((version) => status(version) === undefined);
  if (missing !== undefined) {
    const spec = deployment(missing);
    return spec === undefined ? undefined : { kind: 'deploy', deployment: spec };
  }
  const canary = Object.values(seen.weights).filter((weight) => weight > 0).length > 1;
  // One that failed with the smaller part of the traffic gives it up, so that it can be made anew.
  const lame = Object.entries(seen.weights).find(
    ([name, weight]) =>
      weight > 0 && weight < 50 && wanted[name] !== undefined && status(versionOfName(name)) === 'failed',
  );
  const sound = Object.keys(seen.weights).find((name) => name !== lame?.[0] && status(versionOfName(name)) === 'ready');
  if (lame !== undefined && sound !== undefined) return { kind: 'weigh', weights: { [sound]: 100 } };
  // A deployment that failed for good is taken away before it can be tried again.
  const failed = desired.versions.find(
    (version) => status(version) === 'failed' && !(seen.weights[deploymentName(version)] ?? 0),
  );
  const needed = failed !== undefined && (desired.extras === 'retire' || (desired.weights[String(failed)] ?? 0) > 0);
  if (needed && !canary) return { kind: 'retire', deployment: deploymentName(failed) };
  if (desired.extras === 'keep' || canary) return undefined;
  const extra = seen.deployments.find(
    ({ name }) => !desired.versions.some((version) => deploymentName(version) === name) && !(seen.weights[name] ?? 0),
  );
  return extra === undefined ? undefined : { kind: 'retire', deployment: extra.name };
}

const nothingSeen: Observation = { deployments: [], weights: {}, busy: false };

const namedMirror = ({ mirror }: Desired): Mirror | undefined =>
  mirror === undefined ? undefined : { deployment: deploymentName(mirror.version), percent: mirror.percent };
const asRouted = (seen: Observation, desired: Desired): boolean =>
  canonical(seen.weights) === canonical(namedWeights(desired)) &&
  canonical(seen.mirror ?? {}) === canonical(namedMirror(desired) ?? {});

const namedWeights = (desired: Desired): Weights =>
  Object.fromEntries(
    Object.entries(desired.weights).map(([version, weight]) => [deploymentName(Number(version)), weight]),
  );

/** Is the wish fulfilled? */
export function fulfilled(observation: Observation | 'absent', desired: Desired): boolean {
  const seen = observation === 'absent' ? nothingSeen : observation;
  if (seen.busy || !asRouted(seen, desired)) return false;
  const ready = (version: number) =>
    seen.deployments.some(({ name, status }) => name === deploymentName(version) && status === 'ready');
  if (desired.urgent) return true;
  if (!desired.needs.every(ready)) return false;
  return desired.extras === 'keep' || seen.deployments.length === desired.versions.length;
}

const isUnderWay = (observation: Observation | 'absent'): boolean =>
  observation !== 'absent' && (observation.busy || observation.deployments.some(({ status }) => status === 'pending'));

function observed(
  endpoint: Exclude<Endpoint, { status: 'absent' }>,
  { at, begunAt, observation }: SignalOf<'endpointObserved'>,
  { deployment }: EndpointContext,
): Endpoint {
  const { forward, ...rest } = endpoint;
  const weights = observation === 'absent' ? {} : observation.weights;
  const landed = forward === undefined || begunAt >= forward.until;
  const base: Base = {
    ...bare(rest),
    weights,
    looks: endpoint.looks + 1,
    lookAt: at,
    ...(landed ? {} : keep(forward)),
    ...(isUnderWay(observation) ? { underWay: true as const } : {}),
    ...unreadyIn(observation),
  };
  if (fulfilled(observation, endpoint.desired)) {
    // A forward write may still land: look again once it cannot any more.
    if (!landed && forward !== undefined) return { ...base, status: 'converging', lookAt: forward.until };
    return converged(endpoint, base, at, observation === 'absent');
  }
  const again = at + Math.round(Math.min(longestPauseMs, 250 * 1.5 ** Math.min(endpoint.looks, 12)));
  const changedOutside = endpoint.status === 'converged';
  const state = { ...base, ...(changedOutside ? { since: at, looks: 0 } : {}) };
  const operation =
    observation !== 'absent' && observation.busy ? undefined : nextOperation(observation, endpoint.desired, deployment);
  const waiting = operation === undefined ? { lookAt: again } : { operation: slim(operation) };
  if (endpoint.status === 'blocked')
    return {
      ...state,
      status: 'blocked',
      because: endpoint.because,
      ...waiting,
      lookAt: operation === undefined ? again : at,
    };
  return { ...state, status: 'converging', ...waiting };
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

function changed(
  endpoint: Extract<Endpoint, { status: 'converging' | 'blocked' }>,
  { at, answer }: SignalOf<'endpointChanged'>,
): Endpoint {
  const { operation: _, ...rest } = endpoint;
  // Orders that are taken and change nothing are given ever more slowly.
  const pause = answer === 'busy' ? second : endpoint.looks < promptLooks ? 0 : longestPauseMs;
  return { ...rest, looks: endpoint.looks + 1, lookAt: at + pause } as Endpoint;
}

function converged(before: Endpoint, base: Base, at: number, isAbsent: boolean): Endpoint {
  const upcoming =
    before.status === 'converged' ? before.upcoming.filter((time) => time > at) : looksAfter.map((after) => at + after);
  if (isAbsent && base.desired.versions.length === 0 && upcoming.length === 0) return { ...base, status: 'absent' };
  return { ...base, status: 'converged', upcoming, lookAt: upcoming[0] ?? at + day };
}

/** Still retried, and announced; what was refused ever more slowly. */
function blocked(
  endpoint: Extract<Endpoint, { status: 'converging' | 'blocked' }>,
  at: number,
  because: string,
  pause = Math.min(15 * minute, 30 * second * 2 ** Math.min(endpoint.looks, 5)),
): Endpoint {
  return {
    ...bare(endpoint),
    ...keep(endpoint.forward),
    status: 'blocked',
    because,
    looks: endpoint.looks + 1,
    lookAt: at + pause,
  };
}

const bare = ({ desired, since, looks, lookAt, weights }: Base): Base => ({ desired, since, looks, lookAt, weights });
const keep = (forward: Base['forward']): { readonly forward?: NonNullable<Base['forward']> } =>
  forward === undefined ? {} : { forward };

/** A stored deploy order holds the name alone; the whole spec is in the version. */
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
