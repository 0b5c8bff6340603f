export const root = document.documentElement.dataset.root ?? './';

/** What a request that changes something carries: no form and no page of another origin can send this header. */
export const changing = (): Record<string, string> => ({
  'content-type': 'application/json',
  'x-serin-csrf': document.documentElement.dataset.csrf || 'signin',
});

/** Signs in with what was typed, or with the fragment of a link that `serin dev` printed; signs out. */
export function session(): void {
  const form = document.querySelector<HTMLFormElement>('#sign-in');
  if (form !== null) {
    warnOfPlainHttp(form);
    takeFragment(form);
    addEventListener('hashchange', () => takeFragment(form));
  }
  form?.addEventListener('submit', (event) => {
    event.preventDefault();
    void signIn(form, String(new FormData(form).get('token') ?? '').trim());
  });
  document.querySelector('[data-sign-out]')?.addEventListener('click', async () => {
    await fetch(`${root}session`, { method: 'DELETE', headers: changing() }).catch(() => undefined);
    location.assign(`${root}signin`);
  });
}

/** A browser sends no fragment, so the token of a link is in no log; it must not stay in the history either. */
function takeFragment(form: HTMLFormElement): void {
  const token = location.hash.slice(1);
  if (!token.startsWith('srn_')) return;
  history.replaceState(null, '', location.pathname + location.search);
  void signIn(form, token);
}

function warnOfPlainHttp(form: HTMLFormElement): void {
  if (location.protocol !== 'http:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(location.hostname)) return;
  const warning = form.querySelector('#sign-in-warning');
  if (warning !== null)
    warning.textContent =
      'This connection is not encrypted: whoever listens on the way can read your token. Put a proxy with TLS in front of the server.';
}

/** Somebody who is signed out comes back to this page. */
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
