import { problemsOf } from '@serin/clouds/aws/limits';
import { encodeText, sha256Hex } from '@serin/core/base/json';
import { bury, queueStream } from '@serin/core/engine/dead-letters';
import type { Entry } from '@serin/core/ports/journal';
import { describe, expect, test } from 'vitest';
import { codeDigest, compiled, modelRules, openWorld, start } from './world.ts';

/** `fraud` v1 is the champion. */
async function withChampion(more: Parameters<typeof openWorld>[0] = {}, config = compiled()) {
  const world = await openWorld(more);
  await world.release(config);
  await world.drop();
  return world;
}

describe('from a drop to a champion, over HTTP alone', () => {
  test('a file that was put starts a run, whose version is rolled out and explained', async () => {
    const world = await withChampion();

    const { body: status } = await world.call('GET', '/v1/status');
    expect(status).toMatchObject({ project: 'shop', environment: 'test', revision: 1 });
    expect(status.models).toMatchObject([{ model: 'churn' }, { model: 'fraud', champion: 1 }]);
    const { body: why } = await world.call('GET', '/v1/why/fraud');
    expect(why.sentence).toMatch(/^fraud has the champion v1: promoted: \d+ requests, 0 failed/);
    expect(why.sentence).not.toContain('\n');
    expect(why.numbers).toMatchObject({ champion: 1, 'candidate.errors': 0, 'limit.errors.share': 0.5 });
    const { body: runs } = await world.call('GET', '/v1/runs?model=fraud');
    expect(runs.runs).toMatchObject([{ model: 'fraud', status: 'succeeded', version: 1 }]);
    const { body: run } = await world.call('GET', `/v1/runs/${runs.runs[0].id}`);
    expect(run).toMatchObject({
      status: 'succeeded',
      trained: { number: 1 },
      because: 'passed: auc 0.8, at least 0.5 wanted',
    });
    const { body: datasets } = await world.call('GET', '/v1/models/fraud/datasets');
    expect(datasets.datasets).toMatchObject([{ current: true, objects: 1, versions: [1] }]);
    const { body: dataset } = await world.call('GET', `/v1/models/fraud/datasets/${datasets.datasets[0].digest}`);
    expect(dataset).toEqual(datasets.datasets[0]);
  });

  test('a worse challenger is refused, and why says with which numbers', async () => {
    let trained = 0;
    const world = await openWorld({
      auc: ({ kind, key }) => (kind !== 'evaluate' || key.includes('champion') ? 0.8 : trained++ === 0 ? 0.8 : 0.7),
    });
    await world.release();
    await world.drop();
    await world.drop('fraud/b.csv');

    const { body } = await world.call('GET', '/v1/runs?status=refused');
    const { body: why } = await world.call('GET', `/v1/why/${body.runs[0].id}`);
    expect(why.sentence).toContain('was refused: auc 0.7 against 0.8 of the champion v1, not within 0.01');
    expect(why.numbers).toMatchObject({ 'auc.challenger': 0.7, 'auc.champion': 0.8, 'auc.noWorseBy': 0.01 });
    const { body: version } = await world.call('GET', '/v1/why/fraud@2');
    expect(version.sentence).toContain('v2 of fraud was refused: auc 0.7 against 0.8');
  });

  test('a failing candidate is rolled back, and its rollout says why', async () => {
    const world = await withChampion();
    world.failing.set('v2', 0.5);
    await world.drop('fraud/b.csv', 'day,amount\n2026-01-02,2\n', 40 * 60_000);

    const { body } = await world.call('GET', '/v1/rollouts?status=rolledBack');
    const { body: why } = await world.call('GET', `/v1/why/${body.rollouts[0].id}`);
    expect(why.sentence).toMatch(
      /^the rollout of v2 of fraud was rolled back: [\d.]+ % of the candidate's [\d,]+ requests failed \([\d,]+\), and 0 % of the champion's/,
    );
    expect(why.numbers['candidate.errors']).toBeGreaterThan(0);
    expect((await world.call('GET', '/v1/why/fraud@2')).body.sentence).toContain('is quarantined');
  });

  test('history says what served at a time', async () => {
    const world = await withChampion();
    const { served } = (await world.call('GET', '/v1/models/fraud/history')).body;

    expect(served).toMatchObject([{ version: 1 }]);
    const then = await world.call('GET', `/v1/models/fraud/history?at=${served[0].at}`);
    expect(then.body.served).toEqual(served);
    expect((await world.call('GET', '/v1/models/fraud/history?at=2020-01-01T00:00:00Z')).status).toBe(404);
    expect((await world.call('GET', '/v1/models/fraud/history?at=yesterday')).status).toBe(400);
  });

  test("no answer holds a value of a program's environment", async () => {
    const world = await withChampion();
    const id = (await world.call('GET', '/v1/runs')).body.runs[0].id;

    for (const path of [
      '/v1/models/fraud',
      '/v1/models/fraud/entries?limit=200',
      '/v1/models/fraud/versions',
      `/v1/runs/${id}`,
    ]) {
      const { body, status } = await world.call('GET', path);
      expect(status).toBe(200);
      expect(JSON.stringify(body)).not.toContain('canary-secret-value');
    }
  });

  test('no answer holds an address or a secret of a sink', async () => {
    const world = await openWorld();
    const { models, ...config } = compiled();
    const fraud = models.fraud ?? expect.fail('the config has no fraud');
    const settings = { url: 'https://a.example/canary-secret-value', secret: 'canary-secret-value' };
    const sink = { name: 'hook', kind: 'webhook', on: ['*'], settings } as const;
    await world.release({ ...config, models: { fraud: { ...fraud, notify: [sink] } } });

    for (const path of ['/v1/models/fraud', '/v1/models/fraud/entries?limit=200']) {
      const { body, status } = await world.call('GET', path);
      expect(status).toBe(200);
      expect(JSON.stringify(body)).toContain('"settings":["');
      expect(JSON.stringify(body)).not.toContain('canary-secret-value');
    }
  });
});

