import { routeTable } from '@serin/api/app';
import { mayAct, type Role, roleSchema } from '@serin/api/roles';
import { pathParameters, type Route } from '@serin/api/route';
import { visibleTo } from '@serin/api/visible';
import { describe, expect, test } from 'vitest';
import { adminToken, memoryLog, openWorld, type World } from './world.ts';

const roles = roleSchema.options;

/** The table itself, so that a route which is added is tested at once. */
async function table(): Promise<readonly Route[]> {
  let routes: readonly Route[] = [];
  await openWorld({ onDefect: () => undefined }).then(({ ports, engine }) => {
    routes = routeTable({
      ports,
      engine,
      now: () => 0,
      newId: (prefix) => prefix,
      config: async () => undefined,
      secrets: { github: [], standard: [] },
      version: '0',
      environment: 'test',
      platform: 'local',
      problemsOf: () => [],
      source: 'test',
      nudge: () => undefined,
    });
  });
  return routes;
}

const routes = await table();

/** A world in which each id that a path may name exists and belongs to `fraud`. */
async function withEverything() {
  const world = await openWorld();
  await world.release();
  await world.drop();
  await world.drop('fraud/b.csv', 'day,amount\n2026-01-02,2\n', 30_000);
  const { run, rollout } = await world.model();
  const { datasets } = (await world.call('GET', '/v1/models/fraud/datasets')).body;
  return { world, run: run.id, rollout: rollout.id, digest: datasets[0].digest };
}

type Everything = Awaited<ReturnType<typeof withEverything>>;

function pathOf({ path }: Route, { run, rollout, digest }: Everything): string {
  const id = path.startsWith('/v1/runs')
    ? run
    : path.startsWith('/v1/rollouts')
      ? rollout
      : path.startsWith('/v1/why')
        ? 'fraud'
        : 'none';
  const values: Readonly<Record<string, string>> = {
    model: 'fraud',
    number: '1',
    digest,
    id,
    bucket: 'drops',
    key: 'fraud%2Fc.csv',
  };
  return pathParameters(path).reduce(
    (text, name) => text.replace(new RegExp(`\\{${name}\\*?\\}`), values[name] ?? ''),
    path,
  );
}

/** A body that the route would take, so that a refusal can only be about who sends it. */
const bodies: Readonly<Record<string, unknown>> = {
  '/v1/runs': { model: 'fraud' },
  '/v1/freeze': { because: 'x' },
  '/v1/tokens': { name: 'x', role: 'viewer' },
  '/v1/events/replay': { stream: 'model/fraud', from: 1 },
};
const alarm = { specversion: '1.0', id: 'a', source: 's', type: 'dev.serin.alert.raised.v1', data: { model: 'fraud' } };
const alertmanager = { version: '4', alerts: [{ status: 'firing', labels: { model: 'fraud' }, startsAt: 'now' }] };

const takes = (route: Route) => route.method === 'post' || route.method === 'put';

function send(world: World, route: Route, path: string, token: string | undefined) {
  const body =
    route.path === '/v1/events'
      ? alarm
      : route.path === '/v1/hooks/alertmanager'
        ? alertmanager
        : (bodies[route.path] ?? {});
  const type = route.path === '/v1/events' ? 'application/cloudevents+json' : 'application/json';
  return world.app.request(path, {
    method: route.method.toUpperCase(),
    headers: {
      accept: 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(takes(route) ? { 'content-type': type } : {}),
    },
    ...(takes(route) ? { body: JSON.stringify(body) } : {}),
  });
}

const guarded = routes.filter(({ role }) => role !== 'public' && role !== 'signed');
const seqs = (world: World) =>
  world.journal
    .streams()
    .filter((stream) => stream.startsWith('model/') || stream === 'project')
    .map((stream) => `${stream}#${world.journal.entries(stream).length}`);

