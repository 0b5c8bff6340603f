import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test, vi } from 'vitest';
import { begin, folder, serin } from './command.ts';
import { starter } from './starter.ts';

interface Line {
  readonly type: string;
  readonly digest?: string;
  readonly token?: string;
  readonly url?: string;
}

const quick = (config: string): string => config.replace("guard: '10s'", "guard: '1s'");

/** A running `serin dev`: what it writes to either stream, line by line, and how it ends. */
function dev(cwd: string, node: readonly string[] = [process.execPath]) {
  const child = begin(['dev', '--port', '0', '--json'], { cwd, node });
  const said: string[] = [];
  const heard = new EventTarget();
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null)
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        heard.dispatchEvent(new Event('line'));
      });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  /** The next line that was not taken yet and has this text. */
  async function line(text: string): Promise<string> {
    for (;;) {
      const at = said.findIndex((each) => each.includes(text));
      if (at >= 0) return said.splice(0, at + 1).at(-1) ?? '';
      if (child.exitCode !== null) throw new Error(`it ended and said: ${said.join('\n')}`);
      await new Promise((resolve) => heard.addEventListener('line', resolve, { once: true }));
    }
  }
  const json = async (type: string) => JSON.parse(await line(`"type":"${type}"`)) as Line;
  return { child, ended, line, json };
}

test('dev releases the config at the start and after each change, and keeps what works when one does not', async () => {
  const cwd = await starter(quick);
  const running = dev(cwd);
  const { url, token } = await running.json('ready');
  const first = await running.json('released');

  writeFileSync(join(cwd, 'src', 'train.mjs'), `${readFileSync(join(cwd, 'src', 'train.mjs'), 'utf8')}// a change\n`);
  const second = await running.json('released');
  const config = readFileSync(join(cwd, 'serin.config.ts'), 'utf8');
  writeFileSync(join(cwd, 'serin.config.ts'), config.replace("'2s'", "'2 min'"));
  const problem = await running.line('models.line.data.settle.quiet');
  const kept = await running.line('stays released');
  writeFileSync(join(cwd, 'serin.config.ts'), config);
  writeFileSync(join(cwd, 'src', 'more.mjs'), '// a new file\n');
  const third = await running.json('released');
  const status = JSON.parse((await serin(['status', '--json'], { cwd })).stdout);
  running.child.kill('SIGTERM');

  expect(token).toMatch(/^srn_/);
  expect(problem).toContain('is "2 min": write a duration such as');
  expect(kept).toContain(second.digest?.slice(0, 12));
  expect(new Set([first.digest, second.digest, third.digest]).size).toBe(3);
  expect(status).toMatchObject({ project: 'first-steps', config: { digest: third.digest } });
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(await running.ended).toBe(0);
});

test('dev says where predictions are asked for, and which secret a hook of the config lacks', async () => {
  const cwd = await starter(quick);
  const config = readFileSync(join(cwd, 'serin.config.ts'), 'utf8');
  const push = "on: { ci: { github: { repository: 'acme/line', ref: 'refs/heads/main' } } },";
  writeFileSync(join(cwd, 'serin.config.ts'), config.replace('train:', `${push}\n      train:`));

  const running = dev(cwd);
  const { url } = await running.json('ready');
  const lacking = await running.line('SERIN_GITHUB_SECRET');
  await running.json('released');
  await expect
    .poll(
      async () => JSON.parse((await serin(['endpoints', 'get', 'line', '--json'], { cwd })).stdout || '{}').predict,
      {
        timeout: 20_000,
      },
    )
    .toBe(`${url}/endpoints/line/invocations`);
  running.child.kill('SIGTERM');

  expect(lacking).toContain('/v1/hooks/github refuses them');
  expect(await running.ended).toBe(0);
});

