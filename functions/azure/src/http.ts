import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { answered } from '@serin/api/serve';
import type { LogLines } from '@serin/platform/log-lines';

interface Serving {
  readonly log: Pick<LogLines, 'fault'>;
  readonly newId: (prefix: string) => string;
  take(request: Request): Promise<Response>;
}

/** What the host hands over of a request. */
export type Asked = Pick<HttpRequest, 'method' | 'url' | 'headers' | 'arrayBuffer'>;

/**
 * A request to a function, answered in any case: whatever is thrown the host answers with an empty 500.
 *
 * https://learn.microsoft.com/azure/azure-functions/functions-reference-node#http-request
 */
export async function serve(request: Asked, { log, newId, take }: Serving): Promise<HttpResponseInit> {
  const path = /^[a-z]+:\/\/[^/?#]*([^?#]*)/i.exec(request.url)?.[1] ?? '/';
  const { status, headers, content } = await answered(async () => take(await requestOf(request)), {
    ...{ path, newId },
    onFault: (what, error) => log.fault(what, error),
  });
  const isBodiless = request.method === 'HEAD' || content.byteLength === 0;
  return { status, headers: Object.fromEntries(headers), ...(isBodiless ? {} : { body: content }) };
}

async function requestOf(request: Asked): Promise<Request> {
  const { method, url, headers } = request;
  const isBodiless = method === 'GET' || method === 'HEAD';
  return new Request(url, {
    method,
    headers: Object.fromEntries(headers),
    ...(isBodiless ? {} : { body: new Uint8Array(await request.arrayBuffer()) }),
  });
}
