import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { Fault } from '@serin/core/base/fault';
import { tickBody } from '@serin/platform/message';
import type { Queue } from '@serin/platform/queue';
import { guarded } from './faults.ts';

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
  const sending = `sending to the queue ${url}`;
  async function send(MessageBody: string, DelaySeconds?: number): Promise<void> {
    const delay = DelaySeconds === undefined ? {} : { DelaySeconds };
    await guarded(sending, () => client.send(new SendMessageCommand({ QueueUrl: url, MessageBody, ...delay })));
  }
  const sendBatch = async (streams: readonly string[]): Promise<void> => {
    const Entries = streams.map((stream, index) => ({ Id: String(index), MessageBody: tickBody(stream) }));
    const command = new SendMessageBatchCommand({ QueueUrl: url, Entries });
    const { Failed = [] } = await guarded(sending, () => client.send(command));
    if (Failed.length > 0)
      throw new Fault(
        'unavailable',
        `the queue ${url} refused ${Failed.length} messages; try again later: ${Failed[0]?.Code}`,
      );
  };

  return {
    tick: (stream, delaySeconds) => send(tickBody(stream), delaySeconds),
    async ticks(streams) {
      for (let from = 0; from < streams.length; from += perBatch) await sendBatch(streams.slice(from, from + perBatch));
    },
    send,
    async again(ReceiptHandle, VisibilityTimeout) {
      const command = new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout });
      await guarded(`bringing a message back to the queue ${url}`, () => client.send(command));
    },
  };
}
