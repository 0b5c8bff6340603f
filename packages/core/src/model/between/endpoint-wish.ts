import { defined } from '../../base/objects.ts';
import { step } from '../../base/table.ts';
import type { ModelPlan } from '../../config/config.ts';
import type { Capture } from '../../ports/captured.ts';
import type { Deployment } from '../../ports/serving.ts';
import { type Endpoint, wishing } from '../endpoint/endpoint.ts';
import { type Desired, nothingDesired } from '../endpoint/wish.ts';
import { candidateWeight, mirroredShare } from '../rollout/state.ts';
import { rolloutTable } from '../rollout/table.ts';
import type { Model, Moment } from '../state.ts';
import { deploymentName, versionOf } from '../version.ts';

/** What the endpoint should be, from the rollout and the champion. */
export function desiredOf(model: Model): Desired {
  const { rollout, champion } = model;
  if (rollout !== undefined && !('endedAt' in rollout)) {
    const { stable, candidate } = rollout;
    const home = stable === undefined ? {} : { [String(stable)]: 100 };
    if (rollout.status === 'reverting')
      return { versions: stable === undefined ? [] : [stable], weights: home, extras: 'keep', urgent: true, needs: [] };
    // A first version is routed as soon as it is ready: a platform whose only deployment is served at once does so by itself.
    const weight = stable === undefined ? 100 : candidateWeight(rollout);
    const rest = stable === undefined || weight === 100 ? {} : { [String(stable)]: 100 - weight };
    const weights = { ...rest, ...(weight === 0 ? {} : { [String(candidate)]: weight }) };
    const mirrored = mirroredShare(rollout);
    return {
      ...(mirrored === 0 ? {} : { mirror: { version: candidate, percent: mirrored } }),
      versions: [...(stable === undefined ? [] : [stable]), candidate],
      weights,
      extras: 'keep',
      urgent: false,
      needs: [candidate],
    };
  }
  const version = versionOf(model.versions, champion);
  if (version === undefined || version.serve === 'none') return nothingDesired;
  return {
    versions: [version.number],
    weights: { [String(version.number)]: 100 },
    extras: 'retire',
    urgent: false,
    needs: [version.number],
  };
}

/** A rollout only sets what the endpoint should be. A write that is still under way may land late: that is remembered. */
export function wishForEndpoint(model: Model, { at }: Moment): Model {
  const open = Object.entries(model.debts).find(
    ([key, debt]) => key.startsWith('endpoint/change/') && debt.by !== undefined,
  );
  const forward =
    open === undefined ? undefined : { key: `${open[0]}#${open[1].taken}`, until: open[1].until + 30_000 };
  const desired = desiredOf(model);
  if (model.endpoint.status === 'absent' && desired.versions.length === 0 && model.endpoint.desired === desired)
    return model;
  const endpoint = wishing(model.endpoint, desired, at, forward);
  return endpoint === model.endpoint ? model : { ...model, endpoint };
}

export function passOnConverged(model: Model, { at }: Moment): Model {
  const { rollout, endpoint } = model;
  if (
    rollout === undefined ||
    !isThere(endpoint) ||
    !['deploying', 'shifting', 'promoting', 'reverting'].includes(rollout.status)
  )
    return model;
  const moved = step(rolloutTable, rollout, { type: 'endpointConverged', at }, { frozen: model.freeze !== undefined });
  return 'moved' in moved ? { ...model, rollout: moved.moved } : model;
}

const isThere = (endpoint: Endpoint): boolean => endpoint.status === 'converged' || endpoint.status === 'absent';

/** The deployment of a version, as its rollout's plan and its own frozen program say. */
export function deploymentOf(model: Model, number: number): Deployment | undefined {
  const version = versionOf(model.versions, number);
  if (version === undefined || version.serve === 'none') return undefined;
  const { code, image, command, environment, compute } = version.serve;
  return {
    name: deploymentName(number),
    version: number,
    artifact: version.artifact,
    command,
    environment,
    ...defined({ code, image, capture: captureOf(model.plan) }),
    instances: compute.instances,
    compute: { nodes: 1, spot: false, ...defined({ accelerator: compute.accelerator }) },
    readyTimeoutMs: model.plan.rollout.readyWithin,
  };
}

/** A share of nothing is no capture. */
function captureOf({ monitor: { capture } }: ModelPlan): Capture | undefined {
  const percent = Number.parseFloat(capture?.share ?? '0');
  if (capture === undefined || percent === 0) return undefined;
  return { percent, fields: capture.fields, keepMs: capture.keep, atMostBytes: capture.atMost };
}
