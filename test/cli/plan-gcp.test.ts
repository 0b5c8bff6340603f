import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { folder, serin } from './command.ts';

const image = { gcp: 'europe-west4-docker.pkg.dev/acme/ml/fraud:1' };
const fraud = {
  data: { bucket: 'acme-drops', prefix: 'fraud/' },
  split: { holdout: { by: 'time', column: 'day', last: '20%' } },
  train: { code: './src', command: ['python3', 'train.py'], image, compute: { maxRuntime: '2h' } },
  evaluate: { command: ['python3', 'evaluate.py'], image },
  gate: { auc: { direction: 'up', atLeast: 0.8 } },
  serve: { command: ['python3', 'serve.py'], image, compute: { accelerator: { type: 'T4' } } },
  rollout: { readyWithin: '1h' },
};
const place = ['--region', 'europe-west4', '--account', 'acme-ml'];
const onGcp = ['--cloud', 'gcp'];

function project(changes: object = {}): string {
  const cwd = folder();
  mkdirSync(join(cwd, 'src'));
  for (const script of ['train.py', 'evaluate.py', 'serve.py']) writeFileSync(join(cwd, 'src', script), '#');
  const config = { project: 'acme', environment: 'prod', models: { fraud: { ...fraud, ...changes } } };
  writeFileSync(join(cwd, 'serin.config.json'), JSON.stringify(config));
  return cwd;
}

test('plan lists functions, resources and each permission with the call that needs it', async () => {
  const { exit, stdout, stderr } = await serin(['plan', ...onGcp, ...place, '--json'], { cwd: project() });

  expect([exit, stderr]).toEqual([0, '']);
  const { topology, buckets } = JSON.parse(stdout);
  expect(topology.functions.map(({ id }: { id: string }) => id)).toEqual(['signals', 'api', 'clock', 'deadLetters']);
  expect(topology.database.name).toBe('serin-acme-prod-journal');
  expect(buckets).toEqual(['acme-drops']);
  expect(topology.functions[0].role.grants).toContainEqual(
    expect.objectContaining({
      call: 'aiplatform.projects.locations.customJobs.create',
      action: 'iam.serviceAccounts.actAs',
      resources: [expect.stringMatching(/^serin-[0-9a-f]{8}-jobs@acme-ml\.iam\.gserviceaccount\.com$/)],
    }),
  );
});

test('plan as text has the permissions, the instances with their quotas, what is done by hand, and quantities for costs', async () => {
  const { stdout } = await serin(['plan', ...onGcp, ...place], { cwd: project() });

  expect(stdout).toMatch(/^acme, prod: europe-west4, account acme-ml\n/);
  expect(stdout).toMatch(/endpoints\.deployModel +aiplatform\.endpoints\.deploy +deploys a version +projects\/acme-ml/);
  expect(stdout).toMatch(/\nallUsers +roles\/run\.invoker +the API asks for tokens of its own.* serin-acme-prod-api\n/);
  expect(stdout).toMatch(/-build@acme-ml\.iam\S+ +roles\/artifactregistry\.writer /);
  expect(stdout).toMatch(/gcp-sa-pubsub\S+ +pubsub\.topics\.publish .*serin-acme-prod-dead\n/);
  expect(stdout).toContain("2 x 'custom_model_serving_nvidia_t4_gpus'");
  expect(stdout).toContain('champion and candidate stand side by side during a rollout');
  expect(stdout).toContain('gcloud billing projects link acme-ml --billing-account=<account>');
  expect(stdout).toContain('gcloud auth application-default login');
  expect(stdout).toContain('a month at rest: nobody has published a price that could be read here');
  expect(stdout).toContain('100 retrains, each rolled out: nobody has published a price');
  expect(stdout).toMatch(/firestore +no price known +700,800 x document read/);
  expect(stdout).not.toContain('0.00 USD');
});

test('plan --requests shows what the first run and the first deployment would send to Vertex AI', async () => {
  const { exit, stdout } = await serin(['plan', ...onGcp, ...place, '--requests', '--json'], { cwd: project() });

  expect(exit).toBe(0);
  const { requests } = JSON.parse(stdout);
  const calls = requests.map(({ call }: { call: string }) => call.replace('aiplatform.projects.locations.', ''));
  expect(calls).toEqual([
    'customJobs.create',
    'customJobs.create',
    'customJobs.create',
    'models.upload',
    'endpoints.create',
    'models.upload',
    'endpoints.deployModel',
  ]);
  expect(requests[1].request.jobSpec.scheduling.timeout).toBe('7200s');
});

