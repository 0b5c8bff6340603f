import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Fault } from '@serin/core/base/fault';

/** Whoever sends more slowly is cut off, so that nobody keeps memory and connections for nothing. */
const patience: Readonly<
  Record<
    'keepAliveTimeout' | 'headersTimeout' | 'requestTimeout' | 'connectionsCheckingInterval' | 'maxConnections',
    number
  >
> = {
  keepAliveTimeout: 65_000,
  headersTimeout: 15_000,
  requestTimeout: 120_000,
  connectionsCheckingInterval: 5000,
  maxConnections: 4000,
};

export type Patience = typeof patience;

/** A server that takes connections, and only as many and as slow ones as it has patience for. */
export function openDoor(listener: RequestListener, less: Partial<Patience> = {}) {
  const { maxConnections, ...timeouts } = { ...patience, ...less };
  const server = createServer({ ...timeouts, noDelay: true }, listener);
  server.maxConnections = maxConnections;
  return {
    /** Answers the port that was given; a busy one is `invalid`. */
    listen: (port: number, host: string) => listen(server, port, host),
    close: () => closed(server),
  };
}

const patienceAtStopMs = 5000;

/** Resolves when no call is under way; one that takes too long is cut off. */
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), patienceAtStopMs).unref();
  });
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new Fault(
          'invalid',
          error.code === 'EADDRINUSE'
            ? `port ${port} of ${host} is in use; choose another one with --port`
            : `cannot listen on port ${port} of ${host}; choose others with --port and --host: ${error.message}`,
          { cause: error },
        ),
      ),
    );
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
