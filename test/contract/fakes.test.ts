import { createHash } from 'node:crypto';
import { Fault } from '@serin/core/fault';
import type { Bucket, Bus, Deployment, Job, Jobs, Journal, Registry, Serving } from '@serin/core/ports';
import { test } from 'vitest';
import { absentBucket, memoryBucket } from '../simulation/fakes/bucket.ts';
import { memoryBus } from '../simulation/fakes/bus.ts';
import { memoryJobs } from '../simulation/fakes/jobs.ts';
import { memoryJournal } from '../simulation/fakes/journal.ts';
import { memoryRegistry } from '../simulation/fakes/registry.ts';
import { memoryServing } from '../simulation/fakes/serving.ts';
import { atOnce } from '../simulation/fakes/sync.ts';
import { bucketContract } from './bucket.contract.ts';
import { busContract } from './bus.contract.ts';
import { jobsContract } from './jobs.contract.ts';
import { journalContract } from './journal.contract.ts';
import { registryContract } from './registry.contract.ts';
import { servingContract } from './serving.contract.ts';

// What the simulator runs the core on has to hold the promises that the platforms hold.
const close = async (): Promise<void> => {};

journalContract('memory', async () => ({ port: atOnce<Journal>(memoryJournal()), close }));

registryContract('memory', async () => ({ port: atOnce<Registry>(memoryRegistry()), close }));

busContract('memory', async () => {
  const bus = memoryBus();
  return { port: atOnce<Bus>(bus), received: async () => bus.received(), close };
});

bucketContract('memory', async () => ({
  port: atOnce<Bucket>(memoryBucket()),
  other: atOnce<Bucket>(memoryBucket()),
  absent: atOnce<Bucket>(absentBucket('absent')),
  close,
}));

jobsContract(
  'memory',
  async () => {
    const fateOf = (_: Job) => ({ waitMs: 0, runMs: 20, status: 'succeeded' as const });
    return {
      jobs: atOnce<Jobs>(memoryJobs({ now: () => Date.now(), fateOf })),
      code: async (files) => createHash('sha256').update(JSON.stringify(files)).digest('hex'),
      dataset: async () => ({ kind: 'manifest', bucket: 'serin', key: 'none' }),
      change: async () => {},
      close,
    };
  },
  { skip: 'the memory provider runs no command' },
);

/** A deployment whose command says what becomes of it. */
function deploymentThat(does: 'serves' | 'breaks' | 'is refused', version: number): Deployment {
  const digest = createHash('sha256').update(String(version)).digest('hex');
  return {
    name: `v${version}`,
    version,
    artifact: { uri: `memory:${digest}`, digest, bytes: 1 },
    command: [does],
    environment: {},
    instances: { min: 1, max: 1 },
    compute: { nodes: 1, spot: false },
    readyTimeoutMs: 1000,
  };
}

servingContract('memory', async () => {
  let now = 0;
  const serving = memoryServing({
    now: () => now,
    fateOf: (_, { command: [does] }) => {
      if (does === 'is refused') throw new Fault('invalid', 'the image has no such command');
      return { readyMs: 100, becomes: does === 'serves' ? 'ready' : 'failed' };
    },
    operationMs: () => 50,
  });
  const { change, observe } = serving;
  return {
    serving: atOnce<Serving>({ change, observe }),
    good: (version) => deploymentThat('serves', version),
    broken: (version) => deploymentThat('breaks', version),
    impossible: (version) => deploymentThat('is refused', version),
    pause: async () => {
      now += 25;
      await new Promise((resolve) => setImmediate(resolve));
    },
    close,
  };
});

test.skip('telemetry: memory [skipped: its counts follow from the weights, and no single request is told to it]', () => {});
