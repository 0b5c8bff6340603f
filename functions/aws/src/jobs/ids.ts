import { Fault } from '@serin/core/base/fault';
import type { Job } from '@serin/core/ports/jobs';
import type { Installation } from '../names.ts';
import { jobName } from './settings.ts';

/** Which of SageMaker's jobs it is. */
export type Api = 'training' | 'processing' | 'transform';

interface Known {
  readonly project: string;
  readonly key: string;
  /** What `start` has and a reader of logs has not: which of SageMaker's jobs a `predict` is. */
  readonly kind?: Job['kind'];
  readonly command?: readonly string[];
}

/** Batch transform asks the server of an image; a command of one's own is a processing job. */
const isTransform = ({ kind, command }: Pick<Job, 'kind' | 'command'>): boolean =>
  kind === 'predict' && command.length === 0;

/** The id under which `start` answers a job: known before it is started. */
export function jobId(installation: Installation, { kind, command, ...job }: Known): string {
  // `<run id>/<kind>[-<part>]/<attempt>`
  const part = job.key.split('/')[1] ?? '';
  const transforms = kind === undefined ? part === 'predict' : isTransform({ kind, command: command ?? [] });
  const api: Api = transforms ? 'transform' : /^train(-|$)/.test(part) ? 'training' : 'processing';
  return `${api}/${jobName(installation, job)}`;
}

export function partsOf(id: string): { readonly api: Api; readonly name: string } {
  // botocore: TrainingJobName, ProcessingJobName, TransformJobName
  const [, api, name] = /^(training|processing|transform)\/([a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62})$/.exec(id) ?? [];
  if (api === undefined || name === undefined)
    throw new Fault('notFound', `there is no job ${id}; it was never started here`);
  return { api: api as Api, name };
}
