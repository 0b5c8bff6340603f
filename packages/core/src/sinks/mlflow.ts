import {
  type Happening,
  type Settings,
  type Sink,
  type SinkAnswer,
  type SinkRequest,
  type SinkRequests,
  shortType,
} from './sink.ts';

/**
 * A tracking server of MLflow: the runs of a model with params and metrics, its versions, and the aliases champion and
 * challenger. An experiment and a registered model have the name of the model.
 *
 * A run is found by its tag `serin.run` and a version by its tag `serin.version` before one is made, so an event that
 * comes twice changes nothing.
 * https://mlflow.org/docs/latest/api_reference/rest-api.html
 */
export const mlflow = {
  settings: {
    url: 'the address of the tracking server, https; a name and a password may stand in it',
    token: 'a bearer token; leave it out where the server needs none',
  },
  optional: ['token'],
  defaultOn: [
    ...['run.started', 'run.succeeded', 'run.refused', 'run.failed', 'run.cancelled'],
    ...['version.registered', 'version.approved'],
    ...['rollout.started', 'rollout.promoted', 'rollout.rolledback', 'rollout.aborted'],
  ],
  request: (happening: Happening, settings: Settings) => written(happening, callsOf(settings)),
} satisfies Sink;

type Method = 'GET' | 'POST' | 'DELETE';
/** A call whose failures beside `accepts` end the delivery. */
type Call = (method: Method, path: string, given: object, accepts?: readonly number[]) => SinkRequest;
type Asking<Answer> = Generator<SinkRequest, Answer, SinkAnswer>;
type Data = Readonly<Record<string, unknown>>;

function callsOf({ url = '', token }: Settings): Call {
  const base = `${url.replace(/\/+$/, '')}/api/2.0/mlflow/`;
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return (method, path, given, accepts = []) => ({
    ...(method === 'POST' ? {} : { method }),
    url: method === 'GET' ? `${base}${path}?${queryOf(given)}` : `${base}${path}`,
    headers: { 'content-type': 'application/json', ...authorization },
    body: method === 'GET' ? '' : JSON.stringify(given),
    accepts,
  });
}

const queryOf = (given: object): string =>
  Object.entries(given)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join('&');

function* written({ type, time, data: given }: Happening, call: Call): SinkRequests {
  const data = Object(given) as Data;
  const { model, version, champion } = data;
  const [noun = '', past = ''] = shortType(type).split('.');
  if (typeof model !== 'string') return;
  const about = { call, model, data, at: Date.parse(time) };
  if (noun === 'run') yield* writeRun(about, past);
  if (noun === 'version' && past === 'registered') yield* writeVersion(about);
  if (typeof champion === 'number') yield* point(about, 'champion', champion);
  if (noun !== 'rollout' || typeof version !== 'number') return;
  if (past === 'started') yield* point(about, 'challenger', version);
  else if (['promoted', 'rolledback', 'aborted'].includes(past))
    yield call('DELETE', 'registered-models/alias', { name: model, alias: 'challenger' }, [400, 404]);
}

interface About {
  readonly call: Call;
  readonly model: string;
  readonly data: Data;
  readonly at: number;
}

/** The id of the experiment of a model, which is made where it is missing. */
function* experimentOf({ call, model }: About): Asking<string> {
  const found = yield call('GET', 'experiments/get-by-name', { experiment_name: model }, [404]);
  if (found.status !== 404) return textAt(bodyOf(found), 'experiment', 'experiment_id');
  return textAt(bodyOf(yield call('POST', 'experiments/create', { name: model })), 'experiment_id');
}

