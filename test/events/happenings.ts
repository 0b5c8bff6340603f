import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Fault } from '@serin/core/base/fault';
import type { Json } from '@serin/core/base/json';
import type { Signal } from '@serin/core/engine/outcome';
import type { Fact, Owners, Unreadable } from '@serin/core/inbound/fact';
import { routesOf } from '@serin/core/inbound/route';
import { engineActor } from '@serin/core/ports/actors';
import { watchBuckets } from '@serin/local/signals';
import { type Arrival, type Batch, type Read, readBatch } from '@serin/platform/arrivals';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compiled, openWorld } from '../api/world.ts';

/** What the suites of all clouds stand on: payloads in a folder, and a world in which they happen. */

export const installation = { project: 'shop', environment: 'prod' };
export const config = compiled({ labels: { bucket: 'drops', prefix: 'fraud-labels/' } });
export const routes = routesOf(config);

export function payloadsOf(cloud: string) {
  const folder = join(import.meta.dirname, cloud);
  const fixture = (name: string): string => readFileSync(join(folder, `${name}.json`), 'utf8');
  return {
    names: readdirSync(folder).map((file) => file.replace(/\.json$/, '')),
    fixture,
    changed(name: string, change: (message: ReturnType<typeof JSON.parse>) => void): string {
      const message = JSON.parse(fixture(name));
      change(message);
      return JSON.stringify(message);
    },
  };
}

/** What a batch of bodies comes to; the first is message `m0`. */
export const readerOf =
  (read: Read, owners: Owners) =>
  (bodies: readonly string[], ask: Owners = owners): Promise<Batch> =>
    readBatch(
      bodies.map((body, index) => ({ id: `m${index}`, body })),
      { read, routes, owners: ask },
    );

export const said = ({ arrivals }: Batch) => arrivals.map(({ stream, signal }) => ({ stream, ...signal }));

export type World = Awaited<ReturnType<typeof openWorld>>;

/** What the model took, and where it stands, when this happens in a world that was prepared so. */
export async function after(prepare: (world: World) => Promise<void>, happen: (world: World) => Promise<unknown>) {
  const world = await openWorld();
  await prepare(world);
  const seq = (await world.ports.journal.head('model/fraud'))?.seq ?? 0;
  await happen(world);
  const entries = await world.ports.journal.history('model/fraud', undefined, 1000);
  return entries
    .filter((entry) => entry.seq > seq)
    .map(({ signal, patch }) => ({ signal: unstamped(signal), patch: withoutStamps(patch) }));
}

export const stamped = ({ signal, id = 'hint' }: Arrival, at: number): Signal => ({
  ...signal,
  id,
  at,
  actor: engineActor,
});

function unstamped(signal: Json) {
  const { id: _, at: __, actor: ___, ...body } = signal as Record<string, Json>;
  return body;
}

