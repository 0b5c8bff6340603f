import { spawnSync } from 'node:child_process';
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
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMoto, usual, whyPartsMissing } from '../../../test/emulators/installed.ts';
import { settingsOf, topology } from '../topology.ts';
import { copyOfRepository, folder, forgetFolders, repository } from './copy.ts';
import { factsOf } from './facts.ts';
import { factsOfPulumi, type Registered } from './pulumi-facts.ts';
import { where } from './settings.ts';

const modules = join(repository, 'infra/node_modules');
const sst = join(modules, '.bin/sst');
// SST downloads this program unless it finds it; in npm it is a package of its own for each kind of machine.
const bun = join(modules, '@oven/bun-linux-x64/bin/bun');
const missing = !existsSync(sst)
  ? 'SST is not installed; run `npm ci --prefix infra`'
  : existsSync(bun)
    ? whyPartsMissing(usual.aws)
    : "SST's bun is installed from npm on Linux, x64 only";
const required = (process.env.SERIN_REQUIRE ?? '').split(',').includes('sst');
if (missing !== undefined)
  process.stderr.write(`${required ? 'required' : 'skipped'}: SST's own command: ${missing}\n`);

/** What SST has installed stays from one run to the next: that is hundreds of packages. All else goes. */
function emptyFolder(root: string): string {
  const kept = ['.sst', '.sst/platform', '.sst/provider-lock.json'];
  const found = existsSync(root) ? [...readdirSync(root), ...filesIn(root, '.sst')] : [];
  for (const path of found) if (!kept.includes(path)) rmSync(join(root, path), { recursive: true });
  return root;
}
const filesIn = (root: string, name: string): readonly string[] =>
  existsSync(join(root, name)) ? readdirSync(join(root, name)).map((file) => `${name}/${file}`) : [];

interface Said {
  readonly args: readonly string[];
  readonly versions: readonly string[];
  readonly registered: readonly Registered[];
}

const title = `SST's own command, against moto and a stub of Pulumi${missing === undefined ? '' : ` [${missing}]`}`;
describe.skipIf(missing !== undefined && !required)(title, () => {
  let moto: Awaited<ReturnType<typeof startMoto>>;
  let root: string;
  let said: string;
  let env: Readonly<Record<string, string | undefined>>;
  const address = '"address":"https://abc.lambda-url.eu-west-1.on.aws/"';

  beforeAll(async () => {
    if (missing !== undefined) throw new Error(missing);
    moto = await startMoto();
    root = copyOfRepository(emptyFolder(join(repository, 'infra/.build/sst')));
    said = folder('said');
    const home = folder('home');
    const programs = join(home, 'sst', 'bin');
    mkdirSync(programs, { recursive: true });
    symlinkSync(bun, join(programs, 'bun'));
    const stub = join(import.meta.dirname, 'pulumi-stub.ts');
    writeFileSync(join(programs, 'pulumi'), `#!/bin/sh\nexec '${process.execPath}' '${stub}' "$@"\n`);
    chmodSync(join(programs, 'pulumi'), 0o755);
    env = {
      ...process.env,
      PATH: [join(modules, '.bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
      HOME: home,
      XDG_CONFIG_HOME: home,
      AWS_ENDPOINT_URL: moto.url,
      AWS_ACCESS_KEY_ID: 'emulated',
      AWS_SECRET_ACCESS_KEY: 'emulated',
      AWS_REGION: where.region,
      SST_TELEMETRY_DISABLED: '1',
      SST_PRINT_LOGS: '1',
      SERIN_PULUMI_SAID: said,
    };
    writeProject();
  });

  afterAll(async () => {
    await moto?.stop();
    forgetFolders();
  });

  /** A project whose model is trained only, in the copy that SST deploys from. */
  function writeProject(): void {
    const command = ['python3', 'train.py'];
    const image = { aws: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/fraud:1' };
    const data = { bucket: 'acme-ml-data', prefix: 'fraud/' };
    const fraud = { data, train: { code: './src', command, image }, approval: {}, serve: 'none' };
    const config = { project: 'shop', environment: 'prod', models: { fraud } };
    mkdirSync(join(root, 'src'));
    writeFileSync(join(root, 'src/train.py'), '#');
    writeFileSync(join(root, 'serin.config.json'), JSON.stringify(config));
  }

  /** What a program says, on either stream, and how it ends. */
  function run(file: string, ...args: readonly string[]) {
    const { status, stdout, stderr } = spawnSync(file, args, { cwd: root, env, encoding: 'utf8' });
    return { status, said: `${stdout}${stderr}` };
  }
  const serin = (...args: readonly string[]) =>
    run(process.execPath, join(repository, 'packages/cli/bin/serin.js'), ...args);

  /** SST lets nobody into its buckets without TLS, and moto, which speaks HTTP, keeps to that. */
  async function letMotoIn(): Promise<void> {
    const names = [...(await (await fetch(moto.url, { headers: forS3 })).text()).matchAll(/<Name>(sst-[^<]+)/g)];
    for (const [, name] of names) await fetch(`${moto.url}/${name}?policy`, { method: 'DELETE', headers: forS3 });
    expect(names).toHaveLength(2);
  }
  const forS3 = { authorization: 'AWS4-HMAC-SHA256 Credential=x/20260101/eu-west-1/s3/aws4_request' };

  test('serin deploy: SST evaluates, bundles and runs all of the topology, and leaves the address of the API', async () => {
    const bootstrapped = serin('deploy', '--json');
    await letMotoIn();

    const deployed = serin('deploy', '--json');

    expect(bootstrapped.said).toContain('sst deploy --stage prod ended with');
    expect(deployed).toEqual({ status: 0, said: expect.stringContaining(address) });
    const { registered, args, versions }: Said = JSON.parse(readFileSync(join(said, 'up.json'), 'utf8'));
    const settings = settingsOf('it', JSON.parse(readFileSync(join(root, 'serin.aws.json'), 'utf8')), 'prod');
    expect(factsOfPulumi(registered)).toEqual(factsOf(topology(settings, where)));
    expect(args).toContain('organization/serin-shop/prod');
    expect(args.join(' ')).toContain('"serin:environment":"prod","serin:project":"shop"');
    const { dependencies } = JSON.parse(readFileSync(join(repository, 'infra/package.json'), 'utf8'));
    expect(versions).toEqual([dependencies['@pulumi/pulumi'], dependencies['@pulumi/aws']]);
  });

  test('serin destroy: SST has Pulumi take the stage away', () => {
    const destroyed = serin('destroy', '--yes', '--json');

    expect(destroyed).toEqual({ status: 0, said: expect.stringContaining('"stays":["the table serin-shop-prod-') });
    expect(existsSync(join(said, 'destroy.json'))).toBe(true);
  });

  test('an SST of another version than that of sst.config.ts deploys nothing', async () => {
    const file = join(root, 'sst.config.ts');
    const config = readFileSync(file, 'utf8');
    writeFileSync(file, config.replace("version: '4.17.1'", "version: '4.17.0'"));

    const refused = run(sst, 'diff', '--stage', 'prod');

    writeFileSync(file, config);
    expect(refused).toEqual({ status: 1, said: expect.stringContaining('4.17.0') });
    expect(existsSync(join(said, 'preview.json'))).toBe(false);
  });
});
