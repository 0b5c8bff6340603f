import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMoto, usual } from '../../../test/emulators/installed.ts';
import { settingsOf, topology } from '../topology.ts';
import { copyOfRepository, folder, forgetFolders, repository } from './copy.ts';
import { factsOf } from './facts.ts';
import { factsOfPulumi, type Registered } from './pulumi-facts.ts';
import { where } from './settings.ts';
import { emptyFolder, newComputer, sst, whySstMissing, writeProject } from './sst-program.ts';

const { missing, required } = whySstMissing("SST's own command", usual.aws);

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
    env = {
      ...process.env,
      ...newComputer(),
      AWS_ENDPOINT_URL: moto.url,
      AWS_ACCESS_KEY_ID: 'emulated',
      AWS_SECRET_ACCESS_KEY: 'emulated',
      AWS_REGION: where.region,
      SERIN_PULUMI_SAID: said,
    };
    writeProject(root, { aws: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/fraud:1' });
  });

  afterAll(async () => {
    await moto?.stop();
    forgetFolders();
  });

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
