import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { metricNames } from '@serin/platform/metrics';
import { expect, test } from 'vitest';
import { metricLine } from '../../../functions/gcp/src/metric-line.ts';
import { paths, whyPartsMissing } from '../../../test/emulators/installed.ts';
import { metricIdOf } from '../topology/alarms.ts';
import { type OwnFolder, ownFolders } from '../topology/calls.ts';
import { placesOf } from '../topology/places.ts';
import type { Account, Binding } from '../topology/shapes.ts';
import { callsOf, portsOf, projectWide, type Topology, topology } from '../topology.ts';
import { all, bare, closed, plain, where } from './settings.ts';

const installations = Object.entries(all).map(([name, settings]) => [name, topology(settings, where)] as const);

const memberOf = ({ email }: Account): string => `serviceAccount:${email}`;
const permissionsOf = ({ customRoles }: Topology, { role }: Binding): readonly string[] =>
  customRoles.find(({ id }) => role.endsWith(`/roles/${id}`))?.permissions ?? [];
/** `<member> <permission> <target> <condition>` of each that is given. */
const givenBy = (made: Topology): readonly string[] =>
  made.bindings.flatMap((binding) =>
    permissionsOf(made, binding).map((permission) =>
      [binding.member, permission, binding.target.name, binding.when?.expression ?? ''].join(' '),
    ),
  );

test.each(installations)('%s: all that stays when the rest is destroyed is listed as retained', (_, made) => {
  const retained = made.resources.filter(({ says }) => says === 'retained when the rest is destroyed');

  const kept = made.buckets.filter((bucket) => bucket.kept).map(({ name }) => name);
  expect(retained.map(({ name }) => name)).toEqual([made.database.name, ...kept]);
  for (const { kind, name } of retained) expect(made.stays.join('\n')).toContain(`the ${kind} ${name}: `);
});

test.each(installations)('%s: nothing is granted that the plan does not say', (_, made) => {
  const [listed, others] = [
    [...made.functions.map(({ role }) => role), made.jobRole, made.modelRole],
    made.alsoGranted ?? [],
  ];

  for (const { member, target } of made.bindings) {
    const who = member.replace(/^serviceAccount:/, '');
    const said = [
      ...listed.filter(({ name }) => name === who).flatMap(({ grants }) => grants.map((grant) => grant.target.name)),
      ...others.filter((each) => each.who === who).map(({ on }) => on),
    ];
    expect(said).toContain(target.name);
  }
});

test('what builds the functions reads the copies of their code, which lie in a bucket of Cloud Run functions', () => {
  const { bindings, buildAccount } = topology(plain, where);
  const reads = bindings.filter(({ member, role }) => member.endsWith(`:${buildAccount}`) && role.endsWith('Viewer'));

  expect(reads.map(({ target, when }) => [target.name, when?.expression])).toEqual([
    [expect.stringContaining('-code-acme-ml'), undefined],
    ['acme-ml', 'resource.name.startsWith("projects/_/buckets/gcf-v2-sources-123456789012-europe-west4/")'],
  ]);
});

test('a data bucket that stays is told as what it is', () => {
  const { stays } = topology(closed, where);

  expect(stays).toContain('the bucket serin-shop-closed-acme-ml: code, configs and what jobs left');
  expect(stays).toContain('the bucket acme-ml-data: your data');
});

test.each(installations)('%s: no role is a primitive one, and none is wider than what is asked for', (_, made) => {
  const roles = made.bindings
    .map(({ role }) => role)
    .filter((role) => !role.startsWith(`projects/${where.account}/roles/`));

  expect([...new Set(roles)].toSorted()).toEqual(
    [
      'roles/artifactregistry.writer',
      ...(made.settings.kmsKey === undefined ? [] : ['roles/cloudkms.cryptoKeyEncrypterDecrypter']),
      'roles/run.invoker',
      'roles/storage.objectViewer',
    ].toSorted(),
  );
  for (const { permissions } of made.customRoles) expect(permissions.filter((each) => each.includes('*'))).toEqual([]);
});

