import { standardKey } from '@serin/core/sinks/webhook';
import { Hono } from 'hono';
import { journalAccess } from './access.ts';
import { docsRoutes } from './docs.ts';
import type { Api, ApiOptions } from './options.ts';
import { isForPage, servePage } from './page.ts';
import { Problem } from './problem.ts';
import type { Route } from './route.ts';
import { auditRoutes } from './routes/audit.ts';
import { bucketRoutes } from './routes/buckets.ts';
import { datasetRoutes } from './routes/datasets.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { digestRoutes } from './routes/digests.ts';
import { driftRoutes } from './routes/drift.ts';
import { eventRoutes } from './routes/events.ts';
import { evidenceRoutes } from './routes/evidence.ts';
import { hookRoutes } from './routes/hooks.ts';
import { labelRoutes } from './routes/labels.ts';
import { modelRoutes } from './routes/models.ts';
import { projectRoutes } from './routes/project.ts';
import { reportRoutes } from './routes/reports.ts';
import { rolloutRoutes } from './routes/rollouts.ts';
import { runStepRoutes } from './routes/run-steps.ts';
import { runRoutes } from './routes/runs.ts';
import { sessionRoutes } from './routes/session.ts';
import { systemRoutes } from './routes/system.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { trafficRoutes } from './routes/traffic.ts';
import { whyRoutes } from './routes/why.ts';
import { finishedPage, refuse, serve } from './serve.ts';

/** Every route there is, in the order of the documentation. */
export const routeTable = (options: ApiOptions): readonly Route[] => tableOf(apiOf(options));

function apiOf(options: ApiOptions): Api {
  // A secret that cannot be used is found when the server starts, not when the first webhook comes.
  options.secrets.standard.forEach(standardKey);
  const { ports, now, wall = now, bootstrap } = options;
  return { ...options, wall, access: journalAccess({ journal: ports.journal, now, wall, bootstrap }) };
}

function tableOf(api: Api): readonly Route[] {
  const routes = [
    ...projectRoutes(api),
    ...modelRoutes(api),
    ...trafficRoutes(api),
    ...driftRoutes(api),
    ...datasetRoutes(api),
    ...reportRoutes(api),
    ...runRoutes(api),
    ...runStepRoutes(api),
    ...rolloutRoutes(api),
    ...evidenceRoutes(api),
    ...whyRoutes(api),
    ...eventRoutes(api),
    ...labelRoutes(api),
    ...hookRoutes(api),
    ...bucketRoutes(api),
    ...deadLetterRoutes(api),
    ...tokenRoutes(api),
    ...sessionRoutes(api),
    ...auditRoutes(api),
    ...digestRoutes(api),
    ...systemRoutes(api),
  ];
  return [...routes, ...docsRoutes(routes, api)];
}

/**
 * The HTTP API over the core. A change is durable before it is answered with 2xx; every error is a problem document.
 * What no route names is a 404, and another method of a path a 405: nothing is allowed by omission.
 */
export function createApi(options: ApiOptions): Hono {
  const api = apiOf(options);
  const routes = tableOf(api);
  const app = new Hono();
  for (const route of routes) app.on(route.method.toUpperCase(), honoPath(route.path), (c) => serve(api, route, c));
  for (const [path, methods] of methodsByPath(routes))
    app.all(honoPath(path), (c) =>
      refuse(
        api,
        c,
        new Problem('methodNotAllowed', `${path} does not take ${c.req.method}; use ${methods}`, {
          headers: { allow: methods },
        }),
      ),
    );
  app.notFound((c) => {
    if (isForPage(c)) return finishedPage(api, c, () => servePage(api, app, c));
    const { method, path } = c.req;
    const mend = path.endsWith('/invocations') ? 'ask for predictions at /endpoints/<name>/invocations' : 'see /docs';
    return refuse(api, c, new Problem('notFound', `there is no ${method} ${path.slice(0, 200)}; ${mend}`));
  });
  app.onError((error, c) => refuse(api, c, error));
  return app;
}

const honoPath = (path: string): string => path.replace(/\{([a-z]+)\*\}/, ':$1{.+}').replace(/\{([a-z]+)\}/g, ':$1');

function methodsByPath(routes: readonly Route[]): ReadonlyMap<string, string> {
  const methods = new Map<string, string>();
  for (const { path, method } of routes)
    methods.set(path, [methods.get(path), method.toUpperCase()].filter((name) => name !== undefined).join(', '));
  return methods;
}