test('dev sees each of many changes that follow at once on its answer, also in folders made meanwhile', async () => {
  const cwd = await starter(quick);
  const running = dev(cwd);
  await running.json('released');
  const good = readFileSync(join(cwd, 'serin.config.ts'), 'utf8');
  const digests = new Set<string | undefined>();

  for (let round = 1; round <= 5; round += 1) {
    writeFileSync(join(cwd, 'serin.config.ts'), good.replace('first-steps', `Round ${round}`));
    await running.line('stays released');
    writeFileSync(join(cwd, 'serin.config.ts'), good.replace("'1s'", `'${round + 1}s'`));
    digests.add((await running.json('released')).digest);
    mkdirSync(join(cwd, 'src', `part${round}`));
    writeFileSync(join(cwd, 'src', `part${round}`, 'a.mjs'), '// new\n');
    digests.add((await running.json('released')).digest);
  }
  running.child.kill('SIGTERM');

  expect(digests.size).toBe(10);
  expect(await running.ended).toBe(0);
});

test('dev that writes into its own code folder releases each change once, and nothing for what it said itself', async () => {
  const cwd = await starter(quick);
  const config = readFileSync(join(cwd, 'serin.config.ts'), 'utf8');
  writeFileSync(join(cwd, 'serin.config.ts'), config.replace("code: './src'", "code: '.'"));
  const releases = () => readFileSync(join(cwd, 'out.txt'), 'utf8').match(/: released .*/g) ?? [];

  const child = begin(['dev', '--port', '0'], {
    cwd,
    node: ['sh', '-c', `exec ${process.execPath} "$@" > out.txt 2>&1`, 'sh'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  for (const count of [1, 2, 3]) {
    await vi.waitFor(() => expect(releases()).toHaveLength(count), 20_000);
    writeFileSync(join(cwd, 'src', 'train.mjs'), `// change ${count}`);
  }
  await vi.waitFor(() => expect(releases()).toHaveLength(4), 20_000);
  child.kill('SIGTERM');

  expect(await ended).toBe(0);
  expect(new Set(releases()).size).toBe(4);
  const code = join(cwd, '.serin', 'buckets', 'serin', 'code');
  const manifests = readdirSync(code).filter((name) => name.endsWith('.json'));
  expect(manifests.length).toBeGreaterThanOrEqual(4);
  for (const name of manifests) expect(readFileSync(join(code, name), 'utf8')).not.toContain('out.txt');
});

test('dev whose words another program writes into the code folder releases each change once, and tells a failure once', async () => {
  const cwd = await starter(quick);
  const file = join(cwd, 'serin.config.ts');
  const config = readFileSync(file, 'utf8').replace("code: './src'", "code: '.'");
  writeFileSync(file, config);
  const said = (text: RegExp) => readFileSync(join(cwd, 'out.txt'), 'utf8').match(text) ?? [];
  const heard = (text: RegExp, times: number) =>
    vi.waitFor(() => expect(said(text)).toHaveLength(times), { timeout: 20_000, interval: 20 });
  const pipe = join(folder(), 'pipe');
  const tee = `mkfifo ${pipe}; tee out.txt <${pipe} >/dev/null & exec ${process.execPath} "$@" >${pipe} 2>&1`;

  const child = begin(['dev', '--port', '0'], { cwd, node: ['sh', '-c', tee, 'sh'] });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  await heard(/out\.txt is in the code and is written with each release/g, 1);
  const before = await serin(['status'], { cwd });
  const first = said(/: released /g).length;
  writeFileSync(join(cwd, 'src', 'train.mjs'), '// a change');
  await heard(/: released /g, 2);
  writeFileSync(file, config.replace("'2s'", "'2 min'"));
  await heard(/a duration such as/g, 1);
  const status = await serin(['status'], { cwd });
  writeFileSync(file, config.replace("'2s'", "'3s'"));
  await heard(/: released /g, 3);
  rmSync(join(cwd, 'README.md'));
  await heard(/: released /g, 4);
  child.kill('SIGTERM');

  expect([first, before.exit, status.exit, await ended]).toEqual([1, 0, 0, 0]);
  expect(said(/: released /g)).toHaveLength(4);
  expect(said(/a duration such as/g)).toHaveLength(1);
  expect(said(/out\.txt is in the code/g)).toHaveLength(1);
});

test('a file in the bucket folder becomes a served model, and a second start shows no token and keeps it', {
  timeout: 90_000,
}, async () => {
  const cwd = await starter(quick);
  // What a server leaves running, by design, is ended after the server itself: these callbacks run last to first.
  onTestFinished(() => endLeftovers(cwd));
  const running = dev(cwd);
  await running.json('released');
  expect(statSync(join(cwd, '.serin', 'server.json')).mode & 0o777).toBe(0o600);

  copyFileSync(join(cwd, 'sample', 'first.csv'), join(cwd, '.serin', 'buckets', 'drops', 'line', 'first.csv'));
  const promoted = await untilPromoted(cwd);
  const prediction = await serin(['endpoints', 'invoke', 'line', '--data', '{"instances":[{"x":3}]}'], { cwd });
  const why = await serin(['why', 'line@1'], { cwd });
  const audit = await serin(['audit', 'verify', '--json'], { cwd });
  running.child.kill('SIGINT');
  const exit = await running.ended;
  const again = dev(cwd);
  const ready = await again.json('ready');
  await again.json('released');
  const history = await serin(['models', 'history', 'line', '--json'], { cwd });

  expect(promoted).toContain('promoted');
  expect(JSON.parse(prediction.stdout).predictions[0].y).toBeCloseTo(7, 0);
  expect(prediction.stderr).toBe('answered by v1\n');
  expect(why.stdout).toMatch(/rmse 1\.\d+/);
  expect(JSON.parse(audit.stdout)).toMatchObject({ ok: true, problems: [] });
  expect(exit).toBe(130);
  expect(ready.token).toBeUndefined();
  expect(JSON.parse(history.stdout).served).toMatchObject([{ version: 1 }]);
});

/** The line of its rollout's end, once the model has one: by the published events, which need no polling. */
async function untilPromoted(cwd: string): Promise<string> {
  const follower = begin(['events', 'list', '--follow', '--after', '0', '--json'], { cwd });
  const lines = createInterface({ input: follower.stdout ?? process.stdin });
  const late = setTimeout(() => follower.kill(), 60_000);
  for await (const line of lines) {
    const { type } = JSON.parse(line) as Line;
    if (/run\.(failed|refused)|rollout\.(rolledback|aborted)/.test(type)) throw new Error(line);
    if (type === 'dev.serin.rollout.promoted.v1') {
      clearTimeout(late);
      follower.kill();
      return type;
    }
  }
  const { stdout } = await serin(['models', 'get', 'line'], { cwd });
  throw new Error(`nothing was promoted within a minute:\n${stdout}`);
}

function endLeftovers(cwd: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      if (readlinkSync(`/proc/${pid}/cwd`).startsWith(cwd)) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // Another user's, or gone.
    }
}

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('an explicit port that is busy is an error, and nothing is started', async () => {
  const cwd = await starter(quick);
  const port = await takenPort();

  const { exit, stderr } = await serin(['dev', '--port', String(port)], { cwd });

  expect(exit).toBe(1);
  expect(stderr).toContain(`port ${port} of 127.0.0.1 is in use`);
});

test('a second server on one data directory is refused', async () => {
  const cwd = await starter(quick);
  const running = dev(cwd);
  await running.json('released');

  const { exit, stderr } = await serin(['dev', '--port', '0'], { cwd });
  running.child.kill('SIGTERM');

  expect(exit).toBe(1);
  expect(stderr).toContain('in use by another process');
  expect(await running.ended).toBe(0);
});

const older = ['/usr/bin/node', '/usr/local/bin/node'].find((file) => existsSync(file));

test('a signal to the Node that handed over reaches the server, and its exit code comes back', async (context) => {
  if (older === undefined) return context.skip('no other Node on this machine');
  const running = dev(await starter(quick), [older]);
  await running.json('released');

  running.child.kill('SIGTERM');

  expect(await running.ended).toBe(0);
  expect(running.child.signalCode).toBe(null);
});

test('a folder without a config has nothing to run', async () => {
  const cwd = folder();
  mkdirSync(join(cwd, 'src'));

  const { exit, stderr } = await serin(['dev'], { cwd });

  expect(exit).toBe(3);
  expect(stderr).toContain("write one with 'serin init'");
});
