import { decodeText } from '@serin/core/base/json';
import { Problem } from './problem.ts';

/**
 * JSON from outside. Bytes that are not JSON, and a field `__proto__` anywhere, are `malformed`; never another throw.
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decodeText(bytes);
  try {
    return JSON.parse(text, (key, value) => {
      if (key === '__proto__') throw new SyntaxError('a field is named __proto__, which is not allowed: rename it');
      return value;
    });
  } catch (error) {
    // Nesting too deep for the stack ends here as well.
    const why = error instanceof SyntaxError && text.length > 0 ? error.message : 'it is empty or nested too deep';
    throw new Problem('malformed', `the body cannot be read; send it as JSON: ${why.slice(0, 200)}`);
  }
}

/** Reads a body up to a bound; more is `tooLarge`, and is not read to its end. One that breaks off is `malformed`. */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  try {
    return await wholeBody(request, maxBytes);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('malformed', 'the body ended before it was complete; send the request again');
  }
}

async function wholeBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new Problem('tooLarge', `the body is larger than ${maxBytes} bytes; send less at once`);
  const declared = request.headers.get('content-length');
  if (Number(declared ?? 0) > maxBytes) throw tooLarge();
  if (declared !== null) {
    // Node lets no more through than was declared; counting chunks costs a fifth of the whole request.
    const content = new Uint8Array(await request.arrayBuffer());
    if (content.byteLength > maxBytes) throw tooLarge();
    return content;
  }
  if (request.body === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(request.body)) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** `application/json; charset=utf-8` as `application/json`. */
export const mediaType = (header: string | undefined | null): string =>
  (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
