import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { isMissing, systemCode } from './faults.ts';

/** Opens no link, and never waits for whoever writes into a pipe. */
export const plainly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A file that others may have put there, open for reading; `undefined` for what is missing or is not a regular file. */
export async function openPlain(file: string): Promise<FileHandle | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, plainly);
  } catch (error) {
    // ELOOP: a link. ENXIO: a socket, or a device that is not there.
    if (isMissing(error) || systemCode(error) === 'ELOOP' || systemCode(error) === 'ENXIO') return undefined;
    throw error;
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  return undefined;
}
