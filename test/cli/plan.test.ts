import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { compile, parseConfig } from '@serin/core/config/config';
import { expect, test } from 'vitest';
import { firstAsks } from '../../packages/cli/src/plan/walk.ts';
import { bin, folder, serin } from './command.ts';

const image = { aws: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/fraud:1' };
const fraud = {
  data: { bucket: 'acme-drops', prefix: 'fraud/' },
  split: { holdout: { by: 'time', column: 'day', last: '20%' } },
  train: { code: './src', command: ['python3', 'train.py'], image, compute: { maxRuntime: '2h' } },
  evaluate: { command: ['python3', 'evaluate.py'], image, compute: { maxRuntime: '1h' } },
  gate: { auc: { direction: 'up', atLeast: 0.8, noWorseBy: 0.01 } },
  serve: { command: ['python3', 'serve.py'], image, compute: { accelerator: { type: 'T4' } } },
};
const place = ['--region', 'eu-west-1', '--account', '123456789012'];

/** A folder with this model in its config, and the code that it names. */
function project(changes: object = {}): string {
  const cwd = folder();
  mkdirSync(join(cwd, 'src'));
  for (const script of ['train.py', 'evaluate.py', 'serve.py']) writeFileSync(join(cwd, 'src', script), '#');
  const config = { project: 'acme', environment: 'prod', models: { fraud: { ...fraud, ...changes } } };
  writeFileSync(join(cwd, 'serin.config.json'), JSON.stringify(config));
  return cwd;
}

async function planned(changes: object = {}, more: readonly string[] = []) {
  const { exit, stdout, stderr } = await serin(['plan', ...place, ...more, '--json'], { cwd: project(changes) });
  expect([exit, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

test('validate --cloud says which instance type is taken, why, and which quotas to check', async () => {
  const cwd = project({
    train: { ...fraud.train, checkpoints: true, compute: { accelerator: { type: 'A100' }, nodes: 2, spot: true } },
  });

  const { exit, stdout } = await serin(['validate', '--cloud', 'aws'], { cwd });

  expect(exit).toBe(0);
  expect(stdout).toContain('models.fraud.train: 2 x ml.p4d.24xlarge, the smallest that aws can train on with 1 A100');
  expect(stdout).toContain('it has 8 (40 GB each), and 7 of them would be paid for unused');
  expect(stdout).toContain("2 x 'ml.p4d.24xlarge for spot training job usage'");
  // An update builds the endpoint anew beside the old one: twice the champion, and the candidate.
  expect(stdout).toContain("3 x 'ml.g4dn.xlarge for endpoint usage'");
  expect(stdout).toContain('of an endpoint 3 times its instances: each update builds it anew beside the old one');
  expect(stdout).toContain("1 x 'ml.m5.xlarge for processing job usage'");
});

test.each([['validate'], ['plan'], ['deploy'], ['destroy']])(
  '%s refuses what the cloud cannot do, all of it at once',
  async (command) => {
    const cwd = project({
      serve: { ...fraud.serve, stickyBy: 'x-user' },
      evaluate: { ...fraud.evaluate, compute: { accelerator: { type: 'A100' } } },
      rollout: { tick: '30s' },
    });

    const { exit, stdout } = await serin([command, '--cloud', 'aws', '--json'], { cwd });

    expect(exit).toBe(2);
    expect(JSON.parse(stdout).errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/models/fraud/evaluate/compute/accelerator',
      '/models/fraud/serve/stickyBy',
      '/models/fraud/rollout/tick',
    ]);
  },
);

test('a cloud that nobody knows is a usage error', async () => {
  const { exit, stderr } = await serin(['validate', '--cloud', 'oracle'], { cwd: project() });

  expect(exit).toBe(2);
  expect(stderr).toContain("Serin does not know the cloud 'oracle' of --cloud");
  expect(stderr).toContain('use aws, gcp, azure');
});

/** Images of each cloud, for a config that can be checked against all. */
const elsewhere = {
  aws: image.aws,
  gcp: 'europe-west4-docker.pkg.dev/acme/ml/fraud:1',
  azure: 'acme.azurecr.io/fraud:1',
};
const everywhere = {
  train: { ...fraud.train, image: elsewhere },
  evaluate: { ...fraud.evaluate, image: elsewhere },
  serve: { ...fraud.serve, image: elsewhere },
  rollout: { readyWithin: '1h' },
};

test.each([
  ['gcp', 'models.fraud.serve: 1 x n1-standard-4', "2 x 'custom_model_serving_nvidia_t4_gpus'"],
  ['azure', 'models.fraud.serve: 1 x Standard_NC4as_T4_v3', "16 x 'standard NCASv3_T4 Family'"],
])('validate --cloud %s says what a config would run on there', async (cloud, instance, quota) => {
  const { exit, stdout, stderr } = await serin(['validate', '--cloud', cloud], { cwd: project(everywhere) });

  expect([exit, stderr]).toEqual([0, '']);
  expect(stdout).toContain(instance);
  expect(stdout).toContain(quota);
});

test.each([
  ['gcp', ['/project', '/models/fraud/rollout/strategy']],
  ['azure', ['/project', '/models/fraud/rollout/strategy']],
])('validate --cloud %s refuses what would not run there, all of it at once', async (cloud, places) => {
  const cwd = project({
    ...everywhere,
    train: { ...everywhere.train, environment: { KEY: { secret: 'api-key' } } },
    rollout: { readyWithin: '1h', strategy: 'shadow' },
  });
  const config = JSON.parse(readFileSync(join(cwd, 'serin.config.json'), 'utf8'));
  writeFileSync(join(cwd, 'serin.config.json'), JSON.stringify({ ...config, project: 'a'.repeat(40) }));

  const { exit, stdout } = await serin(['validate', '--cloud', cloud, '--json'], { cwd });

  expect(exit).toBe(2);
  expect(JSON.parse(stdout).errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(places);
});

test.each([
  ['--region', 'mars-1', "give a region such as 'eu-west-1'"],
  ['--account', '12', 'give 12 digits'],
])('%s %s is a usage error, with what it looks like', async (option, value, mend) => {
  const { exit, stderr } = await serin(['plan', ...place, option, value], { cwd: project() });

  expect(exit).toBe(2);
  expect(stderr).toContain(`the ${option.slice(2)} '${value}' is not valid`);
  expect(stderr).toContain(mend);
});

test('settings of another project are refused, with what can be done', async () => {
  const cwd = project();
  writeFileSync(join(cwd, 'serin.aws.json'), JSON.stringify({ project: 'cellar' }));

  const { exit, stderr } = await serin(['plan', ...place], { cwd });

  expect(exit).toBe(2);
  expect(stderr).toContain("project is 'cellar', and 'acme' in the config");
  expect(stderr).toContain("deploy 'acme' from a copy of Serin's repository of its own, or delete serin.aws.json");
});

test('plan lists functions, resources and each permission with the call that needs it', async () => {
  const { topology, buckets } = await planned();

  expect(topology.functions.map(({ id }: { id: string }) => id)).toEqual(['signals', 'api', 'clock', 'deadLetters']);
  expect(topology.table.name).toBe('serin-acme-prod-journal');
  expect(buckets).toEqual(['acme-drops']);
  const { grants } = topology.functions[0].role;
  expect(grants).toContainEqual({
    call: 'sagemaker:CreateTrainingJob',
    why: expect.any(String),
    action: 'iam:PassRole',
    resources: ['arn:aws:iam::123456789012:role/serin-acme-prod-jobs'],
    when: expect.anything(),
  });
});

test('plan as text has a line for each permission, the instances, the buckets and both costs', async () => {
  const { stdout } = await serin(['plan', ...place], { cwd: project() });

  expect(stdout).toMatch(/^acme, prod: eu-west-1, account 123456789012\n/);
  expect(stdout).toMatch(/sagemaker:UpdateEndpoint +sagemaker:UpdateEndpoint +deploys, retires and mirrors +arn:aws:/);
  expect(stdout).toContain('models.fraud.serve: 1 x ml.g4dn.xlarge');
  expect(stdout).toMatch(
    /by hand, once\n {2}acme-drops must tell EventBridge .*\n {4}aws s3api .*--bucket acme-drops /,
  );
  expect(stdout).toContain('aws ssm put-parameter --type SecureString --name /serin/acme/prod/secrets');
  expect(stdout).toContain('a month at rest: about ');
  expect(stdout).toContain('100 retrains, each rolled out: at most about ');
  expect(stdout).toMatch(/\[\d\] eu-west-1, 2023-12: a bill of EU \(Ireland\)/);
});

test('the month at rest is the backend, and each endpoint with its fewest instances', async () => {
  const served = await planned({ serve: { ...fraud.serve, compute: { instances: { min: 2, max: 5 } } } });
  const unserved = await planned({ serve: 'none' });

  const endpoint = served.atRest.costs.find(({ what }: { what: string }) => what === 'models.fraud.serve');
  expect(endpoint).toMatchObject({ quantity: 2 * 730, unit: 'ml.m5.xlarge hour', price: { usd: 0.257 } });
  expect(served.atRest.usd - unserved.atRest.usd).toBeCloseTo(2 * 730 * 0.257, 6);
  expect(unserved.atRest.usd).toBeGreaterThan(0);
});

test('100 retrains cost their longest jobs, with the champion scored again, and the candidate beside the champion', async () => {
  const { retrains } = await planned();

  const hours = Object.fromEntries(
    retrains.costs.map(({ what, quantity }: { what: string; quantity: number }) => [what, quantity]),
  );
  expect(hours).toMatchObject({
    'models.fraud.split': 100,
    'models.fraud.train': 100 * 2,
    'models.fraud.evaluate': 100 * 2 * 1,
    // Three steps of 15 minutes and half an hour of guard.
    'models.fraud.rollout': 100 * 1.25,
  });
  expect(retrains.costs).toContainEqual(
    expect.objectContaining({ what: 'cloudwatch', unit: 'custom metric', quantity: 13, usd: 13 * 0.3 }),
  );
  expect(retrains.usd).toBeGreaterThan(500 * 0.257 + 125 * 0.822);
});

test('an instance type without a published price is named, and is not a zero in the sum', async () => {
  const { atRest, machines } = await planned({
    serve: { ...fraud.serve, compute: { accelerator: { type: 'L4' } } },
  });
  const without = await planned({ serve: 'none' });

  expect(machines.at(-1).machine).not.toHaveProperty('usdPerHour');
  expect(atRest.unpriced).toEqual(['models.fraud.serve: ml.g6.xlarge hour']);
  expect(atRest.usd).toBeCloseTo(without.atRest.usd, 9);
});

test('a name that is too long for AWS is told before anything is deployed', async () => {
  const cwd = project();
  const config = JSON.parse(readFileSync(join(cwd, 'serin.config.json'), 'utf8'));
  writeFileSync(
    join(cwd, 'serin.config.json'),
    JSON.stringify({ ...config, project: 'a-project-of-a-very-long-name' }),
  );

  const { exit, stderr } = await serin(['plan', ...place], { cwd });

  expect(exit).toBe(2);
  expect(stderr).toContain("the bucket's name has room for no more");
});

test.each([['validate'], ['plan']])('%s refuses names that AWS would refuse, at their places', async (command) => {
  const cwd = project();
  const named = { project: 'a--b', environment: 'a-stage-of-a-very-long-name-', models: { fraud } };
  writeFileSync(join(cwd, 'serin.config.json'), JSON.stringify(named));

  const { exit, stdout } = await serin([command, '--cloud', 'aws', '--json'], { cwd });
  const anywhere = await serin(['validate'], { cwd });

  expect([exit, anywhere.exit]).toEqual([2, 0]);
  const ofProject = { pointer: '/project', value: 'a--b', line: 1, column: 12 };
  const ofEnvironment = { pointer: '/environment', value: named.environment, line: 1, column: 33 };
  expect(JSON.parse(stdout).errors).toEqual([
    { ...ofProject, detail: expect.stringContaining('single hyphens') },
    { ...ofProject, detail: expect.stringContaining('has 32 characters') },
    { ...ofEnvironment, detail: expect.stringContaining('without a hyphen') },
  ]);
});

test('the first run asks for its jobs in order, then for its version and its deployment', () => {
  const read = parseConfig({ project: 'acme', models: { fraud } });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));

  const [{ asks } = { asks: [] }] = firstAsks(compile(read.parsed, new Map([['./src', 'abc']]), 'aws'));

  expect(asks.map((ask) => (ask.kind === 'job' ? ask.job.kind : ask.kind))).toEqual([
    'prepare',
    'train',
    'evaluate',
    'version',
    'deploy',
  ]);
  expect(asks[1]).toMatchObject({
    job: { command: ['python3', 'train.py'], image: image.aws, code: { digest: 'abc' } },
  });
  expect(asks[4]).toMatchObject({ deployment: { name: 'v1', compute: { accelerator: { type: 'T4', count: 1 } } } });
});

/**
 * A stand-in for SST: writes down how it was called, and ends as it is told. This tests how we call, not SST.
 *
 * SST writes what `run` of sst.config.ts returned, which is `{address}` (infra/aws/sst/aws.ts), into `.sst/outputs.json`:
 * https://github.com/sst/sst/blob/dev/pkg/project/run.go
 */
function standIn(cwd: string, { exit = 0, outputs = true } = {}): Readonly<Record<string, string>> {
  const programs = join(cwd, 'bin');
  mkdirSync(programs);
  writeFileSync(
    join(programs, 'sst'),
    `#!${process.execPath}
const { mkdirSync, writeFileSync } = require('node:fs');
writeFileSync('called.json', JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), profile: process.env.AWS_PROFILE }));
mkdirSync('.sst', { recursive: true });
if (${outputs}) writeFileSync('.sst/outputs.json', JSON.stringify({ address: '${address}' }));
console.log('sst talks');
process.exit(${exit});
`,
  );
  chmodSync(join(programs, 'sst'), 0o755);
  writeFileSync(join(cwd, 'sst.config.ts'), '// ours');
  return { PATH: [programs, dirname(process.execPath)].join(delimiter), AWS_PROFILE: 'acme', AWS_REGION: 'eu-west-1' };
}
const address = 'https://x.lambda-url.eu-west-1.on.aws/';
const settings = (cwd: string) => JSON.parse(readFileSync(join(cwd, 'serin.aws.json'), 'utf8'));
const tokenIn = (stderr: string): string => /^ {2}(srn_\S+)$/m.exec(stderr)?.[1] ?? '';
const called = (cwd: string) => JSON.parse(readFileSync(join(cwd, 'called.json'), 'utf8'));

test('deploy runs sst for the environment of the config, and tells the address that it left', async () => {
  const cwd = project();
  const env = standIn(cwd);

  const { exit, stdout, stderr } = await serin(['deploy', '--json'], { cwd, env });

  expect([exit, stderr]).toEqual([0, expect.stringMatching(/\nsst talks\n$/)]);
  expect(JSON.parse(stdout)).toMatchObject({
    project: 'acme',
    stage: 'prod',
    address,
    next: [
      `node ${bin} context add acme-prod --url ${address} --token-stdin`,
      `node ${bin} release --context acme-prod`,
    ],
  });
  expect(called(cwd)).toEqual({ args: ['deploy', '--stage', 'prod'], cwd: realpathSync(cwd), profile: 'acme' });
});

test('deploy says where to look for the address when sst left none', async () => {
  const cwd = project();

  const { exit, stdout } = await serin(['deploy'], { cwd, env: standIn(cwd, { outputs: false }) });

  expect(exit).toBe(0);
  expect(stdout).toContain('.sst/outputs.json: take the one that it printed above');
  expect(stdout).toContain(`node ${bin} context add acme-prod --url <address> --token-stdin`);
});

test('the first deployment makes a token, shows it once, and keeps only its hash', async () => {
  const cwd = project();

  const { stderr, stdout } = await serin(['deploy'], { cwd, env: standIn(cwd) });

  const token = tokenIn(stderr);
  expect(token).toMatch(/^srn_[\w-]{43}$/);
  expect(stdout).not.toContain(token);
  expect(settings(cwd)).toEqual({
    project: 'acme',
    environment: 'prod',
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    dataBuckets: ['acme-drops'],
    adminTokenHash: { prod: createHash('sha256').update(token).digest('hex') },
  });
});

test('each environment has a token of its own, made by its first deployment', async () => {
  const cwd = project();
  const env = standIn(cwd);
  const config = JSON.parse(readFileSync(join(cwd, 'serin.config.json'), 'utf8'));

  const prod = await serin(['deploy'], { cwd, env });
  writeFileSync(join(cwd, 'serin.config.json'), JSON.stringify({ ...config, environment: 'dev' }));
  const dev = await serin(['deploy'], { cwd, env });

  expect(dev.stderr).toContain('serin.aws.json: environment, adminTokenHash\n');
  expect(dev.stderr).toContain('the token of the administrator of dev');
  expect(settings(cwd).adminTokenHash).toEqual({
    prod: createHash('sha256').update(tokenIn(prod.stderr)).digest('hex'),
    dev: createHash('sha256').update(tokenIn(dev.stderr)).digest('hex'),
  });
  expect(tokenIn(dev.stderr)).not.toBe(tokenIn(prod.stderr));
});

test('a deployment that breaks off has shown its token, and the next one keeps it', async () => {
  const cwd = project();
  const env = standIn(cwd, { exit: 3 });

  const first = await serin(['deploy'], { cwd, env });
  const written = readFileSync(join(cwd, 'serin.aws.json'), 'utf8');
  const second = await serin(['deploy'], { cwd, env });

  expect([first.exit, tokenIn(first.stderr)]).toEqual([1, expect.stringMatching(/^srn_/)]);
  expect(second.stderr).not.toMatch(/srn_|wrote/);
  expect(readFileSync(join(cwd, 'serin.aws.json'), 'utf8')).toBe(written);
});

test('deploy refreshes what follows from the config, and keeps what the owner wrote', async () => {
  const cwd = project();
  const env = standIn(cwd);
  const adminTokenHash = { prod: 'ab'.repeat(32), dev: 'cd'.repeat(32) };
  const own = { adminTokenHash, network: 'isolated', logDays: 7 };
  const old = { project: 'acme', environment: 'dev', version: '0.0.1', dataBuckets: ['acme-old'] };
  writeFileSync(join(cwd, 'serin.aws.json'), JSON.stringify({ ...old, ...own }));

  const { stderr } = await serin(['deploy'], { cwd, env });

  expect(stderr).toContain('serin.aws.json: environment, version, dataBuckets\n');
  expect(stderr).not.toContain('srn_');
  expect(settings(cwd)).toMatchObject({ environment: 'prod', dataBuckets: ['acme-drops'], ...own });
});

test('deploy takes the sst of the project before the one on the PATH', async () => {
  const cwd = project();
  const env = standIn(cwd);
  mkdirSync(join(cwd, 'node_modules', '.bin'), { recursive: true });
  writeFileSync(join(cwd, 'node_modules', '.bin', 'sst'), '#!/bin/sh\nexit 9\n', { mode: 0o755 });

  const { exit, stderr } = await serin(['deploy'], { cwd, env });

  expect(exit).toBe(1);
  expect(stderr).toContain('sst deploy --stage prod ended with exit code 9');
});

test('deploy names everything that is missing, each with what to do, and runs nothing', async () => {
  const cwd = project();

  const { exit, stderr } = await serin(['deploy'], { cwd, env: { PATH: dirname(process.execPath) } });

  expect(exit).toBe(1);
  expect(stderr).toContain('cannot deploy acme; add what is missing');
  expect(stderr).toContain("sst: it is neither installed here nor on the PATH; run 'npm install --no-save sst@4.17.1'");
  expect(stderr).toContain(`sst.config.ts: neither in ${cwd} nor above it`);
  expect(stderr).toContain('AWS credentials: set AWS_PROFILE');
  expect(existsSync(join(cwd, 'serin.aws.json'))).toBe(false);
});

test('the settings are beside sst.config.ts, where sst reads them, and not beside a config below', async () => {
  const root = folder();
  const cwd = join(root, 'fraud');
  cpSync(project(), cwd, { recursive: true });

  const { exit } = await serin(['deploy'], { cwd, env: standIn(root) });

  expect([exit, existsSync(join(cwd, 'serin.aws.json'))]).toEqual([0, false]);
  expect(settings(root)).toMatchObject({ project: 'acme', environment: 'prod' });
  expect(called(root).cwd).toBe(realpathSync(root));
});

test('deploy bundles nothing in a copy of the repository that has no clients of AWS', async () => {
  const cwd = project();
  const env = standIn(cwd);
  mkdirSync(join(cwd, 'functions', 'aws'), { recursive: true });

  const { exit, stderr } = await serin(['deploy'], { cwd, env });

  expect([exit, existsSync(join(cwd, 'called.json'))]).toEqual([1, false]);
  expect(stderr).toContain(`run 'npm ci --prefix functions/aws' in ${cwd}`);
  // Taking away bundles nothing.
  expect((await serin(['destroy', '--yes'], { cwd, env })).exit).toBe(0);
});

test.each([
  ['is of another project', { project: 'other' }, ["project is 'other'"]],
  ['has one hash for all environments', { adminTokenHash: 'ab'.repeat(32) }, ['{"prod": "<SHA-256 in hex>"}']],
  ['has hashes in a list', { adminTokenHash: ['ab'.repeat(32)] }, ['adminTokenHash must have one hash for each']],
  ['has no hash where it should', { adminTokenHash: { prod: 'srn_x' } }, ['adminTokenHash.prod must be a SHA-256']],
  [
    'says what would deploy open what was meant to be closed',
    { network: 'Isolated', kmskey: 'arn:aws:kms:eu-west-1:123456789012:key/1' },
    ['2 thing(s) wrong', 'network is "Isolated"', 'kmskey is no field'],
  ],
])('plan and deploy do nothing when serin.aws.json %s', async (_, given, messages) => {
  const cwd = project();
  const env = standIn(cwd);
  const text = JSON.stringify(given);
  writeFileSync(join(cwd, 'serin.aws.json'), text);

  for (const command of ['plan', 'deploy']) {
    const { exit, stderr } = await serin([command], { cwd, env });

    expect([command, exit, existsSync(join(cwd, 'called.json'))]).toEqual([command, 2, false]);
    for (const message of messages) expect(stderr).toContain(message);
    expect(stderr).not.toContain('srn_');
  }
  expect(readFileSync(join(cwd, 'serin.aws.json'), 'utf8')).toBe(text);
});

test('all that is wrong with serin.aws.json is in the document as well', async () => {
  const cwd = project();
  writeFileSync(join(cwd, 'serin.aws.json'), JSON.stringify({ logDays: 0, kmskey: 'x' }));

  const { stdout } = await serin(['plan', '--json'], { cwd });

  expect(JSON.parse(stdout).errors).toEqual([
    { detail: expect.stringContaining('kmskey is no field') },
    { detail: expect.stringContaining('logDays is 0') },
  ]);
});

test('plan shows the installation that serin.aws.json describes, and writes nothing', async () => {
  const cwd = project();
  const kmsKey = 'arn:aws:kms:eu-west-1:123456789012:key/0c5b0f0c-0000-4000-8000-000000000000';
  const given = JSON.stringify({ project: 'acme', dataBuckets: [], network: 'isolated', kmsKey });
  writeFileSync(join(cwd, 'serin.aws.json'), given);

  const { topology, atRest } = JSON.parse((await serin(['plan', ...place, '--json'], { cwd })).stdout);

  expect(topology.network.interfaces).toContain('com.amazonaws.eu-west-1.sqs');
  expect(atRest.unpriced).toContain('privatelink: endpoint-hour');
  expect(topology.functions[0].environment.SERIN_KMS_KEY).toBe(kmsKey);
  expect(topology.settings.dataBuckets).toEqual(['acme-drops']);
  expect(readFileSync(join(cwd, 'serin.aws.json'), 'utf8')).toBe(given);
});

test.each([['deploy'], ['destroy']])('%s --dry-run says what would be run, and runs nothing', async (command) => {
  const cwd = project();
  const env = standIn(cwd);

  const { exit, stdout } = await serin([command, '--dry-run', '--json'], { cwd, env });

  expect(exit).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    dryRun: true,
    command: [join(cwd, 'bin', 'sst'), command === 'deploy' ? 'deploy' : 'remove', '--stage', 'prod'],
  });
  expect(['called.json', 'serin.aws.json'].filter((file) => existsSync(join(cwd, file)))).toEqual([]);
});

