import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Measured, maxMetricsBytes, measured, nothingMeasured, tooLarge } from '@serin/core/job-contract/metrics';
import type { Job } from '@serin/core/ports/jobs';
import { appearWhole } from '../machine/durable.ts';
import { filesUnder } from '../machine/jobs/digest.ts';
import { modelsOfJob } from './logged-models.ts';
import type { Store } from './store.ts';

/** What the program of a job said by MLflow, once it has ended. */
export function jobResults({ store, artifacts }: { readonly store: Store; readonly artifacts: string }) {
  return {
    /** The last value of each metric, without those of the machine (`system/`), which the client logs by itself. */
    metricsOf({ key }: Pick<Job, 'key'>): Measured {
      const { run, scope } = partsOf(key);
      const points = store.lastPoints(run, scope).filter((point) => !point.key.startsWith('system/'));
      if (points.length === 0) return nothingMeasured;
      if (JSON.stringify(points).length > maxMetricsBytes) return tooLarge('MLflow');
      return measured(
        points.map((point) => [point.key, point.value] as const),
        'MLflow',
      );
    },
    /**
     * Brings the model that a program logged into the folder where its job leaves its model, if that is empty. Whole or
     * not at all. Twice: nothing the second time.
     */
    async bringModel({ key }: Pick<Job, 'key'>, folder: string): Promise<void> {
      if (!(await isEmpty(folder))) return;
      const { run, scope } = partsOf(key);
      for (const { body } of modelsOfJob(store, run, scope)) {
        const from = join(artifacts, body.root);
        if (await isEmpty(from)) continue;
        await copyTree(from, folder);
        return;
      }
    },
  };
}

/** `run_1/train/2` */
function partsOf(key: string): { readonly run: string; readonly scope: string } {
  const [run = '', ...scope] = key.split('/');
  return { run, scope: scope.join('/') };
}

/** Also true when the folder does not exist, or is not a folder. */
async function isEmpty(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) return false;
  return found === undefined || (await readdir(folder)).length === 0;
}

async function copyTree(from: string, to: string): Promise<void> {
  const draft = `${to}.logged`;
  await rm(draft, { recursive: true, force: true });
  for (const { path, file } of await filesUnder(from)) {
    const target = join(draft, path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(file, target, constants.COPYFILE_FICLONE);
  }
  await appearWhole(draft, to);
}
