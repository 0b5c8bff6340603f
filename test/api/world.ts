import { createApi } from '@serin/api/app';
import type { ApiOptions, EventLog } from '@serin/api/options';
import { releasedConfig } from '@serin/api/released';
import type { Role } from '@serin/api/roles';
import { encodeText, sha256Hex } from '@serin/core/base/json';
import { type CompiledConfig, type Config, compile, parseConfig } from '@serin/core/config/config';
import { createEngine } from '@serin/core/engine/engine';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Bus, CloudEvent } from '@serin/core/ports/bus';
import type { Job, Jobs } from '@serin/core/ports/jobs';
import type { Journal } from '@serin/core/ports/journal';
import type { Ports } from '@serin/core/ports/ports';
import type { Registry } from '@serin/core/ports/registry';
import type { Serving } from '@serin/core/ports/serving';
import type { Labels, Telemetry } from '@serin/core/ports/telemetry';
import { problemsOf } from '@serin/local/machine/limits';
import { absentBucket, memoryBucket } from '../simulation/fakes/bucket.ts';
import { memoryBus } from '../simulation/fakes/bus.ts';
import { memoryJobs } from '../simulation/fakes/jobs.ts';
import { memoryJournal } from '../simulation/fakes/journal.ts';
import { memoryProfiler } from '../simulation/fakes/profiler.ts';
import { memoryRegistry } from '../simulation/fakes/registry.ts';
import { memoryServing } from '../simulation/fakes/serving.ts';
import { atOnce } from '../simulation/fakes/sync.ts';
import { memoryTelemetry, type TelemetryOptions } from '../simulation/fakes/telemetry.ts';

export const start = Date.UTC(2026, 0, 1);
export const githubSecrets = ['first-secret', 'second-secret'];
export const standardSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
export const adminToken = 'srn_bootstrap';

const code = encodeText('console.log(1)');
const manifest = encodeText(
  JSON.stringify({ files: [{ path: 'train.mjs', blob: sha256Hex(code), bytes: code.length, executable: false }] }),
);
export const codeDigest = sha256Hex(manifest);
export const codeObjects = [
  { key: `code/blobs/${sha256Hex(code)}`, bytes: code },
  { key: `code/${codeDigest}.json`, bytes: manifest },
];

export const modelRules = {
  data: { bucket: 'drops', prefix: 'fraud/', settle: { quiet: '10s', atMost: '1m' } },
  on: {
    ci: {
      github: { repository: 'acme/fraud', ref: 'refs/heads/main' },
      webhook: { repository: 'acme/fraud', ref: 'main' },
    },
  },
  split: { holdout: { by: 'time', column: 'day', last: '20%' } },
  train: { code: './src', command: ['node', 'train.mjs'], environment: { API_KEY: 'canary-secret-value' } },
  evaluate: { command: ['node', 'evaluate.mjs'] },
  gate: { auc: { direction: 'up', atLeast: 0.5, noWorseBy: 0.01 } },
  serve: { command: ['node', 'serve.mjs'] },
  rollout: { steps: [10, 50], bake: '2m', guard: '2m' },
} as const satisfies Config['models'][string];

/** A compiled config of the models `fraud` and `churn`, with some rules of `fraud` replaced. */
export function compiled(changes: Partial<Config['models'][string]> = {}): CompiledConfig {
  const churn = { ...modelRules, data: { ...modelRules.data, prefix: 'churn/' }, on: {} };
  const read = parseConfig({ project: 'shop', models: { fraud: { ...modelRules, ...changes }, churn } });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const digests = new Map([
    ['./src', codeDigest],
    ['builtin:splitter', codeDigest],
  ]);
  return compile(read.parsed, digests, 'local');
}

type World = Awaited<ReturnType<typeof openWorld>>;

