import { randomBytes } from 'node:crypto';
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Arm, Counters, Routed } from './counters.ts';
import { forwardedHeaders, returnedHeaders } from './hop-headers.ts';
import { targetOf } from './invocation-paths.ts';
import type { Upstream } from './model-server.ts';
import type { Pool } from './model-servers.ts';
import { type Coin, cryptoCoin, pick, type Route, stickyNumber } from './routing.ts';

export interface Gateway {
  /** Takes a request that is for a model and answers true; answers false, and touches nothing, for all others. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
}

export interface GatewayOptions {
  readonly route: (endpoint: string) => Route | undefined;
  readonly pool: (endpoint: string, deployment: string) => Pool | undefined;
  readonly counters: Counters;
  /** The header (lower case) whose value decides the deployment; without one, or without the header, a coin decides. */
  readonly stickyHeader?: (endpoint: string) => string | undefined;
  readonly coin?: Coin;
  /** From routing to the last byte of the model server's answer. */
  readonly timeoutMs?: number;
  /** Of a request body; the default is SageMaker's. */
  readonly maxBodyBytes?: number;
}

interface Branch {
  readonly deployment: string;
  readonly pool: Pool | undefined;
  readonly arm: Arm;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly branch: Branch;
  readonly routed: Routed;
  readonly routedAt: number;
}

const retryAfterSeconds = '1';

/**
 * Sends each request to one deployment of its endpoint, by weight, and counts it for that deployment alone.
 *
 * A request is never sent twice, and never to another deployment than the one it was routed to: if that one is down, the
 * caller gets 503 and the deployment an error. Errors are answers of 500 and more, broken connections, and the timeout;
 * answers below 500 are the caller's, and a caller who went away is no error. Bodies pass through unread.
 * `Authorization` and `Cookie` belong to this server and are not handed to a model.
 */
export function gateway(options: GatewayOptions): Gateway {
  const { counters, timeoutMs = 30_000, maxBodyBytes = 6 * 1024 * 1024, coin = cryptoCoin() } = options;
  const branches = new WeakMap<Route, readonly Branch[]>();
  const idPrefix = `req_${Date.now().toString(36)}${randomBytes(5).toString('hex')}`;
  let requests = 0;

  function branchesOf(route: Route): readonly Branch[] {
    const known = branches.get(route);
    if (known !== undefined) return known;
    const fresh = route.arms.map(({ deployment }) => ({
      deployment,
      pool: options.pool(route.endpoint, deployment),
      arm: counters.arm(route.endpoint, deployment),
    }));
    branches.set(route, fresh);
    return fresh;
  }

  function numberFor(route: Route, request: IncomingMessage): number {
    const header = options.stickyHeader?.(route.endpoint);
    const key = header === undefined ? undefined : request.headers[header];
    return typeof key === 'string' && key !== '' ? stickyNumber(route.endpoint, key) : coin();
  }

  function handle(request: IncomingMessage, response: ServerResponse): boolean {
    const target = targetOf(request.method ?? '', request.url ?? '');
    if (target === undefined) return false;
    requests += 1;
    const requestId = idPrefix + requests.toString(36).padStart(6, '0');
    const route = options.route(target.endpoint);
    if (route === undefined) {
      refuse(request, response, requestId, 404, `there is no endpoint ${target.endpoint}; see the list of endpoints`);
    } else if (target.path === undefined) {
      ping(request, response, requestId, route);
    } else if (declaredBytes(request) > maxBodyBytes) {
      refuse(request, response, requestId, 413, tooLarge(maxBodyBytes));
    } else {
      send(request, response, requestId, route, target.path);
    }
    return true;
  }

  function ping(request: IncomingMessage, response: ServerResponse, requestId: string, route: Route): void {
    const isServed = branchesOf(route).some(({ pool }) => {
      const upstream = pool?.take();
      if (upstream !== undefined) pool?.release();
      return upstream !== undefined;
    });
    if (!isServed) {
      refuse(request, response, requestId, 503, nothingServed(route.endpoint));
      return;
    }
    request.resume();
    response.writeHead(200, { 'content-length': '0', 'x-serin-request-id': requestId }).end();
  }

  function send(
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
    route: Route,
    path: string,
  ): void {
    const index = pick(route, numberFor(route, request));
    const branch = branchesOf(route)[index];
    if (branch === undefined) {
      refuse(request, response, requestId, 503, nothingServed(route.endpoint));
      return;
    }
    const routed = branch.arm.routed();
    const upstream = branch.pool?.take();
    if (upstream === undefined) {
      routed.settled(0, true);
      const detail = `${branch.deployment} of ${route.endpoint} is not ready; try again`;
      refuse(request, response, requestId, 503, detail, branch.deployment);
      return;
    }
    const exchange = { request, response, requestId, branch, routed, routedAt: performance.now() };
    forward(exchange, upstream, path, { timeoutMs, maxBodyBytes });
  }

  return { handle };
}

