import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const model = JSON.parse(readFileSync(join(process.env.SM_MODEL_DIR, 'model.json'), 'utf8'));
createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(request.url === '/ping' ? '' : JSON.stringify({ version: process.env.SERIN_MODEL_VERSION, ...model }));
}).listen(Number(process.env.SAGEMAKER_BIND_TO_PORT), '127.0.0.1');
