import { metricNames } from '@serin/platform/metrics';
import { expect, test } from 'vitest';
import { blobs, isDataAction, type OwnFolder, ownFolders } from '../topology/calls.ts';
import { blobDataOwner } from '../topology/hosts.ts';
import { parsedId } from '../topology/ids.ts';
import type { Assignment, Identity, Settings } from '../topology/shapes.ts';
import { callsOf, portsOf, type Topology, topology } from '../topology.ts';
import { all, bare, closed, given, plain, where } from './settings.ts';

const installations = Object.entries(all).map(([name, settings]) => [name, topology(settings, where)] as const);

const roleOf = ({ customRoles }: Topology, { role }: Assignment) =>
  customRoles.find(({ id }) => role.endsWith(`/${id}`));
const permissionsOf = (made: Topology, assignment: Assignment): readonly string[] => {
  const { actions = [], dataActions = [] } = roleOf(made, assignment) ?? {};
  return [...actions, ...dataActions];
};
const whoIs = ({ principal }: Assignment): string => ('of' in principal ? principal.of : principal.identity);
const heldBy = (made: Topology, who: string): readonly Assignment[] =>
  made.assignments.filter((each) => whoIs(each) === who);
const ownAccount = (made: Topology): string => made.accounts[0]?.name ?? '';
const onOwn = (made: Topology, who: string): Assignment | undefined =>
  heldBy(made, who).find(({ target }) => target.endsWith(`/${ownAccount(made)}/blobServices/default/containers/serin`));

test.each(installations)('%s: what roles give is what calls need, and nothing else', (_, made) => {
  const needed = made.identities.flatMap(({ id, grants }) =>
    grants.map(({ action, target }) => `${id} ${action} ${target}`),
  );
  const held = made.assignments
    .filter(({ principal }) => 'identity' in principal)
    .flatMap((each) => permissionsOf(made, each).map((permission) => `${whoIs(each)} ${permission} ${each.target}`));

  expect([...new Set(held)].toSorted()).toEqual([...new Set(needed)].toSorted());
  expect(new Set(held).size).toBe(held.length);
});

test('each call of each port is granted to the functions that have the port, with the reason', () => {
  const { functions } = topology(plain, where);

  for (const { id, role } of functions)
    for (const port of portsOf[id])
      for (const { call, needs } of callsOf[port])
        for (const { action } of needs)
          expect(role.grants).toContainEqual(expect.objectContaining({ call, action, why: expect.any(String) }));
});

test.each(installations)(
  '%s: no role has a wildcard, and of Azure’s own only the one that hosts need is given',
  (_, made) => {
    for (const { actions, dataActions } of made.customRoles)
      expect([...actions, ...dataActions].filter((each) => each.includes('*'))).toEqual([]);
    const others = made.assignments.filter((each) => roleOf(made, each) === undefined);

    expect(others.map(({ role }) => role.split('/').at(-1))).toEqual(Array.from({ length: 4 }, () => blobDataOwner));
  },
);

test.each(installations)(
  '%s: the host of a function has its own account, and nobody else is given anything on it',
  (_, made) => {
    for (const { id, host } of made.functions) {
      const there = made.assignments.filter(({ target }) => target.includes(`/storageAccounts/${host}`));

      expect(there.map(whoIs)).toEqual([id]);
      expect(made.accounts.find(({ name }) => name === host)?.containers).toHaveLength(1);
    }
  },
);

test.each(installations)('%s: data is told from what holds it in each role', (_, made) => {
  for (const { actions, dataActions } of made.customRoles) {
    expect(actions.filter(isDataAction)).toEqual([]);
    expect(dataActions.filter((each) => !isDataAction(each))).toEqual([]);
  }
});