/** Passes one request to a model server and its answer back; settles the count exactly once. */
function forward(
  exchange: Exchange,
  upstream: Upstream,
  path: string,
  limits: { timeoutMs: number; maxBodyBytes: number },
) {
  const { request, response, requestId, branch, routed, routedAt } = exchange;
  const { deployment } = branch;
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

  function settle(isError: boolean): void {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(timer);
    routed.settled(performance.now() - routedAt, isError);
    branch.pool?.release();
  }

  /** Ends the exchange early: told to the caller if nothing was told yet, else shown by a cut connection. */
  function stop(blame: 'model' | 'caller', status: number, detail: string): void {
    if (isSettled) return;
    settle(blame === 'model');
    call.destroy();
    if (response.headersSent) response.destroy();
    else refuse(request, response, requestId, status, detail, deployment);
  }

  function onTimeout(): void {
    const isWaitingForCaller = response.writableNeedDrain || (!request.complete && !call.writableNeedDrain);
    if (isWaitingForCaller) stop('caller', 408, `the body did not arrive within ${limits.timeoutMs} ms`);
    else stop('model', 504, `${deployment} did not answer within ${limits.timeoutMs} ms`);
  }

  function passBack(answer: IncomingMessage): void {
    const status = answer.statusCode ?? 502;
    try {
      response.writeHead(status, returnedHeaders(answer.rawHeaders, deployment, requestId));
    } catch (error) {
      stop('model', 502, `${deployment} answered with a head that is no HTTP: ${String(error)}`);
      return;
    }
    answer.on('data', (chunk: Buffer) => {
      if (response.destroyed || response.write(chunk)) return;
      answer.pause();
      response.once('drain', () => answer.resume());
    });
    answer.on('end', () => {
      settle(status >= 500);
      response.end();
      // The model may answer before it has read the whole body: what is left of it is not waited for.
      if (!request.readableEnded) request.resume();
    });
    answer.on('error', () => stop('model', 502, `the answer of ${deployment} broke off`));
  }

  call.on('response', passBack);
  call.on('error', (error) => stop('model', 502, `the connection to ${deployment} broke: ${error.message}`));
  response.on('close', () => {
    if (isSettled) return;
    settle(false);
    call.destroy();
  });
  passBody(request, call, limits.maxBodyBytes, () => stop('caller', 413, tooLarge(limits.maxBodyBytes)));
}

/** By hand and not with `pipe`: the bytes are counted, and a caller is read to its end when the model is gone. */
function passBody(request: IncomingMessage, call: ClientRequest, maxBytes: number, onTooLarge: () => void): void {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    if (call.destroyed) return;
    bytes += chunk.length;
    if (bytes > maxBytes) return onTooLarge();
    if (call.write(chunk)) return;
    request.pause();
    const goOn = () => request.resume();
    call.once('drain', goOn);
    call.once('close', goOn);
  });
  request.on('end', () => {
    if (!call.destroyed) call.end();
  });
}

function declaredBytes(request: IncomingMessage): number {
  const { rawHeaders } = request;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 14 && name.toLowerCase() === 'content-length') return Number(rawHeaders[index + 1]);
  }
  return 0;
}

const titles: Readonly<Record<number, string>> = {
  404: 'Not Found',
  408: 'Request Timeout',
  413: 'Content Too Large',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

const tooLarge = (maxBytes: number): string => `the body is larger than ${maxBytes} bytes; send less at once`;
const nothingServed = (endpoint: string): string =>
  `nothing is served at ${endpoint}; promote a version, then try again`;

/** Answers with problem+json (RFC 9457). */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  status: number,
  detail: string,
  deployment?: string,
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
    ...(status === 503 ? { 'retry-after': retryAfterSeconds } : {}),
  });
  response.end(body);
  // Read to its end and dropped: a caller whose connection is cut while it sends would never see the answer.
  request.resume();
}
