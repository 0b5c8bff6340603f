import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from './bodies.ts';
import { readCloudEvents } from './cloud-events.ts';
import { listPage, placeOf } from './cursor.ts';
import { readAlerts, readGithubPush, readStandardPush } from './hooks.ts';
import { signalsOfEvent } from './incoming.ts';
import { Problem } from './problem.ts';
import { githubSigned, standardSigned } from './signatures.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Anything but the typed refusal is a bug; and no input may reach a prototype. */
async function onlyProblems(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
  if (({} as { polluted?: unknown }).polluted !== undefined) throw new Error('a prototype was reached');
}

/** Arbitrary bytes, arbitrary JSON, and a real payload with something wrong somewhere in it. */
function hostile(real: unknown): fc.Arbitrary<Uint8Array> {
  const text = JSON.stringify(real);
  const pollution = fc.constantFrom(
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    text.replace('{', '{"__proto__":{"polluted":1},'),
    text.replaceAll('":{', '":{"__proto__":{"polluted":1},'),
  );
  const cut = fc
    .tuple(fc.nat(text.length), fc.nat(20), fc.string())
    .map(([at, gone, more]) => text.slice(0, at) + more + text.slice(at + gone));
  const swapped = fc
    .tuple(fc.constantFrom(...Object.keys(Object(real))), fc.jsonValue())
    .map(([key, value]) => JSON.stringify({ ...Object(real), [key]: value }));
  return fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map(bytesOf),
    pollution.map(bytesOf),
    cut.map(bytesOf),
    swapped.map(bytesOf),
  );
}

const alarm = {
  specversion: '1.0',
  id: 'a',
  source: 's',
  type: 'dev.serin.alert.raised.v1',
  subject: 'x',
  data: { model: 'fraud' },
};
const push = {
  ref: 'refs/heads/main',
  after: 'a'.repeat(40),
  repository: { full_name: 'a/b' },
  sender: { login: 'ann' },
};
const plan = { data: { bucket: 'drops', prefix: '' }, on: {}, alerts: {} };
// `signalsOfEvent` looks at no more of a config than its routes.
const config = { models: { fraud: plan } } as never;

describe('every inbound parser throws nothing but its typed refusal', () => {
  test('CloudEvents, structured and batch', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('application/cloudevents+json', 'application/cloudevents-batch+json'),
        hostile(alarm),
        (type, body) =>
          onlyProblems(async () => {
            for (const event of readCloudEvents((name) => (name === 'content-type' ? type : undefined), body))
              await signalsOfEvent(event, config, 0);
          }),
      ),
    );
  });

  test('CloudEvents in binary mode', async () => {
    const headers = fc.record(
      {
        'ce-specversion': fc.constantFrom('1.0', '0.3', ''),
        'ce-id': fc.string(),
        'ce-source': fc.string(),
        'ce-type': fc.oneof(fc.string(), fc.constant('dev.serin.data.arrived.v1')),
        'ce-subject': fc.string(),
        'ce-time': fc.string(),
        'content-type': fc.constantFrom('application/json', 'text/plain', ''),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(headers, hostile({ bucket: 'drops', key: 'k' }), (given, body) =>
        onlyProblems(async () => {
          const header = (name: string) => (Object.hasOwn(given, name) ? given[name as keyof typeof given] : undefined);
          for (const event of readCloudEvents(header, body)) await signalsOfEvent(event, config, 0);
        }),
      ),
    );
  });

  test.each([
    ['GitHub', readGithubPush, push],
    [
      'Standard Webhooks',
      readStandardPush,
      { repository: 'a/b', ref: 'main', commit: 'abcdef1', image: 'x', model: 'fraud' },
    ],
    [
      'Alertmanager',
      (body: Uint8Array) => readAlerts('alertmanager', body),
      { version: '4', alerts: [{ status: 'firing', labels: { model: 'fraud' }, startsAt: 'x' }] },
    ],
    ['JSON', parseJson, { a: { b: [1] } }],
  ])('%s', async (_, parse, real) => {
    await fc.assert(fc.asyncProperty(hostile(real), (body) => onlyProblems(() => parse(body))));
    expect(() => parse(bytesOf(JSON.stringify(real)))).not.toThrow();
  });

  test('cursors: made-up ones, and those of another list', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.base64String(), fc.json().map(btoaUtf8)), (cursor) =>
        onlyProblems(() => placeOf('run/', cursor)),
      ),
    );
  });
});

const btoaUtf8 = (text: string): string => btoa(String.fromCharCode(...bytesOf(text)));

describe('a cut page', () => {
  test('shows every item once, in order, whatever the limits and whatever comes first meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ minLength: 1, unit: 'grapheme' }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 7 }),
        async (names, storePage, limit) => {
          const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
          const keys = [...new Set(names)].sort(byBytes);
          const fetch = async (page: string | undefined) => {
            const from = Number(page ?? 0);
            const items = keys.slice(from, from + storePage);
            return from + storePage < keys.length ? { items, next: String(from + storePage) } : { items };
          };
          const seen: string[] = [];
          let cursor: string | undefined;
          do {
            const page = await listPage<string>({
              list: 'l',
              cursor,
              limit,
              fetch,
              keyOf: (key) => key,
              keep: () => true,
            });
            expect(page.items.length).toBeLessThanOrEqual(limit);
            seen.push(...page.items);
            cursor = page.next;
          } while (cursor !== undefined);
          expect(seen).toEqual(keys);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('looks through a bounded number of store pages, and goes on where it stopped', async () => {
    let fetched = 0;
    const fetch = async (page: string | undefined) => {
      fetched += 1;
      const at = Number(page ?? 0);
      return at < 40 ? { items: [`k${at}`], next: String(at + 1) } : { items: ['wanted'] };
    };
    const ask = (cursor?: string) =>
      listPage<string>({ list: 'l', cursor, limit: 1, fetch, keyOf: (key) => key, keep: (key) => key === 'wanted' });

    const first = await ask();
    expect([first.items, fetched]).toEqual([[], 25]);
    expect((await ask(first.next)).items).toEqual(['wanted']);
  });
});

describe('signatures', () => {
  test("GitHub's own example holds, also while its secret is rotated out", async () => {
    const body = bytesOf('Hello, World!');
    const header = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';

    expect(await githubSigned(["It's a Secret to Everybody"], body, header)).toBe(true);
    expect(await githubSigned(['the new one', "It's a Secret to Everybody"], body, header)).toBe(true);
    expect(await githubSigned(['the new one'], body, header)).toBe(false);
    expect(await githubSigned(["It's a Secret to Everybody"], bytesOf('Hello, World?'), header)).toBe(false);
  });

  test("the Standard Webhooks' own example holds, among several signatures", async () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const message = {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: '1614265330',
      body: bytesOf('{"test": 2432232314}'),
    };
    const header = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';

    expect(await standardSigned([secret], message, header)).toBe(true);
    expect(await standardSigned([secret], message, `v1a,abc v1,AAAA ${header}`)).toBe(true);
    expect(await standardSigned([secret], { ...message, id: 'msg_other' }, header)).toBe(false);
    expect(await standardSigned([secret], { ...message, timestamp: '1614265331' }, header)).toBe(false);
  });

  test('no made-up header is ever valid', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (header) => {
        const message = { id: 'a', timestamp: '1', body: new Uint8Array(0) };
        expect(await githubSigned(['s'], message.body, header)).toBe(false);
        expect(await standardSigned(['whsec_AAAA'], message, header)).toBe(false);
      }),
      { numRuns: 50 },
    );
  });
});