test.each(installations)('%s: nobody outside is let in but by the API, which asks for tokens of its own', (_, made) => {
  const everybody = made.bindings.filter(({ member }) => !member.startsWith('serviceAccount:'));

  const api = made.functions.find(({ id }) => id === 'api');
  expect(everybody).toEqual([
    {
      id: 'anybody-api',
      member: 'allUsers',
      role: 'roles/run.invoker',
      target: { kind: 'service', name: api?.name },
      why: expect.stringContaining('asks for tokens of its own'),
    },
  ]);
});

test('a function that takes pushes is reached from inside only, and called by the pushing account only', () => {
  for (const [, made] of installations)
    for (const { id, name, trigger, ingress } of made.functions) {
      const callers = made.bindings.filter(({ target }) => target.kind === 'service' && target.name === name);
      if (trigger.kind === 'https') continue;
      expect([id, ingress, callers.map(({ member }) => member)]).toEqual([
        id,
        'ALLOW_INTERNAL_ONLY',
        [`serviceAccount:${made.pushAccount}`],
      ]);
    }
  const apis = installations.map(([, { functions }]) => functions.find(({ id }) => id === 'api')?.ingress);
  expect(apis).toEqual(['ALLOW_ALL', 'ALLOW_INTERNAL_ONLY', 'ALLOW_ALL']);
});

test('each push and each tick of the clock carries a token that is made out to its function', () => {
  for (const [, { functions }] of installations)
    for (const { name, trigger, environment } of functions) {
      const audience =
        trigger.kind === 'push'
          ? trigger.subscription.audience
          : trigger.kind === 'schedule'
            ? trigger.schedule.audience
            : `${environment.SERIN_AUDIENCE}${name}`;
      expect(audience).toBe(`${environment.SERIN_AUDIENCE}${name}`);
      expect(audience).toBe(`https://europe-west4-acme-ml.cloudfunctions.net/${name}`);
    }
});

test.each(installations)('%s: what roles give is what calls need, and nothing else', (_, made) => {
  const needed = made.accounts.flatMap((account) =>
    account.grants.map(({ action, target }) => [memberOf(account), action, target.name].join(' ')),
  );
  const given = givenBy(made).filter((each) => !each.startsWith('serviceAccount:service-'));

  const short = given.map((each) => each.split(' ').slice(0, 3).join(' '));
  expect([...new Set(short)].toSorted()).toEqual([...new Set(needed)].toSorted());
  expect(new Set(given).size).toBe(given.length);
});

test.each(installations)(
  '%s: only permissions that are named as such are given on all of the Google project',
  (_, made) => {
    const wide = made.bindings
      .filter(({ target, when }) => target.kind === 'project' && when === undefined)
      .flatMap((binding) => permissionsOf(made, binding));

    expect(wide.filter((permission) => projectWide[permission] === undefined)).toEqual([]);
  },
);

test('each permission that is named as project-wide is used', () => {
  const used = new Set(
    installations.flatMap(([, { accounts }]) => accounts.flatMap(({ grants }) => grants.map(({ action }) => action))),
  );

  expect(Object.keys(projectWide).filter((permission) => !used.has(permission))).toEqual([]);
});

/** Folders of the own bucket on which an account has the permission. */
function foldersOf(made: Topology, { email }: Account, permission: string): readonly string[] {
  const own = made.buckets[0]?.name;
  const conditions = made.bindings
    .filter((binding) => binding.member.endsWith(`:${email}`) && binding.target.name === own)
    .filter((binding) => permissionsOf(made, binding).includes(permission))
    .map(({ when }) => when?.expression ?? 'everything');
  return conditions.flatMap((expression) =>
    expression === 'everything'
      ? ['everything']
      : [...expression.matchAll(/startsWith\("projects\/_\/buckets\/[\w-]+\/objects\/(\w+)"\)/g)].map(
          ([, folder = '']) => folder,
        ),
  );
}
const functionAccount = (made: Topology, id: string): Account => {
  const found = made.functions.find((each) => each.id === id);
  if (found === undefined) throw new Error(`there is no function ${id}`);
  return found.role;
};

test('no account has the whole of the own bucket, and neither job nor model reads configs, in which environments are', () => {
  for (const [, made] of installations) {
    const verbs = ['get', 'create', 'delete'].map((verb) => `storage.objects.${verb}`);
    const touched = made.accounts.flatMap((account) => verbs.flatMap((verb) => foldersOf(made, account, verb)));

    expect(touched).not.toContain('everything');
    expect(foldersOf(made, made.jobRole, 'storage.objects.get')).toEqual([
      'checkpoints',
      'code',
      'datasets',
      'jobs',
      'starts',
    ]);
    expect(foldersOf(made, made.modelRole, 'storage.objects.get')).toEqual(['code', 'jobs']);
  }
});

