import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  adminToken,
  compiled,
  githubSecrets,
  memoryLog,
  modelRules,
  openWorld,
  standardSecret,
  start,
  type World,
} from './world.ts';

async function withChampion(rules: Parameters<typeof compiled>[0] = {}) {
  const world = await openWorld();
  await world.release(compiled(rules));
  await world.drop();
  return world;
}

const event = (more: Record<string, unknown>) => ({
  specversion: '1.0',
  id: 'e1',
  source: 'https://ci.example',
  ...more,
});
const cloudEvent = (world: World, body: unknown, token = adminToken, type = 'application/cloudevents+json') =>
  world.call('POST', '/v1/events', body, { token, headers: { 'content-type': type } });

describe('CloudEvents in', () => {
  test('data that has arrived elsewhere is looked at by the models that take it', async () => {
    const world = await withChampion();

    const { status, body } = await cloudEvent(
      world,
      event({ type: 'dev.serin.data.arrived.v1', data: { bucket: 'drops', key: 'fraud/x.csv' } }),
    );

    expect(status).toBe(202);
    expect(body.results).toEqual([{ id: 'e1', model: 'fraud', outcome: 'accepted' }]);
    expect((await world.model()).intake.status).toBe('settling');
  });

  test('an alert takes the release back at once, and its redelivery does nothing', async () => {
    const world = await withChampion({ alerts: { types: ['com.example.alarm'] } });
    await world.drop('fraud/b.csv', 'day,amount\n2026-01-02,2\n', 30_000);
    const alarm = event({ type: 'com.example.alarm', subject: 'models/fraud', time: '2026-01-01T00:00:00Z' });

    const first = await cloudEvent(world, alarm);
    const again = await cloudEvent(world, alarm);
    await world.pay();

    expect([first.status, again.status]).toEqual([202, 200]);
    expect(again.body.results).toMatchObject([{ outcome: 'repeated' }]);
    const { body } = await world.call('GET', '/v1/rollouts?status=rolledBack');
    expect(body.rollouts).toMatchObject([
      { version: 2, because: 'alert from https://ci.example: com.example.alarm (models/fraud)' },
    ]);
  });

  test('an alert acts once until it is resolved', async () => {
    const world = await withChampion();
    const raise = (id: string) =>
      event({
        id,
        type: 'dev.serin.alert.raised.v1',
        subject: 'p99',
        time: '2026-01-01T00:00:00Z',
        data: { model: 'churn' },
      });

    await cloudEvent(world, raise('a'));
    expect((await cloudEvent(world, raise('b'))).body.results).toMatchObject([{ outcome: 'ignored' }]);
    const resolved = event({ id: 'c', type: 'dev.serin.alert.resolved.v1', subject: 'p99', data: { model: 'churn' } });
    expect((await cloudEvent(world, resolved)).status).toBe(202);
    expect((await world.model('churn')).monitor.status).toBe('quiet');
  });

  test('in binary and in batch mode are the same', async () => {
    const world = await withChampion();
    const binary = await world.call(
      'POST',
      '/v1/events',
      { model: 'fraud', force: true },
      {
        headers: { 'ce-specversion': '1.0', 'ce-id': 'b1', 'ce-source': 's', 'ce-type': 'dev.serin.run.requested.v1' },
      },
    );
    expect([binary.status, binary.body.results[0].outcome]).toEqual([202, 'accepted']);

    const batch = await cloudEvent(
      world,
      [
        event({ id: 'x', type: 'dev.serin.data.arrived.v1', data: { bucket: 'drops', key: 'fraud/x' } }),
        event({ id: 'y', type: 'dev.serin.data.arrived.v1', data: { bucket: 'drops', key: 'churn/x' } }),
      ],
      adminToken,
      'application/cloudevents-batch+json',
    );
    expect(batch.body.results).toMatchObject([
      { id: 'x', model: 'fraud' },
      { id: 'y', model: 'churn' },
    ]);
  });

  test('for no model are a 422 with the reason; a batch with one of them changes nothing', async () => {
    const world = await withChampion();
    const { seq } = await world.model();
    const lost = event({ type: 'dev.serin.data.arrived.v1', data: { bucket: 'drops', key: 'other/x.csv' } });
    const good = event({ id: 'g', type: 'dev.serin.data.arrived.v1', data: { bucket: 'drops', key: 'fraud/x.csv' } });

    expect(await cloudEvent(world, lost)).toMatchObject({
      status: 422,
      body: { detail: "no model takes data or labels from 'drops' under that key" },
    });
    expect((await cloudEvent(world, [good, lost], adminToken, 'application/cloudevents-batch+json')).status).toBe(422);
    expect((await cloudEvent(world, event({ type: 'com.example.alarm', subject: 'unknown' }))).status).toBe(422);
    expect((await world.model()).seq).toBe(seq);
  });

  test('that Serin itself sends are refused: an echo must not roll anything back', async () => {
    const world = await withChampion();

    for (const { type, subject, data } of world.events())
      expect((await cloudEvent(world, event({ type, subject, data }))).status).toBe(422);
    expect((await world.model()).monitor.status).toBe('quiet');
  });

  test.each([
    ['dev.cdevents.incident.resolved.0.2.0', { subject: 'models/fraud' }],
    ['org.mlflow.model_version.created', { data: { model: 'fraud', version: 3 } }],
  ])('of a type that nobody said is an alarm take nothing back: %s', async (type, named) => {
    const world = await withChampion({ alerts: { types: ['com.example.alarm'] } });
    await world.drop('fraud/b.csv', 'day,amount\n2026-01-02,2\n', 30_000);

    const { status, body } = await cloudEvent(world, event({ type, ...named }));

    expect(status).toBe(422);
    expect(body.detail).toBe(
      `'${type}' is not known to be an alarm of 'fraud', which takes dev.serin.alert.raised.v1, dev.serin.alert.resolved.v1, com.example.alarm; list it in alerts.types if it is one`,
    );
    expect((await world.model()).rollout.status).not.toBe('reverting');
  });

  test('of a tool that the config lists with its ends fire until their end comes', async () => {
    const types = [{ raised: 'com.example.firing', resolved: 'com.example.fine' }];
    const world = await withChampion({ alerts: { types } });

    await cloudEvent(world, event({ id: 'a', type: 'com.example.firing', subject: 'p99', data: { model: 'fraud' } }));
    expect((await world.model()).monitor.status).toBe('alarmed');
    await cloudEvent(world, event({ id: 'b', type: 'com.example.fine', subject: 'p99', data: { model: 'fraud' } }));

    expect((await world.model()).monitor.status).toBe('quiet');
  });

  test('of one batch that say that an alarm fired and ended take nothing back', async () => {
    const world = await withChampion();
    await world.drop('fraud/b.csv', 'day,amount\n2026-01-02,2\n', 30_000);
    const both = ['raised', 'resolved'].map((what) =>
      event({ id: what, type: `dev.serin.alert.${what}.v1`, data: { model: 'fraud', fingerprint: 'f' } }),
    );

    const { body } = await cloudEvent(world, both, adminToken, 'application/cloudevents-batch+json');

    expect(body.results).toMatchObject([
      { outcome: 'ignored', because: 'its end was told with it' },
      { outcome: 'ignored' },
    ]);
    expect((await world.model()).monitor.status).toBe('quiet');
  });

  test('whose attributes are null are as without them', async () => {
    const world = await withChampion();
    const nulls = { subject: null, time: null, dataschema: null, tenant: null };

    const raised = event({ type: 'dev.serin.alert.raised.v1', data: { model: 'fraud' }, ...nulls });

    expect((await cloudEvent(world, raised)).status).toBe(202);
  });

  test('for a model of another token are not found', async () => {
    const world = await withChampion();
    const token = await world.token('operator', ['churn']);

    for (const type of ['com.example.alarm', 'dev.serin.alert.raised.v1'])
      expect((await cloudEvent(world, event({ type, subject: 'fraud', data: { model: 'fraud' } }), token)).status).toBe(
        404,
      );
  });
});

