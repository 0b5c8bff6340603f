import { v1 } from '@google-cloud/pubsub';
import { credentials } from '@grpc/grpc-js';
import { type Handlers, LostAnswer, Refusal, type Rpc } from './discovery.ts';

interface Message {
  readonly data?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly orderingKey?: string;
}

/** What happens to a request: a refusal before it is done, or no answer although it is done. */
type Mood = Refusal | 'lost';

export interface PubsubFront {
  readonly handlers: Handlers;
  /** Of each request that was published, its messages. */
  readonly requests: (readonly Message[])[];
  /** For the next requests, one each; `undefined`: nothing happens. */
  mood(...moods: readonly (Mood | undefined)[]): void;
  stop(): Promise<void>;
}

/** By the number of gRPC. https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const codes: Readonly<Record<number, Rpc>> = { 3: 'INVALID_ARGUMENT', 5: 'NOT_FOUND', 6: 'ALREADY_EXISTS' };

/** The REST that pstest lacks, over its gRPC, with the limits that it does not check. */
export function pubsubFront(host: string): PubsubFront {
  const [servicePath = '', port] = host.split(':');
  const sslCreds = credentials.createInsecure();
  const publisher = new v1.PublisherClient({ servicePath, port: Number(port), sslCreds, projectId: 'p' });
  const requests: (readonly Message[])[] = [];
  const moods: (Mood | undefined)[] = [];
  return {
    requests,
    handlers: {
      async 'pubsub.projects.topics.publish'({ params, body }) {
        const mood = moods.shift();
        if (mood instanceof Refusal) throw mood;
        const messages: readonly Message[] = body.messages ?? [];
        demandLimits(messages);
        const [{ messageIds }] = await publisher
          .publish({
            topic: params.topic ?? '',
            messages: messages.map(({ data = '', ...more }) => ({ data: Buffer.from(data, 'base64'), ...more })),
          })
          .catch((error: Error & { readonly code: number }) => {
            throw new Refusal(codes[error.code] ?? 'INTERNAL', error.message);
          });
        requests.push(messages);
        if (mood === 'lost') throw new LostAnswer();
        return { messageIds };
      },
    },
    mood: (...more) => void moods.push(...more),
    stop: () => publisher.close(),
  };
}

/** https://docs.cloud.google.com/pubsub/quotas#resource_limits */
function demandLimits(messages: readonly Message[]): void {
  const refuse = (message: string): never => {
    throw new Refusal('INVALID_ARGUMENT', message);
  };
  if (messages.length === 0) refuse('There should be at least one message to publish in the request.');
  if (messages.length > 1000) refuse('The request contains too many messages.');
  if (JSON.stringify(messages).length > 10_000_000) refuse('The request size exceeds 10 MB.');
  if (new Set(messages.map(({ orderingKey }) => orderingKey)).size > 1)
    refuse('In a single publish request, all messages must have no ordering key or they must all have the same one.');
  for (const { data = '', attributes = {}, orderingKey = '' } of messages) {
    const pairs = Object.entries(attributes);
    if (data === '' && pairs.length === 0) refuse('Some messages have neither data nor attributes.');
    if (pairs.length > 100 || Buffer.byteLength(orderingKey) > 1024)
      refuse('An attribute or the ordering key is over.');
    if (pairs.some(([name, value]) => Buffer.byteLength(name) > 256 || Buffer.byteLength(value) > 1024 || name === ''))
      refuse('The name or the value of an attribute is over.');
  }
}
