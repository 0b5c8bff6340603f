import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { s3Bucket } from '@serin/aws/ports/bucket';
import { eventBridgeBus } from '@serin/aws/ports/bus';
import { dynamoJournal } from '@serin/aws/ports/journal';
import type { Bucket } from '@serin/core/ports/bucket';
import type { CloudEvent } from '@serin/core/ports/bus';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bucketContract } from '../../contract/bucket.contract.ts';
import { busContract, eventOf } from '../../contract/bus.contract.ts';
import { appendOf, journalContract } from '../../contract/journal.contract.ts';
import { emulated } from '../emulated.ts';
import { type Emulator, startDynamoDb, startMoto } from '../installed.ts';
import { reach, recorder } from './clients.ts';
import { fakeWire } from './fake-wire.ts';

let dynamo: Emulator;
let moto: Emulator;
const dynamoCalls = recorder({ suite: 'journal', against: 'dynamodb-local' });
const motoCalls = recorder({ suite: 'store', against: 'moto' });
const moodyCalls = recorder({ suite: 'moody-bus', against: 'a fake of EventBridge' });
const nothing = async (): Promise<never> => {
  throw new Error('nothing is stored here');
};

async function openJournal(client = dynamoCalls.watch(new DynamoDBClient(reach(dynamo.url)))) {
  const table = `journal-${randomUUID()}`;
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  const port = dynamoJournal({ client, table });
  return { port, table, client, close: async () => client.destroy() };
}

async function openBus() {
  const events = motoCalls.watch(new EventBridgeClient(reach(moto.url)));
  const sqs = new SQSClient(reach(moto.url));
  const s3 = motoCalls.watch(new S3Client(reach(moto.url)));
  const name = `bus-${randomUUID()}`;
  const bucketName = `own-${randomUUID()}`;
  await s3.send(
    new CreateBucketCommand({ Bucket: bucketName, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }),
  );
  await events.send(new CreateEventBusCommand({ Name: name }));
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  await events.send(
    new PutRuleCommand({ Name: name, EventBusName: name, EventPattern: JSON.stringify({ source: ['dev.serin'] }) }),
  );
  await events.send(
    new PutTargetsCommand({
      Rule: name,
      EventBusName: name,
      Targets: [{ Id: 'queue', Arn: Attributes?.QueueArn ?? '' }],
    }),
  );
  const details: unknown[] = [];
  async function drain(): Promise<readonly unknown[]> {
    for (;;) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) return details;
      for (const { Body = '{}' } of Messages) details.push(JSON.parse(Body).detail);
    }
  }
  const bucket = s3Bucket({ client: s3, bucket: bucketName });
  return {
    port: eventBridgeBus({ client: events, eventBus: name, bucket, bucketName }),
    bucket,
    drain,
    async received() {
      const found = new Map<string, CloudEvent>();
      for (const detail of (await drain()) as CloudEvent[]) if (!found.has(detail.id)) found.set(detail.id, detail);
      return [...found.values()];
    },
    close: async () => {
      for (const client of [events, sqs, s3]) client.destroy();
    },
  };
}

