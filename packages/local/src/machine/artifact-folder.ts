import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where the folder of an artifact is now, or would be; `undefined` for what is not a file of a machine.
 *
 * An artifact is recorded with the path that it had when its job ended. Its data directory may have been moved since, or
 * restored elsewhere, so of an artifact of a job only the id of the job and the path within it count. What is found is
 * checked against its digest before it is used.
 */
export function artifactFolder(uri: string, jobs: string): string | undefined {
  if (!URL.canParse(uri) || new URL(uri).protocol !== 'file:') return undefined;
  const path = fileURLToPath(uri);
  const [, inJob] = /\/jobs\/([0-9a-f]{32}\/.+)$/.exec(path) ?? [];
  return inJob === undefined || inJob.split('/').includes('..') ? path : join(jobs, inJob);
}
