import { expect, test } from 'vitest';
import { type Addressed, type Fact, type Owners, signalsOf, unrouted } from './fact.ts';
import { foldHints } from './hints.ts';
import { routesOf } from './route.ts';

const plan = (more: object = {}) => ({ data: { bucket: 'drops', prefix: 'fraud/' }, on: {}, alerts: {}, ...more });
// Routes read no more of a config.
const routes = routesOf({
  models: {
    fraud: plan({
      labels: { bucket: 'drops', prefix: 'labels/' },
      on: { ci: { github: { repository: 'acme/fraud', ref: 'main' } } },
      alerts: { types: ['com.tool.drift', { raised: 'com.tool.down', resolved: 'com.tool.up' }] },
    }),
    churn: plan({
      data: { bucket: 'drops', prefix: '' },
      on: {
        ci: {
          github: { repository: 'acme/fraud', ref: 'main' },
          webhook: { repository: 'Acme/Churn', ref: 'main' },
        },
      },
    }),
  },
} as never);
const owners: Owners = {
  installation: { project: 'shop', environment: 'prod' },
  modelOfEndpoint: async (name) => (name === 'ours' ? 'fraud' : undefined),
  modelOfJob: async (job) => (job === 'j1' ? 'fraud' : undefined),
  versionOf: async (ref, decided) =>
    ref === 'v7' && decided === 'approved' ? { model: 'fraud', version: 7 } : undefined,
};
const raised = {
  type: 'alertRaised',
  kind: 'alert',
  sender: 's',
  fingerprint: 'f',
  startedAt: 't',
  title: 'x',
} as const;
const alarmOf = (endpoints: readonly string[], written: readonly string[]): Fact => ({
  kind: 'alarm',
  id: 'a1',
  of: { endpoints, written },
  says: raised,
});
const event = (type: string, ...names: readonly string[]): Fact => ({
  kind: 'event',
  id: 'e1',
  type,
  subject: 'errors',
  sender: 'tool',
  startedAt: 't',
  title: 'x',
  names,
});
const push = {
  kind: 'push',
  id: 'p1',
  from: 'github',
  repository: 'Acme/Fraud',
  ref: 'main',
  commit: 'c',
  by: 'ann',
} as const;
const approval = { kind: 'approval', id: 'v', ref: 'v7', approved: true, saidAt: 't', by: 'registry' } as const;

test.each<[string, Fact, readonly string[]]>([
  [
    'an object, by its place',
    { kind: 'object', bucket: 'drops', key: 'fraud/a' },
    ['fraud dataHinted', 'churn dataHinted'],
  ],
  ['a file of labels', { kind: 'object', bucket: 'drops', key: 'labels/a' }, ['churn dataHinted']],
  ['an object of nobody', { kind: 'object', bucket: 'theirs', key: 'fraud/a' }, []],
  ['a folder whose name a prefix only begins with', { kind: 'folder', bucket: 'drops', key: 'fra' }, []],
  ['a folder above a prefix', { kind: 'folder', bucket: 'drops', key: 'fraud' }, ['fraud dataHinted']],
  [
    'anything in a bucket',
    { kind: 'folder', bucket: 'drops' },
    ['fraud dataHinted', 'churn dataHinted', 'fraud labelsHinted'],
  ],
  ['a job of ours', { kind: 'job', job: 'j1' }, ['fraud jobHinted']],
  ['a job of nobody', { kind: 'job', job: 'j2' }, []],
  ['an endpoint of ours', { kind: 'endpoint', name: 'ours' }, ['fraud endpointHinted']],
  ['an alarm on an endpoint of ours, whatever is written on it', alarmOf(['ours'], ['nobody']), ['fraud alertRaised']],
  ['an alarm on an endpoint of others, although it names us', alarmOf(['theirs'], ['prod/fraud']), []],
  ['an alarm that names the environment', alarmOf([], ['prod/fraud']), ['fraud alertRaised']],
  ['an alarm that names another environment', alarmOf([], ['staging/fraud']), []],
  ['an alarm that names the environment and project', alarmOf([], ['prod/shop/fraud']), ['fraud alertRaised']],
  ['an alarm that names more than a project', alarmOf([], ['prod/shop/eu/fraud']), []],
  [
    'an alarm that is ours in two ways is one',
    alarmOf(['ours', 'ours'], ['prod/fraud', 'fraud']),
    ['fraud alertRaised'],
  ],
  ['an alarm on an endpoint of ours and one of others', alarmOf(['theirs', 'ours'], []), ['fraud alertRaised']],
  ['an alarm that names another project', alarmOf([], ['prod/other/fraud']), []],
  ['an alarm that names only a model', alarmOf([], ['fraud']), []],
  ['a type that the model lists', event('com.tool.drift', 'fraud'), ['fraud alertRaised']],
  ['the end of a type that the model lists', event('com.tool.up', 'fraud'), ['fraud alertResolved']],
  ['a type that only another model lists', event('com.tool.drift', 'churn', 'fraud'), []],
  ['a push, to each model that it is for', push, ['fraud runRequested', 'churn runRequested']],
  ['a push for one model', { ...push, model: 'churn' }, ['churn runRequested']],
  ['a push by another host, which tells capitals apart', { ...push, from: 'webhook', repository: 'acme/churn' }, []],
  [
    'a push by another host to its repository',
    { ...push, from: 'webhook', repository: 'Acme/Churn' },
    ['churn runRequested'],
  ],
  ['a push to another ref', { ...push, ref: 'dev' }, []],
  ['an approval that the registry shows', approval, ['fraud approvalGiven']],
  ['an approval that the registry does not show', { ...approval, ref: 'v8' }, []],
  ['a rejection that the registry does not show', { ...approval, approved: false }, []],
  ['a run', { kind: 'run', id: 'r', model: 'fraud', trigger: { kind: 'manual' } }, ['fraud runRequested']],
  ['a run of no model', { kind: 'run', id: 'r', model: 'nobody', trigger: { kind: 'manual' } }, []],
  ['a message of nobody', { kind: 'unrouted', what: 'x' }, []],
])('%s', async (_, fact, expected) => {
  const found = await signalsOf(fact, routes, owners);

  expect(found.map(({ stream, signal }) => `${stream.replace('model/', '')} ${signal.type}`)).toEqual(expected);
});