test('a job cannot change code, datasets or configs, from which the next job is made, and a model changes nothing', () => {
  for (const [, made] of installations)
    for (const verb of ['storage.objects.create', 'storage.objects.delete']) {
      expect(foldersOf(made, made.jobRole, verb)).toEqual(['checkpoints', 'jobs']);
      expect(foldersOf(made, made.modelRole, verb)).toEqual([]);
    }
});

test('the API reads no data, and writes what it takes of releases and what it publishes', () => {
  for (const [, made] of installations) {
    const account = functionAccount(made, 'api');

    expect(foldersOf(made, account, 'storage.objects.get')).toEqual([
      ...['code', 'configs', 'datasets', 'drift', 'labels', 'profiles', 'references', 'reports'],
    ]);
    expect(foldersOf(made, account, 'storage.objects.create')).toEqual(['code', 'configs', 'events', 'labels']);
    expect(foldersOf(made, account, 'storage.objects.delete')).toEqual([]);
    const data = made.bindings.filter(
      ({ member, target }) => member === memberOf(account) && target.name.startsWith('acme-ml-'),
    );
    expect([...new Set(data.flatMap((binding) => permissionsOf(made, binding)))]).toEqual(
      made === installations[2]?.[1] ? [] : ['storage.objects.list'],
    );
  }
});

test('a data bucket is read, never written to', () => {
  for (const [, made] of installations)
    for (const binding of made.bindings.filter(({ target }) => target.name.startsWith('acme-ml-')))
      for (const permission of permissionsOf(made, binding))
        expect(['storage.objects.get', 'storage.objects.list']).toContain(permission);
});

// https://docs.cloud.google.com/storage/docs/access-control/iam#conditions
test('no folder of the own bucket begins like another: a condition says what names begin with', () => {
  const alike = ownFolders.filter((folder: OwnFolder) =>
    ownFolders.some((other) => other !== folder && other.startsWith(folder)),
  );

  expect(alike).toEqual([]);
});

// https://docs.cloud.google.com/iam/quotas: "Logical operators in a condition expression: 12"
test('a condition has no more parts than IAM takes', () => {
  for (const [, { bindings }] of installations)
    for (const { id, when } of bindings)
      expect([id, (when?.expression ?? '').split('||').length <= 12]).toEqual([id, true]);
});

test('an account acts only as those of jobs and models, and only the function that starts them does', () => {
  for (const [, made] of installations) {
    const acting = givenBy(made).filter((each) => each.includes('iam.serviceAccounts.actAs'));

    const signals = memberOf(functionAccount(made, 'signals'));
    expect(acting.map((each) => each.trim()).toSorted()).toEqual(
      [made.jobRole, made.modelRole]
        .map(({ email }) => `${signals} iam.serviceAccounts.actAs projects/acme-ml/serviceAccounts/${email}`)
        .toSorted(),
    );
  }
});

test('secrets of configs are read by who starts programs and by programs, those of webhooks by the API, and no others', () => {
  for (const [, made] of installations) {
    const { environment } = made.settings;
    const readers = givenBy(made).filter((each) => each.includes('secretmanager.versions.access'));

    const read = (account: Account, path: string) =>
      `${memberOf(account)} secretmanager.versions.access acme-ml resource.name.startsWith("projects/123456789012/secrets/${path}")`;
    expect(readers).toEqual([
      read(functionAccount(made, 'signals'), `serin_shop_${environment}_`),
      read(functionAccount(made, 'api'), `serin-shop-${environment}-webhooks/versions/`),
      read(made.jobRole, `serin_shop_${environment}_`),
      read(made.modelRole, `serin_shop_${environment}_`),
    ]);
  }
});

test('the journal is one database, and only it is read and written', () => {
  for (const [, made] of installations)
    for (const binding of made.bindings)
      if (permissionsOf(made, binding).some((permission) => permission.startsWith('datastore.')))
        expect(binding.when?.expression).toBe(
          `resource.name == "projects/acme-ml/databases/serin-shop-${made.settings.environment}-journal"`,
        );
});

