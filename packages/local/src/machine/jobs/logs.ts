import { keptLines, logEndOf } from '@serin/platform/jobs/logs';
import { openPlain } from '../plain-file.ts';

/** The last lines of a file, of at most 4 KB, as the reason of a failed job ends with them. */
export async function logEnd(file: string): Promise<string> {
  return logEndOf((await endOf(file, 4096)).trimEnd().split('\n').slice(-keptLines).join('\n'));
}

/** The last bytes of a file as text; `''` when there is none. */
export async function endOf(file: string, maxBytes: number): Promise<string> {
  return (await readPart(file, -maxBytes, maxBytes)).toString('utf8');
}

/** Bytes of a file that may still grow, as far as they are written; none where there is no file. Below 0: from its end. */
export async function readPart(file: string, from: number, maxBytes: number): Promise<Buffer> {
  await using handle = await openPlain(file);
  if (handle === undefined) return Buffer.alloc(0);
  const { size } = await handle.stat();
  const start = from < 0 ? Math.max(0, size + from) : from;
  const room = Math.min(maxBytes, Math.max(0, size - start));
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(room), 0, room, start);
  return buffer.subarray(0, bytesRead);
}
