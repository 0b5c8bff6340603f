import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { asFault } from '@serin/core/base/fault';
import type { Ending, Exchange, Limits } from '../exchange.ts';
import { forwardedHeaders, returnedHeaders, withoutNamed } from '../hop-headers.ts';
import type { Upstream } from '../model-server.ts';
import { refuse, tooLarge } from '../refusal.ts';
import { inferenceOf } from './answer.ts';
import { invocationOf } from './instances.ts';
import { type InferenceRequest, readRequest } from './request.ts';

/** What is put to a model server. */
export interface Sending {
  readonly path: string;
  /** Of the caller (name, value, name, value ...). */
  readonly rawHeaders: readonly string[];
  readonly body: readonly Buffer[];
}

interface Translation extends Sending {
  readonly asked: InferenceRequest;
}

/** They say how the caller wrote its body and wants its answer, which are written anew. */
const ofBody: ReadonlySet<string> = new Set([
  'content-length',
  'content-type',
  'content-encoding',
  'accept',
  'accept-encoding',
  'inference-header-content-length',
]);

/** The request of the Open Inference Protocol as one of `POST /invocations`; a `Fault` when it is not a valid one. */
export function translated(
  { headers, rawHeaders }: { readonly headers: IncomingHttpHeaders; readonly rawHeaders: readonly string[] },
  body: readonly Buffer[],
  maxBytes: number,
): Translation {
  const asked = readRequest(Buffer.concat(body), headers, maxBytes);
  const ours = ['content-type', 'application/json', 'accept', 'application/json'];
  return {
    asked,
    path: '/invocations',
    rawHeaders: [...withoutNamed(rawHeaders, ofBody), ...ours],
    body: [Buffer.from(invocationOf(asked))],
  };
}

/**
 * Puts a request of the Open Inference Protocol to a model server that knows only `POST /invocations`, and says its answer
 * in the protocol. Both are held whole, so both have a limit. Counted as `forward` does; a request that is not valid
 * reaches no model and is not an error of it. An answer that the protocol cannot express is one.
 */
export function translate(exchange: Exchange, upstream: Upstream, { maxBodyBytes }: Limits, ending: Ending): void {
  const { request, response, requestId, deployment, follower } = exchange;
  const fault = (blame: 'model' | 'caller', status: number) => (error: unknown) =>
    ending.stop(blame, status, asFault(error).message);

  function send(body: readonly Buffer[]): void {
    const sent = tried(() => translated(request, body, maxBodyBytes), fault('caller', 400));
    if (sent === undefined) return;
    const call = httpRequest({
      agent: upstream.agent,
      host: '127.0.0.1',
      port: upstream.port,
      method: 'POST',
      path: sent.path,
      headers: forwardedHeaders(sent.rawHeaders, `127.0.0.1:${upstream.port}`, requestId),
    });
    ending.calls(call);
    call.on('response', (answer) => {
      upstream.heard();
      ending.heard();
      follower?.answering(answer);
      const whole = (chunks: readonly Buffer[]) => answered(answer, Buffer.concat(chunks).toString(), sent.asked);
      const onTooLarge = () =>
        ending.stop('model', 502, `the answer of ${deployment} is longer than ${maxBodyBytes} bytes`);
      answer.on('data', upstream.heard);
      answer.on('error', () => ending.stop('model', 502, `the answer of ${deployment} broke off`));
      gather(answer, { maxBytes: maxBodyBytes, heard: ending.heard, whole, onTooLarge });
    });
    for (const chunk of sent.body) call.write(chunk);
    call.end();
  }

  function answered(answer: IncomingMessage, body: string, asked: InferenceRequest): void {
    if (ending.isOver()) return;
    const status = answer.statusCode ?? 502;
    if (status < 200 || status > 299) {
      ending.end(status >= 500 ? 'failed' : 'answered');
      const said = status > 599 ? 502 : Math.max(status, 400);
      refuse(request, response, { requestId, status: said, detail: errorIn(body, status), deployment });
      return;
    }
    const model = { name: exchange.endpoint, version: deployment.slice(1) };
    const text = tried(
      () => inferenceOf(body, asked, model),
      (error) => (asFault(error).code === 'notFound' ? fault('caller', 400)(error) : fault('model', 502)(error)),
    );
    if (text === undefined) return;
    const returned = returnedHeaders(answer.rawHeaders, deployment, requestId);
    const ours = ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(text))];
    response.writeHead(200, [...withoutNamed(returned, ofBody), ...ours]).end(text);
    ending.end('answered');
  }

  const onTooLarge = () => ending.stop('caller', 413, tooLarge(maxBodyBytes));
  gather(request, { maxBytes: maxBodyBytes, heard: ending.heard, whole: send, onTooLarge });
}

interface Gathering {
  readonly maxBytes: number;
  readonly heard: () => void;
  readonly whole: (chunks: readonly Buffer[]) => void;
  readonly onTooLarge: () => void;
}

/** Holds a message until it is whole. One that is too large is dropped. */
function gather(message: IncomingMessage, { maxBytes, heard, whole, onTooLarge }: Gathering): void {
  let chunks: Buffer[] = [];
  let bytes = 0;
  message.on('data', (chunk: Buffer) => {
    heard();
    bytes += chunk.length;
    if (bytes <= maxBytes) return void chunks.push(chunk);
    chunks = [];
    onTooLarge();
  });
  message.on('end', () => {
    if (bytes <= maxBytes) whole(chunks);
  });
}

function tried<Value>(make: () => Value, onError: (error: unknown) => void): Value | undefined {
  try {
    return make();
  } catch (error) {
    onError(error);
    return undefined;
  }
}

const maxErrorLength = 2000;

/** What a model said went wrong. */
function errorIn(body: string, status: number): string {
  const said = body.trim().slice(0, maxErrorLength) || `the model answered with the status ${status}`;
  const fields: unknown = tried(
    () => JSON.parse(body),
    () => undefined,
  );
  const error = typeof fields === 'object' && fields !== null && 'error' in fields ? fields.error : undefined;
  return typeof error === 'string' ? error.slice(0, maxErrorLength) : said;
}
