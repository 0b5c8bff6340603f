import { createHash, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import type { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { journalAccess } from '@serin/api/access';
import { createApi } from '@serin/api/app';
import type { EventLog } from '@serin/api/options';
import { releasedConfig } from '@serin/api/released';
import { visibleTo } from '@serin/api/visible';
import { steadyClock } from '@serin/core/base/clock';
import { asFault } from '@serin/core/base/fault';
import { day } from '@serin/core/base/time';
import { secretsOf } from '@serin/core/base/variables';
import { createEngine } from '@serin/core/engine/engine';
import { allModels } from '@serin/core/engine/find';
import { passing } from '@serin/core/engine/stored';
import { ownBucket } from '@serin/core/ports/bucket';
import type { Entry, Journal } from '@serin/core/ports/journal';
import type { Ports } from '@serin/core/ports/ports';
import { byServingKind } from '@serin/core/ports/serving';
import { newIds } from '@serin/platform/ids';
import { notifier } from '@serin/platform/notifier';
import { loadProfiler } from '@serin/platform/profiler';
import type { WebhookSecrets } from '@serin/platform/secrets';
import { listOf } from '@serin/platform/settings';
import { createDispatcher } from './functions.ts';
import { requestListener } from './http.ts';
import { adminToken } from './machine/admin-token.ts';
import { gatewayAssignments } from './machine/assignments.ts';
import { captureStore } from './machine/capture-store.ts';
import { gatewayCaptures } from './machine/captures.ts';
import { type Closers, closers } from './machine/closers.ts';
import { openCounterStore } from './machine/counter-store.ts';
import { gatewayCounters } from './machine/counters.ts';
import { openDatabase } from './machine/database.ts';
import { openDoor, type Patience } from './machine/door.ts';
import { elapsedWithSleep } from './machine/elapsed.ts';
import { fileFault } from './machine/faults.ts';
import { gateway } from './machine/gateway.ts';
import { machineHints } from './machine/hints.ts';
import { holdsCode, stageCode } from './machine/jobs/code.ts';
import { digestOfDirectory } from './machine/jobs/digest.ts';
import { readText } from './machine/jobs/logs.ts';
import { journalGauges } from './machine/journal-gauges.ts';
import { labelStore, lastLabel } from './machine/labels.ts';
import { problemsOf } from './machine/limits.ts';
import { serverMetrics } from './machine/metrics.ts';
import { defaultSilenceMs, localFolder, modelServers } from './machine/model-servers.ts';
import { forgetFiles } from './machine/objects/forgetting.ts';
import { ownHosts } from './machine/own-hosts.ts';
import { gatewayPairs } from './machine/pairs.ts';
import { predictors } from './machine/predictors.ts';
import { storeProbe } from './machine/probe.ts';
import { followedRelease } from './machine/release.ts';
import { secretsIn } from './machine/secrets.ts';
import { journalWitness } from './machine/seen.ts';
import { gatewayUsers } from './machine/users.ts';
import { openMlflow } from './mlflow/app.ts';
import { loggedBy } from './mlflow/logged.ts';
import { trackingBy } from './mlflow/tracking.ts';
import { folderBuckets } from './ports/bucket.ts';
import { sqliteBus } from './ports/bus.ts';
import { jobId, localJobs } from './ports/jobs.ts';
import { sqliteJournal } from './ports/journal.ts';
import { fileRegistry } from './ports/registry.ts';
import { localServing } from './ports/serving.ts';
import { gatewayTelemetry } from './ports/telemetry.ts';
import { watchBuckets } from './signals.ts';

export interface ServerOptions {
  /** Holds everything that must survive a restart. */
  readonly directory: string;
  readonly host?: string;
  /** 0: any free port. A busy one throws `invalid`. */
  readonly port: number;
  readonly version: string;
  /** The file of machine/runner.ts, or of its bundle. */
  readonly runner?: string;
  /** A folder in which the commands of jobs and model servers are looked for before those of `PATH`; it may come later. */
  readonly programs?: string;
  /** How long a file in a bucket folder must have been left alone before it counts as whole. */
  readonly settleMs?: number;
  /** One fact for the operator: what went wrong that nobody asked for. */
  readonly log?: (line: string) => void;
  /** Predictions want a token that may predict; default: whoever reaches this server may ask. */
  readonly predictTokens?: boolean;
  /** What connections may take of this server; default: as below. */
  readonly patience?: Partial<Patience>;
  /** Milliseconds since the epoch, as whoever sets the clock of the machine has it; default: `Date.now`. */
  readonly wall?: () => number;
}

export interface Server {
  readonly url: string;
  readonly port: number;
  /** The admin token of the data directory. */
  readonly token: string;
  /** It was made by this start: to be shown once. */
  readonly tokenIsNew: boolean;
  /** What was published, as `GET /v1/events` has it. */
  readonly events: EventLog;
  /**
   * Drains, and resolves when nothing is under way. Model servers end; training jobs go on and are adopted by the next
   * start. Twice: the same as once.
   */
  close(): Promise<void>;
}

/**
 * The one-machine server: every port on SQLite, files and child processes, in this process.
 *
 * Only one may have the data directory; a second one is refused. What an earlier one left (leases, training jobs, model
 * servers) is taken over, nothing is started twice. It answers requests once everything else has begun; of a start that
 * fails nothing is left, neither a lock nor a port nor a process.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { database, close } = openDatabase(options.directory);
  const closing = closers((error) => options.log?.(`stopping: ${error.message}`));
  closing.add(close);
  try {
    return await begin(options, database, closing);
  } catch (error) {
    await closing.close();
    throw fileFault(error, `starting on ${options.directory}`);
  }
}

async function begin(options: ServerOptions, database: DatabaseSync, closing: Closers): Promise<Server> {
  const { directory, host = '127.0.0.1', log = () => {}, wall = Date.now } = options;
  const metrics = serverMetrics(() => ({
    version: options.version,
    now,
    gauges,
    counters,
    captures,
    isCaptured: (endpoint) => release.captureRule(endpoint) !== undefined,
    standing: serving.standing,
  }));
  const fault = (what: string) => (error: unknown) => {
    metrics.fault();
    log(`${what}: ${asFault(error).message}`);
  };

  let port: number | undefined;
  const journal = sqliteJournal({ database, onAppended: appended });
  const gauges = journalGauges(journal);
  const witness = journalWitness(directory, database);
  closing.add(witness.close);
  function appended(entry: Entry): void {
    witness.appended(entry);
    gauges.appended(entry);
  }
  const newest = Math.max(
    await newestEntry(journal),
    openCounterStore(database).lastUntil() * 1000,
    lastLabel(database),
  );
  const { now } = steadyClock({ wall, elapsed: elapsedWithSleep(), newest });
  const buckets = folderBuckets({
    directory: join(directory, 'buckets'),
    database,
    ...(options.settleMs === undefined ? {} : { settleMs: options.settleMs }),
  });
  await mkdir(join(directory, 'buckets'), { recursive: true });
  await buckets.createBucket(ownBucket);
  const released = releasedConfig({ journal, bucket: buckets });
  const release = followedRelease({
    released,
    createBucket: buckets.createBucket,
    watch: (routes) => watch.follow(routes),
  });
  // What cannot be read is found before anything is begun.
  await released();
  const { token, isNew } = adminToken(directory);
  const bus = sqliteBus({ database });
  closing.add(hourly(() => bus.prune(eventsKept), fault('forgetting old events')));
  for (const { prefix, days } of passing) {
    const root = join(directory, 'buckets', ownBucket, prefix);
    closing.add(hourly(() => forgetFiles(root, wall() - days * day), fault(`forgetting files of ${root}`)));
  }
  const captured = captureStore(directory, log);
  closing.add(captured.close);
  const counters = gatewayCounters({ database, now, onFault: fault('counting') });
  closing.add(counters.close);
  const pairs = gatewayPairs({ database, counters });
  const users = gatewayUsers({ database, counters });
  const assignments = gatewayAssignments({ database, counters });
  const labels = labelStore({ database, assignments, now, windowOf: (endpoint) => release.labelWindow(endpoint) });
  const captures = gatewayCaptures({ store: captured, counters, onFault: fault('keeping captured requests') });
  const readObject = (bucket: string, key: string, maxBytes: number) => buckets(bucket).read({ key, maxBytes });
  const secrets = secretsIn(directory, process.env);
  const jobsFolder = join(directory, 'jobs');
  const jobs = localJobs({
    secrets,
    tracking: trackingBy({ mlflow: () => mlflow, url: () => (port === undefined ? undefined : addressOf(host, port)) }),
    directory: jobsFolder,
    materialise: buckets.materialise,
    readObject,
    inherited: inheritedEnvironment(options.programs),
    runner: options.runner ?? fileURLToPath(new URL('./machine/runner.ts', import.meta.url)),
    onChange: (id) => hintJob(id),
  });
  const servers = modelServers({
    secrets,
    database,
    directory: join(directory, 'serving'),
    jobs: jobsFolder,
    stageCode: (digest, target) => stageCode(digest, target, { readObject }),
    holdsCode: (digest, folder) => holdsCode(digest, folder, { readObject }),
    inherited: inheritedEnvironment(options.programs),
    onChange: (endpoint) => hint(`model/${endpoint}`, { type: 'endpointHinted' }),
    onReturn: counters.returning,
    silenceMs: (endpoint) => release.served(endpoint)?.timeout ?? defaultSilenceMs,
    warn: log,
  });
  closing.add(servers.stop);
  const serving = localServing({ database, servers, jobs: jobsFolder });
  closing.add(jobs.close);
  const telemetry = gatewayTelemetry({ counters, pairs, users, labels, captures: captured });
  const ports: Ports = {
    journal,
    bucket: buckets,
    jobs,
    registry: fileRegistry({ directory: join(directory, 'registry') }),
    serving: byServingKind('one machine', { endpoint: serving }),
    telemetry: byServingKind('one machine', { endpoint: telemetry }),
    labels: telemetry,
    bus,
    notify: notifier({ secrets: async (variables) => secretsOf(variables, secrets), now }),
  };

  const source = `serin://${host}/${directory}`;
  const engine = createEngine({
    ports,
    profiler: loadProfiler,
    now,
    self: `server-${process.pid}-${randomUUID().slice(0, 8)}`,
    alone: true,
    source,
    onAppend,
  });
  const dispatcher = createDispatcher({
    engine,
    journal,
    now,
    onFault: (stream, error) => void undispatched(stream, error),
  });
  closing.add(dispatcher.stop);
  const { hint, hintJob, undispatched } = machineHints({ engine, journal, now, nudge: dispatcher.nudge, fault });
  const watch = watchBuckets({
    directory: join(directory, 'buckets'),
    hint: ({ stream, signal }) => hint(stream, signal),
    onFault: fault('watching the bucket folders'),
  });

  function onAppend(entry: Entry, due: number | undefined): void {
    metrics.appended(entry);
    dispatcher.planned(entry.stream, due);
    if (entry.stream === 'project') void release.follow().catch(fault('reading the released config'));
  }

  const bootstrap = { tokenHash: createHash('sha256').update(token).digest('hex') };
  const access = journalAccess({ journal, now, wall, bootstrap });
  const mlflow = openMlflow({
    ...{ database, directory: join(directory, 'mlflow'), jobs: jobsFolder, now, access, secret: token },
    visibleTo: (caller) => visibleTo(caller, { engine, journal, now, nudge: dispatcher.nudge }),
    onDefect: (path, error) => fault(`answering MLflow at ${path}`)(error),
  });
  const newId = newIds(now);
  const api = createApi({
    engine,
    ports,
    now,
    wall,
    newId,
    config: released,
    source,
    secrets: webhookSecrets(),
    secretOf: secrets,
    version: options.version,
    environment: 'local',
    platform: 'local',
    problemsOf,
    logs: async ({ project, key }, from, max) => {
      const { content, next, ended } = await jobs.logs(jobId({ project, key }), from, max);
      return { text: new TextDecoder().decode(content), next, ended };
    },
    serverLogs: async ({ model, deployment, instance }, from, max) => {
      const file = servers.log(model, deployment, instance);
      return file === undefined ? undefined : readText(file, from, max);
    },
    logged: loggedBy(mlflow.store),
    digestOfArtifact: async (artifact) => (await digestOfDirectory(await localFolder(artifact, jobsFolder))).digest,
    events: bus,
    probe: storeProbe(database, fault('looking whether the store takes writes')),
    metrics: metrics.text,
    aloneSince: now(),
    nudge: dispatcher.nudge,
    onDefect: (request, error) =>
      log(`request ${request}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    bootstrap,
  });
  const front = gateway({
    route: serving.route,
    pool: servers.pool,
    counters,
    pairs,
    users,
    assignments,
    captures,
    captureRule: release.captureRule,
    isPlanned: (endpoint) => release.served(endpoint) !== undefined,
    silenceMs: (endpoint) => release.served(endpoint)?.timeout,
    stickyHeader: (endpoint) => release.served(endpoint)?.stickyBy,
    segment: release.segments,
    remembers: release.remembered,
    version: options.version,
    onPrediction: metrics.predicted,
  });

  const listener = requestListener({
    ...{ api, mlflow, gateway: front, newId },
    names: ownHosts(host, () => port ?? 0, listOf(process.env.SERIN_HOSTS)),
    ...(options.predictTokens === true ? { mayNotPredict: predictors(access) } : {}),
  });
  const door = openDoor(listener, options.patience);
  closing.add(front.close);
  closing.add(watch.close);
  await serving.resumed;
  await mlflow.begin();
  await release.follow();
  port = await door.listen(options.port, host);
  // Calls under way and payments under way end side by side: who stops this process waits for the longer of both.
  closing.add(() => Promise.all([door.close(), dispatcher.stop()]));
  for (const stream of ['project', ...(await allModels(journal)).map(({ model }) => `model/${model}`)])
    dispatcher.nudge(stream);

  return {
    url: addressOf(host, port),
    port,
    token,
    tokenIsNew: isNew,
    events: bus,
    close: closing.close,
  };
}

const addressOf = (host: string, port: number): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`;

/** The newest time that the project or a model has lived through. */
async function newestEntry(journal: Journal): Promise<number> {
  const project = await journal.head('project');
  const { at = 0 } = (project?.state ?? {}) as { readonly at?: number }; // written by the engine
  return Math.max(at, ...(await allModels(journal)).map((row) => row.at));
}

/** Events that can be read again. */
const eventsKept = 100_000;
const hourMs = 3_600_000;

/** Forgets what is old now and every hour; the answer stops it. */
function hourly(forget: () => Promise<unknown>, onFault: (error: unknown) => void): () => void {
  const prune = () => void forget().catch(onFault);
  const timer = setInterval(prune, hourMs).unref();
  prune();
  return () => clearInterval(timer);
}

function inheritedEnvironment(programs: string | undefined): Readonly<Record<string, string>> {
  const { PATH: own = '/usr/local/bin:/usr/bin:/bin', LANG, TZ } = process.env;
  const PATH = programs === undefined ? own : `${programs}${delimiter}${own}`;
  return { PATH, ...(LANG === undefined ? {} : { LANG }), ...(TZ === undefined ? {} : { TZ }) };
}

/** Several secrets, separated by commas, while one is being replaced. */
function webhookSecrets(): WebhookSecrets {
  return { github: listOf(process.env.SERIN_GITHUB_SECRET), standard: listOf(process.env.SERIN_WEBHOOK_SECRET) };
}
