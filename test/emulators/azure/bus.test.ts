import { randomUUID } from 'node:crypto';
import { ServiceBusClient, type ServiceBusReceivedMessage } from '@azure/service-bus';
import { type ServiceBus, serviceBus } from '@serin/azure/calls/service-bus';
import { blobBucket } from '@serin/azure/ports/bucket';
import { serviceBusTopic } from '@serin/azure/ports/bus';
import { serviceBusQueue } from '@serin/azure/queue';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { busContract, eventOf } from '../../contract/bus.contract.ts';
import { emulatedAzure } from '../emulated.ts';
import { startServiceBus } from './fake-service-bus.ts';
import { AmqpRefusal } from './service-bus-entities.ts';
import { accounts, type ServedStorage, startStorage } from './storage.ts';

const quick = { wholeMs: 5000, onceMs: 500, repetitions: 2, pauseMs: 1 };
const duplicatesMs = 600_000;

emulatedAzure('the bus and the queue on Service Bus', () => {
  let storage: ServedStorage;
  beforeAll(async () => {
    storage = await startStorage('azure-bus');
    await storage.createContainer(accounts.own, 'own');
  });
  afterAll(() => storage?.stop());

  const tokens = () => async () => 'of nobody';

  /** A namespace of its own, and what an operator's subscription gets of the topic, stream by stream. */
  async function open() {
    const fake = await startServiceBus('azure-bus', {
      bus: { duplicatesMs, subscriptions: { all: {}, streams: { sessions: true } } },
      signals: { duplicatesMs },
    });
    const bus = serviceBus({ variables: fake.variables, tokens, patience: quick });
    const client = new ServiceBusClient(fake.variables.SERIN_SERVICE_BUS);
    const bucket = blobBucket({ azure: storage.azure, account: accounts.own, container: 'own' });
    const all = (address: string) => fake.waiting(address).map(({ message }) => message);
    return {
      fake,
      bus,
      client,
      bucket,
      port: serviceBusTopic({ bus, topic: 'bus', bucket, uriOf: (key) => `https://own/${key}` }),
      queue: serviceBusQueue({ bus, queue: 'signals' }),
      /** How many messages each delivery had. */
      sent: () => fake.sent.map(({ messages }) => messages.length),
      bodiesIn: (address: string) => all(address).map(({ body }) => String(body.content)),
      async received() {
        const found = [];
        const ids = fake.waiting('bus/Subscriptions/streams').map(({ message }) => message.group_id ?? '');
        for (const session of new Set(ids)) {
          const receiver = await client.acceptSession('bus', 'streams', session);
          const many = ids.filter((id) => id === session).length;
          const messages: ServiceBusReceivedMessage[] = [];
          while (messages.length < many) messages.push(...(await receiver.receiveMessages(many)));
          // The client reads JSON by itself.
          found.push(...messages.map(({ body }) => body));
          await receiver.close();
        }
        return found;
      },
      async close() {
        await Promise.all([bus.close(), client.close()]);
        await fake.stop();
      },
    };
  }

  busContract('Service Bus (fake)', open);

  async function opened(work: (world: Awaited<ReturnType<typeof open>>) => Promise<void>): Promise<void> {
    const world = await open();
    try {
      await work(world);
    } finally {
      await world.close();
    }
  }
  const ofStream = (stream: string, seq: number) => eventOf(seq, { id: `${stream}/${seq}/0` });

  describe('a message of the bus', () => {
    test('is an event in structured mode, with its attributes beside it to filter by', () =>
      opened(async ({ port, client }) => {
        await port.publish([eventOf(1)]);

        const [message] = await client.createReceiver('bus', 'all').receiveMessages(1);
        const { data: _, datacontenttype: __, ...attributes } = eventOf(1);
        expect(message).toMatchObject({
          ...{ messageId: 'model/fraud/1/0', sessionId: 'model/fraud' },
          contentType: 'application/cloudevents+json; charset=utf-8',
          applicationProperties: Object.fromEntries(
            Object.entries(attributes).map(([name, value]) => [`cloudEvents_${name}`, value]),
          ),
        });
        expect(message?.body).toEqual(eventOf(1));
      }));

    test('whose id or stream is longer than Service Bus takes is told from others all the same', () =>
      opened(async ({ port, fake }) => {
        const long = (end: string) => eventOf(1, { id: `${'x'.repeat(128)}${end}` });

        await port.publish([long('a'), long('b'), long('a')]);

        const kept = fake.waiting('bus/Subscriptions/all').map(({ message }) => message);
        expect(kept).toHaveLength(2);
        for (const { message_id, group_id } of kept)
          expect([String(message_id).length, String(group_id).length]).toEqual([64, 64]);
      }));

    test('that would be too large has the address of a blob with the whole event', () =>
      opened(async ({ port, bucket, bodiesIn }) => {
        const large = eventOf(1, { data: { text: 'ü'.repeat(100_000) } });

        await port.publish([large]);

        const { dataref, data } = JSON.parse(bodiesIn('bus/Subscriptions/all')[0] ?? '{}');
        const [, key = ''] = /^https:\/\/own\/(.+)$/.exec(dataref) ?? [];
        const stored = await bucket.read({ key, maxBytes: 1e6 });
        expect(data).toBeUndefined();
        expect(JSON.parse(Buffer.from(stored?.content ?? []).toString())).toEqual(large);
      }));
  });

  describe('publishing', () => {
    test('takes a delivery for each stream, and keeps the order of each', () =>
      opened(async ({ port, sent, received }) => {
        const streams = ['project', 'model/a', 'model/b'];

        await port.publish([1, 2, 3].flatMap((seq) => streams.map((of) => ofStream(of, seq))));

        expect(sent()).toEqual([3, 3, 3]);
        const ids = (await received()).map(({ id }) => id);
        for (const stream of streams)
          expect(ids.filter((id) => id.startsWith(stream))).toEqual([1, 2, 3].map((seq) => `${stream}/${seq}/0`));
      }));

    test('takes as many deliveries as their bytes need', () =>
      opened(async ({ port, sent, bodiesIn }) => {
        const large = Array.from({ length: 3 }, (_, seq) => eventOf(seq, { data: 'x'.repeat(120_000) }));

        await port.publish(large);

        expect(sent()).toEqual([2, 1]);
        expect(bodiesIn('bus/Subscriptions/all')).toHaveLength(3);
      }));

    test.each([
      ['an answer was lost', 'lost'],
      ['its link was detached', 'detached'],
      ['there was no answer', 'silent'],
      ['Service Bus was busy', new AmqpRefusal('com.microsoft:server-busy', 'Please wait 10 seconds and try again.')],
    ] as const)('is tried again after %s, and each event is there once', (_, mood) =>
      opened(async ({ port, fake, sent, received }) => {
        fake.mood('bus', mood);

        await port.publish([eventOf(1), eventOf(2)]);

        expect(sent()).toEqual([2, 2]);
        expect((await received()).map(({ id }) => id)).toEqual([eventOf(1).id, eventOf(2).id]);
      }),
    );

    test('works again after its connection was broken while nothing was sent', () =>
      opened(async ({ port, fake, received }) => {
        await port.publish([eventOf(1)]);
        fake.cut();

        await port.publish([eventOf(2)]);

        expect((await received()).map(({ id }) => id)).toEqual([eventOf(1).id, eventOf(2).id]);
      }));
  });

  describe('a send that fails', () => {
    const refusal = (condition: string) => new AmqpRefusal(condition, 'Microsoft says why');
    const failing = (send: (bus: ServiceBus) => Promise<void>, ...moods: readonly (AmqpRefusal | 'silent')[]) =>
      opened(async ({ bus, fake }) => {
        fake.mood('signals', ...moods);
        await send(bus);
      });
    const send = (bus: ServiceBus, entity = 'signals', text = 'x') => bus.send(entity, [{ text }]);

    test.each([
      [
        'amqp:unauthorized-access',
        'invalid',
        /sending to signals of Service Bus failed; .*serin plan --cloud azure.*says why/,
      ],
      ['com.microsoft:entity-disabled', 'unavailable', /says why/],
      ['amqp:resource-limit-exceeded', 'unavailable', /says why/],
      ['amqp:internal-error', 'unavailable', /says why/],
    ] as const)('by %s is %s', (condition, code, message) => {
      const twice = [refusal(condition), refusal(condition), refusal(condition)];
      return failing(
        async (bus) => {
          await expect(send(bus)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
        },
        ...twice,
      );
    });

    test('because Service Bus is busy for longer waits', () => {
      const busy = refusal('com.microsoft:server-busy');
      return failing((bus) => expect(send(bus)).rejects.toMatchObject({ code: 'throttled' }), busy, busy, busy);
    });

    test('without any answer is tried again later', () =>
      failing(
        (bus) => expect(send(bus)).rejects.toMatchObject({ code: 'unavailable', retry: 'later' }),
        ...(['silent', 'silent', 'silent'] as const),
      ));

    test('because somebody deleted the queue says so', () =>
      failing(async (bus) => {
        await expect(send(bus, 'deleted')).rejects.toMatchObject({
          code: 'notFound',
          message: expect.stringContaining(
            'sending to deleted of Service Bus failed; look whether somebody deleted it',
          ),
        });
      }));

    test('because a message is too large says how much it may have, and what was before it is sent', () =>
      opened(async ({ bus, bodiesIn }) => {
        const sending = bus.send('signals', [{ text: 'a' }, { text: 'x'.repeat(300_000) }]);

        await expect(sending).rejects.toMatchObject({
          code: 'invalid',
          message: expect.stringContaining('262144 bytes'),
        });
        expect(bodiesIn('signals')).toEqual(['a']);
      }));

    test('because nobody answers is tried again later', async () => {
      const { fake, ...world } = await open();
      await Promise.all([world.bus.close(), world.client.close()]);
      await fake.stop();
      const bus = serviceBus({ variables: fake.variables, tokens, patience: { ...quick, wholeMs: 600 } });

      await expect(send(bus)).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
      await bus.close();
    });

    test('because no namespace is named says which variable is missing', async () => {
      const bus = serviceBus({ variables: {}, tokens });

      await expect(send(bus)).rejects.toThrow(/SERIN_SERVICE_BUS__fullyQualifiedNamespace/);
    });
  });

  describe('the queue', () => {
    const tick = (stream: string) => JSON.stringify({ serin: { tick: stream } });

    test('holds each tick, however many are sent at once, and a message as it was', () =>
      opened(async ({ queue, sent, bodiesIn }) => {
        const streams = Array.from({ length: 1001 }, () => `model/${randomUUID()}`);

        await queue.ticks(streams);
        await queue.tick('project');
        await queue.tick('project');
        await queue.send('not JSON: ü');

        expect(bodiesIn('signals')).toEqual([...[...streams, 'project', 'project'].map(tick), 'not JSON: ü']);
        expect(sent().length).toBeLessThan(8);
      }));

    test('takes a delivery of many events in few requests', () =>
      opened(async ({ queue, sent, bodiesIn }) => {
        const events = Array.from({ length: 1000 }, (_, index) => JSON.stringify({ id: index }));

        await queue.sendAll(events);

        expect(bodiesIn('signals')).toEqual(events);
        expect(sent().length).toBeLessThan(8);
      }));

    test('holds a tick with a delay back until then', () =>
      opened(async ({ queue, fake, bodiesIn }) => {
        await queue.tick('model/a', 30);
        await queue.tick('model/b', 0);
        expect(bodiesIn('signals')).toEqual([tick('model/b')]);

        fake.pass(29_000);
        expect(bodiesIn('signals')).toEqual([tick('model/b')]);
        fake.pass(1000);

        expect(bodiesIn('signals')).toEqual([tick('model/b'), tick('model/a')]);
      }));

    test('holds a tick once whose answer was lost', () =>
      opened(async ({ queue, fake, bodiesIn, sent }) => {
        fake.mood('signals', 'lost');

        await queue.tick('project');

        expect(sent()).toEqual([1, 1]);
        expect(bodiesIn('signals')).toEqual([tick('project')]);
      }));

    test('holds what is sent after its connection was closed', () =>
      opened(async ({ bus, queue, bodiesIn }) => {
        await queue.send('a');
        await bus.close();
        await queue.send('b');

        expect(bodiesIn('signals')).toEqual(['a', 'b']);
      }));

    test('sends nothing for no tick', () =>
      opened(async ({ queue, sent }) => {
        await queue.ticks([]);

        expect(sent()).toEqual([]);
      }));
  });
}, ['azurite']);