test('the clock and the grave digger have nothing of Vertex AI, Cloud Storage or service accounts', () => {
  for (const id of ['clock', 'deadLetters']) {
    const { grants } = functionAccount(topology(plain, where), id);

    expect([id, grants.filter(({ action }) => /^(aiplatform|storage|iam)\./.test(action))]).toEqual([id, []]);
  }
});

test('an account that nothing is granted to pushes and does no more, and Cloud Build has what it builds with', () => {
  const made = topology(plain, where);
  const of = (email: string) =>
    made.bindings.filter(({ member }) => member === `serviceAccount:${email}`).map(({ target }) => target.kind);

  expect(of(made.pushAccount)).toEqual(['service', 'service', 'service']);
  expect(of(made.buildAccount).toSorted()).toEqual(['bucket', 'project', 'project', 'repository']);
});

test('the agents of Google’s services have what their work for the installation needs, and each on one thing', () => {
  const made = topology(plain, where);
  const agents = givenBy(made).filter((each) => each.startsWith('serviceAccount:service-123456789012@'));

  expect(
    agents.map((each) => each.replace(/^serviceAccount:service-\d+@([\w-]+)\.iam\.gserviceaccount\.com/, '$1').trim()),
  ).toEqual([
    expect.stringMatching(/^gcp-sa-pubsub iam\.serviceAccounts\.getOpenIdToken .*-push@/),
    'gcp-sa-pubsub pubsub.topics.publish projects/acme-ml/topics/serin-shop-prod-dead',
    'gcp-sa-pubsub pubsub.subscriptions.consume projects/acme-ml/subscriptions/serin-shop-prod-signals',
    expect.stringMatching(/^gcp-sa-cloudscheduler iam\.serviceAccounts\.getOpenIdToken .*-push@/),
    ...['datasets.get', 'tables.get', 'tables.updateData'].map(
      (permission) => `gcp-sa-aiplatform bigquery.${permission} serin_shop_prod_captures`,
    ),
    'gs-project-accounts pubsub.topics.publish projects/acme-ml/topics/serin-shop-prod-signals',
    'gcp-sa-monitoring-notification pubsub.topics.publish projects/acme-ml/topics/serin-shop-prod-signals',
  ]);
});

test('under a key of the owner’s, each service that holds data may use it, and nobody else', () => {
  const made = topology(closed, where);
  const users = made.bindings.filter(({ target }) => target.kind === 'key');

  expect(users.map(({ target }) => target.name)).toEqual(users.map(() => closed.kmsKey));
  expect(users.map(({ member }) => member.replace(/^.*@|\.iam.*$/g, '')).toSorted()).toEqual([
    'bigquery-encryption',
    'gcf-admin-robot',
    'gcp-sa-aiplatform',
    'gcp-sa-artifactregistry',
    'gcp-sa-firestore',
    'gcp-sa-pubsub',
    'gcp-sa-secretmanager',
    'gs-project-accounts',
    'serverless-robot-prod',
  ]);
});

test('each call of each port is granted to the functions that have the port, with the reason', () => {
  const { functions } = topology(plain, where);

  for (const { id, role } of functions)
    for (const port of portsOf[id])
      for (const { call, needs } of callsOf[port])
        for (const { action } of needs)
          expect(role.grants).toContainEqual(expect.objectContaining({ call, action, why: expect.any(String) }));
});

const noDocuments = whyPartsMissing(['discovery']);
const required = (process.env.SERIN_REQUIRE ?? '').split(',').includes('emulators');
const discovery = join(paths.discovery, 'googleapiclient/discovery_cache/documents');
test.skipIf(noDocuments !== undefined && !required)('each call is a method of Google’s own discovery documents', () => {
  const known = new Set(
    readdirSync(discovery)
      .filter((file) =>
        /^(aiplatform\.v1|bigquery\.v2|firestore\.v1|storage\.v1|pubsub\.v1|secretmanager\.v1|monitoring\.v3|logging\.v2)\.json$/.test(
          file,
        ),
      )
      .flatMap((file) => [...readFileSync(join(discovery, file), 'utf8').matchAll(/"id": "([\w.]+)"/g)])
      .map(([, id]) => id),
  );
  const calls = Object.values(callsOf).flatMap((port) => port.map(({ call }) => call));

  expect(calls.filter((call) => !known.has(call))).toEqual([]);
});

