import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { canonical, encodeText, sha256Hex } from '@serin/core/base/json';
import { type CompiledConfig, type Config, compile, parseConfig } from '@serin/core/config/config';
import { createEngine, type Engine } from '@serin/core/engine/engine';
import type { Signal } from '@serin/core/engine/outcome';
import { configKey } from '@serin/core/engine/stored';
import type { Model } from '@serin/core/model/state';
import { engineActor } from '@serin/core/ports/actors';
import { ownBucket } from '@serin/core/ports/bucket';
import type { Job, Jobs } from '@serin/core/ports/jobs';
import type { Entry } from '@serin/core/ports/journal';
import type { Ports } from '@serin/core/ports/ports';
import type { Serving } from '@serin/core/ports/serving';
import type { Labels, Telemetry } from '@serin/core/ports/telemetry';
import { createDispatcher, type Dispatcher } from '@serin/local/functions';
import { openDatabase } from '@serin/local/machine/database';
import { type FolderBuckets, folderBuckets } from '@serin/local/ports/bucket';
import { sqliteBus } from '@serin/local/ports/bus';
import { sqliteJournal } from '@serin/local/ports/journal';
import { fileRegistry } from '@serin/local/ports/registry';

type Given = Config['models'][string];
type Settle = NonNullable<Given['data']['settle']>;

/** A config of `count` models that react to data and to alerts, and serve nothing. */
export function configOf(count: number, settle: Settle = { quiet: '2m' }): CompiledConfig {
  const model = (name: string): Given => ({
    data: { bucket: 'drops', prefix: `${name}/`, settle: { atMost: '1h', ...settle } },
    train: { command: ['node', 'train.mjs'] },
    approval: { required: true },
    alerts: { onAlert: 'notify' },
  });
  const models = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [modelName(index), model(modelName(index))]),
  );
  const read = parseConfig({ project: 'bench', concurrentRuns: 1000, models });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return compile(read.parsed, new Map(), 'local');
}

export const modelName = (index: number): string => `m${String(index).padStart(5, '0')}`;

export interface Installation {
  readonly database: DatabaseSync;
  readonly ports: Ports;
  readonly buckets: FolderBuckets;
  readonly engine: Engine;
  readonly dispatcher: Dispatcher;
  /** Stores and releases a config, and tells every model. */
  release(config: CompiledConfig): Promise<void>;
  /** Commits a signal of a person and has it paid for, as the API does. */
  send(stream: string, said: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

/** The state of a model as it is committed. */
export async function modelOf({ ports }: Installation, name: string): Promise<Model> {
  const head = await ports.journal.head(`model/${name}`);
  if (head === undefined) throw new Error(`there is no model '${name}'`);
  return head.state as unknown as Model; // written by the engine
}

interface Options {
  readonly directory: string;
  /** Told of each job that is started. */
  readonly onStart?: (job: Job) => void;
  readonly onAppend?: (entry: Entry) => void;
}

/** The one-machine installation around a provider whose jobs start at once and run until they are stopped. */
export function openInstallation({ directory, onStart = () => {}, onAppend = () => {} }: Options): Installation {
  const { database, close } = openDatabase(directory);
  const journal = sqliteJournal({ database });
  const buckets = folderBuckets({ directory: join(directory, 'buckets'), database });
  const unused = new Proxy({}, { get: () => () => Promise.reject(new Error('nothing is served here')) });
  const ports: Ports = {
    journal,
    bucket: buckets,
    jobs: endlessJobs(onStart),
    registry: fileRegistry({ directory: join(directory, 'registry') }),
    serving: () => unused as Serving,
    telemetry: () => unused as Telemetry,
    labels: unused as Labels,
    bus: sqliteBus({ database }),
    notify: { deliver: async () => {} },
  };
  const now = Date.now;
  const self = `bench-${randomUUID()}`;
  const engine = createEngine({
    ports,
    profiler: () => Promise.reject(new Error('nothing is profiled here')),
    now,
    self,
    alone: true,
    source: 'serin://bench',
    onAppend(entry, due) {
      dispatcher.planned(entry.stream, due);
      onAppend(entry);
    },
  });
  const dispatcher = createDispatcher({
    engine,
    journal,
    now,
    onFault: (stream, error) => console.error(stream, error),
  });
  const stamped = (said: Record<string, unknown>): Signal =>
    ({ id: randomUUID(), at: now(), actor: engineActor, ...said }) as unknown as Signal;
  return {
    database,
    ports,
    buckets,
    engine,
    dispatcher,
    async release(config) {
      await buckets.createBucket(ownBucket);
      await buckets.createBucket('drops');
      const text = canonical(config);
      const digest = sha256Hex(text);
      await buckets(ownBucket).write(configKey(digest), encodeText(text));
      const { project, concurrentRuns } = config;
      await engine.handle('project', stamped({ type: 'releaseRequested', digest, project, concurrentRuns }));
    },
    async send(stream, said) {
      const outcome = await engine.receive(stream, stamped(said));
      if (outcome.kind !== 'moved') throw new Error(`${stream} did not move: ${JSON.stringify(outcome)}`);
      dispatcher.nudge(stream);
    },
    async close() {
      await dispatcher.stop();
      close();
    },
  };
}

function endlessJobs(onStart: (job: Job) => void): Jobs {
  const stopped = new Set<string>();
  return {
    async start(job) {
      onStart(job);
      return { id: job.key };
    },
    describe: async (id) => ({ status: stopped.has(id) ? 'stopped' : 'running', startedAt: Date.now() }),
    async stop(id) {
      stopped.add(id);
    },
  };
}
