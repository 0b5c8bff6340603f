import { tickDue } from '@serin/platform/clock';
import { buryBatch } from '@serin/platform/letters';
import { type ApiRuntime, takeInvocation } from '@serin/platform/runtime';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context,
  SQSBatchResponse,
  SQSEvent,
} from 'aws-lambda';
import { type Clock, type ComposedWorker, composeApi, composeClock, composeWorker } from './compose.ts';
import { answers } from './http.ts';
import { deliveredOf, recordsOf } from './records.ts';

/**
 * The entry points that Lambda calls. What they stand on is made by the first call of an instance, and kept.
 *
 * Each is bundled alone, so that the clock does not carry what it never calls.
 */

/** Messages of the queue of signals; those that are named in the answer come again. */
export async function signals(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  composed ??= composeWorker();
  const { worker, queue } = composed;
  const messages = recordsOf(event, worker.log).map((record) => deliveredOf(record, queue));
  return failuresOf(await takeInvocation(composed, context.getRemainingTimeInMillis(), messages));
}

/** A request to the API. What it made a stream owe is performed by the queue's function. */
export async function api(event: APIGatewayProxyEventV2, context: Context): Promise<APIGatewayProxyStructuredResultV2> {
  http ??= composeApi();
  http.begin(context.getRemainingTimeInMillis());
  const answer = await answers(await http.api())(event, context);
  // An instance is frozen once it has answered: nothing may still be under way.
  await http.nudged();
  return answer;
}

/** Once a minute: queues a tick for each stream that waits for a time that has come. */
export async function clock(): Promise<void> {
  clockwork ??= composeClock();
  await tickDue(clockwork);
}

/** What the queue of signals gave up becomes dead letters, which can be listed, read and replayed. */
export async function deadLetters(event: SQSEvent): Promise<SQSBatchResponse> {
  clockwork ??= composeClock();
  const messages = recordsOf(event, clockwork.log).map(({ messageId: id, body }) => ({ id, body }));
  return failuresOf(await buryBatch(clockwork, messages));
}

let composed: ComposedWorker | undefined;
let http: ApiRuntime | undefined;
let clockwork: Clock | undefined;

const failuresOf = (ids: readonly string[]): SQSBatchResponse => ({
  batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })),
});