/** Ids and names of who said it are the platform's; everything else that changes must be equal. */
const withoutStamps = (patch: Json): Json => {
  const { seen: _, droppers: __, ...rest } = patch as Record<string, Json>;
  return JSON.parse(JSON.stringify(rest).replaceAll(/"by":"[^"]*"/g, '"by":"somebody"')) as Json;
};

export const released = (world: World) => world.release(config);

/** The second version has half of the traffic, and is watched. */
export const releasing = async (world: World) => {
  await world.release(config);
  await world.drop();
  await world.drop('fraud/b.csv', 'day,amount\n2026-01-02,2\n', 60_000);
};

/** An alarm, and its end, as the API is told of them. */
function alarmByApi({ sender, startedAt, fingerprint }: Readonly<Record<string, string>>) {
  const say = (type: string, more: object) => async (world: World) =>
    world.call(
      'POST',
      '/v1/events',
      {
        ...{ specversion: '1.0', source: sender, time: startedAt, id: type, type },
        data: { model: 'fraud', fingerprint, ...more },
      },
      { headers: { 'content-type': 'application/cloudevents+json' } },
    );
  return {
    raise: (title: string) => say('dev.serin.alert.raised.v1', { title }),
    resolve: (endedAt: string) => say('dev.serin.alert.resolved.v1', { endedAt }),
  };
}

/** How a cloud tells of what happens. */
interface Told {
  readonly cloud: string;
  readonly read: (bodies: readonly string[], ask?: Owners) => Promise<Batch>;
  readonly fixture: (name: string) => string;
}

interface ToldObjects extends Told {
  readonly owners: Owners;
  /** Fixtures that tell of the new object `aKey`, each way in which the cloud may. */
  readonly objects: readonly string[];
  /** A body that tells of a new object with this key. */
  readonly objectOf: (key: string) => string;
  /** A fixture that tells of a job, and one that tells of an endpoint. */
  readonly hints: { readonly job: string; readonly endpoint: string };
}

interface ToldAlarm extends Told {
  readonly says: Readonly<Record<'sender' | 'startedAt' | 'fingerprint' | 'title', string>>;
  /** Fixtures that tell of the alarm, each way in which the cloud may. */
  readonly ways: readonly string[];
  /** A fixture that tells of its end, which was then. */
  readonly end: string;
  readonly endedAt: string;
}

/** A key with signs that senders encode, or that look as if they were. */
export const aKey = 'fraud/2026/11/20/part 0001+ä%2F.csv';

/** Keys that somebody could be tempted to tidy up. */
export const oddKeys = [
  'fraud/../x',
  'fraud//y',
  'fraud/%41',
  'fraud/ ',
  'fraud/e\u0301',
  'fraud/+',
  'fraud/\u{1f600}',
];

/** All that a cloud tells by these fixtures, as it comes. */
const told =
  ({ read, fixture }: Told, ...names: readonly string[]) =>
  async ({ engine, now }: World) => {
    for (const name of names)
      for (const arrival of (await read([fixture(name)])).arrivals)
        await engine.receive(arrival.stream, stamped(arrival, now()));
  };

/** What happens to objects means the same on a cloud as on one machine. */
export function testObjects(cloud: ToldObjects): void {
  const { read, owners, fixture, objects, objectOf, hints } = cloud;

  describe(`a happening on ${cloud.cloud} gives the signals that it gives on one machine`, () => {
    test.each(objects)('an object in a bucket (%s)', async (name) => {
      const here = await after(released, (world) => world.put(aKey, 'day,amount\n2026-01-01,1\n'));

      expect(here).toMatchObject([{ signal: { type: 'dataHinted', keys: [aKey] }, patch: { intake: {} } }]);
      expect(await after(released, told(cloud, name))).toEqual(here);
    });

    test('many files in the folders of a bucket', async () => {
      const files = ['fraud/a.csv', aKey, 'fraud/b c.csv', 'fraud-labels/1.csv', 'fraud-labels/2.csv', 'nobodys/x.csv'];

      const here = await watched(files);
      const there = said(await read(files.map(objectOf)));

      expect(here).toHaveLength(2);
      expect(there).toEqual(here);
    });

    test('what cannot be looked up fails its own message, and no other', async () => {
      const denied: Owners = { ...owners, modelOfJob: () => Promise.reject(new Fault('unavailable', 'no answer')) };

      const { arrivals, failed } = await read([fixture(hints.job), fixture(hints.endpoint)], denied);

      expect(failed).toMatchObject([{ id: 'm0', fault: { retry: 'later' } }]);
      expect(arrivals).toMatchObject([{ signal: { type: 'endpointHinted' }, messages: ['m1'] }]);
    });
  });
}

/** An alarm means the same on a cloud as on one machine. */
export function testAlarms(cloud: ToldAlarm): void {
  const { read, fixture, says, ways, end, endedAt } = cloud;

  describe(`an alarm on ${cloud.cloud}, and its end`, () => {
    test.each(ways)('gives the signals that it gives on one machine (%s)', async (name) => {
      const { raise, resolve } = alarmByApi(says);

      const here = await after(releasing, async (world) => [
        await raise(says.title)(world),
        await resolve(endedAt)(world),
      ]);

      expect(here.map(({ signal }) => signal.type)).toEqual(['alertResolved', 'alertRaised']);
      expect(JSON.stringify(here)).toContain('"status":"reverting"');
      expect(await after(releasing, told(cloud, name, end))).toEqual(here);
    });

    test('is known when it comes again', async () => {
      const world = await openWorld();
      await releasing(world);
      const names = [...ways, end];

      const outcomes: string[] = [];
      for (const name of [...names, ...names])
        for (const arrival of (await read([fixture(name)])).arrivals)
          outcomes.push((await world.engine.receive(arrival.stream, stamped(arrival, world.now()))).kind);

      const again = names.map(() => 'repeated');
      expect(outcomes).toEqual(['moved', ...again.slice(2), 'moved', ...again]);
    });
  });
}

/** What claims to be ours or of a cloud and cannot be read: the body, and what the refusal names. */
export function testRefused(
  rows: readonly (readonly [name: string, body: string, because: string])[],
  read: Read,
): void {
  test.each(rows)('%s is refused, and says what is wrong', (_, body, because) => {
    expect(() => read(body)).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining(because) }),
    );
  });
}

