import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { publish } from '../publish.ts';
import { zipOf } from '../zip.ts';

/** A site that answers with these statuses, one after the other. */
async function site(...answers: readonly (number | readonly [status: number, body: string])[]) {
  const asked: { readonly url: string; readonly authorization: string; readonly bytes: number }[] = [];
  const server = createServer(async (request, response) => {
    const { url = '', headers } = request;
    asked.push({ url, authorization: headers.authorization ?? '', bytes: (await buffer(request)).byteLength });
    const answer = answers[asked.length - 1] ?? 200;
    const [status, body] = typeof answer === 'number' ? [answer, 'said the site'] : answer;
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
const patience = { pauseMs: 1, times: 3, lookMs: 1, looks: 5 };

test('an app is given its code by One Deploy, without a build, under who deploys', async () => {
  const { asked, url } = await site(200);

  await publish({ site: url, zip: new Uint8Array(42), token: 'ey' }, patience);

  expect(asked).toEqual([{ url: '/api/publish?RemoteBuild=false', authorization: 'Bearer ey', bytes: 42 }]);
});

test('a new app, whose identity is not known everywhere yet, is asked again', async () => {
  const { asked, url } = await site(404, 403, 200);

  await publish({ site: url, zip: new Uint8Array(1), token: 'ey' }, patience);

  expect(asked).toHaveLength(3);
});

// As the deployments of a site are: https://github.com/Azure/azure-dev/issues/3658
const begun = [202, '"d-1"'] as const;
const stateOf = (status: number, text = '') => [200, JSON.stringify({ id: 'd-1', status, status_text: text })] as const;

test('an app has its code when the deployment has ended, and not when the site has taken the zip', async () => {
  const { asked, url } = await site(begun, 404, stateOf(1), 503, stateOf(2), stateOf(4));

  await publish({ site: url, zip: new Uint8Array(1), token: 'ey' }, patience);

  expect(asked.slice(1).map((each) => each.url)).toEqual(Array.from({ length: 5 }, () => '/api/deployments/d-1'));
  expect(asked.map(({ authorization }) => authorization)).toEqual(Array.from({ length: 6 }, () => 'Bearer ey'));
});

test('a deployment that failed, for its identity may not write the code yet, is begun again', async () => {
  const { asked, url } = await site(begun, stateOf(3, 'Azure Storage responded with Forbidden'), begun, stateOf(4));

  await publish({ site: url, zip: new Uint8Array(1), token: 'ey' }, patience);

  expect(asked.filter((each) => each.url.startsWith('/api/publish'))).toHaveLength(2);
});

test('a deployment that is forgotten after it was seen has ended', async () => {
  const { asked, url } = await site(begun, stateOf(2), 404);

  await publish({ site: url, zip: new Uint8Array(1), token: 'ey' }, patience);

  expect(asked).toHaveLength(3);
});

test.each([
  ['fails each time', Array.from({ length: 3 }, () => [begun, stateOf(3, 'Forbidden')]).flat(), 'failed Forbidden'],
  ['does not end', [begun, ...Array.from({ length: 5 }, () => stateOf(1))], 'its deployment d-1 has not ended'],
])('a deployment that %s fails that of the installation', async (_, answers, said) => {
  const { asked, url } = await site(...answers);

  await expect(publish({ site: url, zip: new Uint8Array(1), token: 'ey' }, patience)).rejects.toThrow(
    `does not take its code: ${said}: deploy again`,
  );
  expect(asked).toHaveLength(6);
});

test.each([
  ['never', [503, 503, 503, 503], 3],
  ['not at all', [400], 1],
])('an app that takes its code %s fails the deployment, with what it said', async (_, statuses, times) => {
  const { asked, url } = await site(...statuses);

  const published = publish({ site: url, zip: new Uint8Array(1), token: 'ey' }, patience);

  await expect(published).rejects.toThrow(/does not take its code: HTTP (400|503) said the site: deploy again/);
  expect(asked).toHaveLength(times);
});

test('a zip is one that others read, and the same for the same files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'serin-zip-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = [
    { name: 'host.json', content: Buffer.from('{"version":"2.0"}') },
    { name: 'index.cjs', content: Buffer.from('x'.repeat(100_000)) },
    { name: 'empty', content: new Uint8Array() },
  ];
  writeFileSync(join(folder, 'code.zip'), zipOf(files));

  const { status, stderr } = spawnSync('python3', ['-m', 'zipfile', '-e', 'code.zip', 'out'], { cwd: folder });

  expect([status, stderr.toString()]).toEqual([0, '']);
  for (const { name, content } of files)
    expect(readFileSync(join(folder, 'out', name)).equals(Buffer.from(content))).toBe(true);
  expect(zipOf(files)).toEqual(zipOf(files));
  expect(zipOf(files).byteLength).toBeLessThan(2000);
});
