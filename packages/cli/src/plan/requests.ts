import type { Cloud } from '@serin/clouds/facts';
import type { CompiledConfig } from '@serin/core/config/config';
import type { ModelAsks } from '@serin/core/ports/ask';
import { Failure } from '../failure.ts';
import type { Place } from './place.ts';
import { cloudModule, type Topology } from './topology.ts';
import { firstAsks } from './walk.ts';

/** A request as it would be sent to the provider. */
export interface PlannedRequest {
  /** `sagemaker:CreateTrainingJob` */
  readonly call: string;
  /** What it is for: `the first run of fraud: train` */
  readonly when: string;
  readonly request: unknown;
}

/** What a platform's own package exports for this: it calls its ports, and writes down what they send. */
interface RequestsModule {
  readonly requestsFor: (what: {
    readonly region: string;
    /** The environment of the function that performs what is owed. */
    readonly variables: Readonly<Record<string, unknown>>;
    readonly models: readonly ModelAsks[];
  }) => Promise<readonly PlannedRequest[]>;
}

/** The requests that the ports of this cloud would send for the first run and the first deployment of each model. */
export async function requestsOf(
  config: CompiledConfig,
  cloud: Cloud,
  topology: Topology,
  { region }: Place,
): Promise<readonly PlannedRequest[]> {
  const { requestsFor } = await requestsModule(cloud);
  const variables = topology.functions.find(({ id }) => id === 'signals')?.environment ?? {};
  return requestsFor({ region, variables, models: firstAsks(config) });
}

async function requestsModule(cloud: Cloud): Promise<RequestsModule> {
  try {
    return await cloudModule<RequestsModule>(cloud, 'requests');
  } catch (error) {
    if ((error as { readonly code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Failure(1, `the clients of ${cloud} are not installed`, {
      why: error instanceof Error ? error.message.split('\n')[0] : String(error),
      mend: `run 'npm ci --prefix functions/${cloud}'`,
      cause: error,
    });
  }
}
