import { morph } from './morph.ts';
import { root, toSignIn } from './session.ts';
import { followEvents, type Told } from './stream.ts';

const pollMs = 5_000;
const longestPollMs = 60_000;
const foldMs = 300;

/**
 * Renews what has changed whenever the server announces something, and from time to time: counts grow without an
 * announcement. A tab that nobody looks at waits until somebody does.
 */
export function keepLive(): void {
  const { live, worker, csrf = '' } = document.documentElement.dataset;
  if (live !== 'events' && live !== 'poll') return;
  document.addEventListener('visibilitychange', () => document.hidden || soon());
  addEventListener('pageshow', (event) => event.persisted && soon());
  if (live === 'events' && !throughWorker(worker, csrf)) whileLookedAt();
  poll(pollMs);
}

function poll(waitMs: number): void {
  setTimeout(async () => {
    const isDue = !document.hidden;
    const isAnswered = isDue ? await renew() : true;
    poll(isAnswered ? pollMs : Math.min(longestPollMs, waitMs * 2));
  }, waitMs);
}

/** All tabs of one session share a connection; `false`: this browser has no such worker. */
function throughWorker(file: string | undefined, session: string): boolean {
  if (file === undefined || !('SharedWorker' in globalThis)) return false;
  const { port, ...worker } = opened(file, session);
  worker.failed(whileLookedAt);
  port.addEventListener('message', ({ data }: MessageEvent<Told>) => hear(data));
  port.start();
  addEventListener('pagehide', () => port.postMessage('gone'));
  return true;
}

function opened(file: string, session: string) {
  const worker = new SharedWorker(file, { type: 'module', name: session });
  return {
    port: worker.port,
    failed: (call: () => void) => worker.addEventListener('error', call, { once: true }),
  };
}

/** A connection of its own, for as long as somebody looks at this tab. */
function whileLookedAt(): void {
  let stop: (() => void) | undefined;
  const follow = () => {
    stop?.();
    stop = document.hidden ? undefined : followEvents(`${root}v1/events`, hear);
  };
  document.addEventListener('visibilitychange', follow);
  follow();
}

function hear(told: Told): void {
  showConnection(told !== 'lost');
  if (told !== 'lost' && !document.hidden) soon();
}

function showConnection(isThere: boolean): void {
  const place = document.querySelector<HTMLElement>('#connection');
  if (place === null) return;
  const text = isThere ? 'live' : 'not connected, trying again';
  if (place.textContent === text) return;
  place.textContent = text;
  place.className = isThere ? 'live' : 'lost';
}

let isWaiting = false;
/** Once for all news of a moment. */
function soon(): void {
  if (isWaiting) return;
  isWaiting = true;
  setTimeout(() => {
    isWaiting = false;
    void renew();
  }, foldMs);
}

/** This page as the server has it now; `undefined`: it did not answer. */
export async function freshPage(): Promise<Document | undefined> {
  const response = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => undefined);
  showConnection(response !== undefined);
  if (response === undefined || response.status >= 500) return undefined;
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
  if (fresh.getElementById('sign-in') !== null) toSignIn();
  return fresh;
}

/** Takes the same page again, and puts in what differs; answers whether the server did. */
export async function renew(): Promise<boolean> {
  const fresh = await freshPage();
  if (fresh === undefined) return false;
  const hadFocus = document.activeElement !== document.body;
  // A part within a part is renewed with it.
  for (const part of document.querySelectorAll<HTMLElement>('[data-part]:not([data-part] [data-part])')) {
    const next = fresh.getElementById(part.id);
    if (next !== null) morph(part, next);
  }
  // What had the focus is gone. The keyboard goes on with the content, not with the address bar.
  if (hadFocus && document.activeElement === document.body)
    document.querySelector<HTMLElement>('#main')?.focus({ preventScroll: true });
  document.dispatchEvent(new CustomEvent('serin:renewed'));
  return true;
}
