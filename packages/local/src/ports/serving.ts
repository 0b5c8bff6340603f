import type { DatabaseSync } from 'node:sqlite';
import { Fault } from '@serin/core/base/fault';
import { canonical } from '@serin/core/base/json';
import type { Deployment, Mirror, Observation, Operation, Serving, Weights } from '@serin/core/ports/serving';
import { checkShares } from '@serin/platform/serving';
import { reading } from '../machine/faults.ts';
import { localFolder, type ModelServers } from '../machine/model-servers.ts';
import type { Route } from '../machine/routing.ts';

const tables = `
  CREATE TABLE IF NOT EXISTS endpoints (name TEXT PRIMARY KEY, weights TEXT NOT NULL, mirror TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS deployments (
    endpoint TEXT NOT NULL, name TEXT NOT NULL, content TEXT NOT NULL, retired INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (endpoint, name)
  ) WITHOUT ROWID;
`;

export interface LocalServing extends Serving {
  /** What the gateway routes by, as one value: the weights of one `weigh`, never a mixture. */
  route(endpoint: string): Route | undefined;
  /** What stands at all endpoints, but for what is on its way out. */
  standing(): readonly Standing[];
  /** Resolves when all processes of an earlier run of the server were taken back or given up. */
  readonly resumed: Promise<void>;
}

/** One deployment of an endpoint. */
export interface Standing {
  readonly endpoint: string;
  readonly deployment: string;
  readonly version: number;
  /** In percent. */
  readonly weight: number;
  readonly isReady: boolean;
}

interface Endpoint {
  route: Route;
  readonly deployments: Map<string, Deployment>;
  readonly draining: Set<string>;
}

/**
 * Serving by supervised processes behind the gateway; what is wanted is in SQLite and is resumed after a restart.
 *
 * All operations are durable when they are answered. `busy` only while a retired deployment lets its last requests end.
 * `weigh` asks that each weighted deployment has been ready once, not that it is ready now: a rollback must not fail
 * because the champion is just being started again; the same holds for a mirror. A deployment that failed without ever being ready is tried again
 * by a `deploy` with the same content. `image` and `compute` have no meaning on one machine.
 */
export function localServing(options: {
  readonly database: DatabaseSync;
  readonly servers: ModelServers;
  /** The folder of the jobs, whose artifacts are models. */
  readonly jobs: string;
}): LocalServing {
  const { servers } = options;
  const store = openStore(options.database);
  const endpoints = store.load();
  const wanted = [...endpoints].flatMap(([endpoint, { deployments }]) =>
    [...deployments.values()].map((deployment) => ({ endpoint, deployment })),
  );
  const resumed = servers.resume(wanted);

  function retire(endpoint: string, name: string): 'accepted' {
    const found = endpoints.get(endpoint);
    if (found === undefined || !found.deployments.has(name)) return 'accepted';
    if ((found.route.weights[name] ?? 0) > 0) {
      throw new Fault(
        'invalid',
        `cannot retire ${name} of ${endpoint}: it still gets requests; set its weight to 0 first`,
      );
    }
    if (found.route.mirror?.deployment === name) {
      throw new Fault('invalid', `cannot retire ${name} of ${endpoint}: it is the mirror; end the mirroring first`);
    }
    store.retire(endpoint, name);
    found.draining.add(name);
    const gone = () => {
      found.deployments.delete(name);
      found.draining.delete(name);
    };
    // Whatever goes wrong while its processes end, `retired` is durable: the next run of the server ends them.
    servers.drain(endpoint, name).then(gone, gone);
    return 'accepted';
  }

  function deploy(endpoint: string, deployment: Deployment): 'accepted' {
    const found = endpoints.get(endpoint) ?? newEndpoint(endpoint);
    const existing = found.deployments.get(deployment.name);
    if (existing !== undefined && canonical(existing) !== canonical(deployment)) {
      throw new Fault('defect', `${deployment.name} of ${endpoint} was deployed with other content; use another name`);
    }
    if (existing === undefined) store.deploy(endpoint, deployment);
    endpoints.set(endpoint, found);
    found.deployments.set(deployment.name, deployment);
    servers.start(endpoint, deployment);
    return 'accepted';
  }

  function weigh(endpoint: string, weights: Weights, mirror: Mirror | undefined): 'accepted' {
    checkShares(endpoint, weights, mirror);
    const held = Object.entries(weights).filter(([, weight]) => weight > 0);
    const found = endpoints.get(endpoint);
    for (const name of [...held.map(([held]) => held), ...(mirror === undefined ? [] : [mirror.deployment])])
      checkReady(servers, endpoint, name, found?.deployments.has(name) ?? false);
    if (found === undefined) return 'accepted';
    const route = routeOf(endpoint, { weights: Object.fromEntries(held), mirror }, found.deployments);
    if (canonical(sharesOf(route)) !== canonical(sharesOf(found.route))) store.weigh(endpoint, route);
    found.route = route;
    return 'accepted';
  }

  return {
    resumed,
    route: (endpoint) => endpoints.get(endpoint)?.route,

    standing: () =>
      [...endpoints].flatMap(([endpoint, { route, deployments, draining }]) =>
        [...deployments.values()]
          .filter(({ name }) => !draining.has(name))
          .map(({ name, version }) => ({
            ...{ endpoint, deployment: name, version, weight: route.weights[name] ?? 0 },
            isReady: servers.state(endpoint, name)?.status === 'ready',
          })),
      ),

    async change(endpoint, operation) {
      if (operation.kind === 'deploy') await checkDeployment(endpoint, operation.deployment, options.jobs);
      if ((endpoints.get(endpoint)?.draining.size ?? 0) > 0) return 'busy';
      return perform(endpoint, operation);
    },

    async observe(endpoint) {
      const found = endpoints.get(endpoint);
      if (found === undefined) return 'absent';
      return {
        deployments: [...found.deployments.values()].map((deployment) => observed(servers, endpoint, deployment)),
        ...sharesOf(found.route),
        busy: found.draining.size > 0,
      };
    },
  };

  function perform(endpoint: string, operation: Operation): 'accepted' {
    if (operation.kind === 'deploy') return deploy(endpoint, operation.deployment);
    if (operation.kind === 'weigh') return weigh(endpoint, operation.weights, operation.mirror);
    return retire(endpoint, operation.deployment);
  }
}

