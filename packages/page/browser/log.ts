const pauseMs = 1_000;
/** The command answers more. */
const mostCharacters = 1_000_000;

/** Follows the log of a job that goes on. It scrolls with it only while its end is looked at. */
export function log(): void {
  const place = document.querySelector<HTMLElement>('[data-log]');
  if (place === null) return;
  place.scrollTop = place.scrollHeight;
  if (place.dataset.ended === undefined) void follow(place);
}

async function follow(place: HTMLElement): Promise<void> {
  for (let next = Number(place.dataset.next ?? 0), ended = false; !ended && place.isConnected; ) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    if (document.hidden) continue;
    const response = await fetch(`${place.dataset.log ?? ''}&from=${next}`).catch(() => undefined);
    // The server is away for a moment, or the page is being left.
    if (response === undefined || response.status >= 500) continue;
    if (!response.ok) return;
    const more = (await response.json()) as { readonly text: string; readonly next: number; readonly ended?: boolean };
    ended = more.ended === true && more.text === '';
    next = more.next;
    if (more.text !== '') append(place, more.text);
  }
}

function append(place: HTMLElement, text: string): void {
  const isAtEnd = place.scrollTop + place.clientHeight >= place.scrollHeight - 4;
  const kept = `${place.textContent ?? ''}${text}`.slice(-mostCharacters);
  // Never as HTML: a program wrote it.
  place.textContent = kept;
  if (isAtEnd) place.scrollTop = place.scrollHeight;
}
