import { encodeText } from '@serin/core/base/json';
import type { CloudEvent } from '@serin/core/ports/bus';
import type { EventLog } from './options.ts';
import { ownTurn } from './own-turn.ts';

const batch = 100;

/**
 * Server-sent events from a position on: each with its position as `id`, so that a reader goes on after it. Silence is
 * filled with comments. The log is read only as fast as the reader takes. It ends when `allowed` says no: nothing is
 * sent with a token that was revoked.
 */
export function eventStream(
  log: EventLog,
  from: number,
  keep: (event: CloudEvent) => boolean,
  heartbeatMs: number,
  allowed: () => Promise<boolean> = async () => true,
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
    // With its position, so that a reader who loses the connection before the first event loses none.
    start: (controller) => controller.enqueue(encodeText(`id: ${from}\n: connected\n\n`)),
    async pull(controller) {
      unsubscribe ??= log.subscribe(() => wake?.());
      for (;;) {
        // There may be very much of it, for this reader or not: others come in before each part.
        await ownTurn();
        if (closed) return;
        const events = log.read(position, batch);
        position = events.at(-1)?.position ?? position;
        const text = events
          .filter(({ event }) => keep(event))
          .map(textOf)
          .join('');
        if (text === '' && events.length > 0) continue;
        const beat = text === '' && (await silent(heartbeatMs, (listener) => (wake = listener)));
        if (closed) return;
        if (text === '' && !beat) continue;
        if (!(await allowed())) {
          end();
          return controller.close();
        }
        return controller.enqueue(encodeText(beat ? ': beat\n\n' : text));
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
