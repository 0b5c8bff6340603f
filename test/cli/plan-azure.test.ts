import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { folder, serin } from './command.ts';

const image = { azure: 'acme.azurecr.io/fraud:1' };
const fraud = {
  data: { bucket: 'acme-drops', prefix: 'fraud/' },
  split: { holdout: { by: 'time', column: 'day', last: '20%' } },
  train: { code: './src', command: ['python3', 'train.py'], image, compute: { maxRuntime: '2h' } },
  evaluate: { command: ['python3', 'evaluate.py'], image },
  gate: { auc: { direction: 'up', atLeast: 0.8 } },
  serve: { command: ['python3', 'serve.py'], image, compute: { accelerator: { type: 'T4' } } },
  rollout: { readyWithin: '1h' },
};
const subscription = '0b1f6471-1bf0-4dda-aec3-cb9272f09590';
const place = ['--region', 'westeurope', '--account', subscription];
const onAzure = ['--cloud', 'azure'];

function project(changes: object = {}): string {
  const cwd = folder();
  mkdirSync(join(cwd, 'src'));
  for (const script of ['train.py', 'evaluate.py', 'serve.py']) writeFileSync(join(cwd, 'src', script), '#');
  const config = { project: 'acme', environment: 'prod', models: { fraud: { ...fraud, ...changes } } };
  writeFileSync(join(cwd, 'serin.config.json'), JSON.stringify(config));
  return cwd;
}

test('plan lists functions, resources and each permission with the call that needs it', async () => {
  const { exit, stdout, stderr } = await serin(['plan', ...onAzure, ...place, '--json'], { cwd: project() });

  expect([exit, stderr]).toEqual([0, '']);
  const { topology, buckets } = JSON.parse(stdout);
  expect(topology.functions.map(({ id }: { id: string }) => id)).toEqual(['signals', 'api', 'clock', 'deadLetters']);
  expect(buckets).toEqual(['acme-drops']);
  expect(topology.functions[0].role.grants).toContainEqual(
    expect.objectContaining({
      call: 'PUT jobs/{name}',
      action: 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action',
      resources: ['serin-acme-prod-jobs'],
    }),
  );
});

test('plan as text has the permissions, the instances with their quotas, what is done by hand, and quantities for costs', async () => {
  const { stdout } = await serin(['plan', ...onAzure, ...place], { cwd: project() });

  expect(stdout).toMatch(new RegExp(`^acme, prod: westeurope, account ${subscription}\n`));
  expect(stdout).toMatch(
    /deployments\/\{name\} +Microsoft\.MachineLearningServices\S+deployments\/write +deploys a version +serin-acme-prod\n/,
  );
  expect(stdout).toMatch(
    /\nsignals +Storage Blob Data Owner +the host of Azure Functions .* serin[0-9a-f]{10}signals\n/,
  );
  // A quantity is a multiple of an assumption: no reader needs more of it than two digits.
  expect(stdout).toMatch(/ 0\.2 x GB of logs /);
  expect(stdout).toMatch(
    /the system topic serin-acme-prod-data +Microsoft\.ServiceBus\/namespaces\/messages\/send\/action /,
  );
  expect(stdout).toContain("16 x 'standard NCASv3_T4 Family'");
  expect(stdout).toContain('az provider register --namespace Microsoft.EventGrid');
  expect(stdout).toContain('az login && az account set');
  expect(stdout).toContain('az ad app create --display-name serin-acme-prod-alarms');
  expect(stdout).toContain('a month at rest: nobody has published a price that could be read here');
  expect(stdout).toMatch(/service-bus +no price known +730 x base hour \(Standard\)/);
  expect(stdout).not.toContain('0.00 USD');
});

