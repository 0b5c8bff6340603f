import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { emulated, emulatedGcp } from './emulated.ts';
import { type Emulator, emulatorAt, startDynamoDb, startGcs, startMoto, startPubsub } from './installed.ts';

/** One that speaks gRPC alone takes the connection. */
const isUp = (url: string): Promise<boolean> => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  return once(socket, 'connect')
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy());
};

const lives = async (name: string, start: () => Promise<Emulator>) => {
  const emulator = await start();

  const [up, who] = [await isUp(emulator.url), emulatorAt(emulator.url)];
  await emulator.stop();
  await emulator.stop();

  expect([up, who]).toEqual([true, name]);
  expect(await isUp(emulator.url)).toBe(false);
};

emulatedGcp('the emulators of GCP', () => {
  test.each([
    ['pstest', startPubsub],
    ['fake-gcs-server', startGcs],
  ] as const)('%s answers when it is started, and is gone when it is stopped', lives);
}, ['fake-gcs-server', 'pubsub']);

emulated('the emulators', () => {
  test.each([
    ['moto', startMoto],
    ['dynamodb-local', startDynamoDb],
  ] as const)('%s answers when it is started, and is gone when it is stopped', lives);

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
