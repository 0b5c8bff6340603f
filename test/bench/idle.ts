import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Measure, ms } from './measure.ts';
import { cpuMsOf, firstLine, rssOf, started, withDirectory } from './processes.ts';

const serin = fileURLToPath(new URL('../../packages/cli/bin/serin.js', import.meta.url));
const settleMs = 5000;

const config = `export default {
  project: 'idle',
  models: {
    idle: {
      data: { bucket: 'drops' },
      train: { command: ['node', 'train.mjs'] },
      approval: { required: true },
    },
  },
};
`;

/** What `serin dev` costs while nothing happens. */
export function benchIdle(quick: boolean): Promise<readonly Measure[]> {
  const duration = quick ? 15_000 : 60_000;
  return withDirectory(async (directory) => {
    writeFileSync(join(directory, 'serin.config.mjs'), config);
    const child = spawn(process.execPath, [serin, 'dev', '--port', '0', '--json'], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const begun = performance.now();
    const dev = started(child, await firstLine(child));
    const readyAfter = performance.now() - begun;
    try {
      await sleep(settleMs);
      const before = cpuMsOf(dev.pid);
      await sleep(duration);
      const share = (cpuMsOf(dev.pid) - before) / duration;
      const megabytes = rssOf(dev.pid) / 1e6;
      return [
        {
          what: '`serin dev`, idle: memory',
          goal: '< 150 MB resident',
          got: `${megabytes.toFixed(0)} MB`,
          beside: `it answered ${ms(readyAfter)} after its start`,
          met: megabytes < 150,
        },
        {
          what: `\`serin dev\`, idle: CPU over ${duration / 1000} s`,
          goal: '< 0.5 % of a core',
          got: `${(share * 100).toFixed(2)} %`,
          beside: 'the kernel counts to 10 ms',
          met: share < 0.005,
        },
      ];
    } finally {
      await dev.stop();
    }
  });
}
