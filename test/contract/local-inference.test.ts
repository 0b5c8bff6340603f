import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Deployment } from '@serin/core/ports/serving';
import { describe, expect, test } from 'vitest';
import kserve from './kserve-requests.json' with { type: 'json' };
import {
  type Answer,
  callTo,
  counted,
  deploymentIn,
  deploymentOf,
  giveUp,
  type Invocation,
  invoke,
  type MachineOptions,
  newDirectory,
  openMachine,
} from './serving-machine.ts';

type Modes = readonly ('ok' | 'v2')[];

/** The endpoint `e` with v1, v2 ... of these modes; all requests to the first, unless weights say otherwise. */
async function open(
  modes: Modes,
  options: MachineOptions = {},
  weights: Readonly<Record<string, number>> = { v1: 100 },
) {
  const directory = newDirectory();
  const machine = await openMachine(directory, options);
  const deployments: readonly Deployment[] = modes.map((mode, index) => deploymentOf(directory, index + 1, mode));
  await machine.serve('e', deployments, weights);
  const at = (path: string, what: Invocation = {}) => invoke(machine.port, path, what);
  return {
    ...machine,
    get: (path: string) => at(path, { method: 'GET', body: '' }),
    infer: (what: Invocation = {}, path = '/v2/models/e/infer') => at(path, { body: ask, ...what }),
    /** What the model servers were sent, one after the other. */
    notes: (): readonly {
      readonly version: string;
      readonly url: string;
      readonly text: string;
      readonly headers: Readonly<Record<string, string>>;
    }[] =>
      readFileSync(join(directory, 'notes.ndjson'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter(({ method }) => method === 'POST'),
  };
}

const ask = '{"id":"r1","inputs":[{"name":"x","shape":[1,2],"datatype":"FP64","data":[1,2.5]}]}';
const answering = (answer: unknown, more: object = {}): Invocation => ({ order: { answer, ...more } });
const json = (answer: Answer) => [answer.status, JSON.parse(answer.text)];

describe('a model server that has only /invocations', () => {
  test('is asked there, and answers in the Open Inference Protocol', async () => {
    const machine = await open(['ok']);

    const answer = await machine.infer(answering({ predictions: [0.5] }));

    const outputs = [{ name: 'predictions', datatype: 'FP64', shape: [1], data: [0.5] }];
    expect(json(answer)).toEqual([200, { model_name: 'e', model_version: '1', id: 'r1', outputs }]);
    expect(deploymentIn(answer)).toBe('v1');
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'x-of-model': 'yes' });
    expect(machine.notes()).toMatchObject([{ url: '/invocations', text: '{"instances":[[1,2.5]]}' }]);
  });

  test('gets the headers of the caller, but for those of a body that it does not get', async () => {
    const machine = await open(['ok']);
    const json = ask.length;
    const headers = {
      'x-tenant': 'acme',
      'content-type': 'application/octet-stream',
      'accept-encoding': 'gzip',
      'inference-header-content-length': String(json),
      authorization: 'Bearer secret',
    };

    await machine.infer({ ...answering([1]), headers: { ...headers, 'x-order': '{"answer":[1]}' } });

    const [note] = machine.notes();
    expect(note?.headers).toMatchObject({ 'x-tenant': 'acme', 'content-type': 'application/json' });
    for (const name of ['accept-encoding', 'inference-header-content-length', 'authorization'])
      expect(note?.headers).not.toHaveProperty(name);
  });

  test('is described without its tensors, which nobody knows', async () => {
    const machine = await open(['ok', 'ok'], {}, { v1: 90, v2: 10 });

    const described = await machine.get('/v2/models/e');
    const one = await machine.get('/v2/models/e/versions/1');

    const metadata = { name: 'e', versions: ['2', '1'], platform: 'serin', inputs: [], outputs: [] };
    expect(json(described)).toEqual([200, metadata]);
    expect(json(one)).toEqual([200, { ...metadata, versions: ['1'] }]);
  });

  test('keeps the status of an error, and says it as one of the protocol', async () => {
    const machine = await open(['ok']);

    const refused = await machine.infer(answering({ error: 'no such column' }, { status: 422 }));
    const failed = await machine.infer(answering('out of memory', { status: 500 }));
    const silent = await machine.infer(answering('', { status: 304 }));

    expect(json(refused)).toEqual([422, { error: 'no such column' }]);
    expect(json(failed)).toEqual([500, { error: 'out of memory' }]);
    expect(json(silent)).toEqual([400, { error: 'the model answered with the status 304' }]);
    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 3, errors: 1 });
  });

  test('fails with an answer that cannot be said by tensors, or is too long', async () => {
    const machine = await open(['ok'], { maxBodyBytes: 2000 });

    const ragged = await machine.infer(answering({ predictions: [[1], [2, 3]] }));
    const long = await machine.infer(answering([`${'x'.repeat(3000)}`]));

    expect(ragged.status).toBe(502);
    expect(JSON.parse(ragged.text).error).toMatch(/differ in their lengths/);
    expect(json(long)).toEqual([502, { error: 'the answer of v1 is longer than 2000 bytes' }]);
    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 2, errors: 2 });
  });

  test('fails when it breaks off, hangs or ends', async () => {
    const machine = await open(['ok'], { timeoutMs: 500 });
    await machine.infer(answering([1]));

    const cut = await machine.infer({ order: { cut: true } });
    const silent = await machine.infer({ order: { never: true } });
    const ended = await machine.infer({ order: { exit: true } });

    expect([cut, silent, ended].map(({ status }) => status)).toEqual([502, 504, 502]);
    expect(Object.keys(JSON.parse(silent.text))).toEqual(['error']);
    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 4, errors: 3 });
  });

  test('is not asked at all when a request is not valid, and that is no error of it', async () => {
    const machine = await open(['ok']);

    const invalid = await machine.infer({ body: '{"inputs":[]}' });
    const garbage = await machine.infer({ body: Buffer.from([0xff, 0xfe]) });

    expect([invalid.status, garbage.status]).toEqual([400, 400]);
    expect(JSON.parse(invalid.text).error).toMatch(/has no inputs/);
    expect(() => machine.notes()).not.toThrow();
    expect(machine.notes()).toEqual([]);
    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 2, errors: 0 });
  });

  test('does not get an output asked for that it does not have', async () => {
    const machine = await open(['ok']);
    const body = JSON.stringify({ ...JSON.parse(ask), outputs: [{ name: 'logits' }] });

    const answer = await machine.infer({ ...answering([1]), body });

    expect(json(answer)).toEqual([400, { error: "there is no output 'logits'; ask for predictions" }]);
    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 1, errors: 0 });
  });

  test('waits for nobody who went away, and that is no error of it', async () => {
    const machine = await open(['ok']);
    await machine.infer(answering([1]));

    await giveUp(machine.port, { order: { never: true }, path: '/v2/models/e/infer', body: ask });

    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 2, errors: 0 });
  });
});

