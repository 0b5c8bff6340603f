import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { placesOf } from '../../../infra/azure/topology/places.ts';
import { bundleFunctions } from '../../../scripts/bundle.ts';
import { type Mishaps, openMishaps } from '../mishaps.ts';
import { application } from './entra.ts';
import { fakeEndpoints } from './fake-endpoints.ts';
import { fakeJobs } from './fake-jobs.ts';
import { fakeMonitor } from './fake-metrics.ts';
import { type FunctionApp, functionApp } from './functions-host.ts';
import { administrator, clientOf, deployed, names, openInstallation } from './functions-world.ts';
import type { Routes } from './rest.ts';
import { rolesIn } from './roles.ts';
import { accounts } from './storage.ts';

export interface WorldOptions {
  readonly mishaps?: Mishaps;
}

type Name = 'signals' | 'api' | 'clock' | 'deadLetters';

/**
 * An installation on Azure in which only the clock is ours: the bundles that are deployed, each in a process of its own
 * under Microsoft's programming model, Azurite, and fakes that are held to what Microsoft says.
 */
export async function openWorld({ mishaps = openMishaps() }: WorldOptions = {}) {
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const folder = await mkdtemp(join(tmpdir(), 'serin-loop-'));
  const jobs = fakeJobs({ now });
  const endpoints = fakeEndpoints(now);
  const metrics = fakeMonitor({ now });
  const [azure, bundles] = await Promise.all([
    openInstallation({
      suite: 'azure-loop',
      isAway: ({ request: { verb, path, query } }) =>
        mishaps.areCapturesAway() &&
        verb === 'GET' &&
        [path.replace(/^\/[^/]*\//, ''), query.get('prefix') ?? ''].some((name) => name.startsWith('captured/')),
      onDone({ id, request: { path, bytes } }) {
        const [, container, key = ''] = /^\/([^/]+)\/(.+)$/s.exec(path) ?? [];
        if (id === 'blob:PutBlob' && container === names.own)
          mishaps.wrote(decodeURIComponent(key), bytes.toString(), () => app('signals').kill());
      },
      routes: [jobsOnly(jobs.routes), endpoints.routes, withoutEndpoints(metrics.routes)],
    }),
    bundleFunctions('azure', folder),
  ]);
  const apps = new Map<string, FunctionApp>(
    bundles.map(({ name, file }) => [
      name,
      functionApp({ folder: dirname(file), variables: azure.variables(name as Name), now }),
    ]),
  );
  const app = (name: Name): FunctionApp => {
    const found = apps.get(name);
    if (found === undefined) throw new Error(`there is no bundle ${name}`);
    return found;
  };

  const { customRoles, assignments } = deployed;
  const places = placesOf(deployed.settings, deployed.where);
  const where = {
    idOf: (service: 'storageAccounts' | 'vaults', name: string) =>
      service === 'vaults'
        ? places.idOf('Microsoft.KeyVault/vaults', name)
        : name === accounts.own
          ? places.accountId
          : places.dataAccountId,
    logWorkspaceId: places.logWorkspaceId ?? '',
  };
  const roles = rolesIn({ customRoles, assignments }, where, (client) =>
    bundles.map(({ name }) => name).find((name) => clientOf(name) === client),
  );
  const calls = () => [...azure.served.calls, ...azure.storage.calls];

  const dead = `${names.queue}/$DeadLetterQueue`;
  /** Until nothing waits: each message is delivered, and what the queue gives up becomes a dead letter. */
  async function pump(): Promise<void> {
    while (azure.bus.waiting(names.queue).length > 0 || azure.bus.waiting(dead).length > 0) {
      while (azure.bus.waiting(names.queue).length > 0) await app('signals').deliver();
      while (azure.bus.waiting(dead).length > 0) await app('deadLetters').deliver();
    }
  }

  return {
    ...{ azure, jobs, endpoints, metrics, app, pump, now },
    roles: { done: () => roles.done(calls()), refused: () => roles.refused(calls()) },
    output: () => [...apps.values()].map((each) => each.output()).join(''),
    async call(method: string, path: string, body?: unknown) {
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      const headers = { ...administrator, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
      const { status, text } = await app('api').request(path, { method, headers, ...json });
      return { status, body: JSON.parse(text || 'null') };
    },
    /** What Azure delivers over HTTP. */
    async deliver(body: string): Promise<number> {
      const iat = Math.floor(now() / 1000);
      const authorization = await azure.entra.bearer(`api://${application}`, { iat, nbf: iat, exp: iat + 3600 });
      const headers = { authorization, 'content-type': 'application/json' };
      return (await app('api').request('/azure/events', { method: 'POST', headers, body })).status;
    },
    /** Time passes: the clock comes, and then whatever was queued. */
    async pass(ms: number): Promise<void> {
      ahead += ms;
      azure.bus.pass(ms);
      await app('clock').tick();
      await pump();
    },
    async close(): Promise<void> {
      await Promise.all([...apps.values()].map((each) => each.stop()));
      await Promise.all([azure.stop(), rm(folder, { recursive: true, force: true })]);
    },
  };
}

export type LoopWorld = Awaited<ReturnType<typeof openWorld>>;

/** The fake of endpoints has environments as well, for models. */
const jobsOnly = (routes: Routes): Routes =>
  Object.fromEntries(Object.entries(routes).filter(([id]) => !id.startsWith('PUT environments/')));

/** The fake of endpoints says their traffic. */
const withoutEndpoints = (routes: Routes): Routes =>
  Object.fromEntries(Object.entries(routes).filter(([id]) => !id.startsWith('GET onlineEndpoints/')));
