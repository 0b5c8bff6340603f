import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { defineConfig } from 'vitest/config';
import { maxWorkers } from '../../vitest.config.ts';
import { whyPartsMissing } from './installed.ts';

const root = join(import.meta.dirname, '..', '..');

/** The packages that a cloud's suites get are the very ones that its functions get: same files, so `instanceof` holds. */
const clouds = [
  { name: 'aws', part: 'functions', folder: join(root, 'functions', 'aws'), packages: /^@(aws-sdk|smithy)\// },
  {
    name: 'gcp',
    part: 'functions-gcp',
    folder: join(root, 'functions', 'gcp'),
    packages: /^(@google-cloud\/|@grpc\/|google-gax|google-auth-library|jose$|protobufjs$)/,
  },
  {
    name: 'azure',
    part: 'functions-azure',
    folder: join(root, 'functions', 'azure'),
    packages: /^(@azure\/|jose$|rhea$)/,
  },
] as const;

/** `jose` is a package of two clouds, each with its own files. */
const isOf = (cloud: string, importer = ''): boolean =>
  clouds.every(({ name }) => name === cloud || !importer.includes(`/${name}/`));

// Without those no suite of a cloud can even be loaded; what else is missing, each suite says itself (`emulated.ts`).
const isRequired = (process.env.SERIN_REQUIRE ?? '').split(',').includes('emulators');
const missing = clouds.flatMap(({ name, part }) => {
  const why = whyPartsMissing([part]);
  if (why === undefined) return [];
  if (isRequired) throw new Error(why);
  process.stderr.write(`skipped: all emulator suites of ${name}: ${why}\n`);
  return [`test/emulators/${name}/**`];
});

export default defineConfig({
  root,
  plugins: clouds.map(({ name, folder, packages }) => {
    const from = createRequire(join(folder, 'package.json'));
    return {
      name: `the-own-packages-of-${name}`,
      enforce: 'pre' as const,
      resolveId: (id: string, importer?: string) =>
        packages.test(id) && isOf(name, importer) ? from.resolve(id) : undefined,
    };
  }),
  resolve: {
    alias: clouds.map(({ name, folder }) => ({
      find: new RegExp(`^@serin/${name}/(.+)$`),
      replacement: join(folder, 'src', '$1.ts'),
    })),
  },
  test: {
    include: ['test/emulators/**/*.test.ts'],
    exclude: ['**/.installed/**', '**/node_modules/**', ...missing],
    passWithNoTests: missing.length > 0,
    maxWorkers,
    testTimeout: 30_000,
    // A Java and a Python server start here, on a machine that may be busy.
    hookTimeout: 120_000,
  },
});
