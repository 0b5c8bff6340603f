import { describe, expect, test } from 'vitest';
import { partsOf, stepNames, stepPlan } from '../../config/parts.ts';
import { artifactOf, planOf } from '../model.fixture.ts';
import type { Version } from '../version.ts';
import type { Trigger } from './protocol.ts';
import { type Base, beginRun, type RunContext } from './state.ts';
import { judgeRun, nextStep, scoreKey, steps, withData } from './steps.ts';

type Given = Parameters<typeof planOf>[0];
const approved: Given = { approval: { required: true } };
const unsplit: Given = { ...approved, split: undefined, evaluate: undefined, gate: undefined } as Given;
const byManifest: Given = { split: { holdout: { by: 'manifest', train: 'a/', holdout: 'b/' } } };
const absoluteOnly: Given = { gate: { auc: { direction: 'up', atLeast: 0.5 } } };

const versionOne = (scores: Version['scores'] = {}): Version => ({
  ...{ number: 1, run: 'r', at: 0, dataset: 'd', artifact: artifactOf('v1'), metrics: {} },
  ...{ scores, serve: 'none', lineage: {} },
});
const alone: RunContext = { model: 'fraud', versions: {}, nextNumber: 2 };
const beside = (champion: Version): RunContext => ({ ...alone, versions: { '1': champion }, champion: 1 });

const dataset = { digest: 'd', bucket: 'drops', prefix: 'fraud/', manifest: 'm', objects: 1, bytes: 1, at: 0 };
const runOf = (given: Given, trigger: Trigger = { kind: 'data' }, rescored?: Version): Base =>
  withData(beginRun({ id: 'run_1', trigger, plan: planOf(given), dataset, inputs: 'i' }, 0, rescored));

const left = { train: artifactOf('t'), holdout: artifactOf('h'), model: artifactOf('m') };

/** The steps of a run whose jobs all succeed with this metric, and the run after them. */
function walk(run: Base, context: RunContext, auc = 0.9): { readonly taken: readonly string[]; readonly run: Base } {
  const next = nextStep(run, context);
  if (next === undefined) return { taken: [], run };
  const begun = steps[next].begin?.(run, context) ?? run;
  const ended = steps[next].end(begun, { status: 'succeeded', metrics: { auc }, artifacts: left }, context);
  if (typeof ended === 'string') throw new Error(ended);
  const after = walk(ended, context, auc);
  return { ...after, taken: [next, ...after.taken] };
}

