export const root = document.documentElement.dataset.root ?? './';

/** What a request that changes something carries: no form and no page of another origin can send this header. */
export const changing = (): Record<string, string> => ({
  'content-type': 'application/json',
  'x-serin-csrf': document.documentElement.dataset.csrf || 'signin',
});

/** Signs in with what was typed, or with the fragment of a link that `serin dev` printed; signs out. */
export function session(): void {
  const form = document.querySelector<HTMLFormElement>('#sign-in');
  const fragment = decodeURIComponent(location.hash.slice(1));
  if (form !== null && fragment.startsWith('srn_')) {
    history.replaceState(null, '', location.pathname + location.search);
    void signIn(form, fragment);
  }
  form?.addEventListener('submit', (event) => {
    event.preventDefault();
    void signIn(form, String(new FormData(form).get('token') ?? '').trim());
  });
  document.querySelector('[data-sign-out]')?.addEventListener('click', async () => {
    await fetch(`${root}session`, { method: 'DELETE', headers: changing() });
    location.assign(`${root}signin`);
  });
}

/** Whoever is signed out meanwhile comes back to this page. */
export const toSignIn = (): void =>
  location.assign(`${root}signin?to=${encodeURIComponent(pathHere() + location.search)}`);

/** The path below where the server is, which may stand behind a proxy. */
function pathHere(): string {
  const base = new URL(root, location.href).pathname;
  return `/${location.pathname.slice(base.length)}`;
}

async function signIn(form: HTMLFormElement, token: string): Promise<void> {
  const response = await fetch(`${root}session`, {
    method: 'POST',
    headers: changing(),
    body: JSON.stringify({ token }),
  }).catch(() => undefined);
  if (response?.ok === true) return location.assign(root + (form.dataset.to ?? '/').slice(1));
  const problem = form.querySelector('#sign-in-problem');
  const said = response === undefined ? undefined : ((await response.json().catch(() => ({}))) as { detail?: string });
  if (problem !== null) problem.textContent = said?.detail ?? 'the server did not answer; try again';
}
