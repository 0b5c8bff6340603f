import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { asFault } from '@serin/core/base/fault';
import { createClient } from '../client.ts';
import { findConfig } from '../config-file.ts';
import { writeSchema } from '../config-schema.ts';
import { writePrivate } from '../contexts.ts';
import { asFailure, Failure, failureText } from '../failure.ts';
import { missingSecrets } from '../hook-secrets.ts';
import { type Command, type Invocation, numberOption, textOption } from '../invocation.ts';
import { runnerFile } from '../places.ts';
import { dataLeftOut } from '../release.ts';
import { type Releases, releases } from '../releases.ts';
import { defaultPort, type Server, sendsInTheClear } from '../server.ts';
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
  }).catch((error: unknown) => {
    throw new Failure(1, `the server cannot start: ${asFault(error).message}`, {
      mend: 'correct this, then start it again',
      cause: error,
    });
  });
  const file = join(dataDirectory, 'server.json');
  let releasing: Releases | undefined;
  try {
    await writeSchema(config).catch((error: Error) => log(`editors get no schema of the config: ${error.message}`));
    await writePrivate(file, `${JSON.stringify({ url: server.url, token: server.token, pid: process.pid })}\n`);
    if (sendsInTheClear(server.url))
      log(
        `it listens on ${host}, beyond this machine: ${invocation.options.predictTokens === true ? 'without TLS' : 'without TLS, and whoever reaches it may ask for predictions (--predict-tokens)'}; put a proxy in front of it`,
      );
    banner(invocation, { ...server, dataDirectory, config });
    releasing = follow(invocation, config, { url: server.url, token: server.token, from: file });
    await stopped(invocation.signal);
    invocation.terminal.say('serin: stopping; what is under way is finished first\n');
  } finally {
    // On a disk that cannot be written any more, all the rest still ends as it should.
    await rm(file, { force: true }).catch((error: Error) => log(`${file} stays: ${error.message}`));
    await releasing?.close();
    await server.close();
  }
  return 0;
};

function follow(invocation: Invocation, config: string, server: Server): Releases {
  const { terminal } = invocation;
  const told = new Set<string>();
  const once = (lines: readonly string[]): void => {
    const news = lines.filter((line) => !told.has(line));
    for (const line of news) terminal.say(`serin: ${line}\n`);
    for (const line of news) told.add(line);
  };
  return releases({
    config,
    client: createClient(server, invocation.signal),
    // Folders that are there before the server begins to watch them miss no file.
    prepare: async ({ compiled }) => {
      for (const { data } of Object.values(compiled.models))
        await mkdir(join(dirname(server.from), 'buckets', data.bucket, folderOf(data.prefix)), { recursive: true });
    },
    released: (prepared) => {
      const { compiled, digest } = prepared;
      once([...dataLeftOut(prepared), ...missingSecrets(compiled, invocation.env)]);
      if (terminal.json)
        terminal.out(`${JSON.stringify({ type: 'released', digest, models: Object.keys(compiled.models) })}\n`);
      else terminal.say(`serin: released ${digest.slice(0, 12)}: ${Object.keys(compiled.models).join(', ')}\n`);
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

/** The folder that a prefix stands for, so that files can be copied into it at once. */
function folderOf(prefix: string): string {
  const parts = prefix.split('/').slice(0, -1);
  return parts.every((part) => /^[\w-][\w.-]*$/.test(part)) ? parts.join('/') : '';
}

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

interface Started {
  readonly url: string;
  readonly token: string;
  readonly tokenIsNew: boolean;
  readonly dataDirectory: string;
  readonly config: string;
}

function banner({ terminal, cwd }: Invocation, { url, token, tokenIsNew, dataDirectory, config }: Started): void {
  const persistence = 'kept there: stop and start as you like';
  const next = existsSync(join(cwd, 'sample'))
    ? 'see README.md, or in another terminal: serin status --watch'
    : 'in another terminal: serin status --watch';
  if (terminal.json) {
    terminal.out(
      `${JSON.stringify({ type: 'ready', version: version(), url, dataDirectory, config, ...(tokenIsNew ? { token } : {}) })}\n`,
    );
    return;
  }
  const rows = [
    ['url', url],
    ['data', `${dataDirectory} (${persistence})`],
    ['config', config],
    ...(tokenIsNew ? [['token', `${token} (shown once; commands in this folder have it)`]] : []),
    ['predict', `curl -d '<what the model takes>' ${url}/endpoints/<model>/invocations`],
    ['next', next],
  ];
  const lines = rows.map(([name = '', text = '']) => `  ${terminal.paint('dim', name.padEnd(7))} ${text}\n`);
  terminal.say(`${terminal.paint('bold', `serin ${version()}`)}\n${lines.join('')}`);
}
