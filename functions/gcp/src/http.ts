import type { IncomingMessage, ServerResponse } from 'node:http';
import { Problem, refusedMethod } from '@serin/api/problem';
import { answered, type WholeAnswer } from '@serin/api/serve';
import type { LogLines } from '@serin/platform/log-lines';

/**
 * A request as the functions framework hands it over: Express's, with the body as it came. Its own reading of the body
 * is not used, for it loses bytes and fields.
 *
 * https://github.com/GoogleCloudPlatform/functions-framework-nodejs/blob/main/src/server.ts
 */
export interface HttpRequest extends IncomingMessage {
  readonly originalUrl: string;
  readonly rawBody?: Uint8Array;
}

interface Serving {
  readonly log: Pick<LogLines, 'fault'>;
  readonly newId: (prefix: string) => string;
  take(): Promise<Response>;
}

/**
 * Answers a request, whatever happens, and throws nothing: the framework answers with the text of what is thrown.
 */
export async function serve(
  request: HttpRequest,
  response: ServerResponse,
  { log, newId, take }: Serving,
): Promise<void> {
  const onFault = (what: string, error: unknown) => log.fault(what, error);
  send(request, response, await answered(take, { path: pathOf(request), newId, onFault }));
}

/** Throws a `Problem` for a request that nothing can be asked with. */
export function requestOf(request: HttpRequest): Request {
  const { method = 'GET', headers, rawBody } = request;
  const refused = refusedMethod(method);
  if (refused !== undefined) throw refused;
  // The framework has unpacked such a body already, so its bytes are not those that were sent.
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new Problem('unsupportedMedia', 'the content encoding is not supported; send the bytes as they are');
  const hasBody = method !== 'GET' && method !== 'HEAD' && rawBody !== undefined;
  try {
    return new Request(`https://${headers.host ?? 'localhost'}${asciiOf(request.originalUrl)}`, {
      method,
      headers: headersOf(request),
      ...(hasBody ? { body: rawBody } : {}),
    });
  } catch {
    throw new Problem('malformed', 'the address or a header of the request cannot be read; send them percent-encoded');
  }
}

function headersOf({ headers }: HttpRequest): Headers {
  const all = new Headers();
  for (const [name, value = []] of Object.entries(headers)) for (const each of [value].flat()) all.append(name, each);
  return all;
}

/** Node gives each byte of an address as a character; bytes that were not encoded must stay those bytes. */
const asciiOf = (address: string): string =>
  address.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);

const pathOf = ({ originalUrl }: HttpRequest): string => originalUrl.split('?', 1)[0] ?? '/';

// Only an answer that is not streamed may have 32 MB, a streamed one 10 MB. https://docs.cloud.google.com/functions/quotas
function send({ method }: HttpRequest, response: ServerResponse, { status, headers, content }: WholeAnswer): void {
  response.statusCode = status;
  for (const [name, value] of headers) response.setHeader(name, value);
  if (method === 'HEAD' || status === 204) {
    response.end();
    return;
  }
  response.setHeader('content-length', content.byteLength);
  response.end(content);
}
