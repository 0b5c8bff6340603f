import { randomUUID } from 'node:crypto';
import { text as readAll } from 'node:stream/consumers';
import type { Json } from '@serin/core/base/json';
import { instant } from '@serin/core/base/time';
import { Failure } from '../failure.ts';
import {
  argument,
  type Command,
  clientOf,
  type Invocation,
  numberOption,
  plainChange,
  show,
  textOption,
} from '../invocation.ts';
import { serverSentEvents } from '../sse.ts';
import { textOf, valueAt } from '../table.ts';
import { isDocument } from '../wait.ts';

const defaultLimit = 50;

/** The published events after a position; with `--follow` it goes on, and `--json` is then a CloudEvent a line. */
export const list: Command = async (invocation) => {
  if (invocation.options.follow === true) return follow(invocation);
  const client = await clientOf(invocation);
  const after = numberOption(invocation, 'after') ?? 0;
  const page = await client.get('/v1/events', { after, limit: numberOption(invocation, 'limit') ?? defaultLimit });
  const events = Array.isArray(page.events) ? page.events : [];
  show(invocation, page, () => events.map((row) => line(isDocument(row) ? row.event : row, invocation)).join(''));
  if (page.next !== undefined && !invocation.terminal.json)
    invocation.terminal.say(`there is more: --after ${page.next}\n`);
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

function line(event: unknown, { terminal }: Invocation): string {
  const of = (path: string) => textOf(path, valueAt(event, path));
  const type = of('type').replace(/^dev\.serin\.|\.v1$/g, '');
  return `${terminal.paint('dim', of('time'))}  ${terminal.paint('bold', type)}  ${of('subject')}  ${of('data')}\n`;
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