describe('the steps of a run', () => {
  const holdout = { kind: 'artifact', artifact: left.holdout } as const;
  const evaluate = planOf().evaluate ?? { command: [], environment: {} };
  const scored = versionOne({ [scoreKey(artifactOf('v1'), holdout, evaluate)]: { auc: 0.8 } });
  test.each<[string, Base, RunContext, string]>([
    ['a first version', runOf({}), alone, 'prepare train evaluate'],
    ['one that is compared with a champion', runOf({}), beside(versionOne()), 'prepare train evaluate champion'],
    ['a champion that was scored on this hold-out', runOf({}), beside(scored), 'prepare train evaluate'],
    ['a gate that compares with nobody', runOf(absoluteOnly), beside(versionOne()), 'prepare train evaluate'],
    ['a hold-out by manifest', runOf(byManifest), alone, 'train evaluate'],
    ['no hold-out, and nothing to evaluate', runOf(unsplit), alone, 'train'],
    [
      'a version that is scored again',
      runOf({}, { kind: 'rescore' }, { ...versionOne(), number: 2, holdout }),
      beside(versionOne()),
      'evaluate champion',
    ],
  ])('%s', (_, run, context, expected) => {
    expect(walk(run, context).taken.join(' ')).toBe(expected);
  });

  test('a challenger that fails an absolute bound costs no job for the champion', () => {
    const { taken, run } = walk(runOf({}), beside(versionOne()), 0.4);

    expect(taken.join(' ')).toBe('prepare train evaluate');
    expect(judgeRun(run, beside(versionOne())).verdict).toMatchObject({ passed: false });
  });

  test('the champion is compared by its score of this hold-out, and that is kept', () => {
    const { run } = walk(runOf({}), beside(scored));

    expect(judgeRun(run, beside(scored))).toMatchObject({
      run: { against: 1, championScore: { auc: 0.8 } },
      verdict: { passed: true, against: 1 },
    });
  });

  test('the trainer reads the data that is left, and never the hold-out', () => {
    const { run } = walk(runOf({}), alone);

    expect(steps.train.channels(run, alone)).toEqual({ train: { kind: 'artifact', artifact: left.train } });
    expect(steps.evaluate.channels(run, alone)).toMatchObject({ holdout });
  });

  test('the champion is scored by its own evaluator, on its own artifact', () => {
    const evaluate = { command: ['old-evaluate'], environment: {} };
    const context = beside({ ...versionOne(), evaluate });
    const run = steps.champion.begin?.(runOf({}), context) ?? expect.fail();

    expect(steps.champion.program?.(run, context)).toBe(evaluate);
    expect(
      steps.champion.channels({ ...run, trained: { number: 2, artifact: artifactOf('v2'), metrics: {} } }, context),
    ).toMatchObject({ model: { artifact: artifactOf('v1') } });
  });

  test('checkpoints are of one run: all its attempts find them, and no other run does', () => {
    const checkpoints = { train: { code: './src', command: ['node', 'train.mjs'], checkpoints: true } };

    expect(steps.train.job?.(runOf(checkpoints), alone).checkpoints).toBe('fraud/run_1');
    expect(steps.train.job?.(runOf({}), alone)).not.toHaveProperty('checkpoints');
  });

  test('what a job left unread of its metrics is said of the one that it judged', () => {
    const run = {
      ...runOf({}),
      scored: {},
      unread: { evaluate: { auc: 'it is NaN' }, champion: { auc: 'it is null' } },
    };
    const unscored = { ...run, scored: { auc: 0.9 }, against: 1, championScore: {} };

    expect(judgeRun(run, alone).verdict?.checks).toMatchObject([{ unread: 'it is NaN' }, { unread: 'it is NaN' }]);
    expect(judgeRun(unscored, beside(versionOne())).verdict?.checks.map(({ unread }) => unread)).toEqual([
      undefined,
      'it is null',
    ]);
  });

  test('the champion is not compared with itself', () => {
    const run = { ...runOf({}), scored: { auc: 0.9 }, trained: { number: 1, artifact: artifactOf('v1'), metrics: {} } };

    expect(nextStep({ ...run, train: left.train as never }, beside(versionOne()))).toBeUndefined();
    expect(judgeRun(run, beside(versionOne())).verdict).not.toHaveProperty('against');
  });

  test('a part of a dataset as hold-out is scored apart from another part of it', () => {
    const part = (under: string) => ({ kind: 'manifest', bucket: 'serin', key: 'm', under }) as const;
    const evaluator = { command: [], environment: {} };
    const keys = ['a/', 'b/'].map((under) => scoreKey(artifactOf('v1'), part(under), evaluator));

    expect(new Set(keys).size).toBe(2);
  });

  test('a cut by manifest is a folder below the prefix of the dataset', () => {
    expect(runOf(byManifest)).toMatchObject({ train: { under: 'fraud/a/' }, holdout: { under: 'fraud/b/' } });
  });

  test('a job that leaves less than its step promises ends the run', () => {
    for (const name of ['prepare', 'train'] as const)
      expect(steps[name].end(runOf({}), { status: 'succeeded', artifacts: {} }, alone)).toEqual(expect.any(String));
  });

  test('each is a part of the plan that names it, once', () => {
    expect(partsOf(planOf()).map(({ path, use }) => `${path} ${use}`)).toEqual([
      'split process',
      'train train',
      'evaluate process',
      'serve serve',
    ]);
    expect(stepNames.map((name) => stepPlan(name).waiting[0]).join(' ')).toBe(
      'preparing starting evaluating evaluating',
    );
  });
});
