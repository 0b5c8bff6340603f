import { asFault, Fault } from '@serin/core/base/fault';
import { defined } from '@serin/core/base/objects';
import { versionOfName } from '@serin/core/model/version';
import type { Mirror, Observation, Weights } from '@serin/core/ports/serving';
import { azureFault } from '../faults.ts';
import { deploymentName } from '../names.ts';
import { type Deployed, type Endpoint, type Endpoints, sharesOf } from './endpoints.ts';
import type { Step, Steps } from './steps.ts';

/** An endpoint as Azure ML says it is. */
export interface Hosted {
  readonly name: string;
  readonly endpoint?: Endpoint;
  readonly deployments: readonly Deployed[];
  /** What was begun last and came to nothing, and why. */
  readonly failed?: { readonly step: Step; readonly reason: string };
}

const changing = new Set(['Creating', 'Updating', 'Deleting']);
/** Of deployments: that one follows its load, or Azure renews its machines, must not hold up a revert. */
const begun = new Set(['Creating', 'Deleting']);
const lost = new Set(['Failed', 'Canceled']);

export const isBusy = ({ endpoint, deployments }: Hosted): boolean =>
  changing.has(endpoint?.properties.provisioningState ?? '') || deployments.some(({ state }) => begun.has(state));

/** There is none, or one that has to be put once more before anything is deployed to it. */
export const isLost = ({ endpoint }: Hosted): boolean =>
  endpoint === undefined || lost.has(endpoint.properties.provisioningState ?? '');

export const deployed = ({ deployments }: Hosted, name: string): Deployed | undefined =>
  deployments.find((deployment) => deployment.name === name);

const hasFailed = ({ state }: Deployed): boolean => lost.has(state);

export async function look(
  { endpoints, steps }: { readonly endpoints: Endpoints; readonly steps: Steps },
  name: string,
): Promise<Hosted> {
  const endpoint = await endpoints.describe(name);
  const deployments = endpoint === undefined ? [] : await endpoints.deployments(name);
  const hosted: Hosted = { name, ...(endpoint === undefined ? {} : { endpoint }), deployments };
  const step = isBusy(hosted) ? undefined : stepOf(hosted, await steps.last(name));
  const error = step === undefined || isDone(hosted, step) ? undefined : await failureOf(hosted, step, steps);
  if (step === undefined || error === undefined) return hosted;
  return { ...hosted, failed: { step, reason: azureFault(error, `${doing[step.kind]} ${step.deployment}`).message } };
}

/** Weights must be seen also when nobody can say why a deployment that is there has failed. */
async function failureOf(hosted: Hosted, step: Step, steps: Steps): Promise<Error | undefined> {
  try {
    return await steps.failure(step);
  } catch (error) {
    if (deployed(hosted, step.deployment) === undefined) throw error;
    return asFault(error);
  }
}

/** Of a deployment that failed it is known where its operation is looked at, also when nothing was noted. */
function stepOf({ deployments }: Hosted, noted: Step | undefined): Step | undefined {
  const failed = deployments.find(hasFailed);
  if (failed === undefined || failed.name === noted?.deployment) return noted;
  return { kind: 'deploy', deployment: failed.name, operation: failed.operation };
}

/** What is there does not have to be asked for. */
function isDone(hosted: Hosted, { kind, deployment }: Step): boolean {
  const found = deployed(hosted, deployment);
  return kind === 'create' ? !isLost(hosted) : found !== undefined && !hasFailed(found);
}

const doing: Readonly<Record<Step['kind'], string>> = {
  create: 'making the endpoint for',
  deploy: 'deploying',
};

/** The traffic as the core has it. */
export const weightsOf = ({ endpoint }: Hosted): Weights => sharesOf(endpoint?.properties.traffic);

export function mirrorOf({ endpoint }: Hosted): Mirror | undefined {
  const [first] = Object.entries(sharesOf(endpoint?.properties.mirrorTraffic));
  return first === undefined ? undefined : { deployment: first[0], percent: first[1] };
}

/** `invalid` for a deployment that no request can be routed to. */
export function checkReady(endpoint: string, name: string, hosted: Hosted): void {
  const found = deployed(hosted, name);
  if (found !== undefined && !hasFailed(found)) return;
  const why = found === undefined ? 'it is not deployed' : reasonOf(hosted, found);
  throw new Fault('invalid', `cannot route requests of ${endpoint} to ${name}: ${why}; deploy it, and wait for it`);
}

function reasonOf({ name: endpoint, failed }: Hosted, { name, state }: Deployed): string {
  const seen = `az ml online-deployment get-logs --endpoint-name ${endpoint} --name ${deploymentName(name)}`;
  const mend = `look into its log with \`${seen}\`; with serve.command, the image must run "$SERIN_START"`;
  const known = failed?.step.deployment === name ? failed.reason : `Azure ML says ${state}, and no reason`;
  return `${known}; ${mend}`;
}

const isOurs = ({ name }: Deployed): boolean => /^v[1-9]\d*$/.test(name);

/** What the core is told. `remark` is told with what is ready. */
export function observationOf(hosted: Hosted, remark?: string): Observation | 'absent' {
  const { endpoint, deployments, failed } = hosted;
  const isGone = failed !== undefined && !deployed(hosted, failed.step.deployment);
  if (endpoint === undefined && !isGone) return 'absent';
  const named = (name: string) => ({ name, version: versionOfName(name) });
  return {
    deployments: [
      ...deployments
        .filter((each) => isOurs(each) && each.state !== 'Deleting')
        .map((each) => ({ ...named(each.name), ...statusOf(hosted, each, remark) })),
      ...(isGone ? [{ ...named(failed.step.deployment), status: 'failed' as const, reason: failed.reason }] : []),
    ],
    // What a change that failed has left is told by nobody: all weights are to be set again.
    weights: isLost(hosted) ? {} : weightsOf(hosted),
    ...defined({ mirror: mirrorOf(hosted) }),
    busy: isBusy(hosted),
  };
}

function statusOf(hosted: Hosted, each: Deployed, remark: string | undefined) {
  if (each.state === 'Creating') return { status: 'pending' as const };
  if (hasFailed(each)) return { status: 'failed' as const, reason: reasonOf(hosted, each) };
  return { status: 'ready' as const, ...defined({ reason: remark }) };
}
