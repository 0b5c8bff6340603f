import { asFault } from '@serin/core/base/fault';
import { type Exchange, endingOf, type Limits } from '../exchange.ts';
import { forward } from '../forward.ts';
import type { Upstream } from '../model-server.ts';
import type { Dialect } from './dialect.ts';
import { type Sending, translate, translated } from './translate.ts';

/** How long a process may take to say whether it speaks the protocol, as a share of the silence that is allowed. */
const askShare = 0.8;

/**
 * Puts a request of the Open Inference Protocol to a model server: as it came where the server speaks it, else translated.
 *
 * The request waits until the process has said which: only its first one does so for longer than a turn.
 */
export function infer(exchange: Exchange, upstream: Upstream, limits: Limits, dialect: Dialect): void {
  const { request, endpoint, deployment } = exchange;
  const ending = endingOf(exchange, limits);
  dialect(upstream, endpoint, limits.timeoutMs * askShare).then(
    (metadata) => {
      if (ending.isOver()) return;
      if (metadata === undefined) translate(exchange, upstream, limits, ending);
      else forward(exchange, upstream, limits, ending);
      request.resume();
    },
    (error) => ending.stop('model', 502, `${deployment} did not say whether it speaks v2: ${asFault(error).message}`),
  );
}

/** The same request for a mirror, whose process may speak another dialect than the one that served it. */
export const mirrored =
  (dialect: Dialect, exchange: Pick<Exchange, 'request' | 'endpoint' | 'path'>, { timeoutMs, maxBodyBytes }: Limits) =>
  async (upstream: Upstream, body: readonly Buffer[]): Promise<Sending> => {
    const { request, endpoint, path } = exchange;
    const metadata = await dialect(upstream, endpoint, timeoutMs * askShare);
    if (metadata !== undefined) return { path, rawHeaders: request.rawHeaders, body };
    return translated(request, body, maxBodyBytes);
  };
