// Fills Node's compile cache, so that the demo's processes need not hold the TypeScript compiler: 40 MB of its 300.
import { enableCompileCache, flushCompileCache } from 'node:module';

if (Number(process.versions.node.split('.')[0]) >= 24) {
  enableCompileCache();
  for (const file of ['cli/src/main', 'cli/src/demo/main', 'cli/src/commands/dev', 'local/src/compose'])
    await import(`../packages/${file}.ts`);
  flushCompileCache();
}