test('without a Google project a plan shows where it would stand', async () => {
  const { exit, stdout } = await serin(['plan', ...onGcp], { cwd: project() });

  expect(exit).toBe(0);
  expect(stdout).toMatch(/^acme, prod: <region>, account <account>\n/);
});

/**
 * A stand-in for SST, as in plan.test.ts, which leaves a state as SST with `home: 'local'` does:
 * https://github.com/sst/sst/blob/dev/pkg/project/provider/local.go
 */
function standIn(cwd: string, storage = 'http://127.0.0.1:9'): Readonly<Record<string, string>> {
  const bin = join(cwd, 'bin');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'sst'),
    `#!${process.execPath}
const { mkdirSync, writeFileSync } = require('node:fs');
const { SERIN_STATE: state, XDG_CONFIG_HOME: home } = process.env;
writeFileSync('called.json', JSON.stringify({ args: process.argv.slice(2), state }));
mkdirSync(home + '/sst/state/app/serin-acme', { recursive: true });
writeFileSync(home + '/sst/state/app/serin-acme/prod.json', '{"deployed":true}');
`,
  );
  chmodSync(join(bin, 'sst'), 0o755);
  writeFileSync(join(cwd, 'sst.config.ts'), '// ours');
  return {
    PATH: [bin, dirname(process.execPath)].join(delimiter),
    GOOGLE_OAUTH_ACCESS_TOKEN: 'ya29.x',
    GOOGLE_CLOUD_PROJECT: 'acme-ml',
    GOOGLE_CLOUD_REGION: 'europe-west4',
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: storage,
  };
}

