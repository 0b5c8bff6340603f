import type { IncomingMessage, ServerResponse } from 'node:http';

const retryAfterSeconds = '1';

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
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

/** Whether a request is one of the Open Inference Protocol, whose callers read `error`. */
const isV2 = (url: string): boolean => url.startsWith('/v2') && /^[/?]?$/.test(url.slice(3, 4));

/** Answers with problem+json (RFC 9457), or with `{"error": "..."}` where the Open Inference Protocol is spoken. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { requestId, status, detail, deployment }: Refusal,
): void {
  const title = titles[status] ?? 'Error';
  const code = title.toLowerCase().replaceAll(' ', '-');
  const instance = request.url ?? '';
  const problem = { type: 'about:blank', title, status, detail, instance, code, requestId };
  const body = JSON.stringify(isV2(instance) ? { error: detail } : problem);
  response.writeHead(status, {
    'content-type': isV2(instance) ? 'application/json' : 'application/problem+json',
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
