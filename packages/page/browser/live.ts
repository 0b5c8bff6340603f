import { eventTypes } from '@serin/core/base/event-types';

const pollMs = 5_000;
const foldMs = 300;

/** Renews the parts of the page that have changed, whenever the server announces something, or from time to time. */
export function keepLive(): void {
  const { live, root = './' } = document.documentElement.dataset;
  if (live === 'events') listen(`${root}v1/events`, folded(renew));
  if (live === 'poll') setInterval(() => document.hidden || void renew(), pollMs);
}

/** One connection for the page that is looked at: a browser allows six to a server. */
function listen(address: string, news: () => void): void {
  let source: EventSource | undefined;
  const follow = () => {
    source?.close();
    source = document.hidden ? undefined : new EventSource(address);
    // Named events reach only listeners of their names.
    for (const name of ['open', ...eventTypes.map((type) => `dev.serin.${type}.v1`)])
      source?.addEventListener(name, news);
  };
  document.addEventListener('visibilitychange', follow);
  follow();
}

/** Calls once for all news of a moment. */
function folded(call: () => Promise<void>): () => void {
  let isWaiting = false;
  return () => {
    if (isWaiting) return;
    isWaiting = true;
    setTimeout(() => {
      isWaiting = false;
      void call();
    }, foldMs);
  };
}

/** Takes the same page again, and puts in what differs; a part that somebody is working in is left alone. */
export async function renew(): Promise<void> {
  const response = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => undefined);
  if (response === undefined || !response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
  for (const part of document.querySelectorAll<HTMLElement>('[data-part]')) {
    const next = fresh.getElementById(part.id);
    const busy = part.contains(document.activeElement) && document.activeElement !== part;
    if (next === null || busy || next.outerHTML === part.outerHTML) continue;
    part.replaceWith(next);
  }
  document.dispatchEvent(new CustomEvent('serin:renewed'));
}
