import { describe, expect, test } from 'vitest';
import { durationText, parseDuration, parseSize } from '../base/time.ts';
import { compiledConfig } from './compiled.ts';
import { type Config, codeFolders, compile, parseConfig } from './config.ts';

const model = {
  data: { bucket: 'drops', prefix: 'fraud/' },
  split: { holdout: { by: 'time', column: 'day', last: '20%' } },
  train: { code: './src', command: ['python3', 'train.py'] },
  evaluate: { command: ['python3', 'evaluate.py'] },
  gate: { auc: { direction: 'up', noWorseBy: 0.01 } },
} as const;
const configOf = (changes: object): unknown => ({ project: 'fraud', models: { fraud: { ...model, ...changes } } });
const problemsOf = (config: unknown) => {
  const read = parseConfig(config);
  return 'problems' in read ? read.problems.map(({ path, message }) => `${path}: ${message}`) : [];
};

describe('a config', () => {
  test('of ten lines has a safe default for everything else', () => {
    const read = parseConfig(configOf({}) as Config);
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    const plan = compile(read.parsed, new Map([['./src', 'abc']]), 'local').models.fraud;

    expect(plan).toMatchObject({
      serve: 'none',
      data: { settle: { quiet: 120_000, atMost: 3_600_000 }, rescan: 86_400_000 },
      train: { code: { digest: 'abc' }, attempts: 3, compute: { maxRuntime: 14_400_000, spot: false } },
      evaluate: { code: { digest: 'abc' } },
      rollout: { strategy: 'canary', steps: [5, 25, 50], atMost: 3_600_000, onInconclusive: 'hold' },
    });
    expect(codeFolders(read.parsed)).toEqual(['./src']);
  });

  test.each([
    [{}, 'day'],
    [{ time: 'at' }, 'at'],
    [{ time: false }, false],
  ])('that splits by time and has drift %j tells the time of a row by %j', (drift, time) => {
    const capture = { share: '10%', fields: ['n'] };
    const serve = { command: ['python3', 'serve.py'] };
    const read = parseConfig(configOf({ serve, monitor: { capture, drift } }) as Config);
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));

    expect(compile(read.parsed, new Map(), 'local').models.fraud?.monitor.drift?.time).toBe(time);
  });

  test('reports every problem at once, each with its path', () => {
    const problems = problemsOf({
      project: 'Fraud',
      modles: {},
      models: {
        fraud: {
          data: { bucket: 'serin', settle: { quiet: '2 minutes' } },
          train: { command: [], compute: { spot: true } },
          gate: { auc: { direction: 'up' } },
        },
      },
    });

    expect(problems).toEqual([
      'project: use lower-case letters, digits and hyphens, a letter first, at most 63 characters',
      "models.fraud.data.settle.quiet: write a duration such as '30s', '10m', '4h' or '7d'",
      "models.fraud.train.command: write a command such as ['python', 'train.py']",
      'models.fraud.gate.auc: a criterion needs a bound: give at least one of atLeast, atMost, noWorseBy',
      'models.fraud.split: a gate needs a split: add one, so that a model is not judged on the data it was trained on',
      'models.fraud.evaluate: a gate needs an evaluate command: add one that writes metrics.json',
      "models.fraud.data.bucket: the pipeline itself writes to 'serin' and would trigger itself forever: use another bucket",
      'models.fraud.train.compute.spot: spot needs checkpoints: set checkpoints: true, or each interruption starts from the beginning',
      'modles: is not a known field (names are exact; see `serin config schema`)',
    ]);
  });

  test.each([
    [{ gate: undefined }, 'gate'],
    [{ on: { schedule: { cron: '61 * * * *' } } }, 'on.schedule'],
    [
      {
        serve: { command: ['python', 'serve.py'] },
        monitor: { capture: { share: '10%', fields: Array.from({ length: 101 }, () => 'x'.repeat(2000)) } },
      },
      'monitor.capture.fields',
    ],
    [
      {
        serve: { command: ['python', 'serve.py'] },
        monitor: { capture: { share: '10%', fields: ['age', '(answers)'] } },
      },
      'monitor.capture.fields',
    ],
    [{ on: { schedule: { cron: '0 3 * * 1', zone: 'Mars/Base' } } }, 'on.schedule'],
    [{ on: { schedule: { cron: '0 0 30 2 *' } } }, 'on.schedule'],
    [{ train: { ...model.train, metrics: [{ name: 'acc', regex: 'acc=(' }] } }, 'train.metrics.0.regex'],
    [{ train: { ...model.train, command: ['x', '{holdout}'] } }, 'train.command'],
    [{ evaluate: { command: ['x', '{train}'] } }, 'evaluate.command'],
    [{ rollout: { steps: [50, 25] } }, 'rollout.steps'],
    [{ rollout: { steps: [100] } }, 'rollout.steps.0'],
    [{ data: { ...model.data, settle: { marker: '_OK', manifest: 'm.json' } } }, 'data.settle'],
    [{ split: { holdout: { by: 'time', column: 'day', last: 'a fifth' } } }, 'split.holdout.last'],
    [{ costBudget: { usd: 1 } }, 'costBudget'],
    [{ validate: { checks: { nulls: 'warn' } } }, 'validate.checks.nulls'],
    [{ validate: { checks: { missing: 'fail' } } }, 'validate.checks.missing'],
    [{ validate: { checks: { labelRareClass: 'warn' } } }, 'validate.label'],
    [{ validate: { checks: { leakage: 'warn' } } }, 'validate.checks.leakage'],
    [{ validate: { key: 'customer' } }, 'validate.key'],
    [{ validate: { time: 'day' } }, 'validate.time'],
    [{ validate: { columns: { age: { min: 2, max: 1 } } } }, 'validate.columns'],
    [{ validate: { columns: { age: { missing: { atMost: 2 } } } } }, 'validate.columns.age.missing.atMost'],
    [{ rollout: { bake: '10s' } }, 'rollout.bake'],
    [{ rollout: { tick: '20m' } }, 'rollout.bake'],
    [{ rollout: { bake: '99999d' } }, 'rollout.bake'],
    [{ rollout: { bake: '10m', warmUp: 10 } }, 'rollout.warmUp'],
    [{ serve: { command: ['x'], compute: { instances: { min: 5 } } } }, 'serve.compute.instances'],
  ])('refuses %j', (changes, path) => {
    expect(problemsOf(configOf(changes)).map((problem) => problem.split(':')[0])).toContain(`models.fraud.${path}`);
  });

  test('takes the names of checks, a label and promises of columns, and a plan without them stays as it is', () => {
    const split = { holdout: { by: 'manifest', train: 'a', holdout: 'b' } };
    const checks = { missing: 'warn', leakage: 'refuse', labelRareClass: 'off' };
    const read = parseConfig(configOf({ split, validate: { checks, columns: { age: { min: 1, max: 1 } } } }));
    const [bare, all] = [parseConfig(configOf({})), parseConfig(configOf({ validate: {} }))];
    if ('problems' in read || 'problems' in bare || 'problems' in all) throw new Error(JSON.stringify(read));

    const compiled = compile(read.parsed, new Map(), 'aws');
    expect(compiledConfig.safeParse(compiled).error).toBeUndefined();
    expect(compiled.models.fraud?.validate).toEqual({ checks, columns: { age: { min: 1, max: 1 } } });
    expect(compile(bare.parsed, new Map(), 'aws').models.fraud).not.toHaveProperty('validate');
    expect(compile(all.parsed, new Map(), 'aws').models.fraud?.validate).toEqual({ checks: {}, columns: {} });
  });

  test('knows the short places of a command', () => {
    const train = { ...model.train, command: ['x', '--data={train}', '{model}', '{epoch}'] };

    expect(problemsOf(configOf({ train, evaluate: { command: ['x', '{holdout}', '{model}'] } }))).toEqual([]);
  });

  test('a name that cannot be used is told with the rule for names', () => {
    const problems = problemsOf({ project: 'p', models: { My_Model: model } });

    expect(problems).toEqual([
      'models.My_Model: is not a name that can be used; rename it: use lower-case letters, digits and hyphens, a letter first, at most 63 characters',
    ]);
    expect(problemsOf(configOf({ train: { ...model.train, environment: { 'MY-KEY': '1' } } }))).toEqual([
      'models.fraud.train.environment.MY-KEY: is not a name that can be used; rename it: use letters, digits and _, a letter or _ first',
    ]);
  });

  test('names a request by a field only if that field is captured', () => {
    const serve = { command: ['python', 'serve.py'] };
    const named = (id: string) =>
      configOf({ serve, monitor: { capture: { share: '10%', fields: ['order', 'amount'], id } } });

    expect(problemsOf(named('order'))).toEqual([]);
    expect(problemsOf(named('customer'))).toEqual([
      'models.fraud.monitor.capture.id: a request is named by a field that is captured: list it in monitor.capture.fields',
    ]);
  });

  test('takes the image of the platform that it is compiled for', () => {
    const read = parseConfig(configOf({ train: { ...model.train, image: { aws: 'a', local: 'l' } } }));
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));

    expect(compile(read.parsed, new Map(), 'aws').models.fraud?.train.image).toBe('a');
    expect(compile(read.parsed, new Map(), 'gcp').models.fraud?.train).not.toHaveProperty('image');
  });
});

