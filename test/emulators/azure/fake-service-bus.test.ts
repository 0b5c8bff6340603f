import { ServiceBusClient, type ServiceBusReceiver } from '@azure/service-bus';
import { afterEach, describe, expect, test } from 'vitest';
import { emulatedAzure } from '../emulated.ts';
import { type FakeServiceBus, startServiceBus } from './fake-service-bus.ts';
import { AmqpRefusal, type QueueOptions, type TopicOptions } from './service-bus-entities.ts';

const minute = 60_000;

/** All of it by Microsoft's own client, as the functions and their host speak to Service Bus. */
emulatedAzure('Service Bus for tests', () => {
  let bus: FakeServiceBus;
  let client: ServiceBusClient;
  afterEach(async () => {
    await client?.close();
    await bus?.stop();
  });

  async function start(entities: Readonly<Record<string, QueueOptions | TopicOptions>> = { q: {} }): Promise<void> {
    bus = await startServiceBus('azure-checks', entities);
    const retryOptions = { maxRetries: 2, timeoutInMs: 2000, retryDelayInMs: 1 };
    client = new ServiceBusClient(bus.variables.SERIN_SERVICE_BUS, { retryOptions });
  }
  const more = { maxAutoLockRenewalDurationInMs: 0 };
  const receiver = (queue = 'q') => client.createReceiver(queue, more);
  const deadLetters = (queue = 'q') => client.createReceiver(queue, { ...more, subQueueType: 'deadLetter' });
  const send = (...messages: readonly { readonly body: string; readonly [name: string]: unknown }[]) =>
    client.createSender('q').sendMessages([...messages]);
  /** What is there, up to as many. */
  const next = (from: ServiceBusReceiver, most = 1) => from.receiveMessages(most, { maxWaitTimeInMs: 1000 });
  async function one(from: ServiceBusReceiver) {
    const [message] = await next(from);
    if (message === undefined) throw new Error('there is no message');
    return message;
  }
  const bodies = (messages: readonly { readonly body: unknown }[]) => messages.map(({ body }) => body);
  const waiting = (address = 'q') => bus.waiting(address).length;

  test('a message is received as it was sent, and gone when it is completed', async () => {
    await start();

    await send({ body: 'ü', messageId: 'm', contentType: 'text/plain', applicationProperties: { a: 'b' } });
    const from = receiver();
    const message = await one(from);
    const properties = { contentType: 'text/plain', applicationProperties: { a: 'b' }, deliveryCount: 0 };
    expect(message).toMatchObject({ body: 'ü', messageId: 'm', ...properties });
    expect(bus.locked('q')).toBe(1);

    await from.completeMessage(message);
    expect([bus.locked('q'), waiting()]).toEqual([0, 0]);
  });

  test('a batch is its messages, in order', async () => {
    await start();

    await send({ body: 'a' }, { body: 'b' }, { body: 'c' });

    expect(bodies(await next(receiver(), 3))).toEqual(['a', 'b', 'c']);
    expect(bus.sent.map(({ entity, messages }) => [entity, messages.length])).toEqual([['q', 3]]);
  });

  test('a batch holds 256 KB, and a message is no larger', async () => {
    await start();
    const sender = client.createSender('q');

    const batch = await sender.createMessageBatch();

    expect(batch.maxSizeInBytes).toBe(262_144);
    expect(batch.tryAddMessage({ body: Buffer.alloc(262_144) })).toBe(false);
    await expect(sender.sendMessages({ body: Buffer.alloc(262_144) })).rejects.toMatchObject({
      code: 'MessageSizeExceeded',
    });
  });

  test('a message that is abandoned comes again before later ones, with its count', async () => {
    await start();
    await send({ body: 'a' }, { body: 'b' });
    const from = receiver();

    await from.abandonMessage(await one(from));

    expect((await next(from, 2)).map(({ body, deliveryCount }) => [body, deliveryCount])).toEqual([
      ['a', 1],
      ['b', 0],
    ]);
  });

  test('a message that is delivered too often is a dead letter, with the reason', async () => {
    await start({ q: { maxDeliveries: 2 } });
    await send({ body: 'a' });
    const from = receiver();

    for (let time = 1; time <= 2; time += 1) await from.abandonMessage(await one(from));

    expect(await one(deadLetters())).toMatchObject({ body: 'a', deadLetterReason: 'MaxDeliveryCountExceeded' });
    expect(waiting()).toBe(0);
  });

  test('a dead letter has the reason that it was given, and is completed in its queue', async () => {
    await start();
    await send({ body: 'a' });
    const [from, dead] = [receiver(), deadLetters()];

    await from.deadLetterMessage(await one(from), { deadLetterReason: 'why', deadLetterErrorDescription: 'so' });

    const letter = await one(dead);
    expect(letter).toMatchObject({ body: 'a', deadLetterReason: 'why', deadLetterErrorDescription: 'so' });
    await dead.completeMessage(letter);
    expect([waiting(), waiting('q/$DeadLetterQueue'), bus.locked('q/$DeadLetterQueue')]).toEqual([0, 0, 0]);
  });

  describe('a lock', () => {
    test('that is lost settles nothing, and the message comes again', async () => {
      await start({ q: { lockMs: minute } });
      await send({ body: 'a' });
      const from = receiver();
      const message = await one(from);

      bus.pass(minute);

      await expect(from.completeMessage(message)).rejects.toMatchObject({ code: 'MessageLockLost' });
      expect(await one(from)).toMatchObject({ body: 'a', deliveryCount: 1 });
    });

    test('that is renewed holds on', async () => {
      await start({ q: { lockMs: minute } });
      await send({ body: 'a' });
      const from = receiver();
      const message = await one(from);

      bus.pass(minute - 5000);
      await from.renewMessageLock(message);
      bus.pass(minute - 5000);

      await from.completeMessage(message);
      expect([bus.locked('q'), waiting()]).toEqual([0, 0]);
    });

    test('outlives the connection by which the message came, until it is lost', async () => {
      await start({ q: { lockMs: minute } });
      await send({ body: 'a' });
      const from = receiver();
      const message = await one(from);

      bus.cut();
      await expect(next(from)).rejects.toThrow(/connection/);
      await from.completeMessage(message);

      expect([bus.locked('q'), waiting()]).toEqual([0, 0]);
    });
  });

  describe('a message that is scheduled', () => {
    const later = () => new Date(Date.now() + minute);

    test('comes when its time has come, whichever way it was scheduled', async () => {
      await start();
      await client.createSender('q').scheduleMessages({ body: 'a' }, later());
      await send({ body: 'b', scheduledEnqueueTimeUtc: later() });
      expect([waiting(), bus.scheduled('q')]).toEqual([0, 2]);

      bus.pass(minute + 1000);

      expect(bodies(await next(receiver(), 2)).toSorted()).toEqual(['a', 'b']);
    });

    test('and is cancelled never comes', async () => {
      await start();
      const sender = client.createSender('q');
      const [sequence] = await sender.scheduleMessages([{ body: 'a' }], later());

      await sender.cancelScheduledMessages(sequence ?? []);
      bus.pass(2 * minute);

      expect([waiting(), bus.scheduled('q')]).toEqual([0, 0]);
    });
  });

  describe('a duplicate', () => {
    test('is dropped while its id is remembered, also within a batch', async () => {
      await start({ q: { duplicatesMs: 10 * minute } });

      await send({ body: 'a', messageId: 'm' }, { body: 'b', messageId: 'm' });
      await send({ body: 'c', messageId: 'm' });
      bus.pass(10 * minute);
      await send({ body: 'd', messageId: 'm' });

      expect(bodies(await next(receiver(), 2))).toEqual(['a', 'd']);
    });

    test('is another message in a queue that detects none', async () => {
      await start();

      await send({ body: 'a', messageId: 'm' }, { body: 'b', messageId: 'm' });

      expect(waiting()).toBe(2);
    });
  });

  describe('a topic', () => {
    test('gives each subscription what its filter lets pass', async () => {
      const filter = (message: { readonly subject?: string }) => message.subject === 'red';
      await start({ t: { subscriptions: { all: {}, red: { filter } } } });

      await client.createSender('t').sendMessages([{ body: 'a', subject: 'red' }, { body: 'b' }]);

      expect(bodies(await next(client.createReceiver('t', 'all', more), 2))).toEqual(['a', 'b']);
      expect(bodies(await next(client.createReceiver('t', 'red', more)))).toEqual(['a']);
    });
  });

  describe('a session', () => {
    test('has its messages alone, and in their order', async () => {
      await start({ q: { sessions: true } });
      await send({ body: 'a1', sessionId: 'a' });
      await send({ body: 'b1', sessionId: 'b' });
      await send({ body: 'a2', sessionId: 'a' }, { body: 'a3', sessionId: 'a' });

      const a = await client.acceptSession('q', 'a', more);
      const b = await client.acceptNextSession('q', more);

      expect([bodies(await next(a, 3)), b.sessionId, bodies(await next(b))]).toEqual([['a1', 'a2', 'a3'], 'b', ['b1']]);
      await expect(client.acceptSession('q', 'a', more)).rejects.toMatchObject({ code: 'SessionCannotBeLocked' });
    });

    test('that is left gives back what was not settled', async () => {
      await start({ q: { sessions: true } });
      await send({ body: 'a', sessionId: 'a' });
      const first = await client.acceptSession('q', 'a', more);
      await next(first);

      await first.close();

      expect(await one(await client.acceptSession('q', 'a', more))).toMatchObject({ body: 'a', deliveryCount: 1 });
    });

    test('that was not renewed in time is lost', async () => {
      await start({ q: { sessions: true, lockMs: minute } });
      await send({ body: 'a', sessionId: 'a' });
      const session = await client.acceptSession('q', 'a', more);
      await one(session);

      bus.pass(minute);

      await expect(next(session)).rejects.toMatchObject({ code: 'SessionLockLost' });
      expect(waiting()).toBe(1);
    });

    test('is asked of each message and of each receiver', async () => {
      await start({ q: { sessions: true } });

      await expect(send({ body: 'a' })).rejects.toThrow(/SessionId was not set/);
      await expect(send({ body: 'a', sessionId: 'a' }, { body: 'b', sessionId: 'b' })).rejects.toThrow(
        /several sessions/,
      );
      await expect(next(receiver())).rejects.toThrow(/requires sessions/);
    });
  });

  describe('a send', () => {
    test('to nothing is refused, and so is a receiver of nothing', async () => {
      await start();

      const missing = { code: 'MessagingEntityNotFound' };
      await expect(client.createSender('none').sendMessages({ body: 'a' })).rejects.toMatchObject(missing);
      await expect(next(receiver('none'))).rejects.toMatchObject(missing);
    });

    test.each([
      ['whose answer was lost comes twice', 'lost', ['a', 'a']],
      ['of which the link was detached comes once', 'detached', ['a']],
      ['that was refused for the moment comes once', new AmqpRefusal('com.microsoft:server-busy', 'busy'), ['a']],
    ] as const)('%s', async (_, mood, received) => {
      await start();
      bus.mood('q', mood);

      await send({ body: 'a' });

      expect(waiting()).toBe(received.length);
      expect(bodies(await next(receiver(), received.length))).toEqual(received);
    });
  });
});