test('a message is not pushed again while the first push of it may still be worked on', () => {
  for (const { trigger, timeoutSeconds } of topology(plain, where).functions)
    if (trigger.kind === 'push') {
      expect(trigger.subscription.ackDeadlineSeconds).toBeGreaterThan(timeoutSeconds);
      // https://docs.cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions
      expect(trigger.subscription.ackDeadlineSeconds).toBeLessThanOrEqual(600);
      expect(trigger.subscription.retentionSeconds).toBeLessThanOrEqual(31 * 24 * 60 * 60);
      expect(trigger.subscription.deadAfter?.attempts ?? 5).toBeLessThanOrEqual(100);
    }
});

test('what could not be used is lost later than it could be noticed: the topic of dead messages has a reader', () => {
  const { functions, topics } = topology(plain, where);
  const pushed = functions.flatMap(({ trigger }) => (trigger.kind === 'push' ? [trigger.subscription] : []));

  const dead = pushed.flatMap(({ deadAfter }) => deadAfter?.topic ?? []);
  for (const topic of dead) {
    expect(topics.map(({ id }) => id)).toContain(topic);
    expect(pushed.find((each) => each.topic === topic)?.retentionSeconds).toBe(14 * 24 * 60 * 60);
  }
});

const longest = topology(
  { ...plain, project: 'p'.repeat(21) },
  { ...where, account: 'a'.repeat(30), region: 'northamerica-northeast1' },
);

test('every name is one that Google takes', () => {
  for (const made of [longest, ...installations.map(([, each]) => each)]) {
    // https://docs.cloud.google.com/run/docs/reference/rest/v2/projects.locations.services: less than 50 characters
    for (const { name } of made.functions) expect(name).toMatch(/^[a-z][a-z0-9-]{0,47}[a-z0-9]$/);
    // https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/create
    for (const { id } of made.accounts) expect(id).toMatch(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/);
    // https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.roles/create
    for (const { id, title } of made.customRoles) {
      expect(id).toMatch(/^[a-zA-Z0-9_.]{3,64}$/);
      expect(title.length).toBeLessThanOrEqual(100);
    }
    for (const { name } of made.buckets) expect(name).toMatch(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/);
    expect(made.database.name).toMatch(/^[a-z][a-z0-9-]{2,61}[a-z0-9]$/);
    for (const { name } of made.topics) expect(name).toMatch(/^[A-Za-z][\w.~+%-]{2,254}$/);
    for (const { name } of made.repositories) expect(name).toMatch(/^[a-z][a-z0-9-]{0,61}[a-z0-9]$/);
    for (const { name } of made.logMetrics) expect(name.length).toBeLessThanOrEqual(100);
  }
});

test('each grant has an id of its own, and the same in each deployment', () => {
  for (const [, { bindings, settings }] of installations) {
    const ids = bindings.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(topology(settings, where).bindings.map(({ id }) => id)).toEqual(ids);
  }
});

test('two installations of a Google project share no name and no resource', () => {
  const namesOf = (made: Topology): readonly string[] => [
    ...made.functions.map(({ name }) => name),
    ...made.accounts.map(({ email }) => email),
    ...made.customRoles.map(({ id }) => id),
    ...made.topics.map(({ name }) => name),
    ...made.repositories.map(({ name }) => name),
    ...made.logMetrics.map(({ name }) => name),
    ...made.alarms.map(({ name }) => name),
    ...made.buckets.map(({ name }) => name),
    made.database.name,
  ];
  const [one, other] = [topology(plain, where), topology({ ...plain, environment: 'dev' }, where)].map(namesOf);

  expect(one?.filter((name) => other?.includes(name))).toEqual([]);
  // Secrets are told apart by what their names begin with.
  const prefixes = [plain, { ...plain, project: 'shop-prod' }].map((each) => placesOf(each, where).secretsPrefix);
  expect(prefixes[1]?.startsWith(prefixes[0] ?? '')).toBe(false);
});

test('a role of a destroyed installation can be made again under another name', () => {
  const idsOf = (roleGeneration?: number) =>
    topology({ ...plain, ...(roleGeneration === undefined ? {} : { roleGeneration }) }, where).customRoles.map(
      ({ id }) => id,
    );

  expect(idsOf(1)).toEqual(idsOf());
  expect(idsOf(2).filter((id) => idsOf().includes(id))).toEqual([]);
  expect(topology(plain, where).later.join('\n')).toContain('write "roleGeneration": 2 into serin.gcp.json');
});

