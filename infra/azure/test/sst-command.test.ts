import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copyOfRepository, folder, forgetFolders, repository } from '../../aws/test/copy.ts';
import { emptyFolder, newComputer, whySstMissing, writeProject } from '../../aws/test/sst-program.ts';
import { settingsOf, topology } from '../topology.ts';
import { where } from './settings.ts';

const { missing, required } = whySstMissing("SST's own command on Azure", ['functions-azure']);

interface Said {
  readonly args: readonly string[];
  readonly versions: readonly string[];
  // biome-ignore lint/suspicious/noExplicitAny: inputs are read by path
  readonly registered: readonly { readonly type: string; readonly name: string; readonly inputs: any }[];
}

/** Azure as far as a deployment needs it beside Pulumi: blobs of the state, and the sites that take code. */
async function fakeAzure() {
  const blobs = new Map<string, Buffer>();
  const published: { readonly url: string; readonly authorization: string; readonly zip: Buffer }[] = [];
  const server = createServer(async (request, response) => {
    const { url = '', method, headers } = request;
    const body = await buffer(request);
    const send = (status: number, code = '', content: Buffer | string = '') =>
      response.writeHead(status, { etag: `"${blobs.get(url)?.byteLength}"`, 'x-ms-error-code': code }).end(content);
    if (method === 'POST') {
      published.push({ url, authorization: headers.authorization ?? '', zip: body });
      return void send(200);
    }
    if (method === 'PUT') {
      if (headers['if-none-match'] === '*' && blobs.has(url)) return void send(409, 'BlobAlreadyExists');
      blobs.set(url, body);
      return void send(201);
    }
    const found = blobs.get(url);
    if (found === undefined) return void send(404, 'BlobNotFound');
    if (method === 'DELETE') blobs.delete(url);
    send(200, '', found);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { blobs, published, url, stop: () => new Promise((resolve) => server.close(resolve)) };
}

const title = `SST's own command on Azure, with a stub of Pulumi${missing === undefined ? '' : ` [${missing}]`}`;
describe.skipIf(missing !== undefined && !required)(title, () => {
  let azure: Awaited<ReturnType<typeof fakeAzure>>;
  let root: string;
  let said: string;
  let env: Readonly<Record<string, string | undefined>>;

  beforeAll(async () => {
    if (missing !== undefined) throw new Error(missing);
    azure = await fakeAzure();
    root = copyOfRepository(emptyFolder(join(repository, 'infra/.build/sst-azure')));
    said = folder('said');
    writeProject(root, { azure: 'acme.azurecr.io/fraud:1' });
    env = computer();
  });

  afterAll(async () => {
    await azure?.stop();
    forgetFolders();
  });

  /** One on which nobody has deployed yet, and somebody has logged in. */
  function computer() {
    const fresh = newComputer();
    const az = join(fresh.HOME, 'az');
    writeFileSync(az, '#!/bin/sh\necho token-of-ada\n');
    chmodSync(az, 0o755);
    return {
      ...process.env,
      ...fresh,
      PATH: `${fresh.HOME}:${fresh.PATH}`,
      AZURE_CONFIG_DIR: fresh.HOME,
      AZURE_SUBSCRIPTION_ID: where.account,
      AZURE_LOCATION: where.region,
      SERIN_ENDPOINT_BLOB: `${azure.url}/{name}`,
      SERIN_ENDPOINT_SITE: `${azure.url}/{name}`,
      SERIN_PULUMI_SAID: said,
      SERIN_PULUMI_CLOUD: 'azure',
    };
  }

  async function serin(...args: readonly string[]) {
    const command = [join(repository, 'packages/cli/bin/serin.js'), ...args, '--cloud', 'azure', '--json'];
    const child = spawn(process.execPath, command, { cwd: root, env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, err, status] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise((resolve) => child.once('close', resolve)),
    ]);
    return { status, said: `${out}${err}` };
  }
  const upped = (): Said => JSON.parse(readFileSync(join(said, 'up.json'), 'utf8'));
  const settings = () => settingsOf('it', JSON.parse(readFileSync(join(root, 'serin.azure.json'), 'utf8')), 'prod');

  test('serin deploy: SST evaluates, bundles and runs all of the topology, gives the apps their code, and leaves the address and its state', async () => {
    const deployed = await serin('deploy');

    expect(deployed).toEqual({
      status: 0,
      said: expect.stringMatching(/"address":"https:\/\/serin-shop-prod-api-[0-9a-f]{6}\.azurewebsites\.net"/),
    });
    const { registered, args, versions } = upped();
    const made = topology(settings(), where);
    const roles = registered.flatMap(({ inputs }) => inputs.roleName ?? []);
    expect(roles.toSorted()).toEqual(made.customRoles.map(({ name }) => name).toSorted());
    expect(registered.filter(({ name }) => name.startsWith('Grant-'))).toHaveLength(made.assignments.length);
    expect(args).toContain('organization/serin-shop/prod');
    const { dependencies } = JSON.parse(readFileSync(join(repository, 'infra/package.json'), 'utf8'));
    expect(versions).toEqual([dependencies['@pulumi/pulumi'], dependencies['@pulumi/azure-native']]);
    expect([...azure.blobs.keys()].map((url) => url.split('/').slice(2).join('/')).toSorted()).toEqual([
      'state/serin-shop/prod/app.json',
      'state/serin-shop/prod/passphrase.json',
    ]);
    expect(azure.published.map(({ url }) => url).toSorted()).toEqual(
      made.functions.map(({ name }) => `/${name}/api/publish?RemoteBuild=false`).toSorted(),
    );
    for (const { authorization, zip } of azure.published) {
      expect(authorization).toBe('Bearer token-of-ada');
      for (const name of ['host.json', 'index.cjs', 'package.json']) expect(zip.includes(name)).toBe(true);
    }
  });

  test('a second person deploys with the state of the first, and destroys what both have made', async () => {
    env = computer();

    const again = await serin('deploy');
    const destroyed = await serin('destroy', '--yes');

    expect([again.status, destroyed.status]).toEqual([0, 0]);
    expect(destroyed.said).toMatch(/"stays":\["the storage account serin[0-9a-f]{10}own: the history/);
    expect(existsSync(join(said, 'destroy.json'))).toBe(true);
  });
});
