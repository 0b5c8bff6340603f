import { randomUUID } from 'node:crypto';
import { Fault } from '@serin/core/base/fault';
import { clientExperiment, experimentOf, modelOf, viewOf } from './experiments.ts';
import {
  type Fields,
  keyOf,
  optionalInt,
  optionalText,
  type Pair,
  type Point,
  pairOf,
  pointOf,
  recordsOf,
  tagOf,
  textOf,
  textsOf,
} from './fields.ts';
import { type Asked, needs, needsClients, type Routes, seenModel, seesClients } from './house.ts';
import { forbidden, noSuch, wrong } from './refused.ts';
import { clientRun, historyOf, type RunView, seenRun, serinRun } from './run-views.ts';
import { paged, searched } from './search.ts';
import type { Item } from './store.ts';

export const runRoutes: Routes = {
  'POST runs/create': create,
  'GET runs/get': async (asked) => ({ run: await runView(asked, runIdOf(asked.fields)) }),
  'POST runs/update': update,
  'POST runs/delete': (asked) => changeClient(asked, (body) => ({ ...body, isDeleted: true })),
  'POST runs/restore': (asked) => changeClient(asked, ({ isDeleted: _, ...body }) => body),
  'POST runs/search': search,
  'GET metrics/get-history': history,
  'POST runs/log-metric': ({ fields, ...asked }) => log({ fields, ...asked }, { metrics: [fields] }),
  'POST runs/log-parameter': ({ fields, ...asked }) => log({ fields, ...asked }, { params: [fields] }),
  'POST runs/set-tag': ({ fields, ...asked }) => log({ fields, ...asked }, { tags: [fields] }),
  'POST runs/delete-tag': removeTag,
  'POST runs/log-batch': (asked) =>
    log(asked, {
      metrics: recordsOf(asked.fields, 'metrics'),
      params: recordsOf(asked.fields, 'params'),
      tags: recordsOf(asked.fields, 'tags'),
    }),
  'POST runs/log-inputs': logInputs,
};

const runIdOf = (fields: Fields): string => optionalText(fields, 'run_id') ?? textOf(fields, 'run_uuid');

/** A run as this caller may see it. */
export async function runView({ house, party }: Asked, id: string): Promise<RunView> {
  const item = house.store.item('run', id);
  if (item === undefined) {
    const { value, model } = await party.visible.run(id).catch((error: unknown) => {
      throw error instanceof Fault && error.code === 'notFound' ? noSuch('run', id) : error;
    });
    // Elsewhere the beginning of an id will do. What is logged here is kept under the id that was given.
    if (value.id !== id) throw noSuch('run', id);
    return serinRun(house.store, value, model);
  }
  const model = modelOf(item.parent);
  if (model === undefined ? seesClients(party) : party.visible.sees(model)) return clientRun(house.store, item);
  throw noSuch('run', id);
}

interface Writable {
  readonly id: string;
  readonly scope: string;
  /** Absent for a run of Serin. */
  readonly item?: Item<'run'>;
}

/**
 * The run that a request changes. The program of a job changes its own run and those that it made below it; other clients
 * change runs of clients, and of a run of Serin only its tags.
 */
export async function writable(asked: Asked, id: string, what: 'tags' | 'all' = 'all'): Promise<Writable> {
  const { house, party } = asked;
  const { job } = party;
  const item = house.store.item('run', id);
  if (item === undefined && job?.run === id) return { id, scope: job.scope };
  await runView(asked, id);
  needs(party, 'operator');
  if (item !== undefined) {
    if (job !== undefined && item.body.owner !== job.run)
      throw forbidden(
        `the run '${id}' is not below ${job.run}, and a job writes into its own run; start a run of its own`,
      );
    return { id, scope: '', item };
  }
  if (job === undefined && what === 'tags') return { id, scope: '' };
  throw forbidden(`what the run '${id}' holds is logged by its own job; set a tag, or use a run of your own`);
}

