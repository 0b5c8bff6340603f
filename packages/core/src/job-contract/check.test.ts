import { expect, test } from 'vitest';
import type { Job } from '../ports/jobs.ts';
import { checkJob, type JobLimits } from './check.ts';

const cloud: JobLimits = { images: true, maxName: 64, reserved: 'serin-' };
const machine: JobLimits = { images: false, maxNodes: 1, maxName: 128 };

const job: Job = {
  ...{ key: 'run_1/train/1', kind: 'train', project: 'shop', model: 'prices', command: ['node', 'train.mjs'] },
  ...{ environment: {}, hyperparameters: {}, channels: {}, outputs: ['model'], metrics: [] },
  ...{ compute: { nodes: 1, spot: false }, maxRuntimeMs: 60_000 },
};
const channel = (name: string) => ({ channels: { [name]: { kind: 'manifest', bucket: 'serin', key: 'x' } as const } });

test('a job that a platform can run is not refused', () => {
  for (const limits of [cloud, machine]) checkJob(job, limits);
  checkJob({ ...job, image: 'trainer:1', command: [] }, cloud);
  checkJob({ ...job, ...channel('x'.repeat(128)) }, machine);
});

test.each<[string, Partial<Job>, JobLimits, string]>([
  ['no command', { command: [] }, cloud, 'has no command; name one, or an image that has its own'],
  ['an image without a command beside code', { command: [], image: 'i', code: { digest: 'd' } }, cloud, 'no command'],
  ['an image alone on one machine', { command: [], image: 'i' }, machine, 'has no command; name one'],
  ['an empty command', { command: [''] }, machine, 'has no command'],
  ['too many nodes', { compute: { nodes: 2, spot: false } }, machine, 'asks for 2 nodes; set compute.nodes to 1'],
  ['no time', { maxRuntimeMs: 0 }, cloud, 'may run for 0 ms; set compute.maxRuntime'],
  ['a time that is not a number', { maxRuntimeMs: Number.NaN }, cloud, 'may run for NaN ms'],
  ['a hyperparameter that is not one', { hyperparameters: { '': '1' } }, cloud, 'cannot be given its hyperparameters'],
  ['a channel that leaves its folder', channel('../up'), machine, 'has a channel or output "../up"'],
  ['a long name of a channel', channel('x'.repeat(65)), cloud, '_ . and -, at most 64'],
  ['an output that is not a name', { outputs: ['model', 'a b'] }, cloud, 'has a channel or output "a b"'],
  [
    'a name of ours',
    channel('serin-code'),
    cloud,
    "has a channel or output 'serin-code'; rename it: the platform keeps names with serin- for itself",
  ],
  [
    'a regex that is not one',
    { metrics: [{ name: 'auc', regex: '(' }] },
    machine,
    'has an invalid regular expression for its metric auc',
  ],
])('%s is refused at once, with what to change', (_, change, limits, words) => {
  expect(() => checkJob({ ...job, ...change }, limits)).toThrow(words);
});
