import { describe, expect, test } from 'vitest';
import { compiledConfig } from './compiled.ts';
import { type CompiledConfig, type Config, compile, parseConfig } from './config.ts';

const model = { data: { bucket: 'drops' }, train: { command: ['python3', 'train.py'] }, approval: {} };
const webhook = { url: 'https://ops.example/hook', secret: { secret: 'hooks' } };
const slack = { url: { secret: 'slack' } };

const read = (notify: Config['notify']) =>
  parseConfig({ project: 'p', models: { fraud: model, churn: model }, notify });

function compiled(notify: Config['notify']): CompiledConfig {
  const parsed = read(notify);
  if ('problems' in parsed) return expect.fail(JSON.stringify(parsed.problems));
  return compile(parsed.parsed, new Map(), 'local');
}

const problemsOf = (notify: unknown) => {
  const parsed = read(notify as Config['notify']);
  return 'problems' in parsed ? parsed.problems.map(({ path, message }) => `${path}: ${message}`) : [];
};

describe('sinks in a config', () => {
  test('are part of each model that they hear of, with what they hear by default', () => {
    const { models } = compiled([
      { webhook, models: ['fraud'] },
      { slack, name: 'team', on: ['rollout.held'] },
    ]);

    expect(models.fraud?.notify).toEqual([
      { name: 'webhook', kind: 'webhook', on: ['*'], settings: webhook },
      { name: 'team', kind: 'slack', on: ['rollout.held'], settings: slack },
    ]);
    expect(models.churn?.notify?.map(({ name }) => name)).toEqual(['team']);
  });

  test('that are not there leave no trace: the plan is what it was', () => {
    expect(compiled(undefined).models.fraud).not.toHaveProperty('notify');
    expect(compiled([{ slack, models: ['churn'] }]).models.fraud).not.toHaveProperty('notify');
  });

  test('may be asked without TLS at a host that is named, with its port or without', () => {
    const slackAt = (host: string) => [{ slack: { url: 'http://chat.local:8065/x' }, allowPrivate: [host] }];

    expect([problemsOf(slackAt('chat.local:8065')), problemsOf(slackAt('chat.local'))]).toEqual([[], []]);
  });

  test('are taken over HTTP as they are compiled', () => {
    const config = compiled([{ webhook, allowPrivate: ['127.0.0.1:9'] }]);

    expect(config.models.fraud?.notify).toMatchObject([{ allowPrivate: ['127.0.0.1:9'] }]);
    expect(compiledConfig.parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  test.each([
    ['an event that does not exist', [{ slack, on: ['rollout.healed'] }], 'there is no event with this name'],
    ['no event', [{ slack, on: [] }], 'notify.0.on'],
    ['a host in capitals', [{ slack, allowPrivate: ['Ops.example'] }], 'a host in lower case'],
    ['twenty-one sinks', Array.from({ length: 21 }, (_, n) => ({ slack, name: `s${n}` })), 'notify: '],
    ['no receiver', [{ on: ['*'] }], 'name one receiver: webhook or slack'],
    ['two receivers in one', [{ slack, webhook }], 'name one receiver: webhook or slack'],
    ['two of one name', [{ slack }, { slack }], "two sinks have the name 'slack'"],
    ['a model that is not there', [{ slack, models: ['frod'] }], "the config has no model 'frod'"],
    ['a webhook without a secret', [{ webhook: { url: 'https://a.example' } }], 'notify.0.webhook.secret: is missing'],
    ['an address without TLS', [{ slack: { url: 'http://chat.example/x' } }], 'must begin with https://'],
    [
      'an address without TLS at a host that nobody named',
      [{ slack: { url: 'http://chat.example' }, allowPrivate: ['other.example'] }],
      'must begin with https://',
    ],
    ['an address of another kind', [{ slack: { url: 'ftp://chat.example' } }], 'must begin with https://'],
    ['a receiver that Serin does not know', [{ pager: {} }], 'pager'],
  ])('with %s are refused', (_, notify, reason) => {
    expect(problemsOf(notify).join('; ')).toContain(reason);
  });

  test('over HTTP are held to the same: an unknown kind, event or setting is refused', () => {
    const config = compiled([{ slack }]);
    const changed = (sink: object) => ({
      ...config,
      models: { fraud: { ...config.models.fraud, notify: [{ ...config.models.fraud?.notify?.[0], ...sink }] } },
    });

    expect(compiledConfig.safeParse(changed({})).success).toBe(true);
    for (const sink of [
      { kind: 'pager' },
      { on: [] },
      { on: ['rollout.healed'] },
      { settings: { url: 7 } },
      { more: 1 },
    ])
      expect(compiledConfig.safeParse(changed(sink)).success).toBe(false);
    const [sink] = config.models.fraud?.notify ?? [];
    const notify = Array.from({ length: 21 }, (_, n) => ({ ...sink, name: `s${n}` }));
    const many = { ...config, models: { fraud: { ...config.models.fraud, notify } } };
    expect(compiledConfig.safeParse(many).success).toBe(false);
    const twice = { ...config, models: { fraud: { ...config.models.fraud, notify: [sink, sink] } } };
    expect(compiledConfig.safeParse(twice).error?.issues.map(({ message }) => message)).toEqual([
      'two sinks have the same name: give each its own name',
    ]);
  });
});
