import { sha256Hex } from '@serin/core/base/json';
import { bearerOf } from './access.ts';
import { Problem } from './problem.ts';

export const csrfHeader = 'x-serin-csrf';
/** A browser forgets it after half a day. */
const lifeSeconds = 12 * 3600;

type HeaderOf = (name: string) => string | undefined;

/** The token of a request: of its `Authorization` header, else of the page's cookie. */
export function tokenOf(header: HeaderOf): string | undefined {
  return bearerOf(header('authorization')) ?? tokenInCookie(header);
}

function tokenInCookie(header: HeaderOf): string | undefined {
  const pairs = (header('cookie') ?? '').split(';').map((pair) => pair.trim());
  const named = namesOf(header).map((name) => pairs.find((pair) => pair.startsWith(`${name}=`)));
  return /=([\x21-\x3a\x3c-\x7e]{1,512})$/.exec(named.find((pair) => pair !== undefined) ?? '')?.[1];
}

/**
 * The cookie of the page with TLS, and without. The prefix binds it to this host; nothing binds it to a port, so the name
 * does: two servers of one machine would sign each other out. https://www.rfc-editor.org/rfc/rfc6265#section-8.5
 */
function namesOf(header: HeaderOf): readonly [secure: string, plain: string] {
  const port = /:(\d{1,5})$/.exec(header('host') ?? '')?.[1];
  const name = port === undefined ? 'serin_session' : `serin_session_${port}`;
  return [`__Host-${name}`, name];
}

/** What a page must send with a request that changes something: only a page that this server made knows it. */
export const csrfOf = (token: string): string => sha256Hex(`serin csrf ${token}`).slice(0, 32);

/** A browser sends the cookie by itself, so a change wants proof that the page meant it. */
export function refuseForeignChange(method: string, header: HeaderOf, token: string): void {
  if (method === 'get' || bearerOf(header('authorization')) !== undefined) return;
  if (header(csrfHeader) !== csrfOf(token))
    throw new Problem('forbidden', `the request has no ${csrfHeader} of this session; reload the page, then try again`);
}

/** On one machine the page is read without TLS; everywhere else, and behind a proxy with TLS, the cookie wants it. */
const isSecure = (platform: string, header: HeaderOf): boolean =>
  platform !== 'local' || /^https\b/i.test(header('x-forwarded-proto') ?? '');

/** The cookie that keeps a token for the page: no script can read it, and no other site can have it sent. */
export function sessionCookie(token: string, platform: string, header: HeaderOf): string {
  const secure = isSecure(platform, header);
  const [secureName, plainName] = namesOf(header);
  return `${secure ? secureName : plainName}=${token}; Path=/; Max-Age=${token === '' ? 0 : lifeSeconds}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}
