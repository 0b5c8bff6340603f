import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { Fault } from '@serin/core/base/fault';
import { awsFault } from './faults.ts';

/** The queue of signals, as its writer sees it. */
export interface Queue {
  /** A stream is looked at soon, or after this many seconds (900 at most). At least once; durable when it resolves. */
  tick(stream: string, delaySeconds?: number): Promise<void>;
  ticks(streams: readonly string[]): Promise<void>;
  /** A message as it once was received. */
  send(body: string): Promise<void>;
  /** A message that is being worked on, by its receipt, comes again after this many seconds. */
  again(receipt: string, seconds: number): Promise<void>;
}

interface Options {
  readonly client: SQSClient;
  readonly url: string;
}

const perBatch = 10;

/** What the clock, the API and a stream that waits for less than a minute write into the queue: `{"serin":{"tick":...}}`. */
export function sqsQueue({ client, url }: Options): Queue {
  const bodyOf = (stream: string): string => JSON.stringify({ serin: { tick: stream } });
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
    const Entries = streams.map((stream, index) => ({ Id: String(index), MessageBody: bodyOf(stream) }));
    try {
      const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
      if (Failed.length > 0)
        throw new Fault('unavailable', `the queue ${url} refused ${Failed.length} messages: ${Failed[0]?.Code}`);
    } catch (error) {
      throw awsFault(error, `sending to the queue ${url}`);
    }
  };

  return {
    tick: (stream, delaySeconds) => send(bodyOf(stream), delaySeconds),
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
