// The part of Lambda's runtime for Node that our functions use, over the Runtime API: `node runtime.mjs <bundle>`.
// Amazon's own client of it (aws-lambda-ric) builds a library of C++ when it is installed.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
import { createRequire } from 'node:module';
import process from 'node:process';

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
const { handler } = createRequire(import.meta.url)(process.argv[2]);
process.stdout.write(`instance ${process.pid}\n`);

const post = (path, value) => fetch(`${api}/${path}`, { method: 'POST', body: JSON.stringify(value ?? null) });

for (;;) {
  const next = await fetch(`${api}/next`);
  const awsRequestId = next.headers.get('lambda-runtime-aws-request-id');
  const deadline = Number(next.headers.get('lambda-runtime-deadline-ms'));
  const context = { awsRequestId, getRemainingTimeInMillis: () => deadline - Date.now() };
  try {
    await post(`${awsRequestId}/response`, await handler(await next.json(), context));
  } catch (error) {
    await post(`${awsRequestId}/error`, { errorType: error.name, errorMessage: error.message });
  }
}
