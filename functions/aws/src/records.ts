import type { Facts } from './facts.ts';
import type { Message } from './signals.ts';

/**
 * The messages of the queue in what Lambda hands over. A trigger of another kind was wired up by hand: what it sends is
 * counted and done, for as a failure it would come again until it expires.
 */
export function messagesOf<Sent extends Message>(event: unknown, facts: Facts): readonly Sent[] {
  const { Records } = (event ?? {}) as { readonly Records?: unknown };
  const records: readonly unknown[] = Array.isArray(Records) ? Records : [event];
  const isMessage = (record: unknown): record is Sent => (record as Origin | null)?.eventSource === 'aws:sqs';
  for (const record of records.filter((each) => !isMessage(each)))
    facts.count('ForeignSignals', { what: `not of the queue: ${originOf(record)}`.slice(0, 120) });
  return records.filter(isMessage);
}

interface Origin {
  readonly eventSource?: unknown;
  readonly EventSource?: unknown;
  readonly source?: unknown;
}

const originOf = (record: unknown): string => {
  const { EventSource, eventSource = EventSource, source } = (record ?? {}) as Origin;
  return String(eventSource ?? source ?? 'an event of an unknown kind');
};
