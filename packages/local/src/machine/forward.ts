import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Routed } from './counters.ts';
import { forwardedHeaders, returnedHeaders } from './hop-headers.ts';
import type { Upstream } from './model-server.ts';
import type { Pool } from './model-servers.ts';
import { refuse, tooLarge } from './refusal.ts';

/** How an exchange ended: `failed` is the model's fault; `abandoned`: the caller went away, or sent no whole request. */
export type Outcome = 'answered' | 'failed' | 'abandoned';

/** Hears of one exchange what its counts do not say. It never holds the exchange up, and never throws. */
export interface Follower {
  /** The answer begins: it may be listened to, and is never paused by who listens. */
  answering(answer: IncomingMessage): void;
  /** Exactly once; when the caller was answered, after that. */
  ended(outcome: Outcome): void;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly deployment: string;
  readonly pool: Pool;
  readonly path: string;
  readonly routed: Routed;
  /** Of the monotone clock, in milliseconds. */
  readonly routedAt: number;
  readonly follower: Follower | undefined;
}

export interface Limits {
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
}

/** Passes one request to a model server and its answer back; settles the count exactly once. */
export function forward(exchange: Exchange, upstream: Upstream, limits: Limits): void {
  const { request, response, requestId, deployment, pool, path, routed, routedAt, follower } = exchange;
  let isSettled = false;

  const call = httpRequest({
    agent: upstream.agent,
    host: '127.0.0.1',
    port: upstream.port,
    method: request.method,
    path,
    headers: forwardedHeaders(request.rawHeaders, `127.0.0.1:${upstream.port}`, requestId),
  });
  const timer = setTimeout(onTimeout, limits.timeoutMs);

  function settle(outcome: Outcome): void {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(timer);
    routed.settled(performance.now() - routedAt, outcome === 'failed');
    pool.release();
    follower?.ended(outcome);
  }

  /** Ends the exchange early: told to the caller if nothing was told yet, else shown by a cut connection. */
  function stop(blame: 'model' | 'caller', status: number, detail: string): void {
    if (isSettled) return;
    settle(blame === 'model' ? 'failed' : 'abandoned');
    call.destroy();
    if (response.headersSent) response.destroy();
    else refuse(request, response, { requestId, status, detail, deployment });
  }

  function onTimeout(): void {
    const isWaitingForCaller = response.writableNeedDrain || (!request.complete && !call.writableNeedDrain);
    if (isWaitingForCaller) stop('caller', 408, `the body did not arrive within ${limits.timeoutMs} ms`);
    else stop('model', 504, `${deployment} did not answer within ${limits.timeoutMs} ms`);
  }

  function passBack(answer: IncomingMessage): void {
    upstream.heard();
    const status = answer.statusCode ?? 502;
    try {
      response.writeHead(status, returnedHeaders(answer.rawHeaders, deployment, requestId));
    } catch (error) {
      stop('model', 502, `${deployment} answered with a head that is no HTTP: ${String(error)}`);
      return;
    }
    answer.on('data', (chunk: Buffer) => {
      upstream.heard();
      if (response.destroyed || response.write(chunk)) return;
      answer.pause();
      response.once('drain', () => answer.resume());
    });
    answer.on('end', () => {
      response.end();
      settle(status >= 500 ? 'failed' : 'answered');
      // The model may answer before it has read the whole body: what is left of it is not waited for.
      if (!request.readableEnded) request.resume();
    });
    answer.on('error', () => stop('model', 502, `the answer of ${deployment} broke off`));
    follower?.answering(answer);
  }

  call.on('response', passBack);
  call.on('error', (error) => stop('model', 502, `the connection to ${deployment} broke: ${error.message}`));
  response.on('close', () => {
    if (isSettled) return;
    settle('abandoned');
    call.destroy();
  });
  passBody(request, call, limits.maxBodyBytes, () => stop('caller', 413, tooLarge(limits.maxBodyBytes)));
}

/** By hand and not with `pipe`: the bytes are counted, and a caller is read to its end when the model is gone. */
function passBody(request: IncomingMessage, call: ClientRequest, maxBytes: number, onTooLarge: () => void): void {
  let bytes = 0;
  let isWatched = false;
  const goOn = () => request.resume();
  request.on('data', (chunk: Buffer) => {
    if (call.destroyed) return;
    bytes += chunk.length;
    if (bytes > maxBytes) return onTooLarge();
    if (call.write(chunk)) return;
    request.pause();
    // Once for all pauses of a request, and never for the many that fit at once.
    if (!isWatched) call.on('drain', goOn).on('close', goOn);
    isWatched = true;
  });
  request.on('end', () => {
    if (!call.destroyed) call.end();
  });
}
