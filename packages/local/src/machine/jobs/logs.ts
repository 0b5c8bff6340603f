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

/**
 * A part of a log as text: from a byte on, or its last bytes. No character is cut in two; one whose rest is not written
 * yet is left for the next part. A log that was emptied meanwhile begins again.
 */
export async function readText(
  file: string,
  start: { readonly from: number } | { readonly tail: number },
  maxBytes: number,
): Promise<{ readonly text: string; readonly next: number }> {
  const bytes = await sizeOf(file);
  const from = 'tail' in start ? Math.max(0, bytes - start.tail) : start.from > bytes ? 0 : start.from;
  const content = await readPart(file, from, maxBytes);
  const begin = 'tail' in start && from > 0 ? content.indexOf('\n') + 1 : 0;
  const end = content.length - cutCharacter(content);
  return { text: content.toString('utf8', begin, Math.max(begin, end)), next: from + Math.max(begin, end) };
}

/** How many bytes at the end belong to a character of UTF-8 that goes on. */
function cutCharacter(content: Buffer): number {
  for (let back = 1; back <= Math.min(3, content.length); back += 1) {
    const byte = content[content.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

async function sizeOf(file: string): Promise<number> {
  await using handle = await openPlain(file);
  return handle === undefined ? 0 : (await handle.stat()).size;
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
