import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, dirname, join, sep } from 'node:path';
import { binFile } from './places.ts';

/**
 * How this command is called from a folder. `npx serin` only where npx finds what is installed: anywhere else it would
 * fetch a package of this name from npm, which is not ours.
 */
export function calledFrom(directory: string, searchPath = ''): string {
  if (foldersAbove(directory).some((folder) => isProgram(join(folder, 'node_modules', '.bin', 'serin'))))
    return 'npx serin';
  // npm and npx put folders of this kind in front of the path for as long as they run.
  const own = searchPath.split(delimiter).filter((folder) => folder !== '' && !folder.endsWith(join(sep, '.bin')));
  if (own.some((folder) => isProgram(join(folder, 'serin')))) return 'serin';
  return `node ${/^[\w@%+=:,./-]+$/.test(binFile) ? binFile : `'${binFile.replaceAll("'", `'\\''`)}'`}`;
}

/** A text that was written for `npx serin`, for somebody in a folder. */
export const asCalled = (text: string, directory: string, searchPath?: string): string => {
  const called = calledFrom(directory, searchPath);
  return text.replace(/\bnpx serin\b/g, () => called);
};

function foldersAbove(directory: string): readonly string[] {
  const above = dirname(directory);
  return above === directory ? [directory] : [directory, ...foldersAbove(above)];
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
