import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { splitterFiles } from '../../packages/cli/src/places.ts';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
let root = '';
let splitter = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'serin-births-'));
  splitter = join(root, 'split.mjs');
  for (const file of splitterFiles) copyFileSync(file, join(root, basename(file)));
  for (let year = 1969; year <= 1988; year += 1) {
    expect(node(at('data.mjs'), [String(year), join(root, `${year}.csv`)])).toMatchObject({ status: 0, stderr: '' });
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const folder = (name: string) => mkdtempSync(join(root, `${name}-`));
const readJson = (...path: string[]): Readonly<Record<string, number>> =>
  JSON.parse(readFileSync(join(...path), 'utf8'));

function node(script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr: stderr.trim() };
}

function yearsTo(last: number): string {
  const data = folder('data');
  for (let year = 1969; year <= last; year += 1) {
    copyFileSync(join(root, `${year}.csv`), join(data, `${year}.csv`));
  }
  return data;
}

function cut(data: string, last: string) {
  const output = folder('split');
  const [train, holdout] = [join(output, 'train'), join(output, 'holdout')];
  const env = {
    SM_CHANNEL_DATA: data,
    SM_OUTPUT_DATA_DIR: output,
    SERIN_OUTPUT_TRAIN: train,
    SERIN_OUTPUT_HOLDOUT: holdout,
  };
  expect(node(splitter, ['--by', 'time', '--column', 'day', '--last', last], env)).toMatchObject({
    status: 0,
    stderr: '',
  });
  return { train, holdout };
}

function train(data: string, args: readonly string[] = []) {
  const model = folder('model');
  const env = { SM_CHANNEL_TRAIN: data, SM_MODEL_DIR: model, SM_OUTPUT_DATA_DIR: join(model, 'output') };
  return { ...node(at('src/train.mjs'), args, env), model };
}

function evaluate(model: string, holdout: string) {
  const output = folder('scores');
  const env = { SM_CHANNEL_MODEL: model, SM_CHANNEL_HOLDOUT: holdout, SM_OUTPUT_DATA_DIR: output };
  expect(node(at('src/evaluate.mjs'), [], env)).toMatchObject({ status: 0, stderr: '' });
  return readJson(output, 'metrics.json');
}

describe('the births of 1969 to 1988', () => {
  test('are 7,305 days without a gap, from 8,486 on the first to 9,133 on the last', () => {
    const data = yearsTo(1988);

    const lines = Array.from({ length: 20 }, (_, index) =>
      readFileSync(join(data, `${1969 + index}.csv`), 'utf8')
        .trim()
        .split('\n')
        .slice(1),
    ).flat();

    expect(lines.length).toBe(7305);
    expect(lines[0]).toBe('1969-01-01,,8486');
    expect(lines.at(-1)).toMatch(/^1988-12-31,\d+,9133$/);
    const born = lines.map((line) => line.split(',')[2]);
    expect(lines.slice(7).map((line) => line.split(',')[1])).toEqual(born.slice(0, -7));
    lines.forEach((line, index) => {
      expect(line.slice(0, 10)).toBe(new Date(Date.UTC(1969, 0, 1 + index)).toISOString().slice(0, 10));
    });
  });

  test('end with 1988', () => {
    const { status, stderr } = node(at('data.mjs'), ['1989', join(root, '1989.csv')]);

    expect(status).toBe(1);
    expect(stderr).toBe('no data for 1989: give a year from 1969 to 1988');
  });
});

describe('training', () => {
  test('explains three known years to 3.2 percent a day', () => {
    const { status, stdout, model } = train(yearsTo(1971));

    expect(status).toBe(0);
    expect(stdout).toContain('trained on 1095 days, 1969-01-01 to 1971-12-31');
    expect(readJson(model, 'output', 'metrics.json')).toEqual({
      trainDays: 1095,
      trainMape: expect.closeTo(0.0325, 4),
      trainRmse: expect.closeTo(443.51, 1),
    });
  });

  test('twice on the same data gives the same bytes', () => {
    const data = yearsTo(1971);

    const [once, again] = [train(data), train(data)].map(({ model }) =>
      readFileSync(join(model, 'model.json'), 'utf8'),
    );

    expect(again).toBe(once);
  });

  test('looks back three years, or as many as it is told', () => {
    const data = yearsTo(1974);

    expect(train(data).stdout).toContain('trained on 1096 days, 1972-01-01 to 1974-12-31');
    expect(train(data, ['--years', '1']).stdout).toContain('trained on 366 days, 1973-12-31');
  });

  test.each([
    ['no rows', 'day,lastWeek,births\n', /^no rows in /],
    ['another header', 'date,count\n', /^days\.csv:1: the header is 'date,count'/],
    [
      'NaN',
      'day,lastWeek,births\n1975-01-01,,9000\n1975-01-02,9000,NaN\n',
      /^days\.csv:3: '1975-01-02,9000,NaN' is not a day/,
    ],
    ['a day that does not exist', 'day,lastWeek,births\n1975-02-29,,9000\n', /^days\.csv:2: "1975-02-29" is not a day/],
    ['too few days', 'day,lastWeek,births\n1975-01-01,,9000\n', /^too little data: 1 days for 13 coefficients/],
    ['one weekday', `day,lastWeek,births\n${'1975-01-01,,9000\n'.repeat(20)}`, /^the days are too alike/],
  ])('fails clearly on %s', (_, text, message) => {
    const data = folder('bad');
    writeFileSync(join(data, 'days.csv'), text);

    const { status, stderr } = train(data);

    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });

  test('refuses a hyperparameter that it cannot use', () => {
    expect(train(yearsTo(1969), ['--years', 'three']).stderr).toBe(
      "--years is 'three', which is not a number it can use",
    );
  });
});

