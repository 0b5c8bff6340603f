import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Target } from '../invocation-paths.ts';
import { refuse } from '../refusal.ts';
import type { Metadata } from './dialect.ts';

/** One request on its way through the gateway. */
export interface Passage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
}

/** What the gateway says of itself and of its models, in the Open Inference Protocol. */
export const describe = {
  server(passage: Passage, what: Extract<Target, { kind: 'server' }>['what'], version: string): void {
    // No extensions: binary tensors are read, and answers are JSON all the same.
    if (what === 'metadata') answer(passage, { name: 'serin', version, extensions: [] });
    else if (what === 'nowhere')
      refuse(passage.request, passage.response, { ...passage, status: 404, detail: nowhere });
    else answer(passage, { [what]: true });
  },

  /** Without a name the answer is empty. */
  ready(passage: Passage, endpoint: string | undefined): void {
    answer(passage, endpoint === undefined ? undefined : { name: endpoint, ready: true });
  },

  /** Nobody knows the tensors of a model server that does not speak the protocol. */
  model(
    passage: Passage,
    metadata: Metadata | undefined,
    { endpoint, versions }: { readonly endpoint: string; readonly versions: readonly string[] },
  ): void {
    const known: Metadata = metadata ?? { platform: 'serin', inputs: [], outputs: [] };
    const { name: _, versions: __, ...others } = known;
    answer(passage, { name: endpoint, versions, ...others });
  },
};

const nowhere =
  'there is nothing here; use GET /v2, /v2/health/live, /v2/health/ready, /v2/models/{model}, /v2/models/{model}/ready, POST /v2/models/{model}/infer';

function answer({ request, response, requestId }: Passage, body: unknown): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  request.resume();
  response.writeHead(200, {
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    'content-length': String(Buffer.byteLength(text)),
    'x-serin-request-id': requestId,
  });
  response.end(text);
}
