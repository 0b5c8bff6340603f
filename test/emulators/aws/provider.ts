import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { modelOf, problemsOf } from '../botocore.ts';
import { type Operations, Refusal } from './fake-wire.ts';

/** Of `X-Amz-Target`, botocore's name of the service. */
const services: Readonly<Record<string, string>> = {
  SageMaker: 'sagemaker',
  AnyScaleFrontendService: 'application-autoscaling',
  GraniteServiceVersion20100801: 'cloudwatch',
};

interface Options {
  /** What an emulator cannot do: answered here. Everything else goes on to it. */
  readonly fakes: Readonly<Record<string, Operations>>;
  readonly emulator: string;
  /** Told of what goes on to the emulator; `target` is the operation of a service that has no paths. */
  readonly onForward?: (sent: Forwarded) => void;
  /** Whether the emulator is not there for this. */
  readonly isAway?: (sent: Forwarded) => boolean;
  /** The emulator has done it; it is answered when this ends. */
  readonly onDone?: (sent: Forwarded) => Promise<unknown> | undefined;
}

export interface Forwarded {
  readonly method: string;
  readonly url: string;
  readonly target: string;
  readonly body: string;
}

/**
 * AWS for bundles that are told of it by `AWS_ENDPOINT_URL`: an emulator, and before it fakes for what it cannot do.
 *
 * Requests and answers of the fakes are checked by AWS's own model; what is against it is kept and ends the test.
 */
export async function startProvider({
  fakes,
  emulator,
  onForward = () => {},
  isAway = () => false,
  onDone = () => undefined,
}: Options) {
  const violations: string[] = [];
  const calls: { readonly operation: string; readonly input: Readonly<Record<string, unknown>> }[] = [];
  const check = (service: string, operation: string, direction: 'input' | 'output', value: object) => {
    const problems =
      modelOf(service).operations[operation] === undefined
        ? ['no such operation']
        : problemsOf(service, operation, direction, value);
    // On the wire a time is a number; the model is of what the SDK makes of it.
    for (const problem of problems.filter((each) => !each.includes('must be a Date, is number')))
      violations.push(`${service}:${operation} ${direction}: ${problem}`);
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const [prefix = '', operation = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
    const service = services[prefix];
    const input = service === undefined ? undefined : (JSON.parse(body.toString() || '{}') as Record<string, unknown>);
    if (service !== undefined && input !== undefined) {
      calls.push({ operation: `${service}:${operation}`, input });
      check(service, operation, 'input', input);
    }
    const fake = fakes[prefix]?.[operation];
    if (fake === undefined || service === undefined) return forward(request, body, response);
    try {
      const output = fake(input as never);
      check(service, operation, 'output', output);
      send(response, 200, output);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      send(response, 400, { __type: error.type, message: error.message });
    }
  }

  async function forward(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const target = String(request.headers['x-amz-target'] ?? '');
    const sent = { method: request.method ?? '', url: request.url ?? '', target, body: body.toString() };
    onForward(sent);
    if (isAway(sent)) {
      response.writeHead(503, { 'content-type': 'application/xml' });
      response.end(slowDown);
      return;
    }
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers))
      if (!['host', 'connection', 'content-length', 'transfer-encoding', 'expect'].includes(name))
        headers.set(name, String(value));
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
    const answered = await fetch(`${emulator}${request.url}`, {
      method: request.method ?? 'GET',
      headers,
      ...(hasBody ? { body: new Uint8Array(body) } : {}),
    });
    const bytes = Buffer.from(await answered.arrayBuffer());
    await onDone(sent);
    const back = Object.fromEntries(
      [...answered.headers].filter(([name]) => !['content-encoding', 'transfer-encoding', 'connection'].includes(name)),
    );
    response.writeHead(answered.status, {
      ...back,
      ...(request.method === 'HEAD' ? {} : { 'content-length': bytes.length }),
    });
    response.end(bytes);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      violations.push(`${request.method} ${request.url}: ${error instanceof Error ? error.message : String(error)}`);
      send(response, 500, { __type: 'InternalFailure', message: String(error) });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    violations,
    calls,
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList */
const slowDown =
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(body));
}