describe('a model server that speaks the protocol itself', () => {
  const own = { outputs: [{ name: 'y', datatype: 'FP32', shape: [1], data: [7] }] };

  test('gets the request as it came, and its answer is passed on', async () => {
    const machine = await open(['v2']);
    const body = `${ask} `;

    const answer = await machine.infer({ ...answering(own), body }, '/v2/models/e/infer?trace=1');

    expect(json(answer)).toEqual([200, own]);
    expect(machine.notes()).toMatchObject([{ url: '/v2/models/e/infer?trace=1', text: body }]);
  });

  test('says what its tensors are', async () => {
    const machine = await open(['v2']);

    const answer = await machine.get('/v2/models/e');

    const inputs = [{ name: 'x', datatype: 'FP64', shape: [-1, 2] }];
    expect(json(answer)).toEqual([200, { name: 'e', versions: ['1'], platform: 'own', inputs, outputs: [] }]);
  });

  test('stands beside one that does not, each asked in its own way', async () => {
    const machine = await open(['ok', 'v2'], { stickyHeader: () => 'x-user' }, { v1: 50, v2: 50 });
    const as = (user: string) => ({ headers: { 'x-user': user, 'x-order': JSON.stringify({ answer: own }) } });

    const users = Array.from({ length: 12 }, (_, index) => `user-${index}`);
    const first = await Promise.all(users.map((user) => machine.infer(as(user))));
    const again = await Promise.all(users.map((user) => machine.infer(as(user))));

    expect(new Set(first.map(deploymentIn))).toEqual(new Set(['v1', 'v2']));
    expect(again.map(deploymentIn)).toEqual(first.map(deploymentIn));
    expect(first.map((answer) => JSON.parse(answer.text).outputs)).toEqual(first.map(() => own.outputs));
    expect(new Set(machine.notes().map(({ version, url }) => `${version} ${url}`))).toEqual(
      new Set(['1 /invocations', '2 /v2/models/e/infer']),
    );
  });

  test('gets a copy in its own way when it is a mirror', async () => {
    const machine = await open(['ok', 'v2']);
    const mirror = { deployment: 'v2', percent: 100 };
    await machine.serving.change('e', { kind: 'weigh', weights: { v1: 100 }, mirror });

    const answer = await machine.infer(answering({ predictions: [0.5] }));

    expect(answer.status).toBe(200);
    await expect.poll(() => machine.notes().length).toBe(2);
    const byVersion = Object.fromEntries(machine.notes().map((note) => [note.version, note]));
    expect(byVersion[1]).toMatchObject({ url: '/invocations', text: '{"instances":[[1,2.5]]}' });
    expect(byVersion[2]).toMatchObject({ url: '/v2/models/e/infer', text: ask });
    expect(byVersion[2]?.headers).toMatchObject({ 'x-serin-mirror': 'true' });
  });

  test('is mirrored by one that does not, which gets a translation', async () => {
    const machine = await open(['v2', 'ok']);
    await machine.serving.change('e', {
      kind: 'weigh',
      weights: { v1: 100 },
      mirror: { deployment: 'v2', percent: 100 },
    });

    await machine.infer(answering(own));

    await expect.poll(() => machine.notes().length).toBe(2);
    expect(
      machine
        .notes()
        .map(({ version, url }) => `${version} ${url}`)
        .sort(),
    ).toEqual(['1 /v2/models/e/infer', '2 /invocations']);
  });
});

