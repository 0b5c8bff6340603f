import type { ServerResponse } from 'node:http';
import { tickDue } from '@serin/platform/clock';
import { newIds } from '@serin/platform/ids';
import { buryBatch } from '@serin/platform/letters';
import { type ApiRuntime, takeInvocation } from '@serin/platform/runtime';
import {
  type Clock,
  type ComposedWorker,
  composeApi,
  composeClock,
  composeWorker,
  errorLog,
  now,
  timeoutMs,
} from './compose.ts';
import { type HttpRequest, requestOf, serve } from './http.ts';
import { deliveredOf } from './records.ts';

/**
 * The entry points that the functions framework calls: plain HTTP functions, for the framework's events leave out how
 * often a message was delivered. An instance takes one request at a time, and makes what it stands on with the first one.
 */

/** A message of the topic of signals. One that is not done comes again. */
export function signals(request: HttpRequest, response: ServerResponse): Promise<void> {
  return answered(request, response, async (remainingMs) => {
    composed ??= composeWorker();
    await composed.callers(request.headers);
    return accepted(await takeInvocation(composed, remainingMs(), [deliveredOf(request)]));
  });
}

/** A request to the API. What it made a stream owe is performed by the function of the topic. */
export function api(request: HttpRequest, response: ServerResponse): Promise<void> {
  return answered(request, response, async (remainingMs) => {
    http ??= composeApi();
    http.begin(remainingMs());
    const answer = await (await http.api()).fetch(requestOf(request));
    // An instance has no processor once it has answered.
    await http.nudged();
    return answer;
  });
}

/** Once a minute: publishes a tick for each stream that waits for a time that has come. */
export function clock(request: HttpRequest, response: ServerResponse): Promise<void> {
  return answered(request, response, async () => {
    clockwork ??= composeClock();
    await clockwork.callers(request.headers);
    await tickDue(clockwork);
    return done();
  });
}

/** What the subscription of signals gave up becomes dead letters, which can be listed, read and replayed. */
export function deadLetters(request: HttpRequest, response: ServerResponse): Promise<void> {
  return answered(request, response, async () => {
    clockwork ??= composeClock();
    await clockwork.callers(request.headers);
    return accepted(await buryBatch(clockwork, [deliveredOf(request)]));
  });
}

let composed: ComposedWorker | undefined;
let http: ApiRuntime | undefined;
let clockwork: Clock | undefined;

function answered(
  request: HttpRequest,
  response: ServerResponse,
  take: (remainingMs: () => number) => Promise<Response>,
): Promise<void> {
  const begun = now();
  const remainingMs = () => timeoutMs() - (now() - begun);
  return serve(request, response, { log: errorLog(), newId: newIds(now), take: () => take(remainingMs) });
}

const done = (): Response => new Response(null, { status: 204 });

/** Anything but success has Pub/Sub deliver the message again. */
const accepted = (late: readonly string[]): Response =>
  late.length === 0 ? done() : new Response(null, { status: 503 });
