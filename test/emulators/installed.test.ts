import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { emulated } from './emulated.ts';
import { emulatorAt, startDynamoDb, startMoto } from './installed.ts';

const isUp = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );

emulated('the emulators', () => {
  test.each([
    ['moto', startMoto],
    ['dynamodb-local', startDynamoDb],
  ] as const)('%s answers when it is started, and is gone when it is stopped', async (name, start) => {
    const emulator = await start();

    const [up, who] = [await isUp(emulator.url), emulatorAt(emulator.url)];
    await emulator.stop();
    await emulator.stop();

    expect([up, who]).toEqual([true, name]);
    expect(await isUp(emulator.url)).toBe(false);
  });

  test('a server dies with a test run that is killed', async () => {
    const code = `
      const { startMoto } = await import(${JSON.stringify(join(import.meta.dirname, 'installed.ts'))});
      console.log((await startMoto()).url);
      setInterval(() => {}, 1000);`;
    const run = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said]: readonly unknown[] = await once(run.stdout, 'data');
    const url = String(said).trim();
    const upBefore = await isUp(url);

    run.kill('SIGKILL');

    expect(upBefore).toBe(true);
    await expect.poll(() => isUp(url), { timeout: 10_000 }).toBe(false);
  });
});
