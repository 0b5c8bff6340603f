import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';

const home = join(import.meta.dirname, '.installed');

/** Where `npm run emulators` puts things; all of it is ignored by git. */
export const paths = {
  home,
  python: join(home, 'python'),
  dynamoDb: join(home, 'dynamodb-local'),
  lambda: join(home, 'lambda-rie'),
  stamps: join(home, 'stamps'),
  calls: join(home, 'calls'),
  functions: join(import.meta.dirname, '..', '..', 'functions', 'aws'),
  gcpFunctions: join(import.meta.dirname, '..', '..', 'functions', 'gcp'),
  azureFunctions: join(import.meta.dirname, '..', '..', 'functions', 'azure'),
  discovery: join(home, 'discovery'),
  /** Names of permissions of Google's IAM, as others have collected them: one in a line. */
  permissions: join(home, 'iam-permissions'),
  gcs: join(home, 'fake-gcs-server'),
  pubsub: join(home, 'pubsub'),
  azurite: join(home, 'azurite'),
  /** Python packages: the clients of Triton and of the open-inference project. */
  inferenceClients: join(home, 'inference-clients'),
  /** What Microsoft's generated client knows of Azure ML's API, as `azure-models/models.py` has read it. */
  azureModels: join(home, 'azure-models'),
} as const;

/** Each part has a stamp when it is whole: `scripts/emulators.ts` writes it last. */
export const stampOf = (part: string): string => join(paths.stamps, part);

/** What nearly each suite of a cloud needs. */
export const usual = {
  aws: ['functions', 'python', 'dynamodb-local'],
  gcp: ['functions-gcp', 'discovery'],
  azure: ['functions-azure', 'azure-models'],
} as const;

/** Why parts of what `npm run emulators` installs cannot be used; `undefined` when they can. */
export function whyPartsMissing(parts: readonly string[]): string | undefined {
  const missing = parts.filter((part) => !existsSync(stampOf(part)));
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}; run \`npm run emulators\``;
}

/** A server of its own, in memory, on a free port of this machine. */
export interface Emulator {
  readonly url: string;
  /** The process is gone when this resolves; twice is harmless. It is killed too when the test run dies. */
  stop(): Promise<void>;
}

/** What can be started here, by the names that the recorder uses. */
export const emulators: readonly string[] = ['moto', 'dynamodb-local', 'fake-gcs-server', 'pstest', 'azurite'];
const started = new Map<string, string>();

/** The name of the emulator that this process has started at an origin (`http://127.0.0.1:...`). */
export const emulatorAt = (origin: string): string | undefined => started.get(origin);

/** AWS as moto has it; `reset` empties every account. What it does and does not do: README.md beside this file. */
export async function startMoto(): Promise<Emulator & { reset(): Promise<void> }> {
  const emulator = await start('moto', usual.aws, (port) => ({
    command: [join(paths.python, 'bin', 'moto_server'), '-H', '127.0.0.1', '-p', String(port)],
    ready: '/moto-api/data.json',
  }));
  return {
    ...emulator,
    async reset() {
      const { ok, status } = await fetch(`${emulator.url}/moto-api/reset`, { method: 'POST' });
      if (!ok) throw new Error(`moto: reset was answered with ${status}`);
    },
  };
}

/** Amazon's own DynamoDB Local. Credentials for it: letters and digits only. */
export const startDynamoDb = (): Promise<Emulator> =>
  start('dynamodb-local', usual.aws, (port) => ({
    command: [
      ...['java', `-Djava.library.path=${paths.dynamoDb}`, '-Xmx256m', '-cp'],
      `${join(paths.dynamoDb, '*')}${delimiter}`,
      ...['com.amazonaws.services.dynamodbv2.local.main.ServerRunner', '-inMemory', '-disableTelemetry'],
      ...['-port', String(port)],
    ],
    ready: '/',
  }));

/** Pub/Sub by Google's own package for tests, gRPC alone. `host`: as `PUBSUB_EMULATOR_HOST` has it. It pushes nothing. */
export async function startPubsub(): Promise<Emulator & { readonly host: string }> {
  const emulator = await start('pstest', ['pubsub'], (port) => ({
    command: [join(paths.pubsub, 'pubsub'), String(port)],
    ready: /^.*pubsub: /m,
  }));
  return { ...emulator, host: new URL(emulator.url).host };
}

/** Cloud Storage by fake-gcs-server. Without a Pub/Sub it keeps its notifications to itself. */
export const startGcs = (pubsub?: { readonly host: string }): Promise<Emulator> =>
  start('fake-gcs-server', ['fake-gcs-server'], (port) => ({
    command: [
      ...[join(paths.gcs, 'fake-gcs-server'), '-scheme', 'http', '-host', '127.0.0.1', '-port', String(port)],
      ...['-backend', 'memory', '-external-url', `http://127.0.0.1:${port}`, '-public-host', `127.0.0.1:${port}`],
      ...['-log-level', 'warn'],
    ],
    ready: '/_internal/healthcheck',
    ...(pubsub === undefined ? {} : { variables: { PUBSUB_EMULATOR_HOST: pubsub.host } }),
  }));

/**
 * Blob and Table Storage by Microsoft's emulator, each on a port of its own, over HTTP. `accounts`: their keys by their
 * names; without any it has its well-known account alone.
 */
