import { createApi } from '@serin/api/app';
import type { ApiOptions } from '@serin/api/options';
import { releasedConfig } from '@serin/api/released';
import { Fault } from '@serin/core/base/fault';
import type { CompiledConfig } from '@serin/core/config/config';
import { createEngine, type Engine, type EngineOptions } from '@serin/core/engine/engine';
import type { Ports } from '@serin/core/ports/ports';
import type { Labels } from '@serin/core/ports/telemetry';
import { type Clockwork, wakeSoon } from './clock.ts';
import { newIds } from './ids.ts';
import { countEntry } from './metrics.ts';
import { noSecrets, type WebhookSecrets } from './secrets.ts';
import { comeSoon, type Delivered, takeBatch, type Worker } from './worker.ts';

/** The engine of a function. Many instances run at once; each has a limit of time, and may be frozen between calls. */
export interface Runtime {
  readonly engine: Engine;
  readonly ports: Ports;
  readonly source: string;
  readonly config: () => Promise<CompiledConfig | undefined>;
  /** An invocation begins, and may last this long. */
  begin(remainingMs: number): void;
  /** When the streams that were appended to in this invocation want to be looked at again. */
  due(): ReadonlyMap<string, number>;
}

interface Options {
  readonly ports: Ports;
  readonly profiler: EngineOptions['profiler'];
  readonly source: string;
  /** Names this instance in the leases that it takes. */
  readonly self: string;
  readonly clockwork: Pick<Clockwork, 'now' | 'log'>;
}

export function runtimeOf({ ports, profiler, source, self, clockwork: { now, log } }: Options): Runtime {
  let endsAt = 0;
  const due = new Map<string, number>();
  const engine = createEngine({
    ports,
    profiler,
    now,
    self,
    alone: false,
    source,
    endsAt: () => endsAt,
    onAppend: (entry, at) => {
      countEntry(entry, log);
      if (at === undefined) due.delete(entry.stream);
      else due.set(entry.stream, at);
    },
  });
  return {
    engine,
    ports,
    source,
    config: releasedConfig(ports),
    begin(remainingMs) {
      endsAt = now() + remainingMs;
      due.clear();
    },
    due: () => due,
  };
}

/** The worker of a function, over an engine of its own. */
export interface WorkerRuntime extends Pick<Runtime, 'begin' | 'due'> {
  readonly worker: Worker;
}

/** One invocation with messages of the queue; answers the ids of those that must come again. */
export async function takeInvocation(
  { worker, begin, due }: WorkerRuntime,
  remainingMs: number,
  messages: readonly Delivered[],
): Promise<readonly string[]> {
  begin(remainingMs);
  const late = await takeBatch(worker, messages);
  await Promise.all([wakeSoon(worker, due()), comeSoon(worker, messages, late)]);
  return late;
}

/** How long a secret still counts after it was taken away. */
const secretsKeptMs = 5 * 60_000;

type Api = ReturnType<typeof createApi>;

/** The API of a function: it decides and commits. Whoever takes the tick from the queue dispatches. */
export interface ApiRuntime extends Pick<Runtime, 'begin'> {
  api(): Promise<Api>;
  /** Resolves when the queue has a tick for each stream that has to be dispatched. */
  nudged(): Promise<void>;
}

type Given =
  | 'engine'
  | 'ports'
  | 'source'
  | 'config'
  | 'now'
  | 'newId'
  | 'secrets'
  | 'nudge'
  | 'redeliver'
  | 'onDefect';

export interface ApiRuntimeOptions {
  readonly runtime: Runtime;
  readonly clockwork: Pick<Clockwork, 'now' | 'log' | 'queue'>;
  readonly secrets: () => Promise<WebhookSecrets>;
  readonly options: () => Omit<ApiOptions, Given>;
}

export function apiRuntime({ runtime, clockwork, secrets, options }: ApiRuntimeOptions): ApiRuntime {
  const { now, log, queue } = clockwork;
  const { engine, ports, source, config } = runtime;
  const owing = new Set<string>();
  let api: Promise<Api> | undefined;
  let madeAt = 0;

  const makeApi = async (): Promise<Api> =>
    createApi({
      ...options(),
      ...{ engine, ports, source, config, now },
      newId: newIds(now),
      secrets: await secrets().catch((error: unknown) => {
        // Then webhooks are refused, and everything else goes on.
        log.fault('the webhook secrets', error);
        return noSecrets;
      }),
      nudge: (stream) => owing.add(stream),
      redeliver: queue.send,
      onDefect: (request, error) => log.fault(`request ${request}`, error),
    });

  return {
    begin(remainingMs) {
      runtime.begin(remainingMs);
      owing.clear();
    },
    api() {
      if (now() - madeAt > secretsKeptMs) api = undefined;
      if (api === undefined) {
        madeAt = now();
        api = makeApi().catch((error: unknown) => {
          api = undefined;
          throw error;
        });
      }
      return api;
    },
    async nudged() {
      // The clock finds the stream within a minute.
      await queue.ticks([...owing]).catch((error: unknown) => log.fault('telling who dispatches', error));
    },
  };
}

/** The ports of a function that starts nothing and reads nothing there, and so needs no permission for it. It records labels. */
export const idlePorts = (label: Labels['label']) => ({
  jobs: { start: notHere, describe: notHere, stop: notHere },
  registry: { register: notHere, setApproval: notHere, get: notHere },
  serving: () => ({ change: notHere, observe: notHere }),
  telemetry: () => ({ ticks: notHere, latency: notHere, captured: notHere }),
  labels: { label, labels: notHere, labelTotals: async () => undefined },
  notify: { deliver: notHere },
});

export async function notHere(): Promise<never> {
  throw new Fault(
    'defect',
    'only the queue starts jobs and reads their state, not the API; this is a defect of Serin, report it',
  );
}
