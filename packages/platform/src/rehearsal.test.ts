import { Fault } from '@serin/core/base/fault';
import type { Artifact, Job } from '@serin/core/ports/jobs';
import type { Ports } from '@serin/core/ports/ports';
import type { RegisteredVersion } from '@serin/core/ports/registry';
import type { Deployment } from '@serin/core/ports/serving';
import { expect, test } from 'vitest';
import { imagined, rehearse, secretNamesOf, textsOf } from './rehearsal.ts';

const artifact: Artifact = { uri: 'store://serin/model', digest: '0', bytes: 0 };
const placed = async ({ uri }: Artifact): Promise<Artifact> => ({
  uri: uri.replace('serin', 'real'),
  digest: '1',
  bytes: 1,
});

// The ports read no more of what they are asked than this.
const job = {
  kind: 'train',
  channels: { train: { kind: 'manifest' }, start: { kind: 'artifact', artifact } },
} as unknown as Job;
const version = { model: 'fraud', artifact } as unknown as RegisteredVersion;
const deployment = { name: 'v1', artifact } as unknown as Deployment;
const asks = [
  { kind: 'job', job },
  { kind: 'version', version },
  { kind: 'deploy', deployment },
] as const;

function over(register: () => Promise<void>) {
  return (take: (call: string, request: unknown) => void) => ({
    placed,
    ports: {
      jobs: { start: async (request: Job) => take('start', request.channels) },
      registry: {
        register: async (request: RegisteredVersion) => {
          take('register', request.artifact);
          await register();
        },
      },
      serving: () => ({ change: async (_: string, request: unknown) => take('change', request) }),
    } as unknown as Pick<Ports, 'jobs' | 'registry' | 'serving'>,
  });
}

test('each port is asked in order, with artifacts where the platform would have them', async () => {
  const notListed = () => Promise.reject(new Fault('unavailable', 'it is created, and not listed yet'));

  const requests = await rehearse([{ model: 'fraud', asks }], over(notListed));

  const there = { uri: 'store://real/model', digest: '1', bytes: 1 };
  expect(requests).toEqual([
    {
      call: 'start',
      when: 'fraud: the train job of its first run',
      request: { train: { kind: 'manifest' }, start: { kind: 'artifact', artifact: there } },
    },
    { call: 'register', when: 'fraud: its first version is registered', request: there },
    {
      call: 'change',
      when: 'fraud: its first deployment',
      request: { kind: 'deploy', deployment: { name: 'v1', artifact: there } },
    },
  ]);
});

test('a registry that refuses what it would be sent is heard', async () => {
  const refused = () => Promise.reject(new Fault('invalid', 'too many metrics'));

  await expect(rehearse([{ model: 'fraud', asks }], over(refused))).rejects.toThrow('too many metrics');
});

test('what is known only after a deployment, and what is secret, stands as its name', async () => {
  expect(textsOf({ BUCKET: 'own', ROLE: { ref: 'Role' } })).toEqual({ BUCKET: 'own', ROLE: '<ROLE>' });
  expect(secretNamesOf({ PLAIN: 'text', KEY: { secret: 'api-key' } })).toEqual({ KEY: '<secret api-key>' });
  expect((await imagined.list('runs/')).items.map(({ key }) => key)).toEqual(['runs/<file>']);
});
