import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { ServiceBusClient, type ServiceBusReceivedMessage, type ServiceBusReceiver } from '@azure/service-bus';

/** What an app registers of a function. */
interface Registered {
  readonly name: string;
  readonly bindings: Readonly<Record<string, Binding>>;
}
interface Binding {
  readonly type: string;
  readonly direction: string;
  readonly [option: string]: unknown;
}

interface HostJson {
  readonly functionTimeout: string;
  readonly extensions: {
    readonly http: { readonly routePrefix: string };
    readonly serviceBus: { readonly autoCompleteMessages: boolean; readonly maxAutoLockRenewalDuration: string };
  };
}

interface Options {
  /** As it is deployed: `host.json`, `package.json` and the bundle that it names. */
  readonly folder: string;
  /** The app's settings. */
  readonly variables: Readonly<Record<string, string>>;
  /** The time, where a test moves it. */
  readonly now?: () => number;
  /** Until the host kills an instance, where a test cannot wait for the time of host.json. */
  readonly timeoutMs?: number;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

// https://learn.microsoft.com/azure/azure-functions/functions-app-settings#functions_request_body_size_limit
const mostBodyBytes = 104_857_600;

/**
 * A function app as the host of Azure Functions runs it: the app is loaded by Microsoft's own programming model in a
 * process of its own, which begins with the first call, takes one call at a time, and is killed when one takes too long.
 *
 * A message of Service Bus is locked by Microsoft's own client, completed when its function returns, and given back at
 * once when it throws. https://learn.microsoft.com/azure/azure-functions/functions-bindings-service-bus-trigger#peeklock-behavior
 */
export function functionApp({ folder, variables, now, timeoutMs }: Options) {
  const host = JSON.parse(readFileSync(join(folder, 'host.json'), 'utf8')) as HostJson;
  const killAfterMs = timeoutMs ?? millisecondsOf(host.functionTimeout);
  let instance: ReturnType<typeof startInstance> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let bus: ServiceBusClient | undefined;
  let receiver: ServiceBusReceiver | undefined;
  let output = '';

  function running(): ReturnType<typeof startInstance> {
    if (instance?.isGone() !== false)
      instance = startInstance(folder, variables, (text) => {
        output += text;
      });
    return instance;
  }
  const functions = async (): Promise<readonly Registered[]> => (await running()).ready;

  /** One after the other, as host.json says. */
  function inTurn<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  }

  async function invoke(name: string, data: object, triggerMetadata: object = {}): Promise<Answered> {
    const worker = running();
    await worker.ready;
    if (now !== undefined) await worker.ask({ at: now() });
    const timer = setTimeout(worker.kill, killAfterMs);
    try {
      return await worker.ask({ name, data, triggerMetadata });
    } finally {
      clearTimeout(timer);
    }
  }

  async function triggerOf(type: string): Promise<{ readonly name: string; readonly trigger: Binding }> {
    for (const { name, bindings } of await functions())
      for (const trigger of Object.values(bindings)) if (trigger.type === type) return { name, trigger };
    throw new Error(`the app has no ${type}`);
  }

  /** A setting that is named between percent signs. */
  const resolved = (text: unknown): string => String(text).replace(/%(\w+)%/g, (_, name) => variables[name] ?? '');

  async function request(path: string, { method = 'GET', headers = {}, body = '' }: Asked = {}) {
    const content = Buffer.from(body);
    if (content.byteLength > mostBodyBytes) return answerOf({ statusCode: '413' }, method);
    const url = new URL(path, 'https://serin.azurewebsites.net');
    const found = routeOf(await functions(), host.extensions.http.routePrefix, url.pathname, method);
    if (found === undefined) return answerOf({ statusCode: '404' }, method);
    const query = Object.fromEntries(url.searchParams);
    const http = { method, url: url.href, headers: { host: url.host, ...headers }, params: found.params, query };
    const bytes = content.byteLength === 0 ? {} : { body: { bytes: content } };
    const { returnValue, outputData = [] } = await inTurn(() => invoke(found.name, { http: { ...http, ...bytes } }));
    const said = returnValue?.http ?? outputData[0]?.data.http;
    return answerOf(said ?? { statusCode: '204' }, method);
  }

  /** Delivers the next message, if there is one: locked, renewed, and settled. Answers whether there was one. */
  async function deliver(waitMs = 50): Promise<boolean> {
    const { name, trigger } = await triggerOf('serviceBusTrigger');
    receiver ??= receiverOf(trigger);
    const from = receiver;
    const [message] = await from.receiveMessages(1, { maxWaitTimeInMs: waitMs });
    if (message === undefined) return false;
    await inTurn(() => invoke(name, { string: String(message.body) }, metadataOf(message))).then(
      () => from.completeMessage(message),
      () => from.abandonMessage(message),
    );
    return true;
  }

  function receiverOf({ queueName, connection }: Binding): ServiceBusReceiver {
    bus = new ServiceBusClient(variables[String(connection)] ?? '');
    const [entity = '', dead] = resolved(queueName).split(/\/\$deadletterqueue$/i);
    return bus.createReceiver(entity, {
      ...(dead === undefined ? {} : { subQueueType: 'deadLetter' }),
      skipParsingBodyAsJson: true,
      maxAutoLockRenewalDurationInMs: millisecondsOf(host.extensions.serviceBus.maxAutoLockRenewalDuration),
    });
  }

