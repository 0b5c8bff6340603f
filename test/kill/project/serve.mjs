import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const model = JSON.parse(readFileSync(join(process.env.SM_MODEL_DIR, 'model.json'), 'utf8'));
/** What rows of a request ask to be answered. */
function predictionsOf(body) {
  const answers = body.startsWith('{') ? (JSON.parse(body).instances ?? []).map(({ answer }) => answer) : [];
  return answers.some((answer) => answer !== undefined) ? { predictions: answers } : {};
}

createServer(async (request, response) => {
  let body = '';
  for await (const piece of request) body += piece;
  response.writeHead(200, { 'content-type': 'application/json' });
  const answer = { version: process.env.SERIN_MODEL_VERSION, ...model };
  response.end(request.url === '/ping' ? '' : JSON.stringify({ ...answer, ...predictionsOf(body) }));
}).listen(Number(process.env.SAGEMAKER_BIND_TO_PORT), '127.0.0.1');
