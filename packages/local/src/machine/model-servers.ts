import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '@serin/core/base/fault';
import { sha256Hex } from '@serin/core/base/json';
import { noSecrets, type Secrets } from '@serin/core/base/variables';
import { otherDigest } from '@serin/core/engine/stored';
import type { Artifact } from '@serin/core/ports/jobs';
import type { Deployment } from '@serin/core/ports/serving';
import { artifactFolder } from './artifact-folder.ts';
import { type TreeDigest, treeDigests } from './checked-trees.ts';
import { appearWhole } from './durable.ts';
import { fileFault } from './faults.ts';
import { again } from './jobs/artifact.ts';
import { endOfLog } from './log-tail.ts';
import { type ModelServer, modelServer, type Pace, type ServerState, takeBack, type Upstream } from './model-server.ts';
import { launch } from './server-process.ts';
import { serverRecords } from './server-records.ts';
import { servingEnvironment } from './serving-environment.ts';

/** The ready processes of one deployment. */
export interface Pool {
  /** The next process in turn, or `undefined` when none is ready. Each one taken is given back with `release`. */
  take(): Upstream | undefined;
  release(): void;
}

/** Model-server processes, `instances.min` of them per deployment; `instances.max` has no meaning on one machine. */
export interface ModelServers {
  /**
   * Takes back what an earlier run of the server left running, starts what is missing, ends what is not wanted.
   * Once, before all else; resolves when every earlier process was taken back or given up.
   */
  resume(wanted: readonly { readonly endpoint: string; readonly deployment: Deployment }[]): Promise<void>;
  /** Starts the processes. Twice: the same as once; of a deployment that was given up: tries again. */
  start(endpoint: string, deployment: Deployment): void;
  /** `undefined` for a deployment that was never started, or whose processes are gone. */
  state(endpoint: string, name: string): ServerState | undefined;
  pool(endpoint: string, name: string): Pool | undefined;
  /** The file that a process writes its log into; `undefined`: there is no such process. */
  log(endpoint: string, name: string, instance: number): string | undefined;
  /** Lets requests end for at most `drainMs`, then ends the processes; resolves when they are gone. Twice: the same. */
  drain(endpoint: string, name: string): Promise<void>;
  /** Ends the supervision; the processes go on, to be taken back by `resume` of the next run. */
  close(): Promise<void>;
  /** Ends the supervision and all processes. */
  stop(): Promise<void>;
}

export interface ModelServersOptions {
  readonly database: DatabaseSync;
  /** Holds a folder per deployment: code, logs, scratch. */
  readonly directory: string;
  /** The folder of the jobs, whose artifacts are models. */
  readonly jobs: string;
  /** Writes the files of a code folder into a directory that exists and is empty. */
  readonly stageCode: (digest: string, directory: string) => Promise<void>;
  /** Whether a directory still holds what `stageCode` wrote. */
  readonly holdsCode: (digest: string, directory: string) => Promise<boolean>;
  readonly secrets?: Secrets;
  /** What of the server's environment a model server gets: PATH, LANG, TZ. */
  readonly inherited: Readonly<Record<string, string>>;
  /** The state of a deployment changed: a hint to observe it. */
  readonly onChange?: (endpoint: string) => void;
  /**
   * Deployments of an endpoint that were ready before are started again by `resume`; what this answers is called when
   * each of them is ready, was given up for now, or is gone.
   */
  readonly onReturn?: (endpoint: string) => () => void;
  /** How long a request to an endpoint may go without a byte of its answer; 30 s. */
  readonly silenceMs?: (endpoint: string) => number;
  /** Something that the owner of a model should know. */
  readonly warn?: (what: string) => void;
  readonly drainMs?: number;
  readonly pace?: Partial<Pace>;
}

interface Fleet {
  readonly servers: readonly ModelServer[];
  readonly logs: readonly string[];
  readonly pool: Pool & { idle(): Promise<void> };
  readonly folder: string;
  gone?: Promise<void>;
}

