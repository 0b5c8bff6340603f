import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HttpFunction, http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { vi } from 'vitest';
import { bundleFunctions } from '../../../scripts/bundle.ts';
import { type Mishaps, openMishaps } from '../mishaps.ts';
import type { Handlers } from './discovery.ts';
import { fakeBigQuery, type LoggedRow } from './fake-bigquery.ts';
import { fakeEndpoints } from './fake-endpoints.ts';
import { fakeJobs } from './fake-jobs.ts';
import { fakeMetrics } from './fake-metrics.ts';
import { fakeSecrets } from './fake-secrets.ts';
import {
  administrator,
  deployed,
  googleProject,
  messageOf,
  names,
  openInstallation,
  type Published,
  pushOf,
} from './functions-world.ts';
import { rolesIn } from './roles.ts';

const minute = 60_000;
const start = Date.UTC(2026, 10, 20, 12);

/** As the subscription of an installation has it. */
const mostAttempts = 5;

export interface WorldOptions {
  readonly mishaps?: Mishaps;
  /** What Vertex AI has logged, as it comes. */
  readonly logged?: readonly LoggedRow[];
}

interface Waiting {
  readonly id: string;
  /** The function to which it is pushed. */
  readonly to: string;
  readonly message: Published;
  readonly attempt: number;
}

/**
 * An installation on Google Cloud in which only the clock is ours: the bundles that are deployed, under Google's own
 * functions framework, and fakes that are held to Google's documents.
 */
