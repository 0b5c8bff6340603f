import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Two files at a time at least: vitest leaves one core free, which is half of two, and many files only wait. */
export const maxWorkers = Math.max(2, availableParallelism() - 1);

export default defineConfig({
  test: {
    maxWorkers,
    // Servers and programs start here, on a machine that may be busy.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
