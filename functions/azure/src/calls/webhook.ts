import { Problem } from '@serin/api/problem';
import { asFault } from '@serin/core/base/fault';
import { notYet } from '@serin/platform/faults';
import { type Fields, fieldsOf, listOf } from '@serin/platform/fields';
import type { ServiceBusQueue } from '../queue.ts';
import type { Callers } from './identity.ts';

interface Options {
  readonly callers: Callers;
  readonly queue: Pick<ServiceBusQueue, 'sendAll'>;
}

/**
 * What Azure Monitor and Event Grid deliver over HTTP, for the queue of signals: it is durable when it is answered with
 * success. An action group calls again only after 408, 429, 503 and 504, so whatever the queue says of its own is 503:
 * a role that was taken away is given back.
 *
 * https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups#webhook
 */
export async function takeDelivery(request: Request, { callers, queue }: Options): Promise<Response> {
  if (request.method === 'OPTIONS') return allowed(request.headers);
  if (request.method !== 'POST') throw new Problem('methodNotAllowed', 'events are posted here; send a POST');
  await callers(request.headers);
  const text = await request.text();
  const said = parsed(text);
  const code = validationCodeIn(said);
  if (code !== undefined) return Response.json({ validationResponse: code });
  const messages = Array.isArray(said) ? said.map((each) => JSON.stringify(each)) : [text];
  await queue.sendAll(messages).catch((error: unknown) => {
    throw notYet(`the queue does not take events: ${asFault(error).message}`, error);
  });
  return Response.json({});
}

/**
 * Event Grid asks before it sends CloudEvents whether it may.
 *
 * https://learn.microsoft.com/azure/event-grid/end-point-validation-cloud-events-schema
 */
function allowed(headers: Headers): Response {
  const origin = headers.get('webhook-request-origin');
  if (origin !== 'eventgrid.azure.net')
    throw new Problem('forbidden', 'only Event Grid may send events here; create its subscription in Azure');
  const rate: Record<string, string> =
    headers.get('webhook-request-rate') === null ? {} : { 'webhook-allowed-rate': '*' };
  return new Response(null, { status: 200, headers: { 'webhook-allowed-origin': origin, ...rate } });
}

/**
 * In its own schema Event Grid sends a code first, which it wants back in the answer.
 *
 * https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
 */
function validationCodeIn(said: unknown): string | undefined {
  const [event = {}, ...others]: readonly Fields[] = listOf([said].flat());
  // It comes alone. What is answered with a code is not queued, so with others it is an event as they are.
  if (event.eventType !== 'Microsoft.EventGrid.SubscriptionValidationEvent' || others.length > 0) return undefined;
  const code = fieldsOf(event.data)?.validationCode;
  return typeof code === 'string' ? code : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem('malformed', 'the body is not JSON; send events or an alert as JSON');
  }
}