describe("GitHub's webhook", () => {
  const push = {
    ref: 'refs/heads/main',
    after: 'a'.repeat(40),
    repository: { full_name: 'acme/fraud' },
    sender: { login: 'ann' },
  };
  async function post(
    world: World,
    body: unknown,
    more: { secret?: string; event?: string; delivery?: string; signature?: string; form?: true } = {},
  ) {
    const json = JSON.stringify(body);
    const text = more.form ? new URLSearchParams({ payload: json }).toString() : json;
    const { secret = githubSecrets[0] ?? '', event: name = 'push', delivery = 'd1' } = more;
    const signature = more.signature ?? `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;
    const headers = {
      'content-type': more.form ? 'application/x-www-form-urlencoded' : 'application/json',
      'x-github-event': name,
      'x-github-delivery': delivery,
      'x-hub-signature-256': signature,
    };
    const response = await world.app.request('/v1/hooks/github', { method: 'POST', body: text, headers });
    return { status: response.status, body: JSON.parse(await response.text()) };
  }

  test('a push to the allowed ref starts the run of its commit, once per delivery, under any secret in rotation', async () => {
    const world = await withChampion();

    expect((await post(world, push)).status).toBe(202);
    expect((await post(world, push, { secret: githubSecrets[1] ?? '' })).body.results).toMatchObject([
      { outcome: 'repeated' },
    ]);
    const { run } = await world.model();
    expect((await world.call('GET', `/v1/runs/${run.id}`)).body.trigger).toMatchObject({
      kind: 'ci',
      commit: push.after,
      by: 'ann',
    });
  });

  test('a form, which is what GitHub sends by default, is taken like JSON', async () => {
    const world = await withChampion();

    expect((await post(world, { zen: 'x' }, { event: 'ping', form: true })).status).toBe(200);
    expect((await post(world, push, { form: true })).status).toBe(202);

    const { run } = await world.model();
    expect((await world.call('GET', `/v1/runs/${run.id}`)).body.trigger).toMatchObject({ commit: push.after });
    expect((await post(world, undefined, { form: true, delivery: 'd2' })).status).toBe(400);
  });

  test('a repository is the same in any case, as on GitHub', async () => {
    const world = await withChampion();

    expect((await post(world, { ...push, repository: { full_name: 'Acme/Fraud' } })).status).toBe(202);
  });

  test.each([
    ['a pull request', push, { event: 'pull_request' }],
    ['another ref', { ...push, ref: 'refs/heads/evil' }, {}],
    ['another repository', { ...push, repository: { full_name: 'evil/fraud' } }, {}],
    ['a tag of the same name', { ...push, ref: 'refs/tags/main' }, {}],
    ['a deleted branch', { ...push, after: '0'.repeat(40), deleted: true }, {}],
    ['a ping', { zen: 'x' }, { event: 'ping' }],
  ])('%s starts nothing, and is answered 200 with the reason', async (_, body, more) => {
    const world = await withChampion();
    const { seq } = await world.model();

    const answer = await post(world, body, more);

    expect(answer).toMatchObject({ status: 200, body: { outcome: 'ignored', because: expect.any(String) } });
    expect((await world.model()).seq).toBe(seq);
  });

  test.each([`sha256=${'0'.repeat(64)}`, `sha1=${'0'.repeat(40)}`, '', 'sha256=zz'])(
    'a wrong signature (%s) is a 401 before the body is parsed',
    async (signature) => {
      const world = await openWorld();

      expect((await post(world, 'not even an object', { signature })).status).toBe(401);
    },
  );

  test.each([
    ['without a configured secret', { github: [], standard: [] }, 503],
    ['without a signature', { github: ['s'], standard: [standardSecret] }, 401],
  ])('%s is answered before a byte of its body is read', async (_, secrets, status) => {
    const { app } = await openWorld({ secrets });
    for (const hook of ['github', 'standard']) {
      let reads = 0;
      const body = new ReadableStream(
        {
          pull(controller) {
            reads += 1;
            controller.enqueue(new Uint8Array(1000));
          },
        },
        { highWaterMark: 0 },
      );

      const answer = await app.request(`/v1/hooks/${hook}`, { method: 'POST', body, duplex: 'half' } as RequestInit);

      expect([answer.status, reads]).toEqual([status, 0]);
    }
  });

  test('whose body breaks off is no defect', async () => {
    const defects: unknown[] = [];
    const { app } = await openWorld({ onDefect: (_, error) => void defects.push(error) });
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('aborted')) });
    const headers = { 'x-hub-signature-256': 'sha256=0' };

    const answer = await app.request('/v1/hooks/github', {
      method: 'POST',
      body,
      headers,
      duplex: 'half',
    } as RequestInit);

    expect([answer.status, defects]).toEqual([400, []]);
  });

  test('without a configured secret answers 503', async () => {
    const world = await openWorld({ secrets: { github: [], standard: [] } });

    expect(await post(world, push)).toMatchObject({
      status: 503,
      body: {
        detail: expect.stringMatching(/^this hook has no secret; start the server with SERIN_GITHUB_SECRET/),
      },
    });
  });
});

function postStandard(world: World, payload: unknown, more: { at?: number; id?: string; signature?: string } = {}) {
  const text = JSON.stringify(payload);
  const { id = 'msg_1', at = world.now() } = more;
  const timestamp = String(Math.floor(at / 1000));
  const key = Buffer.from(standardSecret.slice('whsec_'.length), 'base64');
  const signature =
    more.signature ?? `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${text}`).digest('base64')}`;
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signature,
  };
  return world.app.request('/v1/hooks/standard', { method: 'POST', body: text, headers });
}

describe('Standard Webhooks', () => {
  const body = { repository: 'acme/fraud', ref: 'main', commit: 'abcdef1' };
  test('a signed push starts a run once', async () => {
    const world = await withChampion();

    expect((await postStandard(world, body)).status).toBe(202);
    expect((await postStandard(world, body)).status).toBe(200);
  });

  test('older or newer than five minutes, unsigned, or with an unknown field is refused', async () => {
    const world = await withChampion();

    expect((await postStandard(world, body, { at: world.now() - 301_000 })).status).toBe(401);
    expect((await postStandard(world, body, { at: world.now() + 301_000 })).status).toBe(401);
    expect((await postStandard(world, body, { at: world.now() - 290_000 })).status).toBe(202);
    expect((await postStandard(world, body, { signature: 'v1,AAAA', id: 'msg_2' })).status).toBe(401);
    expect((await postStandard(world, { ...body, branch: 'x' }, { id: 'msg_3' })).status).toBe(422);
  });
});

describe('what a trigger may choose', () => {
  const image = 'registry.example/fraud:1';
  const push = { repository: 'acme/fraud', ref: 'main', commit: 'abcdef1' };
  const asked = (data: object) => event({ type: 'dev.serin.run.requested.v1', data: { model: 'fraud', ...data } });
  const odd = { hyperparameters: { 'x$(id>x)': '1' } };
  const many = { hyperparameters: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`p${at}`, '1'])) };

  async function withImage() {
    const world = await openWorld();
    await world.release(compiled({ train: { ...modelRules.train, image } }));
    await world.drop();
    return world;
  }
  const lineage = async (world: World) => (await world.call('GET', '/v1/models/fraud/versions/2')).body.lineage;

  test('is a build of the image that the config names: an event and a webhook bring it', async () => {
    const world = await withImage();

    const answer = await cloudEvent(world, asked({ image: 'registry.example/fraud:2' }));
    await world.pass(15 * 60_000);

    expect(answer.status).toBe(202);
    expect(await lineage(world)).toMatchObject({ image: 'registry.example/fraud:2' });
    expect((await postStandard(world, { ...push, image: 'registry.example/fraud:3' })).status).toBe(202);
  });

  test.each([
    [
      'an event with a foreign image',
      409,
      (world: World) => cloudEvent(world, asked({ image: 'evil.example/fraud:1' })),
    ],
    [
      'a webhook with a foreign image',
      409,
      (world: World) => postStandard(world, { ...push, image: 'evil.example/x:1' }),
    ],
    ['an event with a shell in a name', 422, (world: World) => cloudEvent(world, asked(odd))],
    ['an event with 101 hyperparameters', 422, (world: World) => cloudEvent(world, asked(many))],
    [
      'a request with a shell in a name',
      422,
      (world: World) => world.call('POST', '/v1/runs', { model: 'fraud', ...odd }),
    ],
    ['a request with 101', 422, (world: World) => world.call('POST', '/v1/runs', { model: 'fraud', ...many })],
    ['a request with an image', 422, (world: World) => world.call('POST', '/v1/runs', { model: 'fraud', image })],
  ])('is nothing else: %s starts nothing and is a %d', async (_, expected, send) => {
    const world = await withImage();
    const { seq } = await world.model();

    const { status } = await send(world);

    expect(status).toBe(expected);
    expect((await world.model()).seq).toBe(seq);
  });
});

