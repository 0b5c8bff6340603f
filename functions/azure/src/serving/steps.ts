import type { Bucket } from '@serin/core/ports/bucket';
import { type StepNotes, stepNotes } from '@serin/platform/serving-steps';
import { type Azure, AzureError } from '../calls/azure.ts';
import { ifThere } from '../faults.ts';

/** The last operation that was begun for an endpoint: what it came to is nowhere else. */
export interface Step {
  readonly kind: 'create' | 'deploy';
  readonly deployment: string;
  /** Where it is looked at: what Azure ML named as `Azure-AsyncOperation`; '' where it named nothing. */
  readonly operation: string;
}

export interface Steps extends StepNotes<Step> {
  /** Why it came to nothing; `undefined` while it may still succeed, and where Azure does not know it any more. */
  failure(step: Step): Promise<Error | undefined>;
}

interface Told {
  readonly status?: string;
  readonly error?: { readonly code?: string; readonly message?: string };
}

/** https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations */
export function endpointSteps({ azure, bucket }: { readonly azure: Azure; readonly bucket: Bucket }): Steps {
  return {
    ...stepNotes<Step>(bucket),

    async failure({ operation }) {
      if (operation === '') return undefined;
      const { pathname, searchParams } = new URL(operation);
      const told = await ifThere(`looking at the operation ${pathname}`, () =>
        azure.json<Told>({
          service: 'management',
          method: 'GET',
          path: pathname.slice(1),
          query: Object.fromEntries(searchParams),
        }),
      );
      const { status, error = {} } = told ?? {};
      if (status !== 'Failed' && status !== 'Canceled') return undefined;
      const { code = status, message = 'Azure ML gives no reason' } = error;
      return new AzureError(`${code}: ${message}`, { code, status: 400 });
    },
  };
}
