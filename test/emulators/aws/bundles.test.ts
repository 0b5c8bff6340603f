import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundleFunctions } from '../../../scripts/bundle.ts';
import { emulated } from '../emulated.ts';

emulated('the bundles of the functions', () => {
  test('are small, and the clock does not carry what it never calls', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'serin-bundles-'));

    const sizes = Object.fromEntries(
      (await bundleFunctions('aws', folder)).map(({ name, bytes }) => [name, bytes / 1024]),
    );

    await rm(folder, { recursive: true });
    // Each carries the engine, and so the checks of datasets, which are 28 KB, the detector of drift, which is 20 KB, and what joins labels, 7 KB.
    // The readers of datasets are a file beside it.
    expect(sizes.signals).toBeLessThan(860);
    // It checks each released config by the author's own schema, and judges a rollout again for its plots.
    expect(sizes.api).toBeLessThan(1000);
    expect(sizes.clock).toBeLessThan(300);
    expect(sizes.deadLetters).toBeLessThan(300);
  });
});
