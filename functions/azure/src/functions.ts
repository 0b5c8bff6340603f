import { app, type HttpMethod, type HttpRequest, type InvocationContext } from '@azure/functions';
import { Problem } from '@serin/api/problem';
import { tickDue } from '@serin/platform/clock';
import { newIds } from '@serin/platform/ids';
import { buryBatch } from '@serin/platform/letters';
import { type ApiRuntime, takeInvocation } from '@serin/platform/runtime';
import { takeDelivery } from './calls/webhook.ts';
import {
  type Clock,
  type ComposedWorker,
  composeApi,
  composeCallers,
  composeClock,
  composeWorker,
  errorLog,
  now,
  timeoutMs,
} from './compose.ts';
import { serve } from './http.ts';
import { type Taken, takenFrom } from './records.ts';

/**
 * The entry points, each of which registers what one function app has. The host settles a message: it is done when its
 * function returns, and comes again at once when the function throws. An instance takes one message or request at a
 * time, and makes what it stands on with the first one.
 *
 * https://learn.microsoft.com/azure/azure-functions/functions-reference-node
 */

const connection = 'SERIN_SERVICE_BUS';

/** As often a message is tried, with pauses, until it is a dead letter. The queue gives up after more deliveries. */
const mostAttempts = 5;

/** Messages of the queue of signals. One that is not done comes again after a pause, as a copy. */
export function signals(): void {
  app.serviceBusQueue('signals', {
    ...{ queueName: '%SERIN_QUEUE%', connection, cardinality: 'one', isSessionsEnabled: false },
    async handler(message: unknown, context: InvocationContext) {
      composed ??= composeWorker();
      const taken = takenFrom(message, context);
      let isOver = false;
      const again = async (seconds: number) => {
        await putOff(taken, seconds);
        isOver = true;
      };
      const [late] = await takeInvocation(composed, timeoutMs(), [{ ...taken, again }]);
      if (late !== undefined && !isOver) throw notDone(taken);
    },
  });
}

async function putOff(message: Taken, seconds: number): Promise<void> {
  composed ??= composeWorker();
  if (message.attempt < mostAttempts) return composed.queue.again(message, seconds);
  if ((await buryBatch(composed.worker, [message])).length > 0) throw notDone(message);
}

/** A request to the API, and what Azure delivers over HTTP. What a request made a stream owe is performed by `signals`. */
export function api(): void {
  const anybody = { authLevel: 'anonymous' } as const;
  app.http('events', {
    ...{ ...anybody, route: 'azure/events', methods: ['POST', 'OPTIONS'] },
    handler: (request) => answer(request, deliver),
  });
  app.http('api', { ...anybody, route: '{*path}', methods, handler: (request) => answer(request, ask) });
}

// A route without this list has GET and POST.
const methods: HttpMethod[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const answer = (request: HttpRequest, take: (request: Request) => Promise<Response>) =>
  serve(request, { log: errorLog(), newId: newIds(now), take });

async function ask(request: Request): Promise<Response> {
  http ??= composeApi();
  http.begin(timeoutMs());
  const answered = await (await http.api()).fetch(request);
  // An instance may be taken away once it has answered.
  await http.nudged();
  return answered;
}

async function deliver(request: Request): Promise<Response> {
  callers ??= composeCallers();
  if (callers === undefined)
    throw new Problem('notFound', 'no application of Entra is configured for events; set `alarms` and deploy again');
  clockwork ??= composeClock();
  return takeDelivery(request, { callers, queue: clockwork.queue });
}

/** The timer of each minute: streams whose time has come are ticked. */
export function clock(): void {
  app.timer('clock', {
    ...{ schedule: '0 * * * * *', runOnStartup: false, useMonitor: true },
    async handler() {
      clockwork ??= composeClock();
      await tickDue(clockwork);
    },
  });
}

/** What Service Bus moved to its own queue of dead letters is written where it can be listed, read and replayed. */
export function deadLetters(): void {
  app.serviceBusQueue('deadLetters', {
    ...{ queueName: '%SERIN_QUEUE%/$deadletterqueue', connection, cardinality: 'one', isSessionsEnabled: false },
    async handler(message: unknown, context: InvocationContext) {
      clockwork ??= composeClock();
      const taken = takenFrom(message, context);
      if ((await buryBatch(clockwork, [taken])).length > 0) throw notDone(taken);
    },
  });
}

let composed: ComposedWorker | undefined;
let http: ApiRuntime | undefined;
let clockwork: Clock | undefined;
let callers: ReturnType<typeof composeCallers>;

/** The host logs it, and gives the message back. */
const notDone = ({ id }: Taken): Error => new Error(`the message ${id} is not done; look for its fault above`);
