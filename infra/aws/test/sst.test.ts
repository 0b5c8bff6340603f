import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { afterEach, expect, test, vi } from 'vitest';
import { installed } from '../sst/installed.ts';
import { type Settings, topology } from '../topology.ts';
import { folder, forgetFolders, repository } from './copy.ts';
import { factsOf } from './facts.ts';
import { answerOf, answerTo, factsOfPulumi, type Registered } from './pulumi-facts.ts';
import { all, fileOf, plain, where } from './settings.ts';

afterEach(forgetFolders);

/** A project with these settings in its file, as `sst deploy` finds it. */
function projectWith(settings: Settings): string {
  const root = folder('sst');
  writeFileSync(join(root, 'serin.aws.json'), JSON.stringify(fileOf(settings)));
  return root;
}

/** Everything that Pulumi's real provider package registers while the program runs, and what it answers. */
async function registeredBy(settings: Settings, quota?: number) {
  const made: Omit<Registered, 'retained'>[] = [];
  const retained = new Set<string>();
  const imported: string[] = [];
  await pulumi.runtime.setMocks({
    newResource({ type, name, inputs }) {
      made.push({ type, name, inputs });
      return answerOf(type, name, inputs);
    },
    call: ({ token }) => answerTo(token, quota),
  });
  const root = projectWith(settings);
  const code = { signals: root, api: root, clock: root, deadLetters: root };
  const outputs = await pulumi.runtime.runInPulumiStack(async () => {
    // Options of a resource are not told to mocks.
    pulumi.runtime.registerStackTransformation(({ type, name, opts }) => {
      const { import: taken } = opts as pulumi.CustomResourceOptions;
      if (taken !== undefined) imported.push(String(taken));
      if (opts.retainOnDelete) retained.add(`${type} ${name}`);
      return undefined;
    });
    return installed({ aws, pulumi }, { root, stage: settings.environment, code });
  });
  const address = await new Promise<string>((resolve) => pulumi.output(outputs?.address).apply(resolve));
  // What depends on others is registered in a turn of its own.
  await pulumi.runtime.disconnect();
  return {
    registered: made
      .filter(({ type }) => type !== 'pulumi:pulumi:Stack')
      .map((each): Registered => ({ ...each, retained: retained.has(`${each.type} ${each.name}`) })),
    address,
    imported,
  };
}

test.each(Object.entries(all))('%s: SST renders what the topology says', async (_, settings) => {
  const { registered } = await registeredBy(settings);

  expect(factsOfPulumi(registered)).toEqual(factsOf(topology(settings, where)));
});

test('SST asks how many Lambdas the account may run, and reserves nothing in a new one', async () => {
  const { registered } = await registeredBy(plain, 10);

  expect(factsOfPulumi(registered)).toEqual(factsOf(topology({ ...plain, lambdaConcurrency: 10 }, where)));
});

test('table and buckets that an earlier installation has left are taken over when the settings say so', async () => {
  const { imported } = await registeredBy({ ...plain, adopt: true });
  const before = await registeredBy(plain);

  const { table, buckets } = topology(plain, where);
  expect(imported).toEqual([table.name, ...buckets.map(({ name }) => name)]);
  expect(before.imported).toEqual([]);
});

test('SST makes nothing that computes, and no gateway that stands, while nothing happens', async () => {
  for (const settings of Object.values(all)) {
    const { registered } = await registeredBy(settings);

    const types = registered.map(({ type }) => type);
    expect(
      types.filter((type) => /instance|natGateway|internetGateway|loadBalancer|cluster|provisioned/i.test(type)),
    ).toEqual([]);
    expect(types.filter((type) => !type.startsWith('aws:'))).toEqual([]);
  }
});

test('the API is open to whoever has a token, by both permissions that a public URL needs', async () => {
  const { registered, address } = await registeredBy(plain);

  const permissions = registered
    .filter(({ type }) => type === 'aws:lambda/permission:Permission')
    .map(({ inputs }) => [inputs.action, inputs.principal, inputs.functionUrlAuthType ?? inputs.invokedViaFunctionUrl]);
  expect(permissions).toEqual([
    ['lambda:InvokeFunctionUrl', '*', 'NONE'],
    ['lambda:InvokeFunction', '*', true],
  ]);
  expect(address).toBe('https://abc.lambda-url.eu-west-1.on.aws/');
});

test('the isolated API answers one VPC endpoint alone, and its address names that', async () => {
  const { registered, address } = await registeredBy(all.isolated);

  const api = registered.find(({ type }) => type === 'aws:apigateway/restApi:RestApi');
  const door = registered.find(({ inputs }) => `${inputs.serviceName}`.endsWith('.execute-api'));
  const id = `aws:ec2/vpcEndpoint:VpcEndpoint/${door?.name}`;
  expect(api?.inputs.endpointConfiguration.vpcEndpointIds).toEqual([id]);
  expect(JSON.parse(api?.inputs.policy).Statement[1].Condition).toEqual({ StringNotEquals: { 'aws:SourceVpce': id } });
  expect(address).toBe(`https://a1b2c3-${id}.execute-api.eu-west-1.amazonaws.com/serin`);
});

test('SST makes nothing of a file that is wrong, or that has no administrator for the stage', () => {
  const deploy = (stage: string, changes: object) => {
    const root = projectWith({ ...plain, ...changes });
    const code = { signals: root, api: root, clock: root, deadLetters: root };
    return () => installed({ aws, pulumi }, { root, stage, code });
  };

  expect(deploy('prod', { network: 'Isolated' })).toThrow(
    'serin.aws.json cannot be deployed:\n  network is "Isolated"',
  );
  expect(deploy('dev', {})).toThrow('adminTokenHash has none for dev, but for prod');
});

/** What `app` of sst.config.ts says in this folder, which is where SST calls it. */
async function appIn(root: string) {
  vi.stubGlobal('$config', (config: unknown) => config);
  const before = process.cwd();
  process.chdir(root);
  try {
    const { default: config } = await import('../../../sst.config.ts');
    return config.app({ stage: 'prod' });
  } finally {
    process.chdir(before);
    vi.unstubAllGlobals();
  }
}

test('sst.config.ts names one app per project, tags all of it, and hands SST’s own Pulumi on', async () => {
  expect(await appIn(projectWith(plain))).toMatchObject({
    name: 'serin-shop',
    home: 'aws',
    providers: { aws: { defaultTags: { tags: topology(plain, where).tags } } },
  });
});

test('sst.config.ts without the settings of a cloud says which file is missing, and what writes it', async () => {
  await expect(appIn(folder('bare'))).rejects.toThrow("is missing beside sst.config.ts: run 'serin deploy'");
});

test('SST and its provider have one version wherever they are named', async () => {
  const app = await appIn(projectWith(plain));

  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(repository, 'infra/package.json'), 'utf8'));
  expect([devDependencies.sst, dependencies['@pulumi/aws']]).toEqual([
    app.version,
    (app.providers as { readonly aws: { readonly version: string } }).aws.version,
  ]);
  for (const file of ['docs/aws.md', 'infra/aws/README.md', 'packages/cli/src/plan/sst.ts']) {
    const text = readFileSync(join(repository, file), 'utf8');
    const named = [...text.matchAll(/\bsst@([\d.]+\d|\w*)/g)].map(([, version]) => version);
    expect([file, new Set(named)]).toEqual([file, new Set([app.version])]);
  }
});
