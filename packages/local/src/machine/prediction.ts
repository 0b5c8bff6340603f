import type { IncomingMessage } from 'node:http';
import { brotliDecompressSync, unzipSync } from 'node:zlib';
import { type Prediction, predictionIn } from '@serin/platform/prediction';

const maxBytes = 64 * 1024;

/** Listens to an answer without holding it up; afterwards says the prediction in it, when it was a success. */
export function readPrediction(answer: IncomingMessage, pointer: string | undefined): () => Prediction | undefined {
  const status = answer.statusCode ?? 0;
  if (status < 200 || status >= 300) return () => undefined;
  let chunks: Buffer[] = [];
  let bytes = 0;
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else chunks = [];
  });
  return () => {
    const encoding = answer.headers['content-encoding'];
    const text = bytes > maxBytes ? undefined : unpacked(Buffer.concat(chunks), encoding, maxBytes);
    return text === undefined ? undefined : predictionIn(text, pointer);
  };
}

/** The text of a body; `undefined`: its encoding is not known, it is damaged, or it has more bytes than are allowed. */
export function unpacked(body: Buffer, encoding: string | undefined, maxOutputLength: number): string | undefined {
  try {
    if (encoding === undefined || encoding === 'identity') return body.toString();
    // It tells gzip from deflate by itself.
    if (encoding === 'gzip' || encoding === 'deflate') return unzipSync(body, { maxOutputLength }).toString();
    if (encoding === 'br') return brotliDecompressSync(body, { maxOutputLength }).toString();
    return undefined;
  } catch {
    return undefined;
  }
}
