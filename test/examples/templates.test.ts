import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folder, serin } from '../cli/command.ts';
import { startedProject, withModule } from './one-machine.ts';

const root = join(import.meta.dirname, '..', '..');

/** A project as `init` writes it, whose rollout is over in seconds: nothing else of it is changed. */
async function hurriedProject(template: string): Promise<string> {
  const cwd = folder();
  await serin(['init', '--template', template], { cwd });
  const file = join(cwd, 'serin.config.yaml');
  const config = readFileSync(file, 'utf8');
  writeFileSync(file, config.replace('bake: 10s', 'bake: 1s').replace('guard: 10s', 'guard: 1s'));
  return cwd;
}

const instance = { tenure_months: 2, monthly_fee: 99, support_calls: 4, late_payments: 1 };

describe.each([
  ['sklearn', withModule('sklearn')],
  ['xgboost', withModule('xgboost', 'xgboost')],
  ['onnx', withModule('onnxruntime', 'onnx')],
  ['pytorch', withModule('torch', 'pytorch')],
])('the template %s', (template, { env, run, note }) => {
  run(
    `trains, is judged, serves, and gives a second version the traffic by a canary${note}`,
    { timeout: 240_000 },
    async () => {
      const cwd = await hurriedProject(template);
      const project = await startedProject(cwd, env);

      project.drop('drops', 'churn/', join(cwd, 'sample', 'first.csv'));
      await project.event('dev.serin.rollout.promoted.v1');
      const good = await project.invoke('churn', {
        instances: [instance, { tenure_months: 60, monthly_fee: 25, support_calls: 0, late_payments: 0 }],
      });
      const bad = await project.invoke('churn', { instances: [{ tenure_months: 2 }] });
      project.drop('drops', 'churn/', join(cwd, 'sample', 'second.csv'));
      const repeated = ['--repeat', '500', '--data', JSON.stringify({ instances: [instance] })];
      let isOver = false;
      const over = project.event('dev.serin.rollout.promoted.v1', 2).finally(() => {
        isOver = true;
      });
      while (!isOver) await serin(['endpoints', 'invoke', 'churn', ...repeated], { cwd });
      await over;
      const version = await project.run(['versions', 'get', 'churn', '2']);

      const { predictions } = JSON.parse(good.stdout);
      expect(predictions[0]).toMatchObject({ churned: true });
      expect(predictions[1]).toMatchObject({ churned: false });
      expect(bad.stderr).toContain('answered with 400');
      expect(version).toMatchObject({
        verdict: { passed: true, checks: expect.arrayContaining([expect.objectContaining({ rule: 'noWorseBy' })]) },
      });
    },
  );
});

/** The rows of a file of the template, as requests, and who of them left. */
function customersIn(file: string) {
  const [header = '', ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const names = header.split(',');
  return lines.map((line) => {
    const { churned, ...instance } = Object.fromEntries(line.split(',').map((value, at) => [names[at], Number(value)]));
    return { instance, left: churned === 1 };
  });
}

const { env, run, note } = withModule('sklearn');

run(
  `with its comment taken in, a template estimates how good answers are, which it may by what its evaluation found${note}`,
  { timeout: 240_000 },
  async () => {
    const cwd = await hurriedProject('sklearn');
    const file = join(cwd, 'serin.config.yaml');
    const config = readFileSync(file, 'utf8');
    writeFileSync(file, config.replace(/^ {4}# (?=monitor:| {2}(capture|drift|estimate):)/gm, '    '));
    const project = await startedProject(cwd, env);
    project.drop('drops', 'churn/', join(cwd, 'sample', 'second.csv'));
    await project.event('dev.serin.rollout.promoted.v1');

    const asked = customersIn(join(cwd, 'sample', 'second.csv')).slice(0, 500);
    const answers: boolean[] = [];
    const estimated = async () => (await project.run(['drift', 'churn'])).estimate;
    while ((await estimated()).windows.length === 0) {
      const { stdout } = await project.invoke('churn', { instances: asked.map(({ instance }) => instance) });
      for (const { churned } of JSON.parse(stdout).predictions) answers.push(churned);
    }

    const right = answers.filter((churned, at) => churned === asked[at % asked.length]?.left).length / answers.length;
    const { windows, calibration, sentence } = await estimated();
    expect(calibration.rows).toBeGreaterThan(1000);
    expect(calibration.error).toBeLessThanOrEqual(0.05);
    expect(Math.abs(windows[0].accuracy - right)).toBeLessThan(0.1);
    expect(sentence).toMatch(/^estimated without labels: v1 should be right in \d\d/);
  },
);

test('the template sklearn names the versions that the installed environment has', () => {
  const pinned = (file: string) => readFileSync(join(root, file), 'utf8').match(/^[\w.-]+==\S+$/gm) ?? [];

  const own = pinned('packages/cli/src/templates/sklearn/src/requirements.txt');

  expect(own).toHaveLength(3);
  expect(pinned('examples/sklearn/image/requirements.txt')).toEqual(expect.arrayContaining([...own]));
});

test('the sample data of the templates is what its script makes, and nothing else', () => {
  const cwd = folder();
  const sample = join(root, 'packages/cli/src/templates/python/sample');
  cpSync(join(sample, 'make.py'), join(cwd, 'make.py'));

  execFileSync('python3', ['make.py'], { cwd });

  for (const name of ['first.csv', 'second.csv'])
    expect(readFileSync(join(cwd, name), 'utf8')).toBe(readFileSync(join(sample, name), 'utf8'));
});
