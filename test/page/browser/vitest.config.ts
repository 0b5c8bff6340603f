import { join } from 'node:path';
import process from 'node:process';
import { defineConfig } from 'vitest/config';
import { whyNoBrowser } from './browser.ts';

// `npm test` needs no browser; this suite does, and CI requires it.
const why = whyNoBrowser();
if (why !== undefined) {
  if ((process.env.SERIN_REQUIRE ?? '').split(',').includes('browser')) throw new Error(why);
  process.stderr.write(`skipped: all of test/page/browser: ${why}\n`);
}

export default defineConfig({
  root: join(import.meta.dirname, '..', '..', '..'),
  test: {
    include: why === undefined ? ['test/page/browser/**/*.test.ts'] : [],
    passWithNoTests: true,
    // A browser and a server start here, on a machine that may be busy.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
