import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Gateway } from './machine/gateway.ts';

/** What createApi answers, as far as a server needs it. */
interface Api {
  readonly fetch: (request: Request) => Response | Promise<Response>;
}

/** Predictions go to the gateway, untouched; everything else to the API. */
export function requestListener(
  api: Api,
  gateway: Gateway,
): (request: IncomingMessage, response: ServerResponse) => void {
  const answer = getRequestListener((request) => api.fetch(request), { overrideGlobalObjects: false });
  return (request, response) => {
    if (!gateway.handle(request, response)) void answer(request, response);
  };
}