test('plan --requests shows what the first run and the first deployment would send to Azure ML', async () => {
  const { exit, stdout } = await serin(['plan', ...onAzure, ...place, '--requests', '--json'], { cwd: project() });

  expect(exit).toBe(0);
  const { requests } = JSON.parse(stdout);
  const calls: readonly string[] = requests.map(({ call }: { call: string }) => call);
  expect(calls.filter((call) => /^PUT .*\/workspaces\/serin-acme-prod\/jobs\//.test(call))).toHaveLength(3);
  expect(calls.some((call) => /^PUT .*\/onlineEndpoints\/[^/]+$/.test(call))).toBe(true);
  expect(JSON.stringify(requests)).toContain('azureml://datastores/serin_acme_prod_store/paths/');
  expect(JSON.stringify(requests)).toContain('userAssignedIdentities/serin-acme-prod-models');
});

test('without a subscription a plan shows where it would stand', async () => {
  const { exit, stdout } = await serin(['plan', ...onAzure], { cwd: project() });

  expect(exit).toBe(0);
  expect(stdout).toMatch(/^acme, prod: <region>, account <account>\n/);
});

/** A stand-in for SST, as in plan.test.ts, which leaves a state as SST with `home: 'local'` does, and one for `az`. */
function standIn(cwd: string, blobs = 'http://127.0.0.1:9'): Readonly<Record<string, string>> {
  const bin = join(cwd, 'bin');
  mkdirSync(bin);
  const program = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!${process.execPath}\n${text}`);
    chmodSync(join(bin, name), 0o755);
  };
  program(
    'sst',
    `const { mkdirSync, writeFileSync } = require('node:fs');
const { SERIN_STATE: state, XDG_CONFIG_HOME: home } = process.env;
writeFileSync('called.json', JSON.stringify({ args: process.argv.slice(2), state }));
mkdirSync(home + '/sst/state/app/serin-acme', { recursive: true });
writeFileSync(home + '/sst/state/app/serin-acme/prod.json', '{"deployed":true}');
`,
  );
  program('az', `process.stdout.write('token for ' + process.argv[process.argv.indexOf('--resource') + 1] + '\\n');`);
  writeFileSync(join(cwd, 'sst.config.ts'), '// ours');
  return {
    PATH: [bin, dirname(process.execPath)].join(delimiter),
    AZURE_CONFIG_DIR: cwd,
    AZURE_SUBSCRIPTION_ID: subscription,
    AZURE_LOCATION: 'westeurope',
    SERIN_ENDPOINT_BLOB: `${blobs}/{name}`,
  };
}

/** A container as far as a state needs one: test/emulators/azure/team-state.test.ts has a real emulator. */
async function container() {
  const kept = new Map<string, Buffer>();
  const tokens = new Set<string>();
  const server = createServer(async (request, response) => {
    const key = (request.url ?? '').replace(/^\/serinstate[0-9a-f]{12}\/state\//, '');
    tokens.add(request.headers.authorization ?? '');
    const send = (status: number, body: Buffer | string = '', code = '') =>
      response.writeHead(status, { etag: '"1"', 'x-ms-error-code': code }).end(body);
    if (request.method === 'PUT') {
      if (request.headers['if-none-match'] === '*' && kept.has(key)) return void send(409, '', 'BlobAlreadyExists');
      kept.set(key, await buffer(request));
      return void send(201);
    }
    const found = kept.get(key);
    if (found === undefined) return void send(404, '', 'BlobNotFound');
    if (request.method === 'DELETE') kept.delete(key);
    send(200, found);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { kept, tokens, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
const settings = (cwd: string) => JSON.parse(readFileSync(join(cwd, 'serin.azure.json'), 'utf8'));
const called = (cwd: string) => JSON.parse(readFileSync(join(cwd, 'called.json'), 'utf8'));

test('deploy fetches the state of the team under who is logged in, runs sst with it, and brings back what sst has left', async () => {
  const { kept, tokens, url } = await container();
  const cwd = project();

  const { exit, stderr } = await serin(['deploy', ...onAzure], { cwd, env: standIn(cwd, url) });

  expect([exit, stderr]).toEqual([0, expect.stringContaining('the token of the administrator of prod')]);
  expect(called(cwd)).toEqual({ args: ['deploy', '--stage', 'prod'], state: 'fetched' });
  expect([...kept].map(([key, content]) => [key, content.toString()])).toEqual([
    ['serin-acme/prod/app.json', '{"deployed":true}'],
  ]);
  expect([...tokens]).toEqual(['Bearer token for https://storage.azure.com/']);
});

test('deploy keeps in the settings where the installation is, and an environment that says otherwise moves it nowhere', async () => {
  const { url } = await container();
  const cwd = project();
  const env = standIn(cwd, url);

  await serin(['deploy', ...onAzure], { cwd, env });
  const kept = settings(cwd);
  await serin(['deploy', ...onAzure], { cwd, env: { ...env, AZURE_LOCATION: 'northeurope' } });

  expect(kept).toMatchObject({ subscription, region: 'westeurope', dataBuckets: ['acme-drops'] });
  expect(settings(cwd)).toEqual(kept);
});

test('a deployment that somebody else is at runs nothing', async () => {
  const { kept, url } = await container();
  const lock = { id: 'x', by: 'ada on laptop', at: '2026-11-29T12:00:00.000Z', command: 'deploy' };
  kept.set('serin-acme/prod/lock.json', Buffer.from(JSON.stringify(lock)));
  const cwd = project();

  const { exit, stderr } = await serin(['deploy', ...onAzure], { cwd, env: standIn(cwd, url) });

  expect([exit, existsSync(join(cwd, 'called.json'))]).toEqual([1, false]);
  expect(stderr).toContain('ada on laptop holds the state of serin-acme, prod since 2026-11-29T12:00:00.000Z');
  expect(stderr).toMatch(/az storage blob delete --account-name serinstate[0-9a-f]{12} --container-name state/);
});

test('deploy names everything that is missing, each with what to do, and runs nothing', async () => {
  const cwd = project();
  writeFileSync(join(cwd, 'sst.config.ts'), '// ours');
  writeFileSync(join(cwd, 'serin.gcp.json'), '{}');

  const { exit, stderr } = await serin(['deploy', ...onAzure], { cwd, env: { PATH: dirname(process.execPath) } });

  expect(exit).toBe(1);
  expect(stderr).toContain('the subscription and the region: set AZURE_SUBSCRIPTION_ID and AZURE_LOCATION');
  expect(stderr).toContain("a login to Azure: run 'az login'");
  expect(stderr).toContain('a folder of its own: serin.gcp.json is in');
  expect(existsSync(join(cwd, 'serin.azure.json'))).toBe(false);
});

test('without the Azure CLI it is said where to get it', async () => {
  const cwd = project();
  const env = standIn(cwd);
  rmSync(join(cwd, 'bin', 'az'));

  const { exit, stderr } = await serin(['deploy', ...onAzure], { cwd, env });

  expect([exit, existsSync(join(cwd, 'called.json'))]).toEqual([1, false]);
  expect(stderr).toContain('az is not on the PATH');
  expect(stderr).toContain('install the Azure CLI');
});

test.each([
  [{ AZURE_SUBSCRIPTION_ID: 'Acme Production' }, 'give the id of a subscription, a GUID, and not its name'],
  [{ AZURE_LOCATION: 'West Europe' }, "give a region as Azure's resources name it, such as 'westeurope'"],
])('%o is no place in Azure, and what to give is said', async (env, mend) => {
  const { exit, stderr } = await serin(['plan', ...onAzure], { cwd: project(), env });

  expect(exit).toBe(2);
  expect(stderr).toContain(mend);
});

test('settings that Azure would not take are refused in words before anything runs', async () => {
  const cwd = project();
  const wrong = { project: 'acme', subscription, region: 'westeurope', workspace: 'acme-ws', dataAccount: 'Acme_Data' };
  writeFileSync(join(cwd, 'serin.azure.json'), JSON.stringify(wrong));

  const { exit, stderr } = await serin(['plan', ...onAzure], { cwd });

  expect(exit).toBe(2);
  expect(stderr).toContain('serin.azure.json cannot be deployed: 2 thing(s) wrong');
  expect(stderr).toContain('workspace is "acme-ws": it must be the resource id of an Azure ML workspace');
  expect(stderr).toContain('whose name has 3 to 24 lower-case letters and digits');
});

test('destroy does nothing until somebody says yes, and says what stays', async () => {
  const { url } = await container();
  const cwd = project();
  const env = standIn(cwd, url);

  const unasked = await serin(['destroy', ...onAzure], { cwd, env });
  const before = existsSync(join(cwd, 'called.json'));
  const agreed = await serin(['destroy', ...onAzure, '--yes'], { cwd, env });

  expect([unasked.exit, before, agreed.exit]).toEqual([1, false, 0]);
  expect(unasked.stderr).toMatch(/the storage account serin[0-9a-f]{10}own: the history, code, configs/);
  expect(agreed.stdout).toContain('until you delete it in Azure ML');
  expect(agreed.stdout).toContain('write "adopt": true into serin.azure.json');
  expect(agreed.stdout).toContain(`az group delete --name serin-acme-prod --subscription ${subscription}`);
  expect(called(cwd).args).toEqual(['remove', '--stage', 'prod']);
});

test('a dry run asks Azure nothing', async () => {
  const cwd = project();
  const { AZURE_CONFIG_DIR: _, ...env } = standIn(cwd);

  const { exit, stdout } = await serin(['deploy', ...onAzure, '--dry-run'], { cwd, env });

  expect(exit).toBe(0);
  expect(stdout).toContain(
    'serin.azure.json: subscription, region, project, environment, version, dataBuckets, adminTokenHash',
  );
  expect(existsSync(join(cwd, 'called.json'))).toBe(false);
});
