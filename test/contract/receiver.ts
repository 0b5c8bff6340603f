import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Receivers of sinks by path, over real HTTP; `answers` has the status of those that refuse, and `says` its text. */
export async function receiver(says = 'said by the receiver') {
  const heard: { readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: string }[] = [];
  const answers: Record<string, number> = {};
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part));
    request.on('end', () => {
      const path = request.url ?? '';
      const status = answers[path] ?? 200;
      if (status === 200) heard.push({ path, headers: request.headers, body });
      response.writeHead(status).end(says);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { heard, answers, host, at: (path: string) => heard.filter((one) => one.path === path) };
}
