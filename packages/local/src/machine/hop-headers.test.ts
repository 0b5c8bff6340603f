import { expect, test } from 'vitest';
import { forwardedHeaders, returnedHeaders } from './hop-headers.ts';

test.each([
  [
    ['Content-Type', 'text/csv', 'X-User', 'ann'],
    ['Content-Type', 'text/csv', 'X-User', 'ann'],
  ],
  [
    ['Set-A', '1', 'Set-A', '2'],
    ['Set-A', '1', 'Set-A', '2'],
  ],
  [['Authorization', 'Bearer secret', 'Cookie', 'session=1'], []],
  [['Host', 'public.example', 'X-Serin-Request-Id', 'forged', 'x-serin-deployment', 'v9', 'X-Serin-Mirror', '1'], []],
  [['Transfer-Encoding', 'chunked', 'TE', 'trailers', 'Upgrade', 'h2c', 'Expect', '100-continue'], []],
  [
    ['Connection', 'close, X-Hop', 'x-hop', 'only here', 'X-Hops', 'on'],
    ['X-Hops', 'on'],
  ],
  [['Connection', 'keep-alive', 'Keep-Alive', 'timeout=5'], []],
])('of a request with %j a model server gets %j', (raw, passed) => {
  expect(forwardedHeaders(raw, '127.0.0.1:9', 'req_1')).toEqual([
    ...['host', '127.0.0.1:9', 'x-serin-request-id', 'req_1'],
    ...passed,
  ]);
});

test.each([
  [
    ['Content-Type', 'text/csv', 'Set-Cookie', 'a=1'],
    ['Content-Type', 'text/csv', 'Set-Cookie', 'a=1'],
  ],
  [['X-Serin-Deployment', 'v9', 'x-serin-request-id', 'forged', 'x-serin-anything', '1'], []],
  [['Connection', 'X-Hop', 'X-Hop', 'only here', 'Transfer-Encoding', 'chunked'], []],
])('of an answer with %j the caller gets %j', (raw, passed) => {
  expect(returnedHeaders(raw, 'v1', 'req_1')).toEqual([
    ...['x-serin-deployment', 'v1', 'x-serin-request-id', 'req_1'],
    ...passed,
  ]);
});
