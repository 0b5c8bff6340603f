import { Fault } from '@serin/core/base/fault';
import { defined } from '@serin/core/base/objects';
import { versionOfName } from '@serin/core/model/version';
import type { Observation, Weights } from '@serin/core/ports/serving';
import type { Progress } from '../calls/operations.ts';
import { lastOf } from '../calls/vertex.ts';
import { gcpFault } from '../faults.ts';
import { deployedIn, type Endpoint, type Endpoints, idOfName } from './endpoints.ts';
import type { Step, Steps } from './steps.ts';

/** An endpoint as Vertex AI says it is, and the last step that was begun for it. */
export interface Hosted {
  readonly name: string;
  /** `undefined`: there is none, or it is still being created. */
  readonly endpoint?: Endpoint;
  readonly step?: Step;
  readonly progress: Progress;
}

export async function look(
  { endpoints, steps }: { readonly endpoints: Endpoints; readonly steps: Steps },
  name: string,
): Promise<Hosted> {
  // The step first: what ends in between is then seen as deployed, and not as nothing.
  const step = await steps.last(name);
  const progress: Progress = step === undefined ? { is: 'over' } : await steps.progress(step);
  const endpoint = await endpoints.describe(name);
  return {
    name,
    progress,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(step === undefined ? {} : { step }),
  };
}

export const isBusy = ({ progress }: Hosted): boolean => progress.is === 'running';

/** The id of the model that serves as a deployment; `undefined`: it is not deployed. */
export function modelOf({ endpoint }: Hosted, deployment: string): string | undefined {
  const found = endpoint?.deployedModels?.find(({ id }) => id === idOfName(deployment));
  return found === undefined ? undefined : lastOf(found.model ?? '');
}

/** The deployment whose last step came to nothing, and why: told until it is retired or another one is begun. */
export function failedIn(hosted: Hosted): (Step & { readonly reason: string }) | undefined {
  const { step, progress } = hosted;
  if (step === undefined || progress.is !== 'failed' || step.kind === 'undeploy') return undefined;
  if (modelOf(hosted, step.deployment) !== undefined) return undefined;
  return { ...step, reason: reasonOf(step, progress.error) };
}

const reasonOf = ({ kind, deployment, operation }: Step, error: Error): string =>
  gcpFault(error, `${doing[kind]} ${deployment} (${operation})`).message;

const doing: Readonly<Record<Step['kind'], string>> = {
  create: 'creating the endpoint for',
  upload: 'uploading the model of',
  deploy: 'deploying',
  undeploy: 'taking away',
};

/** The split as the core has it: by name, and without those that get nothing. */
export const weightsOf = ({ endpoint }: Hosted): Weights =>
  Object.fromEntries(
    deployedIn(endpoint ?? {}).flatMap(({ name, weight }) => (weight > 0 ? [[name, weight] as const] : [])),
  );

/** `invalid` for a deployment that Vertex AI does not list: no share can be given to it. */
export function checkReady(endpoint: string, name: string, hosted: Hosted): void {
  if (modelOf(hosted, name) !== undefined) return;
  const failed = failedIn(hosted);
  const why = failed?.deployment === name ? failed.reason : 'it is not deployed';
  const mend = 'deploy it and wait until Vertex AI lists it';
  throw new Fault('invalid', `cannot route requests of ${endpoint} to ${name}: ${why}; ${mend}`);
}

/** What the core is told. */
export function observationOf(hosted: Hosted): Observation | 'absent' {
  const { endpoint, step, progress } = hosted;
  const failed = failedIn(hosted);
  const busy = isBusy(hosted);
  if (endpoint === undefined && failed === undefined && !(busy && step?.kind === 'create')) return 'absent';
  const stays = step?.kind === 'undeploy' && progress.is === 'failed' ? reasonOf(step, progress.error) : undefined;
  const coming = busy && step?.kind === 'deploy' && modelOf(hosted, step.deployment) === undefined;
  const named = (name: string) => ({ name, version: versionOfName(name) });
  const remarkOn = (name: string, says: string | undefined) => (step?.deployment === name ? stays : undefined) ?? says;
  return {
    deployments: [
      ...deployedIn(endpoint ?? {}).map(({ name, says }) => ({
        ...named(name),
        status: 'ready' as const,
        ...defined({ reason: remarkOn(name, says) }),
      })),
      ...(coming ? [{ ...named(step.deployment), status: 'pending' as const }] : []),
      ...(failed === undefined
        ? []
        : [{ ...named(failed.deployment), status: 'failed' as const, reason: failed.reason }]),
    ],
    weights: weightsOf(hosted),
    busy,
  };
}
