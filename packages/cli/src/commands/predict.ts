import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Failure } from '../failure.ts';
import { argument, type Command, clientOf, type Invocation, path, show, textOption } from '../invocation.ts';
import { harmless } from '../terminal.ts';

const types: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.ndjson': 'application/x-ndjson',
  '.jsonl': 'application/jsonlines',
  '.csv': 'text/csv',
  '.txt': 'text/plain',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
};

interface Input {
  readonly bytes: Uint8Array;
  readonly type: string;
}

/** Asks a model once, and says which version answered. */
export const predict: Command = async (invocation) => {
  const model = argument(invocation, 0);
  const { bytes, type } = await inputOf(invocation);
  const client = await clientOf(invocation);
  const began = performance.now();
  const response = await client
    .open({
      method: 'POST',
      path: path`/endpoints/${model}/invocations`,
      bytes,
      headers: { 'content-type': textOption(invocation, 'contentType') ?? type, accept: '*/*' },
    })
    .catch(async (error: unknown) => {
      throw await explained(error, invocation);
    });
  const text = await response.text();
  const ms = Math.round(performance.now() - began);
  const version = response.headers.get('x-serin-deployment') ?? undefined;
  const answer = jsonIn(text);
  show(invocation, { model, version, ms, answer: answer ?? text }, () => answerText(answer, text, invocation));
  if (!invocation.terminal.json)
    invocation.terminal.say(
      `${version === undefined ? `answered by ${model}` : `answered by ${version} of ${model}`} in ${ms} ms\n`,
    );
  return 0;
};

/** On a terminal laid out to be read; on a pipe as it came. */
function answerText(answer: unknown, text: string, { terminal }: Invocation): string {
  if (terminal.width === undefined) return text.endsWith('\n') ? text : `${text}\n`;
  return harmless(answer === undefined ? `${text.trimEnd()}\n` : `${JSON.stringify(answer, null, 2)}\n`);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a model may answer in any format
  }
}

/** `--data`, a JSON text, a file, or standard input. */
async function inputOf(invocation: Invocation): Promise<Input> {
  const data = textOption(invocation, 'data');
  const given = data ?? argument(invocation, 1);
  if (data !== undefined && argument(invocation, 1) !== '')
    throw new Failure(2, 'there are two inputs, a file and --data; give one');
  if (given === '' && process.stdin.isTTY)
    throw new Failure(2, 'there is nothing to predict from', {
      mend: `give it with --data '{"instances": [...]}', as a file, or on standard input`,
    });
  if (given === '-' || given === '') return { bytes: await buffer(process.stdin), type: 'application/json' };
  if (data !== undefined || /^\s*[[{]/.test(given))
    return { bytes: new TextEncoder().encode(given), type: 'application/json' };
  try {
    return { bytes: await readFile(given), type: types[extname(given).toLowerCase()] ?? 'application/octet-stream' };
  } catch (error) {
    throw new Failure(3, `cannot read ${given}`, {
      why: error instanceof Error ? error.message : String(error),
      mend: 'name a file that is there, or give JSON with --data',
      cause: error,
    });
  }
}

/** An installation in a cloud has no gateway: its endpoints are asked there. */
async function explained(error: unknown, invocation: Invocation): Promise<unknown> {
  if (!(error instanceof Failure) || error.exit !== 3) return error;
  const { platform } = await (await clientOf(invocation)).get('/version').catch(() => ({ platform: 'local' }));
  return platform === 'local'
    ? error
    : new Failure(3, `predictions of ${argument(invocation, 0)} do not pass through this API`, {
        mend: `ask its endpoint on ${platform} with the tools of that cloud`,
        cause: error,
      });
}
