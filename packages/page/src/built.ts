import type { Asset } from './assets.ts';

/**
 * The files of the browser. In the repository they are built when somebody first opens the page; a bundle of Serin has
 * this module replaced by what it answers (`builtPage` in build/build.ts).
 */
export async function built(): Promise<Readonly<Record<string, Asset>>> {
  const { buildPage } = await import('../build/build.ts');
  return buildPage();
}