test('durations and sizes are read exactly, and anything else is not read', () => {
  expect(['250ms', '30s', '10m', '4h', '7d', '1.5h'].map(parseDuration)).toEqual([
    250, 30_000, 600_000, 14_400_000, 604_800_000, 5_400_000,
  ]);
  expect(['', '5', 's', '-1s', '1e3s', '1 h', '0.0001s'].map(parseDuration)).toEqual(Array(7).fill(undefined));
  expect(['1B', '512MB', '1.5GB', '5', '1KiB'].map(parseSize)).toEqual([
    1,
    512_000_000,
    1_500_000_000,
    undefined,
    undefined,
  ]);
  expect([250, 1000, 90_000, 5_400_000, 172_800_000].map(durationText)).toEqual([
    '250ms',
    '1s',
    '1m 30s',
    '1h 30m',
    '2d',
  ]);
});

test('labels of the champion are judged where there are some, in whole ticks, while their requests are known', () => {
  const problemsOf = (
    performance: object,
    rollout: object = {},
    serve: unknown = { command: ['node', 'serve.mjs'] },
  ) => {
    const monitor = { performance };
    const model = { data: { bucket: 'b' }, train: { command: ['x'] }, approval: {}, serve, rollout, monitor };
    const read = parseConfig({ project: 'p', models: { m: model } });
    return 'problems' in read ? read.problems.map(({ path, message }) => `${path}: ${message}`).join('\n') : '';
  };
  const labels = (rule: object) => ({ guardrails: { labels: rule }, atMost: '60d' });

  expect(problemsOf({})).toBe('');
  expect(problemsOf({}, {}, 'none')).toMatch(/monitor.performance: there are no predictions to label/);
  expect(problemsOf({ window: '90s' })).toMatch(/window: labels are read once per tick/);
  expect(problemsOf({ maturity: '35d' })).toMatch(/maturity: requests are kept for 35d/);
  expect(problemsOf({}, labels({ maturity: '35d' }))).toMatch(/maturity: requests are kept for 35d/);
  expect(problemsOf({ maturity: '34d' }, labels({ maturity: '35d' }))).toBe('');
  expect(problemsOf({ prediction: '/a' }, labels({ prediction: '/b' }))).toMatch(/an answer has one prediction/);
  expect(problemsOf({ prediction: '/a' }, labels({ prediction: '/a' }))).toBe('');

  expect(problemsOf({ positive: 'fraud' }, labels({}))).toBe('');
  expect(problemsOf({ positive: true })).toMatch(/positive: write the class as text, such as 'fraud', 'true' or '1'/);
  expect(problemsOf({ positive: 'fraud', scale: 1 })).toMatch(/positive: is for classes, and scale is for numbers/);
  expect(problemsOf({ positive: 'fraud' }, labels({ kind: 'loss' }))).toMatch(
    /positive: .* losses, which say no class/,
  );
  expect(problemsOf({ scale: 10 })).toBe('');
  expect(problemsOf({ scale: 0 })).toMatch(/scale: /);
  expect(problemsOf({ scale: 10 }, labels({ kind: 'loss', scale: 10 }))).toBe('');
  for (const other of [{}, { kind: 'loss' }, { kind: 'loss', scale: 5 }])
    expect(problemsOf({ scale: 10 }, labels(other))).toMatch(/performance.scale: must be that of rollout.guardrails/);
  expect(problemsOf({}, labels({ kind: 'loss', scale: 5 }))).toMatch(/performance.scale: must be that of rollout/);
  expect(problemsOf({ scale: 10 }, labels({ scale: 10 }))).toMatch(/labels.scale: an error of a number is a loss/);
});

