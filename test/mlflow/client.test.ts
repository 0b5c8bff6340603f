import { describe, expect } from 'vitest';
import { note, ranPython, started, versions, withClients } from './world.ts';

describe.each(versions)(`MLflow's own client, line ${'%s'}${note}`, (version) => {
  withClients(
    'logs, searches, registers and loads as on its own server',
    async () => {
      const server = await started();
      const env = { MLFLOW_TRACKING_URI: server.url, MLFLOW_TRACKING_TOKEN: server.token };

      const { exit, stdout, stderr } = await ranPython(version, 'client.py', env);

      expect(exit, stderr).toBe(0);
      expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '').version).toMatch(new RegExp(`^${version}\\.`));
    },
    120_000,
  );
});