test('an alarm of a listed type and its end are one alert', async () => {
  const [down] = await signalsOf(event('com.tool.down', 'fraud'), routes);
  const [up] = await signalsOf(event('com.tool.up', 'fraud'), routes);

  expect(down?.signal).toMatchObject({ fingerprint: 'com.tool.down|errors' });
  expect(up?.signal).toMatchObject({ fingerprint: 'com.tool.down|errors' });
});

test('an approval is by whom the registry names, and else by the registry itself', async () => {
  const named: Owners = { ...owners, versionOf: async () => ({ model: 'fraud', version: 7, by: 'ann' }) };
  const note = 'looks good';

  const [said] = await signalsOf({ ...approval, note }, routes, named);
  const [unnamed] = await signalsOf(approval, routes, owners);

  expect(said).toMatchObject({ id: 'v', by: 'ann', saidAt: 't', signal: { version: 7, approved: true, note } });
  expect(unnamed).toMatchObject({ by: 'registry' });
});

test('an alarm keeps when its sender says that it happened, which orders a batch', async () => {
  const [stamped] = await signalsOf({ ...alarmOf(['ours'], []), saidAt: '2026-01-01' } as Fact, routes, owners);
  const [bare] = await signalsOf(alarmOf(['ours'], []), routes, owners);

  expect(stamped).toMatchObject({ id: 'a1', saidAt: '2026-01-01' });
  expect(bare).not.toHaveProperty('saidAt');
});

test('a message of nobody is counted by a short name', () => {
  expect(unrouted('x'.repeat(10_000)).what).toHaveLength(120);
});

test('a key that its sender may have encoded is taken as it is where somebody takes it so', async () => {
  const object = (key: string, orKey: string): Fact => ({ kind: 'object', bucket: 'drops', key, orKey });
  const onlyFraud = routesOf({ models: { fraud: plan() } } as never);
  const keys = async (fact: Fact) => (await signalsOf(fact, onlyFraud)).map(({ signal }) => signal);

  expect(await keys(object('fraud/a%2Fb', 'fraud/a/b'))).toMatchObject([{ keys: ['fraud/a%2Fb'] }]);
  expect(await keys(object('fraud%2Fa', 'fraud/a'))).toMatchObject([{ keys: ['fraud/a'] }]);
});

const hint = (...keys: readonly string[]): Addressed => ({
  stream: 'model/fraud',
  signal: { type: 'dataHinted', keys },
});
const keysOf = (hints: readonly Addressed[]) => foldHints(hints).map(({ addressed: { signal } }) => signal);
const many = Array.from({ length: 51 }, (_, index) => hint(`fraud/${index}`));

test.each<[string, readonly Addressed[], readonly string[]]>([
  ['have the keys of all, each once', [hint('b'), hint('a', 'b')], ['a', 'b']],
  [
    'name fifty files',
    many.slice(1),
    many
      .slice(1)
      .flatMap(({ signal }) => ('keys' in signal ? signal.keys : []))
      .sort(),
  ],
  ['say of more than fifty that anything may have come', many, []],
  ['say so as well beside one that names none', [hint('a'), hint()], []],
])('hints for one model %s', (_, hints, keys) => {
  expect(keysOf(hints)).toEqual([{ type: 'dataHinted', keys }]);
  expect(keysOf(hints.toReversed())).toEqual([{ type: 'dataHinted', keys }]);
});

test('alarms with different ids are never one', () => {
  const one: Addressed = { stream: 'model/fraud', signal: raised, id: '1' };

  expect(foldHints([one, { ...one, id: '2' }, one])).toMatchObject([{ of: [{}, {}] }, { of: [{}] }]);
});
