import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import type { Asset } from '../src/assets.ts';

const browser = join(import.meta.dirname, '..', 'browser');
const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Bundles the scripts and the style of the page, by the paths under which a browser asks for them. */
export async function buildPage(): Promise<Readonly<Record<string, Asset>>> {
  const { outputFiles } = await build({
    entryPoints: ['page.ts', 'news.ts', 'style.css', 'icon.svg'].map((name) => join(browser, name)),
    outdir: '/page',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    loader: { '.svg': 'copy' },
    write: false,
    legalComments: 'none',
    logLevel: 'warning',
  });
  return Object.fromEntries(
    outputFiles.map(({ path, text }) => [
      `/page/${basename(path)}`,
      { type: types[path.split('.').at(-1) ?? ''] ?? '', text },
    ]),
  );
}

/** For a bundle of Serin: puts the built files in the place of the module that builds them. */
export const builtPage: Plugin = {
  name: 'built page',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]page[/\\]src[/\\]built\.ts$/ }, async ({ path }) => {
      // The module must still be the one that is meant.
      if (!(await readFile(path, 'utf8')).includes('buildPage'))
        throw new Error(`${path} does not build the page; correct the filter`);
      return { contents: `export const built = async () => (${JSON.stringify(await buildPage())});`, loader: 'js' };
    });
  },
};