describe('a request of the protocol is counted and remembered', () => {
  test('as one of /invocations is', async () => {
    const machine = await open(
      ['ok', 'ok'],
      { stickyHeader: () => 'x-user', remembers: () => ({}) },
      { v1: 50, v2: 50 },
    );
    const headers = { 'x-user': 'ann', 'x-order': JSON.stringify({ answer: { predictions: [0.25] } }) };

    const direct = await machine.invoke('e', { headers });
    const inferred = await machine.infer({ headers });

    const id = String(inferred.headers['x-serin-request-id']);
    expect(deploymentIn(inferred)).toBe(deploymentIn(direct));
    expect(machine.assignments.of([id]).get(id)).toMatchObject({ prediction: 0.25, errored: false });
    expect(await counted(machine, 'e', deploymentIn(direct))).toEqual({ requests: 2, errors: 0 });
  });

  test('unless it is for a version, which nobody tossed for', async () => {
    const machine = await open(['ok', 'ok'], { remembers: () => ({}) }, { v1: 90, v2: 10 });

    const pinned = await Promise.all(
      Array.from({ length: 20 }, () => machine.infer(answering([1], { status: 500 }), '/v2/models/e/versions/2/infer')),
    );

    const ids = pinned.map(({ headers }) => String(headers['x-serin-request-id']));
    expect(new Set(pinned.map(deploymentIn))).toEqual(new Set(['v2']));
    expect(machine.assignments.of(ids).size).toBe(0);
    for (const version of ['v1', 'v2'])
      expect(await counted(machine, 'e', version)).toEqual({ requests: 0, errors: 0 });
  });

  test('and one for a version that does not serve is refused', async () => {
    const machine = await open(['ok', 'ok']);

    const answer = await machine.infer({}, '/v2/models/e/versions/2/infer');
    const ready = await machine.get('/v2/models/e/versions/2/ready');

    const error = 'version 2 of e does not serve; ask without /versions, or for one that does: 1';
    expect(json(answer)).toEqual([404, { error }]);
    expect(json(ready)).toEqual([404, { error }]);
  });
});

