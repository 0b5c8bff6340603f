import { canonical } from '../../base/json.ts';
import type { Deployment, Mirror, Observation, Operation, Weights } from '../../ports/serving.ts';
import { deploymentName, versionOfName } from '../version.ts';

/** What the endpoint should be: derived from rollout and champion, never stored by hand. */
export interface Desired {
  /** Versions that must have capacity. */
  readonly versions: readonly number[];
  /** Percent by version; `{}`: nothing is served. */
  readonly weights: Readonly<Record<string, number>>;
  /** A version without weight that gets a copy of some requests. */
  readonly mirror?: { readonly version: number; readonly percent: number };
  /** While a rollout is under way other deployments are not touched. */
  readonly extras: 'keep' | 'retire';
  /** A revert. It is written at once where that is possible, and done when the weights are right, with any capacity. */
  readonly urgent: boolean;
  /** Versions that must be ready before the wish is fulfilled. */
  readonly needs: readonly number[];
}

export const nothingDesired: Desired = { versions: [], weights: {}, extras: 'retire', urgent: false, needs: [] };

/**
 * The one next operation on the way from what is to what should be; `undefined`: nothing to do, or wait.
 *
 * Capacity before weight (only a weight that rises needs a ready deployment); weight zero before retire; nothing is
 * retired while a canary holds weight. Pure, so every walk from any observation ends at the wish (a test walks them).
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
  // A deployment that failed with less than half of the traffic loses it, so that it can be made anew.
  const failing = Object.entries(seen.weights).find(
    ([name, weight]) =>
      weight > 0 && weight < 50 && wanted[name] !== undefined && status(versionOfName(name)) === 'failed',
  );
  const sound = Object.keys(seen.weights).find(
    (name) => name !== failing?.[0] && status(versionOfName(name)) === 'ready',
  );
  if (failing !== undefined && sound !== undefined) return { kind: 'weigh', weights: { [sound]: 100 } };
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

/**
 * The operation that a revert is begun with, before anybody looks: all weights at once, to deployments that held weight
 * at the last look and were not known to be unready. `undefined`: look first.
 *
 * It is right without a look before: `weigh` replaces all routing, and is refused where it is impossible.
 */
export function firstOperation(known: LastLook, desired: Desired): Operation | undefined {
  const weights = namedWeights(desired);
  const isKnown = (name: string) => (known.weights[name] ?? 0) > 0 && known.unready?.[name] === undefined;
  if (!desired.urgent || desired.mirror !== undefined || canonical(weights) === canonical(known.weights))
    return undefined;
  return Object.keys(weights).every(isKnown) ? { kind: 'weigh', weights } : undefined;
}

/** What the endpoint was at the last look. */
interface LastLook {
  readonly weights: Weights;
  readonly unready?: Readonly<Record<string, string>>;
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
export function isFulfilled(observation: Observation | 'absent', desired: Desired): boolean {
  const seen = observation === 'absent' ? nothingSeen : observation;
  if (seen.busy || !asRouted(seen, desired)) return false;
  const ready = (version: number) =>
    seen.deployments.some(({ name, status }) => name === deploymentName(version) && status === 'ready');
  if (desired.urgent) return true;
  if (!desired.needs.every(ready)) return false;
  return desired.extras === 'keep' || seen.deployments.length === desired.versions.length;
}