const newEndpoint = (name: string): Endpoint => ({
  route: routeOf(name, { weights: {}, mirror: undefined }, new Map()),
  deployments: new Map(),
  draining: new Set(),
});

/** Arms in order of their versions, newest first: sticky requests keep their arm while its weight grows. */
export function routeOf(
  endpoint: string,
  { weights, mirror }: { readonly weights: Weights; readonly mirror: Mirror | undefined },
  deployments: ReadonlyMap<string, Deployment>,
): Route {
  const versionOf = (name: string) => deployments.get(name)?.version ?? 0;
  const names = Object.keys(weights).sort((a, b) => versionOf(b) - versionOf(a) || (a < b ? -1 : 1));
  let below = 0;
  const arms = names.map((deployment) => {
    below += weights[deployment] ?? 0;
    return { deployment, below };
  });
  return { endpoint, weights, arms, ...(mirror === undefined ? {} : { mirror }) };
}

/** What `weigh` sets. */
const sharesOf = ({ weights, mirror }: Route): { readonly weights: Weights; readonly mirror?: Mirror } => ({
  weights,
  ...(mirror === undefined ? {} : { mirror: { deployment: mirror.deployment, percent: mirror.percent } }),
});

function observed(
  servers: ModelServers,
  endpoint: string,
  { name, version }: Deployment,
): Observation['deployments'][number] {
  const { status, reason } = servers.state(endpoint, name) ?? { status: 'pending' };
  return { name, version, status, ...(reason === undefined ? {} : { reason }) };
}

function checkReady(servers: ModelServers, endpoint: string, name: string, exists: boolean): void {
  const state = exists ? servers.state(endpoint, name) : undefined;
  if (state?.wasReady) return;
  const what = state === undefined ? 'it is not deployed' : `it is ${state.status}`;
  throw new Fault(
    'invalid',
    `cannot send requests to ${name} of ${endpoint}: ${what}; deploy it and wait until it is ready`,
  );
}

async function checkDeployment(endpoint: string, deployment: Deployment, jobs: string): Promise<void> {
  if (deployment.command.length === 0 || deployment.command[0] === '') {
    throw new Fault('invalid', `cannot deploy ${deployment.name} to ${endpoint}: it has no command; set serve.command`);
  }
  await localFolder(deployment.artifact, jobs);
}

function openStore(database: DatabaseSync) {
  database.exec(tables);
  // Directories of versions that could not mirror.
  const columns = database.prepare("SELECT name FROM pragma_table_info('endpoints')").all();
  if (!columns.some(({ name }) => name === 'mirror')) database.exec('ALTER TABLE endpoints ADD COLUMN mirror TEXT');
  const prepared = {
    endpoints: database.prepare('SELECT name, weights, mirror FROM endpoints'),
    deployments: database.prepare('SELECT endpoint, name, content FROM deployments WHERE retired = 0'),
    forget: database.prepare('DELETE FROM deployments WHERE retired = 1'),
    create: database.prepare("INSERT OR IGNORE INTO endpoints VALUES (?, '{}', NULL)"),
    // A name that was retired may come again.
    deploy: database.prepare('INSERT OR REPLACE INTO deployments VALUES (?, ?, ?, 0)'),
    weigh: database.prepare('UPDATE endpoints SET weights = ?, mirror = ? WHERE name = ?'),
    retire: database.prepare('UPDATE deployments SET retired = 1 WHERE endpoint = ? AND name = ?'),
  };

  function load(): Map<string, Endpoint> {
    prepared.forget.run();
    const endpoints = new Map<string, Endpoint>();
    const rows = prepared.endpoints.all();
    for (const { name } of rows) endpoints.set(String(name), newEndpoint(String(name)));
    for (const { endpoint, name, content } of prepared.deployments.all()) {
      // Written by `deploy`.
      endpoints.get(String(endpoint))?.deployments.set(String(name), JSON.parse(String(content)) as Deployment);
    }
    for (const { name, weights, mirror } of rows) {
      const endpoint = endpoints.get(String(name));
      // Both written by `weigh`.
      const stored = JSON.parse(String(weights)) as Weights;
      const mirrored = mirror === null ? undefined : (JSON.parse(String(mirror)) as Mirror);
      const shares = { weights: stored, mirror: mirrored };
      if (endpoint !== undefined) endpoint.route = routeOf(String(name), shares, endpoint.deployments);
    }
    return endpoints;
  }

  return {
    load: () => reading(load),
    deploy: (endpoint: string, deployment: Deployment) =>
      reading(() => {
        prepared.create.run(endpoint);
        prepared.deploy.run(endpoint, deployment.name, JSON.stringify(deployment));
      }),
    weigh: (endpoint: string, { weights, mirror }: Route) =>
      reading(() => {
        const text = mirror === undefined ? null : JSON.stringify(mirror);
        prepared.weigh.run(JSON.stringify(weights), text, endpoint);
      }),
    retire: (endpoint: string, name: string) => reading(() => prepared.retire.run(endpoint, name)),
  };
}
