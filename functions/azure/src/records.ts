import type { InvocationContext } from '@azure/functions';
import { idOf } from '@serin/core/inbound/fact';
import { isLetterId } from '@serin/platform/letters';
import type { Delivered } from '@serin/platform/worker';
import type { Copied } from './queue.ts';

/** A message as it was delivered, without what makes it come again. */
export type Taken = Omit<Delivered, 'again'>;

/**
 * A message of Service Bus as the host hands it over. A body that is JSON comes parsed, and bytes that the host takes
 * for no text as bytes. The id and how often it was delivered stand in the metadata of its trigger.
 *
 * https://learn.microsoft.com/azure/azure-functions/functions-bindings-service-bus-trigger#message-metadata
 */
export function takenFrom(
  message: unknown,
  { triggerMetadata = {} }: Pick<InvocationContext, 'triggerMetadata'>,
): Taken {
  const { messageId, deliveryCount, applicationProperties } = triggerMetadata;
  const { copyOf, attempt } = (applicationProperties ?? {}) as Partial<Copied>;
  const body = textOf(message);
  const delivered = positive(deliveryCount) ?? 1;
  return {
    id: [copyOf, messageId].find(isLetterId) ?? idOf('message', body),
    // A copy goes on counting where the message before it ended.
    attempt: copyOf === undefined ? delivered : (positive(attempt) ?? 1) + delivered - 1,
    body,
  };
}

function positive(value: unknown): number | undefined {
  const count = Number(value ?? Number.NaN);
  return Number.isInteger(count) && count > 0 ? count : undefined;
}

function textOf(message: unknown): string {
  if (typeof message === 'string') return message;
  if (message instanceof Uint8Array) return new TextDecoder().decode(message);
  try {
    return JSON.stringify(message) ?? '';
  } catch {
    // Whoever throws here gets the message again without end, also out of the queue of dead letters.
    return '(not kept: it is nested too deeply to be written)';
  }
}
