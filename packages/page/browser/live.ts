import { eventTypes } from '@serin/core/base/event-types';
import { morph } from './morph.ts';

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

/** This page as the server has it now; `undefined`: it did not answer. */
export async function freshPage(): Promise<Document | undefined> {
  const response = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => undefined);
  if (response === undefined || !response.ok) return undefined;
  return new DOMParser().parseFromString(await response.text(), 'text/html');
}

/** Takes the same page again, and puts in what differs. */
export async function renew(): Promise<void> {
  const fresh = await freshPage();
  if (fresh === undefined) return;
  for (const part of document.querySelectorAll<HTMLElement>('[data-part]')) {
    const next = fresh.getElementById(part.id);
    if (next !== null) morph(part, next);
  }
  document.dispatchEvent(new CustomEvent('serin:renewed'));
}