test('the functions are told what they are deployed with', () => {
  const told = (settings: typeof plain) => topology(settings, where).functions.map(({ environment }) => environment);

  expect(told(plain)[0]).toEqual({
    SERIN_PROJECT: 'shop',
    SERIN_ENVIRONMENT: 'prod',
    SERIN_VERSION: '0.1.0',
    SERIN_GOOGLE_PROJECT: 'acme-ml',
    SERIN_REGION: 'europe-west4',
    SERIN_DATABASE: 'projects/acme-ml/databases/serin-shop-prod-journal',
    SERIN_BUCKET: 'serin-shop-prod-acme-ml',
    SERIN_CAPTURE_TABLE: 'acme-ml.serin_shop_prod_captures.requests',
    SERIN_TOPIC: 'projects/acme-ml/topics/serin-shop-prod-signals',
    SERIN_BUS: 'projects/acme-ml/topics/serin-shop-prod-events',
    SERIN_JOB_ACCOUNT: expect.stringMatching(/^serin-[0-9a-f]{8}-jobs@acme-ml\.iam\.gserviceaccount\.com$/),
    SERIN_MODEL_ACCOUNT: expect.stringMatching(/^serin-[0-9a-f]{8}-models@/),
    SERIN_NODE_IMAGE: 'europe-west4-docker.pkg.dev/acme-ml/serin-shop-prod-images/library/node:24-slim',
    SERIN_SECRETS: 'projects/acme-ml/secrets/serin-shop-prod-webhooks',
    SERIN_PROGRAM_SECRETS: 'serin_shop_prod_',
    SERIN_ADMIN_TOKEN_HASH: '0'.repeat(64),
    SERIN_PUSH_ACCOUNT: expect.stringMatching(/^serin-[0-9a-f]{8}-push@/),
    SERIN_AUDIENCE: 'https://europe-west4-acme-ml.cloudfunctions.net/',
    SERIN_BEHIND_IAM: 'true',
    SERIN_TIMEOUT_SECONDS: '120',
  });
  expect(told(closed)[0]).toMatchObject({
    SERIN_KMS_KEY: closed.kmsKey,
    SERIN_NETWORK: 'projects/123456789012/global/networks/ml',
    SERIN_SHARED_ENDPOINTS: 'yes',
  });
  expect(told(plain).map(({ SERIN_TIMEOUT_SECONDS }) => SERIN_TIMEOUT_SECONDS)).toEqual(['120', '60', '60', '60']);
});

test('what the functions count is counted from their logs, and shown', () => {
  const { logMetrics, dashboard, metrics } = topology(plain, where);
  const shown = JSON.stringify(dashboard);

  expect(metrics.toSorted()).toEqual(metricNames.toSorted());
  for (const metric of metrics) {
    const id = metricIdOf(placesOf(plain, where), metric);
    expect(logMetrics.find(({ name }) => name === id)?.filter).toContain(`jsonPayload.metric="${metric}"`);
    expect(shown).toContain(`logging_googleapis_com:user_${id}_`);
  }
  expect(topology(bare, where).dashboard).toBeUndefined();
});

test('an alarm on what the functions count looks for the lines that they write', () => {
  const { alarms } = topology(plain, where);

  const logged = alarms.flatMap(({ id, when }) => (when.kind === 'logged' ? [[id, when.filter] as const] : []));
  expect(logged.map(([id]) => id)).toEqual(['debts-age', 'dead-letters']);
  for (const [, filter] of logged) {
    const [, metric = ''] = /jsonPayload\.metric="(\w+)"/.exec(filter) ?? [];
    expect(metricNames).toContain(metric);
    const line = metricLine({ project: 'shop', environment: 'prod' })(metric, 1);
    for (const [, field = '', value = ''] of filter.matchAll(/jsonPayload\.(\w+)="(\w+)"/g))
      expect([field, `${Object.entries(line).find(([name]) => name === field)?.[1]}`]).toEqual([field, value]);
  }
});

