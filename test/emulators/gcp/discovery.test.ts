import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Call, GoogleError } from '@serin/gcp/calls/google';
import { afterEach, expect, test } from 'vitest';
import { emulatedGcp } from '../emulated.ts';
import { paths, startGcs } from '../installed.ts';
import { combined, type Handlers, LostAnswer, Media, Refusal, type Served, serveGoogle } from './discovery.ts';
import { documentOf, methodsOf, services } from './documents.ts';
import { matchOf } from './routes.ts';

const place = 'v1/projects/p/locations/europe-west4';
const suite = 'gcp-checks';

let served: Served | undefined;

async function serve(handlers: Handlers): Promise<Served> {
  served = await serveGoogle(suite, handlers);
  return served;
}

/** What the server has against a call, or against the answer of a fake to it. */
async function violationOf(handlers: Handlers, call: Call): Promise<string> {
  const { google, check } = await serve(handlers);
  const answer = await google.bytes(call).catch((error: GoogleError) => error);
  expect(answer).toMatchObject({ name: 'GoogleError', status: 400 });
  try {
    check();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing';
}

afterEach(async () => {
  await served?.stop();
  served = undefined;
});

const job = {
  displayName: 'train',
  labels: { run: 'r1' },
  jobSpec: {
    workerPoolSpecs: [
      {
        machineSpec: { machineType: 'g2-standard-4', acceleratorType: 'NVIDIA_L4', acceleratorCount: 1 },
        replicaCount: '1',
        containerSpec: { imageUri: 'europe-docker.pkg.dev/p/r/train', env: [{ name: 'A', value: 'b' }] },
      },
    ],
    scheduling: { timeout: '3600s', strategy: 'SPOT', restartJobOnWorkerRestart: false },
    baseOutputDirectory: { outputUriPrefix: 'gs://b/o/' },
  },
};

/** `job` with one value replaced (by path), or taken away (`undefined`). */
function changed(path: string, value: unknown): object {
  const copy = structuredClone(job);
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let at = copy as unknown as Record<string, unknown>;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  at[last] = value;
  return copy;
}

const jobs = 'aiplatform.projects.locations.customJobs';
const create = (body: object): Call => ({ service: 'aiplatform', method: 'POST', path: `${place}/customJobs`, body });
const created = { ...job, name: 'projects/1/locations/europe-west4/customJobs/7', state: 'JOB_STATE_QUEUED' };
const inPool = 'jobSpec.workerPoolSpecs.0';

emulatedGcp("Google's documents", () => {
  test('pass a good call and its answer, and hand over what is in them, decoded', async () => {
    const { google, calls } = await serve({
      [`${jobs}.create`]: ({ params, body }) => ({ ...created, labels: { ...params, ...body.labels } }),
    });

    const answer = await google.json(create(job));

    expect(answer).toMatchObject({
      name: created.name,
      labels: { parent: 'projects/p/locations/europe-west4', run: 'r1' },
    });
    expect(calls).toMatchObject([{ id: `${jobs}.create`, body: { displayName: 'train' }, status: 200 }]);
  });

  test.each([
    ['an unknown field', `${inPool}.machineSpec.gpuType`, 'x', /machineSpec\.gpuType: unknown; known are /],
    ['a name in snake case', `${inPool}.replica_count`, '1', /\.replica_count: unknown/],
    ['a bad enum', `${inPool}.machineSpec.acceleratorType`, 'NVIDIA_L5', /'NVIDIA_L5' is none of /],
    ['a number for 64 bits', `${inPool}.replicaCount`, 1, /replicaCount: must be int64 as string, is number 1/],
    [
      'text for 32 bits',
      `${inPool}.machineSpec.acceleratorCount`,
      '1',
      /acceleratorCount: must be int32 as integer, is string 1/,
    ],
    ['a duration without its unit', 'jobSpec.scheduling.timeout', '3600', /timeout: '3600' is no google-duration/],
    ['a duration as a number', 'jobSpec.scheduling.timeout', 3600, /timeout: must be google-duration as string/],
    [
      'text for a boolean',
      'jobSpec.scheduling.restartJobOnWorkerRestart',
      'no',
      /must be boolean as boolean, is string no/,
    ],
    ['an object for a list', `${inPool}.containerSpec.env`, {}, /env: must be a list, is an object/],
    ['null', 'jobSpec', null, /body\.jobSpec: must be an object, is null/],
    ['a number in labels', 'labels', { run: 1 }, /labels\.run: must be string as string, is number 1/],
    ['what only Google writes', 'state', 'JOB_STATE_RUNNING', /body\.state: only Google writes it/],
    ['what is required', 'displayName', undefined, /body\.displayName: REQUIRED/],
    [
      'what is required deep inside',
      `${inPool}.containerSpec.imageUri`,
      undefined,
      /containerSpec\.imageUri: REQUIRED/,
    ],
    [
      'two of one choice',
      `${inPool}.pythonPackageSpec`,
      { executorImageUri: 'x', packageUris: ['gs://b/a'], pythonModule: 'm' },
      /one of task, not both containerSpec and pythonPackageSpec/,
    ],
  ] as const)('refuse in a request: %s', async (_what, path, value, text) => {
    const said = await violationOf({ [`${jobs}.create`]: () => created }, create(changed(path, value)));

    expect(said).toMatch(text);
  });

  test.each([
    ['an unknown field', { ...created, jobId: '7' }, /answer of \S+: body\.jobId: unknown/],
    ['a bad enum', { ...created, state: 'RUNNING' }, /'RUNNING' is none of /],
    [
      'a time without a zone',
      { ...created, createTime: '2026-01-01T00:00:00' },
      /createTime: '2026\S+' is no google-datetime/,
    ],
    ['what is required', { ...created, displayName: undefined }, /answer\.displayName: REQUIRED/],
    ['nothing at all', undefined, /body: must be an object, is undefined undefined/],
    ['content', new Media(Buffer.from('x')), /answered with content; it was not asked for/],
  ] as const)('refuse in an answer of a fake: %s', async (_what, answer, text) => {
    const said = await violationOf({ [`${jobs}.create`]: () => answer }, create(job));

    expect(said).toMatch(text);
  });

  test.each([
    ['a route', { method: 'POST', path: `${place}/trainingJobs`, body: {} }, /aiplatform has no method POST /],
    ['a verb', { method: 'PUT', path: `${place}/customJobs`, body: {} }, /has no method PUT/],
    ['a custom verb', { method: 'POST', path: `${place}/endpoints/e:deploy`, body: {} }, /has no method POST/],
    ['a part that is empty', { method: 'GET', path: `${place}/customJobs/` }, /has no method GET/],
    [
      'a name in the query',
      { method: 'GET', path: `${place}/customJobs`, query: { maxResults: 5 } },
      /\?maxResults: unknown; known are filter/,
    ],
    [
      'a number in the query',
      { method: 'GET', path: `${place}/customJobs`, query: { pageSize: 'all' } },
      /\?pageSize: 'all' is no integer/,
    ],
    [
      'a name twice in the query',
      { method: 'GET', path: `${place}/customJobs`, query: { pageSize: ['5', '6'] } },
      /\?pageSize: given 2 times/,
    ],
    [
      'text for a boolean in the query',
      { service: 'storage', method: 'GET', path: 'storage/v1/b/b/o', query: { versions: 'yes' } },
      /\?versions: 'yes' is neither true nor false/,
    ],
    [
      'a query without what is required',
      { service: 'storage', method: 'POST', path: 'storage/v1/b', body: { name: 'b' } },
      /\?project: missing/,
    ],
    [
      'a body that is no JSON',
      { method: 'POST', path: `${place}/customJobs`, bytes: { content: Buffer.from('{}'), type: 'text/plain' } },
      /content-type: 'text\/plain' is not application\/json/,
    ],
    [
      'a body where none is taken',
      { method: 'POST', path: `${place}/operations/7:cancel`, body: {} },
      /body: it takes none/,
    ],
    ['no body where one is', { method: 'POST', path: `${place}/customJobs` }, /body: missing/],
    [
      'content that is not offered',
      { method: 'GET', path: `${place}/customJobs/7`, query: { alt: 'media' } },
      /\?alt: it has no content/,
    ],
    [
      'a mask of no field',
      { method: 'PATCH', path: `${place}/endpoints/e`, query: { updateMask: 'traffic_split' }, body: {} },
      /'traffic_split'/,
    ],
    [
      'a mask of a field of another',
      { method: 'PATCH', path: `${place}/endpoints/e`, query: { updateMask: 'displayName,state' }, body: {} },
      /\?updateMask: 'state' is no field of /,
    ],
    [
      'no mask',
      { method: 'PATCH', path: `${place}/endpoints/e`, body: { trafficSplit: { '1': 100 } } },
      /request\.updateMask: REQUIRED/,
    ],
    [
      'what no fake has',
      { method: 'GET', path: `${place}/customJobs/7` },
      /no fake has aiplatform\.projects\.locations\.customJobs\.get/,
    ],
  ] as const)('refuse in a call: %s', async (_what, call, text) => {
    const said = await violationOf({}, { service: 'aiplatform', ...call } as Call);

    expect(said).toMatch(text);
  });

  test('refuse of Monitoring what its protos say of a query', async () => {
    const path = 'v3/projects/p/timeSeries';
    const query = { filter: 'metric.type="x"', 'interval.endTime': '2026-01-01T00:00:00Z', view: 'full' };
    const list = { 'monitoring.projects.timeSeries.list': () => ({}) };

    const bad = await violationOf(list, { service: 'monitoring', method: 'GET', path, query });
    const without = await violationOf(list, { service: 'monitoring', method: 'GET', path, query: { view: 'FULL' } });

    expect(bad).toMatch(/\?view: 'full' is none of /);
    expect(without).toMatch(/request\.filter: REQUIRED/);
    expect(without).toMatch(/request\.interval: REQUIRED/);
  });

  test('refuse of an operation what its own type does not have', async () => {
    const path = `${place}/operations/1`;
    const operation = (response: object): Handlers => ({
      'aiplatform.projects.locations.operations.get': () => ({ name: 'operations/1', done: true, response }),
    });
    const type = 'type.googleapis.com/google.cloud.aiplatform.v1';

    const unknown = await violationOf(operation({ '@type': `${type}.DeployModelResponse`, model: 'm' }), {
      service: 'aiplatform',
      method: 'GET',
      path,
    });
    const untyped = await violationOf(operation({ deployedModel: {} }), { service: 'aiplatform', method: 'GET', path });

    expect(unknown).toMatch(
      /answer\.response\.model: unknown field of google\.cloud\.aiplatform\.v1\.DeployModelResponse/,
    );
    expect(untyped).toMatch(/answer\.response: without an @type/);
  });

  test('read the path of an object with `/`, `:` and a line break in its name, and its content', async () => {
    const { google } = await serve({
      'storage.objects.get': ({ params, query }) =>
        query.get('alt') === 'media'
          ? new Media(Buffer.from(`content of ${params.object}`), { 'x-goog-generation': '7' })
          : { name: params.object, generation: '7' },
    });
    const path = `storage/v1/b/bucket/o/${encodeURIComponent('a/b:c\n%ü')}`;

    const meta = await google.json({ service: 'storage', method: 'GET', path });
    const media = await google.bytes({ service: 'storage', method: 'GET', path, query: { alt: 'media' } });

    expect(meta).toEqual({ name: 'a/b:c\n%ü', generation: '7' });
    expect(Buffer.from(media.content).toString()).toBe('content of a/b:c\n%ü');
    expect(media.headers.get('x-goog-generation')).toBe('7');
  });

  test('read an upload, its content alone and with what is said of it', async () => {
    const { google } = await serve({
      'storage.objects.insert': ({ params, query, body, bytes }) => ({
        bucket: params.bucket,
        name: query.get('name') ?? body.name,
        metadata: { content: bytes.toString('latin1') },
      }),
    });
    const upload = (uploadType: string, content: Buffer, type: string, name?: string) =>
      google.json({
        service: 'storage',
        method: 'POST',
        path: 'upload/storage/v1/b/bucket/o',
        query: { uploadType, name },
        bytes: { content, type },
      });
    const json = JSON.stringify({ name: 'ü' });
    const two = `--x\r\ncontent-type: application/json\r\n\r\n${json}\r\n--x\r\ncontent-type: text/csv\r\n\r\na\r\n\r\nb\r\n--x--\r\n`;

    const media = await upload('media', Buffer.from([0, 255]), 'application/octet-stream', 'k');
    const multipart = await upload('multipart', Buffer.from(two), 'multipart/related; boundary=x');

    expect(media).toEqual({ bucket: 'bucket', name: 'k', metadata: { content: '\u0000\u00ff' } });
    expect(multipart).toEqual({ bucket: 'bucket', name: 'ü', metadata: { content: 'a\r\n\r\nb' } });
  });

  test.each([
    ['what is said of an object', 'multipart', '--x\r\n\r\n{"nme":"k"}\r\n--x\r\n\r\nb\r\n--x--', /body\.nme: unknown/],
    ['no end of the parts', 'multipart', '--x\r\n\r\n{"name":"k"}\r\n--x\r\n\r\nb\r\n', /must be two parts/],
    [
      'a part without an end of its heads',
      'multipart',
      '--x\r\n{"name":"k"}\r\n--x\r\n\r\nb\r\n--x--',
      /not as RFC 2387 has it/,
    ],
    ['one part of two', 'multipart', '--x\r\n\r\n{"name":"k"}\r\n--x--', /must be two parts/],
    ['a way that is not served', 'resumable', '{}', /'resumable' is not served here/],
    ['no way', undefined, 'x', /'none' is not served here/],
  ] as const)('refuse in an upload: %s', async (_what, uploadType, content, text) => {
    const said = await violationOf(
      { 'storage.objects.insert': () => ({}) },
      {
        service: 'storage',
        method: 'POST',
        path: 'upload/storage/v1/b/bucket/o',
        query: { uploadType },
        bytes: { content: Buffer.from(content), type: 'multipart/related; boundary=x' },
      },
    );

    expect(said).toMatch(text);
  });

  test.each([
    [
      'firestore',
      'GET',
      'v1/projects/p/databases/d/documents/a/1',
      'get',
      { name: 'projects/p/databases/d/documents/a/1' },
    ],
    [
      'firestore',
      'GET',
      'v1/projects/p/databases/d/documents/a/x%2Fy',
      'get',
      { name: 'projects/p/databases/d/documents/a/x%2Fy' },
    ],
    ['firestore', 'GET', 'v1/projects/p/databases/d/documents/a', 'listDocuments', { collectionId: 'a' }],
    ['firestore', 'GET', 'v1/projects/p/databases/d/documents/a/1/b', 'list', { collectionId: 'b' }],
    [
      'firestore',
      'POST',
      'v1/projects/p/databases/d/documents:runQuery',
      'runQuery',
      { parent: 'projects/p/databases/d/documents' },
    ],
    [
      'firestore',
      'POST',
      'v1/projects/p/databases/d/documents/a/1:runQuery',
      'runQuery',
      { parent: 'projects/p/databases/d/documents/a/1' },
    ],
    [
      'firestore',
      'POST',
      'v1/projects/p/databases/d/documents:commit',
      'commit',
      { database: 'projects/p/databases/d' },
    ],
    ['pubsub', 'POST', 'v1/projects/p/topics/t:publish', 'publish', { topic: 'projects/p/topics/t' }],
    [
      'secretmanager',
      'GET',
      'v1/projects/p/secrets/s/versions/latest:access',
      'access',
      { name: 'projects/p/secrets/s/versions/latest' },
    ],
    [
      'aiplatform',
      'POST',
      `${place}/endpoints/e:deployModel`,
      'deployModel',
      { endpoint: 'projects/p/locations/europe-west4/endpoints/e' },
    ],
    ['aiplatform', 'GET', `${place}/models/m@2`, 'get', { name: 'projects/p/locations/europe-west4/models/m@2' }],
    ['aiplatform', 'GET', `${place}/models/m%402`, 'get', { name: 'projects/p/locations/europe-west4/models/m@2' }],
    [
      'aiplatform',
      'GET',
      `${place}/endpoints/e/operations/1`,
      'get',
      { name: 'projects/p/locations/europe-west4/endpoints/e/operations/1' },
    ],
  ] as const)('of %s know %s %s', (service, verb, path, last, params) => {
    const { method, params: found } = matchOf(service, verb, path);

    expect(method.id.split('.').at(-1)).toBe(last);
    expect(found).toMatchObject(params);
  });

  test('have no two methods of one service for one request', () => {
    const several = services.flatMap((service) =>
      methodsOf(service).flatMap(({ httpMethod, path, flatPath }) => {
        const sample = (flatPath ?? path).replace(/\{\+?\w+\}/g, 'x');
        try {
          return matchOf(service, httpMethod, `${documentOf(service).servicePath}${sample}`) === undefined
            ? [sample]
            : [];
        } catch (error) {
          // A sample of what creates a document in Firestore is the path of a document.
          return /documents\/x\/x$/.test(String(error)) ? [] : [String(error)];
        }
      }),
    );

    expect(several).toEqual([]);
  });

  test('answer a refusal in the form of its service', async () => {
    const refuse = () => {
      throw new Refusal('FAILED_PRECONDITION', 'not now', { reason: 'conditionNotMet', status: 412 });
    };
    const { google, calls } = await serve({ 'storage.objects.get': refuse, [`${jobs}.get`]: refuse });

    const ofStorage = google.json({ service: 'storage', method: 'GET', path: 'storage/v1/b/b/o/k' });
    const ofVertex = google.json({ service: 'aiplatform', method: 'GET', path: `${place}/customJobs/7` });

    await expect(ofStorage).rejects.toMatchObject({
      status: 412,
      rpc: '',
      reason: 'conditionNotMet',
      message: 'not now',
    });
    await expect(ofVertex).rejects.toMatchObject({
      status: 412,
      rpc: 'FAILED_PRECONDITION',
      reason: 'conditionNotMet',
    });
    expect(calls.map(({ status }) => status)).toEqual([412, 412]);
  });

  test('refuse an answer of a fake where there is none', async () => {
    const path = 'storage/v1/b/b/o/k';

    const said = await violationOf(
      { 'storage.objects.delete': () => ({}) },
      { service: 'storage', method: 'DELETE', path },
    );

    expect(said).toMatch(/answer of storage\.objects\.delete: must be empty/);
  });

  test('lose an answer after its effect', async () => {
    const born: string[] = [];
    const { google } = await serve({
      [`${jobs}.create`]: ({ body }) => {
        born.push(body.displayName);
        throw new LostAnswer();
      },
    });

    const call = google.json(create(job));

    await expect(call).rejects.toMatchObject({ status: 0 });
    expect(born).toEqual(['train']);
  });

  test('answer a query of Firestore as a list, and refuse it as one', async () => {
    const at = '2026-01-01T00:00:00Z';
    const id = 'firestore.projects.databases.documents.runQuery';
    const call: Call = {
      service: 'firestore',
      method: 'POST',
      path: 'v1/projects/p/databases/d/documents:runQuery',
      body: { structuredQuery: {} },
    };
    const { google } = await serve({ [id]: () => [{ readTime: at }] });

    const refuse = () => {
      throw new Refusal('ABORTED', 'again');
    };

    const listed = await google.json(call);
    const refused = await fetch(`${(await serve({ [id]: refuse })).url}/firestore/${call.path}`, {
      method: 'POST',
      headers: { authorization: 'Bearer x', 'content-type': 'application/json' },
      body: JSON.stringify(call.body),
    });
    const refusal = await refused.json();
    await served?.stop();
    const single = await violationOf({ [id]: () => ({ readTime: at }) }, call);

    expect(listed).toEqual([{ readTime: at }]);
    expect(refusal).toEqual([{ error: { code: 409, message: 'again', status: 'ABORTED' } }]);
    expect(single).toMatch(/must be a list of parts/);
  });

  test('hold a test that has caught the refusal of a bad call', async () => {
    const server = await serveGoogle(suite, {});
    await server.google.json({ service: 'pubsub', method: 'GET', path: 'v1/projects/p/topics' }).catch(() => {});

    const stopped = server.stop();

    await expect(stopped).rejects.toThrow(/no fake has pubsub\.projects\.topics\.list/);
  });

  test('hold a fake that fails', async () => {
    const fail = () => {
      throw new TypeError('of the fake');
    };

    const said = await violationOf({ [`${jobs}.create`]: fail }, create(job));

    expect(said).toMatch(/the fake of \S+ failed: TypeError: of the fake/);
  });

  test('know each method that a fake names, and take none from two', async () => {
    const fake: Handlers = { 'aiplatform.projects.locations.customJobs.start': () => ({}) };

    await expect(serveGoogle(suite, fake)).rejects.toThrow(
      "Google's documents have no method aiplatform.projects.locations.customJobs.start",
    );
    expect(() => combined(fake, fake)).toThrow(`two fakes have aiplatform`);
  });

  test('give tokens as the metadata server does, and demand one of each call', async () => {
    const { url, variables, check } = await serve({});
    const tokens = `http://${variables.GCE_METADATA_HOST}/computeMetadata/v1/instance/service-accounts/default/token`;

    const given = await fetch(tokens, { headers: { 'Metadata-Flavor': 'Google' } });
    const without = await fetch(tokens);
    await fetch(`${url}/storage/storage/v1/b/b/o`);

    expect([given.status, without.status]).toEqual([200, 403]);
    expect(await given.json()).toMatchObject({ access_token: expect.any(String), expires_in: 3599 });
    expect(check).toThrow(/no bearer token/);
  });

  test('let an emulator of others answer what no fake has', async () => {
    const gcs = await startGcs();
    served = await serveGoogle(suite, {}, { relays: { storage: { url: gcs.url, who: 'fake-gcs-server' } } });
    const { google, calls } = served;
    const of = { service: 'storage', method: 'POST' } as const;
    const path = `storage/v1/b/bucket/o/${encodeURIComponent('a/b ü')}`;
    await google.json({ ...of, path: 'storage/v1/b', query: { project: 'p' }, body: { name: 'bucket' } });
    const bytes = { content: Buffer.from('x'), type: 'text/plain' };
    const query = { uploadType: 'media', name: 'a/b ü' };

    await google.json({ ...of, path: 'upload/storage/v1/b/bucket/o', query, bytes });
    const media = await google.bytes({ ...of, method: 'GET', path, query: { alt: 'media' } });
    const missing = google.json({ ...of, method: 'GET', path: `${path}x` });

    expect(Buffer.from(media.content).toString()).toBe('x');
    await expect(missing).rejects.toMatchObject({ status: 404 });
    expect(calls.map(({ status }) => status)).toEqual([200, 200, 200, 404]);
    await gcs.stop();
  });

  test('hold the answers of an emulator to the same, but for what is known of it', async () => {
    const emulator = createServer((_request, response) => response.end('{"nme":"k"}')).listen(0, '127.0.0.1');
    await once(emulator, 'listening');
    const url = `http://127.0.0.1:${(emulator.address() as AddressInfo).port}`;
    const get = async (faults: Readonly<Record<string, RegExp>>) => {
      const server = await serveGoogle(suite, {}, { relays: { storage: { url, who: 'an emulator', faults } } });
      const call = { service: 'storage', method: 'GET', path: 'storage/v1/b/b/o/k' } as const;
      const answer = await server.google.json(call).catch((error: GoogleError) => error.status);
      return { answer, stopped: await server.stop().catch((error: Error) => error.message) };
    };

    const known = await get({ 'storage.objects.get': /^body\.nme: unknown/ });
    const unknown = await get({ 'storage.objects.list': /^body\.nme: unknown/ });

    expect(known).toEqual({ answer: { nme: 'k' }, stopped: undefined });
    expect(unknown).toEqual({ answer: 400, stopped: expect.stringMatching(/by an emulator: body\.nme: unknown/) });
    emulator.close();
  });

  test('leave behind what was called, how often, and who answered', async () => {
    const { google, stop } = await serve({ 'pubsub.projects.topics.publish': () => ({ messageIds: ['1'] }) });
    const message = { data: Buffer.from('x').toString('base64') };
    await google.json({
      service: 'pubsub',
      method: 'POST',
      path: 'v1/projects/p/topics/t:publish',
      body: { messages: [message] },
    });

    await stop();

    const file = join(paths.calls, `${suite}.discovery.json`);
    expect(existsSync(file)).toBe(true);
    const { calls, checkedBy } = JSON.parse(readFileSync(file, 'utf8'));
    expect(calls['pubsub.projects.topics.publish']).toEqual({ 'a fake of ours': { answered: 1, refused: 0 } });
    expect(checkedBy['pubsub.projects.topics.publish']).toBe('discovery document, protos');
    const ofStorage = Object.keys(checkedBy).filter((id) => id.startsWith('storage.'));
    expect(ofStorage.map((id) => checkedBy[id])).toEqual(ofStorage.map(() => 'discovery document'));
  });
}, ['fake-gcs-server']);
