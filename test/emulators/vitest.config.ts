import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { defineConfig } from 'vitest/config';
import { whyPartsMissing } from './installed.ts';

const root = join(import.meta.dirname, '..', '..');
const functions = join(root, 'functions', 'aws');
const fromFunctions = createRequire(join(functions, 'package.json'));

// Without the SDK no suite can even be loaded; what else is missing, each suite says itself (`emulated.ts`).
const missing = whyPartsMissing(['functions']);
if (missing !== undefined) {
  if ((process.env.SERIN_REQUIRE ?? '').split(',').includes('emulators')) throw new Error(missing);
  process.stderr.write(`skipped: all emulator suites: ${missing}\n`);
}

export default defineConfig({
  root,
  plugins: [
    {
      // The SDK that the suites get is the very one that the functions get: same files, so `instanceof` holds.
      name: 'the-functions-own-sdk',
      enforce: 'pre',
      resolveId: (id: string) => (/^@(aws-sdk|smithy)\//.test(id) ? fromFunctions.resolve(id) : undefined),
    },
  ],
  resolve: { alias: [{ find: /^@serin\/aws\/(.+)$/, replacement: join(functions, 'src', '$1.ts') }] },
  test: {
    include: ['test/emulators/**/*.test.ts'],
    exclude: ['**/.installed/**', '**/node_modules/**', ...(missing === undefined ? [] : ['**/*'])],
    passWithNoTests: missing !== undefined,
    testTimeout: 30_000,
    // A Java and a Python server start here, on a machine that may be busy.
    hookTimeout: 120_000,
  },
});