/** The id of a run, which is made where it is missing. */
function* runOf(about: About): Asking<string> {
  const { call, data, at } = about;
  const { run, trigger, dataset, commit } = data;
  const experiment = yield* experimentOf(about);
  const filter = `tags.\`serin.run\` = '${String(run)}'`;
  const asked = { experiment_ids: [experiment], filter, max_results: 1 };
  const [known] = listAt(bodyOf(yield call('POST', 'runs/search', asked)), 'runs');
  if (known !== undefined) return textAt(known, 'info', 'run_id');
  const tags = pairs({
    ...{ 'mlflow.source.type': 'JOB', 'mlflow.user': 'serin', 'mlflow.source.git.commit': commit },
    ...{ 'serin.run': run, 'serin.trigger': trigger, 'serin.dataset': dataset },
  });
  const made = { experiment_id: experiment, run_name: String(run), user_id: 'serin', start_time: at, tags };
  return textAt(bodyOf(yield call('POST', 'runs/create', made)), 'run', 'info', 'run_id');
}

const statuses: Data = { succeeded: 'FINISHED', refused: 'FINISHED', failed: 'FAILED', cancelled: 'KILLED' };

function* writeRun(about: About, past: string): SinkRequests {
  const { call, data, at } = about;
  const status = statuses[past];
  if (typeof data.run !== 'string' || (status === undefined && past !== 'started')) return;
  const id = yield* runOf(about);
  const { because, version, params, metrics } = data;
  const tags = pairs({ 'serin.status': data.status, 'serin.because': because, 'serin.version': version });
  const points = Object.entries(Object(metrics)).map(([key, value]) => ({ key, value, timestamp: at, step: 0 }));
  yield call('POST', 'runs/log-batch', { run_id: id, params: pairs(params), tags, metrics: points });
  if (status !== undefined) yield call('POST', 'runs/update', { run_id: id, status, end_time: at });
}

/** The number that MLflow gave a version, if it knows it. */
function* versionOf({ call, model }: About, version: number): Asking<string | undefined> {
  const filter = `name = '${model}' AND tags.\`serin.version\` = '${version}'`;
  const found = yield call('GET', 'model-versions/search', { filter, max_results: 1 }, [404]);
  const [known] = found.status === 404 ? [] : listAt(bodyOf(found), 'model_versions');
  return known === undefined ? undefined : textAt(known, 'version');
}

function* writeVersion(about: About): SinkRequests {
  const { call, model, data } = about;
  const created = yield call('POST', 'registered-models/create', { name: model }, [400]);
  if (created.status === 400 && bodyOf(created).error_code !== 'RESOURCE_ALREADY_EXISTS')
    throw new Error(`MLflow does not take the model '${model}'; look at its answer: ${created.body.slice(0, 200)}`);
  const number = Number(data.version);
  if ((yield* versionOf(about, number)) !== undefined) return;
  const run = yield* runOf(about);
  const { uri, digest } = Object(data.artifact) as Data;
  // MLflow takes no files of a disk that it does not see.
  const isElsewhere = typeof uri !== 'string' || uri.startsWith('file:');
  const source = isElsewhere ? `serin:/${model}/${number}` : uri;
  const tags = pairs({ 'serin.version': number, 'serin.run': data.run, 'serin.digest': digest });
  yield call('POST', 'model-versions/create', { name: model, source, run_id: run, tags });
}

/** An alias cannot name a version from before the sink was there: MLflow does not know it. */
function* point(about: About, alias: string, number: number): SinkRequests {
  const version = yield* versionOf(about, number);
  if (version === undefined) return;
  yield about.call('POST', 'registered-models/alias', { name: about.model, alias, version });
}

const longestValue = 5000;
const pairs = (record: unknown): readonly { readonly key: string; readonly value: string }[] =>
  Object.entries(Object(record))
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ({ key, value: String(value).slice(0, longestValue) }));

function bodyOf({ body }: SinkAnswer): Data {
  try {
    return Object(JSON.parse(body));
  } catch (error) {
    throw new Error(`its answer is not one of MLflow; check the url: ${body.slice(0, 100)}`, { cause: error });
  }
}

function listAt(answer: Data, name: string): readonly unknown[] {
  const list = answer[name];
  return Array.isArray(list) ? list : [];
}

function textAt(value: unknown, ...path: readonly string[]): string {
  const found = path.reduce<unknown>((part, name) => Object(part)[name], value);
  if (typeof found === 'string' || typeof found === 'number') return String(found);
  throw new Error(`its answer has no ${path.join('.')}, so it is not one of MLflow; check the url`);
}
