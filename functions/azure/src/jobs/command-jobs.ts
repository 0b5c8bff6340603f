import { neverStarted } from '@serin/core/job-contract/check';
import { notYet } from '@serin/platform/faults';
import { saidName } from '@serin/platform/jobs/said';
import { type Azure, AzureError } from '../calls/azure.ts';
import { historyCall, type MlPlace, mlCall } from '../calls/ml.ts';
import { ifThere } from '../faults.ts';
import type { JobSettings } from './settings.ts';

/** A job of Azure ML, as far as it is read. */
export interface CommandJob {
  readonly name: string;
  readonly properties: {
    readonly status?: string;
    readonly tags?: Readonly<Record<string, string>>;
    readonly environmentVariables?: Readonly<Record<string, string>>;
    readonly limits?: { readonly timeout?: string };
  };
  readonly systemData?: { readonly createdAt?: string };
}

/** What the history of runs has beside: azure-ai-ml 1.35.2, `runhistory.models.RunDetails`. */
export interface RunDetails {
  readonly startTimeUtc?: string;
  readonly endTimeUtc?: string;
  readonly error?: { readonly error?: { readonly code?: string; readonly message?: string } };
  /** The URL of each log by its path. It says by itself that its bearer may read. */
  readonly logFiles?: Readonly<Record<string, string>>;
}

type Place = MlPlace & Pick<JobSettings, 'region'> & { readonly azure: Azure };

const endedIn = new Set(['Completed', 'Failed', 'Canceled']);
/** Nothing more can be asked of a job in these. */
const cannotCancel = new Set([...endedIn, 'CancelRequested', 'Finalizing']);

export const isOver = ({ properties: { status = '' } }: CommandJob): boolean => endedIn.has(status);

/** The command jobs of a workspace. */
export function commandJobs({ azure, ...place }: Place) {
  const find = (name: string): Promise<CommandJob | undefined> =>
    ifThere(`reading the job ${name}`, () => azure.json<CommandJob>(mlCall(place, pathOf(name), { method: 'GET' })));

  async function get(name: string): Promise<CommandJob> {
    const found = isName(name) ? await find(name) : undefined;
    // Everybody may take its tags away, nobody its variables.
    const { tags, environmentVariables } = found?.properties ?? {};
    const isOurs = tags?.['serin-key'] !== undefined || environmentVariables?.[saidName] !== undefined;
    if (found === undefined || !isOurs) throw neverStarted(name);
    return found;
  }

  return {
    find,
    /** `notFound` for a name that no job of ours has. */
    get,
    /**
     * Asks for the job of a name. Of a job that is there Azure ML compares what cannot be changed, and takes over the
     * rest: a PUT of an equal job makes no second one.
     * https://github.com/Azure/azure-sdk-for-python/pull/47389
     */
    put: (name: string, job: object): Promise<unknown> =>
      azure.json(mlCall(place, pathOf(name), { method: 'PUT', body: job, repeatable: true })),

    /**
     * Without effect on a job that ends or has ended, which Azure ML refuses: https://github.com/Azure/azureml-assets/pull/2496.
     * One that it does not cancel otherwise costs on, so it is asked again.
     */
    async cancel(name: string): Promise<void> {
      try {
        await azure.json(mlCall(place, `${pathOf(name)}/cancel`, { method: 'POST', repeatable: true }));
      } catch (error) {
        if (!(error instanceof AzureError) || (error.status !== 400 && error.status !== 409)) throw error;
        const { status = '' } = (await get(name)).properties;
        if (!cannotCancel.has(status))
          throw notYet(`Azure ML did not cancel the job ${name} in the state ${status} (${error.message})`, error);
      }
    },

    tagsOf: async (name: string): Promise<Readonly<Record<string, string>>> =>
      (isName(name) ? await find(name) : undefined)?.properties.tags ?? {},

    /** `undefined`: the history has no such run, or none yet. */
    details: (name: string): Promise<RunDetails | undefined> =>
      ifThere(`reading the history of the job ${name}`, () =>
        azure.json<RunDetails>(historyCall(place, `runs/${encodeURIComponent(name)}/details`)),
      ),
  };
}

const pathOf = (name: string): string => `jobs/${encodeURIComponent(name)}`;

// mfe.json of Azure/azure-rest-api-specs: ^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}$
const isName = (name: string): boolean => /^[a-zA-Z0-9][\w-]{0,254}$/.test(name);
