import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize, relative } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { commands } from '../packages/cli/src/commands.ts';
import { configJsonSchema, type Schema } from '../packages/cli/src/config-json-schema.ts';
import { configTexts } from '../packages/cli/src/config-texts.ts';
import { compile, parseConfig } from '../packages/core/src/config/config.ts';
import { variables } from '../scripts/docs/variables.ts';
import { renewedPages } from '../scripts/docs.ts';
import { graphOf, levelsOf, root, sources } from './imports.ts';

const hidden = /(^|\/)(node_modules|dist|cdk\.out|\.(?!ci$|github$)[^/]+)(\/|$)/;

/** Everything below a folder, but for what was installed or built. */
function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (hidden.test(path)) return [];
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

const files = filesBelow('.');
const names = new Set(files.map((file) => basename(file)));
const tops = new Set(files.map((file) => file.split('/')[0] ?? ''));
const textOf = (document: string): string => readFileSync(join(root, document), 'utf8');

/** Where the links of a document lead to, in this repository. */
const linksIn = (document: string): readonly string[] =>
  [...textOf(document).matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)].map(([, link = '']) =>
    normalize(join(dirname(document), link)),
  );

/** What stands in backticks and is a file or folder of ours; a name with `<`, `*` or the like stands for many. */
function pathsIn(document: string): readonly string[] {
  const text = textOf(document).replace(/```[\s\S]*?```/g, '');
  return [...text.matchAll(/`([^`\s]+)`/g)]
    .map(([, span = '']) => span)
    .filter((span) => !/[<>*{}$:@]|^\//.test(span))
    .filter((span) => /\.(ts|mjs|md)$/.test(span) || (span.includes('/') && tops.has(span.split('/')[0] ?? '')));
}

const isThere = (document: string, path: string): boolean =>
  path.includes('/')
    ? [root, join(root, dirname(document))].some((folder) => existsSync(join(folder, path)))
    : names.has(path);

test.each(files.filter((file) => file.endsWith('.md')))('%s names only files that are there', (document) => {
  const links = linksIn(document).filter((link) => !existsSync(join(root, link)));
  const paths = pathsIn(document).filter((path) => !isThere(document, path));

  expect([...links, ...paths]).toEqual([]);
});

const contributing = textOf('CONTRIBUTING.md');
const [, map = ''] = /## The map\n([\s\S]*?)\n## /.exec(contributing) ?? [];

/** The folders right below this one. */
const foldersIn = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !hidden.test(entry.name))
    .map(({ name }) => `${folder}/${name}/`);

test('each package and each room of core is on the map of CONTRIBUTING.md', () => {
  const places = ['packages', 'functions', 'packages/core/src', 'packages/core/src/model'].flatMap(foldersIn);

  expect(places.length).toBeGreaterThan(20);
  expect(places.filter((place) => !map.includes(`\`${place}`))).toEqual([]);
});

