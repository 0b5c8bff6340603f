import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { type Ending, type Exchange, endingOf, type Limits, type Outcome } from './exchange.ts';
import { forwardedHeaders, isStream, returnedHeaders, withoutLength } from './hop-headers.ts';
import type { Upstream } from './model-server.ts';
import { tooLarge } from './refusal.ts';

/**
 * Passes one request to a model server and its answer back, part after part; counts it exactly once.
 *
 * An answer may take as long as it comes. One that still comes when it has lasted as long as a silence may is counted
 * then, as answered so far: a tick does not wait for its end. The latency is the time to the end of the answer; of a
 * stream, which is as long as it has something to say, to its first byte.
 */
export function forward(
  exchange: Exchange,
  upstream: Upstream,
  limits: Limits,
  ending: Ending = endingOf(exchange, limits),
): void {
  const { request, response, requestId, deployment, path, routedAt, follower } = exchange;
  const call = httpRequest({
    agent: upstream.agent,
    host: '127.0.0.1',
    port: upstream.port,
    method: request.method,
    path,
    headers: forwardedHeaders(request.rawHeaders, `127.0.0.1:${upstream.port}`, requestId),
  });

  function passBack(answer: IncomingMessage): void {
    upstream.heard();
    ending.heard();
    const status = answer.statusCode ?? 502;
    const outcome = status >= 500 ? 'failed' : 'answered';
    if (status > 599) {
      ending.stop('model', 502, `${deployment} answered with the status ${status}, which there is not`);
      return;
    }
    if (bodyless.has(status)) {
      passHead(answer, status, outcome);
      return;
    }
    const streams = isStream(answer.headers['content-type']);
    try {
      response.writeHead(status, returnedHeaders(answer.rawHeaders, deployment, requestId));
    } catch (error) {
      ending.stop('model', 502, `${deployment} answered with a head that is no HTTP: ${String(error)}`);
      return;
    }
    // Else the head waits for the first part of the body, and a caller for what it may begin with.
    if (streams) response.flushHeaders();
    answer.on('data', (chunk: Buffer) => {
      upstream.heard();
      ending.heard();
      if (streams) ending.came();
      if (performance.now() - routedAt > limits.timeoutMs) ending.count(outcome);
      if (response.destroyed || response.write(chunk)) return;
      answer.pause();
      response.once('drain', () => {
        ending.heard();
        answer.resume();
      });
    });
    answer.on('end', () => {
      response.end();
      ending.end(outcome);
      // The model may answer before it has read the whole body: what is left of it is not waited for.
      if (!request.readableEnded) request.resume();
    });
    answer.on('error', () => ending.stop('model', 502, `the answer of ${deployment} broke off`));
    follower?.answering(answer);
  }

  /** A body that follows such a head all the same is not the caller's: it would be taken for the next answer. */
  function passHead(answer: IncomingMessage, status: number, outcome: Outcome): void {
    const headers = returnedHeaders(answer.rawHeaders, deployment, requestId);
    response.writeHead(status, withoutLength(headers)).end();
    ending.end(outcome);
    call.destroy();
    if (!request.readableEnded) request.resume();
  }

  ending.calls(call);
  call.on('response', passBack);
  request.on('data', ending.heard);
  passBody(request, call, limits.maxBodyBytes, () => ending.stop('caller', 413, tooLarge(limits.maxBodyBytes)));
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
