import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compile, parseConfig } from '../packages/core/src/config/config.ts';
import { readmeWithTables } from '../scripts/readme.ts';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

test('the tables of the README are those of the code and of the contract suites (mend: node scripts/readme.ts)', () => {
  expect(readme).toBe(readmeWithTables(readme));
});

test('every file that the README links to is there', () => {
  const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map((match) => match[1] ?? '');
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([]);
});

test('the config that the README shows is a config', async () => {
  const shown = /```ts\n(import \{ defineConfig \}[\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const literal = /defineConfig\(([\s\S]*)\);/.exec(shown)?.[1] ?? '';
  const read = parseConfig(new Function(`return (${literal});`)());

  expect('problems' in read ? read.problems : []).toEqual([]);
  if ('parsed' in read) expect(Object.keys(compile(read.parsed, new Map(), 'local').models)).toEqual(['fraud']);
});

test('every npm script that the README names exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly scripts: Record<string, string>;
  };
  const named = [...readme.matchAll(/npm run ([a-z-]+)/g)].map((match) => match[1] ?? '');
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
});