  return {
    functions,
    request,
    deliver,
    /** Calls the function of the queue with this message, and settles nothing. */
    async call(body: string, metadata: object = {}): Promise<void> {
      const { name } = await triggerOf('serviceBusTrigger');
      await inTurn(() => invoke(name, { string: body }, rpcOf(metadata)));
    },
    /** The time of its timer has come. */
    async tick(): Promise<void> {
      const { name } = await triggerOf('timerTrigger');
      const schedule = { Schedule: { AdjustForDST: true }, IsPastDue: false };
      await inTurn(() => invoke(name, { json: JSON.stringify(schedule) }));
    },
    /** All that its instances have written. */
    output: () => output,
    kill: () => instance?.kill(),
    async stop(): Promise<void> {
      await Promise.all([instance?.stop(), bus?.close()]);
    },
  };
}

export type FunctionApp = ReturnType<typeof functionApp>;

interface Http {
  readonly statusCode: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly bytes?: Uint8Array; readonly string?: string } | null;
}
interface Answered {
  readonly returnValue?: { readonly http?: Http };
  readonly outputData?: readonly { readonly name: string; readonly data: { readonly http?: Http } }[];
}

function startInstance(folder: string, variables: Options['variables'], write: (text: string) => void) {
  const script = join(import.meta.dirname, '..', 'azure-functions', 'worker.cjs');
  const child: ChildProcess = fork(script, [folder], {
    // The time of this process may be another one, and so may be what it loads.
    ...{ env: { PATH: process.env.PATH, ...variables }, execArgv: [] },
    ...{ silent: true, serialization: 'advanced' },
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => write(String(text)));
  const waiting = new Map<number, PromiseWithResolvers<Answered>>();
  const loaded = Promise.withResolvers<readonly Registered[]>();
  // Whoever waits for it is told; nobody has to.
  loaded.promise.catch(() => undefined);
  let isGone = false;
  let asked = 0;
  child.on('message', (said: Said) => {
    if ('functions' in said) return loaded.resolve(said.functions);
    const one = waiting.get(said.id);
    waiting.delete(said.id);
    if (said.error === undefined) one?.resolve(said.answer ?? {});
    else one?.reject(new Error(said.error));
  });
  child.on('exit', () => {
    isGone = true;
    const gone = new Error('the instance is gone');
    loaded.reject(gone);
    for (const one of waiting.values()) one.reject(gone);
  });
  return {
    ready: loaded.promise,
    isGone: () => isGone,
    ask(what: object): Promise<Answered> {
      asked += 1;
      const one = Promise.withResolvers<Answered>();
      waiting.set(asked, one);
      if (isGone) one.reject(new Error('the instance is gone'));
      else child.send({ id: asked, ...what });
      return one.promise;
    },
    kill: () => void child.kill('SIGKILL'),
    async stop(): Promise<void> {
      if (isGone) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
type Said =
  | { readonly functions: readonly Registered[] }
  | { readonly id: number; readonly answer?: Answered; readonly error?: string };

const millisecondsOf = (duration: string): number => {
  const [hours = 0, minutes = 0, seconds = 0] = duration.split(':').map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
};

/** The function whose route takes a request: one without a variable goes before one that takes every path. */
function routeOf(all: readonly Registered[], prefix: string, path: string, method: string) {
  const taking = all.flatMap(({ name, bindings }) =>
    Object.values(bindings).flatMap(({ type, route, methods }) => {
      if (type !== 'httpTrigger' || !(methods as string[]).some((each) => each.toUpperCase() === method)) return [];
      const whole = [prefix, String(route ?? name)].filter((part) => part !== '').join('/');
      const [start = '', variable] = whole.split(/\{\*(\w+)\}$/);
      const given = path.slice(1);
      if (variable === undefined) return given.toLowerCase() === start.toLowerCase() ? [{ name, params: {} }] : [];
      return given.startsWith(start) ? [{ name, params: { [variable]: given.slice(start.length) } }] : [];
    }),
  );
  return taking.toSorted((one, other) => Object.keys(one.params).length - Object.keys(other.params).length)[0];
}

function answerOf({ statusCode, headers = {}, body }: Http, method: string) {
  const content = Buffer.from(method === 'HEAD' ? '' : (body?.bytes ?? body?.string ?? ''));
  return { status: Number(statusCode), headers, text: content.toString(), content };
}

/** https://learn.microsoft.com/azure/azure-functions/functions-bindings-service-bus-trigger#message-metadata */
const metadataOf = (message: ServiceBusReceivedMessage): object =>
  rpcOf({
    MessageId: message.messageId,
    // Microsoft's client for .NET, which the host uses, counts deliveries from 1, as that of Node does not.
    DeliveryCount: (message.deliveryCount ?? 0) + 1,
    EnqueuedTimeUtc: message.enqueuedTimeUtc,
    SequenceNumber: String(message.sequenceNumber),
    LockToken: message.lockToken,
    ContentType: message.contentType,
    DeadLetterReason: message.deadLetterReason,
    ApplicationProperties: message.applicationProperties ?? {},
  });

/** As the host writes values for a worker: texts as they are, all else as JSON. */
const rpcOf = (metadata: object): object =>
  Object.fromEntries(
    Object.entries(metadata).flatMap(([key, value]) => {
      if (value === undefined) return [];
      return [[key, typeof value === 'string' ? { string: value } : { json: JSON.stringify(value) }]];
    }),
  );