/** The API over the real core and ports in memory, whose clock stands until it is moved. */
export async function openWorld(
  more: Partial<ApiOptions> & {
    readonly auc?: (job: Job) => number;
    /** What else each job measures. */
    readonly measured?: Readonly<Record<string, number>>;
    readonly fails?: (job: Job) => boolean;
    readonly traffic?: Partial<TelemetryOptions>;
  } = {},
) {
  let now = start;
  let count = 0;
  const clock = () => now;
  const telemetry = memoryTelemetry({
    now: clock,
    perMinute: 6000,
    failing: (deployment) => failing.get(deployment) ?? 0,
    slower: () => 1,
    wrong: () => 0,
    higher: () => 0,
    routed: (weights) => weights,
    outcomesTakeMs: 5000,
    labelled: { share: 1, takeMs: 0 },
    told: (tick) => [tick],
    ...more.traffic,
  });
  const failing = new Map<string, number>();
  const journal = memoryJournal();
  const buckets = new Map(['serin', 'drops'].map((name) => [name, atOnce<Bucket>(memoryBucket())]));
  const { auc = () => 0.8, measured, fails = () => false, traffic: _, ...options } = more;
  const bus = memoryBus();
  const serving = atOnce<Serving>(
    memoryServing({
      now: clock,
      fateOf: () => ({ readyMs: 0, becomes: 'ready' }),
      operationMs: () => 0,
      onRoute: telemetry.routed,
    }),
  );
  const counts = atOnce<Telemetry & Labels>(telemetry);
  const own: Ports = {
    journal: atOnce<Journal>(journal),
    bucket: (name) => buckets.get(name) ?? atOnce<Bucket>(absentBucket(name)),
    jobs: atOnce<Jobs>(
      memoryJobs({
        now: clock,
        fateOf: (job) =>
          fails(job)
            ? { waitMs: 0, runMs: 0, status: 'failed', reason: 'exited with code 1' }
            : { waitMs: 0, runMs: 0, status: 'succeeded', metrics: { auc: auc(job), ...measured } },
      }),
    ),
    registry: atOnce<Registry>(memoryRegistry()),
    serving: () => serving,
    telemetry: () => counts,
    labels: counts,
    bus: atOnce<Bus>(bus),
    notify: { deliver: async () => {} },
  };
  const ports = options.ports ?? own;
  const engine = createEngine({
    ports,
    profiler: async () => memoryProfiler(),
    now: options.now ?? clock,
    self: 'test',
    alone: true,
    source: 'serin://test',
  });
  const nudged = new Set<string>();
  const app = createApi({
    engine,
    ports,
    now: clock,
    newId: (prefix) => `${prefix}_${String(++count).padStart(8, '0')}`,
    config: releasedConfig(ports),
    secrets: { github: githubSecrets, standard: [standardSecret] },
    version: '0.1.0',
    environment: 'test',
    source: 'serin://test',
    bootstrap: { tokenHash: sha256Hex(adminToken) },
    nudge: (stream) => nudged.add(stream),
    platform: 'local',
    problemsOf,
    ...options,
  });

  const world = {
    app,
    ports,
    journal,
    engine,
    failing,
    nudged,
    events: (): readonly CloudEvent[] => bus.received(),
    now: clock,
    /** A request as JSON, by the administrator unless another token is given. */
    async call(
      method: string,
      path: string,
      body?: unknown,
      more: { token?: string; headers?: Record<string, string> } = {},
    ) {
      const response = await app.request(path, {
        method,
        headers: {
          authorization: `Bearer ${more.token ?? adminToken}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...more.headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text.startsWith('{') ? JSON.parse(text) : text,
      };
    },
    /** A token's text. */
    async token(role: Role, models?: readonly string[]): Promise<string> {
      const name = `${role}-${++count}`;
      const { body } = await world.call('POST', '/v1/tokens', {
        name,
        role,
        ...(models === undefined ? {} : { models }),
      });
      return body.token;
    },
    async put(key: string, bytes: Uint8Array | string, token = adminToken, bucket = 'drops') {
      return app.request(`/v1/buckets/${bucket}/objects/${encodeURIComponent(key)}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}` },
        body: bytes as Uint8Array<ArrayBuffer> | string,
      });
    },
    /** Pays what is owed and due now, until nothing is. */
    async pay(): Promise<void> {
      for (let round = 0; round < 50; round += 1) {
        const due = new Set([...nudged, ...(await ports.journal.due(now)).items.map(({ stream }) => stream)]);
        nudged.clear();
        if (due.size === 0) return;
        for (const stream of due) await engine.dispatch(stream);
      }
    },
    /** Lets time pass, from one thing that is due to the next. */
    async pass(ms: number): Promise<void> {
      for (const end = now + ms; now < end; ) {
        now = Math.min(end, Math.max(now + 1000, journal.earliestDue() ?? end));
        await world.pay();
      }
    },
    async release(config: CompiledConfig = compiled()): Promise<void> {
      for (const { key, bytes } of codeObjects) await world.put(key, bytes, adminToken, 'serin');
      const { status } = await world.call('POST', '/v1/releases', { config });
      if (status >= 300) throw new Error(`the release was answered with ${status}`);
      await world.pay();
    },
    /** Drops a file for `fraud` and waits until what it started has come to rest. */
    async drop(key = 'fraud/a.csv', content = 'day,amount\n2026-01-01,1\n', waitMs = 15 * 60_000): Promise<void> {
      await world.put(key, content);
      await world.pass(waitMs);
    },
    model: async (name = 'fraud') => (await world.call('GET', `/v1/models/${name}`)).body,
  };
  return world;
}

export type { World };

/** An event log over a list, for the stream of one machine. */
export function memoryLog(): EventLog & { add(event: CloudEvent): void } {
  const events: CloudEvent[] = [];
  const listeners = new Set<() => void>();
  return {
    add(event) {
      events.push(event);
      for (const listener of listeners) listener();
    },
    read: (after, limit) => events.map((event, index) => ({ position: index + 1, event })).slice(after, after + limit),
    last: () => events.length,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
