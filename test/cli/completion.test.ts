import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { commands, nouns } from '../../packages/cli/src/commands.ts';
import { bashScript } from '../../packages/cli/src/completion/bash.ts';
import { fishScript } from '../../packages/cli/src/completion/fish.ts';
import { completedOf } from '../../packages/cli/src/completion/table.ts';
import { zshScript } from '../../packages/cli/src/completion/zsh.ts';
import { folder, serin, stubServer } from './command.ts';

const all = completedOf(commands);
const required = (process.env.SERIN_REQUIRE ?? '').split(',').includes('shells');

/** Runs where a shell is installed, or where it must be: `SERIN_REQUIRE` has the word `shells`. */
function wants(shell: string, context: TestContext): void {
  if (!required && spawnSync(shell, ['--version']).status !== 0)
    context.skip(`${shell} is not installed; apt-get install ${shell}`);
}

/** A folder with a `serin` that knows two models, and says what it was asked. */
function withServer(): string {
  const directory = folder();
  const file = join(directory, 'serin');
  writeFileSync(
    file,
    '#!/bin/sh\n[ "$1" = __complete ] || { echo "RAN $*"; exit; }\ncase $2 in versions) printf "%s-1\\n" "$3" ;; dead-letters) printf \'ev$(touch pwned)`touch pwned`;touch pwned\\tto\\n\' ;; *) printf "fraud\\tchampion v1\\nfriend\\n" ;; esac\n',
  );
  chmodSync(file, 0o755);
  return directory;
}

