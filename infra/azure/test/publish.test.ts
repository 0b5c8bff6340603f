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
async function site(...statuses: readonly number[]) {
  const asked: { readonly url: string; readonly authorization: string; readonly bytes: number }[] = [];
  const server = createServer(async (request, response) => {
    const { url = '', headers } = request;
    asked.push({ url, authorization: headers.authorization ?? '', bytes: (await buffer(request)).byteLength });
    response.writeHead(statuses[asked.length - 1] ?? 200).end('said the site');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
const patience = { pauseMs: 1, times: 3 };

test('an app is given its code by One Deploy, without a build, under who deploys', async () => {
  const { asked, url } = await site(200);

  await publish({ site: url, zip: new Uint8Array(42), token: 'ey' }, patience);

  expect(asked).toEqual([{ url: '/api/publish?type=zip&RemoteBuild=false', authorization: 'Bearer ey', bytes: 42 }]);
});

test('a new app, whose identity is not known everywhere yet, is asked again', async () => {
  const { asked, url } = await site(404, 403, 200);

  await publish({ site: url, zip: new Uint8Array(1), token: 'ey' }, patience);

  expect(asked).toHaveLength(3);
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
