import type { Context, Hono } from 'hono';
import type { Api } from './options.ts';
import { csrfOf, tokenOf } from './session.ts';

/** Whether a path that no route names is asked for by a browser, or is where everybody begins. */
export const isForPage = (c: Context): boolean =>
  (c.req.method === 'GET' || c.req.method === 'HEAD') &&
  (c.req.path === '/' || c.req.path.startsWith('/page/') || (c.req.header('accept')?.includes('text/html') ?? false));

/** Answers a browser. The page asks this very API, as whoever has signed in. */
export async function servePage(api: Api, app: Hono, c: Context): Promise<Response> {
  const { answerPage } = await import('@serin/page/page');
  const url = new URL(c.req.url);
  const token = tokenOf((name) => c.req.header(name));
  const signedIn =
    token === undefined
      ? {}
      : {
          call: async (path: string) =>
            app.request(path, { headers: { authorization: `Bearer ${token}`, accept: 'application/json' } }),
          csrf: csrfOf(token),
        };
  const { status, headers, body } = await answerPage({
    path: url.pathname,
    query: url.searchParams,
    now: api.now(),
    version: api.version,
    environment: api.environment,
    live: api.events === undefined ? 'poll' : 'events',
    ...signedIn,
  });
  return new Response(c.req.method === 'HEAD' ? null : body, { status, headers });
}