/** What bash proposes for the last word of a line. */
function inBash(...words: readonly string[]): readonly string[] {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const script = `${bashScript(all, nouns)}
COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _serin; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { PATH: `${withServer()}:${process.env.PATH}` };
  return execFileSync('bash', ['-c', script], { env, encoding: 'utf8', cwd: import.meta.dirname })
    .split('\n')
    .filter((line) => line !== '');
}

test('an option proposes what its command means by it', () => {
  const kindOf = (command: string, flag: string) =>
    all.find(({ words }) => words.join(' ') === command)?.options.find((option) => option.flag === flag)?.value;

  expect([kindOf('init', '--from'), kindOf('events replay', '--from'), kindOf('runs list', '--status')]).toEqual([
    'files',
    '',
    'statuses-runs',
  ]);
});

test('bash completes commands, options and their values, and names that the server knows', () => {
  expect(inBash('serin', 'ru')).toEqual(['runs']);
  expect(inBash('serin', 'runs', 'st')).toEqual(['start']);
  expect(inBash('serin', 'runs', 'start', '--w')).toEqual(['--wait']);
  expect(inBash('serin', 'why', 'fra')).toEqual(['fraud']);
  expect(inBash('serin', 'runs', 'list', '--model', 'f')).toEqual(['fraud', 'friend']);
  expect(inBash('serin', 'runs', 'list', '--limit', '5', '--mod')).toEqual(['--model']);
  expect(inBash('serin', 'versions', 'approve', 'fraud', '')).toEqual(['fraud-1']);
  expect(inBash('serin', 'plan', '--cloud', 'a')).toEqual(['aws', 'azure']);
  expect(inBash('serin', 'completion', 'z')).toEqual(['zsh']);
  expect(inBash('serin', 'drop', 'fraud', 'one.csv', 'completion.t')).toEqual(['completion.test.ts']);
  expect(inBash('serin', 'nothing', 'x')).toEqual([]);
});

test('what a server says is proposed as it is, and is never run', () => {
  const [found] = inBash('serin', 'dead-letters', 'replay', 'ev');

  expect(found).toBe('ev$(touch pwned)`touch pwned`;touch pwned');
  expect(existsSync(join(import.meta.dirname, 'pwned'))).toBe(false);
});

test('zsh completes commands, options and names that the server knows', (context) => {
  wants('zsh', context);
  const directory = withServer();
  writeFileSync(join(directory, '_serin'), zshScript(all, nouns));
  // A terminal of zsh's own: the tabulator completes the line, and what is then run says which line it was.
  const driver = `zmodload zsh/zpty
    zpty z zsh -f -i
    zpty -w z "PS1=; fpath=(${directory} $fpath); autoload -Uz compinit; compinit -u -D; print READY"
    zpty -r z out '*READY*READY*'
    for line in "$@"; do zpty -w z "$line"$'\\t'; done
    zpty -w z exit
    while zpty -r z out; do print -rn -- $out; done`;
  const inZsh = (...lines: readonly string[]) =>
    [
      ...execFileSync('zsh', ['-f', '-c', driver, 'zsh', ...lines], {
        encoding: 'utf8',
        timeout: 20_000,
        cwd: directory,
        // Not typed into the terminal: it takes no line as long as the path of a command within a command.
        env: { ...process.env, PATH: `${directory}:${process.env.PATH}` },
      }).matchAll(/^RAN (.*?)\s*$/gm),
    ].map(([, line]) => line);

  expect(
    inZsh(
      'serin ru',
      'serin runs sta',
      'serin runs start --wai',
      'serin why frau',
      'serin versions approve fraud ',
      'serin plan --cloud az',
      'serin runs list --model frie',
      'serin drop fraud _se',
      'serin dead-letters replay ev',
    ),
  ).toEqual([
    'runs',
    'runs start',
    'runs start --wait',
    'why fraud',
    'versions approve fraud fraud-1',
    'plan --cloud azure',
    'runs list --model friend',
    'drop fraud _serin',
    'dead-letters replay ev$(touch pwned)`touch pwned`;touch pwned',
  ]);
  expect(existsSync(join(directory, 'pwned'))).toBe(false);
});

test('fish completes commands, options and names that the server knows', (context) => {
  wants('fish', context);
  const directory = folder();
  writeFileSync(join(directory, 'serin.fish'), fishScript(all, nouns));
  const inFish = (line: string) =>
    execFileSync('fish', ['--no-config', '-c', `source serin.fish; complete -C '${line}'`], {
      ...{ cwd: directory, encoding: 'utf8' },
      env: { PATH: `${withServer()}:${process.env.PATH}`, HOME: directory },
    })
      .split('\n')
      .map((each) => each.split('\t')[0] ?? '')
      .filter((word) => word !== '');

  expect(inFish('serin ru')).toEqual(['runs']);
  expect(inFish('serin runs st')).toEqual(['start']);
  expect(inFish('serin runs start --wa')).toEqual(['--wait']);
  expect(inFish('serin why fra')).toEqual(['fraud']);
  expect(inFish('serin versions approve fraud ')).toEqual(['fraud-1']);
  expect(inFish('serin plan --cloud a')).toEqual(['aws', 'azure']);
  expect(inFish('serin dead-letters replay ev')).toEqual(['ev$(touch pwned)`touch pwned`;touch pwned']);
  expect(existsSync(join(directory, 'pwned'))).toBe(false);
});

test('names come from the server of the folder, one a line with what they are', async () => {
  const { env, received } = await stubServer(({ url }) => ({
    body: url.startsWith('/v1/models/fraud/versions')
      ? { versions: [{ number: 2, state: 'champion' }] }
      : url.startsWith('/v1/models')
        ? { models: [{ model: 'fraud', champion: 2 }] }
        : { runs: [{ id: 'run_1', model: 'fraud', status: 'failed' }], rollouts: [] },
  }));
  const ask = async (...words: readonly string[]) => (await serin(['__complete', ...words], { env })).stdout;

  expect(await ask('models')).toBe('fraud\tchampion v2\n');
  expect(await ask('versions', 'fraud')).toBe('2\tchampion\n');
  expect(await ask('served')).toBe('fraud\tchampion v2\nrun_1\tfraud failed\n');
  expect(await ask('statuses-runs')).toBe('failed\n');
  expect(await ask('nonsense')).toBe('');
  expect(received.length).toBeGreaterThan(0);
});

test('a server that is not there proposes nothing, and writes nothing into the line', async () => {
  const { exit, stdout, stderr } = await serin(['__complete', 'models'], { env: { SERIN_URL: 'http://127.0.0.1:9' } });

  expect([exit, stdout, stderr]).toEqual([0, '', '']);
});

test('a server that does not answer is not waited for', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : undefined;

  const { exit, stdout } = await serin(['__complete', 'models'], { env: { SERIN_URL: `http://127.0.0.1:${port}` } });

  expect([exit, stdout]).toEqual([0, '']);
});

test('the command prints the script of each shell', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) expect((await serin(['completion', shell])).stdout).toContain('serin');
  expect((await serin(['completion', 'csh'])).exit).toBe(2);
});
