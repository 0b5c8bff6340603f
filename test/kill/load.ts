import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { canonical, sha256Hex } from '@serin/core/base/json';
import type { Random } from '../simulation/random.ts';
import type { Running } from './machine.ts';
import { alarmTypes } from './project.ts';

/** One request of the load. It keeps its id and its content however often it is sent. */
interface Ask {
  readonly method: 'PUT' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What a 2xx promises: that a signal of this id, or under this idempotency key, is recorded, or an object is there. */
  readonly promises: { readonly signal: string } | { readonly key: string } | { readonly object: string };
  readonly firstAt: number;
}

/** Clients that drop data, raise alerts, start and cancel runs, approve and predict, whatever becomes of the server. */
export interface Load {
  /** Where the server is now; `undefined` while it is down. */
  follow(server: Running | undefined): void;
  /** From now on there is a champion, and each prediction that the server takes is answered by a model. */
  promoted(): void;
  /** Writes an object and waits until that is acknowledged. */
  put(key: string): Promise<void>;
  /** Says that each alert is over. */
  resolve(): Promise<void>;
  /** No new requests; resolves when those under way have ended. */
  stop(): Promise<void>;
  /** Ids of signals that were answered 2xx. */
  readonly signals: ReadonlySet<string>;
  /** Idempotency keys of signals that were answered 2xx. */
  readonly keys: ReadonlySet<string>;
  /** Keys of objects that were answered 2xx, with their SHA-256. */
  readonly objects: ReadonlyMap<string, string>;
  /** Answers that no client should ever get. */
  readonly defects: readonly string[];
  readonly counts: Readonly<Record<'repeated' | 'resent' | 'refused' | 'predicted' | 'unpredicted', number>>;
}

const clients = 3;
/** A signal that is sent again later than that may have left the last 200 ids that a model remembers. */
const resendForMs = 15_000;
const mostData = 60;
/** As `Retry-After` says. */
const pauseMs = 1000;
const source = 'https://alarms.example';

export function loadOf(random: Random): Load {
  let server: Running | undefined;
  let stopped = false;
  let promoted = false;
  const again: { readonly ask: Ask; readonly notBefore: number }[] = [];
  const signals = new Set<string>();
  const keys = new Set<string>();
  const objects = new Map<string, string>();
  const defects: string[] = [];
  const counts = { repeated: 0, resent: 0, refused: 0, predicted: 0, unpredicted: 0 };

  async function send(to: Running, ask: Ask): Promise<void> {
    const answer = await request(to, ask).catch(() => undefined);
    if (answer === undefined || answer.later) {
      const notBefore = Date.now() + (answer === undefined ? 0 : pauseMs);
      if (notBefore - ask.firstAt < resendForMs) again.push({ ask, notBefore });
      return;
    }
    if (answer.status >= 500) defects.push(`${ask.method} ${ask.path}: ${answer.status} ${answer.text.slice(0, 300)}`);
    else if (answer.status >= 300) counts.refused += 1;
    else {
      acknowledge(ask, answer.text);
      // Delivered again, as webhooks are: at once, or after the next kill.
      if (random.chance(0.2)) again.push({ ask, notBefore: Date.now() + random.between(0, 2000) });
    }
  }

  function acknowledge({ promises, body }: Ask, text: string): void {
    if (text.includes('"repeated"')) counts.repeated += 1;
    if ('signal' in promises) signals.add(promises.signal);
    else if ('key' in promises) keys.add(promises.key);
    else objects.set(promises.object, sha256Hex(body));
  }

  async function predict({ url }: Running): Promise<void> {
    const answer = await fetch(`${url}/endpoints/judged/invocations`, { method: 'POST', body: '{}' })
      .then((response) => response.arrayBuffer().then(() => response.status))
      .catch(() => undefined);
    if (answer === undefined) return;
    counts[answer === 200 ? 'predicted' : 'unpredicted'] += 1;
    if (answer !== 200 && promoted) defects.push(`a prediction: ${answer}`);
  }

  async function step(to: Running): Promise<void> {
    const waits = again.findIndex(({ notBefore }) => notBefore <= Date.now());
    const [sent] = waits >= 0 && random.chance(0.5) ? again.splice(waits, 1) : [];
    if (sent !== undefined) {
      counts.resent += 1;
      return send(to, sent.ask);
    }
    if (random.chance(0.4)) return predict(to);
    const next = await compose(to, random, objects.size);
    if (next !== undefined) await send(to, next);
  }

  async function client(): Promise<void> {
    while (!stopped) {
      if (server !== undefined) await step(server).catch(() => undefined); // the server went away under a look at it
      await sleep(random.between(1, 40));
    }
  }

  const working = Array.from({ length: clients }, client);
  return {
    follow: (next) => {
      server = next;
    },
    promoted: () => {
      promoted = true;
    },
    async put(key) {
      const ask = putOf(key);
      while (!objects.has(key)) {
        if (server !== undefined) await send(server, ask);
        await sleep(10);
      }
    },
    async resolve() {
      for (const model of ['judged', 'approved'])
        for (const fingerprint of fingerprints)
          if (server !== undefined) await send(server, eventOf(alarmTypes.resolved, { model }, fingerprint));
    },
    async stop() {
      stopped = true;
      await Promise.all(working);
      for (const { ask } of again.splice(0)) if (server !== undefined) await send(server, ask);
    },
    signals,
    keys,
    objects,
    defects,
    counts,
  };
}