describe('the server', () => {
  test('says what it is, and that it is there', async () => {
    const machine = await open(['ok'], { version: '1.2.3' });

    const answers = await Promise.all(
      ['', '/health/live', '/health/ready', '/models/e/ready', '/models/e/versions/1/ready'].map((path) =>
        machine.get(`/v2${path}`),
      ),
    );

    expect(answers.map(json)).toEqual([
      [200, { name: 'serin', version: '1.2.3', extensions: [] }],
      [200, { live: true }],
      [200, { ready: true }],
      [200, { name: 'e', ready: true }],
      [200, { name: 'e', ready: true }],
    ]);
  });

  test.each([
    ['GET', '/v2/models/nobody', 404],
    ['GET', '/v2/models/nobody/ready', 404],
    ['POST', '/v2/models/nobody/infer', 404],
    ['GET', '/v2/models/e/config', 404],
    ['GET', '/v2/models/e/infer', 404],
    ['POST', '/v2/models/e', 404],
    ['POST', '/v2/repository/index', 404],
    ['GET', '/v2/models//ready', 404],
    ['GET', '/v2/models/%E0%A4%A/ready', 404],
    ['GET', '/v2/__proto__', 404],
  ])('answers %s %s with %i, in words', async (method, path, status) => {
    const machine = await open(['ok']);

    const answer = await invoke(machine.port, path, { method, body: '' });

    expect(answer.status).toBe(status);
    expect(Object.keys(JSON.parse(answer.text))).toEqual(['error']);
  });

  test('takes no more of a body than it may', async () => {
    const machine = await open(['ok', 'v2'], { maxBodyBytes: 1000 });
    const body = JSON.stringify({
      inputs: [{ name: 'x', shape: [1000], datatype: 'UINT8', data: Array(1000).fill(1) }],
    });

    const declared = await machine.infer({ body });
    const call = callTo(machine.port, {}, '/v2/models/e/infer');
    call.write(body);
    call.end();
    const [chunked] = await once(call, 'response');

    expect([declared.status, chunked.statusCode]).toEqual([413, 413]);
    expect(machine.notes()).toEqual([]);
  });

  test('ends a request whose body does not come', async () => {
    const machine = await open(['ok'], { timeoutMs: 300 });
    const call = callTo(machine.port, { 'content-length': '500' }, '/v2/models/e/infer');
    call.write('{"inputs"');

    const [answer] = await once(call, 'response');

    expect(answer.statusCode).toBe(408);
    expect(await counted(machine, 'e', 'v1')).toEqual({ requests: 1, errors: 0 });
    call.destroy();
  });

  test('reads what the client of KServe sends', async () => {
    const machine = await open(['ok']);
    const answers: Answer[] = [];

    for (const { method, path, headers, body } of kserve.requests) {
      const order = { 'x-order': '{"answer":{"predictions":[1]}}' };
      const sent = { method, body: Buffer.from(body, 'base64'), headers: { ...headers, ...order } };
      answers.push(await invoke(machine.port, path.replace('/models/m', '/models/e'), sent));
    }

    expect(answers.map(({ status }) => status)).toEqual(kserve.requests.map(() => 200));
    expect(machine.notes().map(({ text }) => text)).toEqual([
      '{"instances":[[1.5,2,3],[4,5,6]]}',
      '{"instances":[[1.5,2,3],[4,5,6]]}',
      '{"instances":[{"t":"a"},{"t":"ü"}],"parameters":{"a":1}}',
      '{"instances":[{"h":0.5},{"h":-2}]}',
    ]);
  });
});
