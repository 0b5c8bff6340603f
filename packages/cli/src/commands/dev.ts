import { statSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { asFault } from '@serin/core/base/fault';
import { type Client, createClient } from '../client.ts';
import { findConfig } from '../config-file.ts';
import { writeSchema } from '../config-schema.ts';
import { writePrivate } from '../contexts.ts';
import { asFailure, Failure, failureText } from '../failure.ts';
import { missingSecrets } from '../hook-secrets.ts';
import { type Command, type Invocation, numberOption, path, textOption } from '../invocation.ts';
import { runnerFile } from '../places.ts';
import { missingEnvironment, pythonPrograms } from '../python-environment.ts';
import { dataLeftOut } from '../release.ts';
import { type Releases, releases } from '../releases.ts';
import { defaultPort, sendsInTheClear } from '../server.ts';
import { followStory } from '../story/follow.ts';
import { devBanner, folderOf, modelPlaces, type Opening } from '../story/opening.ts';
import { version } from '../version.ts';

/**
 * Runs the one-machine server until Ctrl-C or SIGTERM, and releases the config at the start and after each change of it
 * or of its code. A config with problems is reported, and what was released before stays.
 */
export const dev: Command = async (invocation) => {
  const config = findConfig(invocation.cwd, textOption(invocation, 'config'));
  const host = textOption(invocation, 'host') ?? '127.0.0.1';
  const port = await freePort(invocation, host);
  const { startServer } = await import('@serin/local/compose');
  const dataDirectory = join(invocation.cwd, '.serin');
  const log = (line: string) => invocation.terminal.say(`serin: ${line}\n`);
  const server = await startServer({
    directory: dataDirectory,
    host,
    port,
    version: version(),
    log,
    predictTokens: invocation.options.predictTokens === true,
    ...(runnerFile === undefined ? {} : { runner: runnerFile }),
    ...pythonPrograms(dirname(config), invocation.env),
  }).catch((error: unknown) => {
    throw new Failure(1, `the server cannot start: ${asFault(error).message}`, {
      mend: 'correct this, then start it again',
      cause: error,
    });
  });
  const file = join(dataDirectory, 'server.json');
  let releasing: Releases | undefined;
  let endStory: () => void = () => undefined;
  try {
    await writeSchema(config).catch((error: Error) => log(`editors get no schema of the config: ${error.message}`));
    await writePrivate(file, `${JSON.stringify({ url: server.url, token: server.token, pid: process.pid })}\n`);
    if (sendsInTheClear(server.url))
      log(
        `it listens on ${host}, beyond this machine: ${invocation.options.predictTokens === true ? 'without TLS' : 'without TLS, and whoever reaches it may ask for predictions (--predict-tokens)'}; put a proxy in front of it`,
      );
    const { url, token } = server;
    banner(invocation, { ...server, dataDirectory, config });
    const client = createClient({ url, token, from: file }, invocation.signal);
    endStory = followStory({
      log: server.events,
      terminal: invocation.terminal,
      rollout: (id) => client.get(path`/v1/rollouts/${id}`),
      sizeOf: ({ bucket, object }) => sizeIn(join(dataDirectory, 'buckets'), bucket, object),
    });
    releasing = follow(invocation, config, client);
    await stopped(invocation.signal);
    invocation.terminal.say('serin: stopping; what is under way is finished first\n');
  } finally {
    // On a disk that cannot be written any more, all the rest still ends as it should.
    await rm(file, { force: true }).catch((error: Error) => log(`${file} stays: ${error.message}`));
    await releasing?.close();
    endStory();
    await server.close();
  }
  return 0;
};

/** The bytes of an object that was dropped, where it is still there. */
function sizeIn(buckets: string, bucket: unknown, object: unknown): number | undefined {
  return typeof bucket === 'string' && typeof object === 'string'
    ? statSync(join(buckets, bucket, object), { throwIfNoEntry: false })?.size
    : undefined;
}

function follow(invocation: Invocation, config: string, client: Client): Releases {
  const { terminal } = invocation;
  const told = new Set<string>();
  const once = (lines: readonly string[], by = 'serin: '): void => {
    const news = lines.filter((line) => !told.has(line));
    for (const line of news) terminal.say(`${by}${line}\n`);
    for (const line of news) told.add(line);
  };
  return releases({
    config,
    client,
    // Folders that are there before the server begins to watch them miss no file.
    prepare: async ({ compiled }) => {
      for (const { data } of Object.values(compiled.models))
        await mkdir(join(invocation.cwd, '.serin', 'buckets', data.bucket, folderOf(data.prefix)), { recursive: true });
    },
    released: (prepared) => {
      const { compiled, digest } = prepared;
      once([
        ...dataLeftOut(prepared),
        ...missingSecrets(compiled, invocation.env),
        ...missingEnvironment(prepared, invocation.env),
      ]);
      if (terminal.json)
        terminal.out(`${JSON.stringify({ type: 'released', digest, models: Object.keys(compiled.models) })}\n`);
      else {
        terminal.say(`serin: released ${digest.slice(0, 12)}: ${Object.keys(compiled.models).join(', ')}\n`);
        once(modelPlaces(compiled, { url: client.server.url, cwd: invocation.cwd, terminal }), '');
      }
    },
    echoed: (files) => once(files.map(({ path }) => `${path} ${echoText}`)),
    failed: (error, before) => {
      if (invocation.signal.aborted) return;
      terminal.say(failureText(asFailure(error)));
      terminal.say(
        before === undefined
          ? 'serin: nothing is released yet; waiting for a change\n'
          : `serin: ${before.slice(0, 12)} stays released; waiting for a change\n`,
      );
    },
  });
}

const echoText =
  'is in the code and is written with each release: such a change makes no release; name the file in .serinignore, or write it elsewhere';

const stopped = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }),
  );

const triedPorts = 100;

/** The port that was asked for, or else the default one or the next that is free. */
async function freePort(invocation: Invocation, host: string): Promise<number> {
  const asked = numberOption(invocation, 'port');
  if (asked !== undefined) {
    if (asked > 65_535)
      throw new Failure(2, `there is no port ${asked}`, { mend: 'give a number from 0 (any free port) to 65535' });
    if (asked === 0 || (await isFree(asked, host))) return asked;
    throw new Failure(1, `port ${asked} of ${host} is in use`, {
      mend: 'give another one with --port, or leave it out',
    });
  }
  for (let port = defaultPort; port < defaultPort + triedPorts; port += 1) {
    if (!(await isFree(port, host))) continue;
    if (port !== defaultPort) invocation.terminal.say(`serin: port ${defaultPort} is in use; this is ${port}\n`);
    return port;
  }
  throw new Failure(1, `all ports from ${defaultPort} to ${defaultPort + triedPorts - 1} of ${host} are in use`, {
    mend: 'give another one with --port',
  });
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else
        reject(
          new Failure(1, `cannot listen on ${host}:${port}`, {
            why: error.message,
            mend: 'choose others with --host and --port',
            cause: error,
          }),
        );
    });
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

function banner({ terminal, cwd }: Invocation, started: Opening): void {
  const { url, token, tokenIsNew, dataDirectory, config } = started;
  if (terminal.json)
    terminal.out(
      `${JSON.stringify({ type: 'ready', version: version(), url, dataDirectory, config, ...(tokenIsNew ? { token } : {}) })}\n`,
    );
  else terminal.say(devBanner(started, { cwd, terminal, version: version() }));
}
