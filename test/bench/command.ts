import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Measure, median, ms, timed } from './measure.ts';

const serin = fileURLToPath(new URL('../../packages/cli/bin/serin.js', import.meta.url));

/** What the command costs over Node itself, in turns, so that a busy machine hurts both alike. */
export async function benchHelp(quick: boolean): Promise<readonly Measure[]> {
  const bare: number[] = [];
  const help: number[] = [];
  run([serin, '--help']);
  for (let round = 0; round < (quick ? 10 : 25); round += 1) {
    bare.push(...(await timed(1, () => run(['-e', '0']))));
    help.push(...(await timed(1, () => run([serin, '--help']))));
  }
  const over = median(help) - median(bare);
  return [
    {
      what: '`serin --help`',
      goal: 'within 100 ms of bare node',
      got: `${ms(over)} over bare node (${ms(median(help))})`,
      beside: `node -e 0: ${ms(median(bare))}`,
      met: over < 100,
    },
  ];
}

function run(args: readonly string[]): void {
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
}
