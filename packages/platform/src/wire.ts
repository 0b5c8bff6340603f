import { request as http } from 'node:http';
import { request as https } from 'node:https';
import { buffer } from 'node:stream/consumers';

interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  /** When to give up. */
  readonly signal: AbortSignal;
}

export interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly content: Uint8Array;
}

/**
 * One request over HTTP. `fetch` would unpack an answer that is gzipped, and an object of a bucket that was stored so
 * must come as it is.
 */
export function ask(url: URL, { method, headers, body, signal }: Sent): Promise<Received> {
  const request = url.protocol === 'https:' ? https : http;
  // Node gives a DELETE no length of its own, and then its body is read as the next request.
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    request(url, { method, headers: { ...headers, ...length }, signal }, async (answer) => {
      try {
        const content = await buffer(answer);
        const received = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
          values.map((value): [string, string] => [name, value]),
        );
        resolve({ status: answer.statusCode ?? 0, headers: new Headers(received), content });
      } catch (error) {
        reject(error);
      }
    })
      .on('error', reject)
      .end(body);
  });
}