describe('who may do what, over every route there is', () => {
  test('what needs no token is exactly this', () => {
    const open = routes
      .filter(({ role }) => role === 'public' || role === 'signed')
      .map(({ method, path, role }) => `${role} ${method} ${path}`);

    expect(open.sort()).toEqual([
      'public delete /session',
      'public get /docs',
      'public get /livez',
      'public get /openapi.json',
      'public get /readyz',
      'public get /version',
      'public post /session',
      'signed post /v1/hooks/github',
      'signed post /v1/hooks/standard',
    ]);
  });

  test('on a cloud, where each answer costs its owner, documents and the state of the store want a token as well', async () => {
    const { app } = await openWorld({ platform: 'aws' });

    for (const path of ['/docs', '/openapi.json', '/readyz']) {
      expect([path, (await app.request(path)).status]).toEqual([path, 401]);
      expect([path, (await app.request(path, { headers: { authorization: `Bearer ${adminToken}` } })).status]).toEqual([
        path,
        200,
      ]);
    }
    expect((await app.request('/livez')).status).toBe(200);
  });

  test('by the cookie of the page nothing is changed without the header of its session', async () => {
    const everything = await withEverything();
    const { world } = everything;
    const cookie = `serin_session=${await world.token('admin')}`;
    const before = seqs(world);

    const statuses = await Promise.all(
      guarded
        .filter(({ method }) => method !== 'get')
        .map(async (route) => {
          const path = pathOf(route, everything);
          const headers = { cookie, 'x-serin-csrf': 'signin', 'content-type': 'application/json' };
          const method = route.method.toUpperCase();
          const bare = await world.app.request(path, { method, headers: { cookie } });
          const wrong = await world.app.request(path, { method, headers, ...(takes(route) ? { body: '{}' } : {}) });
          return [`${route.method} ${route.path}`, bare.status, wrong.status];
        }),
    );

    expect(statuses.length).toBeGreaterThan(20);
    expect(statuses.filter(([, ...both]) => both.join() !== '403,403')).toEqual([]);
    expect(seqs(world)).toEqual(before);
  });

  test('a session ends with its token: the page asks for another, and its event stream closes', async () => {
    const world = await openWorld({ events: memoryLog(), heartbeatMs: 5 });
    await world.release();
    const { body } = await world.call('POST', '/v1/tokens', { name: 'vera', role: 'viewer' });
    const cookie = `serin_session=${body.token}`;
    const stream = await world.app.request('/v1/events', { headers: { cookie } });
    const open = await world.app.request('/', { headers: { cookie } });

    await world.call('DELETE', `/v1/tokens/${body.id}`);
    const sent = await stream.text();
    const after = await world.app.request('/', { headers: { cookie } });

    expect(await open.text()).toContain('vera (viewer)');
    expect(await after.text()).toMatch(/Sign in with a token(?!.*shop)/s);
    expect(sent).toContain(': connected');
  });

  test('the text of a token stands in no page that it opens', async () => {
    const { world, run, rollout } = await withEverything();
    const token = await world.token('admin');
    const paths = ['/', '/tokens', '/audit?stream=access', `/runs/${run}`, `/rollouts/${rollout}`, '/models/fraud'];

    const pages = await Promise.all(
      paths.map(async (path) =>
        (await world.app.request(path, { headers: { cookie: `serin_session=${token}`, accept: 'text/html' } })).text(),
      ),
    );

    expect(pages.filter((page) => page.includes(token))).toEqual([]);
  });

  test('without a token, with a wrong one, or with a revoked one: 401, and nothing changes', async () => {
    const everything = await withEverything();
    const { world } = everything;
    const { body } = await world.call('POST', '/v1/tokens', { name: 'gone', role: 'admin' });
    await world.call('DELETE', `/v1/tokens/${body.id}`);
    const before = seqs(world);

    for (const route of guarded)
      for (const token of [undefined, 'srn_wrong', '', body.token]) {
        const response = await send(world, route, pathOf(route, everything), token);
        expect([route.path, response.status]).toEqual([route.path, 401]);
        expect(response.headers.get('www-authenticate')).toContain('Bearer');
      }
    expect(seqs(world)).toEqual(before);
  });

  test.each(roles)('as %s: 403 exactly where the route wants another role', async (role: Role) => {
    const everything = await withEverything();
    const { world } = everything;
    const token = await world.token(role);
    const actor = { subject: 'x', issuer: 'token', role } as const;

    for (const route of guarded) {
      const may = mayAct({ token: 't', actor }, route.role as Role);
      const before = seqs(world);
      const response = await send(world, route, pathOf(route, everything), token);
      expect([role, route.method, route.path, response.status === 403]).toEqual([role, route.method, route.path, !may]);
      if (!may) expect(seqs(world)).toEqual(before);
      await response.body?.cancel();
    }
  });

  test('scoped to another model: nothing of a foreign model is seen, moved or known to exist', async () => {
    const everything = await withEverything();
    const { world } = everything;
    const token = await world.token('admin', ['churn']);
    const before = seqs(world);

    for (const route of guarded) {
      const response = await send(world, route, pathOf(route, everything), token);
      const text = await response.text();
      const where = `${route.method} ${route.path}`;
      if (route.scope === 'project') expect([where, response.status]).toEqual([where, 403]);
      else if (pathParameters(route.path).length > 0 || takes(route)) {
        expect([where, [403, 404, 422].includes(response.status) || isList(route)]).toEqual([where, true]);
      }
      // A problem repeats the path that was asked for, and nothing else.
      const said =
        response.status < 400
          ? text
          : text
              .replaceAll(pathOf(route, everything), '')
              .replaceAll(`'${everything.run}'`, '')
              .replaceAll(`'${everything.rollout}'`, '');
      expect([where, said.includes('"fraud"') || said.includes(everything.run)]).toEqual([where, false]);
    }
    expect(seqs(world)).toEqual(before);
    expect((await world.call('GET', '/v1/status', undefined, { token })).body.models).toMatchObject([
      { model: 'churn' },
    ]);
  });

  test('a signal for a foreign model, or for the project, is stopped at the last door as well', async () => {
    const { world } = await withEverything();
    const caller = { token: 't', actor: { subject: 'x', issuer: 'token', role: 'admin' }, models: ['churn'] } as const;
    const project = visibleTo(caller, {
      engine: world.engine,
      journal: world.ports.journal,
      now: world.now,
      nudge: () => undefined,
    });
    const before = seqs(world);

    await expect(project.tell('fraud', { type: 'cancelRequested' }, 'x')).rejects.toThrow("there is no model 'fraud'");
    await expect(project.tellProject({ type: 'thawRequested' }, 'x')).rejects.toThrow(
      'use a token that is not scoped to models',
    );
    expect(seqs(world)).toEqual(before);
  });

  test('a foreign model and one that does not exist are answered alike', async () => {
    const { world, run } = await withEverything();
    const token = await world.token('viewer', ['churn']);
    const answer = async (path: string) => {
      const { status, body } = await world.call('GET', path, undefined, { token });
      return [status, body.code, body.detail.replace(/'[^']*'/g, "''")];
    };

    expect(await answer('/v1/models/fraud')).toEqual(await answer('/v1/models/nothing'));
    expect(await answer(`/v1/runs/${run}`)).toEqual(await answer('/v1/runs/run_00000000000'));
    expect(await answer('/v1/why/fraud@1')).toEqual(await answer('/v1/why/nothing@1'));
  });
});

/** A list of something that no model owns answers what the caller may see: nothing. */
const isList = ({ path, method }: Route): boolean => method === 'get' && path === '/v1/buckets/{bucket}/objects';

describe('tokens', () => {
  test('expire by the clock, and are listed without their text or hash', async () => {
    const world = await openWorld();
    const { body } = await world.call('POST', '/v1/tokens', {
      name: 'short',
      role: 'viewer',
      expiresAt: new Date(world.now() + 60_000).toISOString(),
    });
    expect((await world.call('GET', '/v1/models', undefined, { token: body.token })).status).toBe(200);

    await world.pass(61_000);

    expect((await world.call('GET', '/v1/models', undefined, { token: body.token })).status).toBe(401);
    const list = await world.call('GET', '/v1/tokens');
    expect(list.body.tokens).toEqual([{ ...body, token: undefined }]);
    expect(JSON.stringify(list.body)).not.toMatch(/[0-9a-f]{64}/);
  });

  test('are good from when they were made until they are revoked, though they are kept in mind between', async () => {
    const world = await openWorld();
    const make = async (name: string) => (await world.call('POST', '/v1/tokens', { name, role: 'viewer' })).body;
    const ask = async ({ token }: { token: string }) =>
      (await world.call('GET', '/v1/models', undefined, { token })).status;
    const ann = await make('ann');
    expect(await ask(ann)).toBe(200);

    const bob = await make('bob');
    expect([await ask(ann), await ask(bob)]).toEqual([200, 200]);
    await world.call('DELETE', `/v1/tokens/${ann.id}`);

    expect([await ask(ann), await ask(bob)]).toEqual([401, 200]);
  });

  test('of one name are refused: names are what four eyes compare', async () => {
    const world = await openWorld();
    await world.call('POST', '/v1/tokens', { name: 'ann', role: 'operator' });

    expect((await world.call('POST', '/v1/tokens', { name: 'ann', role: 'approver' })).status).toBe(409);
    expect((await world.call('POST', '/v1/tokens', { name: 'admin', role: 'approver' })).status).toBe(409);
  });

  test.each(['serin', 'gate', 'time', 'nobody'])(
    "of the name '%s', which records have for nobody's act, are refused",
    async (name) => {
      const world = await openWorld();

      const { status, body } = await world.call('POST', '/v1/tokens', { name, role: 'approver' });

      expect([status, body.detail]).toEqual([
        409,
        `the token cannot be named '${name}', which Serin writes into records itself; choose another name`,
      ]);
    },
  );

  test('of one name that are asked for at once are one', async () => {
    const world = await openWorld();
    const asked = Array.from({ length: 5 }, () => world.call('POST', '/v1/tokens', { name: 'ann', role: 'operator' }));

    const statuses = (await Promise.all(asked)).map(({ status }) => status).sort();

    expect(statuses).toEqual([201, 409, 409, 409, 409]);
    expect((await world.call('GET', '/v1/tokens')).body.tokens).toHaveLength(1);
  });

  test('of several names that are asked for at once are all there', async () => {
    const world = await openWorld();
    const names = ['ann', 'bob', 'eve'];
    const asked = names.map((name) => world.call('POST', '/v1/tokens', { name, role: 'viewer' }));

    const statuses = (await Promise.all(asked)).map(({ status }) => status);

    expect(statuses).toEqual([201, 201, 201]);
    const { tokens } = (await world.call('GET', '/v1/tokens')).body;
    expect(tokens.map(({ name }: { name: string }) => name).sort()).toEqual(names);
  });

  test('made and revoked leave an audited trail of who did it', async () => {
    const world = await openWorld();
    const { body } = await world.call('POST', '/v1/tokens', { name: 'ann', role: 'operator' });
    await world.call('DELETE', `/v1/tokens/${body.id}`);

    const entries = world.journal.entries('access');
    expect(entries.map(({ signal }) => signal)).toMatchObject([
      { type: 'tokenCreated', name: 'ann' },
      { type: 'tokenRevoked' },
    ]);
    expect(entries.map(({ actor }) => actor.subject)).toEqual(['admin', 'admin']);
    expect((await world.call('GET', '/v1/audit/verify?stream=access')).body).toMatchObject({ ok: true, entries: 2 });
  });
});

describe('the edges of HTTP', () => {
  test('an unknown path is a 404, another method of a known one a 405 that says which', async () => {
    const world = await openWorld();

    expect((await world.call('GET', '/v2/models')).status).toBe(404);
    const { status, headers, body } = await world.call('DELETE', '/v1/models');
    expect([status, headers.get('allow'), body.code]).toEqual([405, 'GET', 'methodNotAllowed']);
  });

  test('a body that is too large is a 413, one of another type a 415, one that is no JSON a 400', async () => {
    const world = await openWorld({ maxObjectBytes: 100 });
    const post = (body: string, type: string) =>
      world.app.request('/v1/runs', {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${adminToken}`, 'content-type': type },
      });

    expect((await post(JSON.stringify({ model: 'x'.repeat(1_000_001) }), 'application/json')).status).toBe(413);
    expect((await post('model=fraud', 'application/x-www-form-urlencoded')).status).toBe(415);
    expect((await post('{', 'application/json')).status).toBe(400);
    expect((await post('{"model":"fraud","__proto__":{"x":1}}', 'application/json')).status).toBe(400);
    expect((await post('['.repeat(400_000), 'application/json')).status).toBe(400);
    expect((await world.put('fraud/a.csv', 'x'.repeat(101))).status).toBe(413);
  });

  test('what nobody foresaw is a 500 without its text, and is told to the log', async () => {
    const told: unknown[] = [];
    const world = await openWorld({
      onDefect: (id, error) => told.push([id, String(error)]),
      config: () => Promise.reject(new Error('the password is hunter2')),
    });

    const { status, body } = await world.call('GET', '/v1/buckets/drops/objects');

    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('hunter2');
    expect(told).toEqual([[body.requestId, 'Error: the password is hunter2']]);
  });

  test('a store that cannot be reached is a 503 with Retry-After, and not ready', async () => {
    const { ports } = await openWorld();
    const down = () => Promise.reject(new Error('no route to host'));
    const world = await openWorld({ ports: { ...ports, journal: { ...ports.journal, head: down } } });

    expect((await world.app.request('/livez')).status).toBe(200);
    const ready = await world.app.request('/readyz');
    expect([ready.status, ready.headers.get('retry-after')]).toEqual([503, '5']);
  });

  test('the page of the API needs no script and no other host', async () => {
    const { app } = await openWorld();

    const response = await app.request('/docs');
    const html = await response.text();

    expect(response.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]{44}'/,
    );
    expect(html).not.toMatch(/<script|https?:\/\/|<link|<img/);
    for (const { path } of routes.filter(({ path }) => path.startsWith('/v1'))) expect(html).toContain(path);
  });
});