export async function openWorld({ mishaps = openMishaps(), logged = [] }: WorldOptions = {}) {
  vi.useFakeTimers({ toFake: ['Date'], now: start });
  const folder = await mkdtemp(join(tmpdir(), 'serin-loop-'));
  const { now } = Date;
  const jobs = fakeJobs({ now, pageSize: 100 });
  const endpoints = fakeEndpoints(now);
  const metrics = fakeMetrics({ now, lagMs: () => 3 * minute });
  const secrets = fakeSecrets();
  const roles = rolesIn(deployed);
  const bigquery = fakeBigQuery(logged, { isAway: mishaps.areCapturesAway });
  const parts = [
    ...[withoutStorage(jobs.handlers), endpoints.handlers, metrics.handlers, secrets.handlers],
    bigquery.handlers,
  ];
  const [google, bundles] = await Promise.all([
    openInstallation({
      suite: 'gcp-loop',
      handlers: parts,
      watched: (all) => answeredLate(roles.watched(all), mishaps),
    }),
    bundleFunctions('gcp', folder),
  ]);
  for (const [name, value] of Object.entries(google.variables('signals'))) vi.stubEnv(name, value);

  const servers: Server[] = [];
  const urls = new Map<string, string>();
  for (const { name, file } of bundles) {
    const { [name]: entry } = asFunctions(await import(file));
    if (entry === undefined) throw new Error(`${file} exports no ${name}`);
    http(name, entry);
    const server = getTestServer(name).listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    urls.set(name, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  // The functions write their facts to standard output, as Cloud Run wants it.
  const facts: string[] = [];
  const written = vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
    facts.push(String(line));
    return true;
  });

  async function request(name: string, path: string, more: RequestInit): Promise<Response> {
    // A function reads its own name when it is called for the first time.
    vi.stubEnv('K_SERVICE', google.variables(name).K_SERVICE);
    return roles.as(name, () => fetch(`${urls.get(name)}${path}`, more));
  }

  /** A call of Pub/Sub or Cloud Scheduler. */
  async function post(name: string, body: string): Promise<number> {
    const headers = { authorization: await google.bearer(name), 'content-type': 'application/json' };
    const answer = await request(name, '/', { method: 'POST', headers, body });
    return answer.status;
  }
  const isTaken = (status: number): boolean => status >= 200 && status < 300;

  let waiting: Waiting[] = [];
  const topic = google.published.get(names.topic) ?? [];

  /** As Pub/Sub does: each message is pushed once, and again with the next pump until it is taken or given up. */
  async function pump(): Promise<void> {
    const late: Waiting[] = [];
    while (waiting.length > 0 || topic.length > 0) {
      waiting.push(...topic.splice(0).map((message) => ({ id: randomUUID(), to: 'signals', message, attempt: 1 })));
      for (const each of waiting.splice(0)) {
        const { id, to, message, attempt } = each;
        const status = await mishaps.orDead(post(to, pushOf(message, attempt, id)));
        if (status !== 'dead' && isTaken(status)) continue;
        const isGivenUp = to === 'signals' && attempt >= mostAttempts;
        late.push(
          isGivenUp ? { ...each, to: 'deadLetters', message: noted(message) } : { ...each, attempt: attempt + 1 },
        );
      }
    }
    waiting = late;
  }

  return {
    ...{ google, roles, jobs, endpoints, metrics, bigquery, secrets, facts, post, pump, isTaken },
    now: () => Date.now(),
    publish: (message: Published) => void topic.push(message),
    async call(method: string, path: string, body?: unknown) {
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      const headers = { ...administrator, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
      const answer = await request('api', path, { method, headers, ...json });
      return { status: answer.status, body: JSON.parse((await answer.text()) || 'null') };
    },
    /** Time passes: the clock comes, and then whatever was published. */
    async pass(ms: number): Promise<void> {
      vi.setSystemTime(Date.now() + ms);
      await post('clock', '');
      await pump();
    },
    async close(): Promise<void> {
      written.mockRestore();
      vi.unstubAllEnvs();
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
      vi.useRealTimers();
      await Promise.all([google.stop(), rm(folder, { recursive: true, force: true })]);
    },
  };
}

export type LoopWorld = Awaited<ReturnType<typeof openWorld>>;

/** Each bundle exports one of them, as the framework takes it. */
const asFunctions = (bundle: Partial<typeof import('@serin/gcp/functions')>): Readonly<Record<string, HttpFunction>> =>
  bundle;

/** A message in the topic of dead letters. https://docs.cloud.google.com/pubsub/docs/dead-letter-topics */
const noted = (message: Published): Published => ({
  ...message,
  attributes: { ...message.attributes, CloudPubSubDeadLetterSourceDeliveryCount: String(mostAttempts) },
});

/** An object that is written may be the last that its function did. */
const answeredLate = (handlers: Handlers, mishaps: Mishaps): Handlers => ({
  ...handlers,
  async 'storage.objects.insert'(request) {
    const answer = await handlers['storage.objects.insert']?.(request);
    const key = request.body?.name ?? request.query.get('name') ?? '';
    if (request.params.bucket === names.own) await mishaps.wrote(key, request.bytes.toString());
    return answer;
  },
});

/** The fake of jobs brings a store for its intents; here they lie where everything lies. */
const withoutStorage = (handlers: Handlers): Handlers =>
  Object.fromEntries(Object.entries(handlers).filter(([id]) => !id.startsWith('storage.')));

/** As Cloud Storage publishes a new object. https://docs.cloud.google.com/storage/docs/pubsub-notifications */
export const notificationOf = (bucketId: string, objectId: string): Published => ({
  ...messageOf(JSON.stringify({ kind: 'storage#object', bucket: bucketId, name: objectId })),
  attributes: { eventType: 'OBJECT_FINALIZE', payloadFormat: 'JSON_API_V1', bucketId, objectId, objectGeneration: '1' },
});

/** As a sink publishes a line of the log of a job. */
export const jobLineOf = (id: string): Published => ({
  ...messageOf(
    JSON.stringify({
      ...{ insertId: 'l1', logName: `projects/${googleProject}/logs/ml.googleapis.com%2F${id}` },
      resource: { type: 'ml_job', labels: { job_id: id, project_id: googleProject, task_name: 'service' } },
      jsonPayload: { message: 'Job completed successfully.' },
    }),
  ),
  attributes: { 'logging.googleapis.com/timestamp': new Date().toISOString() },
});