const defaultPace: Pace = {
  firstRestartMs: 200,
  lastRestartMs: 30_000,
  graceMs: 5000,
  muteMs: 10_000,
  pingMs: 5000,
};
export const defaultSilenceMs = 30_000;
const maxLogBytes = 64 * 1024 * 1024;
const logCheckMs = 60_000;

/**
 * Supervises model servers: see `modelServer` for the life of one.
 *
 * Each gets a loopback port, the serving contracts in its environment and nothing of the server's own, its code folder
 * as the working directory, and a log of at most 64 MB that is then moved aside once (a few lines may be lost in it).
 */
export function modelServers(options: ModelServersOptions): ModelServers {
  const { directory, drainMs = 30_000 } = options;
  const pace = { ...defaultPace, ...options.pace };
  const records = serverRecords(options.database);
  const digestOf = treeDigests(options.database);
  const fleets = new Map<string, Fleet>();
  const returns = new Map<string, { readonly fleets: Set<Fleet>; readonly end: () => void }>();
  const ports = new Set<number>(records.all().map(({ record }) => record.port));
  const logTimer = setInterval(
    () => void capLogs([...fleets.values()].flatMap(({ logs }) => logs)),
    logCheckMs,
  ).unref();

  function newFleet(endpoint: string, deployment: Deployment): Fleet {
    const folder = folderOf(directory, endpoint, deployment.name);
    const places = staging({ ...options, digestOf }, deployment, folder);
    const indexes = Array.from({ length: Math.max(1, deployment.instances.min) }, (_, index) => index);
    const logs = indexes.map((index) => join(folder, `log-${index}.txt`));
    const servers = indexes.map((index) => {
      const slot = { endpoint, deployment: deployment.name, instance: index };
      const log = logs[index] ?? '';
      return modelServer({
        readyTimeoutMs: deployment.readyTimeoutMs,
        recorded: records.get(slot),
        record: (change) => records.change(slot, change),
        logTail: () => endOfLog(log),
        silenceMs: () => options.silenceMs?.(endpoint) ?? defaultSilenceMs,
        warn: (what) => options.warn?.(`${deployment.name} of ${endpoint}: ${what}`),
        onChange: () => changed(endpoint),
        pace,
        async begin(wasReady) {
          const { codeFolder, modelFolder } = await places();
          const port = await freePort(ports, records.get(slot)?.port);
          const mark = randomUUID();
          const place = {
            endpoint,
            port,
            modelFolder,
            scratch: join(folder, 'scratch'),
            inherited: options.inherited,
            secrets: options.secrets ?? noSecrets,
          };
          const environment = { ...servingEnvironment(deployment, place), SERIN_SERVER: mark };
          records.put(slot, { mark, port, wasReady });
          const process = await launch({ command: deployment.command, folder: codeFolder, environment, log });
          try {
            records.put(slot, { mark, port, wasReady, process: { pid: process.pid, born: process.born } });
          } catch (error) {
            await process.end(0);
            throw error;
          }
          return { process, port };
        },
      });
    });
    return { servers, logs, folder, pool: poolOf(servers) };
  }

  async function end(endpoint: string, name: string, fleet: Fleet): Promise<void> {
    const patience = new AbortController();
    const limit = sleep(drainMs, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([fleet.pool.idle(), limit]);
    patience.abort();
    await Promise.all(fleet.servers.map((server) => server.end()));
    for (const { port } of records.remove(endpoint, name)) ports.delete(port);
    fleets.delete(keyOf(endpoint, name));
    await rm(fleet.folder, { recursive: true, force: true });
    changed(endpoint);
  }

  function changed(endpoint: string): void {
    endReturn(endpoint);
    options.onChange?.(endpoint);
  }

  function beginReturn(endpoint: string, started: readonly Fleet[]): void {
    const missing = started.filter((fleet) => stateOf(fleet).wasReady && !isBack(fleet));
    if (missing.length === 0) return;
    const end = options.onReturn?.(endpoint);
    if (end !== undefined) returns.set(endpoint, { fleets: new Set(missing), end });
  }

  function endReturn(endpoint: string): void {
    const { fleets: missing = new Set<Fleet>(), end } = returns.get(endpoint) ?? {};
    for (const fleet of missing) if (isBack(fleet)) missing.delete(fleet);
    if (missing.size > 0) return;
    returns.delete(endpoint);
    end?.();
  }

  const supervisor: ModelServers = {
    async resume(wanted) {
      const keys = new Set(wanted.map(({ endpoint, deployment }) => keyOf(endpoint, deployment.name)));
      const unwanted = records.all().filter(({ slot }) => !keys.has(keyOf(slot.endpoint, slot.deployment)));
      for (const { endpoint, deployment } of wanted) supervisor.start(endpoint, deployment);
      for (const [endpoint, own] of Map.groupBy(wanted, (each) => each.endpoint))
        beginReturn(
          endpoint,
          own.flatMap(({ deployment }) => fleets.get(keyOf(endpoint, deployment.name)) ?? []),
        );
      const ending = unwanted.map(async ({ slot, record }) => {
        await takeBack(record)?.process.end(pace.graceMs);
        records.remove(slot.endpoint, slot.deployment);
        await rm(folderOf(directory, slot.endpoint, slot.deployment), { recursive: true, force: true });
      });
      const back = [...fleets.values()].flatMap(({ servers }) => servers.map(({ tookBack }) => tookBack));
      await Promise.all([...back, ...ending]);
    },

    start(endpoint, deployment) {
      const key = keyOf(endpoint, deployment.name);
      const fleet = fleets.get(key);
      if (fleet?.servers.some((server) => !isGivenUp(server))) return;
      if (fleet !== undefined) records.remove(endpoint, deployment.name);
      fleets.set(key, newFleet(endpoint, deployment));
    },

    state(endpoint, name) {
      const fleet = fleets.get(keyOf(endpoint, name));
      return fleet && stateOf(fleet);
    },

    pool: (endpoint, name) => fleets.get(keyOf(endpoint, name))?.pool,

    log: (endpoint, name, instance) => fleets.get(keyOf(endpoint, name))?.logs[instance],

    async drain(endpoint, name) {
      const fleet = fleets.get(keyOf(endpoint, name));
      if (fleet === undefined) return;
      fleet.gone ??= end(endpoint, name, fleet);
      await fleet.gone;
    },

    async close() {
      clearInterval(logTimer);
      await Promise.all([...fleets.values()].flatMap(({ servers }) => servers.map((server) => server.leave())));
    },

    async stop() {
      clearInterval(logTimer);
      await Promise.all([...fleets.values()].flatMap(({ servers }) => servers.map((server) => server.end())));
    },
  };
  return supervisor;
}

const keyOf = (endpoint: string, name: string): string => JSON.stringify([endpoint, name]);

const folderOf = (directory: string, endpoint: string, name: string): string =>
  join(directory, sha256Hex(keyOf(endpoint, name)).slice(0, 32));

const isGivenUp = (server: ModelServer): boolean => server.state().status === 'failed' && !server.state().wasReady;

const isBack = (fleet: Fleet): boolean => fleet.gone !== undefined || stateOf(fleet).status !== 'pending';

/** Failed when one instance is; ready when all are; while it drains, pending. */
function stateOf(fleet: Fleet): ServerState {
  const states = fleet.servers.map((server) => server.state());
  const wasReady = states.every((state) => state.wasReady);
  if (fleet.gone !== undefined) return { status: 'pending', reason: 'it ends when its requests have', wasReady };
  const worst = states.find(({ status }) => status === 'failed') ?? states.find(({ status }) => status === 'pending');
  return { ...(worst ?? { status: 'ready' }), wasReady };
}

function poolOf(servers: readonly ModelServer[]): Fleet['pool'] {
  let turn = 0;
  let inFlight = 0;
  let whenIdle: (() => void)[] = [];
  return {
    take() {
      for (let tried = 0; tried < servers.length; tried++) {
        turn = (turn + 1) % servers.length;
        const upstream = servers[turn]?.upstream();
        if (upstream === undefined) continue;
        inFlight += 1;
        return upstream;
      }
      return undefined;
    },
    release() {
      inFlight -= 1;
      if (inFlight > 0) return;
      for (const resolve of whenIdle) resolve();
      whenIdle = [];
    },
    idle: () => (inFlight === 0 ? Promise.resolve() : new Promise((resolve) => whenIdle.push(resolve))),
  };
}

interface Places {
  readonly codeFolder: string;
  readonly modelFolder: string;
}

/**
 * Brings code and model for a process that is about to start, once for those that start together.
 *
 * Both are compared with their digests each time. Code that is not whole is staged again; a model that is not the one
 * that was registered is `invalid`: it is never served.
 */
function staging(
  options: ModelServersOptions & { readonly digestOf: TreeDigest },
  { name, code, artifact }: Deployment,
  folder: string,
): () => Promise<Places> {
  let under: Promise<Places> | undefined;
  async function stage(): Promise<Places> {
    const codeFolder = join(folder, 'code');
    const modelFolder = await localFolder(artifact, options.jobs);
    const found = await options.digestOf(modelFolder);
    if (found !== artifact.digest) throw otherDigest(`the model ${artifact.uri}`, artifact.digest, found, again);
    await mkdir(join(folder, 'scratch'), { recursive: true, mode: 0o700 });
    if (!existsSync(codeFolder) || (code !== undefined && !(await options.holdsCode(code.digest, codeFolder))))
      await stageAnew(codeFolder);
    return { codeFolder, modelFolder };
  }
  async function stageAnew(codeFolder: string): Promise<void> {
    const draft = join(folder, `code-${randomUUID()}`);
    try {
      await mkdir(draft);
      if (code !== undefined) await options.stageCode(code.digest, draft);
      // A process that still runs in the old folder keeps it, under another name.
      if (existsSync(codeFolder)) await rename(codeFolder, join(folder, `old-${randomUUID()}`));
      await appearWhole(draft, codeFolder);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }
  return () => {
    under ??= stage()
      .catch((error) => {
        throw fileFault(error, `staging ${name}`);
      })
      .finally(() => {
        under = undefined;
      });
    return under;
  };
}

/** The folder of a `file:` address; `invalid` when it is another kind of address, or nothing is there. */
export async function localFolder({ uri }: Artifact, jobs: string): Promise<string> {
  const folder = artifactFolder(uri, jobs);
  if (folder !== undefined && existsSync(folder)) return folder;
  throw new Fault('invalid', `the model ${uri} is not on this machine; train it here, or copy its artifact to it`);
}

/** A loopback port that nothing listens on and no other model server was given; `former` is free for others again. */
async function freePort(taken: Set<number>, former: number | undefined): Promise<number> {
  if (former !== undefined) taken.delete(former);
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer().once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
      });
    });
    if (taken.has(port)) continue;
    taken.add(port);
    return port;
  }
}

/** The process holds the file open for appending, so the file is emptied in place. */
async function capLogs(logs: readonly string[]): Promise<void> {
  for (const log of logs) {
    const bytes = await stat(log).then(
      ({ size }) => size,
      () => 0,
    );
    if (bytes <= maxLogBytes) continue;
    // On a full disk there is no copy, and all the more reason to empty the log.
    await copyFile(log, `${log}.1`).catch(() => rm(`${log}.1`, { force: true }));
    await truncate(log, 0).catch(() => undefined);
  }
}