export async function startAzurite(
  accounts: Readonly<Record<string, string>> = {},
): Promise<Emulator & { readonly tables: string }> {
  const [tables, queues] = [await freePort(), await freePort()];
  const named = Object.entries(accounts).map(([name, key]) => `${name}:${key}`);
  const emulator = await start('azurite', [...usual.azure, 'azurite'], (port) => ({
    command: [
      ...[process.execPath, join(paths.azurite, 'node_modules', 'azurite', 'dist', 'src', 'azurite.js')],
      ...['--silent', '--inMemoryPersistence', '--skipApiVersionCheck', '--disableTelemetry'],
      ...['blob', 'table', 'queue'].map((service) => `--${service}Host=127.0.0.1`),
      ...[`--blobPort=${port}`, `--tablePort=${tables}`, `--queuePort=${queues}`],
    ],
    // The blob service is the first that listens, the table service the last.
    ready: /Table service is successfully/,
    ...(named.length === 0 ? {} : { variables: { AZURITE_ACCOUNTS: named.join(';') } }),
  }));
  return { ...emulator, tables: `http://127.0.0.1:${tables}` };
}

/** An instance of a function, as Lambda has it: it begins with the first call, and is frozen between calls. */
export interface LambdaInstance extends Emulator {
  /** The body of the answer; a call that takes too long is answered by Lambda in words. */
  call(event: unknown): Promise<unknown>;
  /** All that the function and the emulator have written. */
  output(): string;
  freeze(): void;
  thaw(): void;
}

interface LambdaFunction {
  /** Its bundle, which exports `handler`. */
  readonly file: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
}

/** A function under Amazon's own runtime interface emulator. */
export async function startLambda({ file, variables, timeoutSeconds }: LambdaFunction): Promise<LambdaInstance> {
  const runtimeApi = `127.0.0.1:${await freePort()}`;
  const runtime = join(import.meta.dirname, 'lambda-rie', 'runtime.mjs');
  const emulator = await start('lambda-rie', [...usual.aws, 'lambda-rie'], (port) => ({
    command: [
      ...[join(paths.lambda, 'aws-lambda-rie'), '--runtime-api-address', runtimeApi],
      ...['--runtime-interface-emulator-address', `127.0.0.1:${port}`, process.execPath, runtime, file],
    ],
    ready: '/',
    variables: { ...variables, AWS_LAMBDA_FUNCTION_TIMEOUT: String(timeoutSeconds) },
  }));
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
    const instance = [...emulator.output().matchAll(/^instance (\d+)$/gm)].at(-1)?.[1];
    if (instance !== undefined) process.kill(Number(instance), name);
  };
  return {
    ...emulator,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async call(event) {
      const url = `${emulator.url}/2015-03-31/functions/function/invocations`;
      const text = await (await fetch(url, { method: 'POST', body: JSON.stringify(event) })).text();
      return text.startsWith('Task timed out') ? text : JSON.parse(text);
    },
  };
}

interface FrameworkFunction {
  /** Its bundle, and the name of its export. */
  readonly file: string;
  readonly target: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

const framework = join(paths.gcpFunctions, 'node_modules', '@google-cloud', 'functions-framework');

/** A function under Google's own functions framework, as a buildpack starts it. */
export const startFramework = ({ file, target, variables }: FrameworkFunction) =>
  start('functions-framework', usual.gcp, (port) => ({
    command: [
      ...[process.execPath, join(framework, 'build', 'src', 'main.js')],
      ...[`--source=${dirname(file)}`, `--target=${target}`, `--port=${port}`],
    ],
    ready: '/robots.txt',
    variables: { ...variables, NODE_ENV: 'production' },
  }));

interface Planned {
  readonly command: readonly string[];
  /** A path that is answered, or what is written, when it is up. */
  readonly ready: string | RegExp;
  readonly variables?: Readonly<Record<string, string | undefined>>;
}
type Plan = (port: number) => Planned;

const attempts = 3;
const readyWithinMs = 90_000;

// The shell holds the other end of our pipe: whatever ends us, SIGKILL as well, ends `cat`, and `cat` ends the server.
const guarded =
  'exec 3<&0; "$@" </dev/null & server=$!; { cat <&3 >/dev/null; kill -9 $server; } 2>/dev/null & wait $server';

async function start(name: string, parts: readonly string[], plan: Plan): Promise<Emulator & { output(): string }> {
  const missing = whyPartsMissing(parts);
  if (missing !== undefined) throw new Error(missing);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const { command, ready, variables } = plan(port);
    const server = spawn('sh', ['-c', guarded, 'emulator', ...command], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...variables },
    });
    const output = outputOf(server);
    const url = `http://127.0.0.1:${port}`;
    const problem = await untilReady(server, ready instanceof RegExp ? ready : `${url}${ready}`, output);
    if (problem === undefined) {
      started.set(url, name);
      return { url, output, stop: () => stop(server) };
    }
    await stop(server);
    // Between the look for a free port and the server's bind another process may have taken it.
    if (attempt === attempts) throw new Error(`${name} did not start: ${problem}`);
  }
}

function outputOf(server: ChildProcess): () => string {
  let output = '';
  for (const stream of [server.stdout, server.stderr])
    stream?.on('data', (text: Buffer) => {
      output = `${output}${text}`.slice(-100_000);
    });
  return () => output;
}

async function untilReady(
  server: ChildProcess,
  ready: string | RegExp,
  output: () => string,
): Promise<string | undefined> {
  const deadline = Date.now() + readyWithinMs;
  while (Date.now() < deadline) {
    if (server.exitCode !== null || server.signalCode !== null) return output().slice(-2000);
    if ((await (ready instanceof RegExp ? ready.test(output()) : isAnswered(ready))) && server.exitCode === null)
      return undefined;
    await pause(50);
  }
  return `no answer within ${readyWithinMs / 1000} s. ${output().slice(-2000)}`;
}

/** Any answer will do: DynamoDB Local says 400 to a request without an operation. */
const isAnswered = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    (response) => response.arrayBuffer().then(() => true),
    () => false,
  );

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, 'exit');
  server.stdin?.end();
  await gone;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
  return address.port;
}