test('deploy --dry-run says what it would write', async () => {
  const cwd = project();

  const { stdout } = await serin(['deploy', '--dry-run'], { cwd, env: standIn(cwd) });

  expect(stdout).toContain(
    'serin.aws.json: project, environment, version, dataBuckets, adminTokenHash, and show a new token',
  );
});

test('a dry run wants no credentials, for it asks AWS nothing', async () => {
  const cwd = project();
  const { AWS_PROFILE: _, ...env } = standIn(cwd);

  const dry = await serin(['deploy', '--dry-run'], { cwd, env });
  const real = await serin(['deploy'], { cwd, env });

  expect([dry.exit, dry.stderr]).toEqual([0, '']);
  expect([real.exit, real.stderr]).toEqual([1, expect.stringContaining('AWS credentials: set AWS_PROFILE')]);
});

test('destroy does nothing until somebody says yes, and says what stays', async () => {
  const cwd = project();
  const env = standIn(cwd);

  const unasked = await serin(['destroy'], { cwd, env });
  const before = existsSync(join(cwd, 'called.json'));
  const agreed = await serin(['destroy', '--yes'], { cwd, env });

  expect([unasked.exit, before]).toEqual([1, false]);
  expect(unasked.stderr).toContain('the table serin-acme-prod-journal: the history');
  expect(unasked.stderr).toContain('give --yes, or answer yes');
  expect(agreed.exit).toBe(0);
  expect(agreed.stdout).toMatch(
    /the endpoint of fraud, if it serves: it goes on serving, and costs, .* what it runs as is destroyed/,
  );
  expect(agreed.stdout).toContain('to deploy again with this history: write "adopt": true into serin.aws.json');
  expect(agreed.stdout).toContain('aws dynamodb delete-table --table-name serin-acme-prod-journal');
  expect(called(cwd).args).toEqual(['remove', '--stage', 'prod']);
});

test('a deployment that sst breaks off is a failure that says how to go on', async () => {
  const cwd = project();
  const env = standIn(cwd, { exit: 3 });

  const { exit, stdout, stderr } = await serin(['deploy'], { cwd, env });

  expect([exit, stdout]).toEqual([1, '']);
  expect(stderr).toContain('ended with exit code 3');
  expect(stderr).toContain('deploy again: it continues where it stopped');
});