/** Folders below which a condition lets an action be done; `undefined`: everywhere. */
function foldersIn(assignment: Assignment | undefined, action: string): readonly string[] | undefined {
  const clause = assignment?.when?.expression
    .split(' AND ((')
    .find((each) => each.includes(`ActionMatches{'${action}'}`));
  if (clause === undefined) return undefined;
  return [...clause.matchAll(/StringStartsWith '([\w-]+)\/'/g)].map(([, folder = '']) => folder);
}
const may = (made: Topology, who: string, action: string): readonly string[] => {
  const held = onOwn(made, who);
  if (held === undefined || !permissionsOf(made, held).includes(action)) return [];
  return foldersIn(held, action) ?? ['everything'];
};

test('nobody has the whole of the own container, and neither job nor model reads configs, in which environments are', () => {
  for (const [, made] of installations) {
    const verbs = ['read', 'write', 'delete', 'add/action'] as const;
    const touched = made.identities.flatMap(({ id }) => verbs.flatMap((verb) => may(made, id, blobs(verb))));

    expect(touched).not.toContain('everything');
    expect(may(made, 'jobs', blobs('read'))).toEqual(['checkpoints', 'code', 'datasets', 'jobs', 'starts']);
    expect(may(made, 'models', blobs('read'))).toEqual(['code', 'jobs']);
  }
});

test('a job cannot change code, datasets, starts or configs, from which the next job is made, and a model writes what is captured only', () => {
  for (const [, made] of installations) {
    for (const verb of ['write', 'delete'] as const)
      expect(may(made, 'jobs', blobs(verb))).toEqual(['checkpoints', 'jobs']);
    expect(may(made, 'jobs', blobs('add/action'))).toEqual([]);
    for (const verb of ['write', 'add/action'] as const) expect(may(made, 'models', blobs(verb))).toEqual(['captured']);
    expect(may(made, 'models', blobs('delete'))).toEqual([]);
  }
});

test('copies of requests are written by models and read by the function that counts them', () => {
  for (const [, made] of installations) {
    const who = (verb: 'read' | 'write') =>
      made.identities.flatMap(({ id }) => (may(made, id, blobs(verb)).includes('captured') ? [id] : []));

    expect([who('write'), who('read')]).toEqual([['models'], ['signals']]);
  }
});

test('the API reads no data, and writes over nothing', () => {
  for (const [, made] of installations) {
    expect(may(made, 'api', blobs('read'))).toEqual([
      ...['code', 'configs', 'datasets', 'drift', 'events', 'labels', 'profiles', 'references', 'reports'],
    ]);
    expect(may(made, 'api', blobs('add/action'))).toEqual(['code', 'configs', 'events', 'labels']);
    expect([may(made, 'api', blobs('write')), may(made, 'api', blobs('delete'))]).toEqual([[], []]);
    for (const held of heldBy(made, 'api').filter(({ target }) => target.includes('/containers/acme-')))
      expect(held.when?.expression).toBe(
        "((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'} AND NOT SubOperationMatches{'Blob.List'})))",
      );
  }
});

test('a data container is read, never written to', () => {
  for (const [, made] of installations)
    for (const held of made.assignments.filter(({ target }) => target.includes('/containers/acme-')))
      expect(permissionsOf(made, held)).toEqual([blobs('read')]);
});

test('no folder of the own container begins like another with a slash behind it', () => {
  expect(ownFolders.filter((folder: OwnFolder) => folder.includes('/'))).toEqual([]);
});

// https://learn.microsoft.com/azure/role-based-access-control/conditions-troubleshoot: 8 KB
test('a condition is no longer than Azure takes', () => {
  for (const [, { assignments }] of installations)
    for (const { when } of assignments) expect(when?.expression.length ?? 0).toBeLessThan(8000);
});

