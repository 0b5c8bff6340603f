import { randomUUID } from 'node:crypto';
import { text as readAll } from 'node:stream/consumers';
import type { Json } from '@serin/core/base/json';
import { instant } from '@serin/core/base/time';
import { sentenceOf } from '@serin/core/sinks/sentence';
import type { Happening } from '@serin/core/sinks/sink';
import { Failure } from '../failure.ts';
import {
  argument,
  type Command,
  clientOf,
  type Invocation,
  numberOption,
  path,
  plainChange,
  show,
  textOption,
} from '../invocation.ts';
import { serverSentEvents } from '../sse.ts';
import { type Columns, facts, table, textOf } from '../table.ts';
import { timeIn } from '../times.ts';
import { isDocument } from '../wait.ts';
import { paragraph } from '../width.ts';

const defaultLimit = 50;

/** The published events after a position; with `--follow` it goes on, and `--json` is then a CloudEvent a line. */
export const list: Command = async (invocation) => {
  if (invocation.options.follow === true) return follow(invocation);
  const client = await clientOf(invocation);
  const after = numberOption(invocation, 'after') ?? 0;
  const page = await client.get('/v1/events', { after, limit: numberOption(invocation, 'limit') ?? defaultLimit });
  const events = (Array.isArray(page.events) ? page.events : []).map((row) => (isDocument(row) ? row.event : row));
  show(invocation, page, () => (events.length === 0 ? '' : table(events.map(lineOf), columns, invocation.terminal)));
  if (invocation.terminal.json) return 0;
  if (events.length === 0) invocation.terminal.say('no events yet\n');
  if (page.next !== undefined) invocation.terminal.say(`there is more: --after ${page.next}\n`);
  return 0;
};

const columns: Columns = {
  WHEN: { path: 'time', as: 'ago' },
  ID: { path: 'id', drop: 1 },
  ABOUT: 'subject',
  WHAT: 'said',
};

/** What a list shows of an event: the sentence that a chat would get, too. */
function lineOf(event: unknown) {
  const happening = Object(event) as Happening; // what lacks a field has an empty one
  const { subject, said } = sentenceOf(happening);
  return { time: happening.time, id: textOf('id', happening.id).replace(/^model\//, ''), subject, said };
}

/** The whole event, out of the entry of the journal that it belongs to: on every platform, and however old it is. */
export const get: Command = async (invocation) => {
  const id = argument(invocation, 0);
  const [, model = '', seq = '', index = ''] = /^(?:model\/)?([^/]+)\/(\d{1,15})\/(\d{1,4})$/.exec(id) ?? [];
  if (model === '')
    throw new Failure(2, `'${id}' is not the id of an event`, {
      mend: "name one of 'serin events list', such as fraud/86/0",
    });
  const client = await clientOf(invocation);
  const page = await client.get(path`/v1/models/${model}/entries`, { before: Number(seq) + 1, limit: 1 });
  const entry = Array.isArray(page.entries) ? page.entries.find(isDocument) : undefined;
  const body = Array.isArray(entry?.events) ? entry.events[Number(index)] : undefined;
  if (entry === undefined || String(entry.seq) !== seq || !isDocument(body))
    throw new Failure(3, `there is no event ${id}`, { mend: "name one of 'serin events list'" });
  const event = { id: `model/${model}/${seq}/${index}`, time: entry.at, ...body };
  show(invocation, event, () => facts(event, invocation.terminal));
  return 0;
};

async function follow(invocation: Invocation): Promise<number> {
  const { terminal, signal } = invocation;
  const after = textOption(invocation, 'after');
  const response = await (await clientOf(invocation)).open({
    method: 'GET',
    path: '/v1/events',
    headers: { accept: 'text/event-stream', ...(after === undefined ? {} : { 'last-event-id': after }) },
  });
  if (response.body === null) return 0;
  let left = numberOption(invocation, 'limit') ?? Number.POSITIVE_INFINITY;
  try {
    for await (const { data } of serverSentEvents(response.body)) {
      terminal.out(terminal.json ? `${data}\n` : line(parseJson(data, 'an event of the server'), invocation));
      left -= 1;
      if (left <= 0) return 0;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return signal.aborted ? 130 : 0;
}

/** One line of a stream that goes on: no column can wait for the next. */
function line(event: unknown, { terminal }: Invocation): string {
  const { time, subject, said } = lineOf(event);
  const at = terminal.width === undefined ? textOf('time', time) : timeIn(Date.parse(String(time)), terminal);
  const [first = '', ...more] = paragraph(`${at}  ${textOf('', subject)}  ${textOf('', said)}`, terminal);
  return [terminal.paint('dim', at) + first.slice(at.length), ...more].map((text) => `${text}\n`).join('');
}

function parseJson(text: string, what: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new Failure(2, `${what} is not JSON; correct it`, {
      why: error instanceof Error ? error.message : String(error),
      cause: error,
    });
  }
}

export const send: Command = async (invocation) => {
  const type = argument(invocation, 0);
  const given = textOption(invocation, 'data');
  const data = given === '-' ? await readAll(process.stdin) : given;
  const subject = textOption(invocation, 'subject');
  const event = {
    specversion: '1.0',
    id: textOption(invocation, 'id') ?? textOption(invocation, 'idempotencyKey') ?? randomUUID(),
    source: textOption(invocation, 'source') ?? '/serin/cli',
    type,
    time: instant(Date.now()),
    ...(subject === undefined ? {} : { subject }),
    ...(data === undefined ? {} : { datacontenttype: 'application/json', data: parseJson(data, '--data') }),
  };
  return plainChange(invocation, {
    method: 'POST',
    path: '/v1/events',
    body: event,
    headers: { 'content-type': 'application/cloudevents+json' },
    does: `send ${type} ${event.id}`,
  });
};

export const replay: Command = async (invocation) => {
  const stream = argument(invocation, 0);
  const [from, to] = [numberOption(invocation, 'from') ?? 1, numberOption(invocation, 'to')];
  const body = { stream, from, ...(to === undefined ? {} : { to }) };
  return plainChange(invocation, {
    method: 'POST',
    path: '/v1/events/replay',
    body,
    does: `publish the events of ${stream} again`,
  });
};
