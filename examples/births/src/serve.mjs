import { directoryOf, readModel } from './files.mjs';
import { parseDay, predict } from './model.mjs';

/**
 * The model server: `GET /ping`, `POST /invocations` with `{"instances":[{"day":"1975-03-01"}]}`. Other fields of an
 * instance, such as `lastWeek`, are for the monitor: they change no prediction.
 *
 * A model that was trained with `--fail-share` answers 500 to that share of its predictions, drawn for each request
 * anew: the demo's sabotage, a candidate that passes every gate and does harm in production.
 */

// `import` would load all that the module can do, also what it needs for fetch: 13 MB of the 300 that the demo allows.
const { createServer } = process.getBuiltinModule('node:http');

const maxBodyBytes = 1_000_000;
const model = readModel(directoryOf('SM_MODEL_DIR'));
const health = process.env.AIP_HEALTH_ROUTE ?? '/ping';
const invocations = process.env.AIP_PREDICT_ROUTE ?? '/invocations';
const port = Number(process.env.SAGEMAKER_BIND_TO_PORT ?? process.env.AIP_HTTP_PORT ?? 8080);

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://server');
  if (request.method === 'GET' && pathname === health) return answer(response, 200, { status: 'ok' });
  if (request.method !== 'POST' || pathname !== invocations)
    return answer(response, 404, { error: `no ${request.method} ${pathname}` });
  try {
    const days = parseInstances(await bodyOf(request));
    if (Math.random() < (model.failShare ?? 0)) return answer(response, 500, { error: 'this model fails on purpose' });
    answer(response, 200, { predictions: days.map((at) => ({ births: Math.round(predict(model, at)) })) });
  } catch (error) {
    answer(response, 400, { error: error.message });
  }
});

// A container listens on every interface; on one machine the supervisor says which.
server.listen(port, process.env.SERIN_BIND_ADDRESS ?? '0.0.0.0', () => console.log(`serving on port ${port}`));
process.once('SIGTERM', () => {
  server.close();
  server.closeIdleConnections();
});

function parseInstances(text) {
  const { instances } = JSON.parse(text) ?? {};
  if (!Array.isArray(instances)) throw new Error('expected {"instances":[{"day":"1975-03-01"}]}');
  return instances.map((instance) => parseDay(instance?.day));
}

async function bodyOf(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes)
      throw new Error(`a body of more than ${maxBodyBytes} bytes: send fewer instances at once`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
