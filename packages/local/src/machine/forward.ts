import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { errors } from '@serin/core/base/measures';
import type { Routed } from './counters.ts';
import { forwardedHeaders, returnedHeaders, withoutLength } from './hop-headers.ts';
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
  /** Of silence: how long neither the caller nor the model may send a byte. */
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
}

/**
 * Passes one request to a model server and its answer back; counts it exactly once.
 *
 * An answer may take as long as it comes. One that still comes when it has lasted as long as a silence may is counted
 * then, as answered so far: a tick does not wait for its end.
 */
export function forward(exchange: Exchange, upstream: Upstream, limits: Limits): void {
  const { request, response, requestId, deployment, pool, path, routed, routedAt, follower } = exchange;
  let isOver = false;
  let isCounted = false;

  const call = httpRequest({
    agent: upstream.agent,
    host: '127.0.0.1',
    port: upstream.port,
    method: request.method,
    path,
    headers: forwardedHeaders(request.rawHeaders, `127.0.0.1:${upstream.port}`, requestId),
  });
  const timer = setTimeout(onTimeout, limits.timeoutMs);

  function end(outcome: Outcome): void {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    pool.release();
    count(outcome);
  }

  function count(outcome: Outcome): void {
    if (isCounted) return;
    isCounted = true;
    routed.ended(performance.now() - routedAt, outcome === 'failed' ? [errors] : []);
    follower?.ended(outcome);
  }

  /** Ends the exchange early: the caller is answered if no head was sent yet, else the connection is cut. */
  function stop(blame: 'model' | 'caller', status: number, detail: string): void {
    if (isOver) return;
    end(blame === 'model' ? 'failed' : 'abandoned');
    call.destroy();
    if (response.headersSent) response.destroy();
    else refuse(request, response, { requestId, status, detail, deployment });
  }

  function onTimeout(): void {
    const isWaitingForCaller = response.writableNeedDrain || (!request.complete && !call.writableNeedDrain);
    if (isWaitingForCaller) stop('caller', 408, `nothing more of the body came for ${limits.timeoutMs} ms`);
    else
      stop('model', 504, `${deployment} sent nothing for ${limits.timeoutMs} ms; serve.timeout says how long it may`);
  }

  function passBack(answer: IncomingMessage): void {
    upstream.heard();
    timer.refresh();
    const status = answer.statusCode ?? 502;
    const outcome = status >= 500 ? 'failed' : 'answered';
    if (status > 599) {
      stop('model', 502, `${deployment} answered with the status ${status}, which there is not`);
      return;
    }
    if (bodyless.has(status)) {
      passHead(answer, status, outcome);
      return;
    }
    try {
      response.writeHead(status, returnedHeaders(answer.rawHeaders, deployment, requestId));
    } catch (error) {
      stop('model', 502, `${deployment} answered with a head that is no HTTP: ${String(error)}`);
      return;
    }
    answer.on('data', (chunk: Buffer) => {
      upstream.heard();
      timer.refresh();
      if (performance.now() - routedAt > limits.timeoutMs) count(outcome);
      if (response.destroyed || response.write(chunk)) return;
      answer.pause();
      response.once('drain', () => {
        timer.refresh();
        answer.resume();
      });
    });
    answer.on('end', () => {
      response.end();
      end(outcome);
      // The model may answer before it has read the whole body: what is left of it is not waited for.
      if (!request.readableEnded) request.resume();
    });
    answer.on('error', () => stop('model', 502, `the answer of ${deployment} broke off`));
    follower?.answering(answer);
  }

  /** A body that follows such a head all the same is not the caller's: it would be taken for the next answer. */
  function passHead(answer: IncomingMessage, status: number, outcome: Outcome): void {
    const headers = returnedHeaders(answer.rawHeaders, deployment, requestId);
    response.writeHead(status, withoutLength(headers)).end();
    end(outcome);
    call.destroy();
    if (!request.readableEnded) request.resume();
  }

  call.on('response', passBack);
  call.on('upgrade', (_, socket) => {
    socket.destroy();
    stop('model', 502, `${deployment} answered 101 and wants to switch protocols, which nobody asked it for`);
  });
  call.on('error', (error) => stop('model', 502, `the connection to ${deployment} broke: ${error.message}`));
  response.on('close', () => {
    if (isOver) return;
    end('abandoned');
    call.destroy();
  });
  request.on('data', () => timer.refresh());
  passBody(request, call, limits.maxBodyBytes, () => stop('caller', 413, tooLarge(limits.maxBodyBytes)));
}

/** Answers that have no body, whatever their head says. */
const bodyless: ReadonlySet<number> = new Set([204, 304]);

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