describe('retraining on each new year, a fifth held out', () => {
  /** The champion of `before` and the challenger trained when `year` came, on the hold-out of `year`. */
  function compare(before: number, year: number) {
    const { train: rows, holdout } = cut(yearsTo(year), '20%');
    const champion = train(cut(yearsTo(before), '20%').train).model;
    return { champion: evaluate(champion, holdout), challenger: evaluate(train(rows).model, holdout) };
  }

  test('helps after the fall of 1972', () => {
    const { champion, challenger } = compare(1973, 1974);

    expect(champion.mape).toBeCloseTo(0.117, 3);
    expect(challenger.mape).toBeCloseTo(0.0798, 3);
  });

  test('hurts in 1977, when births rise again and three years back there are only low ones', () => {
    const { champion, challenger } = compare(1976, 1977);

    expect(champion.mape).toBeCloseTo(0.0412, 3);
    expect(challenger.mape).toBeCloseTo(0.0459, 3);
    expect(Math.abs(challenger.bias ?? 0)).toBeGreaterThan(Math.abs(champion.bias ?? 0));
  });
});

describe('the model server', () => {
  const running: ChildProcess[] = [];
  afterEach(async () => {
    for (const server of running.splice(0)) {
      const closed = new Promise((resolve) => server.once('exit', resolve));
      server.kill();
      await closed;
    }
  });

  async function serve(args: readonly string[] = []): Promise<string> {
    const { model } = train(yearsTo(1971), args);
    const port = await freePort();
    const env = { SM_MODEL_DIR: model, SAGEMAKER_BIND_TO_PORT: String(port), SERIN_BIND_ADDRESS: '127.0.0.1' };
    const server = spawn(process.execPath, [at('src/serve.mjs')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    running.push(server);
    await new Promise<void>((resolve, reject) => {
      server.stdout.once('data', () => resolve());
      server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    });
    return `http://127.0.0.1:${port}`;
  }

  const invoke = (url: string, body: string) => fetch(`${url}/invocations`, { method: 'POST', body });
  const oneDay = '{"instances":[{"day":"1972-03-01"}]}';

  test('answers its health check and predicts a day near what was born on it', async () => {
    const url = await serve();

    expect((await fetch(`${url}/ping`)).status).toBe(200);
    const answer = await invoke(url, '{"instances":[{"day":"1971-03-03"},{"day":"1971-03-07"}]}');

    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ predictions: [{ births: 10250 }, { births: 8649 }] });
  });

  test('answers 400 to what it cannot read, and goes on', async () => {
    const url = await serve();
    const absurd = [
      '',
      '{',
      'null',
      '{"instances":{}}',
      '{"instances":[{"day":"1975-02-29"}]}',
      '{"instances":[null]}',
    ];

    for (const body of [...absurd, `{"instances":["${'x'.repeat(1_000_000)}"]}`]) {
      expect((await invoke(url, body)).status, body.slice(0, 50)).toBe(400);
    }

    expect((await invoke(url, oneDay)).status).toBe(200);
  });

  test('fails the share of requests that its training was told to, and stays healthy', async () => {
    const url = await serve(['--fail-share', '0.3']);

    let failed = 0;
    for (let request = 0; request < 400; request += 1) {
      const { status } = await invoke(url, oneDay);
      expect([200, 500]).toContain(status);
      failed += status === 500 ? 1 : 0;
    }

    // Six standard deviations on either side of 120.
    expect(failed).toBeGreaterThan(65);
    expect(failed).toBeLessThan(175);
    expect((await fetch(`${url}/ping`)).status).toBe(200);
  });

  test('its sabotage is nothing that the gate could see', () => {
    const { train: rows, holdout } = cut(yearsTo(1972), '20%');

    expect(evaluate(train(rows, ['--fail-share', '1']).model, holdout)).toEqual(evaluate(train(rows).model, holdout));
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
