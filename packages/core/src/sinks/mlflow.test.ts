import { expect, test } from 'vitest';
import { eventTypes } from '../base/event-types.ts';
import { mlflow } from './mlflow.ts';
import { type Happening, matches, type SinkRequest } from './sink.ts';

const about = (type: string, data: object, url = 'https://ml.example/'): Generator<SinkRequest> => {
  const happening = { id: 'model/fraud/7/0', source: 's', subject: 's', time: '2026-03-01T10:00:00Z' };
  const event = { ...happening, type: `dev.serin.${type}.v1`, data: { model: 'fraud', ...data } } as Happening;
  return mlflow.request(event, { url });
};

/** What a server is asked that answers so, in order; the last answer is given again and again. */
function asked(requests: Generator<SinkRequest>, ...answers: readonly (readonly [number, object])[]) {
  const calls: string[] = [];
  const bodies: unknown[] = [];
  let next = requests.next();
  while (!next.done) {
    calls.push(`${next.value.method ?? 'POST'} ${next.value.url.replace('https://ml.example/api/2.0/mlflow/', '')}`);
    bodies.push(next.value.body === '' ? undefined : JSON.parse(next.value.body));
    const [status, body] = answers[Math.min(calls.length, answers.length) - 1] ?? [200, {}];
    next = requests.next({ status, body: JSON.stringify(body) } as never);
  }
  return { calls, bodies };
}

const known = { experiment: { experiment_id: '3' } };

test('a run that the server knows already is not made again', () => {
  const { calls, bodies } = asked(
    about('run.failed', { run: 'run_1', status: 'failed', because: 'exit 1' }),
    [200, known],
    [200, { runs: [{ info: { run_id: 'abc' } }] }],
  );

  expect(calls).toEqual([
    'GET experiments/get-by-name?experiment_name=fraud',
    'POST runs/search',
    'POST runs/log-batch',
    'POST runs/update',
  ]);
  expect(bodies[1]).toEqual({ experiment_ids: ['3'], filter: "tags.`serin.run` = 'run_1'", max_results: 1 });
  expect(bodies[3]).toEqual({ run_id: 'abc', status: 'FAILED', end_time: Date.parse('2026-03-01T10:00:00Z') });
});

test('a model, an experiment and a run that the server does not know are made first', () => {
  const { calls } = asked(
    about('version.registered', { run: 'run_1', version: 4, artifact: { uri: 's3://b/x', digest: 'd' } }),
    [200, {}],
    [200, {}],
    [404, {}],
    [200, { experiment_id: 3 }],
    [200, {}],
    [200, { run: { info: { run_id: 'abc' } } }],
    [200, {}],
  );

  expect(calls.map((call) => call.replace(/\?.*/, ''))).toEqual([
    'POST registered-models/create',
    'GET model-versions/search',
    'GET experiments/get-by-name',
    'POST experiments/create',
    'POST runs/search',
    'POST runs/create',
    'POST model-versions/create',
  ]);
});

test('a version that the server knows, and a model that exists, are left as they are', () => {
  const { calls } = asked(
    about('version.registered', { run: 'run_1', version: 4 }),
    [400, { error_code: 'RESOURCE_ALREADY_EXISTS' }],
    [200, { model_versions: [{ version: '9' }] }],
  );

  expect(calls).toHaveLength(2);
});

test('an alias is put on the number that the server gave the version, and on nothing that it does not know', () => {
  const found = asked(about('rollout.promoted', { version: 4, champion: 4 }), [
    200,
    { model_versions: [{ version: '9' }] },
  ]);
  const unknown = asked(about('rollout.started', { version: 4 }), [404, {}]);

  expect(found.bodies[1]).toEqual({ name: 'fraud', alias: 'champion', version: '9' });
  expect(found.calls[2]).toBe('DELETE registered-models/alias');
  expect(unknown.calls).toEqual([expect.stringMatching(/^GET model-versions\/search\?filter=name%20%3D%20'fraud'/)]);
});

test.each([
  [[400, { error_code: 'INVALID_PARAMETER_VALUE' }], /does not take the model 'fraud'; look at its answer/],
  [[200, 'no object'], undefined],
] as const)('an answer %j to a model that is to be made', (answer, wanted) => {
  const work = () =>
    asked(about('version.registered', { run: 'r', version: 1 }), answer as never, [
      200,
      { model_versions: [{ version: '1' }] },
    ]);

  if (wanted === undefined) expect(work().calls).toHaveLength(2);
  else expect(work).toThrow(wanted);
});

test('a page that is not of MLflow is said to be one, and what to check', () => {
  const requests = about('run.started', { run: 'run_1' });
  requests.next();

  expect(() => requests.next({ status: 200, body: '<html>' } as never)).toThrow(
    /not one of MLflow; check the url: <html>/,
  );
  const other = about('run.started', { run: 'run_1' });
  other.next();
  expect(() => other.next({ status: 200, body: '{}' } as never)).toThrow(
    /has no experiment.experiment_id.*check the url/,
  );
});

test('an event that says nothing to MLflow asks nothing, and by default it gets only those that do', () => {
  const heard = eventTypes.filter((type) => matches(mlflow.defaultOn, `dev.serin.${type}.v1`));

  expect(asked(about('dataset.settled', { digest: 'x' })).calls).toEqual([]);
  expect(asked(about('run.superseded', { trigger: 'data' })).calls).toEqual([]);
  expect(asked(about('rollout.held', { version: 1 })).calls).toEqual([]);
  expect(heard).not.toContain('rollout.shifted');
  expect(heard).toContain('run.cancelled');
});
