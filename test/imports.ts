import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');

/** The files of a folder that run in production. */
export function sources(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|mjs)$/.test(file) && !/\.(test|fixture)\.ts$/.test(file) && !/starter|splitter/.test(file))
    .map((file) => join(root, folder, file));
}

export const withoutComments = (source: string): string => source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

/** Module names that a source imports, types included. */
export const imports = (source: string): readonly string[] =>
  [
    ...source.matchAll(/^(?:import|export|\})[^'\n]*\bfrom '([^'\n]+)'|^import '([^'\n]+)'|\bimport\('([^'\n]+)'\)/gm),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? '');

/** Each file, and those of the files that it imports. `run time`: without what only the compiler reads. */
export function graphOf(
  files: readonly string[],
  kind: 'run time' | 'types too',
): ReadonlyMap<string, ReadonlySet<string>> {
  const known = new Set(files);
  return new Map(
    files.map((file) => {
      const source = withoutComments(readFileSync(file, 'utf8'));
      const names = kind === 'run time' ? atLoading(source) : imports(source);
      const needed = names.filter((name) => name.startsWith('.')).map((name) => join(file, '..', name));
      return [file, new Set(needed.filter((other) => known.has(other)))];
    }),
  );
}

/** A statement may take several lines; a dynamic import is loaded later. */
function atLoading(source: string): readonly string[] {
  return [...source.matchAll(/^(?:import|export)\s([^;'()=]*)from '([^'\n]+)'/gm)]
    .filter(([, what = '']) => !isTypes(what))
    .map(([, , name = '']) => name);
}

function isTypes(what: string): boolean {
  if (/^type\s/.test(what)) return true;
  const names = /^\{([^}]*)\}\s*$/.exec(what)?.[1];
  return names?.split(',').every((name) => name.trim() === '' || /^\s*type\s/.test(name)) ?? false;
}

/** Groups of nodes that can reach each other, sorted. */
export function circlesIn(graph: ReadonlyMap<string, ReadonlySet<string>>): readonly (readonly string[])[] {
  const reached = new Map([...graph.keys()].map((node) => [node, reachedFrom(node, graph)]));
  const circles = [...graph.keys()].map((node) =>
    [...graph.keys()].filter((other) => reached.get(node)?.has(other) && reached.get(other)?.has(node)).sort(),
  );
  return [...new Map(circles.filter(({ length }) => length > 0).map((circle) => [circle.join(), circle])).values()];
}

function reachedFrom(start: string, graph: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const reached = new Set<string>();
  const next = [...(graph.get(start) ?? [])];
  for (let node = next.pop(); node !== undefined; node = next.pop()) {
    if (reached.has(node)) continue;
    reached.add(node);
    next.push(...(graph.get(node) ?? []));
  }
  return reached;
}

/** 1 for a node that needs no other, else one more than the highest that it needs. */
export function levelsOf(graph: ReadonlyMap<string, ReadonlySet<string>>): ReadonlyMap<string, number> {
  const levels = new Map<string, number>();
  const levelOf = (node: string): number => {
    const known = levels.get(node);
    if (known !== undefined) return known;
    levels.set(node, 1); // in a circle, which another test names
    const level = 1 + Math.max(0, ...[...(graph.get(node) ?? [])].map(levelOf));
    levels.set(node, level);
    return level;
  };
  for (const node of graph.keys()) levelOf(node);
  return levels;
}

const longEnough = 25;

/** What a source says in words: each sentence of its comments, and its texts between what is filled in. */
export function saidIn(source: string): readonly string[] {
  const comments = [...source.matchAll(/\/\*\*([\s\S]*?)\*\/|((?:^[ \t]*\/\/.*\n?)+)/gm)]
    .map(([, block, lines = '']) => (block ?? lines).replace(/^\s*(?:\*|\/\/) ?/gm, ' ').replace(/\s+/g, ' '))
    .flatMap((comment) => comment.split(/(?<=[.;:]) /));
  const texts = [...withoutComments(source).matchAll(/'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g)].flatMap(
    ([, quoted, template = '']) => (quoted ?? template).split(/\$\{[^}]*\}/),
  );
  return [...comments, ...texts]
    .map((text) => text.trim())
    .filter((text) => text.length >= longEnough && / /.test(text));
}
