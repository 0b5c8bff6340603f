import { html } from 'hono/html';
import { type Asset, assets, isAssetPath } from './assets.ts';
import { type Caller, type Frame, framed, signInScreen } from './frame.ts';
import { createLook, Unanswered } from './look.ts';
import { type Screen, viewOf } from './views.ts';

/** What the page stands on. It knows the API only over HTTP: all that it shows is also to be had there. */
export interface PageRequest {
  /** As in the request line, percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Asks the API for a path such as `/v1/status`, with the caller's token; absent: nobody has signed in. */
  readonly call?: (path: string) => Promise<Response>;
  /** What a request that changes something must carry in `x-serin-csrf`. */
  readonly csrf?: string;
  /** Milliseconds since the epoch: what "ago" counts from. */
  readonly now: number;
  readonly version: string;
  readonly environment: string;
  /** How a page that is open hears of news. */
  readonly live: 'events' | 'poll';
}

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Scripts and styles come from this server only, and none stands in the page. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** Answers a request of a browser: a page, or a file that a page needs. What no path names is a page that says so. */
export async function answerPage(request: PageRequest): Promise<PageAnswer> {
  if (isAssetPath(request.path)) return answerAsset((await assets()).get(request.path));
  const { call } = request;
  if (call === undefined || request.path === '/signin')
    return answerHtml(200, request, signInScreen(request), undefined);
  try {
    const look = createLook(call);
    const caller = await look.get<Caller>('/v1/caller');
    const { status, screen } = await screenFor(request, look, caller);
    return answerHtml(status, request, screen, caller);
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    // A token that was revoked, or that expired: sign in again.
    if (error.status === 401) return answerHtml(200, request, signInScreen(request), undefined);
    return answerHtml(error.status, request, failed(error, linkFrom(request.path)), undefined);
  }
}

async function screenFor(
  request: PageRequest,
  look: ReturnType<typeof createLook>,
  caller: Caller,
): Promise<{ readonly status: number; readonly screen: Screen }> {
  const view = viewOf(request.path);
  if (view === undefined) return { status: 404, screen: missing(`there is no page ${request.path.slice(0, 200)}`) };
  const { path, query, now } = request;
  try {
    return {
      status: 200,
      screen: await view.show({ look, caller, params: view.params, query, now, to: linkFrom(path) }),
    };
  } catch (error) {
    if (!(error instanceof Unanswered) || error.status === 401) throw error;
    return {
      status: error.status,
      screen: error.status === 404 ? missing(error.message) : failed(error, linkFrom(path)),
    };
  }
}

const missing = (sentence: string): Screen => ({
  title: 'Not found',
  sentence,
  main: html`<p>Look at the <a href="./" data-root>overview</a> for what there is.</p>`,
});

const failed = (error: Unanswered, to: (path: string) => string): Screen => ({
  title: error.status === 403 ? 'Not for this token' : 'Not answered',
  sentence: error.message,
  main:
    error.status === 403
      ? html`<p><a href="${to('/signin')}">Sign in with another token</a>.</p>`
      : html`<p>The API answered ${error.path} with status ${error.status}. Reload the page to ask again.</p>`,
});

/** Links are relative, so that the page works below any path of a proxy or a gateway. */
const linkFrom =
  (path: string) =>
  (target: string): string => {
    const depth = path.split('/').length - 2;
    return `${depth === 0 ? './' : '../'.repeat(depth)}${target.replace(/^\//, '')}`;
  };

function answerAsset(asset: Asset | undefined): PageAnswer {
  if (asset === undefined)
    return {
      status: 404,
      headers: { 'content-type': 'text/plain' },
      body: 'this file belongs to another version of the page; reload the page\n',
    };
  // The name says the content, so a browser may keep it for ever.
  // What a worker may do is said with its file: https://www.w3.org/TR/CSP3/#worker-src
  const headers = {
    'content-type': asset.type,
    'cache-control': 'public, max-age=31536000, immutable',
    'content-security-policy': "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'",
  };
  return { status: 200, headers, body: asset.text };
}

async function answerHtml(
  status: number,
  request: PageRequest,
  screen: Screen,
  caller: Caller | undefined,
): Promise<PageAnswer> {
  const { path, csrf, version, environment, live, now } = request;
  const frame: Frame = {
    path,
    to: linkFrom(path),
    csrf,
    caller,
    version,
    environment,
    live,
    now,
    files: await assets(),
  };
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy },
    body: String(await framed(frame, screen)),
  };
}