describe("Alertmanager's webhook", () => {
  const alert = (labels: Record<string, string>, more = {}) => ({
    status: 'firing',
    labels: { alertname: 'HighErrors', ...labels },
    annotations: { summary: 'too many errors' },
    startsAt: '2026-01-01T00:00:00Z',
    fingerprint: 'f1',
    ...more,
  });
  const post = (world: World, alerts: unknown[], token = adminToken) =>
    world.call(
      'POST',
      '/v1/hooks/alertmanager',
      { version: '4', groupKey: 'g', status: 'firing', receiver: 'serin', alerts },
      { token },
    );

  test('a firing alert rolls the model back once, and again only after it was resolved', async () => {
    const world = await withChampion();
    await world.drop('fraud/b.csv', 'day,amount\n2026-01-02,2\n', 30 * 60_000);
    expect((await world.model()).champion).toBe(2);

    expect((await post(world, [alert({ serin_model: 'fraud' })])).status).toBe(202);
    expect((await post(world, [alert({ serin_model: 'fraud' })])).status).toBe(200);
    await world.pass(60_000);

    expect((await world.model()).champion).toBe(1);
    expect(
      (await post(world, [alert({ model: 'fraud' }, { status: 'resolved', endsAt: '2026-01-01T01:00:00Z' })])).status,
    ).toBe(202);
    expect((await world.model()).monitor.status).toBe('quiet');
  });

  test('a firing alert whose start is that of the firing before takes the next release back as well', async () => {
    const world = await withChampion();
    await world.drop('fraud/b.csv', 'day,amount\n2026-01-02,2\n', 30_000);
    await post(world, [alert({ model: 'fraud' })]);
    await world.pass(60_000);
    expect((await world.model()).rollout.status).toBe('rolledBack');
    await post(world, [alert({ model: 'fraud' }, { status: 'resolved', endsAt: '2026-01-01T01:00:00Z' })]);
    await world.drop('fraud/c.csv', 'day,amount\n2026-01-03,2\n', 30_000);
    expect((await world.model()).rollout.status).not.toBe('rolledBack');

    const again = await post(world, [alert({ model: 'fraud' })]);

    expect(again.body.results).toMatchObject([{ outcome: 'accepted' }]);
    await world.pass(60_000);
    expect((await world.model()).rollout.status).toBe('rolledBack');
  });

  test("the label 'serin_model' goes before 'model', which may be a machine; of several the one that is a model", async () => {
    const world = await withChampion();

    const named = await post(world, [
      alert({ model: 'churn', serin_model: 'fraud' }),
      alert({ model: 'A100-SXM4', endpoint: 'fraud' }, { fingerprint: 'f2' }),
    ]);

    expect(named.body.results).toMatchObject([
      { id: 'f1', model: 'fraud', outcome: 'accepted' },
      { id: 'f2', model: 'fraud', outcome: 'accepted' },
    ]);
  });

  test("a 'serin_model' that names no model is not made up for by another label", async () => {
    const world = await withChampion();

    const { status, body } = await post(world, [
      alert({ serin_model: 'frawd', model: 'fraud' }),
      alert({ serin_model: 'fraud' }, { fingerprint: 'f2' }),
    ]);

    expect(status).toBe(202);
    expect(body.results).toMatchObject([
      { id: 'f1', outcome: 'ignored' },
      { id: 'f2', outcome: 'accepted' },
    ]);
  });

  test('an event does not resolve the alert of a hook by writing its name', async () => {
    const world = await withChampion();
    await post(world, [alert({ serin_model: 'fraud' })]);
    const type = 'dev.serin.alert.resolved.v1';
    const forged = {
      specversion: '1.0',
      id: 'e',
      source: 'alertmanager',
      type,
      data: { model: 'fraud', fingerprint: 'f1' },
    };

    const headers = { 'content-type': 'application/cloudevents+json' };
    const { status } = await world.call('POST', '/v1/events', forged, { headers });

    expect(status).toBeLessThan(300);
    expect((await world.model()).monitor.alerts).toMatchObject([{ sender: 'alertmanager', fingerprint: 'f1' }]);
  });

  test('more alerts than can be kept are taken as far as they can', async () => {
    const world = await withChampion();
    await world.drop('fraud/b.csv', 'day,amount\n2026-01-02,2\n', 30_000);
    const many = Array.from({ length: 1001 }, (_, index) => alert({ model: 'fraud' }, { fingerprint: `f${index}` }));

    const { status, body } = await post(world, many);

    expect(status).toBe(202);
    expect(body.results.at(-1)).toMatchObject({
      outcome: 'refused',
      because: expect.stringContaining('100 alerts are firing already'),
    });
    expect((await world.model()).rollout.status).toBe('reverting');
  });

  test("Grafana's contact point speaks of its alerts in the same way", async () => {
    const world = await withChampion();
    const more = { values: { B: 22 }, generatorURL: 'https://grafana.example/1', dashboardURL: '', silenceURL: '' };
    const body = {
      receiver: 'serin',
      status: 'firing',
      orgId: 1,
      alerts: [alert({ serin_model: 'fraud' }, more)],
      version: '1',
      groupKey: '{}',
      truncatedAlerts: 0,
      state: 'alerting',
    };

    expect((await world.call('POST', '/v1/hooks/grafana', body)).status).toBe(202);
    expect((await world.model()).monitor.alerts).toMatchObject([{ sender: 'grafana', title: 'too many errors' }]);
    expect((await world.call('POST', '/v1/hooks/alertmanager', body)).status).toBe(422);
  });

  test("alerts of models outside the token's scope are passed over; none inside is a 422", async () => {
    const world = await withChampion();
    const token = await world.token('operator', ['churn']);

    const mixed = await post(
      world,
      [alert({ model: 'fraud' }), alert({ endpoint: 'churn' }, { fingerprint: 'f2' })],
      token,
    );

    expect(mixed.body.results).toMatchObject([
      { id: 'f1', model: '', outcome: 'ignored' },
      { id: 'f2', model: 'churn', outcome: 'accepted' },
    ]);
    expect((await world.model()).monitor.status).toBe('quiet');
    expect((await post(world, [alert({ model: 'fraud' })], token)).status).toBe(422);
  });
});

