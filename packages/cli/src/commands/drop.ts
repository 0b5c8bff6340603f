import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { grouped } from '@serin/core/base/numbers';
import type { Client, Document } from '../client.ts';
import { Failure } from '../failure.ts';
import { argument, type Command, clientOf, type Invocation, path, show } from '../invocation.ts';
import { progressOn } from '../progress.ts';
import { valueAt } from '../table.ts';
import { harmless } from '../terminal.ts';
import { isDocument } from '../wait.ts';

/** A file of this machine, and where a model takes its data from. */
interface Drop {
  readonly file: string;
  readonly bytes: number;
  readonly bucket: string;
  readonly key: string;
}

/** Puts files where a model looks for its data, under their own names, and says what happens then. */
export const drop: Command = async (invocation) => {
  const { terminal, options } = invocation;
  const model = argument(invocation, 0);
  const client = await clientOf(invocation);
  const document = await client.get(path`/v1/models/${model}`);
  const drops = await dropsOf(document, invocation.args.slice(1));
  const { platform } = await client.get('/version');
  if (platform !== 'local') throw elsewhere(String(platform), drops);
  if (options.force !== true) await refuseTaken(client, drops);
  if (options.dryRun === true) {
    const would = drops.map((each) => `would put ${each.file} under ${each.bucket}/${each.key}\n`).join('');
    show(invocation, { dryRun: true, drops }, () => harmless(would));
    return 0;
  }
  if (!client.server.own) terminal.say(`serin: ${client.server.url} (${client.server.from})\n`);
  for (const each of drops) await upload(invocation, client, each);
  const { intake } = await client.get(path`/v1/models/${model}`);
  const next = isDocument(intake) && typeof intake.text === 'string' ? intake.text : '';
  const objects = drops.map(({ bucket, key, bytes }) => ({ bucket, key, bytes }));
  show(invocation, { model, objects, next }, () => droppedText(drops, model, next, invocation));
  return 0;
};

function droppedText(drops: readonly Drop[], model: string, next: string, { terminal }: Invocation): string {
  const lines = drops.map(
    ({ bucket, key, bytes }) => `${terminal.paint('green', 'ok')}  ${bucket}/${key}  ${grouped(bytes)} bytes\n`,
  );
  const then = next === '' ? '' : `${model}: ${next}\n`;
  return harmlessColoured(`${lines.join('')}${then}see what becomes of it: serin why ${model}\n`);
}

/** Keys are the user's own; the colours are ours. */
const harmlessColoured = (text: string): string => text.split('\u001b[').map(harmless).join('\u001b[');

async function dropsOf(model: Document, files: readonly string[]): Promise<readonly Drop[]> {
  const [bucket, prefix] = [valueAt(model, 'plan.data.bucket'), valueAt(model, 'plan.data.prefix')].map(String);
  const drops = await Promise.all(
    files.map(async (file): Promise<Drop> => {
      const found = await stat(file).catch(() => undefined);
      if (found?.isFile() !== true)
        throw new Failure(3, `there is no file ${file}`, {
          mend: 'name a file, not a folder; a shell expands data/*.csv',
        });
      return { file, bytes: found.size, bucket: bucket ?? '', key: `${prefix}${basename(file)}` };
    }),
  );
  const twice = drops.find(({ key }, index) => drops.findIndex((other) => other.key === key) < index);
  if (twice !== undefined)
    throw new Failure(2, `two files are called ${basename(twice.file)}, and the key is the name of a file`, {
      mend: 'rename one of them',
    });
  return drops;
}

async function refuseTaken(client: Client, drops: readonly Drop[]): Promise<void> {
  for (const { bucket, key, file } of drops) {
    const { objects } = await client.get(path`/v1/buckets/${bucket}/objects`, { prefix: key, limit: 1 });
    const first = Array.isArray(objects) ? objects.find(isDocument) : undefined;
    if (first?.key === key)
      throw new Failure(4, `${bucket}/${key} already exists, and nothing was put`, {
        mend: `rename ${file}, or give --force to replace what is there`,
      });
  }
}

async function upload(invocation: Invocation, client: Client, { file, bytes, bucket, key }: Drop): Promise<void> {
  const progress = progressOn(invocation.terminal);
  let sent = 0;
  const counted = createReadStream(file).map((chunk: Buffer) => {
    sent += chunk.length;
    progress.bytes(sent, bytes);
    return chunk;
  });
  try {
    const response = await client.open({
      method: 'PUT',
      path: path`/v1/buckets/${bucket}/objects/${key}`,
      // Node's own web stream and that of the typings of fetch are the same class.
      stream: Readable.toWeb(Readable.from(counted)) as ReadableStream<Uint8Array>,
      headers: { 'content-length': String(bytes) },
    });
    await response.arrayBuffer();
  } catch (error) {
    throw error instanceof Failure && error.problem?.status === 413 ? tooLarge(file, bucket, key, error) : error;
  } finally {
    progress.end();
  }
}

const tooLarge = (file: string, bucket: string, key: string, cause: Failure): Failure =>
  new Failure(2, `${file} is larger than the server takes in one request`, {
    mend: `put it into the bucket's folder, which the server watches: cp ${file} .serin/buckets/${bucket}/${key}`,
    problem: cause.problem,
    cause,
  });

/** How an object is put with the tools of a cloud. */
const puts: Readonly<Record<string, (drop: Drop) => string>> = {
  aws: ({ file, bucket, key }) => `aws s3 cp ${quoted(file)} ${quoted(`s3://${bucket}/${key}`)}`,
  gcp: ({ file, bucket, key }) => `gcloud storage cp ${quoted(file)} ${quoted(`gs://${bucket}/${key}`)}`,
  azure: ({ file, bucket, key }) =>
    `az storage blob upload --auth-mode login --file ${quoted(file)} --container-name ${quoted(bucket)} --name ${quoted(key)} --account-name <account>`,
};

const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

const elsewhere = (platform: string, drops: readonly Drop[]): Failure =>
  new Failure(1, `the API on ${platform} takes no data; nothing was put`, {
    details: drops.map((each) => `command  ${puts[platform]?.(each) ?? `${each.file} as ${each.bucket}/${each.key}`}`),
    mend: 'put it into the bucket with the tools of the cloud, as above',
  });
