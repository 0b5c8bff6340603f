import type { RegisteredVersion, Registry } from '@serin/core/ports/registry';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AdapterOf } from './adapters.ts';

export interface OpenRegistry {
  readonly port: Registry;
  close(): Promise<void>;
}

export function versionOf(model: string, number: number, digest = 'a'.repeat(64)): RegisteredVersion {
  return {
    model,
    number,
    artifact: { uri: `file:///artifacts/${digest}`, digest, bytes: 1234 },
    metrics: { auc: 0.91, rmse: 1.5e-7 },
    approval: 'pending',
    lineage: { run: 'run_1', dataset: 'd'.repeat(64), code: 'c'.repeat(64) },
  };
}

const fault = (code: string) => expect.objectContaining({ name: 'Fault', code });

/** The promises of `Registry`, over a fresh registry for each case. */
export function registryContract(name: AdapterOf<'registry'>, open: () => Promise<OpenRegistry>): void {
  describe(`registry: ${name}`, () => {
    let opened: OpenRegistry;
    let registry: Registry;
    beforeEach(async () => {
      opened = await open();
      registry = opened.port;
    });
    afterEach(() => opened.close());

    test('a registered version comes back as it was, and no other', async () => {
      await registry.register(versionOf('fraud', 1));

      expect(await registry.get('fraud', 1)).toEqual(versionOf('fraud', 1));
      expect(await registry.get('fraud', 2)).toBeUndefined();
      expect(await registry.get('frau', 1)).toBeUndefined();
    });

    test('registering a version twice keeps it, with the approval it has got since', async () => {
      await registry.register(versionOf('fraud', 1));
      await registry.setApproval('fraud', 1, 'approved');

      await registry.register(versionOf('fraud', 1));

      expect(await registry.get('fraud', 1)).toEqual({ ...versionOf('fraud', 1), approval: 'approved' });
    });

    test('a number never changes its artifact', async () => {
      await registry.register(versionOf('fraud', 1));

      await expect(registry.register(versionOf('fraud', 1, 'b'.repeat(64)))).rejects.toEqual(fault('defect'));

      expect(await registry.get('fraud', 1)).toEqual(versionOf('fraud', 1));
    });

    test('of two artifacts under one number at the same time exactly one is registered', async () => {
      const rivals = ['a', 'b'].map((digit) => versionOf('fraud', 1, digit.repeat(64)));

      const outcomes = await Promise.allSettled(rivals.map((rival) => registry.register(rival)));

      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
      const winner = outcomes[0]?.status === 'fulfilled' ? rivals[0] : rivals[1];
      expect(await registry.get('fraud', 1)).toEqual(winner);
    });

    test('the last approval wins', async () => {
      await registry.register(versionOf('fraud', 1));
      await registry.register(versionOf('fraud', 2));

      await registry.setApproval('fraud', 1, 'approved');
      await registry.setApproval('fraud', 1, 'rejected');
      await registry.setApproval('fraud', 1, 'rejected');

      expect((await registry.get('fraud', 1))?.approval).toBe('rejected');
      expect((await registry.get('fraud', 2))?.approval).toBe('pending');
    });

    test('a version that was never registered cannot be approved', async () => {
      await registry.register(versionOf('fraud', 1));

      await expect(registry.setApproval('fraud', 2, 'approved')).rejects.toEqual(fault('notFound'));
      expect(await registry.get('fraud', 2)).toBeUndefined();
    });

    test('models of any name stand apart', async () => {
      const models = ['fraud', 'Fraud', '../fraud', 'fraud/1', 'fräud', 'con', '.'];
      for (const [at, model] of models.entries()) await registry.register(versionOf(model, 1, String(at).repeat(64)));

      for (const [at, model] of models.entries()) {
        expect((await registry.get(model, 1))?.artifact.digest).toBe(String(at).repeat(64));
      }
    });
  });
}
