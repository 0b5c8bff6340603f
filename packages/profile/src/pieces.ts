import { createGunzip, type Gunzip } from 'node:zlib';
import { Fault } from '@serin/core/base/fault';
import type { ObjectSource } from '@serin/core/drift/profiler';
import { maxInflatedBytes, pieceBytes } from './limits.ts';

export const isGzip = (key: string): boolean => /\.gz$/i.test(key);

/**
 * The text of an object from a byte on, in pieces, the first of at least four bytes where there are as many. A gzip is
 * inflated, and has one begin only. Text that is UTF-16 is refused.
 */
export async function* piecesOf(object: ObjectSource, from: number): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | undefined = new Uint8Array(0);
  for await (const piece of isGzip(object.key) ? inflated(object) : stored(object, from)) {
    if (head === undefined) yield piece;
    else {
      head = joined(head, piece);
      if (head.length < 4) continue;
      if (from === 0) checkEncoding(object, head);
      yield head;
      head = undefined;
    }
  }
  if (head !== undefined && head.length > 0) yield head;
}

async function* stored(object: ObjectSource, from: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < object.bytes; ) {
    const piece = await object.read(at, Math.min(pieceBytes, object.bytes - at));
    if (piece.length === 0)
      throw new Fault('invalid', `${object.key} ends at byte ${at} of ${object.bytes}; write each object once, whole`);
    at += piece.length;
    yield piece;
  }
}

async function* inflated(object: ObjectSource): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: 2 ** 18 });
  let bytes = 0;
  feed(object, gunzip).catch((error: Error) => gunzip.destroy(error));
  try {
    for await (const chunk of gunzip) {
      const piece: Uint8Array = chunk;
      bytes += piece.length;
      if (bytes > maxInflatedBytes)
        throw new Fault('invalid', `${object.key} inflates to more than 512 MB; write smaller files, or without gzip`);
      yield piece;
    }
  } catch (error) {
    if (!isOfZlib(error)) throw error;
    throw new Fault(
      'invalid',
      `${object.key} breaks off as a gzip after ${bytes} bytes, or is not one; write it again`,
      { cause: error },
    );
  } finally {
    gunzip.destroy();
  }
}

async function feed(object: ObjectSource, gunzip: Gunzip): Promise<void> {
  for await (const piece of stored(object, 0))
    await new Promise<void>((resolve, reject) => {
      gunzip.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  gunzip.end();
}

const isOfZlib = (error: unknown) =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');

function joined(head: Uint8Array, piece: Uint8Array): Uint8Array {
  if (head.length === 0) return piece;
  const both = new Uint8Array(head.length + piece.length);
  both.set(head);
  both.set(piece, head.length);
  return both;
}

/** A mark of UTF-16 or UTF-32, or a NUL near the begin, which every text of theirs in Latin letters has. */
function checkEncoding(object: ObjectSource, head: Uint8Array): void {
  const isMarked = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  if (isMarked || head.subarray(0, 1024).includes(0))
    throw new Fault('invalid', `${object.key} is not UTF-8 but UTF-16, or not a text; save it as UTF-8`);
}
