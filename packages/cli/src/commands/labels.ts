import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Json } from '@serin/core/base/json';
import type { Client } from '../client.ts';
import { Failure } from '../failure.ts';
import { argument, type Command, clientOf, type Invocation, path, show } from '../invocation.ts';
import { facts, table } from '../table.ts';

/** What the API takes at once. */
const batchLength = 1000;

interface Line {
  readonly number: number;
  readonly label: Json;
}

/**
 * Sends the labels of a file (a JSON object a line), of standard input (`-`), or one that is given as JSON, in batches.
 *
 * What fails ends it and names the line; what was sent before is recorded, and sending it again does no harm.
 */
export const send: Command = async (invocation) => {
  const { options, terminal } = invocation;
  const client = await clientOf(invocation);
  const given = argument(invocation, 0);
  const totals: Record<string, number> = {};
  let labels = 0;
  for await (const batch of batchesOf(given)) {
    if (options.dryRun !== true) add(totals, await sendBatch(client, batch, labels));
    labels += batch.length;
  }
  const dryRun = options.dryRun === true ? { dryRun: true } : {};
  show(invocation, { ...dryRun, labels, totals }, () =>
    options.dryRun === true
      ? `would send ${labels} labels to ${client.server.url}\n`
      : `${terminal.paint('green', 'ok')}  sent ${labels} labels\n${facts(totals, terminal)}`,
  );
  return 0;
};

export const get: Command = async (invocation) => {
  const document = await (await clientOf(invocation)).get(path`/v1/models/${argument(invocation, 0)}/labels`);
  show(invocation, document, () => totalsText(document, invocation));
  return 0;
};

function totalsText({ totals, files }: { readonly [key: string]: Json }, { terminal }: Invocation): string {
  const columns = {
    FILE: 'file',
    AT: 'at',
    RECORDED: 'recorded',
    DUPLICATE: 'duplicate',
    CONFLICT: 'conflict',
    UNKNOWN: 'unknown',
    LATE: 'late',
    BAD: 'bad',
    WHY: 'because',
    REASONS: 'reasons',
  };
  const rows = Array.isArray(files) ? files : [];
  const counted = totals === undefined ? 'labels are not counted by model on this platform\n' : facts(totals, terminal);
  return `${counted}${rows.length === 0 ? '' : `\n${table(rows, columns, terminal)}`}`;
}

async function* batchesOf(given: string): AsyncGenerator<readonly Line[]> {
  let batch: Line[] = [];
  for await (const line of linesOf(given)) {
    batch.push(line);
    if (batch.length < batchLength) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function* linesOf(given: string): AsyncGenerator<Line> {
  let number = 0;
  const isLabel = given.trimStart().startsWith('{');
  const of = isLabel || given === '-' ? '' : ` of ${given}`;
  const texts = isLabel ? [given] : await textsOf(given);
  for await (const text of texts) {
    number += 1;
    // A file may begin with a byte order mark; `trim` takes it for a space.
    if (text.trim() !== '') yield { number, label: parsed(text.trim(), `line ${number}${of}`) };
  }
}

async function textsOf(file: string): Promise<AsyncIterable<string>> {
  if (file === '-') return createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  try {
    return (await open(file)).readLines();
  } catch (error) {
    throw new Failure(2, `cannot read ${file}`, {
      why: error instanceof Error ? error.message : String(error),
      mend: "name a file with one label per line, '-' for standard input, or give one label as JSON",
      cause: error,
    });
  }
}

const resend = (sent: number): string | undefined =>
  sent === 0
    ? undefined
    : `the ${sent} labels before are recorded; mend it and send all again: nothing is counted twice`;

function parsed(text: string, what: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new Failure(2, `${what} is not JSON`, {
      why: error instanceof Error ? error.message : String(error),
      mend: 'write one JSON object per line; earlier lines may have been sent, and can safely be sent again',
      cause: error,
    });
  }
}

/** What became of them, by word. */
async function sendBatch(client: Client, batch: readonly Line[], sent: number): Promise<Json | undefined> {
  try {
    const labels = batch.map(({ label }) => label);
    return (await client.send({ method: 'POST', path: '/v1/labels', body: { labels } })).body.totals;
  } catch (error) {
    if (!(error instanceof Failure) || error.problem === undefined) throw error;
    const { exit, message, problem } = error;
    const details = problem.errors?.map(({ pointer, detail }) => `${lineOf(pointer ?? '', batch)}  ${detail ?? ''}`);
    throw new Failure(exit, message, { problem, details, mend: resend(sent), cause: error });
  }
}

/** `/labels/3/loss` as `line 17 loss`. */
const lineOf = (pointer: string, batch: readonly Line[]): string =>
  pointer.replace(/^\/labels\/(\d+)\/?/, (_, index) => `line ${batch[Number(index)]?.number ?? '?'} `).trimEnd();

function add(totals: Record<string, number>, more: Json | undefined): void {
  for (const [answer, count] of Object.entries(Object(more)))
    totals[answer] = (totals[answer] ?? 0) + (typeof count === 'number' ? count : 0);
}