/** A bucket as far as a state needs one: test/emulators/gcp/team-state.test.ts has a real emulator. */
async function bucket() {
  const objects = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const key = url.searchParams.get('name') ?? decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
    const send = (status: number, body: Buffer | object) =>
      response.writeHead(status).end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
    if (request.method === 'POST') {
      if (url.searchParams.get('ifGenerationMatch') === '0' && objects.has(key)) return void send(412, {});
      objects.set(key, await buffer(request));
      return void send(200, {});
    }
    const found = objects.get(key);
    if (found === undefined) return void send(404, { error: { message: `No such object: ${key}` } });
    if (request.method === 'DELETE') objects.delete(key);
    send(200, url.searchParams.has('alt') ? found : { generation: '1' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { objects, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
const settings = (cwd: string) => JSON.parse(readFileSync(join(cwd, 'serin.gcp.json'), 'utf8'));
const called = (cwd: string) => JSON.parse(readFileSync(join(cwd, 'called.json'), 'utf8'));

test('deploy fetches the state of the team, runs sst with it, and brings back what sst has left', async () => {
  const { objects, url } = await bucket();
  const cwd = project();

  const { exit, stderr } = await serin(['deploy', ...onGcp], { cwd, env: standIn(cwd, url) });

  expect([exit, stderr]).toEqual([0, expect.stringContaining('the token of the administrator of prod')]);
  expect(called(cwd)).toEqual({ args: ['deploy', '--stage', 'prod'], state: 'fetched' });
  expect([...objects].map(([key, content]) => [key, content.toString()])).toEqual([
    ['serin-acme/prod/app.json', '{"deployed":true}'],
  ]);
});

test('deploy keeps in the settings where the installation is, and an environment that says otherwise moves it nowhere', async () => {
  const { url } = await bucket();
  const cwd = project();
  const env = standIn(cwd, url);

  await serin(['deploy', ...onGcp], { cwd, env });
  const kept = settings(cwd);
  await serin(['deploy', ...onGcp], { cwd, env: { ...env, GOOGLE_CLOUD_PROJECT: 'other-ml' } });

  expect(kept).toMatchObject({ googleProject: 'acme-ml', region: 'europe-west4', dataBuckets: ['acme-drops'] });
  expect(settings(cwd)).toEqual(kept);
});

test('plan for another Google project than that of the settings is refused', async () => {
  const cwd = project();
  writeFileSync(
    join(cwd, 'serin.gcp.json'),
    JSON.stringify({ project: 'acme', googleProject: 'acme-ml', region: 'europe-west4' }),
  );

  const { exit, stderr } = await serin(['plan', ...onGcp, '--account', 'other-ml'], { cwd });

  expect(exit).toBe(2);
  expect(stderr).toContain("the account 'other-ml' is not that of the settings, where googleProject is 'acme-ml'");
  expect(stderr).toContain('leave --account out');
});

test('a deployment that somebody else is at runs nothing', async () => {
  const { objects, url } = await bucket();
  const lock = { id: 'x', by: 'ada on laptop', at: '2026-11-29T12:00:00.000Z', command: 'deploy' };
  objects.set('serin-acme/prod/lock.json', Buffer.from(JSON.stringify(lock)));
  const cwd = project();

  const { exit, stderr } = await serin(['deploy', ...onGcp], { cwd, env: standIn(cwd, url) });

  expect([exit, existsSync(join(cwd, 'called.json'))]).toEqual([1, false]);
  expect(stderr).toContain('ada on laptop holds the state of serin-acme, prod since 2026-11-29T12:00:00.000Z');
  expect(stderr).toContain('gcloud storage rm gs://serin-state-acme-ml/serin-acme/prod/lock.json');
});

test('deploy names everything that is missing, each with what to do, and runs nothing', async () => {
  const cwd = project();
  writeFileSync(join(cwd, 'sst.config.ts'), '// ours');
  writeFileSync(join(cwd, 'serin.aws.json'), '{}');

  const { exit, stderr } = await serin(['deploy', ...onGcp], { cwd, env: { PATH: dirname(process.execPath) } });

  expect(exit).toBe(1);
  expect(stderr).toContain('the Google project and the region: set GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_REGION');
  expect(stderr).toContain("Google credentials: run 'gcloud auth application-default login'");
  expect(stderr).toContain('a folder of its own: serin.aws.json is in');
  expect(existsSync(join(cwd, 'serin.gcp.json'))).toBe(false);
});

test('destroy that lacks something says that it cannot destroy', async () => {
  const cwd = project();

  const { exit, stderr } = await serin(['destroy', ...onGcp], { cwd, env: { PATH: dirname(process.execPath) } });

  expect([exit, stderr.split('\n')[0]]).toEqual([1, 'serin: cannot destroy acme; add what is missing']);
});

test('the number of a Google project is no id of it, and what to give is said', async () => {
  const cwd = project();

  const { exit, stderr } = await serin(['plan', ...onGcp], { cwd, env: { GOOGLE_CLOUD_PROJECT: '123456789012' } });

  expect(exit).toBe(2);
  expect(stderr).toContain('give the id of a Google project, not its number or its name');
});

test('deploy bundles nothing in a copy of the repository that has nothing installed for GCP', async () => {
  const cwd = project();
  const env = standIn(cwd);
  mkdirSync(join(cwd, 'functions', 'gcp'), { recursive: true });

  const { exit, stderr } = await serin(['deploy', ...onGcp], { cwd, env });

  expect([exit, existsSync(join(cwd, 'called.json'))]).toEqual([1, false]);
  expect(stderr).toContain(`run 'npm ci --prefix functions/gcp' in ${cwd}`);
});

test('destroy does nothing until somebody says yes, and says what stays', async () => {
  const { url } = await bucket();
  const cwd = project();
  const env = standIn(cwd, url);

  const unasked = await serin(['destroy', ...onGcp], { cwd, env });
  const before = existsSync(join(cwd, 'called.json'));
  const agreed = await serin(['destroy', ...onGcp, '--yes'], { cwd, env });

  expect([unasked.exit, before, agreed.exit]).toEqual([1, false, 0]);
  expect(unasked.stderr).toContain('the database serin-acme-prod-journal: the history');
  expect(agreed.stdout).toContain('until you delete it in Vertex AI');
  expect(agreed.stdout).toContain('write "adopt": true into serin.gcp.json');
  expect(agreed.stdout).toContain(
    'gcloud firestore databases delete --database=serin-acme-prod-journal --project=acme-ml',
  );
  expect(called(cwd).args).toEqual(['remove', '--stage', 'prod']);
});

test('a dry run asks Google nothing', async () => {
  const cwd = project();
  const { GOOGLE_OAUTH_ACCESS_TOKEN: _, ...env } = standIn(cwd);

  const { exit, stdout } = await serin(['deploy', ...onGcp, '--dry-run'], { cwd, env });

  expect(exit).toBe(0);
  expect(stdout).toContain(
    'serin.gcp.json: googleProject, region, project, environment, version, dataBuckets, adminTokenHash',
  );
  expect(existsSync(join(cwd, 'called.json'))).toBe(false);
});
