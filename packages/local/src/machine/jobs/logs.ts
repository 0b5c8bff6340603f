import { existsSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';

/** The last 20 lines of a log, as the end of a sentence about the job; `''` when it wrote nothing. */
export async function logEnd(file: string): Promise<string> {
  const lines = (await endOf(file, 4096)).trimEnd().split('\n').slice(-20).join('\n');
  return lines === '' ? '' : `; the end of its log:\n${lines}`;
}

/** The last bytes of a file as text; `''` when there is none. */
export async function endOf(file: string, maxBytes: number): Promise<string> {
  const size = existsSync(file) ? (await stat(file)).size : 0;
  const content = await readPart(file, Math.max(0, size - maxBytes), maxBytes);
  return content.toString('utf8');
}

/** Bytes of a file that may still grow, as far as they are written; none where there is no file. */
export async function readPart(file: string, from: number, maxBytes: number): Promise<Buffer> {
  if (!existsSync(file)) return Buffer.alloc(0);
  await using handle = await open(file, 'r');
  const room = Math.min(maxBytes, Math.max(0, (await handle.stat()).size - from));
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(room), 0, room, from);
  return buffer.subarray(0, bytesRead);
}
