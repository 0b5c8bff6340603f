import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { begin, folder, serin } from './command.ts';
import { starter } from './starter.ts';

interface Line {
  readonly message: string;
  readonly url?: string;
  readonly level?: string;
}

/** A running `serin serve`, and what it says. */
function serve(cwd: string, ...more: readonly string[]) {
  const child = begin(['serve', '--port', '0', ...more], { cwd });
  const said: string[] = [];
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  lines.on('line', (line) => said.push(line));
  async function line(message: string): Promise<Line> {
    for (;;) {
      const found = said.find((each) => (JSON.parse(each) as Line).message === message);
      if (found !== undefined) return JSON.parse(found) as Line;
      if (child.exitCode !== null) throw new Error(`it ended and said: ${said.join('\n')}`);
      await new Promise((resolve) => lines.once('line', resolve));
    }
  }
  return {
    line,
    said,
    async stop() {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      return ended;
    },
  };
}

const json = async (cwd: string, ...args: readonly string[]) =>
  JSON.parse((await serin([...args, '--json'], { cwd })).stdout);

/** Asks until the answer is as wanted; the test's own limit ends it. */
async function until<Value>(look: () => Promise<Value>, done: (value: Value) => boolean): Promise<Value> {
  for (;;) {
    const value = await look();
    if (done(value)) return value;
  }
}

test('a backup under load is restored elsewhere, where the history is the same and the champion serves', async () => {
  const cwd = await starter((config) => config.replace("guard: '10s'", "guard: '1s'"));
  const first = serve(cwd, '--config', 'serin.config.ts');
  await first.line('released');
  mkdirSync(join(cwd, '.serin', 'buckets', 'drops', 'line'), { recursive: true });
  writeFileSync(
    join(cwd, '.serin', 'buckets', 'drops', 'line', 'a.csv'),
    readFileSync(join(cwd, 'sample', 'first.csv')),
  );
  await until(
    () => json(cwd, 'status'),
    ({ models }) => models[0]?.champion === 1 && models[0]?.rollout?.status === 'promoted',
  );
  const elsewhere = folder();

  // While events are written as fast as they are taken.
  const { url, token } = JSON.parse(readFileSync(join(cwd, '.serin', 'server.json'), 'utf8'));
  let [isOver, written] = [false, 0];
  const load = (async () => {
    for (let n = 0; !isOver; n += 1) {
      const answer = await fetch(`${url}/v1/buckets/drops/objects/other%2F${n}.csv`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}` },
        body: `row ${n}\n`,
      });
      if (answer.ok) written += 1;
      await serin(['freeze', '--because', `load ${n}`, '--yes'], { cwd });
      await serin(['thaw', '--yes'], { cwd });
    }
  })();
  const backups = [];
  for (const name of ['one', 'two', 'three']) backups.push(await json(cwd, 'backup', join(elsewhere, name)));
  isOver = true;
  await load;
  await first.stop();
  // Nothing of the first place is left to be used by mistake.
  renameSync(join(cwd, '.serin'), join(cwd, '.serin-gone'));

  expect(written).toBeGreaterThan(0);
  const target = join(elsewhere, 'server');
  mkdirSync(target);
  const restored = await json(target, 'restore', join(elsewhere, 'three'));
  expect(restored.root).toBe(backups[2].root);
  for (const [name, { root }] of [
    ['one', backups[0]],
    ['two', backups[1]],
  ] as const)
    expect((await json(target, 'restore', join(elsewhere, name), '--directory', name)).root).toBe(root);

  const second = serve(target);
  await second.line('started');
  const since = join(elsewhere, 'root.json');
  const audit = await serin(['audit', 'verify', '--json'], { cwd: target });
  writeFileSync(since, audit.stdout);
  expect(JSON.parse(audit.stdout)).toMatchObject({ ok: true });
  // It goes on from each backup: nothing of what was there then has changed.
  const backed = join(elsewhere, 'three', 'backup.json');
  const against = await serin(['audit', 'verify', '--against', backed, '--json'], { cwd: target });
  expect([against.exit, JSON.parse(against.stdout).ok]).toEqual([0, true]);
  const other = join(elsewhere, 'other.json');
  writeFileSync(other, JSON.stringify({ heads: [['project', 1, 'another hash']] }));
  expect((await serin(['audit', 'verify', '--against', other], { cwd: target })).exit).toBe(1);
  const answer = await until(
    () => serin(['endpoints', 'invoke', 'line', '--data', '{"instances":[{"x":1}]}'], { cwd: target }),
    ({ exit }) => exit === 0,
  );
  expect(answer.stdout).toContain('predictions');
  expect(answer.stderr).toContain('v1');
  expect(await second.stop()).toBe(0);
}, 180_000);

test('serve says one JSON object a line and no token, and predictions want one', async () => {
  const cwd = await starter((config) => config);
  const running = serve(cwd, '--config', 'serin.config.ts');
  const { url } = await running.line('started');
  await running.line('released');
  const { token } = JSON.parse(readFileSync(join(cwd, '.serin', 'server.json'), 'utf8'));

  const open = await fetch(`${url}/endpoints/line/invocations`, { method: 'POST', body: '{}' });
  await running.stop();

  expect(open.status).toBe(401);
  expect(running.said.map((line) => (JSON.parse(line) as Line).message)).toEqual([
    'started',
    'released',
    'stopping; what is under way is finished first',
    'stopped',
  ]);
  expect(running.said.join('\n')).not.toContain(token);
});

test('serve does not start with a config that has problems, or on a port that is taken', async () => {
  const cwd = await starter((config) => config.replace("project: 'first-steps'", 'project: 7'));

  const ended = await serin(['serve', '--port', '0', '--config', 'serin.config.ts'], { cwd });

  expect(ended.exit).toBe(2);
  expect(ended.stderr).toContain('serin.config.ts has 1 problem');
});

test('upgrade says whether this version can take a data directory over', async () => {
  const cwd = await starter((config) => config);
  const running = serve(cwd, '--config', 'serin.config.ts');
  await running.line('released');
  await running.stop();

  const ready = await serin(['upgrade', '--check'], { cwd });
  const absent = await serin(['upgrade', '--check'], { cwd: folder() });

  expect([ready.exit, absent.exit]).toEqual([0, 3]);
  expect(ready.stdout).toMatch(/^ready {2}serin \d/);
  expect(absent.stderr).toContain('there is no database');
});

test('service writes a unit and a container file that run serve, and overwrites nothing', async () => {
  const cwd = folder();

  const unit = await serin(['service', 'systemd'], { cwd });
  const again = await serin(['service', 'systemd'], { cwd });
  const container = await serin(['service', 'container'], { cwd });
  const other = await serin(['service', 'kubernetes'], { cwd });

  expect([unit.exit, again.exit, container.exit, other.exit]).toEqual([0, 4, 0, 2]);
  expect(readFileSync(join(cwd, 'serin.service'), 'utf8')).toMatch(
    /ExecStart=\S+ \S+ serve --directory \/var\/lib\/serin\n/,
  );
  expect(readFileSync(join(cwd, 'Dockerfile'), 'utf8')).toContain(
    'CMD ["serin", "serve", "--directory", "/data", "--host", "0.0.0.0"]',
  );
  expect(other.stderr).toContain('write serin service systemd');
});
