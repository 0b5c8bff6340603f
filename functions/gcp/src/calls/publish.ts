import { batches } from '@serin/platform/events';
import { guarded } from '../faults.ts';
import type { Google } from './google.ts';

export interface Message {
  readonly text: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly orderingKey?: string;
}

/** `projects/<p>/topics/<t>` */
export interface Topic {
  readonly google: Google;
  readonly topic: string;
}

// A request holds 1,000 messages and 10 MB, in which bytes are Base64. https://docs.cloud.google.com/pubsub/quotas#resource_limits
const most = { items: 1000, bytes: 2_000_000 };

/**
 * Publishes messages of one ordering key, or without one, in their order. One that is answered is stored; the first
 * request that fails is the last. What was sent before may come twice.
 */
export async function publish({ google, topic }: Topic, messages: readonly Message[]): Promise<void> {
  for (const batch of batches(messages, ({ text }) => Buffer.byteLength(text), most)) {
    const body = {
      messages: batch.map(({ text, ...more }) => ({ data: Buffer.from(text).toString('base64'), ...more })),
    };
    await guarded(`publishing to the topic ${topic}`, () =>
      google.json({ service: 'pubsub', method: 'POST', path: `v1/${topic}:publish`, body, repeatable: true }),
    );
  }
}
