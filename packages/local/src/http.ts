import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { type OwnNames, refusedAtTheDoor } from '@serin/api/doors';
import type { Gateway } from './machine/gateway.ts';
import { targetOf } from './machine/invocation-paths.ts';
import { refuse } from './machine/refusal.ts';

/** What createApi answers, as far as a server needs it. */
interface Api {
  readonly fetch: (request: Request) => Response | Promise<Response>;
}

/** What answers clients of MLflow. */
interface Mlflow extends Api {
  readonly takes: (path: string) => boolean;
}

interface Options {
  readonly api: Api;
  readonly mlflow: Mlflow;
  readonly gateway: Gateway;
  readonly newId: (prefix: string) => string;
  readonly names: OwnNames;
  /** Why a caller gets no prediction of an endpoint; absent: everybody who reaches this server may ask. */
  readonly mayNotPredict?: (authorization: string | undefined, endpoint: string) => Promise<Denial | undefined>;
}

export interface Denial {
  readonly status: 401 | 403;
  readonly detail: string;
}

/** One door for predictions, clients of MLflow and the API. Predictions go to the gateway, untouched. */
export function requestListener(options: Options): (request: IncomingMessage, response: ServerResponse) => void {
  const { api, mlflow, gateway, newId, names, mayNotPredict } = options;
  const answer = getRequestListener(
    (request) => (mlflow.takes(new URL(request.url).pathname) ? mlflow : api).fetch(request),
    { overrideGlobalObjects: false },
  );

  return (request, response) => {
    const deny = ({ status, detail }: { readonly status: number; readonly detail: string }) =>
      refuse(request, response, { requestId: newId('req'), status, detail });
    const detail = refusedAtTheDoor(claimedBy(request), names);
    if (detail !== undefined) return deny({ status: 403, detail });
    const target = targetOf(request.method ?? '', request.url ?? '');
    if (target === undefined) void answer(request, response);
    else if (mayNotPredict === undefined || target.kind === 'server') gateway.handle(request, response, target);
    else
      mayNotPredict(request.headers.authorization, target.endpoint).then(
        (denial) => (denial === undefined ? gateway.handle(request, response, target) : deny(denial)),
        () => deny({ status: 503, detail: 'the tokens cannot be read; try again' }),
      );
  };
}

const claimedBy = ({ method = '', headers }: IncomingMessage) => ({
  method,
  host: headers.host,
  origin: headers.origin,
  site: one(headers['sec-fetch-site']),
  mode: one(headers['sec-fetch-mode']),
});

const one = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : header?.join();