async function request({ url, token }: Running, { method, path, headers, body }: Ask) {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    body,
    signal: AbortSignal.timeout(15_000),
  });
  const later = response.status === 503 || (response.status === 409 && response.headers.has('retry-after'));
  return { status: response.status, later, text: await response.text() };
}

/** A request as some person or tool might send it now; `undefined` when there is nothing to cancel or approve. */
async function compose(to: Running, random: Random, objects: number): Promise<Ask | undefined> {
  const model = random.pick(['judged', 'approved']);
  const kind = random.next();
  if (kind < 0.25) return putOf(newKey(model, random, objects));
  if (kind < 0.3) return eventOf(alarmTypes.raised, { model }, fingerprintOf(random));
  if (kind < 0.5) return eventOf(alarmTypes.resolved, { model }, fingerprintOf(random));
  if (kind < 0.6)
    return eventOf('dev.serin.run.requested.v1', { model, force: random.chance(0.5) }, fingerprintOf(random));
  if (kind < 0.75) return postOf('/v1/runs', { model, force: random.chance(0.5) });
  if (kind < 0.77) {
    const run = (await look(to, model)).run;
    return run === undefined || run.endedAt !== undefined ? undefined : postOf(`/v1/runs/${run.id}/cancel`, {});
  }
  const { offered } = await look(to, 'approved');
  return offered === undefined ? undefined : postOf(`/v1/models/approved/versions/${offered}/approve`, {});
}

/** What a job brings is staged within one life of the server, so after a while data comes that no model takes. */
function newKey(model: string, random: Random, objects: number): string {
  if (objects >= mostData) return `elsewhere/${randomUUID()}.json`;
  return `${model}/${random.chance(0.2) ? 'holdout' : 'train'}/${randomUUID()}.json`;
}

interface Seen {
  readonly run?: { readonly id: string; readonly endedAt?: string };
  readonly offered?: number;
}

async function look({ url, token }: Running, model: string): Promise<Seen> {
  const response = await fetch(`${url}/v1/models/${model}`, { headers: { authorization: `Bearer ${token}` } });
  return (await response.json()) as Seen; // the API's own view of a model
}

const putOf = (key: string): Ask => ({
  method: 'PUT',
  path: `/v1/buckets/drops/objects/${key}`,
  headers: { 'content-type': 'application/octet-stream' },
  body: JSON.stringify({ key, salt: randomUUID() }),
  promises: { object: key },
  firstAt: Date.now(),
});

function postOf(path: string, body: unknown): Ask {
  const key = randomUUID();
  return {
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
    promises: { key },
    firstAt: Date.now(),
  };
}

const fingerprints = ['alarm-1', 'alarm-2', 'alarm-3', 'alarm-4', 'alarm-5'] as const;
const fingerprintOf = (random: Random): string => random.pick(fingerprints);

function eventOf(type: string, data: unknown, subject: string): Ask {
  const id = randomUUID();
  const time = new Date().toISOString();
  return {
    method: 'POST',
    path: '/v1/events',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({ specversion: '1.0', id, source, type, subject, time, data }),
    promises: { signal: `ce_${sha256Hex(canonical([source, id])).slice(0, 32)}` },
    firstAt: Date.now(),
  };
}