describe('events out', () => {
  const told = (id: number, model: string) =>
    ({
      specversion: '1.0',
      id: `e${id}`,
      source: 's',
      type: 'dev.serin.run.started.v1',
      subject: 'runs/x',
      time: new Date(start).toISOString(),
      datacontenttype: 'application/json',
      data: { model },
    }) as const;

  async function read(body: ReadableStream<Uint8Array> | null, wanted: string): Promise<string> {
    const reader = body?.getReader();
    let text = '';
    while (!text.includes(wanted)) text += new TextDecoder().decode((await reader?.read())?.value);
    await reader?.cancel();
    return text;
  }

  test('go on after Last-Event-ID, live, and only for the models of the token', async () => {
    const events = memoryLog();
    const world = await openWorld({ events });
    for (const [index, model] of ['fraud', 'churn', 'fraud'].entries()) events.add(told(index + 1, model));
    const token = await world.token('viewer', ['fraud']);

    const response = await world.app.request('/v1/events', {
      headers: { authorization: `Bearer ${token}`, 'last-event-id': '1' },
    });
    const reading = read(response.body, 'id: 4');
    events.add(told(4, 'fraud'));
    const text = await reading;

    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect([...text.matchAll(/^id: (\d)\nevent/gm)].map(([, id]) => id)).toEqual(['3', '4']);
    expect(text).toContain('event: dev.serin.run.started.v1\ndata: {"specversion":"1.0","id":"e3"');
  });

  test('send a comment while nothing happens', async () => {
    const world = await openWorld({ events: memoryLog(), heartbeatMs: 1 });

    const response = await world.app.request('/v1/events', { headers: { authorization: `Bearer ${adminToken}` } });

    expect(await read(response.body, ': beat')).toContain(': connected\n\n: beat\n\n');
  });

  test('that nobody reads any more leave no listener behind', async () => {
    const log = memoryLog();
    const listening = { now: 0 };
    const events = {
      ...log,
      subscribe: (listener: () => void) => {
        const stop = log.subscribe(listener);
        listening.now += 1;
        return () => {
          listening.now -= 1;
          stop();
        };
      },
    };
    const world = await openWorld({ events, heartbeatMs: 1 });
    const headers = { authorization: `Bearer ${adminToken}` };

    await world.app.request('/v1/events', { method: 'HEAD', headers });
    const response = await world.app.request('/v1/events', { headers });
    await read(response.body, ': beat');

    expect(listening.now).toBe(0);
  });

  test('are a page for those who want JSON', async () => {
    const events = memoryLog();
    const world = await openWorld({ events });
    for (let index = 1; index <= 5; index += 1) events.add(told(index, 'fraud'));
    const headers = { accept: 'application/json' };

    const first = await world.call('GET', '/v1/events?limit=3', undefined, { headers });
    const second = await world.call('GET', `/v1/events?limit=3&after=${first.body.next}`, undefined, { headers });

    expect([...first.body.events, ...second.body.events].map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
    expect(second.body.next).toBeUndefined();
  });

  test('are a 501 where the cloud has its own bus', async () => {
    const world = await openWorld();

    expect((await world.call('GET', '/v1/events')).status).toBe(501);
  });
});

describe('objects over HTTP', () => {
  test('are listed with the fields that the document of the API has, and no other', async () => {
    const world = await openWorld();
    await world.release();
    await world.put('fraud/a.csv', 'x');

    const { objects } = (await world.call('GET', '/v1/buckets/drops/objects')).body;

    expect(objects.map((object: object) => Object.keys(object).sort())).toEqual([['bytes', 'key', 'version']]);
  });

  test.each([
    'fraud/../x',
    'fraud/%2e%2e',
    'fraud/a b#c?d',
    'fraud/ü/日本',
    'fraud/\u0000',
    'fraud/CON',
    '..%2F..',
    'fraud//x',
  ])('the key %j is written as it is', async (key) => {
    const world = await openWorld();
    await world.release(compiled());

    const response = await world.put(key, 'x');

    expect([response.status, JSON.parse(await response.text()).key]).toEqual([201, key]);
    expect(
      (await world.call('GET', `/v1/buckets/drops/objects?prefix=${encodeURIComponent(key)}`)).body.objects,
    ).toMatchObject([{ key, bytes: 1 }]);
  });

  test('a drop outside every prefix is written, and starts nothing', async () => {
    const world = await openWorld();
    await world.release(compiled({ data: { ...modelRules.data, prefix: 'fraud/' } }));

    expect(await (await world.put('elsewhere/a.csv', 'x')).json()).toEqual({ key: 'elsewhere/a.csv', models: [] });
    expect((await world.put('a', 'x', adminToken, 'unknown')).status).toBe(404);
    expect((await world.put('fraud/%ff', 'x')).status).toBe(201);
    const malformed = await world.app.request('/v1/buckets/drops/objects/fraud/%ff', {
      method: 'PUT',
      body: 'x',
      headers: { authorization: `Bearer ${adminToken}` },
    });
    expect(malformed.status).toBe(400);
  });
});
