import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize, relative } from 'node:path';
import { expect, test } from 'vitest';
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
