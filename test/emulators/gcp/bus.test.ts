import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { type Message as Delivered, PubSub } from '@google-cloud/pubsub';
import type { CloudEvent } from '@serin/core/ports/bus';
import { storageBucket } from '@serin/gcp/ports/bucket';
import { pubsubBus } from '@serin/gcp/ports/bus';
import { pubsubQueue } from '@serin/gcp/queue';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { busContract, eventOf } from '../../contract/bus.contract.ts';
import { emulatedGcp } from '../emulated.ts';
import { startPubsub } from '../installed.ts';
import { combined, Refusal, type Served, serveGoogle } from './discovery.ts';
import { type PubsubFront, pubsubFront } from './fake-pubsub.ts';
import { type FakeStorage, fakeStorage } from './fake-storage.ts';

emulatedGcp('the bus and the queue on Pub/Sub', () => {
  let pubsub: Awaited<ReturnType<typeof startPubsub>>;
  let front: PubsubFront;
  let storage: FakeStorage;
  let served: Served;
  let client: PubSub;
  beforeAll(async () => {
    pubsub = await startPubsub();
    front = pubsubFront(pubsub.host);
    storage = fakeStorage();
    storage.create('own');
    served = await serveGoogle('gcp-bus', combined(front.handlers, storage.handlers));
    client = new PubSub({ projectId: 'p', apiEndpoint: pubsub.host, emulatorMode: true });
  });
  afterAll(async () => {
    await client?.close();
    await front?.stop();
    await served?.stop();
    await pubsub?.stop();
  });

  /** A topic of its own, and what an operator's subscriber gets of it: in order, if its subscription wants that. */
  async function open() {
    const topic = `projects/p/topics/t-${randomUUID()}`;
    await client.createTopic(topic);
    const [subscription] = await client.createSubscription(topic, `s-${randomUUID()}`, { enableMessageOrdering: true });
    const delivered: Delivered[] = [];
    const arrivals = new EventEmitter();
    subscription.on('message', (message: Delivered) => {
      message.ack();
      delivered.push(message);
      arrivals.emit('one');
    });
    const first = front.requests.length;
    const sent = () => front.requests.slice(first);
    async function all(): Promise<readonly Delivered[]> {
      while (delivered.length < sent().flat().length) await once(arrivals, 'one');
      return delivered;
    }
    const { google } = served;
    const bucket = storageBucket({ google, bucket: 'own' });
    return {
      bucket,
      sent,
      all,
      topic,
      queue: pubsubQueue({ google, topic }),
      port: pubsubBus({ google, topic, bucket, bucketName: 'own' }),
      async received() {
        const found = new Map<string, CloudEvent>();
        for (const { data } of await all()) {
          const event: CloudEvent = JSON.parse(data.toString());
          if (!found.has(event.id)) found.set(event.id, event);
        }
        return [...found.values()];
      },
      close: () => subscription.close(),
    };
  }

  busContract('Pub/Sub (pstest)', open);

  const ofStream = (stream: string, seq: number) => eventOf(seq, { id: `${stream}/${seq}/0` });

  describe('a message of the bus', () => {
    test('is an event in structured mode, with its attributes beside it to filter by', async () => {
      const { port, all, close } = await open();

      await port.publish([eventOf(1)]);

      const [message] = await all();
      const { data: _, datacontenttype: __, ...attributes } = eventOf(1);
      expect(message?.attributes).toEqual({
        'content-type': 'application/cloudevents+json; charset=utf-8',
        ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value])),
      });
      expect(message?.orderingKey).toBe('model/fraud');
      await close();
    });

    test('is left out by a subscription whose filter is for other types', async () => {
      const { port, topic, close } = await open();
      const filter = 'hasPrefix(attributes.ce-type, "dev.serin.rollout.")';
      const [subscription] = await client.createSubscription(topic, `f-${randomUUID()}`, { filter });
      const received = once(subscription, 'message');

      await port.publish([eventOf(1), eventOf(2, { type: 'dev.serin.rollout.started.v1' })]);

      const [message] = (await received) as [Delivered];
      expect(JSON.parse(message.data.toString()).id).toBe(eventOf(2).id);
      message.ack();
      await Promise.all([close(), subscription.close()]);
    });

    test('that would be too large has the address of an object with the whole event', async () => {
      const { port, all, bucket, close } = await open();
      const large = eventOf(1, { data: { text: 'ü'.repeat(100_000) } });

      await port.publish([large]);

      const [message] = await all();
      const { dataref, data } = JSON.parse(message?.data.toString() ?? '{}');
      const [, key = ''] = /^gs:\/\/own\/(.+)$/.exec(dataref) ?? [];
      const stored = await bucket.read({ key, maxBytes: 1e6 });
      expect(data).toBeUndefined();
      expect(JSON.parse(Buffer.from(stored?.content ?? []).toString())).toEqual(large);
      await close();
    });
  });

  describe('publishing', () => {
    test('takes a request for each stream, and keeps the order of each', async () => {
      const { port, sent, received, close } = await open();
      const events = [1, 2, 3].flatMap((seq) => ['project', 'model/a', 'model/b'].map((of) => ofStream(of, seq)));

      await port.publish(events);

      expect(sent().map((messages) => messages.map(({ orderingKey }) => orderingKey))).toEqual(
        ['project', 'model/a', 'model/b'].map((stream) => [stream, stream, stream]),
      );
      const ids = (await received()).map(({ id }) => id);
      for (const stream of ['project', 'model/a', 'model/b'])
        expect(ids.filter((id) => id.startsWith(stream))).toEqual([1, 2, 3].map((seq) => `${stream}/${seq}/0`));
      await close();
    });

    test('takes no more than 1,000 messages and two megabytes in a request', async () => {
      const { port, sent, close } = await open();
      const small = Array.from({ length: 1001 }, (_, seq) => ofStream('model/a', seq));
      const large = Array.from({ length: 12 }, (_, seq) =>
        eventOf(seq, { id: `model/b/${seq}/0`, data: 'x'.repeat(190_000) }),
      );

      await port.publish([...small, ...large]);

      expect(sent().map(({ length }) => length)).toEqual([1000, 1, 10, 2]);
      await close();
    });

    test('again after an answer was lost sends the same once more, which receivers drop', async () => {
      const { port, sent, received, close } = await open();
      front.mood('lost');

      await port.publish([eventOf(1), eventOf(2)]);

      expect(sent()).toHaveLength(2);
      expect((await received()).map(({ id }) => id)).toEqual([eventOf(1).id, eventOf(2).id]);
      await close();
    });

    test('ends with the first request that fails, so that nothing of a stream overtakes it', async () => {
      const { port, sent, close } = await open();
      const events = Array.from({ length: 1500 }, (_, seq) => ofStream('model/a', seq));
      front.mood(new Refusal('PERMISSION_DENIED', 'User not authorized to perform this action.'));

      const publishing = port.publish(events);

      await expect(publishing).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('serin plan'),
      });
      expect(sent()).toEqual([]);
      await close();
    });

    test('to a topic that somebody deleted says so', async () => {
      const { google } = served;
      const queue = pubsubQueue({ google, topic: 'projects/p/topics/deleted' });

      await expect(queue.tick('project')).rejects.toMatchObject({
        code: 'notFound',
        message: expect.stringContaining('projects/p/topics/deleted failed; look whether somebody deleted it'),
      });
    });
  });

  describe('the queue', () => {
    test('holds each tick, however many are sent at once, and a message as it was', async () => {
      const { queue, sent, all, close } = await open();
      const streams = Array.from({ length: 1001 }, (_, index) => `model/m${index}`);

      await queue.ticks(streams);
      await queue.tick('project');
      await queue.send('not JSON: ü');

      const bodies = (await all()).map(({ data }) => data.toString());
      const ticks = [...streams, 'project'].map((stream) => JSON.stringify({ serin: { tick: stream } }));
      expect(bodies.sort()).toEqual([...ticks, 'not JSON: ü'].sort());
      expect(sent().map(({ length }) => length)).toEqual([1000, 1, 1, 1]);
      expect(
        sent()
          .flat()
          .some(({ orderingKey }) => orderingKey !== undefined),
      ).toBe(false);
      await close();
    });

    test('leaves a tick with a delay to the clock, and sends nothing for no tick', async () => {
      const { queue, sent, close } = await open();

      await queue.tick('project', 5);
      await queue.ticks([]);

      expect(sent()).toEqual([]);
      await close();
    });
  });
}, ['pubsub']);
