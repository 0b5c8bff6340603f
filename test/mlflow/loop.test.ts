import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import {
  asked,
  binFolder,
  dropped,
  endedRun,
  mlflow,
  newFolder,
  note,
  pathOf,
  quiet,
  ranPython,
  released,
  started,
  tokenOf,
  type Version,
  versions,
  withClients,
} from './world.ts';

const script = (name: string) => [join(binFolder, 'python3'), join(import.meta.dirname, name)];

/** Programs that know MLflow; the gate goes by a metric that only MLflow was told. */
const line = (version: Version, tokenTo: string) => ({
  data: { bucket: 'drops', settle: { quiet: '700ms' } },
  split: { holdout: { by: 'manifest', train: 'train/', holdout: 'holdout/' } },
  train: {
    command: script('train.py'),
    environment: { ...quiet, PYTHONPATH: pathOf(version), TOKEN_TO: tokenTo, COMING: '1' },
    hyperparameters: { alpha: 0.5 },
  },
  evaluate: { command: script('evaluate.py'), environment: { ...quiet, PYTHONPATH: pathOf(version) } },
  gate: { rmse: { direction: 'down', atMost: 0.5 } },
});

/** A line of slope 2, from one x to another. */
const csvOf = (from: number, to: number): string => {
  const rows = Array.from({ length: to - from }, (_, index) => `${from + index},${2 * (from + index) + 1}\n`);
  return `x,y\n${rows.join('')}`;
};

describe.each(versions)(`a project whose programs only speak MLflow, line %s${note}`, (version) => {
  withClients(
    'goes through gate and registry, and its champion is loaded from outside',
    async () => {
      const directory = newFolder();
      const server = await started(directory);
      const tokenTo = join(directory, 'token');
      await released(server, line(version, tokenTo), 'line');

      await dropped(server, 'holdout/a.csv', csvOf(28, 40));
      await dropped(server, 'train/a.csv', csvOf(0, 28));
      const run = await endedRun(server);
      const viewer = await tokenOf(server, 'operator');
      const env = { MLFLOW_TRACKING_URI: server.url, MLFLOW_TRACKING_TOKEN: viewer };
      const { exit, stdout, stderr } = await ranPython(version, 'load.py', env, [
        'models:/line@champion',
        String(run.id),
      ]);

      expect(run, run.because).toMatchObject({ status: 'succeeded', trained: { number: 1 } });
      expect(run.trained.metrics.trainRmse).toBeCloseTo(0, 6);
      expect(run.scored.rmse).toBeCloseTo(0, 6);
      expect(run.unread.train).toEqual({ notFinite: 'it is the text "NaN" in MLflow' });
      expect(exit, stderr).toBe(0);
      const seen = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
      expect(seen).toMatchObject({
        params: { rows: '28', alpha: '0.5' },
        tags: { team: 'lines', 'serin.status': 'succeeded', 'serin.version': '1' },
        status: 'FINISHED',
        // A client before 3 gives no name to a run that it resumes.
        name: version === '3' ? 'fit' : 'v1',
        aliases: { champion: expect.anything(), baseline: expect.anything() },
        versions: [['1', 'READY', run.id]],
        searched: [run.id],
        dataset: 'serin',
      });
      expect(seen.predicted).toBeCloseTo(21, 6);
      expect(Object.keys(seen.metrics).sort()).toEqual(['rmse', 'trainRmse']);
      expect(seen.artifacts).toContain('notes');
      expect(seen.refusals.map(([code]: [string]) => code)).toEqual(Array(7).fill('PERMISSION_DENIED'));
      for (const mend of ['serin rollouts promote', 'serin versions reject', 'serin runs start'])
        expect(seen.refusals.join('\n')).toContain(mend);

      const token = readFileSync(tokenTo, 'utf8');
      expect(token).toMatch(/^srnjob_run_/);
      expect((await mlflow(server, 'GET', 'runs/get', { run_id: run.id }, token)).body.error_code).toBe(
        'UNAUTHENTICATED',
      );
      const log = await asked(server, 'GET', `/v1/runs/${run.id}/logs?job=train`);
      expect(log.body.text).toContain('beside');
    },
    120_000,
  );
});
