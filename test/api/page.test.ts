import { expect, test } from 'vitest';
import { compiled, openWorld } from './world.ts';

const signIn = { 'content-type': 'application/json', 'x-serin-csrf': 'signin' };

async function signedIn(role: 'viewer' | 'operator' = 'operator') {
  const world = await openWorld();
  await world.release(compiled());
  const token = await world.token(role);
  const answer = await world.app.request('/session', {
    method: 'POST',
    headers: signIn,
    body: JSON.stringify({ token }),
  });
  const set = answer.headers.get('set-cookie') ?? '';
  const cookie = set.split(';')[0] ?? '';
  const page = await (await world.app.request('/', { headers: { cookie } })).text();
  const csrf = /data-csrf="(\w+)"/.exec(page)?.[1] ?? '';
  const rollback = (headers: Record<string, string>) =>
    world.app.request('/v1/models/fraud/rollback', {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json', ...headers },
      body: '{}',
    });
  return { ...world, set, cookie, page, csrf, rollback };
}

test('a browser without a token gets the page that asks for one, and nothing of the project', async () => {
  const { app } = await signedIn();

  const answer = await app.request('/models/fraud', { headers: { accept: 'text/html' } });

  expect(answer.status).toBe(200);
  expect(await answer.text()).toMatch(/Sign in with a token(?!.*shop)/s);
});

test('a token that signs in becomes a cookie that no script and no other site can use', async () => {
  const { set, page } = await signedIn();

  expect(set).toMatch(/^serin_session=srn_\S+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
  expect(page).toContain('<h1>shop</h1>');
  expect(page).toContain('(operator)');
});

test('two servers of one machine do not sign each other out: the cookie has the port in its name', async () => {
  const { app, token } = await signedIn();
  const signInAt = async (host: string) =>
    app.request('/session', {
      method: 'POST',
      headers: { ...signIn, host },
      body: JSON.stringify({ token: await token('viewer') }),
    });

  const first = (await signInAt('127.0.0.1:7373')).headers.get('set-cookie')?.split(';')[0] ?? '';
  const second = (await signInAt('127.0.0.1:7374')).headers.get('set-cookie')?.split(';')[0] ?? '';
  const both = { cookie: `${first}; ${second}` };
  const callers = await Promise.all(
    ['127.0.0.1:7373', '127.0.0.1:7374', '127.0.0.1:7375'].map((host) =>
      app.request('/v1/caller', { headers: { ...both, host } }),
    ),
  );

  expect([first, second].map((pair) => pair.split('=')[0])).toEqual(['serin_session_7373', 'serin_session_7374']);
  expect(callers.map(({ status }) => status)).toEqual([200, 200, 401]);
});

test('behind TLS the cookie is bound to its host', async () => {
  const { app, token } = await signedIn();
  const headers = { ...signIn, 'x-forwarded-proto': 'https' };

  const answer = await app.request('/session', {
    method: 'POST',
    headers,
    body: JSON.stringify({ token: await token('viewer') }),
  });

  expect(answer.headers.get('set-cookie')).toMatch(/^__Host-serin_session=.*; Secure$/);
});

test('on a cloud the cookie wants TLS, whatever a proxy says', async () => {
  const { app, token } = await openWorld({ platform: 'aws' });

  const answer = await app.request('/session', {
    method: 'POST',
    headers: { ...signIn, 'x-forwarded-proto': 'http' },
    body: JSON.stringify({ token: await token('viewer') }),
  });

  expect(answer.headers.get('set-cookie')).toMatch(/^__Host-serin_session=.*; Secure$/);
});

test('a request is of whoever its bearer token is of, also where a cookie comes with it', async () => {
  const { app, cookie, token } = await signedIn('operator');
  const viewer = `Bearer ${await token('viewer')}`;

  const answer = await app.request('/v1/caller', { headers: { cookie, authorization: viewer } });

  expect(await answer.json()).toMatchObject({ role: 'viewer' });
});

test('whose token was revoked is asked to sign in, and sees nothing more', async () => {
  const { app, call, cookie } = await signedIn();
  const { tokens } = (await call('GET', '/v1/tokens')).body;
  for (const { id } of tokens) await call('DELETE', `/v1/tokens/${id}`);

  const answer = await app.request('/models/fraud', { headers: { cookie, accept: 'text/html' } });

  expect(answer.status).toBe(200);
  expect(await answer.text()).toMatch(/Sign in with a token(?!.*shop)/s);
});

test('a token that is unknown does not sign in, and a page of another origin cannot try', async () => {
  const { app, token } = await signedIn();
  const body = JSON.stringify({ token: 'srn_unknown' });

  const unknown = await app.request('/session', { method: 'POST', headers: signIn, body });
  const { 'x-serin-csrf': _, ...simple } = signIn;
  const foreign = await app.request('/session', {
    method: 'POST',
    headers: simple,
    body: JSON.stringify({ token: await token('viewer') }),
  });

  expect([unknown.status, foreign.status]).toEqual([401, 403]);
  expect([unknown.headers.get('set-cookie'), foreign.headers.get('set-cookie')]).toEqual([null, null]);
});

test('a change by the cookie wants the header that only the page knows', async () => {
  const { rollback, csrf } = await signedIn();

  const without = await rollback({});
  const wrong = await rollback({ 'x-serin-csrf': 'signin' });
  const right = await rollback({ 'x-serin-csrf': csrf });

  expect([without.status, wrong.status]).toEqual([403, 403]);
  // There is nothing to go back to: the request was allowed, and refused by the model.
  expect(right.status).toBe(409);
});

test('whoever signs out has no cookie any more', async () => {
  const { app, cookie } = await signedIn();

  const answer = await app.request('/session', { method: 'DELETE', headers: { cookie } });

  expect(answer.headers.get('set-cookie')).toMatch(/^serin_session=; Path=\/; Max-Age=0/);
});

test('tools get problem documents as before, and only browsers get pages', async () => {
  const { app, cookie } = await signedIn();

  const tool = await app.request('/nothing', { headers: { cookie } });
  const browser = await app.request('/nothing', { headers: { cookie, accept: 'text/html' } });

  expect([tool.status, tool.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
  expect(browser.status).toBe(404);
  expect(await browser.text()).toContain('there is no page /nothing');
});

test('the page runs only scripts and styles of its own server, each named by its content', async () => {
  const { app, cookie, page } = await signedIn();
  const files = [...page.matchAll(/(?:src|href)="\.(\/page\/[^"]+)"/g)].map(([, file = '']) => file);

  const answers = await Promise.all(files.map((file) => app.request(file)));
  const policy = (await app.request('/', { headers: { cookie } })).headers.get('content-security-policy');

  expect(files).toHaveLength(3);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(answers[0]?.headers.get('cache-control')).toContain('immutable');
  expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
  expect(page).not.toMatch(/<script(?![^>]*src=)|\sstyle=|\son\w+=/);
});
