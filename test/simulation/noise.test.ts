import { expect, test } from 'vitest';
import { type Bad, factorsOf, logsUnderNoise } from './noise.ts';

const growths = [1.1, 1.25, 1.5, 2, 3, 5, 10];

test('a tick counts what the design says it does', () => {
  const rows = [
    [3, 28, 0.05, 1, 2, 0.1, 60, 1, 0.4635449010092],
    [3, 28, 0.05, 1, 2, 0.1, 60, 0.5, 0.2583946016278],
    [60, 540, 0.05, 1, 1.5, 0.28, 1500, 1, 1.599487581581],
    [12, 8, 0.5, 1, 3, 0.28, 40, 1, -1.105410268316],
    [20, 3, 0.05, 1, 10, 0.1, 8, 1, 0.213193220461],
    [0, 40, 0.05, 1.2, 5, 0.1, 12, 0.5, -0.6281696415915],
    [0, 0, 0.25, 1, 2, 0.1, 5, 1, -0.009950330853168],
    [1, 0, 0.05, 1, 1.1, 0.05, 3, 1, 0.08022859727437],
    [300, 300, 0.5, 1, 1.25, 0.6, 2000, 1, -0.3009800321456],
    [9, 20, 0.25, 1.2, 1.25, 0.15, 30, 0.5, -0.05576649566406],
  ] as const;
  for (const [ours, theirs, share, tolerated, growth, sd, highest, bet, expected] of rows) {
    const logs = factorsOf({ ours, theirs, share, step: 0 }, sd, highest, { tolerated });

    expect(logs[2 * growths.indexOf(growth) + (bet === 1 ? 1 : 0)]).toBeCloseTo(expected, 11);
  }
});

test('a rollout of two steps counts what the design says it does', () => {
  const rows = [
    [2, 30, 0.05, true, 0],
    [1, 27, 0.05, true, 0],
    [3, 28, 0.05, false, -0.001936284929],
    [9, 30, 0.05, false, 1.029110232175],
    [6, 25, 0.05, false, 2.296147200129],
    [40, 31, 0.05, false, 2.47874192483],
    [1, 60, 0.05, false, 1.255573149285],
    [8, 24, 0.25, true, 1.255573149285],
    [7, 20, 0.25, true, 1.255573149285],
    [14, 22, 0.25, false, 2.008833339],
    [16, 21, 0.25, false, 3.330704947339],
  ] as const;
  const ticks = rows.map(
    ([ours, theirs, share, isCold]): Bad => ({ ours, theirs, share, isCold, step: share === 0.05 ? 0 : 1 }),
  );

  const logs = logsUnderNoise(ticks, { least: 0.1, tolerated: 1, steps: 2 });

  for (const [index, [, , , , expected]] of rows.entries()) expect(logs[index]).toBeCloseTo(expected, 10);
});
