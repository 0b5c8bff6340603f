import type { IncomingMessage, ServerResponse } from 'node:http';

const retryAfterSeconds = '1';

const titles: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  413: 'Content Too Large',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

export interface Refusal {
  readonly requestId: string;
  readonly status: number;
  readonly detail: string;
  /** That the request was routed to. */
  readonly deployment?: string;
}

export const tooLarge = (maxBytes: number): string => `the body is larger than ${maxBytes} bytes; send less at once`;

/** Answers with problem+json (RFC 9457). */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { requestId, status, detail, deployment }: Refusal,
): void {
  const title = titles[status] ?? 'Error';
  const code = title.toLowerCase().replaceAll(' ', '-');
  const instance = request.url ?? '';
  const body = JSON.stringify({ type: 'about:blank', title, status, detail, instance, code, requestId });
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    'x-serin-request-id': requestId,
    ...(deployment === undefined ? {} : { 'x-serin-deployment': deployment }),
    ...(status === 401 ? { 'www-authenticate': 'Bearer realm="serin"' } : {}),
    ...(status === 503 ? { 'retry-after': retryAfterSeconds } : {}),
  });
  response.end(body);
  // Read to its end and dropped: a caller whose connection is cut while it sends would never see the answer.
  request.resume();
}
