import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commands } from '../../packages/cli/src/commands.ts';
import { program } from '../../packages/cli/src/main.ts';
import type { Terminal } from '../../packages/cli/src/terminal.ts';
import { begin, finished, serin } from './command.ts';

async function helpOf(name: string): Promise<string> {
  let text = '';
  const terminal: Terminal = {
    json: false,
    interactive: false,
    width: undefined,
    out: (part) => {
      text += part;
    },
    say: () => {},
    paint: (_, part) => part,
    confirm: async () => false,
  };
  const line = program(() => Promise.reject(new Error('it ran')), terminal);
  await expect(line.parseAsync([...name.split(' '), '--help'], { from: 'user' })).rejects.toMatchObject({
    exitCode: 0,
  });
  return text.replace(/\s+/g, ' ').toLowerCase();
}

test('every command has a help that says what it does and that it knows --json', async () => {
  for (const { name, summary } of commands) {
    const help = await helpOf(name);
    expect(help).toContain(`usage: serin ${name}`);
    expect(help).toContain(summary.toLowerCase());
    expect(help).toContain('--json');
  }
  expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
});

test('every command that takes a cloud names all that it takes', async () => {
  const takes = commands.filter(({ options = [] }) => options.some(({ flags }) => flags.startsWith('--cloud')));

  expect(takes.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['init', 'validate', 'plan', 'deploy', 'destroy']),
  );
  for (const { name } of takes) {
    const about = /--cloud <.*?(?= -)/.exec((await helpOf(name)).replace(/^.*?options:/, ''))?.[0];
    for (const cloud of ['aws', 'gcp', 'azure']) expect([name, about]).toEqual([name, expect.stringContaining(cloud)]);
  }
});

test('every command of the table can be loaded', { timeout: 30_000 }, async () => {
  for (const { name, load } of commands) expect([name, typeof (await load())]).toEqual([name, 'function']);
});

test('the help loads no command, no config schema and no server', async () => {
  const hook = `import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => { process.stderr.write(url + '\\n'); return next(url, context); } });`;
  const preload = `data:text/javascript,${encodeURIComponent(hook)}`;

  const { stderr, stdout } = await serin(['--help'], { node: [process.execPath, '--import', preload] });

  const loaded = stderr.split('\n').filter((line) => line.startsWith('file:'));
  expect(stdout).toContain('Usage: serin');
  expect(loaded.some((url) => url.endsWith('/src/main.ts'))).toBe(true);
  expect(loaded.filter((url) => /\/commands\/|zod|hono|core\/src\/config\/|packages\/local/.test(url))).toEqual([]);
});

test('a word that is no command is a usage error that names the nearest one', async () => {
  const { exit, stderr, stdout } = await serin(['runs', 'strat']);

  expect([exit, stdout]).toEqual([2, '']);
  expect(stderr).toContain("unknown command 'strat'");
  expect(stderr).toContain('Did you mean start');
});

test('a missing argument and an unknown option are usage errors, and in JSON a problem document', async () => {
  const missing = await serin(['runs', 'start', '--json']);
  const unknown = await serin(['status', '--colour']);

  expect([missing.exit, missing.stderr]).toEqual([2, '']);
  expect(JSON.parse(missing.stdout)).toMatchObject({
    code: 'usage',
    exit: 2,
    title: "missing required argument 'model'",
  });
  expect([unknown.exit, unknown.stdout]).toEqual([2, '']);
  expect(unknown.stderr).toContain("unknown option '--colour'");
});

test('nothing is coloured when nobody looks at a terminal', async () => {
  const { stdout } = await serin(['--help'], { env: { FORCE_COLOR: '1' } });

  expect(stdout).not.toContain('\u001b');
});

const older = ['/usr/bin/node', '/usr/local/bin/node'].find((file) => existsSync(file));
const olderVersion = async () =>
  older === undefined
    ? Number.NaN
    : Number(
        (await finished(begin(['--version'], { node: [older, '-p', 'process.versions.node.split(".")[0]', '--'] })))
          .stdout,
      );

test('an older Node hands over to the Node 24 of the repository, with arguments, output and exit code', async (context) => {
  if (!((await olderVersion()) < 24)) context.skip('no Node below 24 on this machine');
  const node = [older ?? ''];

  const version = await serin(['version', '--json'], { node });
  const refused = await serin(['runs', 'start'], { node });

  expect(JSON.parse(version.stdout).node).toMatch(/^v2[4-9]\./);
  expect(refused.exit).toBe(2);
});
