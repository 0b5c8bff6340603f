import { wordOf } from '@serin/platform/fields';
import type { LogLines } from '@serin/platform/log-lines';
import { countUnrouted, type Delivered } from '@serin/platform/worker';
import type { SQSRecord } from 'aws-lambda';

/**
 * The records of the queue in what Lambda hands over. A trigger of another kind was wired up by hand: what it sends is
 * counted and done, for as a failure it would come again until it expires.
 */
export function recordsOf(event: unknown, log: LogLines): readonly SQSRecord[] {
  const { Records } = (event ?? {}) as { readonly Records?: unknown };
  const records: readonly unknown[] = Array.isArray(Records) ? Records : [event];
  const isMessage = (record: unknown): record is SQSRecord => (record as Origin | null)?.eventSource === 'aws:sqs';
  for (const record of records.filter((each) => !isMessage(each)))
    countUnrouted(log, `not of the queue: ${originOf(record)}`);
  return records.filter(isMessage);
}

/** A record as a message, which comes again when its receipt is given back. */
export const deliveredOf = (
  { messageId, body, attributes, receiptHandle }: SQSRecord,
  queue: { again(receipt: string, seconds: number): Promise<void> },
): Delivered => ({
  id: messageId,
  body,
  attempt: Number(attributes.ApproximateReceiveCount),
  again: (seconds) => queue.again(receiptHandle, seconds),
});

interface Origin {
  readonly eventSource?: unknown;
  readonly EventSource?: unknown;
  readonly source?: unknown;
}

const originOf = (record: unknown): string => {
  const { EventSource, eventSource = EventSource, source } = (record ?? {}) as Origin;
  return wordOf(eventSource ?? source ?? 'an event of an unknown kind');
};