test('secrets of configs are read by who starts programs and by programs, those of webhooks by the API, and no others', () => {
  for (const [, made] of installations) {
    const readers = made.assignments
      .filter((each) => permissionsOf(made, each).some((permission) => permission.includes('/secrets/')))
      .map((each) => `${whoIs(each)} ${made.vaults.find(({ name }) => each.target.endsWith(name))?.id}`);

    expect(readers).toEqual(['signals Programs', 'api Webhooks', 'jobs Programs', 'models Programs']);
    const vaultOf = (id: string) => made.functions.find((each) => each.id === id)?.environment.SERIN_VAULT;
    expect(vaultOf('api')).toBe(made.vaults.find(({ id }) => id === 'Webhooks')?.name);
    expect(vaultOf('signals')).toBe(made.vaults.find(({ id }) => id === 'Programs')?.name);
  }
});

test('only the function that starts jobs and models may give their identities, and no other identity', () => {
  for (const [, made] of installations) {
    const giving = made.assignments.filter((each) =>
      permissionsOf(made, each).some((permission) => permission.endsWith('/assign/action')),
    );

    expect(giving.map((each) => [whoIs(each), each.target.split('/').at(-1)])).toEqual(
      [made.jobRole, made.modelRole].map(({ name }) => ['signals', name]),
    );
  }
});

test('on the subscription nothing is given but to read how an operation of Azure ML goes', () => {
  for (const [, made] of installations) {
    const wide = made.assignments.filter(({ target }) => target === `/subscriptions/${where.account}`);

    expect(wide.map((each) => [whoIs(each), permissionsOf(made, each)])).toEqual([
      ['signals', ['Microsoft.MachineLearningServices/locations/mfeOperationsStatus/read']],
    ]);
  }
});

