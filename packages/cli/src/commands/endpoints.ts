import { text as readAll } from 'node:stream/consumers';
import { Failure } from '../failure.ts';
import {
  argument,
  type Command,
  clientOf,
  type Invocation,
  numberOption,
  path,
  show,
  textOption,
} from '../invocation.ts';
import { endpointScreen } from '../screens/endpoint.ts';
import { table } from '../table.ts';

export const getEndpoint: Command = async (invocation) => {
  const client = await clientOf(invocation);
  const name = argument(invocation, 0);
  const model = await client.get(path`/v1/models/${name}`);
  const { platform } = await client.get('/version');
  const predict = platform === 'local' ? { predict: client.server.url + path`/endpoints/${name}/invocations` } : {};
  const document = { name, champion: model.champion ?? null, ...predict, endpoint: model.endpoint ?? null };
  show(invocation, document, () => endpointScreen(document, invocation.terminal));
  return 0;
};

/** Sends a request to the endpoint itself: the model's answer as it came, or with `--repeat` who answered how often. */
export const invoke: Command = async (invocation) => {
  const given = textOption(invocation, 'data') ?? '-';
  const body = given === '-' ? await readAll(process.stdin) : given;
  const times = numberOption(invocation, 'repeat');
  return times === undefined ? once(invocation, body) : repeatedly(invocation, body, times);
};

const request = (invocation: Invocation, body: string) => ({
  method: 'POST' as const,
  path: path`/endpoints/${argument(invocation, 0)}/invocations`,
  bytes: new TextEncoder().encode(body),
  headers: { 'content-type': textOption(invocation, 'contentType') ?? 'application/json', accept: '*/*' },
});

async function once(invocation: Invocation, body: string): Promise<number> {
  const response = await (await clientOf(invocation)).open(request(invocation, body));
  const text = await response.text();
  invocation.terminal.out(text.endsWith('\n') ? text : `${text}\n`);
  invocation.terminal.say(`answered by ${response.headers.get('x-serin-deployment') ?? 'nobody in particular'}\n`);
  return 0;
}

const atOnce = 8;

async function repeatedly(invocation: Invocation, body: string, times: number): Promise<number> {
  const client = await clientOf(invocation);
  const counts = new Map<string, { requests: number; failed: number }>();
  const count = (who: string, failed: boolean) => {
    const known = counts.get(who) ?? { requests: 0, failed: 0 };
    counts.set(who, { requests: known.requests + 1, failed: known.failed + (failed ? 1 : 0) });
  };
  let left = times;
  let first: Failure | undefined;
  const worker = async () => {
    while (left > 0 && !invocation.signal.aborted) {
      left -= 1;
      try {
        const response = await client.open(request(invocation, body));
        await response.arrayBuffer();
        count(response.headers.get('x-serin-deployment') ?? '', false);
      } catch (error) {
        // A wrong request, or a server that is not there, fails every time; a model that fails is counted.
        if (!(error instanceof Failure) || error.response === undefined || error.response.status < 500) throw error;
        first ??= error;
        count(error.response.headers.get('x-serin-deployment') ?? 'nobody', true);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, times) }, worker));
  const items = [...counts]
    .map(([deployment, numbers]) => ({ deployment, ...numbers }))
    .sort((a, b) => b.requests - a.requests);
  show(invocation, { items }, () =>
    table(items, { DEPLOYMENT: 'deployment', REQUESTS: 'requests', FAILED: 'failed' }, invocation.terminal),
  );
  if (first !== undefined)
    invocation.terminal.say(`the first failure: ${[first.message, first.why].filter(Boolean).join('; ')}\n`);
  return items.some(({ failed }) => failed > 0) ? 1 : 0;
}
