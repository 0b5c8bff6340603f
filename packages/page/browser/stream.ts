import { eventTypes } from '@serin/core/base/event-types';

/** `news`: something happened. `open` and `lost`: of the connection. */
export type Told = 'news' | 'open' | 'lost';

const firstRetryMs = 1_000;
const lastRetryMs = 30_000;

/** Follows the server's events, and connects again whenever that ends; answers how to stop. */
export function followEvents(address: string, tell: (told: Told) => void): () => void {
  let retryMs = firstRetryMs;
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const connect = () => {
    source = new EventSource(address);
    source.addEventListener('open', () => {
      retryMs = firstRetryMs;
      tell('open');
    });
    // Named events reach only listeners of their names.
    for (const type of eventTypes) source.addEventListener(`dev.serin.${type}.v1`, () => tell('news'));
    source.addEventListener('error', () => {
      tell('lost');
      // A browser connects again by itself at a fixed pace, and not at all after an answer such as 401.
      source?.close();
      clearTimeout(timer);
      timer = setTimeout(connect, retryMs);
      retryMs = Math.min(lastRetryMs, retryMs * 2);
    });
  };
  connect();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}
