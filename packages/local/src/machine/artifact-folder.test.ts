import { expect, test } from 'vitest';
import { artifactFolder } from './artifact-folder.ts';

const id = '0123456789abcdef0123456789abcdef';

test.each([
  [
    'is found in the data directory that there is now',
    `file:///old/.serin/jobs/${id}/tree/model`,
    `/new/jobs/${id}/tree/model`,
  ],
  [
    'is found by its last job, when folders above have such a name',
    `file:///jobs/${id}/jobs/${id}/tree/m`,
    `/new/jobs/${id}/jobs/${id}/tree/m`,
  ],
  ['of no job is where it was', 'file:///models/price', '/models/price'],
  ['that leads out of its job stays where it says', `file:///old/jobs/${id}/%2e%2e/secret`, `/old/jobs/secret`],
  ['of a bucket is no folder', 's3://models/price', undefined],
  ['without a scheme is no folder', 'models/price', undefined],
])('an artifact that %s', (_, uri, folder) => {
  expect(artifactFolder(uri, '/new/jobs')).toBe(folder);
});