describe('runs', () => {
  test('are asked for with 202 and a Location that answers at once', async () => {
    const world = await withChampion();

    const answer = await world.call('POST', '/v1/runs', { model: 'fraud', force: true, because: 'I want to see' });

    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(`/v1/runs/${answer.body.run}`);
    expect(world.nudged).toContain('model/fraud');
    const { body } = await world.call('GET', `/v1/runs/${answer.body.run}`);
    expect(body).toMatchObject({ status: 'validating', trigger: { kind: 'manual', by: 'admin' } });
  });

  test('with equal inputs are not started, and the answer says so', async () => {
    const world = await withChampion();

    const { status, body } = await world.call('POST', '/v1/runs', { model: 'fraud' });

    expect(status).toBe(200);
    expect(body).toMatchObject({ outcome: 'ignored', because: expect.stringContaining('equal inputs') });
  });

  test('without data are refused with what to do', async () => {
    const world = await openWorld();
    await world.release();

    const { status, body, headers } = await world.call('POST', '/v1/runs', { model: 'fraud' });

    expect(status).toBe(409);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(body).toMatchObject({
      code: 'refused',
      detail: expect.stringContaining('put data into drops/fraud/ first'),
    });
  });

  test('are cancelled, once', async () => {
    const world = await withChampion();
    const { body } = await world.call('POST', '/v1/runs', { model: 'fraud', force: true });

    expect((await world.call('POST', `/v1/runs/${body.run}/cancel`)).status).toBe(202);
    expect((await world.call('POST', `/v1/runs/${body.run}/cancel`)).status).toBe(409);
    await world.pay();
    expect((await world.call('GET', `/v1/why/${body.run}`)).body.sentence).toMatch(
      /was cancelled: cancelled by admin$/,
    );
  });

  test('list newest first, page by page, without a gap or a repeat', async () => {
    const world = await withChampion();
    for (let index = 0; index < 4; index += 1) {
      await world.call('POST', '/v1/runs', { model: 'fraud', force: true });
      await world.pass(20 * 60_000);
    }

    const all = (await world.call('GET', '/v1/runs')).body.runs.map(({ id }: { id: string }) => id);
    const seen: string[] = [];
    for (let path: string | undefined = '/v1/runs?limit=2&model=fraud'; path !== undefined; ) {
      const { body, headers } = await world.call('GET', path);
      seen.push(...body.runs.map(({ id }: { id: string }) => id));
      path = /<(.*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
      expect(path === undefined).toBe(body.next === undefined);
    }
    expect(all).toHaveLength(5);
    expect(seen).toEqual(all);
  });

  test('answer their logs from a byte on, where there is a log', async () => {
    const log = 'epoch 1\nepoch 2\n';
    const world = await withChampion({
      logs: async ({ key, project }, from) =>
        project === 'shop' && key.endsWith('/train/1') ? { text: log.slice(from), next: log.length } : undefined,
    });
    const id = (await world.call('GET', '/v1/runs')).body.runs[0].id;

    expect((await world.call('GET', `/v1/runs/${id}/logs?from=8`)).body).toEqual({
      job: 'train',
      attempt: 1,
      text: 'epoch 2\n',
      next: 16,
    });
    expect((await world.call('GET', `/v1/runs/${id}/logs?attempt=2`)).status).toBe(404);
  });

  test('that failed answer the log of the job in which they did', async () => {
    const world = await withChampion({
      logs: async ({ key }) => ({ text: key, next: 1 }),
      fails: ({ key }) => key.includes('/evaluate/'),
    });
    const [run] = (await world.call('GET', '/v1/runs')).body.runs;

    expect(run.status).toBe('failed');
    expect((await world.call('GET', `/v1/runs/${run.id}/logs`)).body.job).toBe('evaluate');
  });
});

describe('rollouts and versions', () => {
  async function withCanary() {
    const world = await withChampion();
    await world.drop('fraud/b.csv', 'day,amount\n2026-01-02,2\n', 30_000);
    const { rollout } = await world.model();
    return { world, id: rollout.id };
  }

  test('a rollout is paused, resumed and promoted by hand', async () => {
    const { world, id } = await withCanary();
    expect((await world.call('GET', `/v1/rollouts/${id}`)).body).toMatchObject({ status: 'baking', weight: 10 });

    expect((await world.call('POST', `/v1/rollouts/${id}/pause`, {})).status).toBe(202);
    expect((await world.call('GET', `/v1/rollouts/${id}`)).body.status).toBe('paused');
    expect((await world.call('POST', `/v1/rollouts/${id}/resume`, {})).status).toBe(202);
    expect((await world.call('POST', `/v1/rollouts/${id}/promote`, {})).status).toBe(202);
    await world.pass(10 * 60_000);
    expect((await world.model()).champion).toBe(2);
  });

  test('a hand that moves a rollout says why, and the story has it', async () => {
    const { world, id } = await withCanary();

    for (const verb of ['pause', 'resume', 'promote'])
      await world.call('POST', `/v1/rollouts/${id}/${verb}`, { because: `a ${verb} by hand` });

    const { story } = (await world.call('GET', `/v1/rollouts/${id}`)).body;
    const texts = JSON.stringify(story);
    for (const line of ['paused by admin: a pause', 'resumed by admin: a resume', 'promoted by admin: a promote'])
      expect(texts).toContain(`${line} by hand`);
  });

  test('while an alert fires the next version waits, status and why say so, and a person may let it go', async () => {
    const { world } = await withCanary();
    const alarm = {
      ...{ specversion: '1.0', id: 'a', source: 'ops', type: 'dev.serin.alert.raised.v1' },
      data: { model: 'fraud', title: 'errors high' },
    };
    await world.call('POST', '/v1/events', alarm, { headers: { 'content-type': 'application/cloudevents+json' } });
    await world.drop('fraud/c.csv', 'day,amount\n2026-01-03,2\n', 10 * 60_000);

    const { models } = (await world.call('GET', '/v1/status')).body;
    const { sentence } = (await world.call('GET', '/v1/why/fraud@3')).body;
    const letGo = await world.call('POST', '/v1/models/fraud/versions/3/approve', { override: 'it is the fix' });

    expect(models.find(({ model }: { readonly model: string }) => model === 'fraud')).toMatchObject({
      holds: 3,
      firing: expect.stringMatching(/^'errors high' \(ops\) since 2026-/),
    });
    expect(sentence).toMatch(/^v3 of fraud waits until 'errors high' \(ops\) is resolved; /);
    expect(letGo.status).toBe(202);
    expect((await world.model()).rollout.status).not.toBe('rolledBack');
    expect((await world.model()).monitor).toMatchObject({ status: 'alarmed', alerts: [{ title: 'errors high' }] });
  });

  test('a version that was rolled back by mistake is restored, with who and why', async () => {
    const { world } = await withCanary();
    await world.pass(30 * 60_000);
    await world.call('POST', '/v1/models/fraud/rollback', { because: 'complaints' });
    await world.pass(60_000);
    expect((await world.call('POST', '/v1/models/fraud/versions/2/restore', {})).status).toBe(422);

    const restored = await world.call('POST', '/v1/models/fraud/versions/2/restore', { because: 'the wrong model' });
    await world.pass(30 * 60_000);

    expect(restored.status).toBe(202);
    expect((await world.model()).champion).toBe(2);
    expect(JSON.stringify((await world.call('GET', '/v1/why/fraud')).body.story)).toContain(
      'restored by admin: the wrong model (it was quarantined: taken back by admin: complaints)',
    );
  });

  test('a decision on an older revision is refused with 412, and changes nothing', async () => {
    const { world, id } = await withCanary();
    const etag = (await world.call('GET', `/v1/rollouts/${id}`)).headers.get('etag') ?? '';
    await world.call('POST', `/v1/rollouts/${id}/pause`, {}, { headers: { 'if-match': etag } });

    const stale = await world.call('POST', `/v1/rollouts/${id}/promote`, {}, { headers: { 'if-match': etag } });

    expect(stale.status).toBe(412);
    expect((await world.call('GET', `/v1/rollouts/${id}`)).body.status).toBe('paused');
  });

  test('an aborted rollout says who and why, and ends only once', async () => {
    const { world, id } = await withCanary();

    expect((await world.call('POST', `/v1/rollouts/${id}/abort`, { because: 'a hunch' })).status).toBe(202);
    await world.pass(5000);

    expect((await world.call('GET', `/v1/why/${id}`)).body.sentence).toBe(
      'the rollout of v2 of fraud was aborted by admin: a hunch',
    );
    expect((await world.call('POST', `/v1/rollouts/${id}/promote`, {})).status).toBe(409);
  });

  test('a rollback goes to the champion before', async () => {
    const { world } = await withCanary();
    await world.pass(30 * 60_000);
    expect((await world.model()).champion).toBe(2);

    const { status } = await world.call('POST', '/v1/models/fraud/rollback', { because: 'complaints' });
    await world.pass(60_000);

    expect(status).toBe(202);
    expect((await world.model()).champion).toBe(1);
    expect((await world.call('GET', '/v1/why/fraud')).body.sentence).toContain('complaints');
  });

  test('an offered version waits for an approver who did not start its run', async () => {
    const world = await openWorld();
    await world.release(compiled({ approval: { required: true, fourEyes: true } }));
    await world.put('fraud/a.csv', 'day,amount\n2026-01-01,1\n');
    await world.pass(60_000);
    const approver = await world.token('approver', ['fraud']);
    expect((await world.call('GET', '/v1/why/fraud@1')).body.sentence).toMatch(
      /waits for approval until .*; the gate passed: auc 0.8/,
    );

    expect(
      (await world.call('POST', '/v1/models/fraud/versions/1/approve', { note: 'fine' }, { token: approver })).status,
    ).toBe(202);
    expect((await world.call('POST', '/v1/models/fraud/versions/1/approve', {}, { token: approver })).status).toBe(200);
    expect((await world.call('POST', '/v1/models/fraud/versions/1/reject', {}, { token: approver })).status).toBe(409);
    expect((await world.call('POST', '/v1/models/fraud/versions/9/approve', {}, { token: approver })).status).toBe(404);
    expect((await world.call('GET', '/v1/models/fraud/versions/1')).body.approval).toMatchObject({
      status: 'approved',
    });
  });
});

describe('four eyes', () => {
  test('see who put the data and who released the config: neither of them approves', async () => {
    const world = await openWorld();
    const [dan, ann] = [await world.token('operator'), await world.token('approver')];
    await world.release(compiled({ approval: { required: true, fourEyes: true } }));
    await world.put('fraud/a.csv', 'day,amount\n2026-01-01,1\n', dan);
    await world.pass(60_000);
    const approve = (token?: string) =>
      world.call('POST', '/v1/models/fraud/versions/1/approve', {}, token === undefined ? {} : { token });

    const { lineage } = (await world.call('GET', '/v1/models/fraud/versions/1')).body;
    const byReleaser = await approve();

    expect(lineage).toMatchObject({ startedBy: 'serin', releasedBy: 'admin' });
    expect((await world.call('GET', '/v1/tokens')).body.tokens[0].name).toBe(lineage.droppedBy);
    expect(byReleaser).toMatchObject({
      status: 409,
      body: { detail: expect.stringMatching(/^four eyes: admin released/) },
    });
    expect((await approve(ann)).status).toBe(202);
  });

  test('see an admin who put the data, too', async () => {
    const world = await openWorld();
    const token = await world.token('admin');
    await world.release(compiled({ approval: { required: true, fourEyes: true } }));
    await world.put('fraud/a.csv', 'day,amount\n2026-01-01,1\n', token);
    await world.pass(60_000);

    const { status, body } = await world.call('POST', '/v1/models/fraud/versions/1/approve', {}, { token });

    expect([status, body.detail]).toEqual([409, expect.stringMatching(/^four eyes: .* brought data of v1/)]);
  });
});

describe('conditional and repeated requests', () => {
  test('of several that were decided on one revision at once, one changes it and the others are a 412', async () => {
    const world = await withChampion();
    const headers = { 'if-match': (await world.call('GET', '/v1/models/fraud')).headers.get('etag') ?? '' };

    const asked = [1, 2, 3, 4].map(() => world.call('POST', '/v1/runs', { model: 'fraud', force: true }, { headers }));

    expect((await Promise.all(asked)).map(({ status }) => status).sort()).toEqual([202, 412, 412, 412]);
  });

  test.each([
    ['a freeze', '/v1/status', 'POST', '/v1/freeze', { because: 'audit' }],
    ['the end of a freeze', '/v1/status', 'DELETE', '/v1/freeze', undefined],
    ['a release', '/v1/status', 'POST', '/v1/releases', { config: compiled({ rollout: { bake: '9m' } }) }],
    ['a token', '/v1/tokens', 'POST', '/v1/tokens', { name: 'eve', role: 'viewer' }],
  ])('%s that was decided on an older revision is a 412', async (_, read, method, path, body) => {
    const world = await withChampion();
    const etag = async () => (await world.call('GET', read)).headers.get('etag') ?? '';
    const before = await etag();
    await world.call('POST', '/v1/freeze', { because: 'first' });
    await world.call('POST', '/v1/tokens', { name: 'ann', role: 'viewer' });
    const send = async (tag: string) => world.call(method, path, body, { headers: { 'if-match': tag } });

    const stale = await send(before);
    const fresh = await send(await etag());

    expect(stale.status).toBe(412);
    expect(fresh.status).toBeLessThan(300);
  });

  test.each([
    ['the revision', (tag: string) => tag, 202],
    ['the revision as a weak tag, as a proxy that compresses gives it', (tag: string) => `W/${tag}`, 202],
    ['one of several', (tag: string) => `"0", ${tag}`, 202],
    ['any', () => '*', 202],
    ['and not another revision, whose digits begin alike', (tag: string) => tag.replace(/"$/, '0"'), 412],
  ])('of a request to run, If-Match may name what it was decided on: %s', async (_, tagOf, status) => {
    const world = await withChampion();
    const etag = (await world.call('GET', '/v1/models/fraud')).headers.get('etag') ?? '';
    const headers = { 'if-match': tagOf(etag) };

    const answer = await world.call('POST', '/v1/runs', { model: 'fraud', force: true }, { headers });

    expect(answer.status).toBe(status);
  });

  test('the revocation of a token that was decided on an older list is a 412', async () => {
    const world = await withChampion();
    const { body, headers } = await world.call('GET', '/v1/tokens');
    const { id } = (await world.call('POST', '/v1/tokens', { name: 'ann', role: 'viewer' })).body;
    const tag = { 'if-match': headers.get('etag') ?? '' };

    const stale = await world.call('DELETE', `/v1/tokens/${id}`, undefined, { headers: tag });

    expect([stale.status, body.tokens.length]).toEqual([412, 0]);
    expect((await world.call('GET', '/v1/tokens')).body.tokens).toHaveLength(1);
  });

  test('an unchanged model is a 304', async () => {
    const world = await withChampion();
    const etag = (await world.call('GET', '/v1/models/fraud')).headers.get('etag') ?? '';

    expect(
      (await world.call('GET', '/v1/models/fraud', undefined, { headers: { 'if-none-match': etag } })).status,
    ).toBe(304);
    await world.call('POST', '/v1/runs', { model: 'fraud', force: true });
    expect(
      (await world.call('GET', '/v1/models/fraud', undefined, { headers: { 'if-none-match': etag } })).status,
    ).toBe(200);
  });

  test('an idempotency key gives the same answer, and acts once', async () => {
    const world = await withChampion();
    const headers = { 'idempotency-key': 'k1' };

    const first = await world.call('POST', '/v1/runs', { model: 'fraud', force: true }, { headers });
    const seq = (await world.model()).seq;
    const again = await world.call('POST', '/v1/runs', { model: 'fraud', force: true }, { headers });

    expect(again.status).toBe(202);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect((await world.model()).seq).toBe(seq);
    expect((await world.call('POST', '/v1/runs', { model: 'churn', force: true }, { headers })).status).toBe(422);
  });

  test('an idempotency key is that of one token: a later token of its name and of another scope has its own', async () => {
    const world = await withChampion();
    const headers = { 'idempotency-key': 'k1' };
    const ask = async (models: string[]) => {
      const { body } = await world.call('POST', '/v1/tokens', { name: 'ann', role: 'operator', models });
      const request = { model: 'fraud', force: true };
      const { status } = await world.call('POST', '/v1/runs', request, { token: body.token, headers });
      await world.call('DELETE', `/v1/tokens/${body.id}`);
      return status;
    };

    expect(await ask(['fraud'])).toBe(202);
    expect(await ask(['churn'])).toBe(404);
  });

  test('a request that was refused may be tried again under its key', async () => {
    const world = await openWorld();
    await world.release();
    const headers = { 'idempotency-key': 'k1' };
    expect((await world.call('POST', '/v1/runs', { model: 'fraud' }, { headers })).status).toBe(409);
    await world.put('fraud/a.csv', 'day,amount\n2026-01-01,1\n');
    await world.pass(11_000);

    const { status } = await world.call('POST', '/v1/runs', { model: 'fraud', force: true }, { headers });

    expect(status).toBe(202);
  });

  test('while one is under way, a second is told to come back', async () => {
    let go: (() => void) | undefined;
    const world = await withChampion();
    const gate = new Promise<undefined>((resolve) => (go = () => resolve(undefined)));
    const slow = await openWorld({
      now: world.now,
      ports: { ...world.ports, journal: slowHead(world.ports.journal, gate) },
    });
    const headers = { 'idempotency-key': 'k1' };

    const first = slow.call('POST', '/v1/runs', { model: 'fraud', force: true }, { headers });
    await until(() => world.journal.streams().some((stream) => stream.startsWith('idem/')));
    const second = await world.call('POST', '/v1/runs', { model: 'fraud', force: true }, { headers });
    go?.();

    expect((await first).status).toBe(202);
    expect(second.status).toBe(409);
    expect(second.headers.get('retry-after')).toBe('1');
  });

  test('one whose process died is taken over after a minute, and the core knows its signal', async () => {
    const world = await withChampion();
    const { journal } = world.ports;
    const dying: typeof journal = {
      ...journal,
      // What it came to is never written down.
      append: async (basedOn, write) => {
        const { status } = Object(write.state);
        if (write.entry.stream.startsWith('idem/') && status !== 'begun') throw new Error('killed');
        await journal.append(basedOn, write);
      },
    };
    const dead = await openWorld({ now: world.now, ports: { ...world.ports, journal: dying } });
    const ask = { model: 'fraud', force: true };
    const headers = { 'idempotency-key': 'k1' };

    expect((await dead.call('POST', '/v1/runs', ask, { headers })).status).toBe(202);
    expect((await world.call('POST', '/v1/runs', ask, { headers })).status).toBe(409);
    await world.pass(61_000);
    const { seq } = await world.model();

    expect((await world.call('POST', '/v1/runs', ask, { headers })).body.outcome).toBe('repeated');
    expect((await world.model()).seq).toBe(seq);
  });

  test("a token's text is in no repeated answer, and nowhere in the journal", async () => {
    const world = await openWorld();
    const headers = { 'idempotency-key': 'k1' };

    const first = await world.call('POST', '/v1/tokens', { name: 'ci', role: 'operator' }, { headers });
    const again = await world.call('POST', '/v1/tokens', { name: 'ci', role: 'operator' }, { headers });

    expect(first.body.token).toMatch(/^srn_[\w-]{43}$/);
    expect(again.status).toBe(201);
    expect(again.body).toEqual({ ...first.body, token: undefined });
    const written = world.journal.streams().map((stream) => JSON.stringify(world.journal.entries(stream)));
    expect(written.join()).not.toContain(first.body.token);
  });
});

/** Reads of models wait; what is asked is in the journal by then. */
function slowHead(journal: Awaited<ReturnType<typeof openWorld>>['ports']['journal'], gate: Promise<undefined>) {
  return {
    ...journal,
    head: async (stream: string) => {
      if (stream.startsWith('model/')) await gate;
      return journal.head(stream);
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns += 1) {
    if (turns > 10_000) throw new Error('it never came');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('releases', () => {
  test('without the stored code are refused, naming what is missing', async () => {
    const world = await openWorld();

    const { status, body } = await world.call('POST', '/v1/releases', { config: compiled() });

    expect(status).toBe(422);
    expect(body.errors[0].detail).toMatch(/^code\/[0-9a-f]{64}\.json is not in the bucket 'serin'$/);
    expect(world.journal.streams()).not.toContain('project');
  });

  test('twice are one', async () => {
    const world = await openWorld();
    await world.release();

    const { status, body } = await world.call('POST', '/v1/releases', { config: compiled() });

    expect(status).toBe(200);
    expect(body.outcome).toBe('ignored');
    expect((await world.call('GET', '/v1/status')).body.revision).toBe(1);
  });

  test("with an unknown field, or one that the author's form has, are refused with its pointer", async () => {
    const world = await openWorld();
    const config = compiled();
    const bad = {
      ...config,
      models: {
        ...config.models,
        fraud: { ...config.models.fraud, retries: 1, data: { ...config.models.fraud?.data, rescan: '1d' } },
      },
    };

    const { status, body } = await world.call('POST', '/v1/releases', { config: bad });

    expect(status).toBe(422);
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual([
      '/config/models/fraud/data/rescan',
      '/config/models/fraud/retries',
    ]);
  });

  test('every config that compiles is taken as it is', async () => {
    const world = await openWorld();
    await world.release();
    const variants: Parameters<typeof compiled>[0][] = [
      { serve: 'none' },
      { gate: undefined, split: undefined, evaluate: undefined, approval: {} } as never,
      { split: { prepare: { command: ['node', 'prepare.mjs'] } } },
      { split: { holdout: { by: 'manifest', train: 'train/', holdout: 'holdout/' } } },
      { on: { schedule: { cron: '0 3 * * 1', zone: 'Europe/Zurich' } } },
      { data: { ...modelRules.data, columns: ['day'], maxBytes: '1GB', settle: { marker: '_DONE' } } },
      { rollout: { strategy: 'linear', increment: 10, onInconclusive: 'promote' }, monitor: { onDrift: 'run' } },
      {
        train: {
          command: ['a'],
          image: 'x@sha256:1',
          checkpoints: true,
          compute: { spot: true, accelerator: { type: 'T4' } },
          metrics: [{ name: 'rmse', regex: 'rmse=(.*)' }],
        },
      },
    ];

    for (const changes of variants) {
      const config = compiled(changes);
      const { status, body } = await world.call('POST', '/v1/releases', { config });
      expect([status, body.errors]).toEqual([202, undefined]);
    }
  });

  test.each(['{}', 'not JSON', ''])('code whose list of files became %j is not released', async (text) => {
    const world = await openWorld();
    await world.release();
    await world.ports.bucket('serin').write(`code/${codeDigest}.json`, encodeText(text));

    const { status, body } = await world.call('POST', '/v1/releases', {
      config: compiled({ approval: { required: true } }),
    });

    expect(status).toBe(422);
    expect(body.detail).toContain(`has the digest ${sha256Hex(text)}, not ${codeDigest}`);
  });

  test("the project's own bucket takes code under its digest alone", async () => {
    const world = await openWorld();
    const digest = 'a'.repeat(64);

    expect((await world.put('datasets/fraud/x.json', '{}', undefined, 'serin')).status).toBe(422);
    expect((await world.put(`code/blobs/${digest}`, 'other', undefined, 'serin')).status).toBe(422);
    expect((await world.put(`configs/${digest}.json`, '{}', undefined, 'serin')).status).toBe(422);
    const operator = await world.token('operator');
    expect((await world.put(`code/blobs/${digest}`, 'other', operator, 'serin')).status).toBe(403);
  });

  test.each(['../train.py', '/train.py', 'a//b.py', 'back\\slash.py', 'C:train.py', `${'x'.repeat(201)}.py`, ''])(
    'a code manifest with the path %j, which a job could not be given, is refused when it is written',
    async (path) => {
      const world = await openWorld();
      const text = JSON.stringify({ files: [{ path, blob: 'a'.repeat(64), bytes: 1, executable: false }] });

      const answer = await world.put(`code/${sha256Hex(text)}.json`, text, undefined, 'serin');

      expect(answer.status).toBe(422);
      expect(await answer.json()).toMatchObject({ errors: [{ pointer: expect.stringContaining('path') }] });
    },
  );
});

describe('freeze', () => {
  test('holds promotions until it ends or is ended', async () => {
    const world = await withChampion();

    expect(
      (await world.call('POST', '/v1/freeze', { because: 'audit', until: new Date(start).toISOString() })).status,
    ).toBe(422);
    expect((await world.call('POST', '/v1/freeze', { because: 'audit' })).status).toBe(202);
    await world.pay();
    expect((await world.call('GET', '/v1/status')).body.freeze).toEqual({ by: 'admin', because: 'audit' });
    expect((await world.call('GET', '/v1/why/fraud')).body.sentence).toContain('it is frozen by admin: audit');
    expect((await world.call('DELETE', '/v1/freeze')).status).toBe(202);
    expect((await world.call('GET', '/v1/status')).body.freeze).toBeUndefined();
  });
});

describe('dead letters', () => {
  test('are listed, sent again, and given up', async () => {
    const world = await withChampion();
    const signal = {
      type: 'runRequested',
      trigger: { kind: 'manual', force: true },
      id: 'lost/1',
      at: 1,
      actor: { subject: 'ann', issuer: 'token', role: 'operator' },
    };
    const actor = { subject: 'serin', issuer: 'engine', role: 'system' } as const;
    for (const id of ['lost/1', 'lost/2'])
      await bury(
        world.ports.journal,
        { id, stream: 'model/fraud', signal: { ...signal, id }, because: 'no luck', at: 1 },
        actor,
      );

    expect((await world.call('GET', '/v1/dead-letters')).body.deadLetters).toMatchObject([
      { id: 'lost/1', because: 'no luck' },
      { id: 'lost/2' },
    ]);
    expect((await world.call('POST', `/v1/dead-letters/${encodeURIComponent('lost/1')}/replay`)).status).toBe(202);
    expect((await world.call('POST', `/v1/dead-letters/${encodeURIComponent('lost/1')}/replay`)).status).toBe(409);
    expect((await world.call('POST', `/v1/dead-letters/${encodeURIComponent('lost/2')}/discard`)).status).toBe(200);
    expect((await world.call('GET', '/v1/dead-letters?status=waiting')).body.deadLetters).toEqual([]);
    expect((await world.model()).run.status).toBe('validating');
  });

  test('one that nothing can use stays, with the reason', async () => {
    const world = await withChampion();
    const actor = { subject: 'serin', issuer: 'engine', role: 'system' } as const;
    await bury(
      world.ports.journal,
      { id: 'odd', stream: 'nowhere', signal: { type: 'x' }, because: 'odd', at: 1 },
      actor,
    );

    expect((await world.call('POST', '/v1/dead-letters/odd/replay')).status).toBe(409);
    expect((await world.call('GET', '/v1/dead-letters?status=waiting')).body.deadLetters).toHaveLength(1);
  });

  test('a message of the platform goes back into its queue as it came', async () => {
    const queued: string[] = [];
    const nudged: string[] = [];
    const world = await openWorld({
      redeliver: async (body) => void queued.push(body),
      nudge: (stream) => void nudged.push(stream),
    });
    const actor = { subject: 'serin', issuer: 'engine', role: 'system' } as const;
    const letter = { id: 'm1', stream: queueStream, signal: { body: 'not JSON' }, because: 'not JSON', at: 1 };
    await bury(world.ports.journal, letter, actor);

    const replayed = await world.call('POST', '/v1/dead-letters/m1/replay');

    expect(replayed.status).toBe(202);
    expect(queued).toEqual(['not JSON']);
    expect(nudged).not.toContain(queueStream);
    expect((await world.call('GET', '/v1/dead-letters?status=waiting')).body.deadLetters).toEqual([]);
  });
});

describe('the audit chain', () => {
  test('holds over all streams, and names the entry that was changed', async () => {
    const world = await withChampion();
    await world.token('viewer');
    const whole = await world.call('GET', '/v1/audit/verify');
    expect(whole.body).toMatchObject({ ok: true, problems: [] });
    expect(whole.body.entries).toBeGreaterThan(20);

    const { journal } = world.ports;
    const forged = await openWorld({
      ports: {
        ...world.ports,
        journal: {
          ...journal,
          history: async (...given) =>
            (await journal.history(...given)).map((entry) =>
              entry.stream === 'model/fraud' && entry.seq === 3 ? { ...entry, at: entry.at + 1 } : entry,
            ),
        },
      },
    });
    const found = await forged.call('GET', '/v1/audit/verify?stream=model%2Ffraud');
    expect(found.body).toMatchObject({
      ok: false,
      problems: [{ problem: 'model/fraud: entry 3 was changed after it was written' }],
    });
  });

  test.each(['audit', 'rollout'])(
    'of a long stream is checked part by part for %s, a turn of the event loop between any two',
    async (who) => {
      const world = await withChampion();
      const { seq } = await world.model();
      const [{ id }] = (await world.call('GET', '/v1/rollouts')).body.rollouts;
      const judged = new Map<number, Set<number>>();
      let [turns, isOver] = [0, false];
      const turn = (): void => {
        turns += 1;
        judged.set(turns, new Set());
        if (!isOver) setImmediate(turn);
      };
      const watched = (entry: Entry): Entry =>
        new Proxy(entry, {
          get(target, key) {
            if (key === 'previousHash') judged.get(turns)?.add(target.seq);
            return Reflect.get(target, key);
          },
        });
      const { journal } = world.ports;
      const history: typeof journal.history = async (...given) => (await journal.history(...given)).map(watched);
      const { call } = await openWorld({ ports: { ...world.ports, journal: { ...journal, history } } });

      turn();
      const path = who === 'audit' ? '/v1/audit/verify?stream=model%2Ffraud' : `/v1/rollouts/${id}/verification`;
      const { body } = await call('GET', path);
      isOver = true;

      expect(body).toMatchObject(who === 'audit' ? { ok: true, entries: seq } : { verified: true, status: 'promoted' });
      const counts = [...judged.values()].map(({ size }) => size);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(seq);
      expect(seq).toBeGreaterThan(40);
      expect(Math.max(...counts)).toBeLessThanOrEqual(20);
    },
  );
});

describe('the journal of a model', () => {
  test('is paged newest first down to its first entry', async () => {
    const world = await withChampion();
    const { seq } = await world.model();
    const seen: number[] = [];
    for (let before: string | undefined = ''; before !== undefined; ) {
      const { body } = await world.call(
        'GET',
        `/v1/models/fraud/entries?limit=7${before === '' ? '' : `&before=${before}`}`,
      );
      seen.push(...body.entries.map((entry: { seq: number }) => entry.seq));
      before = body.next;
    }

    expect(seen).toEqual(Array.from({ length: seq }, (_, index) => seq - index));
  });

  test('publishes recorded events again, under their own ids', async () => {
    const world = await withChampion();
    const { seq } = await world.model();
    const before = world.events().map(({ id }) => id);

    expect((await world.call('POST', '/v1/events/replay', { stream: 'model/fraud', from: 1 })).body).toEqual({
      from: 1,
      to: seq,
    });
    expect(world.events().map(({ id }) => id)).toEqual(before);
    expect((await world.call('POST', '/v1/events/replay', { stream: 'model/fraud', from: seq + 1 })).status).toBe(422);
  });
});

describe('the log of a model server', () => {
  test('is that of the champion, or of the version that is named', async () => {
    const asked: unknown[] = [];
    const world = await withChampion({
      async serverLogs(server, start, max) {
        asked.push([server, start, max]);
        return server.deployment === 'v1' ? { text: 'ready\n', next: 6 } : undefined;
      },
    });
    const read = (query: string, token?: string) =>
      world.call('GET', `/v1/models/fraud/logs${query}`, undefined, token === undefined ? {} : { token });

    expect((await read('?tail=9')).body).toEqual({ version: 1, instance: 0, text: 'ready\n', next: 6 });
    expect((await read('?version=4&from=7')).status).toBe(404);
    expect((await read('', await world.token('predictor'))).status).toBe(403);
    expect((await read('', await world.token('viewer', ['churn']))).status).toBe(404);
    expect((await world.call('GET', '/v1/models/churn/logs')).status).toBe(404);
    expect(asked).toEqual([
      [{ model: 'fraud', deployment: 'v1', instance: 0 }, { tail: 9 }, 256_000],
      [{ model: 'fraud', deployment: 'v4', instance: 0 }, { from: 7 }, 256_000],
    ]);
  });

  test('is that of the candidate while there is no champion', async () => {
    const world = await openWorld({ serverLogs: async () => ({ text: '', next: 0 }) });
    await world.release();
    await world.drop('fraud/a.csv', 'day,amount\n2026-01-01,1\n', 30_000);

    expect((await world.model()).champion).toBeUndefined();
    expect((await world.call('GET', '/v1/models/fraud/logs')).body.version).toBe(1);
  });

  test('is read with the tools of the cloud that keeps it', async () => {
    const world = await withChampion({ serverLogsCommand: (model, deployment) => `show ${model} ${deployment}` });

    const { status, body } = await world.call('GET', '/v1/models/fraud/logs');

    expect([status, body.errors]).toEqual([501, [{ pointer: 'command', detail: 'show fraud v1' }]]);
  });
});

describe('a platform', () => {
  test('refuses a config for what it cannot do, with each place, and nothing is released', async () => {
    const world = await openWorld({ platform: 'aws', problemsOf });

    const refused = await world.call('POST', '/v1/releases', { config: compiled({ rollout: { tick: '10s' } }) });

    expect(refused.status).toBe(422);
    expect(refused.body.errors).toContainEqual({
      pointer: '/config/models/fraud/rollout/tick',
      detail: expect.stringContaining('by the minute'),
    });
    expect((await world.call('GET', '/version')).body.platform).toBe('aws');
    expect((await world.call('GET', '/v1/status')).body.config).toBeUndefined();
  });
});