test('what is at rest is paid for by the clock and by what watches', () => {
  const { costsAtRest } = topology(plain, where);

  expect(costsAtRest.find(({ unit }) => unit === 'document read')?.perMonth).toBe(730 * 60 * 16);
  expect(costsAtRest.map(({ service }) => service)).toEqual([
    'run',
    'run',
    'run',
    'scheduler',
    'firestore',
    'monitoring',
    'monitoring',
  ]);
});

test('what nobody does for the owner is told with its command', () => {
  const told = topology(plain, where)
    .byHand.map(({ command }) => command)
    .join('\n');

  expect(told).toContain('gcloud billing projects link acme-ml --billing-account=');
  expect(told).toContain('gcloud auth application-default login');
  expect(told).toContain('gcloud storage buckets create gs://serin-state-acme-ml --location=europe-west4');
  expect(told).toContain('gcloud secrets create serin_shop_prod_<name> --data-file=<file>');
});

test('under a key of the owner’s, a secret is under it before it has a text', () => {
  const told = topology(closed, where).byHand.map(({ command }) => command);

  for (const secret of ['serin_shop_closed_<name>', 'serin-shop-closed-webhooks']) {
    const command = told.find((each) => each.includes(`gcloud secrets create ${secret} `));
    const [create, key, text] = command?.split(' && ') ?? [];
    expect(create).toMatch(/--replication-policy=user-managed --locations=europe-west4 --project=acme-ml$/);
    expect(create).not.toMatch(/--data-file|--kms-key-name/);
    expect(key).toBe(
      `gcloud secrets replication update ${secret} --set-kms-key=${closed.kmsKey} --location=europe-west4 --project=acme-ml`,
    );
    expect(text).toMatch(new RegExp(`gcloud secrets versions add ${secret} --data-file=(-|<file>) --project=acme-ml$`));
  }
});

test.each(installations)(
  '%s: a policy that lets in nobody from outside is told of, for everybody may call the API',
  (_, made) => {
    const { what } = made.byHand.find(({ command }) => command.includes('iam.allowedPolicyMemberDomains')) ?? {};

    expect(made.bindings).toContainEqual(expect.objectContaining({ member: 'allUsers' }));
    expect(what).toContain('have it lifted for this Google project, before the first deployment');
  },
);

test('a data bucket is the same resource when the config names another one before it', () => {
  const idsOf = (dataBuckets: readonly string[]) => {
    const { buckets, notifications } = topology({ ...closed, dataBuckets }, where);
    return [buckets.find(({ name }) => name === 'acme-ml-data')?.id, notifications.at(-1)?.id];
  };

  expect(idsOf(['acme-ml-earlier', 'acme-ml-data'])).toEqual(idsOf(['acme-ml-data']));
});

test('on a data bucket of another Google project nothing is granted or made, and its owner is told what to do', () => {
  const foreign = 'other-team-data';
  const made = topology({ ...closed, dataBuckets: ['acme-ml-data', foreign], foreignBuckets: [foreign] }, where);
  const deployed = [made.bindings.map(({ target }) => target.name), made.buckets, made.notifications, made.customRoles];
  const [told] = made.byHand.filter(({ what }) => what.includes(`the owner of ${foreign}`));

  expect(JSON.stringify(deployed)).not.toContain(foreign);
  expect(JSON.stringify(deployed)).toContain('acme-ml-data');
  for (const account of ['signals', 'jobs'])
    expect(told?.command).toMatch(
      new RegExp(
        `gs://${foreign} --member=serviceAccount:serin-\\w+-${account}@\\S+ --role=roles/storage.objectViewer`,
      ),
    );
  expect(told?.command).toContain('--role=roles/pubsub.publisher --project=acme-ml');
  expect(told?.command).toContain(
    `notifications create gs://${foreign} --topic=projects/acme-ml/topics/serin-shop-closed-signals --event-types=OBJECT_FINALIZE`,
  );
});

test('it is told that nobody hears the alarms, unless somebody does', () => {
  const silent = (settings: typeof bare) =>
    topology(settings, where).byHand.some(({ what }) => what.startsWith('no one is told'));

  expect(silent({ ...bare, alertEmail: 'oncall@acme.example' })).toBe(false);
  expect(silent(bare)).toBe(true);
});

test('the topology is data: it survives JSON', () => {
  for (const [, made] of installations) expect(JSON.parse(JSON.stringify(made))).toEqual(made);
});
