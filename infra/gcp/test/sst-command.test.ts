import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Emulator, startGcs } from '../../../test/emulators/installed.ts';
import { copyOfRepository, folder, forgetFolders, repository } from '../../aws/test/copy.ts';
import { emptyFolder, newComputer, whySstMissing, writeProject } from '../../aws/test/sst-program.ts';
import { settingsOf, topology } from '../topology.ts';
import { where } from './settings.ts';

const { missing, required } = whySstMissing("SST's own command on Google Cloud", ['fake-gcs-server', 'functions-gcp']);

interface Said {
  readonly args: readonly string[];
  readonly versions: readonly string[];
  // biome-ignore lint/suspicious/noExplicitAny: inputs are read by path
  readonly registered: readonly { readonly type: string; readonly name: string; readonly inputs: any }[];
}

const title = `SST's own command on Google Cloud, with a stub of Pulumi${missing === undefined ? '' : ` [${missing}]`}`;
describe.skipIf(missing !== undefined && !required)(title, () => {
  let gcs: Emulator;
  let root: string;
  let said: string;
  let env: Readonly<Record<string, string | undefined>>;
  const bucket = `serin-state-${where.account}`;

  beforeAll(async () => {
    if (missing !== undefined) throw new Error(missing);
    gcs = await startGcs();
    await fetch(`${gcs.url}/storage/v1/b?project=${where.account}`, {
      method: 'POST',
      body: JSON.stringify({ name: bucket }),
    });
    root = copyOfRepository(emptyFolder(join(repository, 'infra/.build/sst-gcp')));
    said = folder('said');
    writeProject(root, { gcp: 'europe-west4-docker.pkg.dev/acme/ml/fraud:1' });
    env = computer();
  });

  afterAll(async () => {
    await gcs?.stop();
    forgetFolders();
  });

  /** One on which nobody has deployed yet. */
  const computer = () => ({
    ...process.env,
    ...newComputer(),
    GOOGLE_OAUTH_ACCESS_TOKEN: 'emulated',
    GOOGLE_CLOUD_PROJECT: where.account,
    GOOGLE_CLOUD_REGION: where.region,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: gcs.url,
    SERIN_PULUMI_SAID: said,
    SERIN_PULUMI_CLOUD: 'gcp',
  });

  async function serin(...args: readonly string[]) {
    const command = [join(repository, 'packages/cli/bin/serin.js'), ...args, '--cloud', 'gcp', '--json'];
    const child = spawn(process.execPath, command, { cwd: root, env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, err, status] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise((resolve) => child.once('close', resolve)),
    ]);
    return { status, said: `${out}${err}` };
  }
  const upped = (): Said => JSON.parse(readFileSync(join(said, 'up.json'), 'utf8'));
  async function inBucket(): Promise<readonly string[]> {
    const { items = [] } = (await (await fetch(`${gcs.url}/storage/v1/b/${bucket}/o`)).json()) as {
      readonly items?: readonly { readonly name: string }[];
    };
    return items.map(({ name }) => name).toSorted();
  }

  test('serin deploy: SST evaluates, bundles and runs all of the topology, and leaves the address and its state', async () => {
    const deployed = await serin('deploy');

    expect(deployed).toEqual({
      status: 0,
      said: expect.stringContaining('"address":"https://serin-shop-prod-api-x.a.run.app"'),
    });
    const { registered, args, versions } = upped();
    const settings = settingsOf('it', JSON.parse(readFileSync(join(root, 'serin.gcp.json'), 'utf8')), 'prod');
    const made = topology(settings, where);
    const rolesOf = registered.filter(({ inputs }) => inputs.roleId !== undefined).map(({ inputs }) => inputs.roleId);
    expect(rolesOf.toSorted()).toEqual(made.customRoles.map(({ id }) => id).toSorted());
    expect(registered.filter(({ name }) => name.startsWith('Grant-'))).toHaveLength(made.bindings.length);
    expect(args).toContain('organization/serin-shop/prod');
    expect(args.join(' ')).toContain('gcp:project=acme-ml');
    const { dependencies } = JSON.parse(readFileSync(join(repository, 'infra/package.json'), 'utf8'));
    expect(versions).toEqual([dependencies['@pulumi/pulumi'], dependencies['@pulumi/gcp']]);
    expect(await inBucket()).toEqual(['serin-shop/prod/app.json', 'serin-shop/prod/passphrase.json']);
  });

  test('a second person deploys with the state of the first, and destroys what both have made', async () => {
    env = computer();

    const again = await serin('deploy');
    const destroyed = await serin('destroy', '--yes');

    expect([again.status, destroyed.status]).toEqual([0, 0]);
    expect(destroyed.said).toContain('"stays":["the database serin-shop-prod-journal');
    expect(existsSync(join(said, 'destroy.json'))).toBe(true);
  });
});
