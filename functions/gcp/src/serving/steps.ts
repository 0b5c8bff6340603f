import { hour } from '@serin/core/base/time';
import type { Bucket } from '@serin/core/ports/bucket';
import { type StepNotes, stepNotes } from '@serin/platform/serving-steps';
import { type Google, GoogleError } from '../calls/google.ts';
import { type Progress, progressOf } from '../calls/operations.ts';
import { guarded, saysExists } from '../faults.ts';

/** The last operation that was begun for an endpoint. Vertex AI itself does not tell which deployment one is for. */
export interface Step {
  readonly kind: 'create' | 'upload' | 'deploy' | 'undeploy';
  readonly deployment: string;
  /** The id of the model of Vertex AI that is to be deployed; '' of an `undeploy`. */
  readonly model: string;
  /** The name of the operation. */
  readonly operation: string;
  readonly at: number;
}

export interface Steps extends StepNotes<Step> {
  progress(step: Step): Promise<Progress>;
}

interface Options {
  readonly google: Google;
  readonly bucket: Bucket;
  readonly now: () => number;
}

/** "Limit for deployment timeout is 2 hours" (ModelContainerSpec): what has not ended by then is not waited for. */
const longestMs = 3 * hour;

export function endpointSteps({ google, bucket, now }: Options): Steps {
  return {
    ...stepNotes<Step>(bucket),

    progress: ({ operation, at }) =>
      guarded(`looking at the operation ${operation}`, async () => {
        const progress = await progressOf(google, operation);
        // Somebody else's call was first: what it made is what counts.
        if (progress.is === 'failed' && saysExists(progress.error)) return { is: 'over' };
        if (progress.is !== 'running' || now() < at + longestMs) return progress;
        const message = `the operation ${operation} has not ended after ${longestMs / hour} hours`;
        return { is: 'failed', error: new GoogleError(message, { rpc: 'DEADLINE_EXCEEDED', status: 504 }) };
      }),
  };
}
