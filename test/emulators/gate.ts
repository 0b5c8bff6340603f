import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** The way to a server: long, if that is wanted; it can be cut, and kept waiting. */
export interface Gate {
  readonly url: string;
  /** Ends every connection that is open. */
  cut(): void;
  /** From now on what is sent arrives nowhere, and nothing answers; `open` ends that. */
  hang(): void;
  open(): void;
  stop(): Promise<void>;
}

export async function startGate(to: string, delayMs = 0): Promise<Gate> {
  const { hostname, port } = new URL(to);
  const sockets = new Set<Socket>();
  let isOpen = true;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    return socket;
  };
  const server = createServer((from) => {
    keep(from);
    if (!isOpen) return void from.resume();
    const on = keep(connect(Number(port), hostname));
    const delay = new Transform({ transform: (bytes, _, done) => void setTimeout(done, delayMs, null, bytes) });
    from.pipe(delay).pipe(on).pipe(from);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut,
    hang() {
      isOpen = false;
      cut();
    },
    open() {
      isOpen = true;
      cut();
    },
    async stop() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
