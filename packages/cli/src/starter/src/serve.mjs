import { createServer } from 'node:http';
import { directoryOf, predict, readModel } from './line.mjs';

// GET /ping says when it is ready; POST /invocations {"instances":[{"x":1}]} predicts.
const model = readModel(directoryOf('SM_MODEL_DIR'));

const server = createServer(async (request, response) => {
  const answer = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (request.url === '/ping') return answer(200, { status: 'ok' });
  try {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { instances } = JSON.parse(text);
    answer(200, { predictions: instances.map(({ x }) => ({ y: predict(model, Number(x)) })) });
  } catch (error) {
    answer(400, { error: `expected {"instances":[{"x":1}]}: ${error.message}` });
  }
});

server.listen(Number(process.env.SAGEMAKER_BIND_TO_PORT ?? 8080), process.env.SERIN_BIND_ADDRESS ?? '0.0.0.0');
process.once('SIGTERM', () => {
  server.close();
  server.closeIdleConnections();
});