async function create(asked: Asked) {
  const { house, party, fields } = asked;
  const { store } = house;
  const given = recordsOf(fields, 'tags').map((tag) => pairOf(tag, 'tag'));
  const experiment = await runnableExperiment(asked, optionalText(fields, 'experiment_id') ?? '0');
  const id = randomUUID().replaceAll('-', '');
  const known = new Map(given.map(({ key, value }) => [key, value]));
  const { job } = party;
  if (job !== undefined && !known.has('mlflow.parentRunId')) known.set('mlflow.parentRunId', job.run);
  const name = optionalText(fields, 'run_name') ?? known.get('mlflow.runName') ?? `run-${id.slice(0, 8)}`;
  known.set('mlflow.runName', name);
  const at = optionalInt(fields, 'start_time') ?? house.now();
  const body = {
    user: optionalText(fields, 'user_id') ?? party.caller.actor.subject,
    status: 'RUNNING',
    startedAt: at,
    ...(job === undefined ? {} : { owner: job.run }),
  };
  const item: Item<'run'> = { id, parent: experiment, name, at, body };
  await store.commit(() => {
    store.put('run', item);
    for (const [key, value] of known) store.setText('tag', `run/${id}`, { key, value });
  });
  return { run: clientRun(store, item) };
}

/** Where a caller may make runs: a job in the experiment of its model, others in those of clients. */
export async function runnableExperiment({ house, party }: Asked, id: string): Promise<string> {
  if (party.job !== undefined) return experimentOf(party.job.model);
  const model = modelOf(id);
  if (model !== undefined) {
    if ((await seenModel(party, model)) === undefined) throw noSuch('experiment', id);
    throw forbidden(
      `the experiment '${model}' holds the runs of a model of Serin; use 'serin runs start ${model}', or another experiment`,
    );
  }
  needsClients(party);
  if (clientExperiment(house, party, id).body.isDeleted === true)
    throw wrong(`the experiment '${id}' is deleted; restore it, or use another one`);
  return id;
}

const statuses = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'];

/** Serin decides how its own runs end, so only their name can be changed. */
async function update(asked: Asked) {
  const { house, fields } = asked;
  const { store } = house;
  const { id, scope, item } = await writable(asked, runIdOf(fields), 'tags');
  const status = optionalText(fields, 'status');
  if (status !== undefined && !statuses.includes(status))
    throw wrong(`'${status.slice(0, 50)}' is not a status of a run; use one of ${statuses.join(', ')}`);
  const name = optionalText(fields, 'run_name');
  const endedAt = optionalInt(fields, 'end_time');
  await store.commit(() => {
    if (name !== undefined)
      store.setText('tag', `run/${id}`, { key: 'mlflow.runName', value: name.slice(0, 500) }, scope);
    if (item === undefined) return;
    const { endedAt: _, ...body } = item.body;
    const ended = endedAt === undefined ? {} : { endedAt };
    store.put('run', { ...item, body: { ...body, status: status ?? body.status, ...ended } });
  });
  return { run_info: (await runView(asked, id)).info };
}

async function changeClient(asked: Asked, to: (body: Item<'run'>['body']) => Item<'run'>['body']) {
  const { store } = asked.house;
  const { item, id } = await writable(asked, runIdOf(asked.fields), 'tags');
  if (item === undefined) throw forbidden(`the run '${id}' belongs to Serin, which keeps its runs; leave it there`);
  await store.commit(() => store.put('run', { ...item, body: to(item.body) }));
  return {};
}

/** As MLflow has it: more at once is refused, and its client splits what it sends. */
const most = { metrics: 1000, params: 100, tags: 100, together: 1000 };

interface Logged {
  readonly metrics?: readonly Fields[];
  readonly params?: readonly Fields[];
  readonly tags?: readonly Fields[];
}

/** All of it or nothing. */
async function log(asked: Asked, { metrics = [], params = [], tags = [] }: Logged) {
  const { store } = asked.house;
  const run = await writable(asked, runIdOf(asked.fields), metrics.length + params.length === 0 ? 'tags' : 'all');
  if (run.item?.body.isDeleted === true) throw wrong(`the run '${run.id}' is deleted; restore it, or use another one`);
  for (const [name, given] of Object.entries({ metrics, params, tags }))
    if (given.length > most[name as 'tags'])
      throw wrong(`a batch has ${given.length} ${name}, and the limit is ${most[name as 'tags']}; split it`);
  if (metrics.length + params.length + tags.length > most.together)
    throw wrong(`a batch has more than ${most.together} entries; split it`);
  const points: readonly Point[] = metrics.map(pointOf);
  const pairs = {
    param: params.map((pair) => pairOf(pair, 'param')),
    tag: tags.map((tag) => (run.item === undefined ? tagOf(tag) : pairOf(tag, 'tag'))),
  };
  await store.commit(() => write(asked, run, points, pairs));
  return {};
}

