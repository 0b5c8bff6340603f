import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { countText } from '@serin/core/base/numbers';
import { parseConfig } from '@serin/core/config/config';
import type { ConfigProblem } from '@serin/core/config/problems';
import type { ConfigText, Place } from './config-text.ts';
import { Failure } from './failure.ts';

export const configNames = ['ts', 'js', 'mjs', 'yaml', 'yml', 'json'].map((ending) => `serin.config.${ending}`);

export type Parsed = Extract<ReturnType<typeof parseConfig>, { parsed: unknown }>['parsed'];

export interface LoadedConfig {
  readonly file: string;
  readonly directory: string;
  readonly parsed: Parsed;
  /** Where a config of YAML or JSON says something. */
  readonly placeOf?: ConfigText['placeOf'];
}

/** The config that was named, or the one of this folder. */
export function findConfig(cwd: string, named?: string): string {
  if (named !== undefined) {
    const file = resolve(cwd, named);
    if (existsSync(file) && statSync(file).isFile()) return file;
    throw new Failure(3, `there is no config ${file}`, {
      mend: "name another with --config, or write one with 'serin init'",
    });
  }
  const found = configNames.map((name) => join(cwd, name)).filter((file) => existsSync(file));
  if (found.length > 1)
    throw new Failure(2, `${cwd} has more than one config: ${found.map((file) => basename(file)).join(' and ')}`, {
      mend: 'keep one of them, or name it with --config',
    });
  if (found[0] !== undefined) return found[0];
  throw new Failure(3, `there is no serin.config.yaml, .ts or .json in ${cwd}`, {
    mend: "write one with 'serin init', or name another with --config",
  });
}

/** Reads a config whole: also what it imports is read again each time. Every problem is in the failure. */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const { value, placeOf } = await readConfig(file);
  const result = parseConfig(value);
  if ('problems' in result) throw problemsFailure(file, result.problems, placeOf);
  return { file, directory: dirname(file), parsed: result.parsed, ...(placeOf === undefined ? {} : { placeOf }) };
}

async function readConfig(file: string): Promise<Pick<ConfigText, 'value'> & Partial<ConfigText>> {
  try {
    if (/\.(?:ya?ml|json)$/.test(file)) return await readText(file);
    const module = (await importFresh(file)) as { readonly default?: unknown };
    if (module.default !== undefined) return { value: module.default };
  } catch (error) {
    if (error instanceof Failure) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(2, `cannot load ${file}`, {
      why: `${why}${placeIn(error, file)}`,
      mend: 'correct the config',
      cause: error,
    });
  }
  throw new Failure(2, `${file} has no default export`, { mend: 'write export default defineConfig({ ... })' });
}

/** Loaded only for YAML and JSON: a config in TypeScript does not need it. */
async function readText(file: string): Promise<ConfigText> {
  const { readConfigText } = await import('./config-text.ts');
  const read = readConfigText(await readFile(file, 'utf8'), file.endsWith('.json'));
  if ('value' in read) return read;
  throw problemsFailure(file, read.problems);
}

/** Where in the config an error came from. */
function placeIn(error: unknown, file: string): string {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const found = stack.split('\n').find((line) => line.includes(basename(file)));
  const line = /:(\d+)(?::\d+)?\)?$/.exec(found ?? '')?.[1];
  return line === undefined ? '' : ` (line ${line})`;
}

let loads = 0;

async function importFresh(file: string): Promise<unknown> {
  loads += 1;
  const mark = `serin-load=${loads}`;
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const fromConfig = context.parentURL?.endsWith(mark) === true;
      if (specifier === 'serin') return resolveSerin(() => nextResolve(specifier, context));
      const found = nextResolve(specifier, context);
      const own = found.url.startsWith('file:') && !found.url.includes('/node_modules/');
      const isConfig = specifier.endsWith(mark);
      // TypeScript here is always a module: Node would go by the nearest package.json, and `npm init` writes commonjs.
      const format = own && /\.ts(\?|$)/.test(found.url) ? { format: 'module-typescript' } : {};
      if (isConfig) return { ...found, ...format };
      return fromConfig && own ? { ...found, ...format, url: `${found.url}?${mark}` } : found;
    },
  });
  try {
    return await import(`${pathToFileURL(file).href}?${mark}`);
  } finally {
    hooks.deregister();
  }
}

/** What is installed beside the config; a project that is run by npx, or has nothing installed, gets this very package. */
function resolveSerin<Resolved>(
  resolveInstalled: () => Resolved,
): Resolved | { readonly url: string; readonly shortCircuit: true } {
  try {
    return resolveInstalled();
  } catch {
    const beside = import.meta.url.endsWith('.ts') ? './index.ts' : './index.js';
    return { url: new URL(beside, import.meta.url).href, shortCircuit: true };
  }
}

type Placed = ConfigProblem & { readonly place?: Place };

/** All problems at once: where, what is there, what is allowed. In a text they have lines, and stand in their order. */
export function problemsFailure(
  file: string,
  problems: readonly Placed[],
  placeOf: ConfigText['placeOf'] = () => undefined,
): Failure {
  const all = problems
    .map((problem) => ({ ...problem, at: keysOf(problem), place: problem.place ?? placeOf(keysOf(problem)) }))
    .sort((a, b) => (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0));
  const name = basename(file);
  const title = `${name} has ${countText(problems.length, 'problem')}`;
  const places = all.map(({ place }) => (place === undefined ? '' : `${name}:${place.line}:${place.column}`));
  const [placeWidth, pathWidth] = [places, all.map(({ path }) => path)].map(widest);
  return new Failure(2, title, {
    details: all.map(({ path, message, value }, index) =>
      [(places[index] ?? '').padEnd(placeWidth ?? 0), path.padEnd(pathWidth ?? 0), `${valueText(value)}${message}`]
        .filter((part) => part !== '')
        .join('  '),
    ),
    problem: {
      type: 'urn:serin:problem:config',
      title,
      detail: `${title}; nothing was changed`,
      code: 'config',
      errors: all.map(({ at, message, value, place }) => ({
        pointer: at.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
        detail: message,
        ...(value === undefined ? {} : { value }),
        ...place,
      })),
    },
  });
}

const keysOf = ({ keys, path }: ConfigProblem): readonly PropertyKey[] =>
  keys ?? path.split('.').filter((key) => key !== '');

const widest = (texts: readonly string[]): number => Math.min(60, Math.max(...texts.map(({ length }) => length)));

const valueText = (value: unknown): string => {
  const text = value === undefined ? '' : (JSON.stringify(value) ?? '');
  return text === '' ? '' : `is ${text.length > 60 ? `${text.slice(0, 59)}…` : text}: `;
};