emulated('the stores of AWS', () => {
  beforeAll(async () => {
    [dynamo, moto] = await Promise.all([startDynamoDb(), startMoto()]);
  });
  afterAll(async () => {
    await Promise.all([dynamo?.stop(), moto?.stop()]);
    dynamoCalls.save();
    motoCalls.save();
    moodyCalls.save();
  });

  journalContract('DynamoDB Local', openJournal);

  describe('the journal on DynamoDB', () => {
    test('refuses a state that does not fit into an item even when it is gzipped, and nothing of it is seen', async () => {
      const { port, close } = await openJournal();
      await port.append(0, appendOf('fraud', 1));
      const noise = Array.from({ length: 20_000 }, () => randomUUID());

      const appending = port.append(1, appendOf('fraud', 2, { noise }));

      await expect(appending).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('gzipped') });
      expect(await port.head('fraud')).toMatchObject({ seq: 1 });
      await close();
    });

    test('takes the index rows of the head before away, also when another process wrote that head', async () => {
      const { port, table, client, close } = await openJournal();
      const other = dynamoJournal({ client, table });
      const named = (key: string) => ({ name: { key, summary: null } });

      await port.append(0, appendOf('fraud', 1, {}, { due: 5, ...named('model/a') }));
      await other.append(1, appendOf('fraud', 2, {}, { due: 9, ...named('model/b') }));
      await port.append(2, appendOf('fraud', 3, {}, named('model/c')));

      expect((await port.due(10)).items).toEqual([]);
      expect((await port.names('model/')).items.map(({ key }) => key)).toEqual(['model/c']);
      await close();
    });
  });

  bucketContract('S3 (moto)', async () => {
    const client = motoCalls.watch(new S3Client(reach(moto.url)));
    const [drops, others] = [`drops-${randomUUID()}`, `others-${randomUUID()}`];
    for (const Bucket of [drops, others])
      await client.send(
        new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }),
      );
    return {
      port: s3Bucket({ client, bucket: drops }),
      other: s3Bucket({ client, bucket: others }),
      absent: s3Bucket({ client, bucket: `absent-${randomUUID()}` }),
      close: async () => client.destroy(),
    };
  });

  busContract('EventBridge to SQS (moto)', openBus);

  test('more events than one call takes are published all, in their order', async () => {
    const { port, received, close } = await openBus();
    const events = Array.from({ length: 25 }, (_, seq) => eventOf(seq + 1));

    await port.publish(events);

    expect((await received()).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    await close();
  });

  /** EventBridge that refuses entries of a call by their place: `refuse` of the n-th call. The form of the answer: PutEvents of the API reference. */
  function moodyBus(refuse: (call: number) => readonly number[]) {
    const sent: string[][] = [];
    const answer = ({ Entries }: { readonly Entries: readonly { readonly Detail: string }[] }) => {
      const refused = refuse(sent.length);
      sent.push(Entries.map(({ Detail }) => JSON.parse(Detail).id));
      return {
        FailedEntryCount: refused.length,
        Entries: Entries.map((_, index) =>
          refused.includes(index)
            ? { ErrorCode: 'InternalFailure', ErrorMessage: 'try again' }
            : { EventId: `e${index}` },
        ),
      };
    };
    const requestHandler = fakeWire({ AWSEvents: { PutEvents: answer } });
    const client = moodyCalls.watch(new EventBridgeClient({ ...reach('http://events.test'), requestHandler }));
    const bucket = { list: nothing, read: nothing, write: nothing } as unknown as Bucket; // no event here is large
    return { sent, port: eventBridgeBus({ client, eventBus: 'serin', bucket, bucketName: 'own' }) };
  }

  test('entries that were refused alone are sent again alone', async () => {
    const { sent, port } = moodyBus((call) => (call === 0 ? [1] : []));
    const [one, two, three] = [eventOf(1), eventOf(2), eventOf(3)];

    await port.publish([one, two, three]);

    expect(sent).toEqual([[one.id, two.id, three.id], [two.id]]);
  });

  test('a bus that goes on refusing is unavailable, and says why', async () => {
    const { sent, port } = moodyBus(() => [0]);

    const publishing = port.publish([eventOf(1)]);

    await expect(publishing).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('InternalFailure'),
    });
    expect(sent.length).toBeGreaterThan(1);
  });

  test('an event that is too large for the bus carries a reference to its whole text', async () => {
    const { port, bucket, drain, close } = await openBus();
    const large = eventOf(1, { data: { text: 'x'.repeat(250_000) } });

    await port.publish([large]);

    const [detail] = (await drain()) as readonly { readonly dataref: string; readonly data?: unknown }[];
    const key = /^s3:\/\/[^/]+\/(.+)$/.exec(detail?.dataref ?? '')?.[1] ?? '';
    const stored = await bucket.read({ key, maxBytes: 1e6 });
    expect(detail?.data).toBeUndefined();
    expect(JSON.parse(Buffer.from(stored?.content ?? []).toString())).toEqual(large);
    await close();
  });
});