test('the rooms of core stand on each other as CONTRIBUTING.md says', () => {
  const said = (/from the lowest up: (.*?)\. /.exec(contributing)?.[1] ?? '')
    .split(' < ')
    .map((level) => [...level.matchAll(/`([^`]+)`/g)].map(([, room = '']) => room));

  const core = join(root, 'packages/core/src');
  const roomOf = (file: string): string => relative(core, file).split('/')[0] ?? '';
  const rooms = new Map<string, Set<string>>();
  for (const [file, needed] of graphOf(sources('packages/core/src'), 'types too'))
    rooms.set(roomOf(file), new Set([...(rooms.get(roomOf(file)) ?? []), ...[...needed].map(roomOf)]));
  for (const [room, needed] of rooms) needed.delete(room);
  const levels = [...levelsOf(rooms)];
  const on = (level: number) => levels.flatMap(([room, its]) => (its === level ? [room] : [])).toSorted();

  expect(said).toEqual(
    Array.from({ length: Math.max(...levels.map(([, level]) => level)) }, (_, index) => on(index + 1)),
  );
});

test('what the pages of docs/ have from the code is what the code says (mend: node scripts/docs.ts)', async () => {
  const pages = await renewedPages();

  expect(pages.length).toBeGreaterThan(4);
  for (const { page, before, after } of pages) expect([page, before]).toEqual([page, after]);
});

test('the README can be read in a few minutes', () => {
  expect(Buffer.byteLength(textOf('README.md'))).toBeLessThanOrEqual(8_000);
});

test('every npm script that a page names exists', () => {
  const { scripts } = JSON.parse(textOf('package.json')) as { readonly scripts: Record<string, string> };
  const named = pages.flatMap((page) =>
    [...textOf(page).matchAll(/npm run (?:--silent )?([a-z:-]+)/g)].map(([, name = '']) => `${page}: ${name}`),
  );

  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => scripts[name.split(': ')[1] ?? ''] === undefined)).toEqual([]);
});

/** What a newcomer reads. */
const pages = files.filter((file) => file === 'README.md' || /^(docs|examples|clients)\/.*\.md$/.test(file));

/** The lines of the blocks of a page that are a shell's. */
const shellLines = (page: string): readonly string[] =>
  [...textOf(page).matchAll(/```(?:sh|bash|console)?\n([\s\S]*?)```/g)]
    .flatMap(([, block = '']) => block.split('\n'))
    .map((line) => line.trim().replace(/\s+#.*$/, ''));

/** Words of a command line, up to what a shell does with its output. */
const wordsOf = (line: string): readonly string[] => (line.split(/\s(?:\||>|&&|;)\s/)[0] ?? '').split(/\s+/);

test.each(pages)('%s shows only commands and options that there are', (page) => {
  const shown = shellLines(page).flatMap((line) =>
    line
      .split(/\s&&\s|;\s+/)
      .map(
        (part) =>
          /^(?:\$ )?(?:npx )?serin (.*)$/.exec(part.trim())?.[1] ??
          /^npm run (?:--silent )?serin -- (.*)$/.exec(part.trim())?.[1],
      )
      .filter((rest) => rest !== undefined),
  );

  const unknown = shown.filter((rest) => {
    const words = wordsOf(rest);
    if ((words[0] ?? '').startsWith('-')) return false;
    const spec = commands.find(({ name }) => name === words.slice(0, name.split(' ').length).join(' '));
    const flags = words.filter((word) => /^--[a-z]/.test(word)).map((word) => word.split('=')[0] ?? '');
    const known = (spec?.options ?? []).flatMap((option) => option.flags.match(/--[a-z-]+/g) ?? []);
    return spec === undefined || flags.some((flag) => ![...known, '--json', '--help'].includes(flag));
  });
  expect(unknown).toEqual([]);
});

test('each config that a page shows whole is a config', () => {
  const yaml = pages.flatMap((page) =>
    [...textOf(page).matchAll(/```yaml\n(project:[\s\S]*?)```/g)].map(([, text = '']) => ({
      page,
      config: parse(text),
    })),
  );
  expect(yaml.length).toBeGreaterThan(0);
  for (const { page, config } of yaml) {
    const read = parseConfig(config);
    expect([page, 'problems' in read ? read.problems : []]).toEqual([page, []]);
  }
  const shown = pages.flatMap((page) =>
    [...textOf(page).matchAll(/```ts\n([\s\S]*?defineConfig\(([\s\S]*)\);\n)```/g)].map(([, , literal = '']) => ({
      page,
      literal,
    })),
  );

  for (const { page, literal } of shown) {
    const read = parseConfig(new Function(`return (${literal});`)());
    expect([page, 'problems' in read ? read.problems : []]).toEqual([page, []]);
    if ('parsed' in read) expect(Object.keys(compile(read.parsed, new Map(), 'local').models)).not.toEqual([]);
  }
});

test('each field of a config has a sentence, and no sentence is about a field that is gone', () => {
  const without: string[] = [];
  const texts = new Set<string>();
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    const { description, properties, additionalProperties, ...rest } = value as Schema;
    texts.add(description ?? '');
    const named = { ...properties, ...(typeof additionalProperties === 'object' ? { '*': additionalProperties } : {}) };
    for (const [name, part] of Object.entries(named)) {
      if (part.description === undefined) without.push(`${path}.${name}`);
      walk(part, `${path}.${name}`);
    }
    for (const part of Object.values(rest)) walk(part, path);
  };
  walk(configJsonSchema(), '');

  expect(without).toEqual([]);
  expect(Object.entries(configTexts).filter(([, text]) => !texts.has(text))).toEqual([]);
});

test('each variable that one machine reads is in the table of docs/one-machine.md, and no other', () => {
  const read = ['packages/cli/src', 'packages/local/src']
    .flatMap(sources)
    .filter((file) => !/\/(demo|starter|templates|splitter)\/|test\.ts$/.test(relative(root, file)))
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/\benv\.([A-Z][A-Z_]+)/g)].map(([, name = '']) => name))
    .filter((name) => !/^(SM_|MASTER_|RANK)/.test(name));
  const listed = variables.flatMap(({ name }) => name.split(', '));

  expect([...new Set(read)].filter((name) => !listed.includes(name))).toEqual([]);
  expect(
    listed.filter((name) => !['SERIN_SECRET_<NAME>', 'LANG', 'TZ'].includes(name) && !read.includes(name)),
  ).toEqual([]);
});