function write(
  { house: { store }, party }: Asked,
  { id, scope }: Writable,
  points: readonly Point[],
  pairs: Readonly<Record<'param' | 'tag', readonly Pair[]>>,
): void {
  const owner = `run/${id}`;
  store.checkParams(owner, pairs.param, scope);
  const { attempt = 1, step = '' } = scope === '' ? {} : (party.job ?? {});
  for (let old = 1; old < attempt; old += 1) store.forget(id, `${step}/${old}`);
  for (const point of points) store.addPoint(id, point, scope);
  for (const kind of ['param', 'tag'] as const) for (const pair of pairs[kind]) store.setText(kind, owner, pair, scope);
}

async function removeTag(asked: Asked) {
  const { store } = asked.house;
  const { id } = await writable(asked, runIdOf(asked.fields), 'tags');
  const key = keyOf(asked.fields);
  await store.commit(() => store.removeText('tag', `run/${id}`, key));
  return {};
}

const longestInput = 1_000_000;

async function logInputs(asked: Asked) {
  const { store } = asked.house;
  const { id, scope } = await writable(asked, runIdOf(asked.fields));
  const inputs = recordsOf(asked.fields, 'datasets').map((input): Pair => {
    const dataset = Object(input.dataset) as Fields;
    const value = JSON.stringify({ tags: input.tags ?? [], dataset });
    if (value.length > longestInput)
      throw wrong(`a dataset has more than ${longestInput} characters; shorten its profile`);
    return { key: `${textOf(dataset, 'digest')} ${textOf(dataset, 'name')}`, value };
  });
  await store.commit(() => {
    for (const input of inputs) store.setText('input', `run/${id}`, input, scope);
  });
  return {};
}

async function history(asked: Asked) {
  const { fields, house } = asked;
  const id = runIdOf(fields);
  const { data } = await runView(asked, id);
  const key = textOf(fields, 'metric_key');
  const logged = historyOf(house.store, id, key);
  // A value that Serin recorded and nobody logged is one point.
  const last = data.metrics.find((point) => point.key === key);
  const isLast = last === undefined || logged.some(({ value }) => value === last.value);
  const { rows, ...next } = paged(
    isLast ? logged : [...logged, last],
    Math.min(optionalInt(fields, 'max_results') ?? 25_000, 25_000),
    optionalText(fields, 'page_token'),
  );
  return { metrics: rows, ...next };
}

/** Runs of Serin that one search looks at, of each model: the newest. */
const mostLookedAt = 2000;

async function search(asked: Asked) {
  const { fields } = asked;
  const view = viewOf(fields, 'run_view_type');
  const found: RunView[] = [];
  for (const id of textsOf(fields, 'experiment_ids')) found.push(...(await runsOf(asked, id)));
  const { rows, ...next } = searched(
    found
      .filter(({ info }) => view.includes(info.lifecycle_stage))
      .toSorted((a, b) => b.info.start_time - a.info.start_time),
    fields,
    { usually: 1000, most: 50_000, seenAs: seenRun },
  );
  return { runs: rows, ...next };
}

async function runsOf({ house, party }: Asked, experiment: string): Promise<readonly RunView[]> {
  const { store } = house;
  const clients = () => store.below('run', experiment).map((item) => clientRun(store, item));
  const model = modelOf(experiment);
  if (model === undefined) return seesClients(party) ? clients() : [];
  if (!party.visible.sees(model)) return [];
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await party.visible.names('run/', { cursor, limit: 200 }, (row) => row.model === model);
    ids.push(...page.items.map(({ stream }) => stream.slice('run/'.length)));
    cursor = page.next;
  } while (cursor !== undefined && ids.length < mostLookedAt);
  const runs = await Promise.all(ids.map((id) => party.visible.run(id)));
  return [...runs.map(({ value }) => serinRun(store, value, model)), ...clients()];
}
