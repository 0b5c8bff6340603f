import { get } from 'node:http';
import { Fault } from '@serin/core/base/fault';
import type { Upstream } from '../model-server.ts';

/** What a model server that speaks the Open Inference Protocol says of its model. */
export type Metadata = Readonly<Record<string, unknown>>;

/**
 * Whether a model server speaks the Open Inference Protocol itself: its metadata, or `undefined`. Rejects when it does
 * not answer.
 */
export type Dialect = (upstream: Upstream, endpoint: string, timeoutMs: number) => Promise<Metadata | undefined>;

const maxBytes = 1024 * 1024;

/**
 * Each process is asked once, before its first request of the protocol: `GET /v2/models/<endpoint>`.
 *
 * It speaks it when it answers 200 with a JSON object that has a `name` and `inputs`: many servers answer any path.
 */
export function dialects(): Dialect {
  const known = new WeakMap<Upstream, Promise<Metadata | undefined>>();
  return (upstream, endpoint, timeoutMs) => {
    const asked = known.get(upstream) ?? ask(upstream, endpoint, timeoutMs);
    known.set(upstream, asked);
    asked.catch(() => known.delete(upstream));
    return asked;
  };
}

function ask({ port, agent }: Upstream, endpoint: string, timeoutMs: number): Promise<Metadata | undefined> {
  return new Promise((resolve, reject) => {
    const path = `/v2/models/${encodeURIComponent(endpoint)}`;
    const signal = AbortSignal.timeout(Math.ceil(timeoutMs));
    const request = get({ host: '127.0.0.1', port, agent, path, signal }, (answer) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= maxBytes) chunks.push(chunk);
        else answer.destroy();
      });
      answer.on('end', () => resolve(answer.statusCode === 200 ? metadataIn(Buffer.concat(chunks)) : undefined));
      answer.on('close', () =>
        bytes > maxBytes ? resolve(undefined) : reject(new Fault('unavailable', 'its answer broke off; try again')),
      );
    });
    request.on('error', reject);
  });
}

function metadataIn(body: Buffer): Metadata | undefined {
  try {
    const said: unknown = JSON.parse(body.toString());
    if (typeof said !== 'object' || said === null) return undefined;
    const fields = said as Metadata; // an object
    return typeof fields.name === 'string' && Array.isArray(fields.inputs) ? fields : undefined;
  } catch {
    return undefined;
  }
}