test('performance is estimated of captured answers, while drift is judged, of a model that is evaluated', () => {
  const problemsOf = (monitor: object, changes: object = {}) => {
    const commands = { train: { command: ['x'] }, evaluate: { command: ['y'] }, serve: { command: ['z'] } };
    const model = { data: { bucket: 'b' }, ...commands, approval: {}, monitor, ...changes };
    const read = parseConfig({ project: 'p', models: { m: model } });
    return 'problems' in read ? read.problems.map(({ path, message }) => `${path}: ${message}`) : [];
  };
  const capture = { share: '10%', fields: ['age'] };
  const estimate = { probability: '/1' };
  const lacks =
    'models.m.monitor.estimate: probabilities are added up of captured answers, while drift is judged: give monitor.capture and monitor.drift';

  expect(problemsOf({ capture, drift: {}, estimate })).toEqual([]);
  expect(problemsOf({ capture, drift: {}, estimate: { probability: '', cutoff: 0.3 } })).toEqual([]);
  expect(problemsOf({ estimate })).toEqual([lacks]);
  expect(problemsOf({ capture, estimate })).toEqual([lacks]);
  expect(problemsOf({ capture, drift: {}, estimate }, { evaluate: undefined })).toEqual([
    'models.m.monitor.estimate: nothing is estimated of a model that is not known to be calibrated: give evaluate, and let its job report calibration_error',
  ]);
  for (const [wrong, path] of [
    [{ probability: 'probability' }, 'probability'],
    [{}, 'probability'],
    [{ ...estimate, cutoff: 1 }, 'cutoff'],
    [{ ...estimate, cutoff: 0 }, 'cutoff'],
  ] as const)
    expect(problemsOf({ capture, drift: {}, estimate: wrong })).toEqual([
      expect.stringContaining(`models.m.monitor.estimate.${path}: `),
    ]);
});

