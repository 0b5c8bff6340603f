import { html } from 'hono/html';
import type { Asset } from './assets.ts';
import type { Html, Screen } from './views.ts';

/** Who has signed in, as `GET /v1/caller` answers it. */
export interface Caller {
  readonly name: string;
  readonly role: string;
  /** The roles whose routes it may use. */
  readonly may: readonly string[];
  readonly models?: readonly string[];
}

/** What stands around every page. */
export interface Frame {
  readonly path: string;
  readonly to: (path: string) => string;
  readonly csrf: string | undefined;
  readonly caller: Caller | undefined;
  readonly version: string;
  readonly environment: string;
  readonly live: 'events' | 'poll';
  readonly files: ReadonlyMap<string, Asset>;
}

const navigation: readonly (readonly [title: string, path: string])[] = [['Overview', '/']];

/** A whole document. `<main>` is what a live page renews. */
export function framed(frame: Frame, { title, sentence, main, section }: Screen): Html | Promise<Html> {
  const { to, csrf, caller, version, environment, live, path } = frame;
  const link = ([name, target]: readonly [string, string]) =>
    html`<a href="${to(target)}"${name === section ? html` aria-current="page"` : ''}>${name}</a>`;
  return html`<!DOCTYPE html>
<html lang="en" data-root="${to('/')}" data-live="${caller === undefined ? 'no' : live}" data-csrf="${csrf ?? ''}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Serin</title>
<link rel="stylesheet" href="${to(fileNamed(frame, 'style', 'css'))}">
<script type="module" src="${to(fileNamed(frame, 'page', 'js'))}"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<a class="brand" href="${to('/')}">Serin</a>
<nav aria-label="Pages">${caller === undefined ? '' : navigation.map(link)}</nav>
<p class="who">${environment} · ${caller === undefined ? 'not signed in' : `${caller.name} (${caller.role})`}
${caller === undefined ? '' : html` <button type="button" class="plain" data-sign-out>Sign out</button>`}</p>
</header>
<main id="main" tabindex="-1">
<h1>${title}</h1>
<p class="sentence" id="sentence" data-part>${sentence}</p>
${main}
</main>
<p id="said" role="status"></p>
<footer><p>Serin ${version} · <a href="${to('/docs')}">HTTP API</a> · this page: <code>${path}</code></p></footer>
</body>
</html>`;
}

const fileNamed = ({ files }: Frame, name: string, kind: string): string =>
  [...files.keys()].find((file) => file.startsWith(`/page/${name}-`) && file.endsWith(`.${kind}`)) ??
  `/page/${name}.${kind}`;

/** Asks for a token. The island sends it, so that it never stands in a URL or a log. */
export const signInScreen = ({ query }: { readonly query: URLSearchParams }): Screen => ({
  title: 'Sign in',
  sentence: 'Sign in with a token to see this project.',
  main: html`<form id="sign-in" data-to="${ownPath(query.get('to'))}">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required spellcheck="false">
<button type="submit">Sign in</button>
<p id="sign-in-problem" role="alert"></p>
</form>
<p>An administrator makes one with <code>serin tokens create &lt;name&gt; --role viewer</code>. On one machine <code>serin dev</code> prints a link that signs in.</p>`,
});

/** Only a path of this server: a link must not send somebody who signs in elsewhere. */
const ownPath = (to: string | null): string => (to !== null && /^\/(?![/\\])[^\\]*$/.test(to) ? to : '/');
