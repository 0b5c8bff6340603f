import { connect } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * One request to the server of the demo, on a connection of its own. Rejects when it cannot be reached.
 *
 * Over a bare socket: `fetch` and `node:http` take 15 to 40 MB more, of the 300 that the demo allows all its processes.
 */
export function call(
  method: string,
  address: string,
  body = '',
  headers: { readonly [name: string]: string } = {},
): Promise<Answer> {
  const { hostname, port, host, pathname, search } = new URL(address);
  const all = { host, connection: 'close', 'content-length': String(Buffer.byteLength(body)), ...headers };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => {
      socket.write(`${method} ${pathname}${search} HTTP/1.1\r\n${head.join('')}\r\n${body}`);
    });
    socket.on('data', (part) => parts.push(part));
    socket.on('error', reject);
    socket.on('close', () => {
      const answer = parsed(Buffer.concat(parts).toString('utf8'));
      if (answer === undefined)
        reject(
          Object.assign(new Error('the connection to the server of the demo broke; run the demo again'), {
            syscall: 'read',
          }),
        );
      else resolve(answer);
    });
  });
}

function parsed(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n');
  const status = Number(text.slice(9, 12));
  if (end < 0 || !Number.isInteger(status)) return undefined;
  const chunked = /^transfer-encoding: *chunked/im.test(text.slice(0, end));
  const body = text.slice(end + 4);
  return { status, text: chunked ? body.replace(/(?:^|\r\n)[0-9a-f]+\r\n|\r\n0?\r\n$/gi, '') : body };
}
