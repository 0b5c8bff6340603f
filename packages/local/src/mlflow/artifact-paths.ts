/**
 * A path that stays below its folder. Unlike in code and datasets `:` may be in it, which programs write into names of
 * files, and only one machine reads them.
 */
export function isSafeArtifact(path: string): boolean {
  if (Buffer.byteLength(path) > 1024 || /[\\\p{Cc}]/u.test(path)) return false;
  return path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= 200);
}
