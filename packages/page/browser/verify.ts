import { countText } from '@serin/core/base/numbers';
import type { Verification } from '@serin/core/model/rollout/verify';
import type { Entry } from '@serin/core/ports/journal';

/** The buttons that judge a rollout again. What judges is loaded when it is first asked for. */
export function verify(): void {
  document.addEventListener('click', (event) => {
    const button =
      event.target instanceof Element ? event.target.closest('[data-verify-here], [data-verify-there]') : null;
    const place = button?.closest<HTMLElement>('[data-verify]');
    if (!button || !place || button.getAttribute('aria-disabled') === 'true') return;
    void (button.hasAttribute('data-verify-here') ? inBrowser(place) : byServer(place)).catch((error: unknown) =>
      tell(place, `It could not be verified: ${error instanceof Error ? error.message : 'unknown'}`),
    );
  });
}

async function inBrowser(place: HTMLElement): Promise<void> {
  const { rolloutVerifier } = await import('./judge.ts');
  const { verify: id = '', entries: path = '' } = place.dataset;
  const verifier = rolloutVerifier(id);
  let count = 0;
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const page = await read<{ readonly entries: readonly Entry[]; readonly next?: string }>(
      cursor === undefined ? path : `${path}&cursor=${encodeURIComponent(cursor)}`,
    );
    count += page.entries.length;
    tell(place, `Judging ${count} entries …`);
    verifier.take(page.entries);
    cursor = page.next;
  }
  tell(place, textOf(verifier.outcome(), `by this browser, from ${count} entries`));
}

async function byServer(place: HTMLElement): Promise<void> {
  tell(place, 'The server judges …');
  tell(place, textOf(await read<Verification>(place.dataset.server ?? ''), 'by the server'));
}

async function read<Document>(path: string): Promise<Document> {
  const response = await fetch(path, { headers: { accept: 'application/json' } });
  const body = await response.json();
  if (!response.ok) throw new Error((body as { readonly detail?: string }).detail ?? `status ${response.status}`);
  // As the route of the API says.
  return body as Document;
}

function textOf({ verified, readings, problems }: Verification, whose: string): string {
  return verified
    ? `Verified ${whose}: ${countText(readings, 'reading of counts was', 'readings of counts were')} judged again, and all counts and certificates are as recorded.`
    : `Not verified ${whose}: ${problems.slice(0, 3).join('; ')}`;
}

function tell(place: HTMLElement, text: string): void {
  const said = place.querySelector('[data-verify-said]');
  if (said !== null) said.textContent = text;
}