/** A batch of all these bodies is the same twice and in any order. */
export function testAnyOrder(bodies: readonly string[], read: (bodies: readonly string[]) => Promise<Batch>): void {
  test('is the same twice and in any order', async () => {
    const without = ({ messages: _, ...arrival }: Arrival) => arrival;
    const once = (await read(bodies)).arrivals.map(without);

    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([...bodies], { minLength: bodies.length }),
        fc.array(fc.constantFrom(...bodies), { maxLength: 20 }),
        async (mixed, again) => {
          const { arrivals } = await read([...again, ...mixed]);

          expect(arrivals.map(without)).toEqual(once);
        },
      ),
      { numRuns: 50 },
    );
    expect(once.length).toBeGreaterThan(3);
  });
}

/** Whatever comes, a reader answers facts or throws `invalid`. */
export function testUnbreakable(
  bodies: Readonly<Record<string, string>>,
  { read, inEnvelope }: { readonly read: Read; readonly inEnvelope: (body: string) => string },
): void {
  function attempted(body: string): readonly (Fact | Unreadable)[] {
    try {
      return read(body);
    } catch (error) {
      if (error instanceof Fault && error.code === 'invalid') return [];
      throw error;
    }
  }
  const expectKinds = (body: string): void => {
    for (const fact of attempted(body)) expect(fact.kind).toBeTypeOf('string');
  };
  const fieldsIn = (value: unknown): readonly (readonly [holder: Record<string, unknown>, key: string])[] =>
    typeof value !== 'object' || value === null
      ? []
      : Object.entries(value).flatMap(([key, part]) => [[Object(value), key] as const, ...fieldsIn(part)]);

  test.each(Object.keys(bodies))('never throws anything else when one field of %s cannot be made a text', (name) => {
    const unprintable = { toString: '' };
    const message = JSON.parse(bodies[name] ?? '');

    for (const [holder, key] of fieldsIn(message)) {
      const before = holder[key];
      holder[key] = unprintable;
      for (const body of [json(message), inEnvelope(json(message))]) expectKinds(body);
      holder[key] = before;
    }
  });

  test('never throws anything else, whatever comes', () => {
    const broken = fc.constantFrom(...Object.values(bodies)).chain((text) => {
      const value = JSON.parse(text);
      const fields = fieldsIn(value);
      return fc.tuple(fc.nat(fields.length - 1), fc.jsonValue()).map(([index, put]) => {
        const [holder = {}, key = ''] = fields[index] ?? [];
        holder[key] = put;
        return json(value);
      });
    });

    fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), broken, broken.map(inEnvelope)), expectKinds), {
      numRuns: 2000,
    });
  });
}

const json = (value: unknown): string => JSON.stringify(value);

/** What one machine hints when these files come into its bucket folders. */
async function watched(files: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'serin-events-'));
  for (const file of files) mkdirSync(dirname(join(directory, 'drops', file)), { recursive: true });
  const hints = new Map<string, readonly string[]>();
  const wanted = new Set(files.filter((file) => file.startsWith('fraud')));
  const { promise: complete, resolve, reject } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const watch = watchBuckets({
    directory,
    hint: ({ stream, signal }) => {
      const keys = 'keys' in signal ? signal.keys : [];
      // The first hints say that nobody has looked yet.
      if (keys.length === 0) return begin();
      const name = `${stream} ${signal.type}`;
      hints.set(name, [...new Set([...(hints.get(name) ?? []), ...keys])].sort());
      for (const key of keys) wanted.delete(key);
      if (wanted.size === 0) resolve();
    },
    onFault: reject,
  });
  try {
    watch.follow(routes);
    await begun;
    for (const file of files) writeFileSync(join(directory, 'drops', file), 'x');
    await complete;
  } finally {
    watch.close();
    rmSync(directory, { recursive: true, force: true });
  }
  return [...hints].map(([name, keys]) => {
    const [stream, type] = name.split(' ');
    return { stream, type, keys };
  });
}
