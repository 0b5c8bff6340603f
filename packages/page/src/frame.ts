import { html } from 'hono/html';
import { mayNot } from './action.ts';
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
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly files: ReadonlyMap<string, Asset>;
}

interface Section {
  readonly title: string;
  readonly path: string;
  /** Without it the page is not linked. */
  readonly role: 'viewer' | 'operator' | 'admin';
  readonly isOfProject?: true;
}

/** All sections, in two groups: what there is, and what looks after it. */
const navigation: readonly (readonly Section[])[] = [
  [
    { title: 'Overview', path: '/', role: 'viewer' },
    { title: 'Models', path: '/models', role: 'viewer' },
    { title: 'Versions', path: '/versions', role: 'viewer' },
    { title: 'Runs', path: '/runs', role: 'viewer' },
    { title: 'Rollouts', path: '/rollouts', role: 'viewer' },
    { title: 'Datasets', path: '/datasets', role: 'viewer' },
    { title: 'Labels', path: '/labels', role: 'viewer' },
  ],
  [
    { title: 'Events', path: '/events', role: 'viewer' },
    { title: 'Dead letters', path: '/dead-letters', role: 'operator' },
    { title: 'Freezes', path: '/freezes', role: 'viewer' },
    { title: 'Audit', path: '/audit', role: 'operator' },
    { title: 'Tokens', path: '/tokens', role: 'admin', isOfProject: true },
  ],
];

/** A whole document. The parts of `<main>` are what a live page renews. */
export function framed(frame: Frame, { title, sentence, main, section, isStill }: Screen): Html | Promise<Html> {
  const { to, csrf, caller, version, environment, live, path, now } = frame;
  return html`<!DOCTYPE html>
<html lang="en" data-root="${to('/')}" data-live="${caller === undefined || isStill === true ? 'no' : live}" data-csrf="${csrf ?? ''}" data-now="${now}" data-worker="${to(fileNamed(frame, 'news', 'js'))}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Serin</title>
<link rel="icon" href="${to(fileNamed(frame, 'icon', 'svg'))}">
<link rel="stylesheet" href="${to(fileNamed(frame, 'style', 'css'))}">
<script type="module" src="${to(fileNamed(frame, 'page', 'js'))}"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<a class="brand" href="${to('/')}">Serin</a>
<p class="who"><span id="connection" role="status"></span> ${environment} · ${caller === undefined ? 'not signed in' : `${caller.name} (${caller.role})`}
${caller === undefined ? '' : html` <button type="button" class="link" data-sign-out>Sign out</button>`}</p>
</header>
<div class="${caller === undefined ? 'alone' : 'columns'}">
${caller === undefined ? '' : links(frame, caller, section)}
<main id="main" tabindex="-1">
<h1>${title}</h1>
<p class="sentence" id="sentence" data-part>${sentence}</p>
${main}
</main>
</div>
<p id="said" role="status"></p>
<footer><p>Serin ${version} · <a href="${to('/docs')}">HTTP API</a> · this page: <code>${path}</code></p></footer>
</body>
</html>`;
}

/** The sections that this caller may see, and for the others why not. */
function links({ to }: Frame, caller: Caller, section: string | undefined): Html | Promise<Html> {
  const link = ({ title, path }: Section) =>
    html`<li><a href="${to(path)}"${title === section ? html` aria-current="page"` : ''}>${title}</a></li>`;
  const missing = navigation.flat().filter((each) => mayNot(caller, each) !== undefined);
  const groups = navigation.map(
    (group) => html`<ul>${group.filter((each) => mayNot(caller, each) === undefined).map(link)}</ul>`,
  );
  return html`<nav aria-label="Pages">${groups}${missing.map((each) => html`<p class="missing">${each.title}: ${mayNot(caller, each) ?? ''}</p>`)}</nav>`;
}

const fileNamed = ({ files }: Frame, name: string, kind: string): string =>
  [...files.keys()].find((file) => file.startsWith(`/page/${name}-`) && file.endsWith(`.${kind}`)) ??
  `/page/${name}.${kind}`;

/** Asks for a token. The island sends it, so that it never stands in a URL or a log. */
export const signInScreen = ({ path, query }: { readonly path: string; readonly query: URLSearchParams }): Screen => ({
  title: 'Sign in',
  sentence: 'Sign in with a token to see this project.',
  main: html`<form id="sign-in" data-to="${ownPath(path === '/signin' ? query.get('to') : wholePath(path, query))}">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required spellcheck="false">
<p id="sign-in-warning" class="warning"></p>
<button type="submit" class="main">Sign in</button>
<p id="sign-in-problem" role="alert"></p>
</form>
<p>An administrator makes one with <code>serin tokens create &lt;name&gt; --role viewer</code>. On one machine <code>serin dev</code> prints a link that signs in, and <code>serin serve</code> keeps the first token in <code>admin.token</code> of its data directory.</p>`,
});

const wholePath = (path: string, query: URLSearchParams): string => (query.size === 0 ? path : `${path}?${query}`);

/** Only a path of this server: a link must not send somebody who signs in elsewhere. */
const ownPath = (to: string | null): string => (to !== null && /^\/(?![/\\])[^\\]*$/.test(to) ? to : '/');
