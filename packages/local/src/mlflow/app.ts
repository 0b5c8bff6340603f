import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Access } from '@serin/api/access';
import { parseJson, readBody } from '@serin/api/bodies';
import { Problem } from '@serin/api/problem';
import type { Caller } from '@serin/api/roles';
import type { Visible } from '@serin/api/visible';
import { asFault } from '@serin/core/base/fault';
import { treeDigests } from '../machine/checked-trees.ts';
import { listArtifacts, readArtifact, writeArtifact } from './artifacts.ts';
import { beginDefault, experimentRoutes } from './experiments.ts';
import { type Fields, optionalText } from './fields.ts';
import { type Asked, type House, partyOf, type Routes } from './house.ts';
import { jobTokens } from './job-tokens.ts';
import { loggedModelRoutes } from './logged-models.ts';
import { Refused, refusal, wrong } from './refused.ts';
import { registryRoutes } from './registry.ts';
import { runRoutes } from './runs.ts';
import { openStore } from './store.ts';

const tracking = '/api/2.0/mlflow/';
const files = '/api/2.0/mlflow-artifacts/artifacts';
/** Everything that a client of MLflow may ask a tracking server, also what this one does not answer. */
const asks = /^\/(?:ajax-)?api\/[23]\.0\/mlflow/;

/** MLflow's own limit is 1 MB of a batch; a logged model of a client before 3 comes with its whole description. */
const mostBytes = 8 * 1024 * 1024;

const routes: Routes = { ...experimentRoutes, ...runRoutes, ...loggedModelRoutes, ...registryRoutes };

interface Options {
  readonly database: DatabaseSync;
  /** The folder of all files that this API keeps. */
  readonly directory: string;
  /** The folder of the jobs, whose artifacts are versions. */
  readonly jobs: string;
  readonly now: () => number;
  readonly access: Access;
  /** What proves the tokens of jobs. */
  readonly secret: string;
  readonly visibleTo: (caller: Caller) => Visible;
  /** Called with errors that are our own fault. */
  readonly onDefect: (path: string, error: unknown) => void;
}

export type Mlflow = ReturnType<typeof openMlflow>;

/**
 * MLflow's REST API for tracking and its registry, as its own clients ask it.
 *
 * It reads what Serin knows, and keeps what clients log. It changes no decision of Serin, with one exception:
 * what a job logs into its own run is part of what the job measured and made.
 */
export function openMlflow({ database, directory, secret, onDefect, ...given }: Options) {
  const tokens = jobTokens(secret);
  const house: House = {
    ...given,
    ...{
      tokens,
      store: openStore(database),
      treeDigest: treeDigests(database),
      directory: join(directory, 'artifacts'),
    },
  };
  return {
    store: house.store,
    tokens,
    artifacts: house.directory,
    begin: () => beginDefault(house),
    takes: (path: string): boolean => asks.test(path),
    async fetch(request: Request): Promise<Response> {
      const { pathname } = new URL(request.url);
      try {
        return await answer(house, request, pathname);
      } catch (error) {
        if (error instanceof Problem) return refusal(wrong(error.message));
        if (asFault(error).code === 'defect') onDefect(pathname, error);
        return refusal(error);
      }
    },
  };
}

async function answer(house: House, request: Request, path: string): Promise<Response> {
  const { method } = request;
  const party = await partyOf(house, request.headers.get('authorization') ?? undefined);
  if (path === files || path.startsWith(`${files}/`)) {
    const asked = { house, party, fields: queryOf(request) };
    const place = decoded(path.slice(files.length + 1));
    if (method === 'PUT') return Response.json(await writeArtifact(asked, place, request));
    const listed = optionalText(asked.fields, 'path');
    if (method === 'GET' && place === '' && listed !== undefined)
      return Response.json(await listArtifacts(asked, listed));
    if (method === 'GET') return readArtifact(asked, place);
  }
  const route = path.startsWith(tracking) ? routeOf(method, path.slice(tracking.length)) : undefined;
  if (route === undefined) throw noEndpoint(method, path);
  const asked: Asked = { house, party, fields: { ...(await fieldsOf(request)), ...route.fields } };
  return Response.json(await route.handle(asked));
}

const noEndpoint = (method: string, path: string): Refused =>
  new Refused(
    'ENDPOINT_NOT_FOUND',
    `Serin does not answer ${method} ${path.slice(0, 200)}; see docs/mlflow.md for what it does`,
  );

/** An id in a path stands as `*` in its row. */
function routeOf(method: string, path: string) {
  const exact = `${method} ${path}`;
  if (Object.hasOwn(routes, exact)) return { handle: routes[exact] ?? (() => ({})), fields: {} };
  const [, id = '', rest = ''] = /^logged-models\/([^/]+)(\/\w+)?$/.exec(path) ?? [];
  const row = `${method} logged-models/*${rest}`;
  const handle = id !== '' && Object.hasOwn(routes, row) ? routes[row] : undefined;
  return handle === undefined ? undefined : { handle, fields: { model_id: decoded(id) } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong(`the path ${JSON.stringify(text.slice(0, 200))} is not percent-encoded; encode it`);
  }
}

/** The content type is ignored: clients also send JSON as text. */
async function fieldsOf(request: Request): Promise<Fields> {
  if (request.method === 'GET') return queryOf(request);
  const body = parseJson(await readBody(request, mostBytes));
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw wrong('the body is not an object; send one as JSON');
  return body as Fields;
}

function queryOf(request: Request): Fields {
  const fields: Record<string, string | string[]> = {};
  for (const [name, value] of new URL(request.url).searchParams) {
    const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
    Object.defineProperty(fields, name, {
      ...{
        value: known === undefined ? value : [known, value].flat(),
        enumerable: true,
        configurable: true,
        writable: true,
      },
    });
  }
  return fields;
}
