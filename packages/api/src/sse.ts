import { encodeText } from '@serin/core/json';
import type { CloudEvent } from '@serin/core/ports';
import type { EventLog } from './options.ts';

const batch = 100;

/**
 * Server-sent events from a position on: each with its position as `id`, so that a reader goes on after it. Silence is
 * filled with comments. The log is read only as fast as the reader takes.
 */
export function eventStream(
  log: EventLog,
  from: number,
  keep: (event: CloudEvent) => boolean,
  heartbeatMs: number,
): ReadableStream<Uint8Array> {
  let position = from;
  let wake: (() => void) | undefined;
  let closed = false;
  // Not before the first read: a stream that nobody reads listens to nothing.
  let unsubscribe: (() => void) | undefined;
  const end = () => {
    closed = true;
    unsubscribe?.();
    wake?.();
  };

  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encodeText(': connected\n\n')),
    async pull(controller) {
      unsubscribe ??= log.subscribe(() => wake?.());
      for (;;) {
        const events = log.read(position, batch);
        position = events.at(-1)?.position ?? position;
        const text = events
          .filter(({ event }) => keep(event))
          .map(textOf)
          .join('');
        if (text !== '') return controller.enqueue(encodeText(text));
        if (events.length > 0) continue;
        if (await silent(heartbeatMs, (listener) => (wake = listener)))
          return closed ? undefined : controller.enqueue(encodeText(': beat\n\n'));
        if (closed) return;
      }
    },
    cancel: end,
  });
}

const textOf = ({ position, event }: { readonly position: number; readonly event: CloudEvent }): string =>
  `id: ${position}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** Whether nothing happened for so long. */
function silent(ms: number, onWake: (wake: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), ms);
    onWake(() => {
      clearTimeout(timer);
      resolve(false);
    });
  });
}
