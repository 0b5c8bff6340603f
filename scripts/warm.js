// Fills Node's compile cache, so that the demo's processes need not hold the TypeScript compiler: 40 MB of its 300.
import { spawnSync } from 'node:child_process';
import { enableCompileCache, flushCompileCache, getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const files = [
  'cli/src/main',
  'cli/src/index',
  'cli/src/commands/demo',
  'cli/src/commands/dev',
  'cli/src/demo/main',
  'core/src/config/compiled',
  'local/src/compose',
  'profile/src/profiler',
];

if (Number(process.versions.node.split('.')[0]) >= 24) {
  enableCompileCache();
  for (const file of files) await import(`../packages/${file}.ts`);
  flushCompileCache();
  // What Node keeps depends on its flags, and the runner of a job has flags of its own.
  const runner = fileURLToPath(import.meta.resolve('../packages/local/src/machine/runner.ts'));
  const env = { ...process.env, NODE_COMPILE_CACHE: dirname(getCompileCacheDir()) };
  spawnSync(process.execPath, ['--max-semi-space-size=1', runner], { env });
}