test('without logs nobody may read logs, or have them kept', () => {
  const given = topology(bare, where).customRoles.flatMap(({ actions, dataActions }) => [...actions, ...dataActions]);

  expect(
    given.filter((each) => /OperationalInsights|diagnosticSettings|Insights\/(Telemetry|Metrics)\//.test(each)),
  ).toEqual([]);
});

test('the clock and the grave digger have nothing of Azure ML, and read no blob', () => {
  for (const id of ['clock', 'deadLetters']) {
    const held = heldBy(topology(plain, where), id).flatMap((each) => permissionsOf(topology(plain, where), each));

    expect([id, held.filter((each) => /MachineLearning|\/blobs\/|ManagedIdentity/.test(each))]).toEqual([id, []]);
  }
});

test('who is told of events may put them into the queue, and aside, and does no more', () => {
  for (const [, made] of installations)
    for (const { id } of made.sources) {
      const held = heldBy(made, `Topic-${id}`);

      expect(held.map((each) => permissionsOf(made, each))).toEqual([
        ['Microsoft.ServiceBus/namespaces/messages/send/action'],
        [blobs('add/action'), blobs('write')],
      ]);
    }
});

const topicOf = ({ sources }: Topology, who: string) => sources.find(({ id }) => who === `Topic-${id}`)?.topic;

test.each(installations)('%s: nothing is granted that the plan does not say', (_, made) => {
  const listed: readonly Identity[] = [...made.functions.map(({ role }) => role), made.jobRole, made.modelRole];
  const others = made.alsoGranted ?? [];

  for (const each of made.assignments) {
    const who = whoIs(each);
    const said = [
      ...listed.filter(({ id }) => id === who).flatMap(({ grants }) => grants.map(({ target }) => target)),
      ...others
        .filter((other) => [who, `the system topic ${topicOf(made, who)}`].includes(other.who))
        .map(({ on }) => on),
    ];
    expect(said.some((one) => each.target.endsWith(one.replace(/\/$/, '').split('/').at(-1) ?? ''))).toBe(true);
  }
});

test.each(installations)('%s: all that stays when the rest is destroyed is listed as retained', (_, made) => {
  const retained = made.resources.filter(({ says }) => says === 'retained when the rest is destroyed');

  expect(retained.length).toBeGreaterThan(2);
  for (const { kind, name } of retained) expect(made.stays.join('\n')).toContain(`the ${kind} ${name}`);
  expect(made.stays).toHaveLength(retained.length);
});

test('events come from the containers of the config and from the workspace, and from no others', () => {
  const told = ({ sources }: Topology) =>
    sources.map(({ topic, group, isOurs, subscriptions }) => [
      topic,
      group,
      isOurs,
      subscriptions.map(({ subjectBeginsWith }) => subjectBeginsWith),
    ]);
  const containers = ['acme-data', 'acme-labels'].map((each) => `/blobServices/default/containers/${each}/blobs/`);

  expect(told(topology(plain, where))).toEqual([
    ['serin-shop-prod-data', 'serin-shop-prod', true, containers],
    ['serin-shop-prod-workspace', 'serin-shop-prod', true, [undefined]],
  ]);
  expect(told(topology(given, where))).toEqual([
    ['acmemldata-events', 'ml', false, containers],
    ['acme-ws-events', 'ml', false, [undefined]],
  ]);
  expect(told(topology(bare, where))).toEqual([['serin-shop-bare-workspace', 'serin-shop-bare', true, [undefined]]]);
});

test('what is the owner’s own is neither made nor deleted', () => {
  const made = topology(given, where);
  const names = made.resources.map(({ name }) => name).join('\n');

  expect(made.groups).toEqual([]);
  expect(made.workspace.made).toBeUndefined();
  expect(made.logs?.made).toBeUndefined();
  for (const name of ['serin-of-ours', 'acmemldata/', 'acme-logs']) expect(names).not.toContain(name);
  expect(made.stays.join('\n')).not.toContain('acme');
});

test('a workspace of ours lies in a group of its own, on which Azure gives its identity wide rights', () => {
  const { workspace, group, functions, accounts } = topology(plain, where);

  expect([workspace.group, group]).toEqual(['serin-shop-prod-ml', 'serin-shop-prod']);
  expect(functions[0]?.environment.SERIN_RESOURCE_GROUP).toBe('serin-shop-prod-ml');
  expect(accounts.filter((account) => account.group === workspace.group).map(({ id }) => id)).toEqual(['Workspace']);
});

test('in a network of the owner’s all that functions reach has a private address, and Service Bus is Premium', () => {
  const made = topology(closed, where);

  expect(made.namespace.tier).toBe('Premium');
  expect(made.endpoints.map(({ kind }) => kind).toSorted()).toEqual([
    ...['blob', 'blob', 'blob', 'blob', 'blob'],
    ...['namespace', 'sites', 'table', 'vault', 'vault'],
  ]);
  expect(made.costsAtRest[0]).toMatchObject({
    service: 'service-bus',
    unit: 'messaging unit hour (Premium)',
    perMonth: 730,
  });
  expect(topology(plain, where).endpoints).toEqual([]);
});

test('nobody calls a function but the API, and inside a network Azure Monitor calls that', () => {
  const only = (made: Topology) => made.functions.map((each) => [each.id, each.only]);

  expect(only(topology(plain, where))).toEqual([
    ['signals', []],
    ['api', undefined],
    ['clock', []],
    ['deadLetters', []],
  ]);
  expect(only(topology(closed, where))[1]).toEqual(['api', ['ActionGroup']]);
});

const longest = topology(
  { ...plain, project: 'p'.repeat(22), environment: 'prod' },
  { ...where, region: 'southcentralus2' },
);

test('every name is one that Azure takes', () => {
  // https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
  for (const made of [longest, ...installations.map(([, each]) => each)]) {
    for (const { name } of made.accounts) expect(name).toMatch(/^[a-z0-9]{3,24}$/);
    for (const { name } of made.vaults) expect(name).toMatch(/^[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$/);
    for (const { name } of made.functions) expect(name).toMatch(/^[a-z0-9][a-z0-9-]{0,58}[a-z0-9]$/);
    for (const { name } of made.identities) expect(name).toMatch(/^[a-zA-Z0-9][\w-]{2,127}$/);
    for (const { name } of made.groups) expect(name).toMatch(/^[\w-]{1,90}$/);
    expect(made.namespace.name).toMatch(/^[a-zA-Z][a-zA-Z0-9-]{4,48}[a-zA-Z0-9]$/);
    expect(made.workspace.name).toMatch(/^[a-zA-Z0-9][\w-]{2,32}$/);
    expect(made.workspace.datastore.name).toMatch(/^[a-zA-Z0-9_]{1,255}$/);
    for (const { topic, subscriptions } of made.sources)
      for (const name of [topic, ...subscriptions.map((each) => each.name)])
        expect(name).toMatch(/^[a-zA-Z0-9-]{3,64}$/);
    for (const { short } of made.actionGroups) expect(short.length).toBeLessThanOrEqual(12);
    for (const { id } of made.customRoles) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    for (const { name } of made.customRoles) expect(name.length).toBeLessThanOrEqual(128);
    for (const { target } of made.assignments)
      expect(parsedId(target) ?? /^\/subscriptions\/[\w-]+(\/resourceGroups\/[\w-]+)?$/.exec(target)).toBeTruthy();
  }
});

test('each assignment has an id of its own, and the same in each deployment', () => {
  for (const [, { assignments, settings }] of installations) {
    const ids = assignments.map(({ id }) => id);

    expect(new Set(ids).size).toBe(ids.length);
    expect(topology(settings, where).assignments.map(({ id }) => id)).toEqual(ids);
  }
});

test('two installations of a subscription share no name and no role', () => {
  const namesOf = (made: Topology): readonly string[] => [
    ...made.groups.map(({ name }) => name),
    ...made.functions.map(({ name }) => name),
    ...made.identities.map(({ name }) => name),
    ...made.customRoles.flatMap(({ id, name }) => [id, name]),
    ...made.accounts.map(({ name }) => name),
    ...made.vaults.map(({ name }) => name),
    ...made.sources.flatMap(({ topic, subscriptions }) => [topic, ...subscriptions.map(({ name }) => name)]),
    ...made.alarms.map(({ name }) => name),
    made.namespace.name,
    made.workspace.name,
    made.workspace.datastore.name,
  ];
  const [one, other] = [topology(plain, where), topology({ ...plain, environment: 'dev' }, where)].map(namesOf);

  expect(one?.filter((name) => other?.includes(name))).toEqual([]);
});

test('the same installation in two subscriptions of a tenant shares no role: Azure takes the name of each once', () => {
  const other = { ...where, account: '99999999-1bf0-4dda-aec3-cb9272f09590' };
  const [one, another] = [where, other].map((each) => topology(plain, each).customRoles);

  expect(one?.map(({ name }) => name).filter((name) => another?.some((each) => each.name === name))).toEqual([]);
  expect(new Set(one?.map(({ name }) => name)).size).toBe(one?.length);
});

test.each(installations)('%s: a role is of one group, below which all is that it is given on', (_, made) => {
  for (const { id, scope } of made.customRoles) {
    const targets = made.assignments.filter(({ role }) => role.endsWith(`/${id}`)).map(({ target }) => target);

    expect(targets).not.toEqual([]);
    for (const target of targets) expect(`${target}/`).toContain(`${scope}/`);
    expect(scope.split('/').length).toBeLessThanOrEqual(5);
  }
});

test('a role that is given elsewhere is another one: Azure would take away the one that is in use', () => {
  const dataAccount = given.dataAccount ?? '';
  const [before, after] = [plain, { ...plain, dataAccount }].map((settings) => topology(settings, where).customRoles);

  for (const role of after ?? []) {
    const same = before?.find(({ id }) => id === role.id);
    if (same !== undefined) expect(same).toEqual(role);
  }
  expect(after?.some(({ scope }) => scope.endsWith('/resourceGroups/ml'))).toBe(true);
});

test('the functions are told what they are deployed with', () => {
  const environments = topology(plain, where).functions.map(({ environment }) => environment);
  const account = expect.stringMatching(/^serin[0-9a-f]{10}own$/);
  const group = `/subscriptions/${where.account}/resourceGroups/serin-shop-prod/providers`;

  expect(environments[0]).toEqual({
    SERIN_PROJECT: 'shop',
    SERIN_ENVIRONMENT: 'prod',
    SERIN_VERSION: '0.1.0',
    SERIN_SUBSCRIPTION: where.account,
    SERIN_RESOURCE_GROUP: 'serin-shop-prod-ml',
    SERIN_WORKSPACE: 'serin-shop-prod',
    SERIN_REGION: 'westeurope',
    SERIN_STORAGE_ACCOUNT: account,
    SERIN_DATA_ACCOUNT: account,
    SERIN_CONTAINER: 'serin',
    SERIN_DATASTORE: 'serin_shop_prod_store',
    SERIN_TABLE: 'journal',
    SERIN_QUEUE: 'signals',
    SERIN_BUS: 'events',
    SERIN_JOB_IDENTITY: `${group}/Microsoft.ManagedIdentity/userAssignedIdentities/serin-shop-prod-jobs`,
    SERIN_MODEL_IDENTITY: `${group}/Microsoft.ManagedIdentity/userAssignedIdentities/serin-shop-prod-models`,
    SERIN_JOB_CLIENT: { clientOf: 'jobs' },
    SERIN_MODEL_CLIENT: { clientOf: 'models' },
    SERIN_PROGRAM_SECRETS: 'config-',
    SERIN_SECRETS: 'webhooks',
    SERIN_NODE_IMAGE: 'mcr.microsoft.com/devcontainers/javascript-node:24',
    SERIN_ADMIN_TOKEN_HASH: '0'.repeat(64),
    SERIN_LOG_WORKSPACE: `${group}/Microsoft.OperationalInsights/workspaces/serin-shop-prod-logs`,
    SERIN_LOG_WORKSPACE_ID: { from: 'logWorkspaceId' },
    SERIN_VAULT: expect.stringMatching(/^serin-[0-9a-f]{10}-config$/),
    SERIN_TIMEOUT_SECONDS: '120',
    AZURE_CLIENT_ID: { clientOf: 'signals' },
    AzureWebJobsDisableHomepage: 'true',
    AzureWebJobsStorage__accountName: expect.stringMatching(/^serin[0-9a-f]{10}signals$/),
    AzureWebJobsStorage__credential: 'managedidentity',
    AzureWebJobsStorage__clientId: { clientOf: 'signals' },
    SERIN_SERVICE_BUS__fullyQualifiedNamespace: expect.stringMatching(
      /^serin-shop-prod-[0-9a-f]{8}\.servicebus\.windows\.net$/,
    ),
    SERIN_SERVICE_BUS__credential: 'managedidentity',
    SERIN_SERVICE_BUS__clientId: { clientOf: 'signals' },
    APPLICATIONINSIGHTS_CONNECTION_STRING: { from: 'insights' },
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: { loginOf: 'signals' },
  });
  expect(topology(closed, where).functions[1]?.environment).toMatchObject({
    SERIN_ALARM_TENANT: closed.alarms?.tenant,
    SERIN_ALARM_AUDIENCE: `${closed.alarms?.audience},5d2a3f0e-6f6f-4b7e-8f7a-0d6a2a1c9b11`,
    SERIN_ALARM_CALLERS: '461e8683-5575-4561-ac7f-899cc907d62a',
    SERIN_ENDPOINT_KEYS: 'yes',
    SERIN_PRIVATE_ENDPOINTS: 'yes',
  });
  expect(topology(given, where).functions[0]?.environment).toMatchObject({
    SERIN_RESOURCE_GROUP: 'ml',
    SERIN_WORKSPACE: 'acme-ws',
    SERIN_DATA_ACCOUNT: 'acmemldata',
    SERIN_CLUSTER: 'gpu-spot',
  });
  expect(topology(bare, where).functions[0]?.environment.SERIN_LOG_WORKSPACE).toBeUndefined();
});

test('an alarm on what the functions count looks for metrics that they count', () => {
  const { alarms } = topology(plain, where);
  const looked = alarms.flatMap(({ when }) =>
    when.kind === 'query' ? [...when.query.matchAll(/line\.metric\) == '(\w+)'/g)].map(([, metric]) => metric) : [],
  );

  expect(looked.toSorted()).toEqual(['DeadLetters', 'OldestDueSeconds']);
  for (const metric of looked) expect(metricNames).toContain(metric);
  expect(topology(bare, where).alarms.map(({ when }) => when.kind)).toEqual(['metric', 'metric', 'metric']);
});

test('what nobody does for the owner is told with its command', () => {
  const told = (made: Topology): string => made.byHand.map(({ what, command }) => `${what}\n${command}`).join('\n');
  const text = told(topology(plain, where));

  expect(text).toContain(`az account set --subscription ${where.account}`);
  expect(text).toContain('az provider register --namespace Microsoft.MachineLearningServices');
  expect(text).toMatch(/az storage account create --name serinstate[0-9a-f]{12} .* --allow-shared-key-access false/);
  expect(text).toContain("--role 'Storage Blob Data Contributor'");
  expect(text).toMatch(/az keyvault secret set --vault-name serin-[0-9a-f]{10}-config --name 'config-<name>'/);
  expect(text).toContain('az ad app create --display-name serin-shop-prod-alarms');
  expect(text).toContain('a table has no point-in-time restore');
  expect(told(topology(given, where))).toContain(
    'az eventgrid system-topic update --name acmemldata-events --resource-group ml --identity systemassigned',
  );
  expect(told(topology(closed, where))).toContain('--delegations Microsoft.App/environments');
});

test('whoever is an owner of the subscription is told which roles they still need, on what, and when', () => {
  const { byHand, accounts } = topology(plain, where);
  const roleOn = (role: string, target: string) =>
    byHand.find(({ command }) => command.includes(`--role '${role}'`) && command.includes(`/${target}`));

  expect(roleOn('Storage Blob Data Contributor', accounts[0]?.name ?? '')?.what).toContain('drops data');
  expect(roleOn('Key Vault Secrets Officer', topology(plain, where).vaults[0]?.name ?? '')?.what).toMatch(
    /after the first deployment/,
  );
  expect(byHand.find(({ command }) => command.includes('AcrPull'))?.what).toMatch(/after the first deployment/);
});

test('jobs in a workspace of the owner’s are told to need its storage account, which no role of ours is given on', () => {
  const asked = (settings: Settings) =>
    topology(settings, where).byHand.filter(({ what }) => what.includes('the storage account of your workspace'));

  expect(asked(given).map(({ command }) => command)).toEqual([
    expect.stringMatching(/-jobs --query .*-models --query .*<resource id of the account>$/),
  ]);
  expect(asked(plain)).toEqual([]);
});

test('it is told that nobody hears the alarms, unless somebody does', () => {
  const silent = (settings: Settings) =>
    topology(settings, where).byHand.some(({ what }) => what.startsWith('nobody hears'));

  expect([plain, closed].map(silent)).toEqual([true, false]);
});

test('private endpoints of models are told to need one of the workspace, and nothing else asks for it', () => {
  const asking = (settings: Settings) =>
    topology(settings, where).byHand.filter(({ command }) => command.includes('--group-id amlworkspace'));

  expect(asking(closed).map(({ command }) => command)).toEqual([
    expect.stringContaining(`--subnet ${closed.network?.endpoints}`),
  ]);
  expect(asking(plain)).toEqual([]);
});

test('whoever forgets an installation is told for how long its names are taken', () => {
  const [, forget] = topology(plain, where).later;

  expect(forget).toMatch(/key vaults hold their names for 90 days .* workspace for 14: .* another environment/);
  expect(topology(given, where).later[1]).not.toContain('for 14');
});

test('the topology is data: it survives JSON', () => {
  for (const [, made] of installations) expect(JSON.parse(JSON.stringify(made))).toEqual(made);
});
