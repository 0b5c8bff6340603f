import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { CodeFile, CodeFolder } from './code.ts';
import type { Prepared } from './release.ts';

/** What a person sees of a digest. */
const shownDigits = 12;

/**
 * The files in which a release differs from the one before, if each of them names that one: they were written because of
 * it, as by `serin dev 2>&1 | tee out.txt`, and a release of them would make the next. Empty when anything else differs.
 */
export async function echoesOf(before: Prepared, next: Prepared): Promise<readonly CodeFile[]> {
  const isGone = [...before.folders].some(([name, { files }]) => {
    const paths = new Set(next.folders.get(name)?.files.map(({ path }) => path));
    return files.some(({ path }) => !paths.has(path));
  });
  if (isGone || !isDeepStrictEqual(before.config.parsed, next.config.parsed)) return [];
  const changed = [...next.folders].flatMap(([name, folder]) => changedIn(folder, before.folders.get(name)));
  const said = before.digest.slice(0, shownDigits);
  const named = await Promise.all(changed.map(({ source }) => names(source, said)));
  return named.every(Boolean) ? changed : [];
}

/** Files of a folder that another one has not, or has otherwise. */
function changedIn(folder: CodeFolder, other: CodeFolder | undefined): readonly CodeFile[] {
  const known = new Map(other?.files.map((file) => [file.path, file]));
  return folder.files.filter(({ path, blob, executable }) => {
    const file = known.get(path);
    return file?.blob !== blob || file.executable !== executable;
  });
}

const names = async (file: string, text: string): Promise<boolean> =>
  (await readFile(file).catch(() => Buffer.alloc(0))).includes(text);
