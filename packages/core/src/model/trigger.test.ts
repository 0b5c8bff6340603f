import { describe, expect, test } from 'vitest';
import { hyperparameterProblem } from '../config/hyperparameters.ts';
import { driver, planOf, trainOne } from './model.fixture.ts';
import type { Trigger } from './run/protocol.ts';
import { triggerProblem } from './trigger.ts';

const image = 'registry.example:5000/team/fraud:1';
const repository = 'registry.example:5000/team/fraud';
const digest = `@sha256:${'a'.repeat(64)}`;
const train = { code: './src', command: ['python', 'train.py'] };
const planWith = (more: object) => planOf({ train: { ...train, ...more } });
const numbered = (count: number, value = '1') =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, value]));

describe('the image of a trigger', () => {
  test.each([image, `${repository}:2`, `${repository}${digest}`, `${repository}:2${digest}`])(
    'may be another build of the one in the config: %s',
    (chosen) => {
      expect(triggerProblem(planWith({ image }), { kind: 'ci', image: chosen })).toBeUndefined();
    },
  );

  test.each([
    'evil.example/team/fraud:1',
    `${repository}-evil:1`,
    `${repository}/evil:1`,
    `${repository}:1/evil:1`,
    'team/fraud:1',
    repository,
    `${repository}:`,
    `${repository}@sha256:short`,
    `${repository}:1 evil`,
    '',
  ])('may not be anything else: %s', (chosen) => {
    expect(triggerProblem(planWith({ image }), { kind: 'ci', image: chosen })).toContain(
      `give a tag or a digest of ${repository}`,
    );
  });

  test('may not be chosen where the config names none', () => {
    expect(triggerProblem(planWith({}), { kind: 'manual', image })).toMatch(/has no image for training/);
  });

  test.each([`${repository}${digest}`, repository, `${repository}:1${digest}`])(
    'is of the same repository when the config names it as %s',
    (planned) => {
      expect(triggerProblem(planWith({ image: planned }), { kind: 'ci', image: `${repository}:2` })).toBeUndefined();
    },
  );
});

describe('hyperparameters', () => {
  test.each([
    ['a shell in a name', { 'x$(id>x)': '1' }, /use letters, digits/],
    ['a name with a space', { 'a b': '1' }, /use letters, digits/],
    ['a name that begins with a dash', { '-rf': '1' }, /use letters, digits/],
    [
      "a name of SageMaker's own",
      { sagemaker_submit_directory: 's3://elsewhere/code.tar.gz' },
      /SageMaker keeps for itself/,
    ],
    ['a name without letters', { '': '1' }, /use letters, digits/],
    ['a long name', { [`a${'b'.repeat(256)}`]: '1' }, /at most 256/],
    ['a long value', { note: 'x'.repeat(2501) }, /2501 characters, more than 2500/],
    ['a NUL', { note: 'a\0b' }, /NUL/],
    ['101 of them', numbered(101), /at most 100 hyperparameters, not 101/],
    ['too much in all', numbered(100, 'x'.repeat(1000)), /bytes in all, more than 32000/],
  ])('are refused with %s', (_, given, problem) => {
    expect(hyperparameterProblem(given)).toMatch(problem);
  });

  test('that a job can be given are taken', () => {
    const given = {
      epochs: 10,
      'learning-rate': 0.1,
      use_amp: true,
      note: '$(date) "quoted"',
      'a.b': 'x'.repeat(2500),
    };

    expect(hyperparameterProblem(given)).toBeUndefined();
    expect(hyperparameterProblem(numbered(100))).toBeUndefined();
    expect(hyperparameterProblem({ [`a${'b'.repeat(255)}`]: '1' })).toBeUndefined();
  });

  test('of a trigger count together with those of the config', () => {
    const plan = planWith({ hyperparameters: numbered(60) });
    const more = Object.fromEntries(Object.keys(numbered(60)).map((name) => [`q${name}`, '1']));

    expect(triggerProblem(plan, { kind: 'manual', hyperparameters: more })).toMatch(
      /at most 100 hyperparameters, not 120/,
    );
    expect(triggerProblem(plan, { kind: 'manual', hyperparameters: numbered(60) })).toBeUndefined();
  });
});

describe('a run that is asked for with what the config does not allow', () => {
  const asked = (trigger: Trigger) => ({ type: 'runRequested', trigger }) as const;

  test('is refused, and nothing has changed', () => {
    const drive = driver(planWith({ image }));
    trainOne(drive, 'a');
    const before = drive.state;

    const answers = [
      drive.say(asked({ kind: 'ci', image: 'evil.example/x:1' })),
      drive.say(asked({ kind: 'manual', hyperparameters: { 'x$(id)': '1' } })),
    ];

    expect(answers.map((text) => text.split(':')[0])).toEqual(['refused', 'refused']);
    expect(drive.state).toBe(before);
  });

  test('is skipped when the config changed its mind while the run waited', () => {
    const drive = driver(planWith({ image }));
    trainOne(drive, 'a');
    expect(drive.say(asked({ kind: 'ci', image: `${repository}:2`, force: true }))).toBe('moved');

    drive.say({ type: 'configReleased', revision: 2, plan: planWith({ image: 'registry.example:5000/team/other:1' }) });
    drive.say({ type: 'cancelRequested', run: drive.state.run?.id ?? '' });
    for (let rounds = 0; rounds < 5 && drive.state.queued !== undefined; rounds += 1) {
      if (drive.owed('stopJob').length > 0) drive.answer('stopJob', { type: 'jobStopAsked' });
      drive.wait(60_000);
      if (drive.owed('startJob').length > 0) drive.answer('startJob', { type: 'jobStarted', job: 'j' });
      if (drive.owed('describeJob').length > 0)
        drive.answer('describeJob', { type: 'jobDescribed', description: { status: 'stopped' } });
    }

    expect(drive.state.skipped?.because).toMatch(/team\/other/);
    expect(drive.owed('startJob')).toEqual([]);
  });
});