test('a rollout that no bound could hold for is refused with the reason', () => {
  const problemsOf = (rollout: unknown, stickyBy?: string) => {
    const serve = { command: ['node', 'serve.mjs'], ...(stickyBy === undefined ? {} : { stickyBy }) };
    const model = { data: { bucket: 'b' }, train: { command: ['x'] }, approval: {}, serve, rollout };
    const read = parseConfig({ project: 'p', models: { m: model } });
    return 'problems' in read ? read.problems.map(({ path, message }) => `${path}: ${message}`).join('\n') : '';
  };

  expect(problemsOf({ guardrails: { errors: { toleratedRatio: 2, margin: 2 } } })).toMatch(
    /toleratedRatio: use a number below margin/,
  );
  expect(problemsOf({ guardrails: { latency: { margin: 1.1 } } })).toMatch(/margin: use at least 1.2/);
  expect(problemsOf({ strategy: 'ab' })).toMatch(/guardrails.labels: strategy ab is decided by labels/);
  expect(problemsOf({ guardrails: { errors: { alphaShare: 0.6 }, latency: { alphaShare: 0.6 } } })).toMatch(
    /together they are at most 1/,
  );
  expect(problemsOf({ guardrails: { labels: {} } }, 'x-user')).toMatch(/a user stays with one model/);
  expect(problemsOf({ routing: 'realised', guardrails: { labels: { kind: 'loss' } } })).toMatch(/random choice/);
  expect(problemsOf({ guardrails: { labels: { kind: 'loss', missing: 'worst' } } })).toMatch(/has no worst value/);
  expect(problemsOf({ guardrails: { labels: { maturity: '40d' } } })).toMatch(/use at most 35d/);
  expect(problemsOf({})).toBe('');
});
