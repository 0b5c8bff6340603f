import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Emulator, startGcs, whyPartsMissing } from '../../../test/emulators/installed.ts';
import { copyOfRepository, folder, forgetFolders, repository } from '../../aws/test/copy.ts';
import { settingsOf, topology } from '../topology.ts';
import { where } from './settings.ts';

const modules = join(repository, 'infra/node_modules');
const sst = join(modules, '.bin/sst');
// SST downloads this program unless it finds it; in npm it is a package of its own for each kind of machine.
const bun = join(modules, '@oven/bun-linux-x64/bin/bun');
const missing = !existsSync(sst)
  ? 'SST is not installed; run `npm ci --prefix infra`'
  : existsSync(bun)
    ? whyPartsMissing(['fake-gcs-server', 'functions-gcp'])
    : "SST's bun is installed from npm on Linux, x64 only";
const required = (process.env.SERIN_REQUIRE ?? '').split(',').includes('sst');
if (missing !== undefined)
  process.stderr.write(`${required ? 'required' : 'skipped'}: SST's own command on Google Cloud: ${missing}\n`);

/** What SST has installed stays from one run to the next: that is hundreds of packages. All else goes. */
function emptyFolder(root: string): string {
  const kept = ['.sst', '.sst/platform', '.sst/provider-lock.json'];
  const inside = existsSync(join(root, '.sst')) ? readdirSync(join(root, '.sst')).map((file) => `.sst/${file}`) : [];
  const found = existsSync(root) ? [...readdirSync(root), ...inside] : [];
  for (const path of found) if (!kept.includes(path)) rmSync(join(root, path), { recursive: true });
  return root;
}

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
    writeProject();
    env = { ...process.env, ...computer() };
  });

  afterAll(async () => {
    await gcs?.stop();
    forgetFolders();
  });

  /** The environment of a computer on which nobody has deployed yet. */
  function computer() {
    const home = folder('home');
    const programs = join(home, 'sst', 'bin');
    mkdirSync(programs, { recursive: true });
    symlinkSync(bun, join(programs, 'bun'));
    const stub = join(repository, 'infra/aws/test/pulumi-stub.ts');
    writeFileSync(join(programs, 'pulumi'), `#!/bin/sh\nexec '${process.execPath}' '${stub}' "$@"\n`);
    chmodSync(join(programs, 'pulumi'), 0o755);
    return {
      PATH: [join(modules, '.bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
      HOME: home,
      XDG_CONFIG_HOME: home,
      GOOGLE_OAUTH_ACCESS_TOKEN: 'emulated',
      GOOGLE_CLOUD_PROJECT: where.account,
      GOOGLE_CLOUD_REGION: where.region,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: gcs.url,
      SST_TELEMETRY_DISABLED: '1',
      SST_PRINT_LOGS: '1',
      SERIN_PULUMI_SAID: said,
      SERIN_PULUMI_CLOUD: 'gcp',
    };
  }

  /** A project whose model is trained only, in the copy that SST deploys from. */
  function writeProject(): void {
    const command = ['python3', 'train.py'];
    const image = { gcp: 'europe-west4-docker.pkg.dev/acme/ml/fraud:1' };
    const data = { bucket: 'acme-ml-data', prefix: 'fraud/' };
    const fraud = { data, train: { code: './src', command, image }, approval: {}, serve: 'none' };
    mkdirSync(join(root, 'src'));
    writeFileSync(join(root, 'src/train.py'), '#');
    writeFileSync(
      join(root, 'serin.config.json'),
      JSON.stringify({ project: 'shop', environment: 'prod', models: { fraud } }),
    );
  }

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
    env = { ...env, ...computer() };

    const again = await serin('deploy');
    const destroyed = await serin('destroy', '--yes');

    expect([again.status, destroyed.status]).toEqual([0, 0]);
    expect(destroyed.said).toContain('"stays":["the database serin-shop-prod-journal');
    expect(existsSync(join(said, 'destroy.json'))).toBe(true);
  });
});
