import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { Fault } from '@serin/core/base/fault';
import { tickBody } from '@serin/platform/message';
import type { Queue } from '@serin/platform/queue';
import { awsFault } from './faults.ts';

/** The queue of signals in SQS, which holds a delay of 900 s at most. */
interface SqsQueue extends Queue {
  /** A message that is being worked on, by its receipt, comes again after this many seconds. */
  again(receipt: string, seconds: number): Promise<void>;
}

interface Options {
  readonly client: SQSClient;
  readonly url: string;
}

const perBatch = 10;

export function sqsQueue({ client, url }: Options): SqsQueue {
  const send = async (MessageBody: string, DelaySeconds?: number): Promise<void> => {
    try {
      await client.send(
        new SendMessageCommand({ QueueUrl: url, MessageBody, ...(DelaySeconds === undefined ? {} : { DelaySeconds }) }),
      );
    } catch (error) {
      throw awsFault(error, `sending to the queue ${url}`);
    }
  };
  const sendBatch = async (streams: readonly string[]): Promise<void> => {
    const Entries = streams.map((stream, index) => ({ Id: String(index), MessageBody: tickBody(stream) }));
    try {
      const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
      if (Failed.length > 0)
        throw new Fault('unavailable', `the queue ${url} refused ${Failed.length} messages: ${Failed[0]?.Code}`);
    } catch (error) {
      throw awsFault(error, `sending to the queue ${url}`);
    }
  };

  return {
    tick: (stream, delaySeconds) => send(tickBody(stream), delaySeconds),
    async ticks(streams) {
      for (let from = 0; from < streams.length; from += perBatch) await sendBatch(streams.slice(from, from + perBatch));
    },
    send,
    async again(ReceiptHandle, VisibilityTimeout) {
      try {
        await client.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout }));
      } catch (error) {
        throw awsFault(error, `bringing a message back to the queue ${url}`);
      }
    },
  };
}
